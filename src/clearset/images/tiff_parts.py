"""Strips and tiles of a TIFF: whether all are there, are of a size that fits, and whole."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from clearset.images import jpeg
from clearset.store.errors import BrokenImage, UnreadableImage

TILE = 2048  # px: a side of a tile that may be larger than the image itself
AS_JPEG = {"JPEG", "OJPEG", "ALT_JPEG", "JPEG_LOSSY"}  # compressions whose parts are such files
SILENT = {tifffile.COMPRESSION[kind] for kind in ("LZW", "JPEGXR", "JPEGXR_NDPI")}
BYTE = 8  # bits of a JPEG, whose end is looked for
SIDES = 8  # px that a JPEG's blocks may reach beyond a strip, twice where colours are halved


def check(page: Any, has_nodata: bool) -> None:
    """Raise `UnreadableImage` for a page with too few strips or tiles, or too large ones.

    Parts that are left out stand for no data where a file says which value that is: GDAL writes
    such files. Elsewhere a decoder would make them up.
    """
    needed = math.prod(page.chunked)
    places = list(zip(page.dataoffsets, page.databytecounts, strict=False))[:needed]
    if len(places) < needed:
        raise BrokenImage(f"broken file: it lists {len(places)} of {needed} strips or tiles")
    check_tiles(page)
    empty = sum(not offset or not number for offset, number in places)
    left_out = sum(not offset and not number for offset, number in places)
    if empty > left_out:
        raise BrokenImage(f"broken file: {empty} of {needed} strips or tiles are empty")
    if left_out and not has_nodata:
        raise UnreadableImage(
            f"{left_out} of {needed} strips or tiles are left out, and no nodata value says what "
            "they stand for: save it whole"
        )
    if _silent(page):
        size = page.parent.filehandle.size
        cut = sum(offset + number > size for offset, number in places)
        if cut:
            raise BrokenImage(f"broken file: {cut} of {needed} strips or tiles are cut short")


def _silent(page: Any) -> bool:
    """Whether a decoder says nothing of a part that is cut: its pixels would be made up."""
    deep = page.compression == tifffile.COMPRESSION.JPEG and np.max(page.bitspersample) > BYTE
    return bool(page.compression in SILENT or deep)


def area(page: Any) -> int:
    """Return the pixels of all tiles of a page, 0 where it lies in strips."""
    return math.prod(page.chunked) * page.tilelength * page.tilewidth if page.is_tiled else 0


def check_tiles(page: Any) -> None:
    """Raise `UnreadableImage` for tiles that are far larger than the image, or deep."""
    if not page.is_tiled:
        return
    sides = (page.tilelength, page.imagelength), (page.tilewidth, page.imagewidth)
    if any(tile > max(TILE, 2 * side) for tile, side in sides) or page.tiledepth != 1:
        raise UnreadableImage(f"tiles of {page.tilewidth} x {page.tilelength} px: save it anew")


def check_whole(page: Any) -> None:
    """Raise `BrokenImage` for parts that are JPEGs, and of which a decoder would make up pixels.

    Every other compression says by itself where it ends too early.
    """
    check_jpegs(page)
    for number, part in _jpegs(page):
        reason = jpeg.flaw(part, page.jpegtables or b"")
        if reason:
            kind = "tile" if page.is_tiled else "strip"
            raise BrokenImage(f"broken file: in its {kind} {number + 1}: {reason}")


def check_jpegs(page: Any) -> None:
    """Raise `UnreadableImage` for parts that are JPEGs of other sizes than the page says."""
    high, wide = page.chunks[-3:-1] if page.axes == "YXS" else page.chunks[-2:]
    for _, part in _jpegs(page):
        rows, columns = jpeg.size(part)
        if rows > high + 2 * SIDES or columns > wide + 2 * SIDES:
            raise UnreadableImage(f"strips or tiles of {columns} x {rows} px in a page of less")


def decoded(page: Any) -> npt.NDArray[Any]:
    """Return a page's values as they are stored.

    A plane of a colour that is a JPEG of its own is grey, whatever the page's colours are: the
    decoder would look for three bands in each.
    """
    if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
        page.is_jfif = True  # only then does it not force the page's colours on each plane
    return np.asarray(page.asarray())


def _jpegs(page: Any) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the bytes of each part of a page that is a JPEG."""
    try:
        kind = tifffile.COMPRESSION(page.compression).name
    except ValueError:
        return
    if kind not in AS_JPEG:
        return
    parts = page.parent.filehandle.read_segments(
        page.dataoffsets, page.databytecounts, length=math.prod(page.chunked)
    )
    for content, number in parts:
        if content is not None and content.startswith(jpeg.START):
            yield number, content
