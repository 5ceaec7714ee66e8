"""PGM and PPM files, whose white may be any number that 16 bits hold."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.images.bounds import Extent, check_size
from clearset.images.facts import Facts
from clearset.store.errors import BrokenImage, UnreadableImage

SPACE = rb"(?:\s|#[^\n]*\n)+"
MAGIC = re.compile(rb"P[2356][\s#]")
NUMBER = rb"(\d{1,99})"  # no size and no white is longer
HEADER = re.compile(rb"P([2356])" + (SPACE + NUMBER) * 3 + rb"\s")
DIGITS = re.compile(rb"[\d\s]*")
REACH = 2**16  # bytes in which a header ends
EIGHT_BITS = 255
IN_DIGITS = 12  # bytes of a value while digits are read, a few times over


def extent(path: Path) -> Extent:
    """Return how large an image is, by its header."""
    with path.open("rb") as file:
        kind, width, height, white, _ = _header(file.read(REACH))
    value = IN_DIGITS if kind in (2, 3) else 1 if white <= EIGHT_BITS else 2
    return Extent(height, width, 1 if kind in (2, 5) else 3, value)


def decode(path: Path, _: bool) -> npt.NDArray[Any]:
    """Return a file's pixels as stored, uint8 or uint16, (h, w) or (h, w, 3).

    Raises `UnreadableImage` for a file that holds more or less than an image.
    """
    content = path.read_bytes()
    kind, width, height, white, end = _header(content)
    check_size(height, width)
    shape = (height, width) if kind in (2, 5) else (height, width, 3)
    number = height * width * (1 if kind in (2, 5) else 3)
    dtype = np.dtype(np.uint8 if white <= EIGHT_BITS else ">u2")
    if kind in (2, 3):
        values = _in_digits(content[end:])
    else:
        stored = content[end : end + number * dtype.itemsize]
        values = np.frombuffer(stored[: len(stored) // dtype.itemsize * dtype.itemsize], dtype)
        if content[end + number * dtype.itemsize :].strip():
            raise UnreadableImage("it holds more than one image: split it into single ones")
    if values.size != number or values.max() > white:
        raise BrokenImage("broken file: truncated, or values beyond its own white")
    return values.astype(dtype.newbyteorder("=")).reshape(shape)


def _in_digits(content: bytes) -> npt.NDArray[np.int64]:
    """Return values that are written in digits, and in nothing else."""
    try:
        if DIGITS.fullmatch(content):
            return np.array(content.split(), np.int64)
    except (ValueError, OverflowError):  # more digits than any value has
        pass
    raise BrokenImage("broken file: not all of its values are numbers that it may hold")


def check(path: Path) -> None:
    """Do nothing: `decode` counts the values by itself."""


def facts(path: Path) -> Facts:
    """Return what a file says of its values."""
    with path.open("rb") as file:
        kind, _, _, white, _ = _header(file.read(REACH))
    obstacle = "written in digits: save it in binary" if kind in (2, 3) else ""
    return Facts(bits=white.bit_length(), white=white, obstacle=obstacle)


def declarations(path: Path) -> dict[str, Any]:
    """Return what a file says of its pixels."""
    with path.open("rb") as file:
        kind, _, _, white, _ = _header(file.read(REACH))
    plain = {"format": "PPM", "mode": "L" if kind in (2, 5) else "RGB", "palette": None}
    return plain | ({} if white == EIGHT_BITS else {"white": white})


def write_like(source: Path, pixels: npt.NDArray[Any], target: Path) -> None:
    """Write pixels under the header of `source`."""
    content = source.read_bytes()
    end = _header(content)[-1]
    stored = pixels.astype(pixels.dtype.newbyteorder(">"))
    target.write_bytes(content[:end] + stored.tobytes())


def _header(content: bytes) -> tuple[int, int, int, int, int]:
    """Return kind, width, height, white, and where the pixels begin."""
    found = HEADER.match(content[:REACH])
    if found is None:
        raise BrokenImage("broken file: its header says no size")
    kind, width, height, white = (int(text) for text in found.groups())
    if not 0 < white < 2**16:
        raise BrokenImage(f"broken file: its white is {white}")
    return kind, width, height, white, found.end()
