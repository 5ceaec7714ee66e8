"""A file is read only if every pixel came from it; what a decoder would make up is broken."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image

from clearset.images import codec, jpeg, jpeg2000
from clearset.store.errors import BrokenImage, UnreadableImage

Pixels = npt.NDArray[Any]
H, W = 72, 90
RNG = np.random.default_rng(0)
RAMP = np.add.outer(np.arange(H), np.arange(W))[..., None] / 2
RGB: Pixels = (RNG.random((H, W, 3)) * 90 + RAMP).astype(np.uint8)
GREY: Pixels = np.ascontiguousarray(RGB[..., 0])
DEEP: Pixels = GREY.astype(np.uint16) * 199
END = {"jpeg": b"\xff\xd9", "png": b"\0\0\0\0IEND\xaeB`\x82", "gif": b"\0;"}


def pil(pixels: Pixels | Image.Image, kind: str, **options: Any) -> bytes:
    encoded = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(encoded, kind, **options)
    return encoded.getvalue()


def tif(pixels: Pixels, **options: Any) -> bytes:
    encoded = io.BytesIO()
    tifffile.imwrite(encoded, pixels, metadata=None, **({"photometric": "minisblack"} | options))
    return encoded.getvalue()


def tiffs() -> Iterator[tuple[str, bytes]]:
    colours: dict[str, Any] = {"photometric": "rgb"}
    for kind in ("none", "lzw", "adobe_deflate", "packbits", "zstd", "jpeg"):
        chosen: dict[str, Any] = {} if kind == "none" else {"compression": kind}
        yield f"tif {kind} strips", tif(GREY, rowsperstrip=16, **chosen)
        yield f"tif {kind} whole", tif(RGB, **colours, **chosen)
        yield f"tif {kind} tiles", tif(RGB, tile=(32, 32), **colours, **chosen)
    yield "tif lzw deep", tif(DEEP, rowsperstrip=16, compression="lzw", predictor=True)
    yield "tif shared tables", pil(RGB, "TIFF", compression="jpeg")
    yield "tif 10 bits", tif(DEEP // 64, bitspersample=10, rowsperstrip=16)


FILES: dict[str, bytes] = {
    "jpeg": pil(RGB, "JPEG"),
    "jpeg grey": pil(GREY, "JPEG", optimize=True),
    "jpeg progressive": pil(RGB, "JPEG", progressive=True),
    "jpeg restarts": pil(RGB, "JPEG", restart_marker_rows=1, subsampling=0),
    "png": pil(RGB, "PNG"),
    "png deep": bytes(imagecodecs.png_encode(RGB.astype(np.uint16) * 99)),
    "gif": pil(GREY, "GIF"),
    "bmp": pil(RGB, "BMP"),
    "jp2": pil(RGB, "JPEG2000"),
    "jp2 tiles": pil(GREY, "JPEG2000", tile_size=(32, 32), no_jp2=True),
    "webp": pil(RGB, "WEBP", lossless=True),
    "webp lossy": pil(RGB, "WEBP"),
    "ppm": pil(RGB, "PPM"),
    "pbm": pil(Image.fromarray(GREY > 80), "PPM"),
    **dict(tiffs()),
}


ONE_PART = {name for name in FILES if name.endswith(("whole", "tables"))}


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes], Pixels]:
    """Return how fetch reads a file of these bytes."""

    def read(content: bytes) -> Pixels:
        path = tmp_path / "a.bin"
        path.write_bytes(content)
        codec.check(path)
        return codec.decode(path)

    return read


def refused(read: Callable[[bytes], Pixels], content: bytes, reason: str | None = None) -> None:
    with pytest.raises(BrokenImage, match=reason) as error:
        read(content)
    assert str(error.value).isprintable()


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_never_read_with_other_pixels_however_it_is_cut(
    read: Callable[[bytes], Pixels], name: str
) -> None:
    content = FILES[name]
    pixels = read(content)
    end = END.get(name.split(maxsplit=1)[0], b"")
    for share in (0.35, 0.5, 0.65, 0.8, 0.95):
        cut = content[: int(share * len(content))]
        for damaged in {cut, cut + end}:
            if name.startswith("tif"):  # what lies last there may be tags, and no pixel
                same_or_refused(read, damaged, pixels)
            else:
                refused(read, damaged)
    for missing in (1, 3):
        same_or_refused(read, content[:-missing], pixels)


def same_or_refused(read: Callable[[bytes], Pixels], content: bytes, pixels: Pixels) -> None:
    try:
        np.testing.assert_array_equal(read(content), pixels)
    except UnreadableImage as error:
        assert str(error).isprintable()


@pytest.mark.parametrize("name", [name for name in FILES if "jpeg" in name or "tables" in name])
@pytest.mark.parametrize("filling", [b"", b"\0", b"\xff"])
def test_a_hole_in_a_jpeg_is_found_whatever_fills_it(
    read: Callable[[bytes], Pixels], name: str, filling: bytes
) -> None:
    if name == "jpeg progressive" and filling == b"\0":
        return  # a scan that refines may well be zeros: it changes nothing then
    content = FILES[name]
    first, last = len(content) * 2 // 5, len(content) * 3 // 5
    damaged = content[:first] + filling * (last - first) + content[last:]
    same_or_refused(read, damaged, read(content))
    if not name.startswith("tif"):
        refused(read, damaged)


@pytest.mark.parametrize("number", [1, 2, 4, 9])
def test_a_progressive_jpeg_without_its_last_scans_is_broken(
    read: Callable[[bytes], Pixels], number: int
) -> None:
    content = FILES["jpeg progressive"]
    scans = [place for place in range(len(content)) if content.startswith(b"\xff\xda", place)]
    assert len(scans) == 10
    refused(read, content[: scans[number]] + END["jpeg"], "its last scans are missing")


def test_a_scan_of_a_sequential_jpeg_is_missed(read: Callable[[bytes], Pixels]) -> None:
    content = FILES["jpeg"]
    header = content.index(b"\xff\xda")
    (length,) = struct.unpack_from(">H", content, header + 2)
    alone = b"\xff\xda" + struct.pack(">HBBB", 8, 1, 1, 0) + b"\0\x3f\0"  # the first component
    refused(read, content[:header] + alone + content[header + 2 + length :], "a scan is missing")


def test_what_costs_no_pixel_is_no_reason(read: Callable[[bytes], Pixels]) -> None:
    content = FILES["jpeg"]
    pixels = read(content)
    end = content[-2:]
    odd = content.replace(b"JFIF\0\1", b"JFIF\0\3"), content + b"\0" * 99 + content
    padded = content[:-2] + b"\0\0" + end, content[:-2] + b"\xff\xff" + end
    for sound in (*odd, *padded):
        np.testing.assert_array_equal(read(sound), pixels)
    refused(read, content[:-2] + b"\1" * 99 + end, "extraneous bytes")


def test_sound_jpegs_of_every_kind_are_whole() -> None:
    image = Image.fromarray(RGB)
    for size in ((16, 16), (17, 31), (W, H)):
        resized = image.resize(size)
        for mode in ("RGB", "L", "CMYK"):
            for progressive in (False, True):
                for sampling in ("4:4:4", "4:2:2", "4:2:0", "4:1:1"):
                    options = {"progressive": progressive, "subsampling": sampling}
                    assert not jpeg.flaw(pil(resized.convert(mode), "JPEG", **options))
    assert not jpeg.flaw(pil(image, "MPO", save_all=True, append_images=[image]))
    assert not jpeg.flaw(pil(Image.new("L", (50, 50), 255), "JPEG", optimize=True))
    for sampling in ("444", "422", "420"):
        assert not jpeg.flaw(bytes(imagecodecs.jpeg8_encode(RGB, subsampling=sampling)))
    assert jpeg.size(FILES["jpeg"]) == (H, W)


def png(raw: bytes, depth: int = 8, colour: int = 0, interlaced: bool = False) -> bytes:
    """Return a PNG of whatever filtered rows, properly compressed and closed."""
    header = struct.pack(">IIBBBBB", W, H, depth, colour, 0, 0, interlaced)
    result = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")):
        result += struct.pack(">I", len(body)) + kind + body
        result += struct.pack(">I", zlib.crc32(kind + body))
    return result


@pytest.mark.parametrize(("depth", "colour", "row"), [(8, 0, W), (16, 2, 6 * W), (1, 0, 12)])
def test_a_png_whose_rows_end_early_is_broken(
    read: Callable[[bytes], Pixels], depth: int, colour: int, row: int
) -> None:
    raw = bytes(H * (1 + row))
    pixels = read(png(raw, depth, colour))
    np.testing.assert_array_equal(read(png(raw + b"more", depth, colour)), pixels)
    for rows in (0, 1, 30, H - 1):
        refused(read, png(raw[: rows * (1 + row)], depth, colour))


def test_an_interlaced_png_is_as_long_as_its_passes(read: Callable[[bytes], Pixels]) -> None:
    sizes = [(9, 12), (9, 11), (9, 23), (18, 22), (18, 45), (36, 45), (36, 90)]
    raw = bytes(sum(rows * (1 + columns) for rows, columns in sizes))
    assert not read(png(raw, interlaced=True)).any()
    refused(read, png(raw[:-1], interlaced=True))
    refused(read, png(raw[:2000], interlaced=True))


def places(content: bytes, change: Callable[[list[int], list[int]], None]) -> bytes:
    """Return a TIFF with other places, and numbers of bytes, of its strips or tiles."""
    file = io.BytesIO(content)
    with tifffile.TiffFile(file, mode="r+") as opened:
        page: Any = opened.pages.first
        tags = [page.tags.get(code) or page.tags[other] for code, other in ((324, 273), (325, 279))]
        values = [list(tag.value) for tag in tags]
        change(*values)
        for tag, value in zip(tags, values, strict=True):
            tag.overwrite(value)
    return file.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in FILES
        if name.startswith("tif") and name.split()[2] not in ("whole", "tables")
    ],
)
def test_missing_and_short_parts_of_a_tiff_are_broken(
    read: Callable[[bytes], Pixels], name: str
) -> None:
    def empty(_: list[int], numbers: list[int]) -> None:
        numbers[1] = 0

    def halved(_: list[int], numbers: list[int]) -> None:
        numbers[0] //= 2

    def beyond(offsets: list[int], _: list[int]) -> None:
        offsets[1] = len(FILES[name]) + 99

    refused(read, places(FILES[name], empty), r"1 of \d+ strips or tiles are empty")
    refused(read, places(FILES[name], halved))
    refused(read, places(FILES[name], beyond))


@pytest.mark.parametrize("compression", ["lzw", "jpegxr", "jpeg"])
def test_a_tiff_whose_decoder_says_nothing_is_broken_where_it_is_cut(
    read: Callable[[bytes], Pixels], compression: str
) -> None:
    values = DEEP // 16 if compression == "jpeg" else DEEP  # 12 bits
    content = tif(values, compression=compression)
    assert read(content).shape == (H, W)
    refused(read, content[:-30], "1 of 1 strips or tiles are cut short")


def planes(pixels: Pixels) -> bytes:
    """Return a TIFF whose bands are JPEGs of their own, as ImageMagick, GDAL and libtiff write."""
    grey = [pil(np.ascontiguousarray(pixels[..., band]), "JPEG", quality=95) for band in range(3)]
    encoded = io.BytesIO()
    options: dict[str, Any] = {"photometric": "rgb", "planarconfig": "separate", "metadata": None}
    tifffile.imwrite(
        *(encoded, iter(part[:2] + part[20:] for part in grey)),  # without the JFIF segment
        **(options | {"shape": (3, H, W), "dtype": np.uint8, "compression": "jpeg"}),
    )
    return encoded.getvalue()


def test_a_tiff_whose_bands_are_jpegs_of_their_own_is_read(
    read: Callable[[bytes], Pixels],
) -> None:
    expected = [
        Image.open(io.BytesIO(pil(RGB[..., band], "JPEG", quality=95))) for band in (0, 1, 2)
    ]
    np.testing.assert_array_equal(read(planes(RGB)), np.dstack([*map(np.asarray, expected)]))
    as_ycbcr = io.BytesIO(planes(RGB))
    with tifffile.TiffFile(as_ycbcr, mode="r+") as tiff:
        tiff.pages.first.tags[262].overwrite(6)
    with pytest.raises(UnreadableImage, match="axes SYX with 3 bands of colours YCBCR"):
        read(as_ycbcr.getvalue())


def test_parts_that_are_left_out_are_no_data_where_the_file_says_so(
    read: Callable[[bytes], Pixels],
) -> None:
    def left_out(offsets: list[int], numbers: list[int]) -> None:
        offsets[1] = numbers[1] = 0

    plain = places(FILES["tif none strips"], left_out)
    with pytest.raises(UnreadableImage, match="1 of 5 strips or tiles are left out") as error:
        read(plain)
    assert not isinstance(error.value, BrokenImage)
    said = tif(GREY, rowsperstrip=16, extratags=[(42113, 2, None, "7", True)])
    expected = GREY.copy()
    expected[16:32] = 7
    np.testing.assert_array_equal(read(places(said, left_out)), expected)


def test_a_jpeg_2000_without_a_tile_is_broken(read: Callable[[bytes], Pixels]) -> None:
    content = FILES["jp2 tiles"]
    tiles = [place for place in range(len(content)) if content.startswith(b"\xff\x90\0\x0a", place)]
    assert len(tiles) == 9 and not jpeg2000.flaw(content)
    refused(read, content[: tiles[4]] + content[tiles[5] :], "1 of its 9 tiles are missing")
    refused(read, content[: tiles[4]] + END["jpeg"], "5 of its 9 tiles are missing")


def bmp(runs: bytes) -> bytes:
    """Return a BMP of one byte a pixel, in runs."""
    palette = b"".join(bytes([level, level, level, 0]) for level in range(256))
    header = struct.pack("<IiiHHIIiiII", 40, W, H, 1, 8, 1, len(runs), 0, 0, 256, 0)
    start = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start) + header + palette + runs


def test_a_bmp_whose_runs_pass_over_pixels_is_refused(read: Callable[[bytes], Pixels]) -> None:
    rows = [b"".join(bytes([1, level]) for level in row) + b"\0\0" for row in GREY[::-1]]
    literal = bytes([0, W]) + GREY[0].tobytes() + b"\0\0"
    pixels = read(bmp(b"".join([*rows[:-1], literal]) + b"\0\1"))
    np.testing.assert_array_equal(pixels, GREY)
    half = b"".join(rows[: H // 2])
    for runs, number in (
        (b"\0\2\0" + bytes([H // 2]) + half, W * H // 2),  # a jump to half its height
        (b"".join([*rows[:-1], rows[-1][:-22]]) + b"\0\0\0\1", 10),  # a line that ends early
    ):
        with pytest.raises(UnreadableImage, match=rf"pass over {number} of {W * H} pixels"):
            read(bmp(runs + b"\0\1"))
    refused(read, bmp(half)[:-200])


def test_a_file_of_no_kind_has_a_reason_in_words(read: Callable[[bytes], Pixels]) -> None:
    for content in (b"nothing at all", b"\xff\xd8" + b"a" * 99):
        refused(read, content, "its first bytes are of no kind that is read")


def test_nothing_is_said_on_the_terminal(
    read: Callable[[bytes], Pixels], capfd: pytest.CaptureFixture[str]
) -> None:
    for content in FILES.values():
        size = len(content)
        for damaged in (content, content[: size // 2], content[: size // 2] + bytes(size // 2)):
            try:
                read(damaged)
            except UnreadableImage as error:
                assert str(error).isprintable()
    assert capfd.readouterr() == ("", "")
