"""Seeded images like infrared reflectance of the retina, with exact masks, and images of none.

Lengths are shares of the image side, so that an eye looks the same at any size. Measurements that
the numbers follow were taken on RAVIR (42 infrared images of 768 pixels); no pixel comes from it.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from clearset.generate.retina.trees import PIXEL, Anatomy, Point, anatomy_of, raster, tree
from clearset.numeric.exact import whole

ARTERY, VEIN = 128, 255  # mask values, as RAVIR's
Image = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]
TRAIN = 0.6  # share of the images that are for training, and so have a mask


@dataclass(frozen=True)
class Kind:
    """What sets arteries and veins apart."""

    value: int  # in the mask
    root: float  # radius at the disc
    contrast: float  # to the background, from 0 to 1
    reflex: float  # of light along the centre, as a share of the contrast


KINDS = (Kind(VEIN, 7.8 * PIXEL, 0.37, 0.8), Kind(ARTERY, 5.3 * PIXEL, 0.26, 1.0))


@dataclass(frozen=True)
class Made:
    """One generated eye: its split, its name, its 8-bit pixels, and its mask if it has one."""

    split: str
    name: str
    pixels: Pixels
    mask: Pixels | None


def sample(number: int, *, count: int, size: int, seed: int) -> Made:
    """Return eye `number` of `count`, `size` x `size` pixels: the same bytes for the same seed.

    The first three fifths are for training and have masks.
    """
    image, mask = eye(np.random.default_rng([seed, number]), size)
    training = number < max(round(TRAIN * count), 1)
    pixels = whole(image * 255, np.uint8)
    return Made(
        "train" if training else "test", f"eye_{number:03d}", pixels, mask if training else None
    )


def eye(rng: np.random.Generator, size: int) -> tuple[Image, Pixels]:
    """Return one eye, 0 to 1 with its sensor's noise, and its mask.

    `size` is the side in pixels, from 64. The mask is the drawn geometry: a pixel belongs to a
    vessel whose centre line is no further away than its radius, and to an artery where it crosses
    a vein. One seed gives one anatomy at any size: what depends on the size is drawn last.
    """
    anatomy = anatomy_of(rng)
    rasters = [raster(tree(rng, anatomy, kind.root), size) for kind in KINDS]
    gleam, blur, noise = rng.uniform((0.2, 0.6, 0.2), (1.6, 1.1, 4.8))
    image = _background(rng, size, anatomy)
    light, mask = _vessels(rng, rasters, gleam, size)
    light = 1 - (1 - light) * (1 - 0.6 * _bump(size, anatomy.disc, anatomy.radius / 2))
    image *= ndimage.gaussian_filter(light, blur * size * PIXEL, truncate=2.5)
    return _sensor(rng, image * np.exp(_choroid(rng, size)), noise), mask


def _vessels(
    rng: np.random.Generator, rasters: list[tuple[Image, Image]], gleam: float, size: int
) -> tuple[Image, Pixels]:
    """Return the light that drawn vessels let through, 0 to 1, and their mask."""
    mask = np.zeros((size, size), np.uint8)
    light = np.ones((size, size))
    for kind, (distance, radius) in zip(KINDS, rasters, strict=True):
        inside = distance <= 1
        strength = kind.contrast * rng.uniform(0.85, 1.15)
        depth = _depth(distance[inside], radius[inside], gleam * kind.reflex, size)
        light[inside] *= 1 - strength * depth
        mask[inside] = kind.value
    return light, mask


def vessels(seed: int, size: int) -> tuple[Image, Pixels]:
    """Return vessels alone, `size` pixels (from 64) a side: the light they let through, their mask.

    The light is 1 beside them and about 0.65 in the middle of the darkest, edges sharp.
    """
    rng = np.random.default_rng(seed)
    anatomy = anatomy_of(rng)
    rasters = [raster(tree(rng, anatomy, kind.root), size) for kind in KINDS]
    return _vessels(rng, rasters, 0.3, size)


def foreign(rng: np.random.Generator, size: int) -> Image:
    """Return something else that may lie among the files, 0 to 1: no retina.

    A page of text, a chequered chart or a scan of round bodies, `size` pixels (from 64) a side.
    """
    y, x = np.mgrid[:size, :size] / size
    kind = rng.choice(["page", "chart", "cells"])
    if kind == "page":
        lines, letters = int(rng.integers(18, 30)), int(rng.integers(40, 70))
        ink = rng.random((2 * lines, 2 * letters)) < 0.7
        ink[1::2] = False
        ink[:, :6] = False  # the margin
        ink &= np.arange(2 * letters) < rng.integers(letters, 2 * letters, (2 * lines, 1))
        image = 0.93 - 0.8 * ink[(y * 2 * lines).astype(int), (x * 2 * letters).astype(int)]
    elif kind == "chart":
        turn, period = rng.uniform(0, np.pi), rng.uniform(0.06, 0.15)
        along = x * np.cos(turn) + y * np.sin(turn)
        across = y * np.cos(turn) - x * np.sin(turn)
        image = 0.15 + 0.75 * ((np.floor(along / period) + np.floor(across / period)) % 2)
    else:
        image = np.full((size, size), 0.08)
        for _ in range(rng.integers(15, 40)):
            place, radius = rng.uniform(0, 1, 2), rng.uniform(0.02, 0.07)
            distance = np.sqrt((y - place[0]) ** 2 + (x - place[1]) ** 2) / radius
            edge = np.exp(np.minimum((distance - 1) * 12, 50))
            image = np.maximum(image, rng.uniform(0.4, 1) / (1 + edge))
    return _sensor(rng, image, rng.uniform(0.3, 5))


def _depth(distance: Image, radius: Image, reflex: float, size: int) -> Image:
    """Return how much of its contrast a vessel shows at a distance from its centre, in radii.

    Thin ones show less of it and no reflex (nor do few pixels), and ones thinner than a pixel
    cover a part of it.
    """
    wide = radius / (size * PIXEL)
    visibility = np.clip(0.5 + wide / 8, 0, 1) * np.minimum(radius / 0.55, 1)
    reflected = reflex * np.clip(np.minimum(wide - 2, radius - 1) / 2, 0, 1)
    centre = reflected * np.exp(-((distance / 0.38) ** 2))
    return np.asarray(visibility * (1 - 0.6 * distance**4) * (1 - centre))


def _background(rng: np.random.Generator, size: int, anatomy: Anatomy) -> Image:
    """Return the eye without vessels and noise: light, macula, spots, disc."""
    level = np.clip(rng.lognormal(math.log(0.44), 0.16), 0.22, 0.75)
    axis = np.linspace(-0.5, 0.5, size)
    tilt, centre = rng.uniform(-0.5, 0.5, 2), rng.uniform(-0.2, 0.2, 2)
    corners = rng.uniform(0.4, 1.5)
    image = 1.1 + (tilt[0] * axis - corners * (axis - centre[0]) ** 2)[:, None]
    image = image + tilt[1] * axis - corners * (axis - centre[1]) ** 2
    x, y = anatomy.disc
    fovea = (x + anatomy.side * anatomy.fovea[0], y - anatomy.fovea[1])
    glow = (x + anatomy.side * rng.uniform(0, 0.12), y + rng.uniform(-0.1, 0.15))
    image += rng.uniform(0.1, 0.4) * _bump(size, glow, rng.uniform(0.12, 0.22))
    image -= rng.uniform(0.05, 0.2) * _bump(size, fovea, rng.uniform(0.07, 0.12))
    image -= rng.uniform(0.05, 0.15) * _bump(size, fovea, 0.02)
    for _ in range(rng.poisson(0.7)):
        place = (rng.uniform(0, 1), rng.uniform(0, 1))
        image += rng.choice([-0.3, 0.4]) * _bump(size, place, rng.uniform(0.006, 0.02))
    image = np.maximum(image, 0.15)
    _draw_disc(rng, image, anatomy)
    return np.asarray(level * image)


def _bump(size: int, place: Point, sigma: float) -> Image:
    """Return a Gaussian of height 1 around a place (x, y)."""
    axis = (np.arange(size) + 0.5) / size
    across, down = (np.exp(-(((axis - at) / sigma) ** 2) / 2) for at in place)
    return np.outer(down, across)


def _choroid(rng: np.random.Generator, size: int) -> Image:
    """Return the texture behind the vessels, around 0: clouds, grain, streaks of nerve fibres.

    Its spectrum is a power of the frequency that flattens towards both ends.
    """
    down = fft.fftfreq(size, 1 / size)[:, None] * PIXEL
    across = fft.rfftfreq(size, 1 / size) * PIXEL
    square = down**2 + across**2  # (cycles per pixel of the measured images)^2
    turn, streaks = rng.normal(0, 0.4), rng.uniform(0, 3)
    along = (across * math.cos(turn) + down * math.sin(turn)) ** 2 / (square + 1e-9)
    knee, finest = rng.uniform(0.035, 0.06), rng.uniform(0.1, 0.42)
    power = (1 + square / knee**2) ** -1.5 * np.exp(-square / finest**2)
    power *= 1 + streaks * np.exp(-along / 0.2)
    clouds = rng.uniform(2, 40) * np.exp(-square / 0.006**2)
    shape = (2, size, across.size)
    real, imaginary = rng.standard_normal(shape) * np.sqrt(power + clouds * power[0, 1])
    real[0, 0] = imaginary[0, 0] = 0
    texture = fft.irfft2(real + 1j * imaginary, (size, size))
    spread = 2 * math.sqrt(float(power.sum())) / size**2
    texture *= rng.uniform(0.072, 0.106) / spread
    return np.asarray(texture + 1.2 * texture**2)  # bright grains stand out more


def _draw_disc(rng: np.random.Generator, image: Image, anatomy: Anatomy) -> None:
    """Darken the disc in place, with a bright cup inside and a bright crescent at its rim."""
    size, reach = len(image), 2.2 * anatomy.radius
    (x, y), side = anatomy.disc, anatomy.side
    rows = slice(max(int((y - reach) * size), 0), int((y + reach) * size))
    columns = slice(max(int((x - reach) * size), 0), int((x + reach) * size))
    part = image[rows, columns]
    axis = (np.arange(size) + 0.5) / size
    up = (axis[rows, None] - y) / anatomy.radius / rng.uniform(1.0, 1.15)
    out = (axis[columns] - x) / anatomy.radius * side
    away = np.sqrt(up**2 + out**2)
    temporal = np.clip(out / np.maximum(away, 0.1), 0, 1)
    rim = np.exp(-(((away - 1.15) / 0.16) ** 2))
    part *= 1 + rng.uniform(0.1, 0.6) * rim * temporal
    part *= 1 - rng.uniform(0.25, 0.75) / (1 + np.exp((away - 1) * rng.uniform(14, 30)))
    middle, bright = rng.uniform((-0.2, -0.1), (0.2, 0.3)), rng.uniform(0.1, 0.8)
    for place in rng.normal(middle, 0.15, (4, 2)):
        square = (up - place[0]) ** 2 + (out - place[1]) ** 2
        part += bright * rng.uniform(0, 1) * np.exp(-square / rng.uniform(0.02, 0.15))


def _sensor(rng: np.random.Generator, image: Image, sigma: float) -> Image:
    """Return the image with noise that grows with the light, `sigma` 8-bit levels in mid grey."""
    noise = rng.standard_normal(image.shape) * np.sqrt(image + 0.1)
    return np.clip(image + (1.4 * sigma / 255) * noise, 0, 1)
