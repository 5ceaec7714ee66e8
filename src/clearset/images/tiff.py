"""TIFF files to pixels and back, with their tags."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from clearset.store.errors import UnreadableImage

Pixels = npt.NDArray[Any]  # uint8 or uint16, as stored
DTYPES = (np.dtype(np.uint8), np.dtype(np.uint16))
NODATA = 42113  # GDAL's tag: the value of pixels without data, as text
LOSSY = {"JPEG", "OJPEG", "WEBP", "JPEG_2000_LOSSY"}
# Tags that say how the pixels are stored; the writer makes its own.
LAYOUT = {254, 255, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 280, 281, 284, 317}
LAYOUT |= {322, 323, 324, 325, 338, 339, *range(512, 533), 347}
ARGUMENTS = {282, 283, 296, 34675}  # resolution and ICC profile: arguments of the writer
FOLDERS = {330, 34665, 34853, 40965}  # tags that point to further directories, not to values
EXACT = {"NONE", "LZW", "DEFLATE", "ADOBE_DEFLATE", "PACKBITS", "LZMA", "ZSTD"}
# Tags that say where in a file and how compressed pixels lie, and which program wrote them when.
STORAGE = {259, 266, 273, 278, 279, 284, 317, 322, 323, 324, 325} | {305, 306, 316}
SUB_IMAGES = 330


def decode(path: Path, check_size: Callable[[int, int], None]) -> Pixels:
    """Return a TIFF's pixels as stored, uint8 or uint16, (h, w) or (h, w, bands).

    `check_size` (height, width) may refuse before anything is decoded. Raises `UnreadableImage`
    for what can not be used, or whatever the decoder is led to by a broken file.
    """
    with tifffile.TiffFile(path) as tiff:
        if not tiff.pages:
            raise UnreadableImage("broken file: it has no page, and may be cut short")
        if len(tiff.pages) != 1:
            raise UnreadableImage(f"{len(tiff.pages)} pages: split it into single images")
        page: Any = tiff.pages.first
        check_size(page.imagelength, page.imagewidth)
        _check(page)
        return np.asarray(page.asarray())


def _check(page: Any) -> None:
    if page.dtype not in DTYPES:
        raise UnreadableImage(f"type {page.dtype} is not supported: save it as 8 or 16 bits")
    if not isinstance(page.compression, tifffile.COMPRESSION):
        raise UnreadableImage(
            f"compression {page.compression} is not known: save it uncompressed, or with deflate"
        )
    name = getattr(page.photometric, "name", str(page.photometric))
    if name not in {"MINISBLACK", "RGB", "YCBCR"}:
        raise UnreadableImage(f"colours {name} are not supported: save it as grey or RGB")
    if page.axes not in {"YX", "YXS"} or page.samplesperpixel > 4:
        raise UnreadableImage(
            f"axes {page.axes} with {page.samplesperpixel} bands are not supported: "
            "save it as grey or with 2 to 4 bands in one page"
        )


def nodata(path: Path) -> float | None:
    """Return the value that a TIFF's own tag gives to pixels without data, if it is a whole one."""
    with tifffile.TiffFile(path) as tiff:
        page: Any = tiff.pages.first
        text = page.tags.valueof(NODATA)
        top = np.iinfo(page.dtype).max
    try:
        value = float(str(text).strip("\0 "))
    except ValueError:
        return None
    return value if value.is_integer() and 0 <= value <= top else None


def declarations(path: Path) -> dict[str, Any]:
    """Return what a TIFF says of its pixels: every tag but those of storage.

    Raises `UnreadableImage` for what has no identity but its bytes: a lossy one, whose pixels hang
    on the decoder, and one with further images inside.
    """
    with tifffile.TiffFile(path) as tiff:
        page: Any = tiff.pages.first
        name = page.compression.name
        if name not in EXACT or SUB_IMAGES in page.tags:
            obstacle = "further images" if name in EXACT else f"{name}, which may be lossy"
            raise UnreadableImage(f"a TIFF with {obstacle}: it has no identity but its bytes")
        tags = {tag.code: tag.value for tag in page.tags if tag.code not in STORAGE}
        return {"format": "TIFF", "tags": tags}


def write_like(source: Path, pixels: Pixels, target: Path) -> None:
    """Write pixels as a TIFF stored as `source` is, with its tags but for EXIF's directories.

    A lossy compression becomes deflate.
    """
    with tifffile.TiffFile(source) as tiff:
        page: Any = tiff.pages.first
        lossy = page.compression.name in LOSSY
        extra = page.extrasamples or None
        tiled = page.is_tiled and not lossy
        tifffile.imwrite(
            target,
            pixels,
            bigtiff=tiff.is_bigtiff,
            byteorder=tiff.byteorder,
            photometric="rgb" if page.photometric.name == "YCBCR" else page.photometric.name,
            planarconfig=page.planarconfig.name if pixels.ndim > 2 else None,
            compression="adobe_deflate" if lossy else page.compression,
            predictor=None if lossy or page.predictor == 1 else page.predictor,
            tile=(page.tilelength, page.tilewidth) if tiled else None,
            rowsperstrip=None if tiled or lossy else page.rowsperstrip,
            extrasamples=[sample.name for sample in extra] if extra else None,
            resolution=page.resolution,
            resolutionunit=page.resolutionunit,
            iccprofile=page.tags.valueof("InterColorProfile"),
            software=False,
            metadata=None,
            extratags=_tags(page),
        )


def _tags(page: Any) -> list[tuple[int, int, int, Any, bool]]:
    """Return the tags that say what the image is, as the writer takes them."""
    own = LAYOUT | ARGUMENTS | FOLDERS
    return [
        (tag.code, int(tag.dtype), tag.count, tag.value, True)
        for tag in page.tags
        if tag.code not in own
    ]
