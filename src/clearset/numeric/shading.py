"""Light of any shape: how unevenly an image is lit, without a shape given beforehand."""

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import box_mean, quantile, settled, smoothed
from clearset.numeric.seen import Seen, filled

Grid = npt.NDArray[np.float64]
GREY = 1 / 255  # one 8-bit grey level
WINDOW = 16  # windows along the shorter side: what is darker than its window does not lower it
SMOOTH = 12  # the light is smoothed over a twelfth of the shorter side,
STEP = 3  # and every third cell of it is looked at
ROUNDS = 8  # of reweighting
SMALL = 0.05  # EV: a smaller deviation weighs as much as this one
SPREAD, PATCHES = 20, 5  # %: what is left out at either end of a range
SLOPE = 0.45  # weight of a plane's fall beside that of the range, which patches widen as well
PATCHY = 2.4  # of large-scale light more is each image's own than of patches and bands
LENS, SPOT = 0.1, 0.34  # halves of a side from the middle: where light by a lens is centred


def unevenness(cells: Grid, known: Seen | None = None) -> float:
    """Return by how many exposure values the light of an image differs from place to place.

    `cells` are means of its cells, 0 to 1, (rows, columns); `known` which of them were seen, None:
    all. Light is smoothed brightness, of dark lines that of their surroundings. The larger counts
    of two measures of its logarithm. One is the mean, 11 to 9, of the range of its middle three
    fifths, a lens's vignetting left out, and of what a plane falls by from side to side; the other
    is 2.4 times the range of what no surface of third order follows: shadows, bands and bright
    patches. All are fitted by least absolute deviations (iteratively reweighted: Holland and
    Welsch, 1977, doi:10.1080/03610927708827533; retrospective shading: Tomaževič et al., 2002,
    doi:10.1046/j.1365-2818.2002.01079.x). Light that falls evenly from one side to the other comes
    to the difference between the two.
    """
    whole = filled(cells, known)
    side = min(whole.shape)
    bright = np.maximum(whole, box_mean(whole, max(side // WINDOW, 1)))
    light = np.log2(np.maximum(smoothed(bright, side / SMOOTH), GREY))[::STEP, ::STEP]
    inside = np.ones(light.shape, bool) if known is None else known[::STEP, ::STEP]
    if not inside.any():
        inside = np.ones(light.shape, bool)
    radial, cubic = _terms(light.shape)
    values, looked = light.ravel(), inside.ravel()
    spread = _range(values - _vignetting(radial, values, looked), looked, SPREAD)
    _, down, across = _fitted(radial[:3], values, looked)
    slope = 2 * math.sqrt(down * down + across * across)
    left = values - _fitted(cubic, values, looked) @ cubic
    broad = (1 - SLOPE) * spread + SLOPE * slope
    return float(settled(max(broad, PATCHY * _range(left, looked, PATCHES))))


def _vignetting(radial: Grid, values: Grid, inside: Seen) -> Grid:
    """Return what of light a lens may make: it hangs on the distance from the middle alone.

    What falls off around another place does not come from a lens, but from a spot: then 0.
    """
    weights = _fitted(radial, values, inside)
    _, down, across, square = _fitted(radial[:4], values, inside)
    centre = math.sqrt(down * down + across * across) / max(2 * abs(square), 1e-6)
    share = min(max((SPOT - centre) / (SPOT - LENS), 0.0), 1.0)
    return np.asarray(share * (weights[3:] @ radial[3:]))


def _range(values: Grid, inside: Seen, percent: int) -> float:
    """Return the range between two percentiles, as of all that was spread evenly as they are."""
    looked, share = values[inside], percent / 100
    return (quantile(looked, 1 - share) - quantile(looked, share)) / (1 - 2 * share)


def _fitted(terms: Grid, values: Grid, inside: Seen) -> Grid:
    """Return the weights, one a term, whose sum of terms comes nearest to what lies inside."""
    least = np.eye(len(terms)) * 1e-9  # of an image without a side there is nothing to solve
    weights: Grid = np.zeros(len(terms))
    remains: Grid = values
    for _ in range(ROUNDS):
        weighted = terms * (inside / np.maximum(np.abs(remains), SMALL))
        solved = np.linalg.solve(weighted @ terms.T + least, weighted @ values)
        weights = np.asarray(solved, np.float64)
        remains = np.asarray(values - weights @ terms)
    return np.asarray(weights)


@lru_cache(maxsize=16)
def _terms(shape: tuple[int, int]) -> tuple[Grid, Grid]:
    """Return what light is fitted by: slopes with a lens's fall-off, and all of third order."""
    spans = (np.linspace(-1, 1, side) if side > 1 else np.zeros(1) for side in shape)
    y, x = (plane.ravel() for plane in np.meshgrid(*spans, indexing="ij"))
    one, far = np.ones(y.size), y * y + x * x
    radial = np.stack([one, y, x, far, far * far])
    powers = [(down, across) for down in range(4) for across in range(4 - down)]
    return radial, np.stack([y**down * x**across for down, across in powers])
