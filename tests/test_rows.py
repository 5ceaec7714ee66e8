"""What Hugging Face's `datasets` loads of a released folder: its manifest's rows and its pixels."""

import importlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clearset import load_release
from clearset.commands.rebuild import rebuild
from clearset.share import parquet, rows
from clearset.sources import places
from clearset.store import checksums, columns, tables
from conftest import REPEATABLE, write_image
from releasing import PARAMS, made_source, make


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The library itself, its caches in a folder of its own, and no network."""
    home = tmp_path_factory.mktemp("huggingface")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HF_DATASETS_OFFLINE", "HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
            patch.setenv(name, "1")
        patch.setenv("HF_HOME", str(home))
        datasets = importlib.import_module("datasets")  # reads its places then
        datasets.disable_progress_bars()
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", home / "datasets")
        yield datasets


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of `made_source`: one image repaired, one dropped, one kept though it is cut."""
    folder = tmp_path_factory.mktemp("released here ü")
    made_source(folder / "source")
    with pytest.MonkeyPatch.context() as patch:
        return make(folder, PARAMS, patch)


def loaded(library: Any, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the records of each split, pictures decoded."""
    whole = library.load_dataset(str(folder))
    return {split: list(whole[split]) for split in whole}


def test_records_are_those_of_the_manifest(library: Any, released: Path) -> None:
    found = loaded(library, released)
    assert set(found) == {"train", "test_2"}
    manifest = tables.read("manifest", released)
    assert manifest["decision"].value_counts().to_dict() == {"kept": 8, "repaired": 1, "dropped": 1}
    expected = manifest[
        (manifest["decision"] != "dropped") & (manifest["image_id"] != "test-2/cut")
    ]
    for split, of_one in expected.groupby("split"):
        records = found[{"train": "train", "test-2": "test_2"}[str(split)]]
        columns_of = {"image_id": "image_id", "split": "split", "fate": "decision"}
        for to, at in columns_of.items():
            assert [record[to] for record in records] == of_one[at].tolist()
        assert [record["label"] or "" for record in records] == of_one["label"].tolist()
        assert [record["mask"] is not None for record in records] == (of_one["mask"] != "").tolist()
    assert sum(map(len, found.values())) == len(expected)


def test_pixels_are_those_of_the_files(library: Any, released: Path) -> None:
    found = {r["image_id"]: r for records in loaded(library, released).values() for r in records}
    ours = load_release(released)
    assert [image["image_id"] for image in ours] == sorted(found)
    for image in ours:
        record = found[image["image_id"]]
        pixels = np.asarray(record["image"])
        np.testing.assert_allclose(pixels / 4095, image["image"], rtol=0, atol=1e-6)
        if image["mask"] is not None:
            np.testing.assert_array_equal(np.asarray(record["mask"]), image["mask"])


def test_columns_are_pictures_and_text(library: Any, released: Path) -> None:
    train = library.load_dataset(str(released), split="train")
    kinds = {name: type(feature).__name__ for name, feature in train.features.items()}
    pictures, texts = ("image", "mask"), ("image_id", "split", "fate", "label")
    assert kinds == dict.fromkeys(pictures, "Image") | dict.fromkeys(texts, "Value")
    assert len(train.filter(lambda fate: fate == "repaired", input_columns="fate")) == 1


def test_a_moved_copy_loads_its_own_files(library: Any, released: Path, tmp_path: Path) -> None:
    shutil.copytree(released, tmp_path / "moved")
    for record in library.load_dataset(str(tmp_path / "moved"), split="train").cast_column(
        "image", library.Image(decode=False)
    ):
        assert Path(record["image"]["path"]).is_relative_to(tmp_path)


def test_a_recipe_gives_the_same_tables(released: Path, tmp_path: Path) -> None:
    root = released.parents[2]
    rebuild(str(root / "data/recipe/tiny"), str(root / "source"), str(tmp_path / "again"))
    there = {path.name for path in (tmp_path / "again").glob("rows-*")}
    assert there == {"rows-train.parquet", "rows-test_2.parquet"}
    assert checksums.verify(tmp_path / "again", checksums.read(released / "checksums.sha256")) == []
    assert not list((root / "data/recipe/tiny").glob("rows-*"))


def test_names_that_the_source_has_stay_the_sources(
    library: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    made_source(source)
    (source / "README.md").write_text(
        "---\nconfigs:\n- {config_name: other, data_files: x.csv}\n---\n"
    )
    (source / "rows-train.parquet").write_bytes(b"the source's own")
    (source / "clearset-rows-more.parquet").write_bytes(b"no place for it")
    folder = make(tmp_path, PARAMS, monkeypatch)
    assert (folder / "rows-train.parquet").read_bytes() == b"the source's own"
    inventory = tables.read("inventory", folder).set_index("file")
    assert inventory.loc["clearset-rows-more.parquet", "output"] == ""
    assert checksums.verify(folder) == []
    assert {split: len(records) for split, records in loaded(library, folder).items()} == {
        "train": 6,
        "test_2": 2,
    }


def test_one_image_without_a_mask_and_without_a_split_is_loaded(
    library: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image(tmp_path / "source/only.png", np.full((16, 16), 99, np.uint8))
    folder = make(tmp_path, PARAMS | {"fetch": {"path": "source"}}, monkeypatch)
    ((split, (record,)),) = loaded(library, folder).items()
    assert (split, record["split"], record["image_id"]) == ("train", "all", "all/only")
    assert set(record) == {"image", "image_id", "split", "fate"}


def manifest_of(*splits: str) -> pd.DataFrame:
    """A manifest of one kept image in each of these splits."""
    rows_of = [{"image_id": f"{split}/{n}", "split": split} for n, split in enumerate(splits)]
    table = pd.DataFrame(rows_of).assign(output="a.png", decision="kept", low=0.0, high=1.0)
    blank = columns.empty("manifest").columns.difference(table.columns)
    return table.assign(**dict.fromkeys(blank, ""))


def test_splits_of_any_name_get_names_of_their_own() -> None:
    names = ["all", "train", "Train", "val a", "val-a", "über", "all."]
    found = rows.splits(manifest_of(*names))
    called = [split.name for split in found]
    assert called == ["all_2", "train", "Train_2", "val_a", "val_a_2", "_ber", "all_"]
    assert len({split.file.casefold() for split in found}) == len(found)
    assert all(places.TABLE.fullmatch(split.file) for split in found)
    assert [split.name for split in rows.splits(manifest_of("all"))] == ["train"]


def test_a_folder_for_each_image_does_not_fill_the_card(library: Any, tmp_path: Path) -> None:
    table = manifest_of(*["train"] * 60)
    table["output"] = [f"patient {n}/eye.png" for n in range(60)]
    (split,) = rows.splits(table)
    assert split.patterns() == ["**/*.png"]
    for place in table["output"]:
        write_image(tmp_path / place, np.zeros((4, 4), np.uint8))
    (tmp_path / split.file).write_bytes(split.content())
    front = {"configs": rows.config([split], {split.file: split.file})}
    (tmp_path / "README.md").write_text(f"---\n{yaml.safe_dump(front)}---\n")
    ((_, records),) = loaded(library, tmp_path).items()
    assert [record["image_id"] for record in records] == table["image_id"].tolist()


CELLS = st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=9), min_size=1)


@REPEATABLE
@given(CELLS, st.integers(1, 20))
def test_a_reader_of_parquet_reads_what_was_written(cells: list[str | None], number: int) -> None:
    given_columns = {
        f"column {n}": cells[n % len(cells) :] + cells[: n % len(cells)] for n in range(number)
    }
    content = parquet.written(given_columns)
    table = pyarrow.parquet.read_table(pyarrow.BufferReader(content))
    assert table.to_pydict() == given_columns
    assert {str(kind) for kind in table.schema.types} == {"string"}
    assert parquet.written(given_columns) == content
