"""Light at large scale: how an image's brightness changes from one end to the other."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import settled, smoothed

Grid = npt.NDArray[np.float64]
GREY = 1 / 255  # one 8-bit grey level
ROUNDS = 20  # of reweighting


@dataclass(frozen=True)
class Light:
    """Light fitted to an image, in exposure values."""

    terms: Grid  # constant, slope down, slope across, term in r^2
    remains: Grid  # what is left of each place


def light(grid: Grid) -> Light:
    """Return the light of an image by the means of its cells, 0 to 1, (rows, columns).

    Fitted by least absolute deviations, so that a shadow does not tilt it (iteratively reweighted:
    Holland and Welsch, 1977, doi:10.1080/03610927708827533).
    """
    smooth = smoothed(grid, min(grid.shape) / 16)[::2, ::2]
    target = np.log2(np.maximum(smooth, GREY)).ravel()
    terms = _terms(grid.shape)
    least = np.eye(len(terms)) * 1e-9  # of an image without a side there is nothing to solve
    fitted, remains = np.zeros(4), np.asarray(target)
    for _ in range(ROUNDS):
        weighted = terms / np.maximum(np.abs(remains), 0.05)
        fitted = np.linalg.solve(weighted @ terms.T + least, weighted @ target)
        remains = target - fitted @ terms
    # What is left of a constant image is rounding, and differs between machines.
    return Light(settled(fitted), settled(remains))


@lru_cache(maxsize=16)
def _terms(shape: tuple[int, int]) -> Grid:
    """Return what light is fitted by, one row a term, smoothed as the image is."""
    y, x = np.meshgrid(*(_span(side) for side in shape), indexing="ij")
    planes = (np.ones(shape), y, x, y * y + x * x)
    smooth = [smoothed(plane, min(shape) / 16)[::2, ::2] for plane in planes]
    return np.stack([plane.ravel() for plane in smooth])


def _span(side: int) -> Grid:
    return np.linspace(-1, 1, side) if side > 1 else np.zeros(1)
