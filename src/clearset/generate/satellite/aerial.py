"""How the ground of a generated scene looks from above: the light that a window of it sends up."""

import math

import numpy as np
import numpy.typing as npt

from clearset.generate.satellite.landscape import Land
from clearset.generate.satellite.lattices import CELLS, repeated, view
from clearset.generate.satellite.scenery import BEACH, CANOPY, CLOUD, COLOURS, GREY, SHALLOWS, WATER
from clearset.generate.satellite.shapes import Canvas, Points, Shapes, Window, draw, shadows
from clearset.numeric.exact import cv2, whole

Image = npt.NDArray[np.float64]

FINEST = 3.0  # pixels between rows, below which they are not drawn
DARK = 0.62  # share of the light that a shadow takes
FALL = 0.09  # sides between a cloud and its shadow


def reflected(ground: Land, window: Window, bands: int) -> Image:
    """Return the light that a window of the ground sends up, 0 to about 1.2, without a sensor.

    It is shaped (bands, size, size), for 1 band or 3.
    """
    clumps = view(ground.clumps, window)
    fine = repeated(ground.grain, window)
    image = _plain(ground, window, bands, (clumps, fine))
    if ground.setting.water == "river":  # roads bridge a river, and end at a shore
        image = _flooded(image, ground, window, fine)
        image = _built(image, ground, window, fine)
    else:
        image = _built(image, ground, window, fine)
        image = _flooded(image, ground, window, fine)
    return _clouded(image, ground, window)


def _plain(ground: Land, window: Window, bands: int, textures: tuple[Image, Image]) -> Image:
    """Return the ground as it grows: fields with their rows, woods, slopes in the light."""
    clumps, fine = textures
    canvas = np.empty((window.size, window.size, 4), np.uint8)
    canvas[:] = _inks(np.array([COLOURS[ground.setting.crops[0]]]), bands)[0]
    fields = ground.fields.in_view(window)
    visible = ground.fields.subset(fields)
    draw(canvas, visible.corners, _inks(visible.inks, bands), window)
    image, rough = _planes(canvas, bands)
    texture = 0.5 * clumps + 0.25 * fine
    light = 1 + rough * texture
    if ground.rows[fields, 2].any():
        light += _rows(visible.corners, ground.rows[fields], window)
    image *= light
    if ground.wood is not None:
        share = view(ground.wood, window) + 0.12 * clumps
        share = np.clip(0.5 + share * (0.03 * window.size), 0, 1)
        image += share * (_tint(CANOPY, bands) * (1 + 1.1 * texture) - image)
    image *= view(ground.light, window)
    return np.maximum(image, 0.02, out=image)


def _rows(corners: Points, rows: npt.NDArray[np.float64], window: Window) -> Image:
    """Return how much lighter or darker rows make the fields, -1 to 1."""
    numbers = np.zeros((window.size, window.size), np.uint8)
    for field in np.flatnonzero(rows[:255, 2]):
        draw(numbers, corners[field][None], [[float(field + 1)]], window, smooth=False)
    across, down, strength = table = np.zeros((3, 256))
    table[:, 1 : len(rows) + 1] = rows[:255].T
    strength[across**2 + down**2 > (window.size / FINEST) ** 2] = 0
    axis = (np.arange(window.size) + 0.5) / window.size
    phase = across.take(numbers) * (axis + window.left)
    phase += down.take(numbers) * (axis[:, None] + window.top)
    wave = np.abs(phase - np.floor(phase) - 0.5) * 4 - 1
    return np.asarray(wave * strength.take(numbers))


def _built(image: Image, ground: Land, window: Window, fine: Image) -> Image:
    """Return the ground with streets, trees, houses and their shadows on it."""
    bands, way = len(image), np.array([math.cos(ground.sun), math.sin(ground.sun)])
    built = np.zeros((window.size, window.size, 4), np.uint8)  # colours already times coverage
    shade = np.zeros((window.size, window.size), np.uint8)
    _cover(built, ground.ways, window, bands)
    trees = ground.trees.subset(ground.trees.in_view(window))
    _crowns(built, shade, trees, window, (bands, way))
    which = ground.roofs.in_view(window)
    roofs, cast = ground.roofs.subset(which), ground.heights[which, None] * way
    draw(shade, shadows(roofs.corners, cast), [[255.0]] * len(cast), window)
    draw(shade, roofs.corners, [[0.0]] * len(cast), window)
    _roofs(built, roofs, window, (bands, ground.setting.gable * way))
    _cover(built, ground.details, window, bands)
    surface, cover = _planes(built, bands)
    image = image * (1 - cover) + surface * (1 + 0.045 * fine)
    return np.asarray(image * (1 - (DARK / 255) * shade))


def _crowns(
    built: Canvas, shade: Canvas, trees: Shapes, window: Window, how: tuple[int, Points]
) -> None:
    """Draw single trees: a shadow, a crown, and the part of the crown that is in the light."""
    bands, way = how
    middle = trees.corners.mean(axis=1, keepdims=True)
    radius = np.linalg.norm(trees.corners[:, :1] - middle, axis=2, keepdims=True)
    draw(shade, trees.corners + 1.1 * radius * way, [[255.0]] * len(middle), window)
    _cover(built, trees, window, bands)
    lit = middle + 0.62 * (trees.corners - middle) - 0.3 * radius * way
    _cover(built, Shapes(lit, trees.inks * 1.6), window, bands)


def _cover(built: Canvas, shapes: Shapes, window: Window, bands: int) -> None:
    """Draw shapes that hide what lies below them."""
    visible = shapes.subset(shapes.in_view(window))
    inks = [[*ink[:3], 255.0] for ink in _inks(visible.inks, bands)]
    draw(built, visible.corners, inks, window)


def _roofs(built: Canvas, roofs: Shapes, window: Window, how: tuple[int, Points]) -> None:
    """Draw roofs: each has a side in the light and one that is darker."""
    bands, way = how
    _cover(built, roofs, window, bands)
    a, b, c, d = roofs.corners.transpose(1, 0, 2)
    long = (np.linalg.norm(b - a, axis=1) > np.linalg.norm(c - b, axis=1))[:, None]
    a, b, c, d = (np.where(long, one, two) for one, two in ((a, b), (b, c), (c, d), (d, a)))
    halves = np.stack([(a + d) / 2, (b + c) / 2, c, d], axis=1)
    out = halves.mean(axis=1) - roofs.corners.mean(axis=1)
    turn = out @ way / (np.linalg.norm(out, axis=1) + 1e-9)
    _cover(built, Shapes(halves, roofs.inks * (1 - turn)[:, None]), window, bands)


def _flooded(image: Image, ground: Land, window: Window, fine: Image) -> Image:
    """Return the ground with water over it, shallow and with a bright strip at its shore."""
    if ground.wet is None:
        return image
    bands = len(image)
    wet = view(ground.wet, window)
    depth = np.clip(wet * 9, 0, 1)
    water = _tint(SHALLOWS, bands) * (1 - depth) + _tint(WATER, bands) * depth
    water = water * (1 + 0.03 * fine)
    beach = np.clip(1 - np.abs(wet + 0.012) * 90, 0, 1)
    image = image + 0.8 * beach * (_tint(BEACH, bands) - image)
    share = np.clip(0.5 + wet * (0.5 * window.size), 0, 1)
    return np.asarray(image + share * (water - image))


def _clouded(image: Image, ground: Land, window: Window) -> Image:
    """Return the ground with clouds over it and their shadows on it."""
    if ground.cloud is None:
        return image
    cells = FALL * CELLS / 2
    falls = round(cells * math.sin(ground.sun)), round(cells * math.cos(ground.sun))
    below = view(np.roll(ground.cloud, falls, (0, 1)), window)
    hidden = view(ground.cloud, window)
    image = image * (1 - 0.6 * below)
    return np.asarray(image + hidden * (_tint(CLOUD, len(image)) - image))


def _tint(colour: tuple[float, ...], bands: int) -> Image:
    """Return a colour, red green blue, as so many bands see it, (bands, 1, 1)."""
    values = colour if bands == 3 else [np.dot(colour, GREY)]
    return np.array(values)[:, None, None]


def _inks(inks: Points, bands: int) -> list[list[float]]:
    """Return inks as a canvas of four channels takes them; the last is that of the texture."""
    scaled = np.clip(inks, 0, 1)
    if bands == 1:
        scaled[:, :3] = (scaled[:, :3] @ np.array(GREY))[:, None]
    return list(whole(255 * scaled, np.uint8).astype(float).tolist())


def _planes(canvas: Canvas, bands: int) -> tuple[Image, Image]:
    """Return a canvas' colours, (bands, height, width), and its last channel, from 0 to 1."""
    planes = cv2.split(canvas)
    return np.stack(planes[:bands]) / 255, planes[3] / 255
