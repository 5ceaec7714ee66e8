"""BMP files in runs, which may pass over pixels and say of none what it is."""

import struct

RUNS = {1: 1, 2: 2}  # pixels in a byte, by the compression that a header names
LINE, END, JUMP = 0, 1, 2  # what stands in for the pixels of a run of length 0


def passed_over(content: bytes) -> tuple[int, bool]:
    """Return how many pixels a BMP's runs do not reach, and whether they have an end.

    A decoder makes such pixels black. A BMP without runs passes over none.
    """
    if len(content) < 34:
        return 0, True
    place, header, width, height = struct.unpack_from("<IIii", content, 10)
    (kind,) = struct.unpack_from("<I", content, 30)
    if header < 40 or kind not in RUNS or width <= 0:
        return 0, True
    written, column, ended = 0, 0, False
    while place + 1 < len(content):
        length, value = content[place : place + 2]
        place += 2
        if length or value > JUMP:
            number = length or value
            written += max(min(number, width - column), 0)
            column += number
            size = 0 if length else -(-number // RUNS[kind])
            place += size + size % 2  # what is not repeated is filled up to a word
        elif value == LINE:
            column = 0
        elif value == JUMP and place < len(content):
            column += content[place]
            place += 2
        else:
            ended = value == END
            break
    return max(width * abs(height) - written, 0), ended
