"""Pixels written as a TIFF that is stored as another one is, with its tags and its mask page."""

from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from clearset.images.tiff import (
    EXACT,
    FOLDERS,
    SUB_IMAGES,
    Pixels,
    compression,
    name,
    pages,
    seen_as,
)

# Tags that say how the pixels are stored; the writer makes its own.
LAYOUT = {254, 255, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 280, 281, 284, 317}
LAYOUT |= {322, 323, 324, 325, 338, 339, *range(512, 533), 347}
ARGUMENTS = {282, 283, 296, 34675}  # resolution and ICC profile: arguments of the writer


def write_like(source: Path, pixels: Pixels, target: Path) -> None:
    """Write pixels as a TIFF stored as `source` is, with its tags and its mask page.

    Overviews are left out, since they would show the pixels of before: who needs them makes them
    anew. A lossy compression becomes deflate, and none is written with bits that do not fill whole
    bytes.
    """
    with tifffile.TiffFile(source) as tiff:
        page, mask = pages(tiff)
        order = "<" if _packed(page) else tiff.byteorder  # tifffile packs other ones wrong
        with tifffile.TiffWriter(target, bigtiff=tiff.is_bigtiff, byteorder=order) as writer:
            _write(writer, page, seen_as(pixels, page))
            if mask is not None:
                _write(writer, mask, np.asarray(mask.asarray()))


def _write(writer: Any, page: Any, pixels: Pixels) -> None:
    """Write pixels as a page like another one."""
    lossless = compression(page) in EXACT
    packed = _packed(page)
    planar = name(page.planarconfig, tifffile.PLANARCONFIG) if pixels.ndim > 2 else None
    colours = name(page.photometric)
    extra = page.extrasamples or None
    writer.write(
        np.moveaxis(pixels, 2, 0) if planar == "SEPARATE" else pixels,
        photometric="rgb" if colours == "YCBCR" else colours,
        planarconfig=planar,
        bitspersample=page.bitspersample if packed else None,
        compression=None if packed else compression(page) if lossless else "adobe_deflate",
        predictor=page.predictor if lossless and not packed and page.predictor != 1 else None,
        tile=(page.tilelength, page.tilewidth) if page.is_tiled and lossless else None,
        rowsperstrip=None if page.is_tiled or not lossless else page.rowsperstrip,
        extrasamples=[sample.name for sample in extra] if extra else None,
        subfiletype=page.tags.valueof(254),
        resolution=_resolution(page),
        resolutionunit=page.resolutionunit if _resolution(page) else "NONE",
        iccprofile=page.tags.valueof("InterColorProfile"),
        software=False,
        metadata=None,
        extratags=_tags(page),
    )


def _packed(page: Any) -> bool:
    """Whether a page's values have fewer bits than whole bytes have."""
    return bool(page.dtype != bool and page.bitspersample < 8 * page.dtype.itemsize)


def _resolution(page: Any) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return a page's resolution in fractions; None: it says none, or none that is a number."""
    across, down = page.tags.valueof(282), page.tags.valueof(283)
    return (across, down) if across and down and across[1] and down[1] else None


def _tags(page: Any) -> list[tuple[int, int, int, Any, bool]]:
    """Return the tags that say what the image is, as the writer takes them."""
    own = LAYOUT | ARGUMENTS | FOLDERS | {SUB_IMAGES}
    return [
        (tag.code, int(tag.dtype), tag.count, _value(tag), True)
        for tag in page.tags
        if tag.code not in own
    ]


def _value(tag: Any) -> Any:
    """Return a tag's value, as bytes where the reader makes more of it than numbers or text."""
    if not isinstance(tag.value, dict):
        return tag.value
    file = tag.parent.filehandle
    file.seek(tag.valueoffset)
    return file.read(tag.valuebytecount)
