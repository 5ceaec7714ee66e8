"""Augmentation: training images varied at random, so that a model learns not to mind.

Only values change: every pixel stays where it is, and so do its labels. The ranges come from
params (`schema_train.Augment`); noise is left out, so that planted noise stays unseen.
"""

from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from clearset.config.schema_train import Augment

Image = npt.NDArray[np.float64]
Random = np.random.Generator
Value = TypeVar("Value", bound=np.generic)


def varied(image: Image, ranges: Augment, rng: Random) -> Image:
    """Return the image with its sharpness, light, contrast and gamma changed, cut to 0 to 1.

    Blur comes first, to every second image, as light passes the lens before it meets the sensor.
    The same state of `rng` gives the same change to any image.
    """
    blurred, sigma, stops, factor, power = rng.uniform(size=5)
    sigma *= ranges.blur * (blurred < 0.5)
    result = ndimage.gaussian_filter(image, sigma) if sigma > 0 else image
    result = np.clip(result * 2 ** (ranges.exposure * (2 * stops - 1)), 0, 1)
    contrast = 1 - (1 - ranges.contrast) * factor
    result = (result - 0.5) * contrast + 0.5
    return np.asarray(result ** (ranges.gamma ** (2 * power - 1)))


def turned(plane: npt.NDArray[Value], way: int) -> npt.NDArray[Value]:
    """Return a square plane in one of its eight positions: 0 to 3 quarter turns, 4 to 7 mirrored.

    Image and labels turned the same way keep fitting.
    """
    return np.rot90(plane if way < 4 else plane[:, ::-1], way % 4)
