"""Thin dark lines by an image's whole levels: small and fast, for metrics of every image."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import box_mean, correlated, cv2
from clearset.numeric.seen import Seen, inner
from clearset.numeric.sums import HALVED, halved

Image = npt.NDArray[np.float64]
ORDER = 4  # of the weights, whose variance is a quarter of it: 1 px, as the scale wants
BINOMIAL = [math.comb(ORDER, place) for place in range(ORDER + 1)]
WINDOW = 31  # px after halving: what a place is compared with
REACH = 6  # px after halving: as far as the coarse scale's weights and differences go
STRIP = 2**13  # pixels looked at together


def ridges(halves: npt.NDArray[Any], quarters: npt.NDArray[Any], grey: float) -> Image:
    """Return how strongly each place lies on a dark line, relative to the local brightness.

    The larger eigenvalue of the scale-normalised Hessian, 0 where it is negative (Frangi et al.,
    1998, doi:10.1007/BFb0056195; Lindeberg, 1998, doi:10.1023/A:1008097225773), the maximum over
    two scales: at half and at a quarter of the size, lines of about 4 to 10 px. Sums of pixels and
    binomial weights in place of means and a Gaussian keep whole numbers whole. `halves` are sums of
    two by two pixels (see `sums.halved`), `quarters` those of two by two halves, `grey` is how many
    levels one 8-bit grey level comes to. Images from 128 pixels a side on come out at half their
    size; smaller ones are looked at as they are, and at half the size.
    """
    strongest = _lines(halves)
    coarse = _lines(quarters)
    coarse /= 4
    wide = np.repeat(coarse, 2, axis=1)
    for row in range(2):  # a last odd row has no coarse scale
        within = strongest[row : 2 * len(wide) : 2, : wide.shape[1]]
        np.maximum(within, wide, out=within)
    light = box_mean(halves, WINDOW)
    strongest /= np.maximum(light, 4 * grey, out=light)
    return strongest


def reached(seen: Seen) -> Seen:
    """Return the places of `ridges` whose lines do not hang on what was not seen.

    The rim of a field of view is no line. Where all hang on it, it is those where any was seen.
    """
    reach = REACH if min(seen.shape) < HALVED else 2 * REACH
    inside = inner(seen, reach)
    places = halved(np.asarray(inside, np.uint8))
    return np.asarray(places == places.max())


def _lines(sums: npt.NDArray[Any]) -> Image:
    smooth = correlated(sums.astype(np.float64), np.array(BINOMIAL, np.float64))
    strength = np.empty_like(smooth)
    for rows, total, gap in curvature(smooth):
        total += gap
        total /= 2 ** (2 * ORDER + 1)
        np.maximum(total, 0, out=strength[rows])
    return strength


def curvature(smooth: Image) -> Iterator[tuple[slice, Image, Image]]:
    """Yield, strip by strip, the sum of the Hessian's eigenvalues, and how far they are apart.

    A strip fits into a processor's cache: whole planes would be written to memory a dozen times.
    """
    edged = np.asarray(cv2.copyMakeBorder(smooth, 1, 1, 1, 1, cv2.BORDER_REPLICATE), np.float64)
    height = max(STRIP // smooth.shape[1], 1)
    for top in range(0, len(smooth), height):
        below = edged[top + 2 : top + 2 + height]
        above, middle = (edged[top + row : top + row + len(below)] for row in range(2))
        across = middle[:, 2:] + middle[:, :-2]
        down = above[:, 1:-1] + below[:, 1:-1]
        mixed = (below[:, 2:] - above[:, 2:]) + (above[:, :-2] - below[:, :-2])
        mixed /= 2
        mixed *= mixed
        gap = across - down
        gap *= gap
        gap += mixed
        across += down
        across -= 4 * middle[:, 1:-1]
        # A root of a sum of squares is the same everywhere, where `hypot` is not.
        yield slice(top, top + len(below)), across, np.sqrt(gap, out=gap)
