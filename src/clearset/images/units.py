"""Stored values of any type as numbers from 0 to 1 of a range."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


def short(dtype: np.dtype[Any]) -> bool:
    """Whether values of a type are whole numbers of 8 or 16 bits."""
    return dtype.kind in "iu" and dtype.itemsize <= 2


def of(pixels: npt.NDArray[Any], low: float, high: float) -> Values:
    """Return values from 0 (`low` or below) to 1 (`high` or above); what is no number is 0.

    One look-up a pixel is fastest, where there are few values.
    """
    if pixels.dtype.itemsize > 2:
        return _scaled(pixels, low, high)
    return table(pixels.dtype, low, high)[places(pixels)]


def places(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return values of 8 or 16 bits as their places in a `table`."""
    return pixels.view(f"u{pixels.dtype.itemsize}")


@lru_cache(maxsize=4)
def table(dtype: np.dtype[Any], low: float, high: float) -> Values:
    """Return what each value of a type of 8 or 16 bits is from 0 to 1, by its bits."""
    every = np.arange(2 ** (8 * dtype.itemsize)).astype(f"u{dtype.itemsize}")
    return _scaled(every.view(dtype), low, high)


def _scaled(values: npt.NDArray[Any], low: float, high: float) -> Values:
    with np.errstate(over="ignore", invalid="ignore"):
        image = np.clip((values.astype(np.float64) - low) / (high - low), 0, 1)
    return np.nan_to_num(image, copy=False, nan=0.0)
