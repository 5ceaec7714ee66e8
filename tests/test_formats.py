"""Files of every kind: known by their content, read as they look, written back truly or not."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image

from clearset.images import codec, levels, masks, tiff, tiff_copy, views
from clearset.images.levels import Reading
from clearset.repair.files import repair
from clearset.store.errors import BrokenImage, UnreadableImage
from conftest import ROOT

Pixels = npt.NDArray[Any]
GEOTIFF = Path(os.environ.get("CLEARSET_GEOTIFF") or ROOT.parent / "shared/geotiff")
RNG = np.random.default_rng(0)
GREY: Pixels = RNG.integers(0, 256, (40, 30), dtype=np.uint8)
RGB: Pixels = RNG.integers(0, 256, (40, 30, 3), dtype=np.uint8)
BRIGHTER = [{"method": "gamma", "gamma": 0.5}]
SAME = [{"method": "gamma", "gamma": 1.0}]
GEO = [(33550, 12, 3, (0.5, 0.5, 0.0), True), (34737, 2, None, "WGS 84|", True)]


def gdal(nodata: str) -> tuple[int, int, None, str, bool]:
    return (42113, 2, None, nodata, True)


def tif(path: Path, pixels: Pixels, **options: Any) -> Path:
    tifffile.imwrite(path, pixels, metadata=None, **({"software": False} | options))
    return path


def saved(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


def declared(path: Path) -> Reading:
    return codec.declaration(path, codec.decode(path))


def tags(page: Any) -> dict[int, Any]:
    """What a page says, but for where pixels lie, and what is the same said or not said."""
    unsaid = tiff.STORAGE | {262, 282, 283, 296, 320, 330, 339, 347, 529, 530, 531, 532}
    return {tag.code: tag.value for tag in page.tags if tag.code not in unsaid}


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".pgm"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "PPM", "WEBP", "BMP"])
def test_content_and_not_its_name_says_what_a_file_is(
    tmp_path: Path, kind: str, suffix: str
) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    source = saved(tmp_path / f"a{suffix}", Image.fromarray(RGB), format=kind, **options)
    target = tmp_path / f"b{suffix}"
    stored = codec.decode(source)
    codec.write_stored(source, 255 - stored, target)
    with Image.open(target) as again:
        assert again.format == kind
    assert (
        np.abs(codec.decode(target).astype(int) - (255 - stored)).mean() < (kind == "JPEG") * 40 + 1
    )


def pyramid(path: Path, pixels: Pixels, mask: Pixels | None = None, **options: Any) -> Path:
    """Write an image with a half-size overview, and a mask page with one too."""
    with tifffile.TiffWriter(path) as writer:
        plain: dict[str, Any] = {"metadata": None, "tile": (16, 16), "compression": "deflate"}
        writer.write(pixels, **plain, **options)
        if mask is not None:
            writer.write(mask, photometric="mask", subfiletype=4, **plain)
        writer.write(pixels[::2, ::2], subfiletype=1, **plain)
        if mask is not None:
            writer.write(mask[::2, ::2], photometric="mask", subfiletype=5, **plain)
    return path


def test_the_page_of_full_resolution_is_the_image_and_overviews_go(tmp_path: Path) -> None:
    options: dict[str, Any] = {"photometric": "rgb", "extratags": [gdal("0"), *GEO]}
    source = pyramid(tmp_path / "a.tif", RGB, **options)
    assert declared(source) == Reading(0, 255, nodata=0)
    np.testing.assert_array_equal(codec.decode(source), RGB)
    repair(source, tmp_path / "b.tif", declared(source), BRIGHTER)
    with tifffile.TiffFile(source) as one, tifffile.TiffFile(tmp_path / "b.tif") as two:
        assert (len(one.pages), len(two.pages)) == (2, 1)
        assert tags(two.pages.first) == tags(one.pages.first)


def test_overviews_inside_the_image_go_too(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(GREY, subifds=1, metadata=None)
        writer.write(GREY[::2, ::2], subfiletype=1, metadata=None)
    np.testing.assert_array_equal(codec.decode(tmp_path / "a.tif"), GREY)
    codec.write_stored(tmp_path / "a.tif", 255 - GREY, tmp_path / "b.tif")
    with tifffile.TiffFile(tmp_path / "b.tif") as again:
        assert 330 not in again.pages.first.tags


def test_further_images_inside_the_image_are_refused(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(GREY, subifds=1, metadata=None)
        writer.write(GREY[::-1], metadata=None)
    with pytest.raises(UnreadableImage, match="further images inside the image"):
        codec.decode(tmp_path / "a.tif")


@pytest.mark.parametrize("order", [1, 6])
def test_a_mask_page_says_what_is_seen_and_is_kept(tmp_path: Path, order: int) -> None:
    mask = np.zeros((40, 30), bool)
    mask[5:, 3:] = True
    options = {"photometric": "rgb", "extratags": [(274, 3, 1, order, True)]}
    source = pyramid(tmp_path / "a.tif", RGB, mask, **options)
    reading = declared(source)
    assert (reading.seen, reading.orientation) == ("page", order)
    view = views.view(source, reading)
    assert view.seen is not None
    np.testing.assert_array_equal(view.seen, views.upright(mask, order))
    repair(source, tmp_path / "b.tif", reading, BRIGHTER)
    again = codec.decode(tmp_path / "b.tif")
    np.testing.assert_array_equal(tiff.mask_page(tmp_path / "b.tif"), mask)
    np.testing.assert_array_equal(again[~mask], RGB[~mask])
    assert (again[mask] != RGB[mask]).mean() > 0.9
    with tifffile.TiffFile(tmp_path / "b.tif") as two:
        assert len(two.pages) == 2


def test_a_mask_page_of_another_size_is_refused(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(GREY, metadata=None)
        writer.write(GREY[:-1] > 9, photometric="mask", subfiletype=4, metadata=None)
    with pytest.raises(UnreadableImage, match="mask page is of another size"):
        codec.decode(tmp_path / "a.tif")


@pytest.mark.parametrize("bits", [2, 4, 10, 12, 14])
@pytest.mark.parametrize("bands", [1, 3])
def test_few_bits_are_read_on_their_own_range_and_written_back(
    tmp_path: Path, bits: int, bands: int
) -> None:
    shape = (40, 31) if bands == 1 else (40, 31, 3)
    pixels = RNG.integers(0, 2**bits, shape).astype(np.uint8 if bits < 8 else np.uint16)
    colours = "minisblack" if bands == 1 else "rgb"
    source = tif(tmp_path / "a.tif", pixels, bitspersample=bits, photometric=colours)
    assert declared(source) == Reading(0, 2**bits - 1)
    assert codec.facts(source).bits == bits
    after = pixels[::-1]
    codec.write_stored(source, after, tmp_path / "b.tif")
    np.testing.assert_array_equal(codec.decode(tmp_path / "b.tif"), after)
    assert codec.facts(tmp_path / "b.tif").bits == bits


def test_few_bits_of_the_other_order_of_bytes_are_written_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No writer makes such a file here: the reader is told that one is."""
    pixels = RNG.integers(0, 1024, (40, 31), dtype=np.uint16)
    source = tif(tmp_path / "a.tif", pixels, bitspersample=10)
    monkeypatch.setattr(tifffile.TiffFile, "byteorder", ">")
    tiff_copy.write_like(source, pixels[::-1], tmp_path / "b.tif")
    monkeypatch.undo()
    np.testing.assert_array_equal(codec.decode(tmp_path / "b.tif"), pixels[::-1])


@pytest.mark.parametrize("pixels", [GREY, GREY.astype(np.uint16) * 257, GREY // 16])
def test_where_white_is_low_it_is_read_as_white_and_written_back(
    tmp_path: Path, pixels: Pixels
) -> None:
    bits = 4 if pixels.max() < 16 else 8 * pixels.dtype.itemsize
    options: dict[str, Any] = {} if bits >= 8 else {"bitspersample": bits}
    options |= {"photometric": "miniswhite", "extratags": [gdal("3")]}
    source = tif(tmp_path / "a.tif", pixels, **options)
    np.testing.assert_array_equal(codec.decode(source), 2**bits - 1 - pixels)
    assert declared(source) == Reading(0, 2**bits - 1, nodata=2**bits - 4)
    codec.write_stored(source, codec.decode(source), tmp_path / "b.tif")
    with tifffile.TiffFile(tmp_path / "b.tif") as again:
        np.testing.assert_array_equal(again.pages.first.asarray(), pixels)
        assert tiff.name(again.pages.first.photometric) == "MINISWHITE"


@pytest.mark.parametrize("options", [{"compression": "lzw"}, {"tile": (16, 16)}, {"bigtiff": True}])
def test_bands_in_planes_stay_in_planes(tmp_path: Path, options: dict[str, Any]) -> None:
    planes = {"planarconfig": "separate", "photometric": "rgb"}
    source = tif(tmp_path / "a.tif", np.moveaxis(RGB, 2, 0), **planes, **options)
    np.testing.assert_array_equal(codec.decode(source), RGB)
    codec.write_stored(source, RGB[::-1], tmp_path / "b.tif")
    np.testing.assert_array_equal(codec.decode(tmp_path / "b.tif"), RGB[::-1])
    with tifffile.TiffFile(tmp_path / "b.tif") as again:
        assert again.pages.first.planarconfig == 2


TYPES = [np.int8, np.int16, np.int32, np.uint32, np.float16, np.float32, np.float64]


@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_is_repaired_on_a_declared_range(tmp_path: Path, dtype: Any) -> None:
    low, high = (-100, 100) if np.dtype(dtype).kind != "u" else (10, 4_000_000_000)
    pixels = (RNG.random((40, 30)) * (high - low) * 1.05 + low).clip(low, None).astype(dtype)
    pixels[:5] = 5 if low < 0 else 77
    source = tif(tmp_path / "a.tif", pixels, extratags=[gdal("5" if low < 0 else "77")])
    assert np.isnan(declared(source).high)  # it has no range of its own
    reading = replace(declared(source), low=float(low), high=float(high))
    repair(source, tmp_path / "b.tif", reading, SAME)
    np.testing.assert_array_equal(codec.decode(tmp_path / "b.tif"), pixels)
    repair(source, tmp_path / "b.tif", reading, BRIGHTER)
    after = codec.decode(tmp_path / "b.tif")
    kept = (pixels > high) | (pixels == pixels[0, 0])
    assert after.dtype == dtype
    np.testing.assert_array_equal(after[kept], pixels[kept])
    assert not (after[~kept] == pixels[0, 0]).any()
    inner = ~kept & (pixels > low + (high - low) / 8) & (pixels < high - (high - low) / 8)
    assert (after[inner] > pixels[inner]).all()


def test_what_is_no_number_is_not_seen_and_stays(tmp_path: Path) -> None:
    pixels = RNG.random((40, 30, 3)).astype(np.float32)
    pixels[:4], pixels[4, 4, 1], pixels[5, 5, 2] = np.nan, np.inf, -np.inf
    source = tif(tmp_path / "a.tif", pixels, photometric="rgb", extratags=[gdal("nan")])
    reading = replace(declared(source), low=0.0, high=1.0)
    view = views.view(source, reading)
    assert view.unseen.sum() == 4 * 30 + 2
    assert np.isfinite(view.unit()).all()
    assert view.grey().levels.dtype == np.uint16
    repair(source, tmp_path / "b.tif", reading, BRIGHTER)
    after = codec.decode(tmp_path / "b.tif")
    np.testing.assert_array_equal(after[view.unseen], pixels[view.unseen])
    assert (after[~view.unseen] > pixels[~view.unseen]).mean() > 0.99


@pytest.mark.parametrize("gap", [-9999.0, 0.0, -3.4028234663852886e38])
def test_real_numbers_do_not_become_nodata(gap: float) -> None:
    reading = Reading(gap if gap > -1e30 else 0.0, 10.0, nodata=gap)
    after = levels.quantised(np.zeros((2, 2)), np.float32, reading)
    assert not levels.missing(after, reading).any()
    six_digits = replace(reading, nodata=float(f"{gap:.6g}"))
    assert levels.missing(np.full((2, 2), gap, np.float32), six_digits).all()


@pytest.mark.parametrize(
    ("given", "dtype", "expected"),
    [("-32768", np.int16, -32768), ("-9999", np.float32, -9999), ("-1", np.uint16, None)],
)
def test_nodata_may_be_below_0(tmp_path: Path, given: str, dtype: Any, expected: Any) -> None:
    source = tif(tmp_path / "a.tif", GREY.astype(dtype), extratags=[gdal(given)])
    assert declared(source).nodata == expected


@pytest.mark.parametrize(
    ("bands", "extra", "alpha"),
    [
        (4, ["UNSPECIFIED"], None),
        (4, ["UNASSALPHA"], 3),
        (4, ["ASSOCALPHA"], 3),
        (6, ["UNSPECIFIED"] * 3, None),
        (6, ["UNSPECIFIED", "UNSPECIFIED", "UNASSALPHA"], 5),
    ],
)
def test_a_last_band_is_alpha_only_if_the_file_says_so(
    tmp_path: Path, bands: int, extra: list[str], alpha: int | None
) -> None:
    pixels = RNG.integers(1, 250, (40, 30, bands), dtype=np.uint8)
    options = {"photometric": "rgb", "planarconfig": "contig", "extrasamples": extra}
    source = tif(tmp_path / "a.tif", pixels, **options)
    assert declared(source).alpha == alpha
    repair(source, tmp_path / "b.tif", declared(source), BRIGHTER)
    changed = (codec.decode(tmp_path / "b.tif") != pixels).mean(axis=(0, 1)) > 0.5
    assert changed.tolist() == [band != alpha for band in range(bands)]
    with tifffile.TiffFile(tmp_path / "b.tif") as again:
        page: Any = again.pages.first
        assert [one.name for one in page.extrasamples] == extra


def test_alpha_stays_whatever_a_repair_makes_of_it(tmp_path: Path) -> None:
    pixels = RNG.integers(1, 250, (40, 30, 4), dtype=np.uint8)
    source = saved(tmp_path / "a.png", Image.fromarray(pixels))
    codec.write_like(source, np.zeros(pixels.shape), tmp_path / "b.png", declared(source))
    after = codec.decode(tmp_path / "b.png")
    assert not after[..., :3].any()
    np.testing.assert_array_equal(after[..., 3], pixels[..., 3])


def palette(path: Path, **options: Any) -> Path:
    image = Image.fromarray(GREY % 3)
    image = image.convert("P")
    image.putpalette([10, 20, 30, 200, 100, 0, 0, 0, 255])
    return saved(path, image, **options)


@pytest.mark.parametrize("name", ["a.png", "a.gif", "a.bmp", "a.tif"])
def test_a_palette_is_looked_at_in_its_colours_and_not_repaired(tmp_path: Path, name: str) -> None:
    source = palette(tmp_path / name)
    colours = np.array([[10, 20, 30], [200, 100, 0], [0, 0, 255]], np.uint8)
    np.testing.assert_array_equal(codec.decode(source), colours[GREY % 3])
    np.testing.assert_array_equal(masks.decode(source), GREY % 3)
    assert codec.obstacle(source).startswith("a palette holds no new colours")


@pytest.mark.parametrize("name", ["a.png", "a.gif"])
def test_what_is_transparent_in_a_palette_is_not_seen(tmp_path: Path, name: str) -> None:
    source = palette(tmp_path / name, transparency=1)
    stored = codec.decode(source)
    there = views.seen(source, stored, codec.declaration(source, stored))
    np.testing.assert_array_equal(there, GREY % 3 != 1)


def test_nodata_of_a_palette_is_not_seen(tmp_path: Path) -> None:
    colours = np.zeros((3, 256), np.uint16)
    options: dict[str, Any] = {"photometric": "palette", "colormap": colours}
    source = tif(tmp_path / "a.tif", GREY % 3, extratags=[gdal("0")], **options)
    stored = codec.decode(source)
    there = views.seen(source, stored, codec.declaration(source, stored))
    np.testing.assert_array_equal(there, GREY % 3 != 0)


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.pbm"])
def test_bilevel_is_black_and_white_and_not_repaired(tmp_path: Path, name: str) -> None:
    source = saved(tmp_path / name, Image.fromarray(GREY > 99))
    np.testing.assert_array_equal(codec.decode(source), np.where(GREY > 99, 255, 0))
    np.testing.assert_array_equal(masks.decode(source), GREY > 99)
    assert codec.obstacle(source)


def test_a_file_with_an_obstacle_is_never_written(tmp_path: Path) -> None:
    source = palette(tmp_path / "a.png")
    with pytest.raises(UnreadableImage, match=r"a\.png can not be written back: a palette"):
        repair(source, tmp_path / "b.png", declared(source), BRIGHTER)
    assert not (tmp_path / "b.png").exists()


def test_the_first_picture_of_several_is_the_image_and_not_repaired(tmp_path: Path) -> None:
    frames = [Image.fromarray(pixels) for pixels in (RGB, RGB[::-1].copy())]
    source = saved(
        tmp_path / "a.mpo", frames[0], save_all=True, append_images=frames[1:], format="MPO"
    )
    frames[0].save(tmp_path / "b.jpg")
    np.testing.assert_array_equal(codec.decode(source), codec.decode(tmp_path / "b.jpg"))
    assert "would lose its 1 further frames" in codec.obstacle(source)


def test_what_is_read_and_not_written_has_an_obstacle(tmp_path: Path) -> None:
    source = saved(tmp_path / "a.png", Image.fromarray(RGB), format="JPEG2000")
    assert codec.decode(source).shape == RGB.shape
    assert codec.obstacle(source).startswith("JPEG2000 is read and not written")


OTHERS = ["AVIF", "DDS", "EPS", "ICO", "PCX", "SGI", "TGA"]  # that Pillow writes
MADE = {  # and those that it does not
    "FITS": b"SIMPLE  =                    T".ljust(2880),
    "IM": b"Image type: RGB image\r\n".ljust(600, b"\0"),
    "PSD": b"8BPS\0\1".ljust(64, b"\0"),
    "TGA": b"\0\0\2\0\0\0\0\0\0\0\0\0\x0a\0\x0a\0\x18\0" + bytes(300),  # no mark at its end
    "PDF": b"%PDF-1.7\n",
    "JPEG XL": b"\xff\x0a" + bytes(60),
    "HEIF or a video": b"\0\0\0\x18ftypheic" + bytes(60),
}


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
@pytest.mark.parametrize("kind", OTHERS)
def test_another_kind_is_refused_by_name(tmp_path: Path, kind: str, suffix: str) -> None:
    source = saved(tmp_path / f"a{suffix}", Image.fromarray(RGB), format=kind)
    refused_by_name(source, kind)


@pytest.mark.parametrize("kind", MADE)
def test_another_kind_is_refused_by_its_mark(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.png").write_bytes(MADE[kind])
    refused_by_name(tmp_path / "a.png", kind)


def refused_by_name(source: Path, kind: str) -> None:
    for look in (codec.check, codec.decode, codec.facts, codec.declarations):
        with pytest.raises(UnreadableImage) as error:
            look(source)
        assert str(error.value) == f"{kind}, which is not read: save it as TIFF or PNG"
        assert not isinstance(error.value, BrokenImage)


def test_what_leads_a_decoder_astray_has_a_reason_that_reads_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(path: Path, raw: bool) -> Pixels:
        raise KeyError(path, raw)

    def murmurs(path: Path, raw: bool) -> Pixels:
        raise ValueError(f"cannot\x1b[31m open\n {path}\x07, {raw}")

    source = saved(tmp_path / "a.png", Image.fromarray(RGB))
    for decode, reason in (
        (fails, "its header leads the decoder astray (KeyError)"),
        (murmurs, "cannot?[31m open a.png?, False"),
    ):
        monkeypatch.setattr(codec, "PILLOW", codec.PILLOW._replace(decode=decode))
        with pytest.raises(BrokenImage) as error:
            codec.decode(source)
        assert str(error.value) == f"broken or unknown file: {reason}"


@pytest.mark.parametrize("white", [255, 4095, 65535, 100])
@pytest.mark.parametrize("bands", [1, 3])
def test_a_portable_map_has_the_white_that_it_says(tmp_path: Path, white: int, bands: int) -> None:
    shape = (40, 30) if bands == 1 else (40, 30, 3)
    pixels = RNG.integers(0, white + 1, shape).astype(np.uint8 if white < 256 else ">u2")
    start = f"P{5 if bands == 1 else 6}\n# a comment\n30 40\n{white}\n".encode()
    source = tmp_path / "a.pnm"
    source.write_bytes(start + pixels.tobytes())
    np.testing.assert_array_equal(codec.decode(source), pixels)
    assert declared(source) == Reading(0, white)
    codec.write_stored(source, codec.decode(source)[::-1], tmp_path / "b.pnm")
    assert (tmp_path / "b.pnm").read_bytes() == start + pixels[::-1].tobytes()
    source.write_bytes((start + pixels.tobytes())[:-1])
    with pytest.raises(UnreadableImage, match="truncated"):
        codec.decode(source)
    source.write_bytes((start + pixels.tobytes()) * 2)
    with pytest.raises(UnreadableImage, match="more than one image"):
        codec.decode(source)


def test_orientation_is_declared_in_every_format_that_has_it(tmp_path: Path) -> None:
    tags = Image.Exif()
    tags[274] = 6
    for name in ("a.jpg", "a.png", "a.webp"):
        source = saved(tmp_path / name, Image.fromarray(RGB), exif=tags)
        assert declared(source).orientation == 6
        assert codec.decode(source).shape == RGB.shape
        repair(source, tmp_path / f"again {name}", declared(source), BRIGHTER)
        assert declared(tmp_path / f"again {name}").orientation == 6


def test_a_transparent_level_of_a_png_is_nodata_and_stays_so(tmp_path: Path) -> None:
    source = saved(tmp_path / "a.png", Image.fromarray(GREY), transparency=7)
    assert declared(source).nodata == 7
    repair(source, tmp_path / "b.png", declared(source), BRIGHTER)
    again = codec.decode(tmp_path / "b.png")
    assert declared(tmp_path / "b.png").nodata == 7
    np.testing.assert_array_equal(again == 7, GREY == 7)


def test_exif_in_directories_of_a_tiff_is_an_obstacle(tmp_path: Path) -> None:
    tags = Image.Exif()
    tags[0x8769] = {0x9003: "2020:01:01 00:00:00"}
    source = saved(tmp_path / "a.tif", Image.fromarray(RGB), exif=tags.tobytes())
    assert "EXIF" in codec.obstacle(source)


def test_decoders_say_nothing_on_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tif(tmp_path / "a.tif", GREY, rowsperstrip=10)
    content = source.read_bytes()
    with tifffile.TiffFile(source) as opened:
        place = opened.pages.first.tags[273].offset
    source.write_bytes(content[: place + 4] + (3).to_bytes(4, "little") + content[place + 8 :])
    with pytest.raises(UnreadableImage, match="it lists 3 of 4 strips"):
        codec.decode(source)
    assert capfd.readouterr() == ("", "")


def test_a_tile_beyond_all_measure_is_refused(tmp_path: Path) -> None:
    source = tif(tmp_path / "a.tif", GREY, tile=(16, 16))
    with tifffile.TiffFile(source, mode="r+") as opened:
        for tag in ("TileLength", "TileWidth"):
            opened.pages.first.tags[tag].overwrite(16384)
    with pytest.raises(UnreadableImage, match="tiles of 16384 x 16384 px"):
        codec.decode(source)


REAL = {  # bands, type, nodata, alpha, field of view; or why it is refused
    "bgrn_nir": (4, "uint16", None, None, ""),
    "rasterio__RGBA.uint16": (4, "uint16", None, 3, ""),
    "rasterio__alpha": (4, "uint8", None, 3, ""),
    "rasterio__cogeo": (3, "uint8", None, None, "page"),
    "rasterio__float_nan": "3 x 2 px: smaller than 10 px a side",
    "rasterio__rgb_deflate": (3, "uint8", 0, None, ""),
    "rio-tiler__201404_13SED190110_201404_0x1500m_CL_1_alpha": (4, "uint8", None, 3, ""),
    "rio-tiler__cog_int16": (1, "int16", -32768, None, ""),
    "rio-tiler__cog_nodata": (1, "uint16", 1, None, ""),
    "rio-tiler__cog_rgb": (3, "uint8", None, None, ""),
    "rio-tiler__cog_uint8_rgb_nodata": (3, "uint8", 0, None, ""),
    "rio-tiler__cog_uint8_rgba": (4, "uint8", None, 3, ""),
    "s2_13band": (13, "uint16", None, None, ""),
    "solaris__pan1": (1, "uint16", None, None, ""),
    "solaris__sample_1": (1, "uint16", None, None, ""),
}


@pytest.mark.parametrize("name", REAL)
def test_a_real_file_is_read_repaired_in_all_its_bands_and_keeps_what_it_says(
    tmp_path: Path, name: str
) -> None:
    source, target = GEOTIFF / f"{name}.tif", tmp_path / "b.tif"
    if not source.is_file():
        pytest.skip(f"{source} is not there: CLEARSET_GEOTIFF names the folder")
    expected = REAL[name]
    if isinstance(expected, str):
        with pytest.raises(UnreadableImage, match=expected):
            codec.decode(source)
        return
    pixels = codec.decode(source)
    reading = codec.declaration(source, pixels)
    bands = 1 if pixels.ndim == 2 else pixels.shape[2]
    found = (bands, pixels.dtype.name, reading.nodata, reading.alpha, reading.seen)
    assert found == expected
    reading = replace(reading, low=0.0, high=255.0) if np.isnan(reading.high) else reading
    seen = views.seen(source, pixels, reading)
    repair(source, target, reading, SAME)
    np.testing.assert_array_equal(codec.decode(target), pixels)
    repair(source, target, reading, BRIGHTER)
    after = codec.decode(target)
    again = views.seen(target, after, codec.declaration(target, after))
    assert (again is None) == (seen is None)
    np.testing.assert_array_equal(again, seen)
    differs = (after != pixels).reshape(-1, bands).any(axis=0)
    assert differs.tolist() == [band != reading.alpha for band in range(bands)]
    with tifffile.TiffFile(source) as one, tifffile.TiffFile(target) as two:
        before, now = tiff.pages(one), tiff.pages(two)
        assert tags(now[0]) == tags(before[0])
        assert len(two.pages) == 1 + (before[1] is not None)
