"""The satellite study on forty tiles of 192 px: 16 bits, three bands, through all seven stages."""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
import yaml
from omegaconf import OmegaConf

from clearset.config import composition, params
from clearset.images import codec
from clearset.stages import analyze, compare, enhance, fetch, filter, release, report
from clearset.store import layout, tables
from clearset.store.errors import ClearsetError

NAME = "tiny"
STAGES = [fetch, analyze, filter, enhance, compare, report, release]
# In place of a table that is too large to read: a few tiles of each kind.
SMALLER = """
fetch: {count: 30, size: 192, channels: 3}
fetch.plant: {faults: [under_exposure], in_place: 5, near_duplicates: 0, duplicates: 3, leaks: 0,
  overlaps: 2, empty: 2, broken: 1}
compare: {resamples: 100, gallery: 2, pairs: 2}
"""


def section(**changes: Any) -> dict[str, Any]:
    """Return the params of the satellite sample, smaller."""
    config = composition.composed()["satellite_sample"]
    smaller = yaml.safe_load(SMALLER)
    smaller["fetch"]["plant"] = smaller.pop("fetch.plant")
    whole: Any = OmegaConf.to_container(config, enum_to_str=True)
    merged: Any = OmegaConf.to_container(
        OmegaConf.merge(OmegaConf.create(whole), OmegaConf.create(smaller), changes)
    )
    return dict(merged)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which all seven stages have run."""
    folder = tmp_path_factory.mktemp("study")
    own = yaml.safe_dump({NAME: section()})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("CLEARSET_WORKERS", "1")  # those of an earlier test work in another folder
        Path(params.PARAMS).write_text(own, encoding="utf-8")
        for stage in STAGES:
            assert stage.main(NAME)
    return folder


def read(study: Path, stage: str, table: str) -> pd.DataFrame:
    return tables.read(table, study / layout.stage_folder(stage, NAME)).set_index("image_id")


def test_dark_tiles_are_found_on_the_declared_range_and_not_by_their_own(study: Path) -> None:
    truth, metrics = read(study, "fetch", "truth"), read(study, "analyze", "metrics")
    dark = metrics.index.isin(truth.index[truth["fault"] == "under_exposure"])
    assert dark.sum() == 5
    flags = read(study, "filter", "flags")
    assert set(flags.index[flags["rule"] == "dark"]) == set(metrics.index[dark])
    seen, stretched = metrics["highlights"], metrics["stretched_mean"]
    assert seen[dark].max() < seen[~dark].min()
    assert stretched[dark].max() > stretched[~dark].min()  # as fastdup sees them


def test_a_dark_tile_is_not_flagged_after_its_repair(study: Path) -> None:
    outcomes = tables.read("outcomes", study / layout.REPORTS / NAME / "tables")
    dark = outcomes[outcomes["flags_before"].str.contains(r"\bdark\b")]
    assert len(dark) == 5
    assert not dark["flags_after"].str.contains(r"\bdark\b").any()
    assert (dark["accepted"] == 1).all()


def test_a_repaired_tile_keeps_its_type_its_bands_and_its_tags(study: Path) -> None:
    manifest = read(study, "release", "manifest")
    repaired = manifest[manifest["decision"] == "repaired"]
    assert len(repaired) == 5
    table = read(study, "fetch", "images")
    before, after = study / layout.stage_folder("fetch", NAME), study / "data/release/tiny"
    for image_id, row in repaired.iterrows():
        files = before / "images" / table.loc[image_id, "path"], after / row["output"]
        with tifffile.TiffFile(files[0]) as one, tifffile.TiffFile(files[1]) as other:
            tags, again = ({t.name: t.value for t in f.pages.first.tags} for f in (one, other))
        assert tags == again
        assert {"GDAL_NODATA", "ModelTiepointTag"} <= set(tags)
        dark, light = (codec.decode(file) for file in files)
        assert light.dtype == np.uint16
        assert light.shape == dark.shape == (192, 192, 3)
        assert np.median(light) > 1.5 * np.median(dark)


def test_tiles_of_mostly_nodata_are_dropped(study: Path) -> None:
    manifest = read(study, "release", "manifest")
    empty = manifest[manifest.index.str.contains("empty")]
    assert len(empty) == 2
    assert (empty["decision"] == "dropped").all()
    assert (empty["reason"] == "dropped by empty").all()
    assert (read(study, "analyze", "metrics").loc[empty.index, "nodata_share"] > 0.5).all()


def test_of_copies_the_labelled_one_stays(study: Path) -> None:
    curation, table = read(study, "filter", "curation"), read(study, "fetch", "images")
    copied = table[table.duplicated("pixels_sha256", keep=False) & (table["pixels_sha256"] != "")]
    assert len(copied) == 6
    for _, pair in copied.groupby("pixels_sha256"):
        (gone,) = set(pair.index) & set(curation.index)
        (stays,) = set(pair.index) - {gone}
        assert curation.loc[gone, "keeper_id"] == stays
        assert (table.loc[stays, "label"] != "") >= (table.loc[gone, "label"] != "")
    manifest = read(study, "release", "manifest")
    assert manifest.loc[curation.index, "reason"].str.endswith("stays in its stead").all()


def test_labels_of_what_stays_are_released_beside_it(study: Path) -> None:
    manifest, root = read(study, "release", "manifest"), study / "data/release/tiny"
    labelled = manifest[manifest["label"] != ""]
    assert len(labelled) > 10
    assert (labelled["decision"] != "dropped").all()
    for row in labelled.itertuples():
        assert (root / str(row.label)).is_file()
        assert Path(str(row.label)).stem == Path(str(row.output)).stem
    assert not list(root.rglob("*empty*"))


def test_overlapping_crops_in_two_splits_are_leaks(study: Path) -> None:
    flags = read(study, "filter", "flags")
    leaks = set(flags.index[flags["rule"] == "leak"])
    overlaps = [i for i in read(study, "fetch", "truth").index if "overlap" in i]
    assert len(overlaps) == 2
    assert set(overlaps) <= leaks


def test_the_report_has_the_published_counts_beside_the_true_ones(study: Path) -> None:
    page = (study / layout.REPORTS / NAME / "report.md").read_text(encoding="utf-8")
    assert "A published fastdup report counts directed edges" in page
    table = pd.read_csv(study / layout.REPORTS / NAME / "tables/published.csv").set_index("finding")
    row = table.loc["fully identical"]
    assert row["edges"] >= 6
    assert row["pairs"] == row["edges"] / 2
    assert (study / "data/report/tiny/galleries/dropped.png").is_file()


def configured(name: str, folder: Path) -> None:
    """Write the params that conf/ gives a dataset into a folder."""
    with contextlib.chdir(Path(__file__).resolve().parents[1]):
        own: Any = OmegaConf.to_container(composition.composed()[name], enum_to_str=True)
    (folder / params.PARAMS).write_text(yaml.safe_dump({name: own}), encoding="utf-8")


@pytest.mark.parametrize("name", ["mafat_labeled", "mafat_unlabeled"])
def test_data_behind_a_registration_is_asked_for_with_the_layout(
    name: str, in_folder: Path
) -> None:
    configured(name, in_folder)
    with pytest.raises(ClearsetError, match=r"no copy of mafat_.*registration") as caught:
        fetch.main(name)
    said = str(caught.value)
    for words in ("competitions/9603", f"data/incoming/{name}.zip", f"CLEARSET_{name.upper()}="):
        assert words in said
    assert "scene_row_column" in said


def test_tiles_and_labels_put_by_hand_are_taken(in_folder: Path) -> None:
    name = "mafat_labeled"
    configured(name, in_folder)
    draw = np.random.default_rng(0)
    for scene in ("1001_0_0", "1001_0_1280", "1002_0_0"):
        place = layout.INCOMING / name / "dataset/train"
        (place / "images").mkdir(parents=True, exist_ok=True)
        (place / "labelTxt").mkdir(exist_ok=True)
        pixels = draw.integers(1, 3000, (64, 64), dtype=np.uint16)
        tifffile.imwrite(place / f"images/{scene}.tiff", pixels)
        (place / f"labelTxt/{scene}.txt").write_text("1 1 5 1 5 5 1 5 car 0\n")
    said = fetch.main(name)
    table = tables.read("images", layout.stage_folder("fetch", name))
    assert table["split"].tolist() == ["train"] * 3
    assert (table["label"] != "").all()
    assert table["high"].nunique() == 1
    assert "stored values from" in said


def test_tiles_of_which_none_can_be_read_are_an_error_and_no_crash(in_folder: Path) -> None:
    name = "mafat_unlabeled"
    configured(name, in_folder)
    place = layout.INCOMING / name / "1001_0_0.tiff"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"no tile")
    with pytest.raises(ClearsetError, match=r"no image of mafat_unlabeled can be read: .*1001_0_0"):
        fetch.main(name)
