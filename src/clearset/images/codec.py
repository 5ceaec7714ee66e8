"""Image files to arrays and back: the only place where units and file formats are known.

Files hold integers. What is measured stays so (`grey`); what is repaired is double from 0 to 1 of
its declared `Range` (its integer type's, unless the dataset says otherwise), shaped (height, width)
for grey or (height, width, channels) for colour, alpha last. Pixels are taken as stored: an EXIF
orientation is carried along, not applied, so that masks keep fitting.
"""

import hashlib
import io
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from clearset.images import pillow, tiff
from clearset.numeric.exact import whole
from clearset.numeric.grey import Grey, of_levels, of_unit
from clearset.store.errors import UnreadableImage

Image = npt.NDArray[np.float64]
Pixels = npt.NDArray[Any]  # uint8 or uint16, as stored

PILLOW = {".png", ".jpg", ".jpeg", ".jpe", ".bmp", ".webp", ".gif", ".pgm", ".ppm"}
TIFF = {".tif", ".tiff"}
SUFFIXES = PILLOW | TIFF
MODES = {"L", "LA", "RGB", "RGBA", "I;16"}
MASK_MODES = MODES | {"P", "1"}
MIN_SIDE = 10  # fastdup's own limit: both engines see the same images
MAX_PIXELS = 2**28  # a larger one is a mistake or an attack; decoding it could take all memory
Pillow.MAX_IMAGE_PIXELS = None  # MAX_PIXELS decides, for every format


@dataclass(frozen=True)
class Range:
    """The stored values that are 0 and 1 in memory, and the one that says that nothing was seen.

    A pixel without data has `nodata` in every band.
    """

    low: float
    high: float
    nodata: float | None = None


def declared(row: Any) -> Range:
    """Return the range of an image by its row of the table `images`."""
    return Range(row.low, row.high, None if np.isnan(row.nodata) else row.nodata)


def decode(path: Path, modes: Collection[str] = MODES) -> Pixels:
    """Return a file's pixels as stored, uint8 or uint16; `modes` are Pillow's, of other than TIFF.

    Raises `UnreadableImage` for anything else: a broken file, too small, too large, a palette,
    CMYK, bilevel or floating-point image, 16-bit colour PNG (Pillow would cut it to 8 bits), or
    more than one page.
    """
    if path.stat().st_size == 0:
        raise UnreadableImage("the file is empty (0 bytes)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters is raised; Pillow also warns of size
            pixels = (
                tiff.decode(path, _check_size)
                if path.suffix.lower() in TIFF
                else pillow.decode(path, _check_size, modes)
            )
    except UnreadableImage:
        raise
    except Exception as error:  # decoders raise whatever a hostile file leads them to
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UnreadableImage(
            f"broken or unknown file: {reason.replace(str(path), path.name)}"
        ) from None
    return pixels


def decode_mask(path: Path) -> Pixels:
    """Return a mask's values, shaped (height, width); a palette's numbers, 0 and 1 if bilevel.

    Raises `UnreadableImage` as `decode`, and for a mask in colour.
    """
    values = decode(path, MASK_MODES)
    if values.ndim != 2:
        raise UnreadableImage("the mask is in colour: save it with one number a class")
    return values.astype(np.uint8) if values.dtype == bool else values


def _check_size(height: int, width: int) -> None:
    if min(height, width) < MIN_SIDE:
        raise UnreadableImage(f"{width} x {height} px: smaller than {MIN_SIDE} px a side")
    if height * width > MAX_PIXELS:
        raise UnreadableImage(f"{width} x {height} px: more than {MAX_PIXELS} px")


def unit(pixels: Pixels, span: Range | None = None) -> Image:
    """Return pixels as double, 0 to 1 of a range (their type's without one); beyond it 0 or 1.

    A pixel without data takes the value of the nearest one with data, so that it adds no edge.
    """
    if span is None:
        span = Range(0, float(np.iinfo(pixels.dtype).max))
    image = _levels(pixels.dtype, span.low, span.high)[pixels]
    return np.asarray(_filled(image, pixels, span))


def grey(pixels: Pixels, span: Range) -> Grey:
    """Return pixels without alpha in whole grey levels of a range; beyond it black or white.

    A pixel without data takes the level of the nearest one with data.
    """
    if not (span.low.is_integer() and span.high.is_integer()):
        return of_unit(unit(pixels, span))
    low, high = int(span.low), int(span.high)
    levels = pixels
    if (low, high) != (0, np.iinfo(pixels.dtype).max):
        levels = np.clip(pixels, low, high) - pixels.dtype.type(low)
    return of_levels(_filled(levels, pixels, span), high - low)


def _filled(image: Any, pixels: Pixels, span: Range) -> Any:
    """Return an image with the nearest value that there is wherever pixels hold no data."""
    gaps = missing(pixels, span)
    if not gaps.any():
        return image
    from scipy import ndimage  # noqa: PLC0415 - a third of a second, and few images have gaps

    rows, columns = ndimage.distance_transform_edt(
        gaps, return_distances=False, return_indices=True
    )
    return image[rows, columns]


@lru_cache(maxsize=4)
def _levels(dtype: np.dtype[Any], low: float, high: float) -> Image:
    """Return what each value of an integer type is in memory: one look-up a pixel is fastest."""
    values = np.arange(np.iinfo(dtype).max + 1, dtype=np.float64)
    return np.clip((values - low) / (high - low), 0, 1)


def nodata(path: Path) -> float | None:
    """Return the value of pixels without data, where a file says so itself."""
    return tiff.nodata(path) if path.suffix.lower() in TIFF else None


def missing(pixels: Pixels, span: Range) -> npt.NDArray[np.bool_]:
    """Return where pixels hold no data, (height, width)."""
    if span.nodata is None:
        return np.zeros(pixels.shape[:2], bool)
    empty = colour(pixels) == span.nodata
    return np.asarray(empty if empty.ndim == 2 else empty.all(axis=2))


def quantised(image: Image, dtype: npt.DTypeLike, span: Range | None = None) -> Pixels:
    """Return an image as integers of `dtype`: clipped to 0 to 1 of the range, and rounded.

    What would come to stand for no data takes the value beside it.
    """
    span = span or Range(0, np.iinfo(np.dtype(dtype)).max)
    pixels = whole(np.clip(image, 0, 1) * (span.high - span.low) + span.low, dtype)
    if span.nodata is not None:
        colour(pixels)[missing(pixels, span)] = span.nodata + (1 if span.nodata < span.high else -1)
    return pixels


def eight_bit(pixels: Pixels, span: Range | None = None) -> npt.NDArray[np.uint8]:
    """Return pixels as 8 bits: the whole range (their type's without one), not stretched."""
    top = float(np.iinfo(pixels.dtype).max)
    span = span or Range(0, top)
    if pixels.dtype == np.uint8 and (span.low, span.high) == (0, top):
        return pixels
    return _eight_bits(pixels.dtype, span.low, span.high)[pixels]


@lru_cache(maxsize=4)
def _eight_bits(dtype: np.dtype[Any], low: float, high: float) -> npt.NDArray[np.uint8]:
    return quantised(_levels(dtype, low, high), np.uint8)


def colour(image: Any) -> Any:
    """Return an image or pixels without alpha: (h, w) or (h, w, 3)."""
    if image.ndim == 2:
        return image
    channels = image.shape[2]
    return image[..., 0] if channels <= 2 else image[..., :3]


def display(pixels: Pixels, span: Range | None = None) -> npt.NDArray[np.uint8]:
    """Return pixels as a figure takes them: 8 bits of the range, (h, w), (h, w, 3) or (h, w, 4)."""
    return eight_bit(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] <= 2 else pixels, span)


def describe(pixels: Pixels) -> dict[str, int | str]:
    """Return width, height, channels, bit depth and the sha256 of the pixels themselves."""
    height, width = pixels.shape[:2]
    shape = f"{pixels.shape}{pixels.dtype.name}".encode()
    return {
        "width": width,
        "height": height,
        "channels": 1 if pixels.ndim == 2 else pixels.shape[2],
        "bit_depth": 8 * pixels.dtype.itemsize,
        "pixels_sha256": hashlib.sha256(shape + np.ascontiguousarray(pixels).tobytes()).hexdigest(),
    }


def write_like(source: Path, image: Image, target: Path, span: Range | None = None) -> None:
    """Write `image` to `target` in the format, mode, bit depth and size of the file `source`.

    What lies beyond the range and what holds no data stays as it was, and nothing else becomes
    nodata. Lossless where the format is; JPEG at quality 95 with its own subsampling. ICC profile,
    resolution, a TIFF's tags and, but in TIFF, EXIF travel along.
    """
    before = decode(source)
    if image.shape != before.shape:
        raise ValueError(f"{source.name}: shape {image.shape} is not its own {before.shape}")
    pixels = quantised(image, before.dtype, span)
    write_stored(source, pixels if span is None else _kept(before, pixels, span), target)


def write_stored(source: Path, pixels: Pixels, target: Path) -> None:
    """Write pixels as they are to `target`, in the format of the file `source`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix.lower() in TIFF:
        tiff.write_like(source, pixels, target)
    else:
        target.write_bytes(pillow.encode_like(source, pixels))


def _kept(before: Pixels, after: Pixels, span: Range) -> Pixels:
    """Return the values after a repair with those that it has no say in as they were before."""
    result = np.where((before < span.low) | (before > span.high), before, after)
    if span.nodata is None:
        return result
    gaps = missing(before, span)
    result[gaps] = before[gaps]
    return result


def png_bytes(pixels: Pixels, compress_level: int = 6) -> bytes:
    """Return pixels as a PNG file's bytes."""
    encoded = io.BytesIO()
    Pillow.fromarray(pixels).save(encoded, format="PNG", compress_level=compress_level)
    return encoded.getvalue()
