"""What a picture looks like at a glance: photographed, or drawn as annotations are.

Annotations have few values, and the same one over large parts: classes, instances, outlines. A
photograph has many, and hardly two neighbours alike. JPEG blurs the values of a mask, so nearly
black and nearly white together count as drawn too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.images import codec
from clearset.store.errors import UnreadableImage

Pixels = npt.NDArray[Any]
Bits = npt.NDArray[np.bool_]
THIN = 256  # px: a side of what is looked at
FEW = 32  # values or colours of a drawing
LIKE = 0.7  # share of a drawing's pixels that are as the one beside them, where it has few values,
FLAT = 0.93  # or any number of them: instances
ENDS, BOTH = 0.97, 0.001  # of a mask in JPEG: share of black and white pixels, and of the rarer
BLACK, WHITE = 16, 239
TINT = 24  # levels between two bands: less is grey in JPEG
DARK = 0.15  # of the light inside a field of view: less is black
SIDE = 64  # px: of what two masks are compared by


@dataclass(frozen=True, eq=False)
class Glance:
    """A picture at a glance: its size in px, whether it is drawn, or in colour; 64 x 64 pixels."""

    width: int
    height: int
    drawn: bool
    coloured: bool
    marked: Bits  # where it is not 0
    light: npt.NDArray[np.float64]  # the mean of its bands, as stored


Look = Callable[[Path], Glance | None]  # what tells how a picture looks


@lru_cache(maxsize=4096)
def glance(memory: float, file: Path) -> Glance | None:
    """Return what a picture looks like; None where it can not be read.

    `memory` are the gigabytes that measuring it may take: what takes more is not looked at either.
    """
    try:
        codec.check_memory(file, memory)
        pixels = codec.decode(file, raw=True)
    except UnreadableImage:
        return None
    bands, _ = _parted(pixels)
    height, width = pixels.shape[:2]
    rows, columns = (np.arange(SIDE) * side // SIDE for side in (height, width))
    few = bands[np.ix_(rows, columns)]
    coloured = few.shape[2] > 2 and int(np.ptp(few.astype(np.float64), axis=2).max()) > TINT
    marked, light = few.max(axis=2) > 0, few.mean(axis=2)
    return Glance(width, height, drawn(pixels), coloured, marked, light)


def unseen(_: Path, __: str) -> None:
    """Return what a picture looks like whose reading was ended: nothing is known."""


def _parted(pixels: Pixels) -> tuple[Pixels, Bits]:
    """Return bands, (h, w, n), and where they are clear: a last of 2 or 4 is taken for alpha."""
    bands = pixels[..., None] if pixels.ndim == 2 else pixels
    if bands.shape[2] not in (2, 4):
        return bands, np.zeros(bands.shape[:2], bool)
    return bands[..., :-1], bands[..., -1] == 0


def drawn(pixels: Pixels) -> bool:
    """Return whether an image, (h, w) or (h, w, bands), is drawn where it is not transparent."""
    bands, clear = _parted(pixels)
    down, across = (max(side // THIN, 1) for side in bands.shape[:2])
    strips, seen = bands[::down], ~clear[::down]
    both = seen[:, 1:] & seen[:, :-1]
    if not both.any():
        return False
    alike = float((strips[:, 1:] == strips[:, :-1]).all(axis=2)[both].mean())
    if alike >= FLAT:
        return True
    thin = strips[:, ::across][seen[:, ::across]]
    if alike >= LIKE and len(np.unique(thin, axis=0)) <= FEW:
        return True
    return thin.dtype == np.uint8 and _black_and_white(thin)


def _black_and_white(values: Pixels) -> bool:
    black, white = (values <= BLACK).all(axis=1).mean(), (values >= WHITE).all(axis=1).mean()
    return bool(black + white >= ENDS and min(black, white) >= BOTH)


def overlap(first: Glance, second: Glance) -> float:
    """Return the intersection over union of what two masks mark, 0 to 1."""
    union = int((first.marked | second.marked).sum())
    return int((first.marked & second.marked).sum()) / union if union else 1.0


def shows_field(mask: Glance, image: Glance) -> bool:
    """Return whether a mask shows an image's field of view: outside it the image is black."""
    if not mask.marked.any() or mask.marked.all():
        return False
    inside, outside = image.light[mask.marked].mean(), image.light[~mask.marked].mean()
    return bool(outside < DARK * inside)
