"""Image files to arrays and back: the only place where units and file formats are known.

Files hold integers; in memory an image is float32 from 0 to 1 of its integer type's range, shaped
(height, width) for grey or (height, width, channels) for colour, alpha last. Pixels are taken as
stored: an EXIF orientation is carried along, not applied, so that masks keep fitting.
"""

import hashlib
import io
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image as Pillow

from clearset.errors import ClearsetError

Image = npt.NDArray[np.float32]
Pixels = npt.NDArray[Any]  # uint8 or uint16, as stored

SUFFIXES = {
    ".png",
    ".jpg",
    ".jpeg",
    ".jpe",
    ".tif",
    ".tiff",
    ".bmp",
    ".webp",
    ".gif",
    ".pgm",
    ".ppm",
}
TIFF = {".tif", ".tiff"}
MODES = {"L", "LA", "RGB", "RGBA", "I;16"}
MASK_MODES = MODES | {"P", "1"}
MIN_SIDE = 10  # fastdup's own limit: both engines see the same images
MAX_PIXELS = 2**28  # a larger one is a mistake or an attack; decoding it could take all memory
Pillow.MAX_IMAGE_PIXELS = None  # MAX_PIXELS decides, for every format
DTYPES = (np.dtype(np.uint8), np.dtype(np.uint16))


class UnreadableImage(ClearsetError):
    """The file is no image that can be used; the message is the reason alone."""


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
                _decode_tiff(path) if path.suffix.lower() in TIFF else _decode_pillow(path, modes)
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


def _decode_pillow(path: Path, modes: Collection[str]) -> Pixels:
    with Pillow.open(path) as opened:
        image: Any = opened
        _check_size(image.height, image.width)
        rawmode = str(image.tile[0].args) if image.tile else ""
        if image.mode not in modes:
            raise UnreadableImage(f"mode {image.mode} is not supported: save it as L or RGB")
        if image.format == "BMP" and image.mode == "RGBA":
            raise UnreadableImage("BMP with alpha is not supported: save it as PNG")
        if ";16" in rawmode and image.mode != "I;16":
            raise UnreadableImage("16-bit colour in this format is not supported: save it as TIFF")
        if getattr(image, "n_frames", 1) != 1:
            raise UnreadableImage(f"{image.n_frames} frames: split it into single images")
        return np.array(image)


def _decode_tiff(path: Path) -> Pixels:
    with tifffile.TiffFile(path) as tiff:
        if not tiff.pages:
            raise UnreadableImage("broken file: it has no page, and may be cut short")
        if len(tiff.pages) != 1:
            raise UnreadableImage(f"{len(tiff.pages)} pages: split it into single images")
        page: Any = tiff.pages.first
        _check_size(page.imagelength, page.imagewidth)
        if page.dtype not in DTYPES:
            raise UnreadableImage(f"type {page.dtype} is not supported: save it as 8 or 16 bits")
        if page.photometric.name not in {"MINISBLACK", "RGB", "YCBCR"}:
            raise UnreadableImage(
                f"colours {page.photometric.name} are not supported: save it as grey or RGB"
            )
        if page.axes not in {"YX", "YXS"} or page.samplesperpixel > 4:
            raise UnreadableImage(
                f"axes {page.axes} with {page.samplesperpixel} bands are not supported"
            )
        return np.asarray(page.asarray())


def unit(pixels: Pixels) -> Image:
    """Return pixels as float32, 0 to 1 of their type's range."""
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)


def quantised(image: Image, dtype: npt.DTypeLike) -> Pixels:
    """Return an image as integers of `dtype`, clipped to 0 to 1 and rounded."""
    top = np.iinfo(np.dtype(dtype)).max
    return np.rint(np.clip(image, 0, 1).astype(np.float64) * top).astype(dtype)


def eight_bit(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Return pixels as 8 bits: their type's whole range, not stretched."""
    return pixels if pixels.dtype == np.uint8 else quantised(unit(pixels), np.uint8)


def colour(image: Any) -> Any:
    """Return an image or pixels without alpha: (h, w) or (h, w, 3)."""
    if image.ndim == 2:
        return image
    channels = image.shape[2]
    return image[..., 0] if channels <= 2 else image[..., :3]


def shown(pixels: Pixels) -> Pixels:
    """Return pixels as a figure takes them: (h, w), (h, w, 3) or (h, w, 4), 8 bits in colour."""
    if pixels.ndim == 2:
        return pixels
    return pixels[..., 0] if pixels.shape[2] <= 2 else eight_bit(pixels)


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


def write_like(source: Path, image: Image, target: Path) -> None:
    """Write `image` to `target` in the format, mode, bit depth and size of the file `source`.

    Lossless where the format is; JPEG at quality 95 with its own subsampling. ICC profile,
    resolution and, but in TIFF, EXIF travel along.
    """
    before = decode(source)
    if image.shape != before.shape:
        raise ValueError(f"{source.name}: shape {image.shape} is not its own {before.shape}")
    pixels = quantised(image, before.dtype)
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix.lower() in TIFF:
        _write_tiff(source, pixels, target)
    else:
        target.write_bytes(_encode_pillow(source, pixels))


def _write_tiff(source: Path, pixels: Pixels, target: Path) -> None:
    with tifffile.TiffFile(source) as tiff:
        page: Any = tiff.pages.first
        lossy = page.compression.name in {"JPEG", "OJPEG", "WEBP", "JPEG_2000_LOSSY"}
        extra = page.extrasamples or None
        tifffile.imwrite(
            target,
            pixels,
            photometric="rgb" if page.photometric.name == "YCBCR" else page.photometric.name,
            planarconfig=page.planarconfig.name if pixels.ndim > 2 else None,
            compression="adobe_deflate" if lossy else page.compression,
            extrasamples=[sample.name for sample in extra] if extra else None,
            resolution=page.resolution,
            resolutionunit=page.resolutionunit,
            iccprofile=page.tags.valueof("InterColorProfile"),
            metadata=None,
        )


def _encode_pillow(source: Path, pixels: Pixels) -> bytes:
    with Pillow.open(source) as before:
        kind = before.format or "PNG"
        before.load()  # in a PNG, EXIF may follow the pixels
        options: dict[str, Any] = {
            key: before.info[key] for key in ("icc_profile", "exif", "dpi") if key in before.info
        }
        if kind == "JPEG":
            from PIL import JpegImagePlugin  # noqa: PLC0415

            sampling = JpegImagePlugin.get_sampling(before)
            options |= {"quality": 95, "subsampling": max(sampling, 0)}
        if kind == "WEBP":
            options |= {"lossless": True, "exact": True}
        if kind == "GIF":
            options |= {"optimize": False}  # all 256 levels, or it would be read as a palette
    encoded = io.BytesIO()
    Pillow.fromarray(pixels).save(encoded, format=kind, **options)
    return encoded.getvalue()


def png_bytes(pixels: Pixels, compress_level: int = 6) -> bytes:
    """Return pixels as a PNG file's bytes."""
    encoded = io.BytesIO()
    Pillow.fromarray(pixels).save(encoded, format="PNG", compress_level=compress_level)
    return encoded.getvalue()
