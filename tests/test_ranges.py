"""Ranges of stored values: found for the dataset, the same in memory, refused where they misfit."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import tifffile

from clearset.config.schema_fetch import Fetch, Mapping, PixelRange
from clearset.images import census, codec, levels, ranges, views
from clearset.images.levels import Reading
from clearset.repair.steps import enhance
from clearset.sources import intake, inventory
from clearset.stages import fetch
from clearset.store.errors import ClearsetError, UnreadableImage
from conftest import write_image

FIXED = PixelRange(Mapping.fixed, 0, 2047)
Pixels = npt.NDArray[Any]


def tile(seed: int, top: int = 2047, shape: tuple[int, ...] = (32, 40)) -> Pixels:
    return np.random.default_rng(seed).integers(1, top, shape, dtype=np.uint16)


def fetched(folder: Path, wanted: PixelRange, **pixels: Pixels) -> pd.DataFrame:
    """Return the table `images` of files with these pixels."""
    for name, values in pixels.items():
        path = folder / "source" / f"{name}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(path, values)
    found = inventory.inventory(folder / "source", Fetch()).items
    rows = [intake.image(folder / "taken", Fetch(range=wanted), item) for item in found]
    return fetch.listing(rows, Fetch(range=wanted)).set_index("image_id")


def counted(*pixels: Pixels) -> list[census.Counts]:
    return [census.counted(values) for values in pixels]


@pytest.mark.parametrize(("low", "high"), [(0, 100), (1, 99), (0.5, 50), (25, 75)])
def test_percentiles_are_those_of_all_pixels_together(low: float, high: float) -> None:
    pixels = [tile(0, 500), tile(1, 3000), tile(2, 90)]
    found = ranges.span(counted(*pixels), PixelRange(Mapping.percentiles, low, high))
    every = np.concatenate([values.ravel() for values in pixels])
    expected = np.percentile(every, [low, high], method="inverted_cdf")
    assert found == pytest.approx(tuple(expected))


def test_a_constant_dataset_still_has_a_range() -> None:
    flat = np.full((12, 12), 700, np.uint16)
    assert ranges.span(counted(flat), PixelRange(Mapping.percentiles, 1, 99)) == (700, 701)


def test_one_range_stands_for_the_whole_dataset(tmp_path: Path) -> None:
    wanted = PixelRange(Mapping.percentiles, 0, 100)
    table = fetched(tmp_path, wanted, dark=tile(0, 100), bright=tile(1, 4000))
    assert table["low"].nunique() == table["high"].nunique() == 1
    assert table["high"].iloc[0] == tile(1, 4000).max()


def test_a_range_for_each_image_is_its_own(tmp_path: Path) -> None:
    wanted = PixelRange(Mapping.image, 0, 100)
    table = fetched(tmp_path, wanted, dark=tile(0, 100), bright=tile(1, 4000))
    for name, pixels in (("dark", tile(0, 100)), ("bright", tile(1, 4000))):
        assert tuple(table.loc[f"all/{name}", ["low", "high"]]) == (pixels.min(), pixels.max())


def test_without_a_mapping_the_type_is_the_range(tmp_path: Path) -> None:
    deep, shallow = tile(0, 60000), tile(1, 200).astype(np.uint8)
    table = fetched(tmp_path, PixelRange(), deep=deep, shallow=shallow)
    assert table["high"].to_dict() == {"all/deep": 65535, "all/shallow": 255}
    assert (table["error"] == "").all()


def test_nodata_is_left_out_of_the_percentiles(tmp_path: Path) -> None:
    pixels = tile(0) + np.uint16(100)
    pixels[:20] = 0
    wanted = PixelRange(Mapping.percentiles, 0, 100, nodata=0)
    assert fetched(tmp_path, wanted, a=pixels)["low"].iloc[0] == pixels[20:].min()


def test_an_image_of_another_bit_depth_is_named_and_does_not_stop_the_others(
    tmp_path: Path,
) -> None:
    shallow = tile(3, 200).astype(np.uint8)
    table = fetched(tmp_path, FIXED, a=tile(0), b=tile(1), odd=shallow)
    assert table["error"].to_dict()["all/odd"].startswith("8 bits where most have 16")
    assert (table["error"] == "").sum() == 2


def test_a_fixed_range_that_the_bit_depth_does_not_have_is_an_error(tmp_path: Path) -> None:
    shallow = tile(3, 200).astype(np.uint8)
    with pytest.raises(ClearsetError, match=r"goes up to 2047, but the images have 8 bits"):
        fetched(tmp_path, FIXED, a=shallow)


def test_a_tile_without_any_data_is_named(tmp_path: Path) -> None:
    wanted = PixelRange(Mapping.fixed, 0, 2047, nodata=0)
    table = fetched(tmp_path, wanted, a=tile(0), empty=np.zeros((32, 40), np.uint16))
    assert (
        table.loc["all/empty", "error"]
        == "nothing of it is seen: every pixel is nodata or transparent"
    )
    assert math.isnan(table.loc["all/empty", "nodata"])
    assert table.loc["all/a", "error"] == ""


def test_another_number_of_bands_is_named(tmp_path: Path) -> None:
    table = fetched(
        tmp_path, FIXED, a=tile(0), b=tile(1), odd=tile(2, shape=(32, 40, 3))
    ).reset_index()
    assert ranges.odd_formats(table).to_dict() == {"all/a": 0, "all/b": 0, "all/odd": 1}
    (span, named) = ranges.described(table, Mapping.fixed)
    assert span == "stored values from 0 to 2047 are measured"
    assert "all/odd.tif (3 bands, 16 bits)" in named


def test_a_tiffs_own_tag_says_what_is_no_data(tmp_path: Path) -> None:
    place = tmp_path / "source/a.tif"
    place.parent.mkdir()
    tifffile.imwrite(place, tile(0), extratags=[(42113, 2, None, "7 ", True)])
    (item,) = inventory.inventory(tmp_path / "source", Fetch()).items
    assert intake.image(tmp_path / "taken", Fetch(range=FIXED), item)["nodata"] == 7
    given = PixelRange(Mapping.fixed, 0, 2047, nodata=0)
    assert intake.image(tmp_path / "taken", Fetch(range=given), item)["nodata"] == 0


@pytest.mark.parametrize("given", ["nan", "-9999", "1e9", "0.5", "x", ""])
def test_a_tag_that_no_pixel_can_have_is_passed_over(tmp_path: Path, given: str) -> None:
    place = tmp_path / "a.tif"
    tifffile.imwrite(place, tile(0), extratags=[(42113, 2, None, given, True)])
    assert codec.declaration(place, tile(0)).nodata is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"mapping": Mapping.fixed, "low": 5, "high": 5}, "give low < high, both stored values"),
        ({"mapping": Mapping.percentiles, "low": 1, "high": 101}, "high <= 100"),
        ({"mapping": Mapping.fixed}, "from 0 to 0"),
        ({"high": 2047}, "mapping: type does not take"),
    ],
)
def test_an_impossible_range_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PixelRange(**given)


def test_memory_is_0_to_1_of_the_range_and_no_more() -> None:
    pixels = np.array([[0, 100, 600, 1100, 65535]], np.uint16)
    image = levels.unit(pixels, Reading(100, 1100))
    np.testing.assert_allclose(image, [[0, 0, 0.5, 1, 1]], atol=1e-6)
    assert levels.eight_bit(pixels, Reading(100, 1100)).tolist() == [[0, 0, 128, 255, 255]]


def test_every_value_within_the_range_survives() -> None:
    pixels = np.arange(100, 1101, dtype=np.uint16)[None]
    span = Reading(100, 1100)
    np.testing.assert_array_equal(
        levels.quantised(levels.unit(pixels, span), np.uint16, span), pixels
    )


def test_gaps_are_filled_from_beside_them() -> None:
    pixels = np.full((20, 20), 1000, np.uint16)
    pixels[:, :7], pixels[:, 12:] = 0, 400
    image = levels.unit(pixels, Reading(0, 2000, 0), pixels > 0)
    np.testing.assert_allclose(image[:, :12], 0.5)
    np.testing.assert_allclose(image[:, 12:], 0.2)


def test_a_pixel_without_data_has_none_in_any_band() -> None:
    pixels = np.zeros((2, 2, 3), np.uint16)
    pixels[0, 0, 1] = 5
    assert levels.missing(pixels, Reading(0, 100, 0)).tolist() == [[False, True], [True, True]]


def coloured(path: Path, **options: Any) -> Path:
    """Write a 16-bit 3-band TIFF with a satellite's tags, a gap, and values beyond the range."""
    pixels = tile(5, 1500, (48, 64, 3)) + np.uint16(1)
    pixels[:8, :8], pixels[20:24, 20:24] = 0, 3000
    tags = [
        (42113, 2, None, "0", True),
        (33550, 12, 3, (0.5, 0.5, 0.0), True),
        (33922, 12, 6, (0.0, 0.0, 0.0, 7e5, 3.5e6, 0.0), True),
        (34735, 3, 4, (1, 1, 0, 0), True),
        (34737, 2, None, "WGS 84|", True),
        (700, 7, 6, b"<xmp/>", True),
    ]
    tifffile.imwrite(
        path,
        pixels,
        photometric="rgb",
        metadata=None,
        description="a scene",
        software="a ground station",
        extratags=tags,
        **options,
    )
    return path


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "lzw", "predictor": True},
        {"compression": "zlib", "tile": (16, 16)},
        {"planarconfig": "contig", "rowsperstrip": 7, "byteorder": ">"},
        {"bigtiff": True},
    ],
    ids=str,
)
def test_a_repaired_tiff_keeps_type_bands_and_tags(tmp_path: Path, options: dict[str, Any]) -> None:
    source, target = coloured(tmp_path / "a.tif", **options), tmp_path / "b.tif"
    span = Reading(0, 2047, 0)
    image = levels.unit(codec.decode(source), span)
    repaired, _ = enhance(image, [{"method": "gamma", "gamma": 0.5}])
    codec.write_like(source, repaired, target, span)
    before, after = codec.decode(source), codec.decode(target)
    assert (after.dtype, after.shape) == (before.dtype, before.shape)
    assert (after[30:].astype(int) > before[30:]).mean() > 0.99
    layout = {"StripOffsets", "StripByteCounts", "TileOffsets", "TileByteCounts"}
    with tifffile.TiffFile(source) as one, tifffile.TiffFile(target) as other:
        assert (one.byteorder, one.is_bigtiff) == (other.byteorder, other.is_bigtiff)
        tags, again = ({t.name: t.value for t in f.pages.first.tags} for f in (one, other))
    assert {n: v for n, v in again.items() if n not in layout} == {
        n: v for n, v in tags.items() if n not in layout
    }


def test_a_repair_leaves_gaps_and_values_beyond_the_range_alone(tmp_path: Path) -> None:
    source, target = coloured(tmp_path / "a.tif"), tmp_path / "b.tif"
    span = Reading(0, 2047, 0)
    before = codec.decode(source)
    seen = views.seen(source, before, span)
    codec.write_like(source, np.zeros((48, 64, 3)), target, span, seen)
    after = codec.decode(target)
    gaps, beyond = levels.missing(before, span), (before > 2047).all(axis=2)
    assert gaps.sum() == 64
    np.testing.assert_array_equal(levels.missing(after, span), gaps)  # black is not nodata
    np.testing.assert_array_equal(after[beyond], before[beyond])
    assert set(np.unique(after[~gaps & ~beyond])) == {1}


def test_an_unknown_compression_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, tile(0))
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as opened:
        place = opened.pages.first.tags["Compression"].valueoffset
    content[place : place + 2] = (60123).to_bytes(2, "little")
    path.write_bytes(bytes(content))
    with pytest.raises(UnreadableImage, match="compression 60123 is not known: save it"):
        codec.decode(path)


def test_darkness_is_measured_on_the_declared_range(tmp_path: Path) -> None:
    """A dark tile is dark; stretched by itself, as fastdup does, it is as bright as any other."""
    from clearset.engines.native import statistics, stretched_mean  # noqa: PLC0415

    bright = tile(0, 2000)
    dark = bright // 8
    spans = levels.eight_bit(bright, Reading(0, 2047)), levels.eight_bit(dark, Reading(0, 2047))
    shown = [statistics(pixels)["mean"] for pixels in spans]
    assert shown[0] == pytest.approx(8 * shown[1], rel=0.05)
    assert stretched_mean(dark) == pytest.approx(stretched_mean(bright), rel=0.02)


def test_labels_beside_images_travel_along(tmp_path: Path) -> None:
    source = tmp_path / "source/train"
    for name in ("a", "b"):
        write_image(source / f"images/{name}.png", np.zeros((16, 16), np.uint8))
    (source / "labelTxt").mkdir()
    (source / "labelTxt/a.txt").write_text("1 2 3 4 5 6 7 8 building 0\n")
    (source / "labelTxt/stray.txt").write_text("of no image")
    found = inventory.inventory(tmp_path / "source", Fetch()).items
    rows = [intake.image(tmp_path / "taken", Fetch(range=PixelRange()), item) for item in found]
    assert [row["label"] for row in rows] == ["train/a.txt", ""]
    assert [row["source_label"] for row in rows] == ["train/labelTxt/a.txt", ""]
    copied = tmp_path / "taken/labels/train/a.txt"
    assert copied.read_text() == "1 2 3 4 5 6 7 8 building 0\n"
    parts = inventory.inventory(tmp_path / "source", Fetch()).parts
    roles = {str(part.entry.place): part.role for part in parts}
    assert roles["train/labelTxt/stray.txt"] == "companion"
