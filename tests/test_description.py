"""What a row of the table `images` says of an image: nothing that nobody declared, unsaid."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import tifffile
from PIL import Image

from clearset.config.schema_fetch import Bands, Fetch, Mapping, PixelRange
from clearset.images import codec, levels, ranges, views
from clearset.repair.files import repair
from clearset.sources import intake, inventory
from clearset.stages import fetch
from clearset.store.errors import ClearsetError

Pixels = npt.NDArray[Any]
RNG = np.random.default_rng(0)
TYPE = PixelRange()
BRIGHTER = [{"method": "gamma", "gamma": 0.5}]


def tile(top: int, shape: tuple[int, ...] = (32, 40), dtype: Any = np.uint16) -> Pixels:
    return RNG.integers(1, top, shape).astype(dtype)


def fetched(
    folder: Path, wanted: PixelRange, bands: Bands | None = None, **images: Any
) -> pd.DataFrame:
    """Return the table `images` of files: of pixels as TIFF, or with the writer's options."""
    for name, given in images.items():
        pixels, options = given if isinstance(given, tuple) else (given, {})
        path = folder / "source" / f"{name}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        plain = {"metadata": None, "photometric": "minisblack"}
        if pixels.ndim == 3:
            plain["planarconfig"] = "contig"
        tifffile.imwrite(path, pixels, **plain | options)
    found = inventory.inventory(folder / "source", Fetch()).items
    rows = [
        intake.image(folder / "taken", Fetch(range=wanted, bands=bands or Bands()), item)
        for item in found
    ]
    return fetch.listing(rows, Fetch(range=wanted))


def by_name(table: pd.DataFrame, column: str) -> dict[str, Any]:
    pairs = zip(table["image_id"], table[column], strict=True)
    return {name.removeprefix("all/"): value for name, value in pairs}


def test_16_bits_that_fill_few_are_measured_on_few_and_it_is_said(tmp_path: Path) -> None:
    table = fetched(tmp_path, TYPE, a=tile(2047), b=tile(300), c=tile(200, dtype=np.uint8))
    assert by_name(table, "high") == {"a": 2047, "b": 2047, "c": 255}
    assert by_name(table, "assumed") == {"a": 1, "b": 1, "c": 0}
    setting = "fetch.range.mapping=fixed fetch.range.low=0 fetch.range.high=2047"
    assert [setting in reason for reason in table["obstacle"]] == [True, True, False]
    notes = [note for note in ranges.described(table, Mapping.type) if setting in note]
    assert len(notes) == 1
    assert "2 images whose values fill few bits" in notes[0]


def test_a_dark_image_among_well_filled_ones_is_dark(tmp_path: Path) -> None:
    table = fetched(tmp_path, TYPE, dark=tile(900), bright=tile(60000))
    assert by_name(table, "high") == {"dark": 65535, "bright": 65535}
    assert not table["assumed"].any()
    assert (table["obstacle"] == "").all()


def test_images_that_fill_15_bits_together_fill_the_type(tmp_path: Path) -> None:
    table = fetched(tmp_path, TYPE, dark=tile(900), bright=tile(30000))
    assert table["high"].tolist() == [65535, 65535]


def test_a_little_noise_between_bands_is_no_colour(tmp_path: Path) -> None:
    pixels = 128 + tile(5, (32, 40, 3), np.uint8)
    assert fetched(tmp_path, TYPE, a=(pixels, {"photometric": "rgb"}))["colours"].tolist() == [0]


def test_a_broken_pixel_is_no_range(tmp_path: Path) -> None:
    pixels = tile(4000, (400, 400))
    pixels[3, 3] = 65535
    assert fetched(tmp_path, TYPE, a=pixels)["high"].tolist() == [4095]


def test_a_declared_range_is_no_assumption(tmp_path: Path) -> None:
    wanted = PixelRange(Mapping.fixed, 0, 2047)
    table = fetched(tmp_path, wanted, a=tile(2047))
    assert (table["assumed"].tolist(), table["obstacle"].tolist()) == ([0], [""])
    few = tile(1024), {"bitspersample": 10}
    assert fetched(tmp_path / "few", TYPE, a=few)["high"].tolist() == [1023]


def test_what_is_transparent_is_not_counted(tmp_path: Path) -> None:
    pixels = np.dstack([tile(2047, (32, 40, 3)), np.full((32, 40), 65535, np.uint16)])
    pixels[:4] = 65535
    pixels[:4, :, 3] = 0
    alpha = {"photometric": "rgb", "extrasamples": ["UNASSALPHA"]}
    assert fetched(tmp_path, TYPE, a=(pixels, alpha))["high"].tolist() == [2047]


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint32, np.float32])
def test_a_type_without_a_range_is_named_with_what_to_say(tmp_path: Path, dtype: Any) -> None:
    pixels = tile(900, dtype=dtype)
    pixels[0, 0], pixels[0, 1] = 0, 950
    table = fetched(tmp_path, TYPE, a=pixels, b=tile(200, dtype=np.uint8))
    assert table["error"].tolist() == ["", ""]
    assert table["assumed"].tolist() == [1, 0]
    assert table[["low", "high"]].iloc[0].tolist() == [0, 950]
    reason = table["obstacle"].iloc[0]
    assert f"no range was declared, and {np.dtype(dtype).name} has none of its own" in reason
    assert "fetch.range.mapping=fixed fetch.range.low=0 fetch.range.high=950" in reason
    given = fetched(tmp_path / "b", PixelRange(Mapping.fixed, 0, 950), a=pixels)
    assert (given["error"].tolist(), given["high"].tolist()) == ([""], [950])


@pytest.mark.parametrize("mapping", [Mapping.percentiles, Mapping.image])
@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64, np.uint32])
def test_percentiles_are_those_of_any_type(tmp_path: Path, mapping: Mapping, dtype: Any) -> None:
    pixels = (RNG.random((64, 64)) * 1e4 - (dtype != np.uint32) * 5e3).astype(dtype)
    table = fetched(tmp_path, PixelRange(mapping, 0, 100), a=pixels)
    assert table[["low", "high"]].iloc[0].tolist() == [pixels.min(), pixels.max()]
    middle = fetched(tmp_path, PixelRange(mapping, 10, 90), a=pixels).iloc[0]
    for value, share in ((middle["low"], 10), (middle["high"], 90)):
        assert value == pytest.approx(np.percentile(pixels, share), rel=0.01)


def test_what_is_no_number_is_no_percentile(tmp_path: Path) -> None:
    pixels = RNG.random((32, 40)).astype(np.float32)
    pixels[:3], pixels[3, 3] = np.nan, np.inf
    table = fetched(tmp_path, PixelRange(Mapping.percentiles, 0, 100), a=pixels)
    assert table["high"].iloc[0] == np.nanmax(np.where(np.isinf(pixels), np.nan, pixels))


def test_another_type_than_most_is_named(tmp_path: Path) -> None:
    real = tile(900, dtype=np.float32)
    table = fetched(tmp_path, PixelRange(Mapping.fixed, 0, 900), a=real, b=real, c=tile(900))
    assert by_name(table, "error")["c"].startswith("16 bits where most have float32")
    with pytest.raises(
        ClearsetError, match=r"down to -5, but the images have 16 bits, up to 65535"
    ):
        fetched(tmp_path / "b", PixelRange(Mapping.fixed, -5, 900), c=tile(900))


def test_named_bands_are_shown_and_an_image_without_them_is_named(tmp_path: Path) -> None:
    many = tile(60000, (32, 40, 13))
    shown = Bands([4, 3, 2])
    table = fetched(tmp_path, TYPE, shown, many=many, few=tile(60000, (32, 40, 3)))
    assert by_name(table, "shown") == {"many": "4 3 2", "few": ""}
    assert by_name(table, "error")["few"] == "fetch.bands.shown names band 4, and it has 3 of data"
    row = next(table[table["image_id"] == "all/many"].itertuples())
    view = views.view(tmp_path / "taken/images/all/many.tif", levels.declared(row))
    np.testing.assert_array_equal(view.pixels, many[..., [3, 2, 1]])


def test_bands_that_are_not_looked_at_are_noted_once(tmp_path: Path) -> None:
    many: dict[str, Any] = {name: tile(60000, (32, 40, 13)) for name in "ab"}
    table = fetched(tmp_path, TYPE, **many, c=tile(60000, (32, 40, 3)))
    (note,) = [line for line in ranges.described(table, Mapping.type) if "bands.shown" in line]
    assert note.startswith("2 images have 13 bands, of which the first three are measured")
    assert "'fetch.bands.shown=[" in note
    named = fetched(tmp_path, TYPE, Bands([4, 3, 2]), **many)
    assert not any("bands.shown" in line for line in ranges.described(named, Mapping.type))


@pytest.mark.parametrize("shown", [[0], [1, 2], [1, 1, 2], [4, 3, 2, 1], [-1, 2, 3]])
def test_impossible_bands_are_refused(shown: list[int]) -> None:
    with pytest.raises(ValueError, match=r"fetch\.bands\.shown is \[.*such as \[4,3,2\]"):
        Bands(shown)


@pytest.mark.parametrize("quality", [None, 90, 40])
def test_grey_in_three_bands_is_grey(tmp_path: Path, quality: int | None) -> None:
    (tmp_path / "source").mkdir()
    grey = np.add.outer(np.arange(64), np.arange(80)).astype(np.uint8) + tile(
        40, (64, 80), np.uint8
    )
    colours = np.dstack([grey, grey // 2, grey])
    for name, pixels in (("grey", np.dstack([grey] * 3)), ("plain", grey), ("colour", colours)):
        options: dict[str, Any] = {"quality": quality} if quality else {}
        suffix = "jpg" if quality else "png"
        Image.fromarray(pixels).save(tmp_path / f"source/{name}.{suffix}", **options)
    found = inventory.inventory(tmp_path / "source", Fetch()).items
    table = fetch.listing(
        [intake.image(tmp_path / "taken", Fetch(range=TYPE), one) for one in found],
        Fetch(range=TYPE),
    )
    assert by_name(table, "colours") == {"colour": 1, "grey": 0, "plain": 0}


def test_a_scene_of_13_bands_is_fetched_and_repaired_in_all_of_them(tmp_path: Path) -> None:
    pixels = tile(9000, (112, 112, 13))
    pixels[:10] = 0
    tags = [(42113, 2, None, "0", True), (34737, 2, None, "WGS 84|", True)]
    wanted = PixelRange(Mapping.fixed, 0, 10000)
    table = fetched(tmp_path, wanted, Bands([4, 3, 2]), a=(pixels, {"extratags": tags}))
    (row,) = table.itertuples()
    assert (row.error, row.obstacle, row.channels, row.nodata, row.colours) == ("", "", 13, 0, 1)
    source, target = tmp_path / "taken/images/all/a.tif", tmp_path / "b.tif"
    repair(source, target, levels.declared(row), BRIGHTER)
    after = codec.decode(target)
    assert not after[:10].any()
    assert (after[10:].astype(int) >= pixels[10:]).all()
    assert ((after[10:] > pixels[10:]).mean(axis=(0, 1)) > 0.9).all()
    same = levels.unit(pixels[10:], levels.declared(row))
    np.testing.assert_allclose(after[10:], np.sqrt(same) * 10000, atol=1)  # alike, band by band
    with tifffile.TiffFile(target) as again:
        assert again.pages.first.tags.valueof(42113) == "0"
        assert again.pages.first.tags.valueof(34737) == "WGS 84|"


def test_a_row_of_what_can_not_be_read_has_all_columns(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/a.png").write_bytes(b"no image")
    (item,) = inventory.inventory(tmp_path / "source", Fetch()).items
    table = fetch.listing(
        [intake.image(tmp_path / "taken", Fetch(range=TYPE), item)], Fetch(range=TYPE)
    )
    assert table["error"].str.startswith("broken").all()
    assert table[["obstacle", "assumed", "colours"]].iloc[0].tolist() == ["", 0, 0]
