"""Light at large scale: how an image's brightness changes from one end to the other."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import settled, smoothed
from clearset.numeric.seen import most

Grid = npt.NDArray[np.float64]
GREY = 1 / 255  # one 8-bit grey level
ROUNDS = 20  # of reweighting
HALF = 0.5  # share of a place that was seen, from which it counts


@dataclass(frozen=True)
class Light:
    """Light fitted to an image, in exposure values."""

    terms: Grid  # constant, slope down, slope across, term in r^2
    remains: Grid  # what is left of each place that was seen
    farthest: float  # r^2 of the farthest of them: 2 in the corners of an image seen whole


def light(grid: Grid, shares: Grid | None = None) -> Light:
    """Return the light of an image by the means of its cells, 0 to 1, (rows, columns).

    `shares` is how much of each cell was seen, 0 to 1; None: all of it. A cell weighs as much, so
    that the gap around a field of view casts no shadow. Fitted by least absolute deviations, so
    that a shadow does not tilt it (iteratively reweighted: Holland and Welsch, 1977,
    doi:10.1080/03610927708827533).
    """
    smooth = _smooth(grid, shares)
    target = np.log2(np.maximum(smooth, GREY)).ravel()
    weights = np.ones(target.size) if shares is None else _thinned(shares).ravel()
    seen = most(weights, HALF)
    terms = _terms(grid.shape) if shares is None else _fitted(grid.shape, shares)
    least = np.eye(len(terms)) * 1e-9  # of an image without a side there is nothing to solve
    fitted, remains, heavy = np.zeros(4), np.asarray(target), terms * weights
    for _ in range(ROUNDS):
        weighted = heavy / np.maximum(np.abs(remains), 0.05)
        fitted = np.linalg.solve(weighted @ terms.T + least, weighted @ target)
        remains = target - fitted @ terms
    # What is left of a constant image is rounding, and differs between machines.
    farthest = 2.0 if shares is None else float(_planes(grid.shape)[3][most(shares, HALF)].max())
    return Light(settled(fitted), settled(remains[seen]), farthest)


@lru_cache(maxsize=16)
def _terms(shape: tuple[int, int]) -> Grid:
    """Return what the light of an image seen whole is fitted by."""
    return _fitted(shape, None)


def _fitted(shape: tuple[int, int], shares: Grid | None) -> Grid:
    """Return what light is fitted by, one row a term, smoothed as the image is."""
    return np.stack([_smooth(plane, shares).ravel() for plane in _planes(shape)])


def _planes(shape: tuple[int, int]) -> tuple[Grid, Grid, Grid, Grid]:
    y, x = np.meshgrid(*(_span(side) for side in shape), indexing="ij")
    return np.ones(shape), y, x, y * y + x * x


def _smooth(plane: Grid, shares: Grid | None) -> Grid:
    """Return every other cell of a plane, smoothed; of what was seen where not all was."""
    if shares is None:
        return _thinned(plane)
    return np.asarray(_thinned(plane * shares) / np.maximum(_thinned(shares), 1e-9))


def _thinned(plane: Grid) -> Grid:
    return np.asarray(smoothed(plane, min(plane.shape) / 16)[::2, ::2])


def _span(side: int) -> Grid:
    return np.linspace(-1, 1, side) if side > 1 else np.zeros(1)
