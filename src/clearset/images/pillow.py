"""PNG, JPEG and what else Pillow reads, to pixels and back."""

import io
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from clearset.store.errors import UnreadableImage

# The C library hands memory back to the system after every image and faults it in anew for the next
# one, a sixth of all time, until it has seen that a block of this size comes and goes.
np.empty(2**25 - 2**16, np.uint8)
BUFFER = 2**20  # bytes read at once: Pillow asks for a few kilobytes at a time
# What a header says of pixels, in Pillow's words; comments and names of programs say nothing.
DECLARED = ("transparency", "gamma", "srgb", "chromaticity", "icc_profile", "exif", "dpi", "aspect")
EXACT = {"PNG", "BMP", "GIF", "PPM", "WEBP"}  # formats whose pixels do not hang on the decoder,
LOSSY_WEBP = b"VP8 "  # but for a WebP with this chunk


def decode(
    path: Path, check_size: Callable[[int, int], None], modes: Collection[str]
) -> npt.NDArray[Any]:
    """Return a file's pixels as stored, of one of Pillow's `modes`.

    `check_size` (height, width) may refuse before anything is decoded. Raises `UnreadableImage`
    for what can not be used, or whatever the decoder is led to by a broken file.
    """
    with path.open("rb", buffering=BUFFER) as file, Pillow.open(file) as opened:
        image: Any = opened
        check_size(image.height, image.width)
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


def declarations(path: Path) -> dict[str, Any]:
    """Return what a file says of its pixels: format, mode, palette, colours, resolution, EXIF.

    Raises `UnreadableImage` for a lossy one, whose pixels hang on the decoder.
    """
    with Pillow.open(path) as image:
        lossy_webp = image.format == "WEBP" and LOSSY_WEBP in path.read_bytes()
        if image.format not in EXACT or lossy_webp:
            raise UnreadableImage(f"{image.format} may be lossy: it has no identity but its bytes")
        image.load()  # in a PNG, EXIF may follow the pixels
        facts = {key: image.info[key] for key in DECLARED if key in image.info}
        return facts | {
            "format": image.format,
            "mode": image.mode,
            "palette": image.getpalette() if image.mode == "P" else None,
        }


def encode_like(source: Path, pixels: npt.NDArray[Any]) -> bytes:
    """Return pixels as the bytes of a file of the format of `source`, with what travels along."""
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
