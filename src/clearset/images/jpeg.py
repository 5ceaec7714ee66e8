"""JPEG files by their marks: whether every pixel comes from the file, or a decoder made some up.

Decoders fill what is missing with grey and only warn; Pillow does not even pass the warning on.
"""

import re
from collections.abc import Iterator

import simplejpeg

START, END = b"\xff\xd8", b"\xff\xd9"
MARK = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # neither a value in a scan nor its restart mark
SCAN = 0xDA
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
PROGRESSIVE = {0xC2, 0xCA}
SAID = {*range(0xE0, 0xF0), 0xFE}  # what is said beside the pixels: of no matter for them
COEFFICIENTS = 64  # of a block: the mean and 63 waves
# What libjpeg says of pixels that are not there; whatever else it says, its other half says too.
LOST = ("Corrupt JPEG data", "Premature end of JPEG", "Inconsistent progression sequence")
SURPLUS = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
PADDING = 4  # zeros behind the last pixel that are no loss: cameras fill up a word
Segment = tuple[int, bytes]  # mark, and what follows up to the next one


def segments(content: bytes) -> Iterator[Segment]:
    """Yield the segments of a file's first picture, a scan with its pixels, up to its end mark."""
    mark = MARK.search(content, len(START))
    while mark is not None and mark.group() != END:
        length = int.from_bytes(content[mark.end() : mark.end() + 2], "big")
        behind = MARK.search(content, mark.end() + length)
        kind, stop = mark.group()[1], mark.end() + length
        if kind == SCAN:
            stop = len(content) if behind is None else behind.start()
        yield kind, content[mark.end() : stop]
        mark = behind
    if mark is not None:
        yield END[1], b""


def flaw(content: bytes, tables: bytes = b"") -> str:
    """Return why not every pixel of a JPEG comes from it; empty: every one does.

    `tables` is another file with the tables of this one, as strips of a TIFF share them.
    """
    every = [one for one in segments(tables) if one[0] != END[1]] if tables else []
    every += segments(content)
    return _unfinished(every) or _lost(every)


def size(content: bytes) -> tuple[int, int]:
    """Return height and width as a JPEG's header says them; 0 and 0 where it says none."""
    body = next((body for kind, body in segments(content) if kind in FRAMES), b"")
    return int.from_bytes(body[3:5], "big"), int.from_bytes(body[5:7], "big")


def _lost(every: list[Segment]) -> str:
    """Return what the decoder says of lost pixels, in its words; it reads each to an eighth."""
    plain = [bytes([0xFF, kind]) + body for kind, body in every if kind not in SAID]
    try:
        simplejpeg.decode_jpeg(
            START + b"".join(plain), "GRAY", min_height=1, min_width=1, min_factor=8, strict=True
        )
    except ValueError as error:
        reason = str(error)
        return reason if reason.startswith(LOST) and not _padded(reason, every) else ""
    return ""


def _padded(reason: str, every: list[Segment]) -> bool:
    """Whether all that a decoder bemoans are a few zeros behind the last pixel."""
    surplus = SURPLUS.search(reason)
    number = int(surplus[1]) if surplus else 0
    scans = [body for kind, body in every if kind == SCAN]
    return 0 < number <= PADDING and not any(scans[-1][-number:])


def _unfinished(every: list[Segment]) -> str:
    """Return which scans a JPEG lacks; empty: none, or it is none that this knows."""
    frame = next((one for one in every if one[0] in FRAMES), None)
    if frame is None or len(frame[1]) < 8 or len(frame[1]) < 8 + 3 * frame[1][7]:
        return ""
    deep = frame[0] in PROGRESSIVE
    # Of each component the bits that each coefficient still lacks: all, or none once it is whole.
    lacks = {part: [COEFFICIENTS] * COEFFICIENTS for part in frame[1][8 : 8 + 3 * frame[1][7] : 3]}
    for kind, body in every:
        if kind == SCAN and len(body) > 2 and len(body) >= 6 + 2 * body[2]:
            first, last, bits = body[3 + 2 * body[2] : 6 + 2 * body[2]]
            reached = slice(first, last + 1) if deep else slice(None)
            for part in set(body[3 : 3 + 2 * body[2] : 2]) & set(lacks):
                places = range(COEFFICIENTS)[reached]
                lacks[part][reached] = [bits & 15 if deep else 0] * len(places)
    short = sum(any(bits) for bits in lacks.values())
    what = "its last scans are" if deep else "a scan is"
    return f"{what} missing, for {short} of its {len(lacks)} components" if short else ""
