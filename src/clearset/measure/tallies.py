"""What metrics count and sort: the strongest lines, steps from pixel to pixel, contrasts."""

from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import cv2
from clearset.numeric.grey import KNOWN, Grey
from clearset.numeric.seen import most

BLOCK = 8  # px: side of the blocks of compression
LINES = 4096  # levels that strengths of lines are sorted into
Values = npt.NDArray[np.float64]


def strongest_tenth(strength: Values) -> Values:
    """Return the largest tenth of values, flat and from 0; at least one."""
    count = max(strength.size // 10, 1)
    # Sorted into levels, only the strongest are left to be put into order.
    levels = (strength * (LINES / max(float(strength.max()), 1e-9))).astype(np.uint16)
    reached = np.bincount(levels, minlength=LINES + 1)[::-1].cumsum()
    strong = strength[levels >= LINES - int(np.searchsorted(reached, count))]
    return np.partition(strong, -count)[-count:]


def steps(image: Grey) -> list[Values] | None:
    """Return the mean step, 0 to 1, from each of eight pixels to the next: down, and across.

    The last of them crosses the edge of a block. A step counts whose two pixels were seen. None for
    an image that is too small, or of which too little was seen.
    """
    phases = [_phases(image, axis) for axis in range(2)]
    found = [phase for phase in phases if phase is not None]
    return found if len(found) == len(phases) else None


def _phases(image: Grey, axis: int) -> Values | None:
    levels = image.levels
    pair = (levels[1:], levels[:-1]) if axis == 0 else (levels[:, 1:], levels[:, :-1])
    sizes = cv2.absdiff(*pair)
    blocks = sizes.shape[axis] // BLOCK
    if blocks < 2:
        return None
    if image.seen is None:
        depth = cv2.CV_32S if levels.dtype == np.uint8 else cv2.CV_64F
        sums = cv2.reduce(sizes, 1 - axis, cv2.REDUCE_SUM, dtype=depth).ravel()
        means = sums / (levels.shape[1 - axis] * image.white)
        return np.asarray(means[: blocks * BLOCK].reshape(-1, BLOCK).mean(axis=0))
    both = image.seen[1:] & image.seen[:-1] if axis == 0 else image.seen[:, 1:] & image.seen[:, :-1]
    totals = [_by_phase(values.sum(axis=1 - axis), blocks) for values in (both * sizes, both)]
    return totals[0] / (totals[1] * image.white) if totals[1].all() else None


def _by_phase(sums: npt.NDArray[Any], blocks: int) -> npt.NDArray[Any]:
    return np.asarray(sums[: blocks * BLOCK].reshape(-1, BLOCK).sum(axis=0))


def contrasts(image: Grey) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return mean and standard deviation of the cells of each window, of those that are known."""
    if image.known is None:
        windows = _windows(image.cells)
        return windows.mean(axis=(1, 3)), windows.std(axis=(1, 3))
    windows, known = _windows(image.cells), _windows(image.known)
    count = known.sum(axis=(1, 3), keepdims=True)
    mean = (windows * known).sum(axis=(1, 3), keepdims=True) / np.maximum(count, 1)
    squares = (np.square(windows - mean) * known).sum(axis=(1, 3))
    looked = most(count[:, 0, :, 0] / known[0, :, 0].size, KNOWN)
    spread = np.sqrt(squares / np.maximum(count[:, 0, :, 0], 1))
    return mean[:, 0, :, 0][looked], spread[looked]


def _windows(grid: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return cells as windows of a twelfth of the side, (rows, height, columns, width)."""
    height, width = (min(8, side) for side in grid.shape)
    rows, columns = grid.shape[0] // height, grid.shape[1] // width
    return grid[: rows * height, : columns * width].reshape(rows, height, columns, width)
