"""An image as it is looked at: its shown bands, upright, and which of its pixels are seen.

Nothing was seen where alpha is 0, where the stored value says so (nodata), and outside the field of
view: the black surround of a fundus photograph, found by itself or given as a mask, or a file's own
mask page. `Reading.seen` says which: "" (no field of view), `page`, `file PATH` below `root`, or
`disc ROW COLUMN RADIUS` in px of the image as stored, with `TOP BOTTOM`, its first and last row,
where straight edges cut it off.
"""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.images import codec, levels, masks
from clearset.images.levels import Image, Mask, Pixels, Reading
from clearset.numeric.grey import Grey
from clearset.numeric.seen import filled
from clearset.store.errors import UnreadableImage

GAP = 208  # of 255: what is not seen looks like neither a black nor a white pixel
BACK = {6: 8, 8: 6}  # the turns that are not their own way back


@dataclass(frozen=True, eq=False)
class View:
    """An image as it is looked at.

    `pixels` are the shown bands as stored, upright, (h, w) or (h, w, 3); `seen` is where something
    was seen, (h, w), or None where that is everywhere.
    """

    pixels: Pixels
    seen: Mask | None
    reading: Reading

    @cached_property
    def unseen(self) -> Mask:
        """Where nothing was seen, (h, w)."""
        return np.zeros(self.pixels.shape[:2], bool) if self.seen is None else ~self.seen

    def mask(self, values: Pixels) -> Pixels:
        """Return a mask of the image, as stored or upright, as it lies on `pixels`."""
        same = values.shape == self.pixels.shape[:2]
        turned = upright(values, self.reading.orientation)
        fits = turned.shape == self.pixels.shape[:2]
        return np.asarray(turned if fits or not same else values)

    @cached_property
    def filled(self) -> Pixels:
        """The pixels, each that is not seen with the value of the nearest that is."""
        return filled(self.pixels, self.seen)

    def grey(self) -> Grey:
        """Return whole grey levels; what is not seen takes the level of the nearest that is."""
        return replace(levels.grey(self.filled, self.reading), seen=self.seen)

    def unit(self) -> Image:
        """Return the shown bands from 0 to 1; what is not seen takes the nearest value that is."""
        return levels.unit(self.filled, self.reading)

    def eight_bit(self) -> npt.NDArray[np.uint8]:
        """Return the shown bands as 8 bits of the range; gaps are filled as in `grey`."""
        return levels.eight_bit(self.filled, self.reading)

    def shown(self) -> npt.NDArray[np.uint8]:
        """Return the shown bands as a figure takes them: 8 bits of the range, gaps light grey."""
        shown = levels.eight_bit(self.pixels, self.reading)
        if self.seen is not None:
            shown = shown.copy()
            shown[~self.seen] = GAP
        return shown


def view(path: Path, reading: Reading) -> View:
    """Return a file as it is looked at; raises `UnreadableImage` as `codec.decode`."""
    stored = codec.decode(path)
    return of(stored, seen(path, stored, reading), reading)


def of(stored: Pixels, there: Mask | None, reading: Reading) -> View:
    """Return pixels as stored, of which those that are `there` were seen, as they are looked at."""
    pixels = upright(levels.bands(stored, reading), reading.orientation)
    return View(pixels, None if there is None else upright(there, reading.orientation), reading)


def seen(path: Path, stored: Pixels, reading: Reading) -> Mask | None:
    """Return where something was seen of pixels as stored in a file; None: everywhere."""
    gaps = reading.nodata is not None or stored.dtype.kind == "f"
    parts = [~levels.missing(stored, reading)] if gaps else []
    if reading.alpha is not None:
        parts.append(stored[..., reading.alpha] > 0)
    if reading.seen:
        parts.append(field(path, reading, stored.shape[:2]))
    if not parts:
        return None
    there = np.logical_and.reduce(parts)
    return None if there.all() else np.asarray(there)


def field(path: Path, reading: Reading, shape: tuple[int, ...]) -> Mask:
    """Return the field of view of an image of `shape` (height, width)."""
    kind, _, text = reading.seen.partition(" ")
    if kind == "page":
        return codec.mask_page(path)
    if kind == "disc":
        return disc(*(float(number) for number in text.split()), shape=shape)
    if kind == "file" and reading.root is not None:
        return of_file(reading.root / text, reading.orientation, shape)
    raise UnreadableImage(f"its field of view is not known: {reading.seen!a}")


@lru_cache(maxsize=4)  # one image is viewed several times, and many may have the same mask
def of_file(path: Path, orientation: int, shape: tuple[int, ...]) -> Mask:
    """Return where a mask is not 0, as an image of `shape` is stored, (h, w).

    Raises `UnreadableImage` for a mask that can not be read, or that fits the image neither as it
    is stored nor upright.
    """
    if not path.is_file():
        raise UnreadableImage(f"its field of view is missing: {path.name}")
    mask = masks.decode(path) > 0
    if mask.shape != shape:
        mask = upright(mask, BACK.get(orientation, orientation))
    if mask.shape != shape:
        rows, columns = mask.shape
        raise UnreadableImage(f"its field of view, {path.name}, is {columns} x {rows} px")
    return np.asarray(mask)


def disc(
    row: float,
    column: float,
    radius: float,
    top: float = -np.inf,
    bottom: float = np.inf,
    *,
    shape: tuple[int, ...],
) -> Mask:
    """Return the disc of a field of view, (h, w), between the rows `top` and `bottom`."""
    rows = np.arange(shape[0])
    down, across = (rows - row)[:, None] ** 2, (np.arange(shape[1]) - column)[None, :] ** 2
    within = (rows >= top) & (rows <= bottom)
    return np.asarray((down + across <= radius**2) & within[:, None])


def upright(pixels: Any, orientation: int) -> Any:
    """Return pixels turned as their EXIF orientation, 1 to 8, says; 1 leaves them as they are."""
    if orientation >= 5:  # rows and columns are exchanged
        pixels = pixels.swapaxes(0, 1)
    down = orientation in (3, 4, 7, 8)
    across = orientation in (2, 3, 6, 7)
    return pixels[:: -1 if down else 1, :: -1 if across else 1]
