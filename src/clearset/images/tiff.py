"""TIFF files to pixels, and what their tags say. Overviews are passed over, mask pages read."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from clearset.images import tiff_parts
from clearset.images.bounds import PAGES, Extent, check_size
from clearset.images.facts import BILEVEL, PALETTE, Facts, upright
from clearset.store.errors import BrokenImage, UnreadableImage

Pixels = npt.NDArray[Any]  # as stored
MAGIC = {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}  # a file's first bytes; the latter two: BigTIFF
TYPES = {"uint8", "uint16", "uint32", "int8", "int16", "int32", "float16", "float32", "float64"}
TYPES |= {"bool"}
NODATA = 42113  # GDAL's tag: the value of pixels without data, as text
ORIENTATION = 274
REDUCED, MASK = 1, 4  # bits of a page's kind: an overview, a mask
DECODED = {"YCBCR": {"JPEG", "OJPEG"}}  # colours that only these compressions turn into RGB
COLOURS = {"MINISBLACK", "MINISWHITE", "RGB", "PALETTE", *DECODED}
EXACT = {"NONE", "LZW", "DEFLATE", "ADOBE_DEFLATE", "PACKBITS", "LZMA", "ZSTD"}
# Tags that say where in a file and how compressed pixels lie, and which program wrote them when.
STORAGE = {259, 266, 273, 278, 279, 284, 317, 322, 323, 324, 325} | {305, 306, 316}
SUB_IMAGES = 330
FOLDERS = {400, 34665, 34853, 40965}  # tags that point to further directories, not to values


def extent(path: Path) -> Extent:
    """Return how large a TIFF's one image of full resolution is, with the tiles it lies in."""
    with tifffile.TiffFile(path) as tiff:
        page = pages(tiff)[0]
        bands = 4 if name(page.photometric) == "PALETTE" else page.samplesperpixel
        value = page.dtype.itemsize if page.dtype is not None else 1
        tiff_parts.check_tiles(page)
        decoded = tiff_parts.area(page)
        return Extent(page.imagelength, page.imagewidth, bands, value, decoded)


def decode(path: Path, raw: bool) -> Pixels:
    """Return the pixels of a TIFF's one image of full resolution, (h, w) or (h, w, bands).

    Values are as stored, but that black is low, and a palette's pixels are colours, with alpha
    where one stands for no data, and bilevel ones 0 and 255; `raw`: numbers, and 0 and 1.
    Raises `UnreadableImage` for what can not be used, or whatever the decoder is led to by a broken
    file.
    """
    with tifffile.TiffFile(path) as tiff:
        page = pages(tiff)[0]
        check_size(page.imagelength, page.imagewidth)
        _check(page)
        tiff_parts.check_jpegs(page)
        values = tiff_parts.decoded(page)
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    if page.axes == "SYX":
        values = np.ascontiguousarray(np.moveaxis(values, 0, 2))
    values = seen_as(values, page)
    if raw:
        return values
    if name(page.photometric) == "PALETTE":
        return _coloured(values, page)
    return values.astype(np.uint8) * np.uint8(255) if values.dtype == bool else values


def check(path: Path) -> None:
    """Raise `BrokenImage` for a file not all of whose pixels, or of its mask page's, are in it."""
    with tifffile.TiffFile(path) as tiff:
        for page in pages(tiff):
            if page is not None:
                tiff_parts.check(page, _has_nodata(page))
                tiff_parts.check_whole(page)


def pages(tiff: Any) -> tuple[Any, Any | None]:
    """Return an open TIFF's one image of full resolution, and the page that masks it.

    Raises `UnreadableImage` where there is not just one image.
    """
    if not tiff.pages:
        raise BrokenImage("broken file: it has no page, and may be cut short")
    if len(tiff.pages) > PAGES:
        raise UnreadableImage(f"{len(tiff.pages)} pages: split it into single images")
    whole = [page for page in tiff.pages if not page.subfiletype & REDUCED]
    masks = [page for page in whole if _is_mask(page)]
    images = [page for page in whole if not _is_mask(page)]
    if len(images) != 1 or len(masks) > 1:
        number = f"{len(images)} pages" if len(masks) <= 1 else f"{len(masks)} masks"
        raise UnreadableImage(f"{number} of full resolution: split it into single images")
    if not all(page.subfiletype & REDUCED for page in images[0].pages or ()):
        raise UnreadableImage("further images inside the image: split it into single images")
    mask = masks[0] if masks else None
    if mask is not None and mask.shape[:2] != (images[0].imagelength, images[0].imagewidth):
        raise UnreadableImage("its mask page is of another size than the image")
    return images[0], mask


def _is_mask(page: Any) -> bool:
    return bool(page.subfiletype & MASK) or name(page.photometric) == "MASK"


def mask_page(path: Path) -> npt.NDArray[np.bool_]:
    """Return what a TIFF's own mask page says is seen, (h, w), as it is stored.

    Raises `UnreadableImage` for a file without one.
    """
    with tifffile.TiffFile(path) as tiff:
        page = pages(tiff)[1]
        if page is None:
            raise UnreadableImage("it has no mask page")
        return np.asarray(seen_as(np.asarray(page.asarray()), page) > 0)


def name(code: Any, kind: Any = tifffile.PHOTOMETRIC) -> str:
    """Return what a number of a tag stands for, whether or not the file has the tag."""
    try:
        return str(kind(code).name)
    except ValueError:
        return str(code)


def compression(page: Any) -> str:
    """Return the name of a page's compression; its number where that is not known."""
    return name(page.compression, tifffile.COMPRESSION)


def _check(page: Any) -> None:
    kind, colours = compression(page), name(page.photometric)
    if isinstance(page.bitspersample, tuple):
        raise UnreadableImage(f"bands of {page.bitspersample} bits are not supported: save it as 8")
    if str(page.dtype) not in TYPES:
        given = page.dtype or f"of {page.bitspersample} bits"
        raise UnreadableImage(f"type {given} is not supported: save it as 8 or 16 bits or float32")
    if kind.isdigit():
        raise UnreadableImage(
            f"compression {kind} is not known: save it uncompressed, or with deflate"
        )
    if colours not in COLOURS or kind not in DECODED.get(colours, {kind}):
        raise UnreadableImage(f"colours {colours} are not supported: save it as grey or RGB")
    single = colours in ("MINISWHITE", "PALETTE") or page.dtype == bool
    apart = colours == "YCBCR" and page.axes == "SYX"  # no decoder puts their colours together
    if page.axes not in ("YX", "YXS", "SYX") or (single and page.axes != "YX") or apart:
        raise UnreadableImage(
            f"axes {page.axes} with {page.samplesperpixel} bands of colours {colours} are not "
            "supported: save it as grey or RGB"
        )
    if colours == "MINISWHITE" and page.dtype.kind not in "bu":
        raise UnreadableImage(f"type {page.dtype} of colours {colours} is not supported")
    tiff_parts.check(page, _has_nodata(page))


def seen_as(values: Pixels, page: Any) -> Pixels:
    """Return values with black low, or put them back: as they are, but where a page says else."""
    if name(page.photometric) != "MINISWHITE":
        return values
    return ~values if values.dtype == bool else (white(page) - values).astype(values.dtype)


def white(page: Any) -> int:
    """Return the greatest value that a page's bits hold."""
    return int(2**page.bitspersample - 1)


def _coloured(values: Pixels, page: Any) -> Pixels:
    """Return the colours, in 8 bits, that a palette's numbers stand for, with alpha for nodata."""
    palette = np.asarray(page.colormap)
    palette = palette if palette.max() <= 255 else palette >> 8  # some write 8 bits in 16
    colours = palette.T.astype(np.uint8)[values]
    gap = _nodata(page)
    if gap is None:
        return colours
    return np.dstack([colours, np.where(values == gap, 0, 255).astype(np.uint8)])


def _nodata(page: Any) -> float | None:
    """Return the value that a page's tag gives to pixels without data, if one can have it."""
    try:
        value = float(str(page.tags.valueof(NODATA)).strip("\0 "))
    except ValueError:
        return None
    if page.dtype.kind == "f":
        return value if math.isfinite(value) else None  # what is not a number is never seen
    info = np.iinfo(np.uint8 if page.dtype == bool else page.dtype)
    least, most = (0, white(page)) if info.min == 0 else (info.min, info.max)
    return value if value.is_integer() and least <= value <= most else None


def _has_nodata(page: Any) -> bool:
    """Whether the value that stands for strips or tiles that are left out is said to be no data."""
    real = page.dtype is not None and page.dtype.kind == "f" and not math.isfinite(page.nodata)
    return bool(real or _nodata(page) == page.nodata)


def facts(path: Path) -> Facts:
    """Return what a TIFF's tags say of its values."""
    with tifffile.TiffFile(path) as tiff:
        page, mask = pages(tiff)
        colours, gap = name(page.photometric), _nodata(page)
        alpha = [int(kind) in (1, 2) for kind in page.extrasamples][-1:] == [True]
        plain = colours != "PALETTE" and page.dtype != bool
        band = page.samplesperpixel - 1 if alpha else None
        if gap is not None and colours == "PALETTE":
            gap, band = None, 3
        elif gap is not None:
            gap = float(white(page) - gap if colours == "MINISWHITE" else gap)
        return Facts(
            bits=page.bitspersample if plain else None,
            nodata=255 * gap if gap is not None and page.dtype == bool else gap,
            alpha=band,
            orientation=upright(page.tags.valueof(ORIENTATION)),
            page=mask is not None,
            obstacle=_obstacle(page),
        )


def _obstacle(page: Any) -> str:
    if name(page.photometric) == "PALETTE":
        return PALETTE
    if page.dtype == bool:
        return BILEVEL
    if any(tag.code in FOLDERS for tag in page.tags):
        return "EXIF in directories of a TIFF can not be written back: save it without"
    return ""


def declarations(path: Path) -> dict[str, Any]:
    """Return what a TIFF says of its pixels: every tag but those of storage.

    Raises `UnreadableImage` for what has no identity but its bytes: a lossy one, whose pixels hang
    on the decoder, and one with further pages or images inside.
    """
    with tifffile.TiffFile(path) as tiff:
        page: Any = tiff.pages.first
        kind, several = compression(page), len(tiff.pages) > 1 or SUB_IMAGES in page.tags
        if kind not in EXACT or several:
            obstacle = "further images" if several else f"{kind}, which may be lossy"
            raise UnreadableImage(f"a TIFF with {obstacle}: it has no identity but its bytes")
        tags = {tag.code: tag.value for tag in page.tags if tag.code not in STORAGE}
        return {"format": "TIFF", "tags": tags}
