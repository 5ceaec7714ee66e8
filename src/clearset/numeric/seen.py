"""Which pixels of an image were seen: what is measured of it, and what lies at their rim.

Nothing was seen in a gap: where a file says so, or beyond the field of view. None stands for an
image without gaps, of which everything is looked at as if no one had asked.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import cv2

Seen = npt.NDArray[np.bool_]
Box = tuple[slice, slice]  # rows and columns
GRID = 8  # px: a part begins where a block of compression does, so that blocks stay blocks
LEAST = 16  # px: side of a part, where the image has as much


def chosen(values: npt.NDArray[Any], seen: Seen | None) -> npt.NDArray[Any]:
    """Return the values, flat, that are seen; all of them where everything is."""
    return values.ravel() if seen is None else values[seen]


def filled(image: npt.NDArray[Any], seen: Seen | None) -> npt.NDArray[Any]:
    """Return an image with the nearest value that is seen wherever none is; None: all are."""
    if seen is None or seen.all() or not seen.any():
        return image
    from scipy import ndimage  # noqa: PLC0415 - a third of a second, and few images have gaps

    rows, columns = ndimage.distance_transform_edt(
        ~seen, return_distances=False, return_indices=True
    )
    return np.asarray(image[rows, columns])


def inner(seen: Seen | None, reach: int) -> Seen | None:
    """Return where everything as near as `reach` px, down and across, was seen.

    Beyond an image's edge lies no gap. Where no place is that far from every gap, it is `seen`.
    """
    if seen is None:
        return None
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    inside = cv2.erode(seen.astype(np.uint8), kernel) > 0
    return inside if inside.any() else seen


def most(shares: npt.NDArray[np.float64], least: float) -> Seen:
    """Return which shares reach the least one, or where none does, the largest share."""
    return np.asarray(shares >= min(least, float(shares.max())))


def box(seen: Seen) -> Box:
    """Return the part of an image that holds all that is seen; all of it where nothing is."""
    down, across = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    return _span(down, seen.shape[0]), _span(across, seen.shape[1])


def _span(places: npt.NDArray[np.intp], side: int) -> slice:
    if not places.size:
        return slice(0, side)
    first, end = int(places[0]), int(places[-1]) + 1
    start = min(first, max(end - LEAST, 0)) // GRID * GRID
    return slice(start, min(max(end, start + LEAST), side))
