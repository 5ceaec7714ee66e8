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
STRIP = 2**14  # pixels looked at together


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
        np.add(total, gap, out=gap)
        np.divide(gap, 2 ** (2 * ORDER + 1), out=gap)
        np.maximum(gap, 0, out=strength[rows])
    return strength


def curvature(smooth: Image) -> Iterator[tuple[slice, Image, Image]]:
    """Yield, strip by strip, the sum of the Hessian's eigenvalues, and how far they are apart.

    A strip fits into a processor's cache: whole planes would be written to memory a dozen times.
    """
    wide, height = smooth.shape[1] + 2, max(STRIP // smooth.shape[1], 1)
    edged = cv2.copyMakeBorder(smooth, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    flat = np.asarray(edged, np.float64).ravel()
    for top in range(0, len(smooth), height):
        rows = slice(top, min(top + height, len(smooth)))
        yield rows, *_curved(flat[top * wide : (rows.stop + 2) * wide], wide)


def _curved(strip: Image, wide: int) -> tuple[Image, Image]:
    """Return the same of all but the rim of rows of `wide` places, which lie one behind another.

    So each step is one for the strip; between two rows it gives what nobody asks for.
    """
    count = len(strip) - 2 * wide - 2
    total, gap, mixed = np.empty((3, count + 2))

    def near(down: int, across: int) -> Image:
        start = wide * (1 + down) + 1 + across
        return strip[start : start + count]

    within = total[:count], gap[:count], mixed[:count]
    across, apart, other = within
    np.subtract(near(1, 1), near(-1, 1), out=other)
    other += np.subtract(near(-1, -1), near(1, -1), out=apart)
    other /= 2
    other *= other
    np.add(near(0, 1), near(0, -1), out=across)
    down = near(-1, 0) + near(1, 0)
    np.subtract(across, down, out=apart)
    apart *= apart
    apart += other
    np.sqrt(apart, out=apart)  # the same everywhere, where `hypot` is not
    across += down
    across -= np.multiply(near(0, 0), 4, out=other)
    return total.reshape(-1, wide)[:, :-2], gap.reshape(-1, wide)[:, :-2]
