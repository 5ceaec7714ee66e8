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

from clearset.numeric.exact import whole
from clearset.numeric.grey import Grey, of_levels, of_unit
from clearset.numeric.seen import filled

Image = npt.NDArray[np.float64]
Pixels = npt.NDArray[Any]  # as stored
Mask = npt.NDArray[np.bool_]
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
    """Return the reading that the whole range of an integer type is, of 2 or 4 bands with alpha."""
    bands = pixels.shape[2] if pixels.ndim == 3 else 1
    alpha = bands - 1 if bands in (2, 4) else None
    return Reading(0, float(np.iinfo(pixels.dtype).max), alpha=alpha)


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
    return np.asarray(filled(_levels(pixels.dtype, reading.low, reading.high)[pixels], seen))


def grey(pixels: Pixels, reading: Reading, seen: Mask | None = None) -> Grey:
    """Return shown bands in whole grey levels of a range; beyond it black or white.

    A pixel that is not `seen` takes the level of the nearest one that is.
    """
    low, high = reading.low, reading.high
    if not (low.is_integer() and high.is_integer()):
        return of_unit(unit(pixels, reading, seen), seen)
    bottom, top = int(low), int(high)
    levels = pixels
    if (bottom, top) != (0, np.iinfo(pixels.dtype).max):
        levels = np.clip(pixels, bottom, top) - pixels.dtype.type(bottom)
    return of_levels(filled(levels, seen), top - bottom, seen)


@lru_cache(maxsize=4)
def _levels(dtype: np.dtype[Any], low: float, high: float) -> Image:
    """Return what each value of an integer type is in memory: one look-up a pixel is fastest."""
    values = np.arange(np.iinfo(dtype).max + 1, dtype=np.float64)
    return np.clip((values - low) / (high - low), 0, 1)


def missing(pixels: Pixels, reading: Reading) -> Mask:
    """Return where stored pixels, or their shown bands, hold no data, (height, width)."""
    if reading.nodata is None:
        return np.zeros(pixels.shape[:2], bool)
    seen = pixels
    if pixels.ndim == 3 and reading.alpha is not None and pixels.shape[2] > reading.alpha:
        seen = pixels[..., : reading.alpha]
    empty = seen == reading.nodata
    return np.asarray(empty if empty.ndim == 2 else empty.all(axis=2))


def quantised(image: Image, dtype: npt.DTypeLike, reading: Reading | None = None) -> Pixels:
    """Return an image as values of `dtype`: clipped to 0 to 1 of the range, and rounded.

    What would come to stand for no data takes the value beside it.
    """
    reading = reading or Reading(0, float(np.iinfo(np.dtype(dtype)).max))
    span = reading.high - reading.low
    pixels = whole(np.clip(image, 0, 1) * span + reading.low, dtype)
    if reading.nodata is not None:
        beside = reading.nodata + (1 if reading.nodata < reading.high else -1)
        pixels[missing(pixels, reading)] = beside
    return pixels


def eight_bit(pixels: Pixels, reading: Reading | None = None) -> npt.NDArray[np.uint8]:
    """Return pixels as 8 bits: the whole range (their type's without one), not stretched."""
    reading = of_type(pixels) if reading is None else reading
    low, high = reading.low, reading.high
    if pixels.dtype == np.uint8 and (low, high) == (0, 255):
        return pixels
    return _eight_bits(pixels.dtype, low, high)[pixels]


@lru_cache(maxsize=4)
def _eight_bits(dtype: np.dtype[Any], low: float, high: float) -> npt.NDArray[np.uint8]:
    return quantised(_levels(dtype, low, high), np.uint8)


def display(pixels: Pixels, reading: Reading | None = None) -> npt.NDArray[np.uint8]:
    """Return pixels as a figure takes them: 8 bits of the range, (h, w), (h, w, 3) or (h, w, 4)."""
    reading = of_type(pixels) if reading is None else reading
    shown = bands(pixels, reading)
    if reading.alpha is not None and shown.ndim == 3:
        shown = np.dstack([shown, pixels[..., reading.alpha]])
    return eight_bit(shown, reading)
