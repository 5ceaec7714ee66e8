"""Image files to arrays as stored and back: the only place where file formats are known."""

import hashlib
import io
import logging
import math
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from clearset.images import bounds, levels, netpbm, others, pillow, tiff, tiff_copy
from clearset.images.bounds import Extent
from clearset.images.facts import Facts
from clearset.images.levels import Image, Mask, Pixels, Reading
from clearset.store.errors import BrokenImage, UnreadableImage

# Names of files that are looked into; what is in them decides how they are read.
SUFFIXES = {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".bmp", ".webp", ".gif"}
SUFFIXES |= {".pbm", ".pgm", ".ppm", ".pnm", ".jp2", ".tif", ".tiff", ".btf", ".tf8"}
Pillow.MAX_IMAGE_PIXELS = bounds.MAX_PIXELS // 2  # it refuses twice as many, whatever it opens
for library in ("PIL", "imagecodecs", "tifffile"):
    # What matters is raised; without a handler their warnings would go to the terminal.
    logging.getLogger(library).addHandler(logging.NullHandler())
# Errors whose text is a reason; that of all others is one for who maintains a decoder.
SPOKEN = (OSError, ValueError, SyntaxError, RuntimeError, EOFError, zlib.error)
LARGE = ("Decompressed data too large", "Too much memory used in text")  # Pillow's, of a PNG
LONGEST = 300  # characters of a reason


class Format(NamedTuple):
    """How files of a kind are read and written."""

    extent: Callable[[Path], Extent]
    check: Callable[[Path], None]
    decode: Callable[[Path, bool], Pixels]
    facts: Callable[[Path], Facts]
    declarations: Callable[[Path], dict[str, Any]]
    write_like: Callable[[Path, Pixels, Path], None]


TIFF = Format(
    tiff.extent, tiff.check, tiff.decode, tiff.facts, tiff.declarations, tiff_copy.write_like
)
NETPBM = Format(
    *(netpbm.extent, netpbm.check, netpbm.decode, netpbm.facts, netpbm.declarations),
    netpbm.write_like,
)
PILLOW = Format(
    *(pillow.extent, pillow.check, pillow.decode, pillow.facts, pillow.declarations),
    pillow.write_like,
)


def format_of(path: Path) -> Format:
    """Return how a file is read and written, by its first bytes; its name says nothing."""
    with path.open("rb") as file:
        start = file.read(4)
    if start in tiff.MAGIC:
        return TIFF
    return NETPBM if netpbm.MAGIC.match(start) else PILLOW


def decode(path: Path, raw: bool = False) -> Pixels:
    """Return a file's pixels as stored, (h, w) or (h, w, bands), of any real or whole type.

    A palette's pixels are its colours, and bilevel ones 0 and 255; `raw`: numbers, and booleans.
    Raises `UnreadableImage` for anything that is not just one image of full resolution: a broken
    file, too small, too large, CMYK, or several pages; a MPO's first picture is its image.
    """
    with _reasons(path):
        return format_of(path).decode(path, raw)


def check(path: Path, memory: float = math.inf) -> None:
    """Raise `UnreadableImage` for a file that takes too much, or is not whole.

    That is more than `memory` gigabytes to be measured; `BrokenImage`, if a decoder would make up
    some of its pixels. It costs up to a decoding: done where a file is first read, and no more.
    """
    with _reasons(path):
        kind = format_of(path)
        bounds.check_memory(_bounded(kind, path), memory)
        kind.check(path)


def check_memory(path: Path, memory: float) -> None:
    """Raise `UnreadableImage` for a file whose header says more than `memory` gigabytes take."""
    with _reasons(path):
        bounds.check_memory(_bounded(format_of(path), path), memory)


def _bounded(kind: Format, path: Path) -> Extent:
    """Return how large an image is by its header, if nobody forbids it."""
    extent = kind.extent(path)
    bounds.check_size(extent.height, extent.width)
    return extent


def mask_page(path: Path) -> Mask:
    """Return what a TIFF's own mask page says is seen; raises `UnreadableImage` as `decode`."""
    with _reasons(path):
        return tiff.mask_page(path)


@contextmanager
def _reasons(path: Path) -> Iterator[None]:
    """Raise `UnreadableImage` for whatever readers are led to by a hostile file; warn of nothing.

    What matters is raised; Pillow also warns of size.
    """
    if path.stat().st_size == 0:
        raise BrokenImage("the file is empty (0 bytes)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UnreadableImage:
        raise
    except Pillow.DecompressionBombError:
        raise UnreadableImage(f"more than {bounds.MAX_PIXELS} px") from None
    except MemoryError:
        raise UnreadableImage("decoding it takes more memory than there is") from None
    except Exception as error:  # decoders raise anything
        if str(error).startswith(LARGE):
            raise UnreadableImage(
                "its texts or its profile are too large: save it without"
            ) from None
        kind = _other_kind(path)
        if kind:
            raise UnreadableImage(f"{kind}, which is not read: save it as TIFF or PNG") from None
        raise BrokenImage(f"broken or unknown file: {_reason(error, path)}") from None


def _reason(error: Exception, path: Path) -> str:
    """Return an error of a decoder in a printable line, without the place of the file."""
    if isinstance(error, UnidentifiedImageError):  # its text is one for programmers
        return "its first bytes are of no kind that is read, or its header is damaged"
    text = " ".join(str(error).replace(str(path), path.name).split())
    if not text or not isinstance(error, SPOKEN):
        text = f"its header leads the decoder astray ({type(error).__name__})"
    return "".join(char if char.isprintable() else "?" for char in text)[:LONGEST]


def _other_kind(path: Path) -> str:
    """Return what kind of file another than an image that is read is; empty: none with a name."""
    with path.open("rb") as file:
        start = file.read(others.REACH)
        file.seek(max(path.stat().st_size - others.REACH, 0))
        return others.kind(start, file.read())


def facts(path: Path) -> Facts:
    """Return what a file's header says of its values; raises `UnreadableImage` as `decode`."""
    with _reasons(path):
        return format_of(path).facts(path)


def declarations(path: Path) -> dict[str, Any]:
    """Return what a file says of its pixels, all of it; raises `UnreadableImage` as `decode`.

    That includes a lossy file, whose pixels hang on the decoder.
    """
    with _reasons(path):
        return format_of(path).declarations(path)


def declaration(path: Path, pixels: Pixels) -> Reading:
    """Return what a file itself declares of its values, which are `pixels` as stored."""
    return reading(facts(path), pixels)


def obstacle(path: Path) -> str:
    """Return why a file with other values could not be written back truly; empty: it could."""
    return facts(path).obstacle


def reading(said: Facts, pixels: Pixels) -> Reading:
    """Return how pixels are read by what their file says; without a range where it says none."""
    whole = levels.of_type(pixels)
    white = 2**said.bits - 1 if said.white is None and said.bits is not None else said.white
    return replace(
        whole,
        high=whole.high if white is None or math.isnan(whole.high) else float(white),
        nodata=said.nodata,
        alpha=said.alpha,
        orientation=said.orientation,
        seen="page" if said.page else "",
    )


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

    What lies beyond the range, what is not `seen` (None: all is) and alpha stay as they were, and
    nothing else becomes nodata. Lossless where the format is; JPEG at quality 95 with its own
    subsampling. What else the file says travels along: see `tiff_copy`, `png` and `pillow`. Raises
    `UnreadableImage` for a file with an obstacle, which stays as it is.
    """
    before = decode(source)
    if image.shape != before.shape:
        raise ValueError(f"{source.name}: shape {image.shape} is not its own {before.shape}")
    reading = declaration(source, before) if reading is None else reading
    write_stored(source, levels.repaired(before, image, reading, seen), target)


def write_stored(source: Path, pixels: Pixels, target: Path) -> None:
    """Write pixels as they are to `target`, in the format of the file `source`.

    Raises `UnreadableImage` for a file with an obstacle.
    """
    if reason := obstacle(source):
        raise UnreadableImage(f"{source.name} can not be written back: {reason}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        format_of(source).write_like(source, pixels, target)


def png_bytes(pixels: Pixels, compress_level: int = 6) -> bytes:
    """Return pixels as a PNG file's bytes."""
    encoded = io.BytesIO()
    Pillow.fromarray(pixels).save(encoded, format="PNG", compress_level=compress_level)
    return encoded.getvalue()
