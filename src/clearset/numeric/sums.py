"""Sums of squares of pixels: an image at a coarser size, in whole numbers."""

from typing import Any

import numpy as np
import numpy.typing as npt

Grid = npt.NDArray[np.float64]
HALVED = 128  # px: from this side on, two by two pixels are added first
SHORT = 257  # 8-bit levels of which the sum still is one of 16 bits


def halved(levels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return sums of two by two pixels, or of a small image each pixel times four."""
    if min(levels.shape) < HALVED:
        return levels.astype(np.uint32) * np.uint32(4)
    return pooled(levels)


def pooled(levels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return sums of two by two places; a last odd row or column is left out.

    Exact of levels of 16 bits, and of these sums again and again: a side is below 2^16.
    """
    few = levels.dtype.itemsize == 1
    rows, columns = (side // 2 * 2 for side in levels.shape)
    pair = levels[:rows:2, :columns], levels[1:rows:2, :columns]
    down = np.add(*pair, dtype=np.uint16 if few else np.uint32)
    return np.asarray(down[:, ::2] + down[:, 1::2])


def square_sums(values: npt.NDArray[Any], side: int) -> npt.NDArray[Any]:
    """Return the sums of squares of `side` places; what is left over at the end is left out."""
    rows, columns = (length // side for length in values.shape)
    cut = values[: rows * side, : columns * side]
    down = cut.reshape(rows, side, -1).sum(axis=1, dtype=np.uint32)  # a side is below 2^16
    return np.asarray(down.reshape(rows, columns, side).sum(axis=2))


def block_sums(levels: npt.NDArray[Any], blocks: int) -> Grid:
    """Return the sums of `blocks` x `blocks` equal parts of an image; they may split pixels.

    Exact where `blocks` is a power of two: shares of pixels are then whole binary fractions.
    """
    return np.asarray(_summed(_summed(levels, blocks).T, blocks).T, np.float64)


def _summed(levels: npt.NDArray[Any], blocks: int) -> npt.NDArray[Any]:
    """Return the sums of `blocks` equal parts of rows."""
    each, rest = divmod(len(levels), blocks)
    kind: npt.DTypeLike = np.float64 if levels.dtype.kind == "f" else np.uint32  # a side: 2^16
    if not rest:
        few = levels.dtype == np.uint8 and each <= SHORT
        sums = levels.reshape(blocks, each, -1).sum(axis=1, dtype=np.uint16 if few else kind)
        return np.asarray(sums)
    borders = np.arange(blocks + 1) * len(levels) / blocks
    rows = borders.astype(np.intp)
    sums = np.add.reduceat(levels, rows[:-1], axis=0, dtype=kind)
    sums[rows[:-1] == rows[1:]] = 0  # both borders lie in one row
    cut = levels[np.minimum(rows, len(levels) - 1)] * (borders - rows)[:, None]
    return np.asarray(sums - cut[:-1] + cut[1:])
