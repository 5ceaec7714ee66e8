"""Files that ask for much and hold little: refused by name, and by their headers alone."""

import io
import json
import math
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from clearset.config.schema_fetch import Fetch
from clearset.images import bounds, canvas, codec
from clearset.images.bounds import Extent
from clearset.sources import description
from clearset.store.errors import UnreadableImage
from conftest import ROOT

LEAST = 100  # MB that looking at any of them may take, beside the program
PEAK = """
import json, sys
from pathlib import Path
from clearset.config.schema_fetch import Fetch
from clearset.engines import look
from clearset.images import codec
from clearset.images.levels import Reading
from clearset.sources import description, glances
from clearset.store.errors import UnreadableImage

def most():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000

what, path = sys.argv[1], Path(sys.argv[2])
before, reason = most(), ""
try:
    if what == "refuse":
        assert glances.glance(Fetch().memory, path) is None
    if what == "look":
        look.look(look.Wishes((), keypoints=True), look.Job(path, Reading(0, 255)))
    else:
        description.description(path, Fetch())
except UnreadableImage as error:
    reason = str(error)
taken = most() - before
for said in (codec.facts, codec.declarations) if what == "refuse" else ():
    try:
        said(path)
    except UnreadableImage:
        pass
print(json.dumps([taken, most() - before, reason]))
"""
linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="it reads Linux's /proc")


def peak(what: str, path: Path) -> tuple[float, float, str]:
    """Return the MB that a process takes to look at a file, and to ask it, and why it refuses."""
    run = subprocess.run(
        [sys.executable, "-c", PEAK, what, str(path)],
        env={"PYTHONPATH": ":".join([str(ROOT / "src"), *sys.path]), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stderr == ""
    looked, asked, reason = json.loads(run.stdout)
    return looked, asked, reason


def png(width: int, height: int, colour: int, *chunks: tuple[bytes, bytes]) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    every = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(bytes(9))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in every
    )


@cache
def swollen() -> bytes:
    """Return 200 MB of zeros, compressed."""
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(200)) + packer.flush()


def gif(screen: int, picture: int, disposal: int) -> bytes:
    control = b"!\xf9\x04" + bytes([disposal << 2, 0, 0, 0]) + b"\0"
    drawn = b"," + struct.pack("<4HB", 0, 0, picture, picture, 0) + b"\x02\x02\x44\x01\0"
    start = b"GIF89a" + struct.pack("<HHBBB", screen, screen, 0x80, 0, 0) + bytes(6)
    return start + (control + drawn) * 2 + b";"


def webp(side: int) -> bytes:
    size = (side - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + size * 2
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tif(**tags: int) -> bytes:
    """Return a TIFF of 64 x 64 px, in a tile of as many, with other values of some tags."""
    encoded = io.BytesIO()
    tifffile.imwrite(encoded, np.zeros((64, 64), np.uint8), tile=(64, 64), compression="deflate")
    encoded.seek(0)
    with tifffile.TiffFile(encoded, mode="r+") as opened:
        page: Any = opened.pages.first
        for name, value in tags.items():
            page.tags[name].overwrite(value)
    return encoded.getvalue()


def tif_of_jpeg() -> bytes:
    """Return a TIFF of 64 x 64 px whose one strip says that it has 60000 a side."""
    encoded = io.BytesIO()
    Image.new("L", (64, 64)).save(encoded, "TIFF", compression="jpeg")
    content = encoded.getvalue()
    place = content.index(b"\xff\xc0") + 5
    return content[:place] + struct.pack(">HH", 60000, 60000) + content[place + 4 :]


def pages() -> bytes:
    encoded = io.BytesIO()
    with tifffile.TiffWriter(encoded) as writer:
        for _ in range(bounds.PAGES + 1):
            writer.write(np.zeros((1, 1), np.uint8), metadata=None)
    return encoded.getvalue()


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {  # and what they are refused for
    "grey": (lambda: png(16384, 16384, 0), "about 11.8 GB, and fetch.memory allows 4: raise it"),
    "rgba": (lambda: png(16384, 16384, 6), "about 19.9 GB, and fetch.memory allows 4: raise it"),
    "profile": (lambda: png(99, 99, 0, (b"iCCP", b"a\0\0" + swollen())), "too large"),
    "text": (lambda: png(99, 99, 0, (b"zTXt", b"a\0\0" + swollen())), "too large"),
    "gif 2": (lambda: gif(65535, 65535, 2), "65535 x 65535 px: more than"),
    "gif 3": (lambda: gif(65535, 65535, 3), "65535 x 65535 px: more than"),
    "gif picture": (lambda: gif(20, 60000, 2), "60000 x 60000 px: more than"),
    "gif within": (lambda: gif(16000, 16000, 2), "16000 x 16000 px: measuring it takes"),
    "webp": (lambda: webp(16383), "16383 x 16383 px: measuring it takes"),
    "tile": (lambda: tif(TileWidth=65536, TileLength=65536), "tiles of 65536 x 65536 px"),
    "tile within": (lambda: tif(TileWidth=16384, TileLength=16384), "tiles of 16384 x 16384 px"),
    "wide": (lambda: tif(ImageWidth=10**6, ImageLength=10**6), "1000000 x 1000000 px: more than"),
    "bands": (lambda: tif(SamplesPerPixel=60000), "cannot be reshaped"),
    "jpeg": (tif_of_jpeg, "60000 x 60000 px in a page of less"),
    "pages": (pages, "1001 pages"),
    "pgm": (lambda: b"P5 60000 60000 255\n\0", "60000 x 60000 px: more than"),
    "ppm": (lambda: b"P6 16000 16000 65535\n\0", "16000 x 16000 px: measuring it takes"),
}


@linux
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_by_name_and_takes_little(tmp_path: Path, name: str) -> None:
    content, expected = BOMBS[name]
    (tmp_path / "a.png").write_bytes(content())
    looked, asked, reason = peak("refuse", tmp_path / "a.png")
    assert expected in reason
    assert looked < LEAST
    assert asked < LEAST + bounds.MAX_PIXELS / 10**6  # a GIF of this many opens with all of them


KINDS = {"grey": (1, "u1"), "colour": (3, "u1"), "deep": (3, "u2"), "many": (13, "u2")}


@linux
@pytest.mark.parametrize("what", ["describe", "look"])
@pytest.mark.parametrize("kind", KINDS)
def test_measuring_takes_what_the_header_says_and_hardly_more(
    tmp_path: Path, kind: str, what: str
) -> None:
    bands, dtype = KINDS[kind]
    shape = (1200, 1000) if bands == 1 else (1200, 1000, bands)
    pixels = np.random.default_rng(0).integers(0, 255, shape).astype(dtype)
    colours: Any = "rgb" if bands > 1 else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric=colours)
    taken, _, reason = peak(what, tmp_path / "a.tif")
    said = Extent(*shape[:2], bands, np.dtype(dtype).itemsize).bytes / 10**6
    assert reason == ""
    assert taken <= 1.15 * said + 10


def test_the_bound_is_the_setting_and_by_the_header_alone(tmp_path: Path) -> None:
    Image.new("L", (400, 300)).save(tmp_path / "a.png")
    needed = Extent(300, 400).bytes / 10**9
    codec.check(tmp_path / "a.png", needed)
    with pytest.raises(UnreadableImage, match=r"400 x 300 px: measuring it takes .* 0\.00528 GB"):
        codec.check(tmp_path / "a.png", 0.99 * needed)
    with pytest.raises(UnreadableImage, match=r"fetch\.memory allows 0\.001"):
        description.description(tmp_path / "a.png", Fetch(memory=0.001))
    with pytest.raises(ValueError, match=r"fetch\.memory is 0: more than 0"):
        Fetch(memory=0)


def test_bands_and_tiles_count() -> None:
    one = Extent(100, 100).bytes
    assert one < Extent(100, 100, 3).bytes < Extent(100, 100, 3, 2).bytes
    assert Extent(100, 100, 13, 2).bytes > 100 * 100 * 13 * 2 * 4
    assert Extent(100, 100, decoded=100 * 128).bytes - one == 28 * 100


@pytest.mark.parametrize("side", [256, 512, 1024, 2048])
def test_tiles_of_real_files_are_read(tmp_path: Path, side: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (70, 90)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, tile=(side, side), compression="deflate")
    codec.check(tmp_path / "a.tif", Fetch().memory)
    np.testing.assert_array_equal(codec.decode(tmp_path / "a.tif"), pixels)


def test_the_size_of_gif_and_webp_is_read_without_a_decoder() -> None:
    for kind, options in (
        ("GIF", {}),
        ("GIF", {"comment": "c" * 999, "transparency": 1}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"}),
    ):
        encoded = io.BytesIO()
        Image.new("L", (300, 200), 7).save(encoded, kind, **options)
        content = encoded.getvalue()
        assert canvas.size(content) == (200, 300)
        for length in range(0, min(len(content), 60), 3):
            assert canvas.size(content[:length]) in (None, (200, 300))
    assert canvas.size(b"\x89PNG") is None


def test_what_takes_too_much_for_its_glance_is_not_looked_at() -> None:
    assert math.isclose(Extent(5000, 5000, 3).bytes / 10**9, 1.8)
    assert Extent(6000, 6000, 4).bytes < Fetch().memory * 10**9
