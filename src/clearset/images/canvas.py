"""The size of a GIF or a WebP by its first bytes: Pillow allocates it as it opens the file."""

import struct

GIF, RIFF, WEBP = b"GIF8", b"RIFF", b"WEBP"
MAGIC = {GIF, RIFF}
EXTENSION, PICTURE = b"!", b","
LEAST = 30  # bytes in which a WebP says its size
REACH = 2**20  # bytes in which a GIF's first picture begins: comments may precede it


def size(start: bytes) -> tuple[int, int] | None:
    """Return height and width of a GIF or a WebP; None for another file, or one cut short."""
    try:
        if start.startswith(GIF):
            return _of_gif(start)
        whole = len(start) >= LEAST and start[8:12] == WEBP
        return _of_webp(start) if start.startswith(RIFF) and whole else None
    except (struct.error, IndexError):
        return None


def _of_gif(start: bytes) -> tuple[int, int]:
    """Return the larger of a GIF's screen and its first picture, down and across."""
    width, height, flags = struct.unpack_from("<HHB", start, 6)
    place = 13 + _colours(flags)
    while start[place : place + 1] == EXTENSION:
        place += 2
        while length := start[place]:
            place += 1 + length
        place += 1
    if start[place : place + 1] != PICTURE:
        return height, width
    left, top, wide, high = struct.unpack_from("<4H", start, place + 1)
    return max(height, top + high), max(width, left + wide)


def _colours(flags: int) -> int:
    """Return the bytes of a table of colours."""
    return int(3 * 2 ** ((flags & 7) + 1)) if flags & 128 else 0


def _of_webp(start: bytes) -> tuple[int, int] | None:
    """Return the size of a WebP's canvas, by its first chunk."""
    kind = start[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(start[at : at + 3], "little") for at in (24, 27))
        return height + 1, width + 1
    if kind == b"VP8L":
        bits = int.from_bytes(start[21:25], "little")
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", start, 26)
        return height & 0x3FFF, width & 0x3FFF
    return None
