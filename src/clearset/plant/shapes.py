"""More shapes of faults than the suite of `faults` has: what else light, noise and files do.

They are planted where they are named, and never by default, so that the suite stays what it was.
Levels begin at the just visible: exposure values for light, 8-bit grey levels for noise, pixels for
blur.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from clearset.plant import faults
from clearset.plant.faults import FAULTS, fault, grid, lit

Image = npt.NDArray[np.float64]
Plane = npt.NDArray[np.float64]
Random = np.random.Generator
SUITE = tuple(FAULTS)  # the faults that are planted where none is named


@fault("uneven", "light lost far from the spot in EV", (1, 1.5, 2, 3, 4), (1, 1.5, 2, 3, 4))
def spot_light(image: Image, level: float, rng: Random) -> Image:
    """Light from a spot off the centre, that falls off as a Gaussian of half the width."""
    distance, width = _spot(image, rng), rng.uniform(0.5, 0.8)
    return lit(image, 2 ** (-level * (1 - np.exp(-(distance**2) / (2 * width**2)))))


def _spot(image: Image, rng: Random) -> Plane:
    """Return the distance from a place off the centre, in halves of the side."""
    angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 0.7)
    y, x = grid(image)
    return np.asarray(np.sqrt((y - far * np.sin(angle)) ** 2 + (x - far * np.cos(angle)) ** 2))


def _band(image: Image, rng: Random) -> Plane:
    """Return a band of soft edges across the image, 0 to 1, a sixth to a third of it wide."""
    angle, place = rng.uniform(0, np.pi), rng.uniform(-0.5, 0.5)
    y, x = grid(image)
    away = np.abs(y * np.sin(angle) + x * np.cos(angle) - place) - rng.uniform(0.15, 0.35)
    return np.asarray(1 / (1 + np.exp(away / 0.06)))


@fault("uneven", "light lost in the band in EV", (1, 1.5, 2, 3, 4))
def dark_band(image: Image, level: float, rng: Random) -> Image:
    """Take light away in a band: an eyelid, lashes, a cloud's shadow."""
    return lit(image, 2 ** (-level * _band(image, rng)))


@fault("uneven", "light lost beside the band in EV", (1, 1.5, 2, 3, 4))
def bright_band(image: Image, level: float, rng: Random) -> Image:
    """Leave light in a band alone."""
    return lit(image, 2 ** (level * (_band(image, rng) - 1)))


@fault("reflection", "share of the image", (0.002, 0.005, 0.01, 0.03, 0.08))
def reflection(image: Image, level: float, rng: Random) -> Image:
    """Add a round patch of white light with soft edges, as a lens reflects it."""
    y, x = grid(image)
    row, column = rng.uniform(-0.6, 0.6, 2)
    radius = 2 * np.sqrt(level / np.pi)
    away = np.sqrt((y - row) ** 2 + (x - column) ** 2) - radius
    glare = 1 / (1 + np.exp(np.minimum(away / (0.15 * radius), 50)))
    glare = glare.reshape((*glare.shape, 1)[: image.ndim])
    return image + (1 - image) * glare


@fault("contrast", "share of light that is veil", (0.2, 0.35, 0.5, 0.65, 0.8))
def haze(image: Image, level: float, rng: Random) -> Image:
    """Lay a bright veil over the image, thicker to one side, as clouded media or air do."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = grid(image)
    veil = level * (1 + 0.3 * (y * np.sin(angle) + x * np.cos(angle)) / np.sqrt(2))
    veil = np.clip(veil, 0, 1).reshape((*veil.shape, 1)[: image.ndim])
    return image * (1 - veil) + float(np.quantile(image, 0.9)) * veil


@fault("blur", "length in px", (3, 5, 9, 15, 25))
def saccade_blur(image: Image, level: int, rng: Random) -> Image:
    """Blur along an arc that the eye runs through ever more slowly, as in a saccade."""
    angle, bend = rng.uniform(0, 2 * np.pi), rng.uniform(-1, 1)
    time = np.linspace(0, 1, 16 * level)
    along = level * (1 - (1 - time) ** 2)  # fast first
    turn = angle + bend * along / level
    steps = np.gradient(along)
    rows, columns = np.cumsum(np.sin(turn) * steps), np.cumsum(np.cos(turn) * steps)
    return faults.smeared(image, rows - rows.mean(), columns - columns.mean(), level + 2)


@fault("noise", "sigma in 8-bit grey levels", (3, 6, 10, 16, 25))
def coarse_noise(image: Image, level: float, rng: Random) -> Image:
    """Add Gaussian noise whose grain is larger than a pixel, as film and compression make it."""
    grain = ndimage.gaussian_filter(rng.normal(0, 1, image.shape), (0.8, 0.8, 0)[: image.ndim])
    return image + grain * (level / 255 / grain.std())


@fault("noise", "sigma at middle grey in 8-bit grey levels", (3, 6, 10, 16, 25))
def shot_noise(image: Image, level: float, rng: Random) -> Image:
    """Add noise that grows with the square root of the light, as photons do."""
    return image + rng.normal(0, 1, image.shape) * np.sqrt(np.maximum(image, 0) / 0.5) * level / 255


@fault(
    "burnt",
    "share of the band that is white",
    (0.05, 0.1, 0.2, 0.4, 0.7),
    (0.05, 0.1, 0.2, 0.4, 0.7),
)
def burnt_channel(image: Image, level: float, rng: Random) -> Image:
    """Stretch one band alone until this share of it is white; of a grey image all there is."""
    result = np.array(image)
    band = result[..., rng.integers(3)] if image.ndim == 3 else result
    band /= max(float(np.quantile(band, 1 - level)), 1 / 255)
    return result


@fault("compression", "JPEG quality, twice", (70, 50, 35, 20, 10))
def double_jpeg(image: Image, level: int, rng: Random) -> Image:
    """Compress as JPEG, shift by 3 px, and compress once more: blocks of two lattices."""
    once = FAULTS["jpeg"].function(np.clip(image, 0, 1), level, rng)
    shifted = np.roll(once, (3, 3), (0, 1))
    twice = FAULTS["jpeg"].function(shifted, min(level + 10, 95), rng)
    return np.roll(twice, (-3, -3), (0, 1))


@fault("blur", "scale", (0.9, 0.8, 0.7, 0.6, 0.5))
def resampling(image: Image, level: Any, rng: Random) -> Image:
    """Reduce the image a little and enlarge it again, as a data set's own preparation may."""
    return FAULTS["downscale"].function(image, level, rng)


SHAPES = tuple(name for name in FAULTS if name not in SUITE)
