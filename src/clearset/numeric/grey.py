"""An image reduced to whole grey levels: what metrics are measured on."""

from dataclasses import dataclass
from functools import cached_property
from math import gcd
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import cv2, whole
from clearset.numeric.light import Light, light
from clearset.numeric.ridges import reached, ridges
from clearset.numeric.seen import Box, Seen, box, chosen, most
from clearset.numeric.shading import unevenness
from clearset.numeric.sums import HALVED, block_sums, halved, pooled, square_sums

Levels = npt.NDArray[Any]  # uint8 or uint16, (height, width)
Grid = npt.NDArray[np.float64]
Image = npt.NDArray[np.float64]
LUMA = (2126, 7152, 722)  # of ten thousand: ITU-R BT.709, as scikit-image's rgb2gray
PARTS = sum(LUMA)
WHITE = 2**16 - 1  # the level of white where levels are made from real numbers
CELLS = 96  # along an image's shorter side
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

    @cached_property
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
    def halves(self) -> Levels:
        """Sums of two by two pixels (see `sums.halved`)."""
        return halved(self.levels)

    @cached_property
    def quarters(self) -> Levels:
        """Sums of two by two `halves`."""
        return pooled(self.halves)

    def _coarser(self, step: int) -> tuple[Levels, int]:
        """Return the coarsest sums of which squares of `step` px consist, and their side in px."""
        if step % 2 or min(self.shape) < HALVED:
            return self.levels, 1
        return (self.halves, 2) if step % 4 else (self.quarters, 4)

    @cached_property
    def cells(self) -> Grid:
        """Means of square cells, 0 to 1, of what of each was seen."""
        if self.seen is None:
            sums, side = self._coarser(self.side)
            cells = square_sums(sums, self.side // side)
            return np.asarray(cells / (self.side**2 * self.white))
        cells = square_sums(np.where(self.seen, self.levels, 0), self.side)
        return np.asarray(cells / (np.maximum(square_sums(self.seen, self.side), 1) * self.white))

    def block_sums(self, blocks: int) -> Grid:
        """Return the sums of `blocks` x `blocks` equal parts of the levels (see `sums`)."""
        height, width = self.shape
        whole = height % blocks == width % blocks == 0
        sums, _ = self._coarser(gcd(height // blocks, width // blocks) if whole else 1)
        return block_sums(sums, blocks)

    @cached_property
    def tally(self) -> npt.NDArray[np.int64]:
        """How many pixels that were seen have each level."""
        if self.levels.dtype == np.uint8:
            return tally(self.levels, self.seen)
        return np.bincount(chosen(self.levels, self.seen), minlength=self.white + 1)

    @cached_property
    def shares(self) -> Grid | None:
        """Share of each cell that was seen, 0 to 1; None: all of each."""
        return (
            None
            if self.seen is None
            else np.asarray(square_sums(self.seen, self.side) / self.side**2)
        )

    @cached_property
    def known(self) -> Seen | None:
        """The cells that count: half of each was seen, or as much as of any; None: all."""
        return None if self.shares is None else most(self.shares, KNOWN)

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
        return ridges(self.halves, self.quarters, self.grey)

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


def tally(levels: npt.NDArray[np.uint8], seen: Seen | None = None) -> npt.NDArray[np.int64]:
    """Return how many pixels that were seen have each of 256 levels.

    OpenCV counts in whole numbers, and hands them over in a type that holds those below 2^24.
    """
    found = np.zeros(256, np.int64)
    rows = max(2**24 // levels.shape[1], 1)
    for top in range(0, len(levels), rows):
        strip = slice(top, top + rows)
        mask = None if seen is None else seen[strip].astype(np.uint8)
        counted = cv2.calcHist([levels[strip]], [0], mask, [256], [0, 256])
        found += counted.ravel().astype(np.int64)
    return found


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
