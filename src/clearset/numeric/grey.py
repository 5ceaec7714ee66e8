"""An image reduced to whole grey levels: what metrics are measured on."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import cv2, whole
from clearset.numeric.light import Light, light
from clearset.numeric.ridges import reached, ridges
from clearset.numeric.seen import Box, Seen, box, most
from clearset.numeric.shading import unevenness

Levels = npt.NDArray[Any]  # uint8 or uint16, (height, width)
Grid = npt.NDArray[np.float64]
Image = npt.NDArray[np.float64]
LUMA = (2126, 7152, 722)  # of ten thousand: ITU-R BT.709, as scikit-image's rgb2gray
PARTS = sum(LUMA)
WHITE = 2**16 - 1  # the level of white where levels are made from real numbers
CELLS = 96  # along an image's shorter side
SHORT = 257  # 8-bit levels of which the sum still is one of 16 bits
KNOWN = 0.5  # share of a cell that was seen, from which it counts


@dataclass(frozen=True, eq=False)
class Grey:
    """An image in whole grey levels, 0 (black) to `white`: uint8 or uint16, (height, width).

    `seen` is where something was seen, (height, width); None: everywhere. Elsewhere lie the levels
    of the nearest pixels that were, so that a filter meets no edge. `bands` are what a colour image
    is grey of, (height, width, 3), 0 to `band_white`. What several metrics share is computed once
    for all of them.
    """

    levels: Levels
    white: int
    seen: Seen | None = None
    bands: Levels | None = None
    band_white: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.levels.shape
        return height, width

    @property
    def grey(self) -> float:
        """Levels that one 8-bit grey level comes to."""
        return self.white / 255

    def least(self, grey: int) -> int:
        """Return the least level that is as bright as an 8-bit grey level."""
        return -(-grey * self.white // 255)

    @cached_property
    def box(self) -> Box:
        """Rows and columns that hold all that is seen."""
        whole = slice(0, self.shape[0]), slice(0, self.shape[1])
        return whole if self.seen is None else box(self.seen)

    @cached_property
    def part(self) -> "Grey":
        """What is measured: the image within its `box`, so that a frame without data is none."""
        if self.seen is None:
            return self
        cut = self.seen[self.box]
        bands = None if self.bands is None else self.bands[self.box]
        seen = None if cut.all() else cut
        return Grey(self.levels[self.box], self.white, seen, bands, self.band_white)

    @property
    def channels(self) -> "list[Grey]":
        """Each band by itself; of a grey image, the image: light cuts each band for itself."""
        if self.bands is None:
            return [self]
        bands = (np.ascontiguousarray(self.bands[..., band]) for band in range(len(LUMA)))
        return [Grey(band, self.band_white, self.seen) for band in bands]

    @property
    def side(self) -> int:
        """Side of a cell in px: 96 lie along the shorter side (each pixel of a small image)."""
        return max(min(self.shape) // CELLS, 1)

    @cached_property
    def cells(self) -> Grid:
        """Means of square cells, 0 to 1, of what of each was seen."""
        if self.seen is None:
            return np.asarray(self._sums(self.levels) / (self.side**2 * self.white))
        sums = self._sums(np.where(self.seen, self.levels, 0))
        return np.asarray(sums / (np.maximum(self._sums(self.seen), 1) * self.white))

    @cached_property
    def shares(self) -> Grid | None:
        """Share of each cell that was seen, 0 to 1; None: all of each."""
        return None if self.seen is None else np.asarray(self._sums(self.seen) / self.side**2)

    @cached_property
    def known(self) -> Seen | None:
        """The cells that count: half of each was seen, or as much as of any; None: all."""
        return None if self.shares is None else most(self.shares, KNOWN)

    def _sums(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the sums of cells."""
        side = self.side
        rows, columns = (length // side for length in self.shape)
        cut = values[: rows * side, : columns * side]
        down = cut.reshape(rows, side, -1).sum(axis=1, dtype=np.uint32)  # a side is below 2^16
        return np.asarray(down.reshape(rows, columns, side).sum(axis=2))

    @cached_property
    def unevenness(self) -> float:
        """How far light of any shape is uneven, in EV (see `shading.unevenness`)."""
        return unevenness(self.cells, self.known)

    @cached_property
    def light(self) -> Light:
        """Light at large scale (see `light.light`)."""
        return light(self.cells, self.shares)

    @cached_property
    def ridges(self) -> Image:
        """How strongly each place lies on a thin dark line (see `ridges.ridges`)."""
        return ridges(self.levels, self.grey)

    @cached_property
    def reached(self) -> Seen | None:
        """The places of `ridges` that count: no gap lies within a line's reach; None: all."""
        return None if self.seen is None else reached(self.seen)

    def filtered(self, down: npt.ArrayLike, across: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the levels correlated with whole weights down and across; edges are mirrored.

        Whole numbers too, exact: int16 of 8-bit levels, where sums of weights above 64 would
        overflow, double of others.
        """
        depth = cv2.CV_16S if self.levels.dtype == np.uint8 else cv2.CV_64F
        weights = np.asarray(across, np.float64), np.asarray(down, np.float64)
        return np.asarray(cv2.sepFilter2D(self.levels, depth, *weights))


def of_unit(image: Image, seen: Seen | None = None) -> Grey:
    """Return an image without alpha, 0 to 1, (h, w) or (h, w, 3), in levels of 16 bits."""
    return Grey(whole(np.clip(luminance(image), 0, 1) * WHITE, np.uint16), WHITE, seen)


def of_levels(levels: Levels, white: int, seen: Seen | None = None) -> Grey:
    """Return whole levels without alpha, (h, w) or (h, w, 3) from 0 to `white`, in grey."""
    if levels.ndim == 2:
        return Grey(levels, white, seen)
    finer = WHITE // white  # what lies between two levels of a band is kept as far as 16 bits go
    red, green, blue = (levels[..., band].astype(np.int64) * part for band, part in enumerate(LUMA))
    sums = (red + green + blue) * finer
    grey = ((sums + PARTS // 2) // PARTS).astype(np.uint16)
    return Grey(grey, white * finer, seen, levels, white)


def luminance(image: Image) -> Image:
    """Return an image without alpha, (h, w) or (h, w, 3), as (h, w)."""
    if image.ndim == 2:
        return image
    red, green, blue = (image[..., band] * (part / PARTS) for band, part in enumerate(LUMA))
    return np.asarray(red + green + blue)


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
