"""PNG, JPEG and what else Pillow reads, to pixels and back."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from clearset.images import bmp, canvas, jpeg, jpeg2000, png
from clearset.images.bounds import Extent, check_size
from clearset.images.facts import BILEVEL, PALETTE, Facts, upright
from clearset.store.errors import BrokenImage, UnreadableImage

# The C library hands memory back to the system after every image and faults it in anew for the next
# one, a sixth of all time, until it has seen that a block of this size comes and goes.
np.empty(2**25 - 2**16, np.uint8)
BUFFER = 2**20  # bytes read at once: Pillow asks for a few kilobytes at a time
KINDS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "WEBP", "JPEG2000")  # a MPO opens as a JPEG
DEEP = {"I;16": "uint16", "I;16B": "uint16", "I;16L": "uint16", "I": "int32", "F": "float32"}
MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", *DEEP}
POOR = {"P": PALETTE, "PA": PALETTE, "1": BILEVEL}
ORIENTATION = 0x0112
# What a header says of pixels, in Pillow's words; comments and names of programs say nothing.
DECLARED = ("transparency", "gamma", "srgb", "chromaticity", "icc_profile", "exif", "dpi", "aspect")
CARRIED = ("icc_profile", "exif", "dpi", "xmp", "comment")  # what is written back beside pixels
EXACT = {"PNG", "BMP", "GIF", "PPM", "WEBP"}  # formats whose pixels do not hang on the decoder,
LOSSY_WEBP = b"VP8 "  # but for a WebP with this chunk
WRITTEN = {"PNG", "JPEG", "BMP", "GIF", "WEBP"}
FLAWS = {"JPEG": jpeg.flaw, "PNG": png.flaw, "JPEG2000": jpeg2000.flaw}
APP0, APP14 = "APP0", "APP14"  # of a JPEG: its own header, and how its colours are stored
PICTURES = b"MPF\0"  # a JPEG's list of further pictures


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file of the kinds that are read; Pillow knows more, and tries all of them."""
    with path.open("rb", buffering=BUFFER) as file:
        if size := _canvas(file):  # Pillow allocates it as it opens the file
            check_size(*size)
        file.seek(0)
        with Pillow.open(file, formats=KINDS) as image:
            yield image


def extent(path: Path) -> Extent:
    """Return how large an image is, by its header."""
    with path.open("rb") as file:
        size = _canvas(file)
    if size:
        return Extent(*size, bands=4)
    with opened(path) as image:
        deep = image.mode in DEEP or _rawmode(image).endswith(";16B") or image.format == "JPEG2000"
        value = 4 if image.mode in ("I", "F") else 2 if deep else 1
        bands = 4 if image.mode in POOR else len(image.getbands())
        return Extent(image.height, image.width, bands, value)


def _canvas(file: BinaryIO) -> tuple[int, int] | None:
    """Return height and width of an open GIF or WebP; None for any other file."""
    start = file.read(4)
    if start not in canvas.MAGIC:
        return None
    return canvas.size(start + file.read(canvas.REACH))


def decode(path: Path, raw: bool) -> npt.NDArray[Any]:
    """Return the pixels of a file's only or first image, (h, w) or (h, w, bands).

    A palette's pixels are its colours, and bilevel ones 0 and 255; `raw`: numbers, and booleans.
    Raises `UnreadableImage` for what can not be used, or whatever the decoder is led to by a broken
    file.
    """
    with opened(path) as image:
        check_size(image.height, image.width)
        _check(image)
        if image.format == "JPEG2000":  # Pillow would cut 16-bit colour to 8 bits
            return np.asarray(imagecodecs.jpeg2k_decode(path.read_bytes()))
        if _rawmode(image).endswith(";16B") and image.format == "PNG" and image.mode != "I;16":
            return png.deep(path.read_bytes())
        if image.format == "PNG" and "transparency" not in image.info:
            pixels = png.plain(path.read_bytes())
            if pixels is not None:
                return pixels
        if raw:
            return np.array(image)
        shown = _coloured(image) if image.mode in ("P", "PA", "1", "RGB") else image
        return np.array(shown, DEEP.get(shown.mode))


def check(path: Path) -> None:
    """Raise `BrokenImage` for a file not all of whose pixels are in it, and should be.

    What is not named here says by itself where it ends too early.
    """
    with opened(path) as image:
        kind, pixels = image.format, image.height * image.width
    flaw = FLAWS.get("JPEG" if kind == "MPO" else kind)
    if reason := flaw(path.read_bytes()) if flaw else "":
        raise BrokenImage(f"broken file: {reason}")
    if kind == "BMP":
        _check_runs(path.read_bytes(), pixels)


def _check_runs(content: bytes, pixels: int) -> None:
    """Raise `UnreadableImage` for a BMP that leaves open what some of its pixels are."""
    number, ended = bmp.passed_over(content)
    if number and not ended:
        raise BrokenImage(f"broken file: its runs end {number} of {pixels} pixels early")
    if number:
        raise UnreadableImage(
            f"its runs pass over {number} of {pixels} pixels, and nothing says what those are: "
            "save it without compression"
        )


def _check(image: Any) -> None:
    if image.mode not in MODES:
        raise UnreadableImage(f"mode {image.mode} is not supported: save it as L or RGB")
    if image.format == "BMP" and image.mode == "RGBA":
        raise UnreadableImage("BMP with alpha is not supported: save it as PNG")
    transparent = "transparency" in image.info
    odd = image.mode == "1" or (image.mode in ("L", "RGB") and ";" in _rawmode(image))
    if transparent and odd:
        raise UnreadableImage("a transparent colour of this depth is not supported: save it as LA")
    if image.format != "MPO" and getattr(image, "n_frames", 1) != 1:
        raise UnreadableImage(f"{image.n_frames} frames: split it into single images")


def _rawmode(image: Any) -> str:
    """Return how pixels lie in the file, in Pillow's words."""
    if not image.tile:
        return ""
    arguments = image.tile[0].args
    return str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)


def _coloured(image: Any) -> Any:
    """Return an image in colours or levels, with alpha where one of them is transparent."""
    if image.mode == "1":
        return image.convert("L")
    if "transparency" in image.info or image.mode == "PA":
        return image.convert("RGBA")
    return image.convert("RGB") if image.mode == "P" else image


def facts(path: Path) -> Facts:
    """Return what a file's header says of its values; nothing is decoded."""
    with opened(path) as image:
        content = path.read_bytes() if image.format == "PNG" else b""
        transparent = image.info.get("transparency")
        gap = image.mode in ("L", "I;16") and isinstance(transparent, int)
        colours = image.mode in ("P", "RGB") and transparent is not None
        alpha = {"LA": 1, "RGBA": 3, "PA": 3}.get(image.mode, 3 if colours else None)
        if image.mode == "RGBA" and image.format == "PNG" and not png.layout(content)[1] & 2:
            alpha = 1  # 16 bits, grey with alpha
        return Facts(
            nodata=float(transparent) if gap else None,
            alpha=alpha,
            orientation=upright(_exif(image, content).get(ORIENTATION)),
            obstacle=_obstacle(image, content),
        )


def _exif(image: Any, content: bytes) -> Pillow.Exif:
    if image.format != "PNG":  # Pillow would decode it, since EXIF may follow the pixels
        return image.getexif()
    tags = Pillow.Exif()
    tags.load(png.exif(png.chunks(content)))
    return tags


def _obstacle(image: Any, content: bytes) -> str:
    if image.format == "MPO":
        return f"a repair would lose its {image.n_frames - 1} further frames: save it as JPEG"
    if image.format not in WRITTEN:
        return f"{image.format} is read and not written: convert it to PNG or TIFF"
    if image.mode in POOR:
        return POOR[image.mode]
    if image.format == "GIF" and "transparency" in image.info:
        return "one of its levels stands for what is transparent: convert it to PNG"
    if image.format == "BMP" and image.mode == "RGB" and _rawmode(image) != "BGR":
        return "a BMP of other than 24 bits is read and not written: convert it to PNG"
    return png.obstacle(content) if image.format == "PNG" else ""


def declarations(path: Path) -> dict[str, Any]:
    """Return what a file says of its pixels: format, mode, palette, colours, resolution, EXIF.

    Raises `UnreadableImage` for a lossy one, whose pixels hang on the decoder.
    """
    with opened(path) as image:
        lossy_webp = image.format == "WEBP" and LOSSY_WEBP in path.read_bytes()
        if image.format not in EXACT or lossy_webp:
            raise UnreadableImage(f"{image.format} may be lossy: it has no identity but its bytes")
        facts = {key: image.info[key] for key in DECLARED if key in image.info}
        if image.format == "PNG" and (tags := png.exif(png.chunks(path.read_bytes()))):
            facts["exif"] = b"Exif\0\0" + tags  # it may follow the pixels
        return facts | {
            "format": image.format,
            "mode": image.mode,
            "palette": image.getpalette() if image.mode == "P" else None,
        }


def write_like(source: Path, pixels: npt.NDArray[Any], target: Path) -> None:
    """Write pixels as a file of the format of `source`, with what it says beside its pixels."""
    with opened(source) as before:
        kind = before.format or "PNG"
        if kind == "PNG":
            target.write_bytes(png.with_pixels(source.read_bytes(), pixels))
            return
        options: dict[str, Any] = {key: before.info[key] for key in CARRIED if key in before.info}
        if kind == "JPEG":
            options |= _of_jpeg(before)
        if kind == "WEBP":
            options |= {"lossless": True, "exact": True}
        if kind == "GIF":
            options |= {"optimize": False}  # all 256 levels, or it would be read as a palette
    encoded = io.BytesIO()
    Pillow.fromarray(pixels).save(encoded, format=kind, **options)
    target.write_bytes(encoded.getvalue())


def _of_jpeg(image: Any) -> dict[str, Any]:
    """Return a JPEG's subsampling, and the segments that Pillow does not write by itself."""
    from PIL import JpegImagePlugin  # noqa: PLC0415

    carried = (b"Exif\0\0", b"ICC_PROFILE\0", b"http://ns.adobe.com/xap/1.0/\0", PICTURES)
    extra = b""
    for name, content in image.applist:
        number = int(name[3:]) if name.startswith("APP") else 0
        if name not in (APP0, APP14, "COM") and not content.startswith(carried):
            extra += bytes([0xFF, 0xE0 + number]) + (len(content) + 2).to_bytes(2, "big") + content
    sampling = JpegImagePlugin.get_sampling(image)
    return {"quality": 95, "subsampling": max(sampling, 0), "extra": extra}
