"""Image files to arrays and back: nothing is lost, nothing broken is let in."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image, ImageCms

from clearset.images import codec, levels, masks
from clearset.images.levels import Pixels
from clearset.store.errors import UnreadableImage

RNG = np.random.default_rng(0)
GREY: Pixels = RNG.integers(0, 256, (31, 23), dtype=np.uint8)
GREY_ALPHA: Pixels = RNG.integers(0, 256, (31, 23, 2), dtype=np.uint8)
RGB: Pixels = RNG.integers(0, 256, (31, 23, 3), dtype=np.uint8)
RGBA: Pixels = RNG.integers(0, 256, (31, 23, 4), dtype=np.uint8)
GREY_16: Pixels = RNG.integers(0, 65536, (31, 23), dtype=np.uint16)
RGB_16: Pixels = RNG.integers(0, 65536, (31, 23, 3), dtype=np.uint16)
SMOOTH: Pixels = np.add.outer(np.arange(40), np.arange(30)).astype(np.uint8) * 3
PROFILE = bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
EXACT: dict[str, Any] = {"lossless": True, "exact": True}


def save(path: Path, pixels: Pixels, **options: Any) -> Path:
    if path.suffix == ".tif":
        colours = "rgb" if pixels.ndim == 3 and pixels.shape[2] > 2 else "minisblack"
        tifffile.imwrite(path, pixels, **{"photometric": colours} | options)
    else:
        Image.fromarray(pixels).save(path, **options)
    return path


def written_back(source: Path) -> Path:
    target = source.with_name(f"again{source.suffix}")
    codec.write_like(source, levels.unit(codec.decode(source)), target)
    return target


@pytest.mark.parametrize(
    ("name", "pixels", "options"),
    [
        ("a.png", GREY, {}),
        ("a.png", GREY_ALPHA, {}),
        ("a.png", RGB, {}),
        ("a.png", RGBA, {}),
        ("a.png", GREY_16, {}),
        ("a.bmp", GREY, {}),
        ("a.bmp", RGB, {}),
        ("a.pgm", GREY, {}),
        ("a.gif", GREY, {"optimize": False}),
        ("a.webp", RGB, EXACT),
        ("a.webp", RGBA, EXACT),
    ],
)
def test_lossless_formats_keep_every_pixel(
    tmp_path: Path, name: str, pixels: Pixels, options: dict[str, Any]
) -> None:
    source = save(tmp_path / name, pixels, **options)
    target = written_back(source)
    for file in (source, target):
        decoded = codec.decode(file)
        assert decoded.dtype == pixels.dtype
        np.testing.assert_array_equal(decoded, pixels)
    with Image.open(source) as before, Image.open(target) as after:
        assert (after.format, after.mode) == (before.format, before.mode)


@pytest.mark.parametrize("compression", ["LZW", "ADOBE_DEFLATE", "NONE"])
@pytest.mark.parametrize("pixels", [GREY, RGB, RGBA, GREY_16, RGB_16])
def test_tiff_keeps_pixels_and_compression(
    tmp_path: Path, pixels: Pixels, compression: str
) -> None:
    alpha = {"extrasamples": ["ASSOCALPHA"]} if pixels.ndim == 3 and pixels.shape[2] == 4 else {}
    source = save(tmp_path / "a.tif", pixels, compression=compression, **alpha)
    target = written_back(source)
    for file in (source, target):
        np.testing.assert_array_equal(codec.decode(file), pixels)
    with tifffile.TiffFile(target) as tiff:
        page: Any = tiff.pages.first
        assert page.compression.name == compression
        assert [extra.name for extra in page.extrasamples] == alpha.get("extrasamples", [])


@pytest.mark.parametrize("pixels", [SMOOTH, np.dstack([SMOOTH, SMOOTH[::-1], SMOOTH[:, ::-1]])])
def test_jpeg_keeps_size_mode_and_nearly_its_pixels(tmp_path: Path, pixels: Pixels) -> None:
    source = save(tmp_path / "a.jpg", pixels, quality=95, subsampling=0)
    before, after = codec.decode(source), codec.decode(written_back(source))
    assert before.shape == after.shape == pixels.shape
    assert np.abs(before.astype(int) - after).mean() < 1


def test_jpeg_keeps_its_subsampling(tmp_path: Path) -> None:
    for subsampling in (0, 1, 2):
        target = written_back(save(tmp_path / "a.jpg", RGB, subsampling=subsampling))
        components = struct.unpack(">B", jpeg_frame(target)[8:9])[0]
        assert components == {0: 0x11, 1: 0x21, 2: 0x22}[subsampling]


def jpeg_frame(path: Path) -> bytes:
    """Return the frame header after its marker: length, precision, sizes, components."""
    data = path.read_bytes()
    start = data.index(b"\xff\xc0") + 2
    return data[start + 1 :]


def exif() -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112], tags[0x010E] = 6, "left eye"  # orientation, description
    return tags


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_profile_and_exif_travel_along(tmp_path: Path, name: str) -> None:
    options: dict[str, Any] = EXACT if name == "a.webp" else {}
    source = save(tmp_path / name, RGB, icc_profile=PROFILE, exif=exif(), **options)
    with Image.open(written_back(source)) as after:
        assert after.info["icc_profile"] == PROFILE
        assert dict(after.getexif()) == dict(exif())


def test_exif_after_the_pixels_of_a_png_travels_along(tmp_path: Path) -> None:
    source = save(tmp_path / "a.png", RGB)
    tags = exif().tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(tags)) + b"eXIf" + tags
    chunk += struct.pack(">I", zlib.crc32(b"eXIf" + tags))
    source.write_bytes(source.read_bytes()[:-12] + chunk + source.read_bytes()[-12:])
    with Image.open(written_back(source)) as after:
        assert dict(after.getexif()) == dict(exif())


def test_profile_and_resolution_of_a_tiff_travel_along(tmp_path: Path) -> None:
    source = save(tmp_path / "a.tif", GREY, iccprofile=PROFILE, resolution=(300, 150))
    with tifffile.TiffFile(written_back(source)) as tiff:
        assert tiff.pages.first.tags.valueof("InterColorProfile") == PROFILE
        assert tiff.pages.first.resolution == (300, 150)


def test_a_gif_of_few_levels_stays_readable(tmp_path: Path) -> None:
    source, target = save(tmp_path / "a.gif", GREY, optimize=False), tmp_path / "b.gif"
    flat = np.full(GREY.shape, 0.2)
    codec.write_like(source, flat, target)
    np.testing.assert_array_equal(codec.decode(target), np.full(GREY.shape, 51))


def test_orientation_is_carried_and_not_applied(tmp_path: Path) -> None:
    source = save(tmp_path / "a.png", GREY, exif=exif())
    np.testing.assert_array_equal(codec.decode(source), GREY)


def test_an_image_of_another_shape_is_not_written(tmp_path: Path) -> None:
    source = save(tmp_path / "a.png", GREY)
    with pytest.raises(ValueError, match=r"a\.png: shape .* is not its own \(31, 23\)"):
        codec.write_like(source, levels.unit(GREY[:-1]), tmp_path / "b.png")
    assert not (tmp_path / "b.png").exists()


def cut(path: Path, share: float) -> Path:
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    return path


@pytest.mark.parametrize("share", [0.5, 0.95])
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.gif", "a.bmp", "a.webp"])
def test_a_truncated_file_is_refused(tmp_path: Path, name: str, share: float) -> None:
    options = {"optimize": False} if name == "a.gif" else {}
    source = save(tmp_path / name, np.tile(GREY, (4, 4)), **options)
    with pytest.raises(UnreadableImage, match=r"broken or unknown file: .*(truncated|decoder)"):
        codec.decode(cut(source, share))


@pytest.mark.parametrize("share", [0.5, 0.95])
@pytest.mark.parametrize("compression", ["lzw", "zlib", None])
def test_a_truncated_tiff_is_refused(tmp_path: Path, compression: str, share: float) -> None:
    source = save(tmp_path / "a.tif", GREY, compression=compression)
    with pytest.raises(UnreadableImage, match=r"^broken"):
        codec.decode(cut(source, share))


def test_a_tiff_cut_before_its_directory_is_refused_as_cut(tmp_path: Path) -> None:
    source = tmp_path / "a.tif"
    Image.fromarray(GREY).save(source, compression="tiff_lzw")  # puts its directory last
    with pytest.raises(UnreadableImage, match=r"no page.* cut short"):
        codec.decode(cut(source, 0.5))


@pytest.mark.parametrize("suffix", sorted(codec.SUFFIXES))
def test_an_empty_file_is_refused_for_every_suffix(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").touch()
    with pytest.raises(UnreadableImage, match=r"empty \(0 bytes\)"):
        codec.decode(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("suffix", sorted(codec.SUFFIXES))
def test_text_is_refused_without_telling_where_it_lies(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").write_text("no image")
    with pytest.raises(UnreadableImage, match="broken or unknown file") as caught:
        codec.decode(tmp_path / f"a{suffix}")
    assert str(tmp_path) not in str(caught.value)


def test_cmyk_is_refused(tmp_path: Path) -> None:
    Image.fromarray(RGB).convert("CMYK").save(tmp_path / "a.jpg")
    with pytest.raises(UnreadableImage, match="mode CMYK is not supported"):
        codec.decode(tmp_path / "a.jpg")


@pytest.mark.parametrize(("kind", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_16_bit_colour_png_is_not_cut_to_8(tmp_path: Path, kind: int, channels: int) -> None:
    pixels = RNG.integers(0, 65536, (12, 13, channels), dtype=np.uint16)
    rows = pixels.astype(">u2").reshape(12, -1)
    path = tmp_path / "a.png"
    path.write_bytes(png(13, 12, kind, b"".join(b"\0" + row.tobytes() for row in rows)))
    target = tmp_path / "b.png"
    codec.write_stored(path, pixels[::-1], target)
    np.testing.assert_array_equal(codec.decode(path), pixels)
    np.testing.assert_array_equal(codec.decode(target), pixels[::-1])
    assert codec.declaration(path, pixels).alpha == {2: None, 4: 1, 6: 3}[kind]


def png(width: int, height: int, kind: int, rows: bytes) -> bytes:
    """Return a 16-bit PNG of a colour type, which Pillow does not write."""
    parts = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0),
        b"IDAT": zlib.compress(rows),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts.items()
    )


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp"])
def test_an_animation_is_refused(tmp_path: Path, name: str) -> None:
    frames = [Image.fromarray(pixels) for pixels in (GREY, GREY[::-1].copy())]
    options: dict[str, Any] = {"optimize": False} if name == "a.gif" else {}
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
    with pytest.raises(UnreadableImage, match="2 frames: split it"):
        codec.decode(tmp_path / name)


@pytest.mark.parametrize(
    ("pixels", "options", "reason"),
    [
        (np.stack([GREY, GREY]), {"photometric": "minisblack"}, "2 pages of full .*: split it"),
        (GREY.astype(np.complex64), {}, "type complex64 is not supported: save it as 8 or 16"),
        (GREY.astype(np.int64), {}, "type int64 is not supported"),
        (RGBA, {"photometric": "separated"}, "colours SEPARATED are not supported"),
        (RGB, {"photometric": "ycbcr"}, "colours YCBCR are not supported"),
        (GREY.astype(np.int16), {"photometric": "miniswhite"}, "type int16 of colours MINISWHITE"),
    ],
)
def test_an_unusual_tiff_is_refused(
    tmp_path: Path, pixels: npt.NDArray[Any], options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UnreadableImage, match=reason):
        codec.decode(save(tmp_path / "a.tif", pixels, **options))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_nine_pixels_are_too_few_and_ten_enough(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableImage, match="23 x 9 px: smaller than 10 px"):
        codec.decode(save(tmp_path / name, GREY[:9]))
    with pytest.raises(UnreadableImage, match="9 x 31 px: smaller than 10 px"):
        codec.decode(save(tmp_path / name, GREY[:, :9]))
    assert codec.decode(save(tmp_path / name, GREY[:10, :10])).shape == (10, 10)


def test_a_size_beyond_all_measure_is_refused_before_decoding(tmp_path: Path) -> None:
    source = save(tmp_path / "a.tif", GREY)
    with tifffile.TiffFile(source, mode="r+") as tiff:
        for tag in ("ImageLength", "ImageWidth"):
            tiff.pages.first.tags[tag].overwrite(60_000)
    with pytest.raises(UnreadableImage, match="60000 x 60000 px: more than"):
        codec.decode(source)


def test_a_palette_mask_is_read_as_its_numbers(tmp_path: Path) -> None:
    classes = RNG.integers(0, 3, (20, 20), dtype=np.uint8)
    mask = Image.fromarray(classes).convert("P")
    mask.putpalette([0, 0, 0, 255, 0, 0, 0, 0, 255])
    mask.save(tmp_path / "a.png")
    np.testing.assert_array_equal(masks.decode(tmp_path / "a.png"), classes)


def test_a_bilevel_mask_is_read_as_0_and_1(tmp_path: Path) -> None:
    decoded = masks.decode(save(tmp_path / "a.png", GREY > 99))
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, GREY > 99)


@pytest.mark.parametrize("pixels", [GREY, GREY_16])
@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_a_grey_mask_is_read_as_stored(tmp_path: Path, name: str, pixels: Pixels) -> None:
    np.testing.assert_array_equal(masks.decode(save(tmp_path / name, pixels)), pixels)


@pytest.mark.parametrize("pixels", [RGB, RGBA])
def test_a_mask_in_colour_is_refused(tmp_path: Path, pixels: Pixels) -> None:
    with pytest.raises(UnreadableImage, match="in colour"):
        masks.decode(save(tmp_path / "a.png", pixels))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_level_survives_as_a_unit(dtype: type[np.unsignedinteger[Any]]) -> None:
    values = np.arange(np.iinfo(dtype).max + 1).astype(dtype)
    image = levels.unit(values)
    assert image.dtype == np.float64
    assert (image[0], image[-1]) == (0, 1)
    assert (np.diff(image) > 0).all()
    np.testing.assert_array_equal(levels.quantised(image, dtype), values)


def test_quantised_clips_to_the_ends() -> None:
    image = np.array([-0.5, -1e-9, 1 + 1e-6, 7])
    assert levels.quantised(image, np.uint8).tolist() == [0, 0, 255, 255]


def test_eight_bits_of_16_are_the_declared_range() -> None:
    small = levels.eight_bit(np.arange(65536).astype(np.uint16))
    assert small.dtype == np.uint8
    np.testing.assert_array_equal(small[::257], np.arange(256))
    assert (np.diff(small.astype(int)) >= 0).all()


def test_a_dark_16_bit_image_is_not_stretched() -> None:
    assert levels.eight_bit(np.array([[0, 257, 514]], np.uint16)).tolist() == [[0, 1, 2]]


def test_colour_leaves_out_alpha_alone() -> None:
    np.testing.assert_array_equal(levels.bands(GREY, levels.of_type(GREY)), GREY)
    np.testing.assert_array_equal(
        levels.bands(GREY_ALPHA, levels.of_type(GREY_ALPHA)), GREY_ALPHA[..., 0]
    )
    np.testing.assert_array_equal(levels.bands(RGB, levels.of_type(RGB)), RGB)
    np.testing.assert_array_equal(levels.bands(RGBA, levels.of_type(RGBA)), RGBA[..., :3])


@pytest.mark.parametrize("pixels", [GREY, GREY_ALPHA, RGB, RGBA, GREY_16, RGB_16])
def test_shown_is_what_a_figure_takes(pixels: Pixels) -> None:
    shown = levels.display(pixels)
    assert shown.shape[:2] == pixels.shape[:2]
    assert shown.ndim == 2 or (shown.shape[2] in (3, 4) and shown.dtype == np.uint8)


def test_describe_tells_size_and_depth() -> None:
    described = codec.describe(RGB_16)
    del described["pixels_sha256"]
    assert described == {"width": 23, "height": 31, "channels": 3, "bit_depth": 16}


def test_the_pixels_hash_is_the_same_in_every_format(tmp_path: Path) -> None:
    files = [save(tmp_path / name, GREY) for name in ("a.png", "a.tif", "a.bmp")]
    assert len({codec.describe(codec.decode(file))["pixels_sha256"] for file in files}) == 1


def test_the_pixels_hash_tells_values_shape_and_type_apart() -> None:
    other = GREY.copy()
    other[3, 4] ^= 1
    kinds = [GREY, other, GREY.reshape(23, 31), GREY[..., None], GREY.astype(np.uint16)]
    halves = np.zeros((10, 20), np.uint8), np.zeros((10, 10), np.uint16)  # the same bytes
    hashes = {codec.describe(pixels)["pixels_sha256"] for pixels in (*kinds, *halves)}
    assert len(hashes) == len(kinds) + len(halves)


def test_png_bytes_hold_the_pixels_whatever_their_compression(tmp_path: Path) -> None:
    for level in (1, 6):
        (tmp_path / "a.png").write_bytes(codec.png_bytes(GREY_16, compress_level=level))
        np.testing.assert_array_equal(codec.decode(tmp_path / "a.png"), GREY_16)


def test_a_bmp_with_alpha_is_refused_since_it_could_not_be_written(tmp_path: Path) -> None:
    masks = (
        0xFF0000,
        0xFF00,
        0xFF,
        0xFF000000,
    )  # red, green, blue, alpha of a V4 header
    fields = (108, 12, 12, 1, 32, 3, 12 * 12 * 4, 0, 0, 0, 0, *masks)
    header = struct.pack("<IiiHHIIiiII4I", *fields).ljust(108, b"\0")
    start = struct.pack("<2sIHHI", b"BM", 14 + 108 + 576, 0, 0, 14 + 108)
    (tmp_path / "a.bmp").write_bytes(start + header + bytes(range(192)) * 3)
    with pytest.raises(UnreadableImage, match="BMP with alpha is not supported: save it as PNG"):
        codec.decode(tmp_path / "a.bmp")
