"""PNG files by their chunks: pixels that Pillow would cut, and everything beside the pixels."""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PALETTE = 3  # kind of colour
# Chunks that hang on the pixels by their name's last letter, and yet say the same of other ones.
KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"bKGD", b"cHRM", b"gAMA", b"iCCP", b"sBIT"}
KEPT |= {b"sRGB", b"tIME", b"sTER", b"cICP", b"mDCV", b"cLLI"}
STORAGE = {b"iDOT"}  # says where in the file pixels lie
BANDS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by kind of colour
# Interlaced: first column and row of each pass, and steps.
PASSES: tuple[tuple[int, int, int, int], ...] = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)
PLAIN = {(8, 0), (8, 2), (8, 4), (8, 6), (16, 0)}  # bits and kinds of colour of most files
LARGEST = 2**26  # bytes of filtered rows that are held at once
STEP = 2**14  # bytes inflated at once: they become a thousand times as many at most
Chunk = tuple[bytes, bytes]  # kind, content


def chunks(content: bytes) -> list[Chunk]:
    """Return the chunks of a PNG; raises `ValueError` where one is cut short."""
    result: list[Chunk] = []
    place = len(SIGNATURE)
    while not result or result[-1][0] != b"IEND":
        if place + 8 > len(content):
            raise ValueError("truncated PNG")
        length, kind = struct.unpack_from(">I4s", content, place)
        place += 8
        if place + length > len(content):
            raise ValueError("truncated PNG")
        result.append((kind, content[place : place + length]))
        place += length + 4
    return result


def layout(content: bytes) -> tuple[int, int]:
    """Return the bits of a sample and the kind of colour (bit 1: RGB, bit 2: alpha).

    Raises `ValueError` for a PNG cut short, as `chunks`.
    """
    _, _, depth, colour, _ = _header(content)
    return depth, colour


def _header(content: bytes) -> tuple[int, int, int, int, int]:
    """Return width, height, bits of a sample, the kind of colour, and whether it is interlaced."""
    start = len(SIGNATURE) + 8
    if len(content) < start + 13:
        raise ValueError("truncated PNG")
    width, height, depth, colour, interlaced = struct.unpack_from(">IIBBxxB", content, start)
    return width, height, depth, colour, interlaced


def flaw(content: bytes) -> str:
    """Return why not every pixel of a PNG comes from it; empty: every one does.

    Raises `zlib.error` for one whose compressed pixels are damaged, and `ValueError` as `chunks`.
    """
    needed, size = _needed(content), 0
    inflater = zlib.decompressobj()
    for piece in _pieces(content):
        size += len(inflater.decompress(piece))
        if inflater.eof or size > needed:
            break
    return f"its pixels end after {100 * size // needed} %" if size < needed else ""


def _pieces(content: bytes) -> Iterator[bytes]:
    """Yield a PNG's compressed pixels, so little at once that they can not become much."""
    for kind, body in chunks(content):
        if kind == b"IDAT":
            yield from (body[start : start + STEP] for start in range(0, len(body), STEP))


def _needed(content: bytes) -> int:
    """Return the bytes of a PNG's filtered rows, as its header has them."""
    width, height, depth, colour, interlaced = _header(content)
    bits = depth * BANDS.get(colour, 0)
    passes = PASSES if interlaced else ((0, 0, 1, 1),)
    sizes = [
        (-(-max(width - left, 0) // across), -(-max(height - top, 0) // down))
        for left, top, across, down in passes
    ]
    return sum(rows * (1 + -(-columns * bits // 8)) for columns, rows in sizes if columns)


def exif(every: list[Chunk]) -> bytes:
    """Return a PNG's EXIF, before or behind its pixels; empty: it has none."""
    return next((body for kind, body in every if kind == b"eXIf"), b"")


def obstacle(content: bytes) -> str:
    """Return why other pixels could not stand in a PNG's place; empty: they could."""
    depth, colour = layout(content)
    if depth < 8 and colour != PALETTE:
        return f"{depth} bits a pixel are read and not written: convert it to 8"
    names = {kind for kind, _ in chunks(content)}
    if b"tRNS" in names and colour == 2:
        return "one of its colours stands for what is transparent: give it an alpha band"
    bound = sorted(name for name in names - KEPT - STORAGE if chr(name[3]).isupper())
    return f"its chunk {ascii(bound[0])[2:-1]} hangs on the pixels it has" if bound else ""


def deep(content: bytes) -> npt.NDArray[Any]:
    """Return pixels of 16 bits in colour or with alpha, which Pillow would cut to 8."""
    return np.asarray(imagecodecs.png_decode(content))


def plain(content: bytes) -> npt.NDArray[Any] | None:
    """Return the pixels of a PNG as most are; None for any other, and for one that is not whole.

    What costs most, to inflate it, is done by libdeflate in a third of zlib's time. It is given no
    more room than the header says, and libpng then finds the rows stored as they are.
    """
    header = content[16:29]
    width, height, depth, colour, interlaced = _header(content)
    if interlaced or (depth, colour) not in PLAIN or _needed(content) > LARGEST:
        return None
    try:
        rows = imagecodecs.deflate_decode(_adjacent(content), out=_needed(content))
        body = bytes(imagecodecs.deflate_encode(rows, level=0))
        stored = _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")
        pixels = np.asarray(imagecodecs.png_decode(SIGNATURE + stored))
    except (RuntimeError, ValueError):
        return None
    return pixels if pixels.shape[:2] == (height, width) else None


def _adjacent(content: bytes) -> bytes:
    """Return a PNG's compressed pixels; raises `ValueError` where they are not all that is left."""
    every = chunks(content)
    parts = [body for kind, body in every if kind == b"IDAT"]
    if {kind for kind, _ in every[-1 - len(parts) : -1]} != {b"IDAT"}:
        raise ValueError("other chunks follow")
    return b"".join(parts)


def with_pixels(content: bytes, pixels: npt.NDArray[Any]) -> bytes:
    """Return a PNG with other pixels of the same kind, every other chunk as it was.

    Raises `ValueError` for pixels of another size, depth or number of bands.
    """
    fresh = chunks(_encoded(pixels))
    header, own = fresh[0][1], chunks(content)
    if header[:10] != own[0][1][:10]:
        raise ValueError("pixels of another kind than the PNG's own")
    data = [chunk for chunk in fresh if chunk[0] == b"IDAT"]
    result = [(b"IHDR", header)]
    for chunk in own[1:]:
        if chunk[0] == b"IDAT":
            result += data
            data = []
        elif chunk[0] not in STORAGE:
            result.append(chunk)
    return SIGNATURE + b"".join(_chunk(*chunk) for chunk in result)


def _encoded(pixels: npt.NDArray[Any]) -> bytes:
    if pixels.dtype == np.uint16 and pixels.ndim == 3:
        return bytes(imagecodecs.png_encode(pixels, level=6))
    encoded = io.BytesIO()
    Pillow.fromarray(pixels).save(encoded, format="PNG")
    return encoded.getvalue()


def _chunk(kind: bytes, content: bytes) -> bytes:
    crc = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)
