"""Thin dark lines by an image's whole levels: small and fast, for metrics of every image."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import box_mean, correlated
from clearset.numeric.seen import Seen, inner

Image = npt.NDArray[np.float64]
HALVED = 128  # px: from this side on, two by two pixels are averaged first
ORDER = 4  # of the weights, whose variance is a quarter of it: 1 px, as the scale wants
BINOMIAL = [math.comb(ORDER, place) for place in range(ORDER + 1)]
WINDOW = 31  # px after halving: what a place is compared with
REACH = 6  # px after halving: as far as the coarse scale's weights and differences go
STRIP = 2**13  # pixels looked at together


def ridges(levels: npt.NDArray[Any], grey: float) -> Image:
    """Return how strongly each place lies on a dark line, relative to the local brightness.

    The larger eigenvalue of the scale-normalised Hessian, 0 where it is negative (Frangi et al.,
    1998, doi:10.1007/BFb0056195; Lindeberg, 1998, doi:10.1023/A:1008097225773), the maximum over
    two scales: at half and at a quarter of the size, lines of about 4 to 10 px. Sums of pixels and
    binomial weights in place of means and a Gaussian keep whole numbers whole. `grey` is how many
    levels one 8-bit grey level comes to. Images from 128 pixels a side on come out at half their
    size; smaller ones are looked at as they are, and at half the size.
    """
    small = halved(levels)
    strongest = _lines(small)
    coarse = np.repeat(np.repeat(_lines(pooled(small)) / 4, 2, axis=0), 2, axis=1)
    within = strongest[: coarse.shape[0], : coarse.shape[1]]  # a last odd row has no coarse scale
    np.maximum(within, coarse, out=within)
    strongest /= np.maximum(box_mean(small.astype(np.float64), WINDOW), 4 * grey)
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
        np.maximum((total + gap) / 2 ** (2 * ORDER + 1), 0, out=strength[rows])
    return strength


def curvature(smooth: Image) -> Iterator[tuple[slice, Image, Image]]:
    """Yield, strip by strip, the sum of the Hessian's eigenvalues, and how far they are apart.

    A strip fits into a processor's cache: whole planes would be written to memory a dozen times.
    """
    edged, height = np.pad(smooth, 1, mode="edge"), max(STRIP // smooth.shape[1], 1)
    for top in range(0, len(smooth), height):
        below = edged[top + 2 : top + 2 + height]
        above, middle = (edged[top + row : top + row + len(below)] for row in range(2))
        across = middle[:, 2:] + middle[:, :-2]
        down = above[:, 1:-1] + below[:, 1:-1]
        mixed = (below[:, 2:] - above[:, 2:]) + (above[:, :-2] - below[:, :-2])
        mixed *= mixed / 4
        gap = across - down
        gap *= gap
        gap += mixed
        across += down
        across -= 4 * middle[:, 1:-1]
        # A root of a sum of squares is the same everywhere, where `hypot` is not.
        yield slice(top, top + len(below)), across, np.sqrt(gap, out=gap)


def halved(levels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return sums of two by two pixels, or of a small image each pixel times four."""
    if min(levels.shape) < HALVED:
        return levels.astype(np.int32) * 4
    return pooled(levels)


def pooled(levels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return sums of two by two pixels; a last odd row or column is left out."""
    wide = np.uint16 if levels.dtype == np.uint8 else np.int64
    rows, columns = (side // 2 * 2 for side in levels.shape)
    down = np.add(levels[:rows:2, :columns], levels[1:rows:2, :columns], dtype=wide)
    return np.asarray(down[:, ::2] + down[:, 1::2])
