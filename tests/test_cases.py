"""Data sets as people keep them, through all stages: what a user would expect, and one law."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import yaml

from cases import CASES
from clearset.commands.folder import configured
from clearset.config.schema_fetch import Links
from clearset.sources import intake
from clearset.sources.entries import entries
from clearset.stages import analyze, compare, enhance, fetch, release
from clearset.stages import filter as filter_stage
from clearset.store import layout, tables
from conftest import ROOT

STAGES = (fetch, analyze, filter_stage, enhance, compare, release)
Cleaned = Callable[..., "Run"]


@dataclass(frozen=True)
class Run:
    """What became of a case: its source, the folder in which the stages ran, what they said."""

    source: Path
    home: Path
    text: str


RUNS: dict[tuple[str, ...], Run] = {}  # a case is run once, whatever several tests ask of it


@pytest.fixture
def cleaned(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Run]:
    """A function that runs all stages on a case, and goes to the folder where it did."""
    monkeypatch.setenv("CLEARSET_WORKERS", "1")

    def run(*words: str) -> Run:
        if words not in RUNS:
            home = tmp_path_factory.mktemp(words[0])
            (home / "conf").symlink_to(ROOT / "conf")
            monkeypatch.chdir(home)
            RUNS[words] = done(home, *words)
        monkeypatch.chdir(RUNS[words].home)
        return RUNS[words]

    return run


def done(home: Path, name: str, *overrides: str) -> Run:
    source = home / "sources" / name
    CASES[name](source)
    own = layout.FOLDERS / name / "params.yaml"
    section = configured(source, name, [f"{name}.{word}" for word in overrides], own)
    own.parent.mkdir(parents=True)
    own.write_text(yaml.safe_dump(section))
    return Run(source, home, "\n".join(stage.main(name) for stage in STAGES))


def manifest(name: str) -> pd.DataFrame:
    return tables.read("manifest", layout.stage_folder("release", name)).set_index("image_id")


def inventory(name: str) -> pd.DataFrame:
    return tables.read("inventory", layout.stage_folder("release", name))


def flags(name: str) -> dict[str, list[str]]:
    table = tables.read("flags", layout.stage_folder("filter", name))
    return {str(rule): sorted(own["image_id"]) for rule, own in table.groupby("rule")}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def assert_conserved(source: Path, name: str) -> None:
    """The law: each file of the source has its row, and what is no repaired image is as it was."""
    target, table = layout.stage_folder("release", name), inventory(name)
    every = {intake.written(str(e.place)): e.file for e in entries(source, Links.every)}
    assert set(table["file"]) == set(every)
    images = table[table["role"] == "image"]
    assert set(images["image_id"]) == set(manifest(name).index)  # one row for every image
    repaired = set(manifest(name).query("decision == 'repaired'")["output"])
    for row in table[table["output"] != ""].itertuples():
        assert digest(target / row.output) == row.sha256
        if row.output not in repaired:
            assert digest(target / row.output) == digest(every[row.file]), row.file
    absent = table[table["output"] == ""]
    dropped = manifest(name).query("decision == 'dropped'").index
    gone = absent["image_id"].isin(dropped) | (absent["role"] == "left out")
    assert gone.all(), absent
    assert (absent["reason"] != "").all()


@pytest.mark.parametrize("name", CASES)
def test_nothing_of_a_source_vanishes_and_annotations_stay_as_they_are(
    cleaned: Cleaned, name: str
) -> None:
    assert_conserved(cleaned(name).source, name)


def test_masks_beside_their_images_are_masks(cleaned: Cleaned) -> None:
    cleaned("beside")
    table = manifest("beside")
    assert len(table) == 6
    assert table["mask"].tolist() == [
        source.replace(".tif", "_mask.tif") for source in table["source"]
    ]
    assert set(table["decision"]) == {"kept"}


def test_the_field_of_view_is_seen_and_vessels_are_measured(cleaned: Cleaned) -> None:
    cleaned("drive")
    table = manifest("drive")
    assert all("1st_manual" in mask for mask in table["mask"])
    assert all(seen.startswith("file ") and "/mask/" in seen for seen in table["seen"])
    roles = inventory("drive")["role"].value_counts()
    assert roles.to_dict() == {"image": 6, "mask": 6, "field of view": 6, "annotation": 3}
    assert not set(flags("drive")) & {"dark", "vignette", "shadow"}


def test_classes_are_images(cleaned: Cleaned) -> None:
    cleaned("classes")
    assert len(manifest("classes")) == 8
    assert (manifest("classes")["decision"] == "kept").all()


def test_links_are_followed_once_and_odd_entries_have_a_row(cleaned: Cleaned) -> None:
    cleaned("links")
    assert len(manifest("links")) == 6
    left = inventory("links").query("role == 'left out'").set_index("file")["reason"]
    assert "to nowhere" in left["train/gone.png"]
    assert "back to itself" in left["train/self.png"]
    assert "named pipe" in left["pipe"]
    twice = left[[file for file in ("again", "val") if file in left]]
    assert len(twice) == 1
    assert "read as" in twice.iloc[0]


def test_links_out_of_a_source_that_is_not_trusted_are_not_followed(cleaned: Cleaned) -> None:
    cleaned("links", "fetch.links=inside")
    assert manifest("links")["source"].tolist() == ["train/hard2.png"]
    left = inventory("links").query("role == 'left out'")["reason"]
    assert left.str.contains("out of the source").sum() == 4


def test_names_that_can_be_written_are_kept(cleaned: Cleaned) -> None:
    text = cleaned("names").text
    table = manifest("names")
    assert table["decision"].value_counts().to_dict() == {"kept": 6, "dropped": 1}
    assert "not UTF-8" in table.query("decision == 'dropped'")["reason"].iloc[0]
    assert "other systems can not hold" in text


def test_a_mask_that_can_not_be_used_leaves_its_image_and_goes_along(cleaned: Cleaned) -> None:
    cleaned("mask_kinds")
    table = manifest("mask_kinds")
    assert (table["decision"] == "kept").all()
    faulty = ["all/colours", "all/colours_alpha", "all/other_size"]
    assert table.index[table["mask_error"] != ""].tolist() == faulty
    assert flags("mask_kinds")["faulty_mask"] == faulty
    assert (table.loc[faulty, "mask"] != "").all()
    masks = tables.read("masks", layout.stage_folder("analyze", "mask_kinds"))
    assert set(masks["image_id"]) == set(table.index) - {*faulty, "all/no_mask"}


def test_colours_become_classes_by_a_table(cleaned: Cleaned) -> None:
    source = cleaned(
        "mask_kinds", "fetch.layout.colours={artery: [255, 0, 0], vein: [0, 0, 255]}"
    ).source
    table = manifest("mask_kinds")
    assert table.index[table["mask_error"] != ""].tolist() == ["all/other_size"]
    import clearset  # noqa: PLC0415

    loaded = clearset.load_release(layout.stage_folder("release", "mask_kinds"))
    values = {item["image_id"]: item["mask"] for item in loaded if item["mask"] is not None}
    assert np.array_equal(values["all/colours"], values["all/ones"])
    assert_conserved(source, "mask_kinds")


def test_what_looks_drawn_among_photographs_is_never_repaired(cleaned: Cleaned) -> None:
    source = cleaned("unknown_drawings").source
    table = manifest("unknown_drawings")
    assert (table["decision"] == "kept").all()
    assert "dark" in flags("unknown_drawings")
    reasons = table.loc[["all/evening/blob x", "all/evening/blob y"], "reason"]
    assert reasons.str.startswith("not repaired: it looks drawn").all()
    assert_conserved(source, "unknown_drawings")


def test_an_image_by_its_layout_is_repaired_however_it_looks(cleaned: Cleaned) -> None:
    cleaned("unknown_drawings", "fetch.layout.images=['**/*']")
    assert "repaired" in set(manifest("unknown_drawings")["decision"])


def test_only_what_is_seen_is_measured_and_nothing_is_repaired_for_its_gaps(
    cleaned: Cleaned,
) -> None:
    cleaned("transparent")
    assert (manifest("transparent")["decision"] == "kept").all()
    metrics = tables.read("metrics", layout.stage_folder("analyze", "transparent"))
    means = metrics.set_index("image_id")["mean"]
    cuts = [means[f"all/cut{i}"] for i in range(3)]
    assert 60 < min(cuts) <= max(cuts) < 180


def test_values_that_fill_little_of_16_bits_are_said_and_never_repaired(cleaned: Cleaned) -> None:
    text = cleaned("swath").text
    assert (manifest("swath")["decision"] == "kept").all()
    assert "dark" not in flags("swath")
    assert "fetch.range.mapping=fixed" in text


def test_with_a_declared_range_only_the_dark_tile_is_flagged(cleaned: Cleaned) -> None:
    cleaned("swath", "fetch.range.mapping=fixed", "fetch.range.low=0", "fetch.range.high=3000")
    assert flags("swath")["dark"] == ["all/dark"]
    metrics = tables.read("metrics", layout.stage_folder("analyze", "swath")).set_index("image_id")
    assert metrics.loc[["all/swath0", "all/swath65535"], "mean"].between(80, 160).all()


def test_lists_go_along_and_name_what_was_dropped(cleaned: Cleaned) -> None:
    run = cleaned("detection")
    source = run.source
    table = inventory("detection").set_index("file")
    assert "images/train/0009.jpg" in table.loc["metadata.csv", "reason"]
    assert table.loc["data.yaml", "reason"] == ""
    assert "metadata.csv still names what was dropped" in run.text
    folder = layout.stage_folder("release", "detection")
    assert (folder / "README.md").read_bytes() == (source / "README.md").read_bytes()
    assert "# A folder of images" in (folder / "clearset-README.md").read_text()
    from clearset.commands.verify import verify  # noqa: PLC0415

    assert "is as released" in verify(str(folder))


def test_what_is_not_understood_is_kept_with_its_reason(cleaned: Cleaned) -> None:
    cleaned("odd_files")
    table = manifest("odd_files")
    assert table.index[table["decision"] == "dropped"].tolist() == ["all/cut"]
    assert table.index[table["decision"] == "repaired"].tolist() == ["all/dark"]
    reasons = table["reason"]
    assert "2 pages" in reasons["all/pages"]
    assert "CMYK" in reasons["all/print"]
    assert "HEIF" in reasons["all/phone"]
    assert "smaller than 10 px" in reasons["all/tiny"]
    assert reasons["all/palette"].startswith("not repaired: ")
    assert flags("odd_files")["unmeasured"] == [
        f"all/{n}" for n in ("pages", "phone", "print", "tiny")
    ]
    images = tables.read("images", layout.stage_folder("fetch", "odd_files")).set_index("image_id")
    assert "fetch.range.mapping=fixed" in images.loc["all/depth", "obstacle"]


@pytest.mark.parametrize("name", ["all_dark", "all_black"])
def test_a_flag_on_every_image_is_a_warning(cleaned: Cleaned, name: str) -> None:
    assert "dark flags all" in cleaned(name).text
    assert len(flags(name)["dark"]) == len(manifest(name))


def test_a_quantile_flags_both_of_the_worst(cleaned: Cleaned) -> None:
    cleaned("worst_twice")
    assert flags("worst_twice")["blur"] == ["all/soft", "all/soft_copy"]


def test_geotiffs_are_read_by_their_first_page(cleaned: Cleaned) -> None:
    cleaned("geotiff")
    table = manifest("geotiff")
    assert (table["decision"] == "kept").all()
    assert table["seen"].tolist().count("page") == 1


@pytest.mark.parametrize(
    ("name", "shown"), [("sentinel", [4, 3, 2]), ("bgrn", [3, 2, 1]), ("cog", [])]
)
def test_scenes_of_many_bands_are_measured_on_chosen_ones_and_repaired_in_all(
    cleaned: Cleaned, name: str, shown: list[int]
) -> None:
    declared = [f"fetch.range.{word}" for word in ("mapping=fixed", "low=0", "high=10000")]
    sharp = "filter.blur.quantile=null", "filter.blur.min=-99"  # gamma alone
    source = cleaned(name, *declared, *sharp, f"fetch.bands.shown={shown}").source
    assert flags(name)["dark"] == ["all/dark"]
    assert manifest(name).query("decision == 'repaired'").index.tolist() == ["all/dark"]
    before, after = (
        tifffile.TiffFile(folder / "dark.tif")
        for folder in (source, layout.stage_folder("release", name))
    )
    with before, after:
        old, new = (file.pages.first for file in (before, after))
        first, last = old.asarray().astype(float), new.asarray().astype(float)
        assert len(after.pages) == 1  # no overview of what was before
        for tag in (33550, 42113, 258, 262, 277, 338):
            assert new.tags.valueof(tag) == old.tags.valueof(tag)
    seen = first.any(axis=2)
    assert (last[~seen] == 0).all()  # no data stays so
    expected = (first[seen] / 10000) ** 0.7 * 10000
    np.testing.assert_allclose(last[seen], expected, atol=0.51)  # every band alike: ratios too
    metrics = tables.read("metrics", layout.stage_folder("analyze", name)).set_index("image_id")
    chosen = first[seen][:, [band - 1 for band in shown or [1, 2, 3]]]
    assert metrics.loc["all/dark", "mean"] == pytest.approx(chosen.mean() / 10000 * 255, abs=1)


def test_a_recipe_makes_the_release_again_with_all_that_goes_along(cleaned: Cleaned) -> None:
    from clearset.share import releases  # noqa: PLC0415

    source = cleaned("detection").source
    recipe = layout.stage_folder("recipe", "detection")
    releases.rebuild(recipe, source, Path("rebuilt"))
    folder = layout.stage_folder("release", "detection")
    names = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    assert names == {p.relative_to("rebuilt") for p in Path("rebuilt").rglob("*") if p.is_file()}
    assert all(digest(folder / name) == digest("rebuilt" / name) for name in names)
