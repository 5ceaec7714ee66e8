"""Parsers: any bytes give a result or the documented error; what is written is read back."""

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from clearset.images import bmp, bounds, canvas, jpeg, jpeg2000, netpbm, png
from clearset.images.bounds import Extent
from clearset.store import checksums
from clearset.store.errors import ClearsetError, UnreadableImage
from conftest import REPEATABLE

SAME = settings(REPEATABLE, max_examples=100, deadline=5000)  # ms: no parser runs away
PIXELS = np.random.default_rng(0).integers(0, 255, (16, 16, 3), dtype=np.uint8)
DIGEST = st.text("0123456789abcdef", min_size=64, max_size=64)


def encoded(kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, kind, **options)
    return stream.getvalue()


def runs() -> bytes:
    """Return a BMP whose header names runs, with some of every sort."""
    head = encoded("BMP")[:54]
    return head[:30] + b"\x01\0\0\0" + head[34:] + b"\x05\x07\0\x03abc\0\0\x02\x01\x01\0\0\0\x01"


@dataclass(frozen=True)
class Damage:
    """What becomes of a sound file: bytes written over, some taken out, the end cut off."""

    over: list[tuple[int, int]]
    out: tuple[int, int]
    length: int

    def done(self, content: bytes) -> bytes:
        changed = bytearray(content)
        for place, value in self.over:
            changed[place % len(changed)] = value
        start = self.out[0] % len(changed)
        del changed[start : start + self.out[1]]
        return bytes(changed[: self.length])


ENDS = st.sampled_from([0, 1, 2, 3, 4, 7, 8, 16, 0x7F, 0xC0, 0xDA, 0xFF]) | st.integers(0, 255)
DAMAGES = st.builds(
    Damage,
    st.lists(st.tuples(st.integers(0, 70) | st.integers(0, 4096), ENDS), max_size=6),
    st.tuples(st.integers(0, 4096), st.just(0) | st.integers(0, 40)),
    st.just(10**6) | st.integers(0, 900),
)
SOUND = {
    "png": encoded("PNG"),
    "jpeg": encoded("JPEG"),
    "progressive": encoded("JPEG", progressive=True),
    "gif": encoded("GIF", comment="c" * 300),
    "webp": encoded("WEBP"),
    "lossless": encoded("WEBP", lossless=True),
    "runs": runs(),
    "jpeg2000": encoded("JPEG2000", no_jp2=True),
    "pgm": b"P5 #c\n10 10 255\n" + bytes(range(100)),
    "digits": b"P2\n10 10\n99\n" + b"7 12\n" * 50,
}
BYTES = (
    st.builds(lambda kind, damage: damage.done(SOUND[kind]), st.sampled_from([*SOUND]), DAMAGES)
    | st.binary(max_size=200)
    | st.builds(
        lambda start, rest: start + rest,
        st.sampled_from([content[:length] for content in SOUND.values() for length in (4, 26)]),
        st.binary(max_size=60),
    )
)


def of_file(parse: Callable[[Path], Any]) -> Callable[[bytes], Any]:
    """Return a parser of files as one of bytes."""

    def parsed(content: bytes) -> Any:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "a"
            path.write_bytes(content)
            return parse(path)

    return parsed


PARSERS: dict[str, tuple[Callable[[bytes], Any], tuple[type[Exception], ...]]] = {
    "png.chunks": (png.chunks, (ValueError,)),
    "png.layout": (png.layout, (ValueError,)),
    "png.flaw": (png.flaw, (ValueError, zlib.error)),
    "png.obstacle": (png.obstacle, (ValueError,)),
    "jpeg.segments": (lambda content: list(jpeg.segments(content)), ()),
    "jpeg.flaw": (jpeg.flaw, ()),
    "jpeg.flaw of tables": (lambda content: jpeg.flaw(SOUND["jpeg"], content), ()),
    "jpeg.size": (jpeg.size, ()),
    "jpeg2000.flaw": (jpeg2000.flaw, ()),
    "bmp.passed_over": (bmp.passed_over, ()),
    "canvas.size": (canvas.size, ()),
    "netpbm.extent": (of_file(netpbm.extent), (UnreadableImage,)),
    "netpbm.facts": (of_file(netpbm.facts), (UnreadableImage,)),
    "netpbm.decode": (of_file(lambda path: netpbm.decode(path, False)), (UnreadableImage,)),
    "checksums.read": (of_file(checksums.read), (ClearsetError,)),
}


@settings(SAME, max_examples=600)
@given(BYTES)
def test_any_bytes_give_a_result_or_the_documented_error(content: bytes) -> None:
    for name, (parse, documented) in PARSERS.items():
        try:
            parse(content)
        except documented as error:
            assert str(error), name


@pytest.mark.parametrize("kind", ["png", "jpeg", "progressive", "jpeg2000"])
def test_a_sound_file_has_no_flaw_and_its_size(kind: str) -> None:
    content = SOUND[kind]
    flaw = {"png": png.flaw, "jpeg2000": jpeg2000.flaw}.get(kind, jpeg.flaw)
    assert flaw(content) == ""
    if flaw is jpeg.flaw:
        assert jpeg.size(content) == PIXELS.shape[:2]


SIDES = st.integers(-5, 40) | st.integers(-(2**64), 2**64)


@SAME
@given(SIDES, SIDES, st.integers(1, 10**6), st.floats(0, allow_nan=False))
def test_any_size_is_taken_or_refused_by_name(h: int, w: int, bands: int, memory: float) -> None:
    try:
        bounds.check_size(h, w)
        taken = True
    except UnreadableImage as error:
        taken = False
        assert f"{w} x {h} px" in str(error)
    assert taken == (min(h, w) >= bounds.MIN_SIDE and h * w <= bounds.MAX_PIXELS)
    extent = Extent(h, w, bands)
    if extent.bytes > memory * bounds.GIGABYTE:
        with pytest.raises(UnreadableImage, match=r"fetch\.memory allows"):
            bounds.check_memory(extent, memory)
    else:
        bounds.check_memory(extent, memory)


@SAME
@given(st.binary(min_size=30, max_size=60), st.integers(0, 30))
def test_no_more_of_a_file_takes_its_size_back(rest: bytes, cut: int) -> None:
    for start in (b"GIF89a", b"RIFF....WEBPVP8X", b"RIFF....WEBPVP8L", b"RIFF....WEBPVP8 "):
        short, whole = canvas.size((start + rest)[: -cut or None]), canvas.size(start + rest)
        assert short is None or start == b"GIF89a" or short == whole


# \r before an end of line belongs to it, as other systems write it.
LINES = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=12)


@SAME
@given(st.dictionaries(LINES, DIGEST, max_size=6))
def test_a_list_of_checksums_is_read_back_or_says_what_is_wrong(digests: dict[str, str]) -> None:
    with TemporaryDirectory() as folder:
        path = checksums.write_list(digests, Path(folder) / "list")
        if all(map(checksums.is_safe, digests)):
            assert checksums.read(path) == digests
            first = path.read_bytes()
            assert checksums.write_list(checksums.read(path), path).read_bytes() == first
        else:
            with pytest.raises(ClearsetError, match=r"lies elsewhere|no checksum and path"):
                checksums.read(path)


WHITES = st.integers(1, 2**16 - 1)


@SAME
@given(WHITES, st.integers(10, 13), st.integers(10, 13), st.data())
def test_values_in_digits_and_in_bytes_are_the_same(
    white: int, height: int, width: int, data: st.DataObject
) -> None:
    seed = data.draw(st.integers(0, 2**32 - 1))
    values = np.random.default_rng(seed).integers(0, white, (height, width), endpoint=True)
    head = f" {width}  #{seed}\n {height}\n{white}\n".encode()
    stored = values.astype(np.uint8 if white < 256 else ">u2").tobytes()
    written = b"P2" + head + " ".join(map(str, values.ravel())).encode()
    read = of_file(lambda path: netpbm.decode(path, False))
    for content in (b"P5" + head + stored, written):
        np.testing.assert_array_equal(read(content), values)
        extent = of_file(netpbm.extent)(content)
        assert (extent.height, extent.width) == (height, width)
    with pytest.raises(UnreadableImage, match="truncated, or values beyond"):
        read(written + f" {white}".encode())
    with pytest.raises(UnreadableImage, match="not all of its values are numbers"):
        read(written[:-1] + b"-1")
