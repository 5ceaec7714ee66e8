"""Seeded satellite tiles of 16 bits, with the places of their buildings.

A tile is a window of a scene, so that two windows of one scene show the same ground. The numbers
are those of sensors that count to 11 or 12 bits: 0 is no data and never comes up in a tile.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clearset.generate.retina.synthesis import TRAIN
from clearset.generate.satellite.aerial import reflected
from clearset.generate.satellite.landscape import land
from clearset.generate.satellite.lattices import REACH
from clearset.generate.satellite.shapes import Points, Shapes, Window, pixels
from clearset.numeric.exact import cv2, whole

Image = npt.NDArray[np.float64]
Random = np.random.Generator
Pixels = npt.NDArray[np.uint16]

TOP = 4095  # of 12 bits: the most that a sensor counts to
FULL = 2047  # of 11 bits: what viewers take for white
PREVIEW = 64  # pixels a side of what the exposure is chosen by
GLARE = 1900  # what the brightest pixels are kept below by the exposure


@dataclass(frozen=True)
class Tile:
    """One generated tile: its split, its name, its pixels, and where its buildings are.

    `pixels` is uint16 from 1 to 4095, (size, size) or (size, size, 3). `boxes` holds the corners
    of each roof that lies in the tile whole, (n, 4, 2), x and y in pixels.
    """

    split: str
    name: str
    pixels: Pixels
    boxes: Points


@dataclass(frozen=True)
class Look:
    """How a scene is taken: what depends neither on the ground nor on the window."""

    gain: float  # counts of a surface that sends all light back
    haze: float  # counts of the air alone
    blur: float  # sigma in pixels
    read: float  # noise in the dark, sigma in counts
    shot: float  # variance a count


def tile(
    number: int,
    *,
    count: int,
    size: int,
    bands: int,
    seed: int,
    aside: tuple[float, float] = (0.0, 0.0),
) -> Tile:
    """Return tile `number` of `count`, `size` x `size` pixels: the same bytes for the same seed.

    `size` is from 64, `bands` 1 or 3. `aside` moves the window over the scene, down and right in
    shares of the side, each from -0.5 to 0.5: the ground stays, the noise is drawn anew. The first
    three fifths are for training. Raises `ValueError` beyond these ranges.
    """
    if bands not in (1, 3):
        raise ValueError(f"bands is {bands}: 1 or 3")
    if max(abs(part) for part in aside) > REACH:
        raise ValueError(f"aside is {aside}: from -{REACH} to {REACH}")
    rng = np.random.default_rng([seed, number])
    ground = land(rng)
    moved = tuple(round(part * size) for part in aside)
    window = Window(moved[1] / size, moved[0] / size, size)
    look = _look(rng, reflected(ground, Window(0.0, 0.0, PREVIEW), 1))
    noise = np.random.default_rng([seed, number, *(part + size for part in moved)])
    training = number < max(round(TRAIN * count), 1)
    return Tile(
        "train" if training else "test",
        f"tile_{number:05d}",
        _sensed(noise, reflected(ground, window, bands), look),
        _boxes(ground.roofs, window),
    )


def boxes_text(tile: Tile) -> str:
    """Return a tile's buildings as DOTA's label text: four corners, the class, not difficult.

    The format is that of Xia et al., 2018, doi:10.1109/CVPR.2018.00418.
    """
    corners = tile.boxes.reshape(-1, 8)
    return "".join(" ".join(f"{v:.1f}" for v in box) + " building 0\n" for box in corners)


def _boxes(roofs: Shapes, window: Window) -> Points:
    corners = pixels(roofs.corners, window)
    inside = ((corners >= 0) & (corners <= window.size - 1)).all(axis=(1, 2))
    return corners[inside]


def _look(rng: Random, preview: Image) -> Look:
    """Return how a scene is taken; its exposure goes by its bright parts, as a sensor's does."""
    bright, most = np.quantile(preview, (0.9, 0.997))
    haze, level = rng.uniform((40, 0.45), (190, 0.68))
    gain = min((level * FULL - haze) / bright, (GLARE - haze) / most)
    blur, read, shot = rng.uniform((0.5, 2.5, 0.02), (0.7, 4.5, 0.06))
    return Look(float(gain), float(haze), float(blur), float(read), float(shot))


def _sensed(rng: Random, image: Image, look: Look) -> Pixels:
    """Return what the sensor counts: light through its optics, with its noise, whole numbers."""
    counts = np.stack([cv2.GaussianBlur(plane, (5, 5), look.blur) for plane in image])
    counts = counts * look.gain + look.haze
    noise = rng.standard_normal(counts.shape)
    noise *= np.sqrt(counts * look.shot + look.read**2)
    counts += noise
    bands = whole(np.clip(counts, 1, TOP, out=counts), np.uint16)
    return bands[0] if len(bands) == 1 else np.ascontiguousarray(bands.transpose(1, 2, 0))
