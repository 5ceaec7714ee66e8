"""Stored values to what is measured and repaired, and back: whole levels, 0 to 1, and gaps.

Files hold integers (and some real numbers). What is measured stays whole (`grey`); what is repaired
is double from 0 to 1 of the declared range, shaped (height, width) for grey or (height, width,
bands), alpha last where there is one.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.images import units
from clearset.numeric.exact import UNIT, settled, whole
from clearset.numeric.grey import WHITE, Grey, of_levels, of_unit
from clearset.numeric.seen import filled

Image = npt.NDArray[np.float64]
Pixels = npt.NDArray[Any]  # as stored
Mask = npt.NDArray[np.bool_]
EIGHT = 255
WHOLE = 2**22  # below it `whole` is exact
DIGITS = 10**6  # as many as tables keep,
ALIKE = 5 / DIGITS  # and how far, as a part of it, a number of more may lie from what they say
WORDS = ("alpha", "shown", "orientation", "seen")  # columns of text that a reading has


@dataclass(frozen=True)
class Reading:
    """How an image's stored values are read: what its file, its dataset or a person declares.

    `low` and `high` are the stored values that are 0 and 1 in memory, `nodata` the one that says
    that nothing was seen, in every band. `alpha` is the number of the band, from 0, that is 0 where
    nothing is seen. `shown` are the bands, from 0, that are looked at and measured; none of them:
    the only one, or the first three that are not alpha. `orientation` is EXIF's, 1 for upright.
    `seen` says which part is the field of view (see `views`), with its file below `root`.
    """

    low: float
    high: float
    nodata: float | None = None
    alpha: int | None = None
    shown: tuple[int, ...] = ()
    orientation: int = 1
    seen: str = ""
    root: Path | None = None


def declared(row: Any, root: Path | None = None) -> Reading:
    """Return how an image is read, by its row of the table `images` or `manifest`.

    `root` is the folder that the source's own paths start from.
    """
    return Reading(
        row.low,
        row.high,
        nodata=None if np.isnan(row.nodata) else row.nodata,
        alpha=int(row.alpha) - 1 if row.alpha else None,
        shown=tuple(int(band) - 1 for band in row.shown.split()),
        orientation=int(row.orientation or 1),
        seen=row.seen,
        root=root,
    )


def columns(reading: Reading) -> dict[str, Any]:
    """Return what a row of the table `images` says of how an image is read."""
    return {
        "low": reading.low,
        "high": reading.high,
        "nodata": np.nan if reading.nodata is None else reading.nodata,
        "alpha": "" if reading.alpha is None else str(reading.alpha + 1),
        "shown": " ".join(str(band + 1) for band in reading.shown),
        "orientation": "" if reading.orientation == 1 else str(reading.orientation),
        "seen": reading.seen,
    }


def of_type(pixels: Pixels) -> Reading:
    """Return the reading that the whole range of an unsigned type of 8 or 16 bits is.

    Other types have no range of their own: `low` and `high` are nan until one is declared.
    """
    if pixels.dtype in (np.uint8, np.uint16):
        return Reading(0, float(np.iinfo(pixels.dtype).max))
    return Reading(np.nan, np.nan)


def data(image: Any, reading: Reading) -> Any:
    """Return an image or pixels without the band that is alpha."""
    if image.ndim == 2 or reading.alpha is None:
        return image
    return image[..., 0] if reading.alpha == 1 else image[..., : reading.alpha]


def bands(image: Any, reading: Reading) -> Any:
    """Return the bands of an image or pixels that are looked at: (h, w) or (h, w, 3)."""
    if image.ndim == 2:
        return image
    if reading.shown:
        numbers = reading.shown
        return image[..., numbers[0]] if len(numbers) == 1 else image[..., list(numbers)]
    plain = image.shape[2] if reading.alpha is None else reading.alpha
    return image[..., 0] if plain < 3 else image[..., :3]


def unit(pixels: Pixels, reading: Reading | None = None, seen: Mask | None = None) -> Image:
    """Return pixels as double, 0 to 1 of a range (their type's without one); beyond it 0 or 1.

    A pixel that is not `seen` takes the value of the nearest one that is, so that it adds no edge.
    """
    reading = of_type(pixels) if reading is None else reading
    return np.asarray(filled(units.of(pixels, reading.low, reading.high), seen))


def grey(pixels: Pixels, reading: Reading, seen: Mask | None = None) -> Grey:
    """Return shown bands in whole grey levels of a range; beyond it black or white.

    A pixel that is not `seen` takes the level of the nearest one that is.
    """
    low, high = reading.low, reading.high
    fine = float(low).is_integer() and float(high).is_integer() and WHITE >= high - low >= EIGHT
    if not fine or not units.short(pixels.dtype):
        return of_unit(unit(pixels, reading, seen), seen)
    bottom, top = int(low), int(high)
    levels = pixels
    if (bottom, top) != (0, np.iinfo(pixels.dtype).max):
        wide = np.clip(pixels.astype(np.int32), bottom, top) - bottom
        levels = wide.astype(np.uint8 if pixels.dtype == np.uint8 else np.uint16)
    return of_levels(filled(levels, seen), top - bottom, seen)


def missing(pixels: Pixels, reading: Reading) -> Mask:
    """Return where stored pixels, or their shown bands, hold no data, (height, width).

    That is where every band has the value of no data, or any is not a finite number.
    """
    values = data(pixels, reading)
    values = values[..., None] if values.ndim == 2 else values
    result = np.zeros(pixels.shape[:2], bool)
    if reading.nodata is not None:
        result |= _nodata(values, reading.nodata).all(axis=2)
    if values.dtype.kind == "f":
        result |= ~np.isfinite(values).all(axis=2)
    return result


def _nodata(values: Pixels, nodata: float) -> Mask:
    """Return which values are that of no data, of which a table keeps six digits."""
    if float(f"{nodata:.6g}") == nodata and abs(nodata) < DIGITS:
        return np.asarray(values == nodata)
    return np.isclose(values, nodata, rtol=ALIKE, atol=0)


def repaired(before: Pixels, image: Image, reading: Reading, seen: Mask | None) -> Pixels:
    """Return stored values after a repair; those that it has no say in are as they were.

    That is what lies beyond the range, what is not `seen` (None: all is), alpha, and, of real
    numbers, what the repair left alone.
    """
    after = quantised(image, before.dtype, reading)
    free = (before >= reading.low) & (before <= reading.high)
    if before.dtype.kind == "f":
        free &= settled(image, UNIT) != settled(unit(before, reading, seen), UNIT)
    result = np.where(free, after, before)
    if seen is not None:
        result[~seen] = before[~seen]
    if reading.alpha is not None and before.ndim == 3:
        result[..., reading.alpha] = before[..., reading.alpha]
    return result


def quantised(image: Image, dtype: npt.DTypeLike, reading: Reading | None = None) -> Pixels:
    """Return an image as values of `dtype`: clipped to 0 to 1 of the range, and rounded.

    What would come to stand for no data takes the value beside it.
    """
    kind = np.dtype(dtype)
    reading = of_type(np.empty(0, kind)) if reading is None else reading
    span = reading.high - reading.low
    image = np.clip(image, 0, 1)
    if kind.kind == "f":
        pixels = (settled(image, UNIT) * span + reading.low).astype(kind)
    elif max(abs(reading.low), abs(reading.high)) < WHOLE:
        pixels = whole(image * span + reading.low, kind)
    else:
        pixels = np.rint(settled(image * span + reading.low, 3)).astype(kind)
    if reading.nodata is not None:
        empty = missing(pixels, reading)
        pixels[empty] = _beside(reading.nodata, reading.nodata < reading.high, kind)
    return pixels


def _beside(nodata: float, above: bool, dtype: np.dtype[Any]) -> Any:
    """Return the value of a type next to that of no data, `above` it or below."""
    step = abs(nodata) * 2 * ALIKE if abs(nodata) >= DIGITS else 1.0
    if dtype.kind != "f":
        return int(nodata + (step if above else -step))
    towards = dtype.type(np.inf if above else -np.inf)
    return np.nextafter(dtype.type(nodata), towards) if step == 1 else dtype.type(nodata + step)


def eight_bit(pixels: Pixels, reading: Reading | None = None) -> npt.NDArray[np.uint8]:
    """Return pixels as 8 bits: the whole range (their type's without one), not stretched."""
    reading = of_type(pixels) if reading is None else reading
    low, high = reading.low, reading.high
    if pixels.dtype == np.uint8 and (low, high) == (0, EIGHT):
        return pixels
    if pixels.dtype.itemsize > 2:
        return whole(units.of(pixels, low, high) * EIGHT, np.uint8)
    return _eight_bits(pixels.dtype, low, high)[units.places(pixels)]


@lru_cache(maxsize=4)
def _eight_bits(dtype: np.dtype[Any], low: float, high: float) -> npt.NDArray[np.uint8]:
    return whole(units.table(dtype, low, high) * EIGHT, np.uint8)


def display(pixels: Pixels, reading: Reading | None = None) -> npt.NDArray[np.uint8]:
    """Return pixels as a figure takes them: 8 bits of the range, (h, w), (h, w, 3) or (h, w, 4)."""
    reading = of_type(pixels) if reading is None else reading
    shown = bands(pixels, reading)
    if reading.alpha is not None and shown.ndim == 3:
        shown = np.dstack([shown, pixels[..., reading.alpha]])
    return eight_bit(shown, reading)
