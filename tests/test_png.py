"""Plain PNG, inflated in one go: the pixels that Pillow gives, or none at all."""

import io
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from clearset.images import pillow, png

Pixels = npt.NDArray[Any]
KINDS: dict[str, tuple[int, Any]] = {
    "L": (0, np.uint8),
    "LA": (2, np.uint8),
    "RGB": (3, np.uint8),
    "RGBA": (4, np.uint8),
}
KINDS |= {"I;16": (0, np.uint16)}
SHAPES = [(10, 10), (67, 41), (130, 128)]


def drawn(kind: str, shape: tuple[int, int], seed: int) -> Pixels:
    bands, dtype = KINDS[kind]
    rng = np.random.default_rng(seed)
    smooth = np.add.outer(np.arange(shape[0]), np.arange(shape[1]))
    noise = rng.integers(0, rng.choice([1, 9, 200]), (*shape, bands) if bands else shape)
    values = (smooth[..., None] if bands else smooth) + noise
    return values.astype(dtype) * dtype(200 if dtype is np.uint16 else 1)


def encoded(pixels: Pixels, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", **options)
    return file.getvalue()


def by_pillow(content: bytes) -> Pixels:
    with Image.open(io.BytesIO(content)) as image:
        return np.array(image, pillow.DEEP.get(image.mode))


def attempt(content: bytes) -> Pixels | None:
    try:
        return png.plain(content)
    except ValueError:  # cut short before its pixels: nobody opens it
        return None


@pytest.mark.parametrize("level", [0, 1, 9])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_pixels_are_those_that_were_written(kind: str, shape: tuple[int, int], level: int) -> None:
    pixels = drawn(kind, shape, level)
    found = png.plain(encoded(pixels, compress_level=level))
    assert found is not None
    assert (found.dtype, found.flags.writeable) == (pixels.dtype, True)
    np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_damaged_file_it_gives_what_pillow_does_or_nothing(kind: str) -> None:
    content = encoded(drawn(kind, (67, 41), 1))
    rng = np.random.default_rng(0)
    for place in rng.integers(33, len(content), 200):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        if (found := attempt(bytes(damaged))) is not None:
            np.testing.assert_array_equal(found, by_pillow(bytes(damaged)))
    assert all(attempt(content[:-cut]) is None for cut in (5, 13, 40, len(content) // 2))
    np.testing.assert_array_equal(png.plain(content[:-1]), by_pillow(content[:-1]))


def test_what_is_not_plain_is_left_to_others() -> None:
    pixels = drawn("L", (40, 40), 0)
    content = encoded(pixels)
    with Image.open(io.BytesIO(content)) as image:
        assert png.plain(encoded(np.asarray(image.convert("1")))) is None
        palette = io.BytesIO()
        image.convert("P").save(palette, "PNG")
        assert png.plain(palette.getvalue()) is None
    interlaced = content[:28] + b"\x01" + content[29:]
    assert png.plain(interlaced) is None
    end = content.rindex(b"IEND") - 4
    text = b"tEXta\0b"
    late = (3).to_bytes(4, "big") + text + zlib.crc32(text).to_bytes(4, "big")
    assert png.plain(content[:end] + late + content[end:]) is None


def test_more_than_the_header_says_is_never_inflated() -> None:
    rows = zlib.compress(bytes(41 * 40 + 1))
    chunk = len(rows).to_bytes(4, "big") + b"IDAT" + rows
    chunk += zlib.crc32(b"IDAT" + rows).to_bytes(4, "big")
    content = encoded(np.zeros((40, 40), np.uint8))
    start, end = content.index(b"IDAT") - 4, content.rindex(b"IEND") - 4
    assert png.plain(content[:start] + chunk + content[end:]) is None
