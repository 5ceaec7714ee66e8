"""JPEG 2000 files by their marks: whether every tile of the picture is there."""

import math
import struct
from collections import Counter

START = b"\xff\x4f\xff\x51"  # of the pixels, alone or in a file of boxes; the sizes follow
TILE = b"\xff\x90"
HEAD = 12  # bytes of a tile's own mark and header


def flaw(content: bytes) -> str:
    """Return how many tiles a JPEG 2000 lacks: a decoder leaves them black; empty: none."""
    place = content.find(START)
    if place < 0 or len(content) < place + 42:
        return ""  # the decoder says what is wrong
    right, low, left, top, wide, high, first, upper = struct.unpack_from(">8I", content, place + 8)
    if not wide or not high or left > right or top > low:
        return ""
    needed = math.ceil((right - first) / wide) * math.ceil((low - upper) / high)
    parts, there = _parts(content, place + 2)
    whole = sum(there[tile] >= number for tile, number in parts.items())
    return f"{needed - whole} of its {needed} tiles are missing" if whole < needed else ""


def _parts(content: bytes, place: int) -> tuple[dict[int, int], Counter[int]]:
    """Return, by tile, how many parts it has, 1 where it does not say, and how many are there."""
    while content[place : place + 2] != TILE and place + 4 <= len(content):
        place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    parts: dict[int, int] = {}
    there: Counter[int] = Counter()
    while content[place : place + 2] == TILE and place + HEAD <= len(content):
        tile, length, _, number = struct.unpack_from(">HIBB", content, place + 4)
        parts[tile] = max(parts.get(tile, 1), number)
        there[tile] += 1
        if length < HEAD:  # 0: it reaches to the end
            break
        place += length
    return parts, there
