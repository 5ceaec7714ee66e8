"""Light at large scale: how an image's brightness changes from one end to the other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, wraps
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Image = npt.NDArray[np.float32]
Grid = npt.NDArray[np.float64]
Result = TypeVar("Result")
CELLS = 96  # along an image's shorter side
GREY = 1 / 255  # one 8-bit grey level


_known: ContextVar[dict[tuple[str, int], Any] | None] = ContextVar("_known", default=None)


@contextmanager
def remembered() -> Iterator[None]:
    """Within this block what is asked of one image again is not computed again."""
    token = _known.set({})
    try:
        yield
    finally:
        _known.reset(token)


def once(function: Callable[[Image], Result]) -> Callable[[Image], Result]:
    """Let a function of an image be computed once within `remembered`."""

    @wraps(function)
    def remembering(image: Image) -> Result:
        known, key = _known.get(), (function.__name__, id(image))
        if known is None:
            return function(image)
        if key not in known:
            known[key] = function(image)
        result: Result = known[key]
        return result

    return remembering


@once
def light(image: Image) -> tuple[Grid, Grid]:
    """Return an image's light (constant, slope down, slope across, term in r^2) and what remains.

    In exposure values, fitted by least absolute deviations, so that a shadow does not tilt it
    (iteratively reweighted: Holland and Welsch, 1977, doi:10.1080/03610927708827533).
    """
    grid = cells(image)
    smooth = ndimage.gaussian_filter(grid, min(grid.shape) / 16)[::2, ::2]
    target = np.log2(np.maximum(smooth, GREY)).ravel()
    terms = _terms(grid.shape)
    fitted, remains = np.zeros(4), target
    for _ in range(20):
        weighted = terms / np.maximum(np.abs(remains), 0.05)[:, None]
        fitted = np.linalg.lstsq(weighted.T @ terms, weighted.T @ target, rcond=1e-9)[0]
        remains = target - terms @ fitted
    # Nine places: what is left of a constant image is rounding, and differs between machines.
    return np.round(fitted, 9), np.round(remains, 9)


@lru_cache(maxsize=16)
def _terms(shape: tuple[int, int]) -> Grid:
    """Return what light is fitted by, one column a term, smoothed as the image is."""
    y, x = np.meshgrid(*(_span(side) for side in shape), indexing="ij")
    planes = (np.ones(shape), y, x, y * y + x * x)
    smooth = [ndimage.gaussian_filter(plane, min(shape) / 16)[::2, ::2] for plane in planes]
    return np.stack([plane.ravel() for plane in smooth], axis=1)


def _span(side: int) -> Grid:
    return np.linspace(-1, 1, side) if side > 1 else np.zeros(1)


@once
def cells(image: Image) -> Grid:
    """Return the means of square cells, 96 along the shorter side (each pixel in a small image)."""
    side = max(min(image.shape) // CELLS, 1)
    rows, columns = (length // side for length in image.shape)
    cut = image[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return np.asarray(cut.mean(axis=(1, 3)), np.float64)
