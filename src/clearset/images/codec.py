"""Image files to arrays as stored and back: the only place where file formats are known."""

import hashlib
import io
import warnings
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from clearset.images import levels, pillow, tiff
from clearset.images.levels import Image, Mask, Pixels, Reading
from clearset.store.errors import UnreadableImage

PILLOW = {".png", ".jpg", ".jpeg", ".jpe", ".bmp", ".webp", ".gif", ".pgm", ".ppm"}
TIFF = {".tif", ".tiff"}
SUFFIXES = PILLOW | TIFF
MODES = {"L", "LA", "RGB", "RGBA", "I;16"}
MASK_MODES = MODES | {"P", "1"}
MIN_SIDE = 10  # fastdup's own limit: both engines see the same images
MAX_PIXELS = 2**28  # a larger one is a mistake or an attack; decoding it could take all memory
Pillow.MAX_IMAGE_PIXELS = None  # MAX_PIXELS decides, for every format


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


def declaration(path: Path, pixels: Pixels) -> Reading:
    """Return what a file itself declares of its values, which are `pixels` as stored."""
    nodata = tiff.nodata(path) if path.suffix.lower() in TIFF else None
    return replace(levels.of_type(pixels), nodata=nodata)


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


def write_like(
    source: Path,
    image: Image,
    target: Path,
    reading: Reading | None = None,
    seen: Mask | None = None,
) -> None:
    """Write `image` to `target` in the format, mode, bit depth and size of the file `source`.

    What lies beyond the range and what is not `seen` (None: all is) stays as it was, and nothing
    else becomes nodata. Lossless where the format is; JPEG at quality 95 with its own subsampling.
    ICC profile, resolution, a TIFF's tags and, but in TIFF, EXIF travel along.
    """
    before = decode(source)
    if image.shape != before.shape:
        raise ValueError(f"{source.name}: shape {image.shape} is not its own {before.shape}")
    write_stored(source, as_stored(before, image, reading, seen), target)


def as_stored(
    before: Pixels, image: Image, reading: Reading | None = None, seen: Mask | None = None
) -> Pixels:
    """Return an image as values of the pixels that it is a repair of (see `write_like`)."""
    pixels = levels.quantised(image, before.dtype, reading)
    return pixels if reading is None else _kept(before, pixels, reading, seen)


def write_stored(source: Path, pixels: Pixels, target: Path) -> None:
    """Write pixels as they are to `target`, in the format of the file `source`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix.lower() in TIFF:
        tiff.write_like(source, pixels, target)
    else:
        target.write_bytes(pillow.encode_like(source, pixels))


def _kept(before: Pixels, after: Pixels, reading: Reading, seen: Mask | None) -> Pixels:
    """Return the values after a repair with those that it has no say in as they were before."""
    result = np.where((before < reading.low) | (before > reading.high), before, after)
    if seen is not None:
        result[~seen] = before[~seen]
    return result


def png_bytes(pixels: Pixels, compress_level: int = 6) -> bytes:
    """Return pixels as a PNG file's bytes."""
    encoded = io.BytesIO()
    Pillow.fromarray(pixels).save(encoded, format="PNG", compress_level=compress_level)
    return encoded.getvalue()
