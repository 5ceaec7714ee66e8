"""Whatever is checked, as files: paths, arrays, tensors, Pillow images, datasets of others."""

import io
from collections.abc import Iterator
from contextlib import chdir
from importlib import import_module
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import tifffile
from PIL import Image

from clearset import check
from clearset.generate.retina.synthesis import sample
from clearset.images import codec
from clearset.inspection import sources
from clearset.stages import __main__ as stages
from clearset.store.errors import ClearsetError
from conftest import write_image

Array = npt.NDArray[Any]
QUICK = {"analyze.trials": 0, "compare.resamples": 100}


def noise(*shape: int, kind: Any = np.uint8, seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(0, np.iinfo(kind).max, shape, dtype=kind)


class Tensor:
    """What is used of torch's: its array is reached by `detach` and `cpu`, numbers by `item`."""

    def __init__(self, values: Any) -> None:
        self.values = np.asarray(values)
        self.shape, self.dtype = self.values.shape, self.values.dtype

    def detach(self) -> "Tensor":
        return self

    def cpu(self) -> "Tensor":
        return self

    def item(self) -> Any:
        return self.values.item()

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        return self.values


class Dataset:
    """A dataset in the manner of torch: a length, numbered items, names of classes, no more."""

    classes = ("sound", "sick eye")

    def __init__(self, images: list[Any]) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, number: int) -> tuple[Any, int]:
        return self.images[number], number % 2


@pytest.fixture(scope="module", autouse=True)
def here() -> Iterator[None]:
    """The stages in this process: that they have one of their own is for test_check to show.

    Each would load all code anew, which takes longer than what they do with a few images.
    """

    def run(home: Path, name: str) -> None:
        with chdir(home):
            assert stages.run(name) == 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("clearset.inspection.check"), "run", run)
        yield


def laid_out(source: Any, folder: Path) -> dict[str, Path]:
    """Return the files that a source becomes, by their places."""
    sources.fetched(source, folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path for path in files}


@pytest.mark.parametrize(
    ("given", "suffix", "stored"),
    [
        (noise(20, 30), ".png", noise(20, 30)),
        (noise(20, 30, 1), ".png", noise(20, 30, 1)[:, :, 0]),
        (noise(20, 30, 2), ".png", noise(20, 30, 2)),
        (noise(20, 30, 3), ".png", noise(20, 30, 3)),
        (noise(20, 30, 4)[:, ::-1], ".png", noise(20, 30, 4)[:, ::-1]),
        (noise(20, 30, 13), ".tif", noise(20, 30, 13)),
        (noise(20, 30, kind=np.uint16), ".png", noise(20, 30, kind=np.uint16)),
        (noise(20, 30, kind=np.uint16).astype(">u2"), ".png", noise(20, 30, kind=np.uint16)),
        (noise(20, 30, 3, kind=np.uint16), ".tif", noise(20, 30, 3, kind=np.uint16)),
        (noise(20, 30, 4, kind=np.uint16), ".tif", noise(20, 30, 4, kind=np.uint16)),
        (noise(20, 30) / np.float32(255), ".png", noise(20, 30)),
        (Tensor(noise(3, 20, 30)), ".png", np.moveaxis(noise(3, 20, 30), 0, -1)),
        (Tensor(noise(1, 20, 30) / np.float32(255)), ".png", noise(1, 20, 30)[0]),
        (Tensor(noise(20, 30)), ".png", noise(20, 30)),
        (Image.fromarray(noise(20, 30, 3)), ".png", noise(20, 30, 3)),
        (Image.fromarray(noise(20, 30, kind=np.uint16)), ".png", noise(20, 30, kind=np.uint16)),
    ],
)
def test_every_pixel_is_stored_as_it_is(
    tmp_path: Path, given: Any, suffix: str, stored: Array
) -> None:
    files = laid_out([given], tmp_path)
    assert list(files) == [f"images/0000{suffix}"]
    (path,) = files.values()
    decoded = codec.decode(path)
    assert decoded.dtype == stored.dtype
    np.testing.assert_array_equal(decoded, stored)
    codec.check(path)


def test_a_fourth_band_of_16_bits_is_no_alpha(tmp_path: Path) -> None:
    (path,) = laid_out([noise(20, 30, 4, kind=np.uint16)], tmp_path).values()
    assert codec.facts(path).alpha is None
    with tifffile.TiffFile(path) as file:
        assert file.series[0].keyframe.tags["SamplesPerPixel"].value == 4


def test_files_in_memory_are_stored_byte_for_byte(tmp_path: Path) -> None:
    stored = io.BytesIO()
    Image.fromarray(noise(20, 30)).save(stored, format="JPEG")
    files = laid_out([stored.getvalue(), {"bytes": stored.getvalue(), "path": None}], tmp_path)
    assert [path.read_bytes() for path in files.values()] == [stored.getvalue()] * 2
    assert sorted(files) == ["images/0000.jpg", "images/0001.jpg"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "item 1 is None: leave it out"),
        (3, "item 1 is of type int, no image: give paths"),
        (noise(20, 30) / 250, "item 1 is of type float64: give uint8 or uint16, or floats from 0"),
        (noise(20, 30) / 127.5 - 1, "before they are normalised"),
        (np.full((20, 30), np.nan), "item 1 is of type float64"),
        (noise(20, 30).astype(np.int64), "item 1 is of type int64: give uint8 or uint16"),
        (noise(20, 30) > 3, "item 1 is of type bool: give uint8"),
        (noise(3, 20, 30), "item 1 is 3 x 20 x 30: bands seem to come first"),
        (noise(2, 3, 20, 30), "item 1 is 2 x 3 x 20 x 30: give height x width"),
        (noise(0, 30), "item 1 is 0 x 30: give height x width"),
        (Image.new("CMYK", (30, 20)), "item 1 is a Pillow image of mode CMYK, which no PNG has"),
        ("nowhere.png", "item 1 is nowhere.png: no such image file"),
        ((noise(20, 30), 1, 2), "item 1 has 3 parts: give a folder"),
        ((noise(20, 30), {"boxes": []}), "the label of item 1 is of type dict, and no text"),
        ((noise(20, 30), 0.5), "the label of item 1 is of type float"),
        ({"picture": noise(20, 30)}, "no column is called image, img, .*; there are picture"),
    ],
)
def test_what_is_no_image_is_refused_with_its_number(
    tmp_path: Path, given: Any, message: str
) -> None:
    with pytest.raises(ClearsetError, match=message):
        laid_out([noise(20, 30), given], tmp_path)


def numbers() -> Iterator[int]:
    yield 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "this list is empty: there is no image"),
        ({}, "no split was given"),
        ({"train": []}, "this list is empty"),
        ({"train": "images"}, "'images' is one path, where a list of images is expected"),
        ({"a/b": [noise(9, 9)], "a_b": [noise(9, 9)]}, "splits of one name: a/b, a_b"),
        (numbers(), r"a generator has no length and no numbered items: list\(...\) makes"),
        (3, "a int has no length and no numbered items; give a folder"),
        (noise(20, 30), r"this ndarray is one image: give a list of images, \[image\]"),
        (noise(20, 30, 3), "this ndarray is one image"),
        (Image.new("L", (30, 20)), "has no length and no numbered items; give a folder"),
    ],
)
def test_what_is_no_source_is_refused(tmp_path: Path, given: Any, message: str) -> None:
    with pytest.raises(ClearsetError, match=message):
        laid_out(given, tmp_path)


def test_paths_keep_their_names_and_folders_and_are_links(tmp_path: Path) -> None:
    places = ("train/a.png", "test/a.png", "test/.hidden/b.png", "test/hidden/b.png")
    paths = [write_image(tmp_path / "data" / place, noise(9, 9)) for place in places]
    files = laid_out([paths[0], *map(str, paths[1:])], tmp_path / "out")
    own = ["test/a.png", "test/hidden/b-2.png", "test/hidden/b.png", "train/a.png"]
    assert sorted(files) == own
    assert all(path.is_symlink() for path in files.values())
    with pytest.raises(ClearsetError, match=r"given more than once: .*train/a\.png\. Name each"):
        laid_out([paths[0], tmp_path / "data/test/../train/a.png"], tmp_path / "twice")
    with pytest.raises(ClearsetError, match=r"no such image file: nowhere\.png"):
        laid_out([paths[0], "nowhere.png"], tmp_path / "missing")


def test_labels_are_folders_of_names_that_any_disk_takes_and_that_mean_nothing_else(
    tmp_path: Path,
) -> None:
    labels = ["a/b", "a_b", "A_b", None, 3, np.int64(3), Tensor(3), "test", "..", "masks", True]
    files = laid_out([(noise(9, 9), label) for label in labels], tmp_path)
    folders = {path.stem: path.parent.name for path in files.values()}
    own = ["a_b", "a_b-2", "A_b-3", "images", "3", "3", "3", "test", "_", "masks", "True"]
    assert [folders[f"{number:04d}"] for number in range(len(labels))] == own
    shapes = [(64, 64), (50, 64), (70, 64, 3)]  # of several sizes, in grey and in colour
    mixed = [(noise(*shape, seed=n), "test") for n, shape in enumerate(shapes)]
    report = check(mixed, settings=QUICK)
    assert set(report.table["split"]) == {"all"}
    assert set(report.table["path"]) == {f"images/test/000{n}.png" for n in range(3)}


@pytest.fixture(scope="module")
def eyes() -> list[Array]:
    return [sample(number, count=8, size=64, seed=3).pixels for number in range(6)]


@pytest.fixture(scope="module")
def measured(eyes: list[Array]) -> pd.DataFrame:
    """What is measured of the eyes as a list of arrays."""
    return check(eyes, settings=QUICK).table.drop(columns="path")


def test_a_dataset_in_the_manner_of_torch_is_checked_with_its_classes(
    eyes: list[Array], measured: pd.DataFrame
) -> None:
    tensors = Dataset([Tensor(eye[None] / np.float32(255)) for eye in eyes])
    table = check(tensors, settings=QUICK).table
    assert table["path"].iloc[1] == "images/sick eye/0001.png"
    pd.testing.assert_frame_equal(table.drop(columns="path"), measured)


def test_masks_are_measured_and_go_along(tmp_path: Path) -> None:
    made = [sample(number, count=6, size=64, seed=3) for number in range(3)]
    pairs = [(one.pixels, one.mask if n else one.mask > 0) for n, one in enumerate(made)]  # type: ignore[operator]
    report = check({"train": pairs, "test": [made[0].pixels]}, settings=QUICK)
    table = report.table.set_index("image_id")
    assert table["mask_share"].notna().sum() == 3
    assert set(table["split"]) == {"train", "test"}
    target = report.release(tmp_path / "cleaned")
    mask = codec.decode(target / "train/masks/0001.png")
    np.testing.assert_array_equal(mask, made[1].mask)
    (pair,) = report.duplicates.to_dict("records")
    assert {pair["image_id"], pair["other_id"]} == {"train/0000", "test/0000"}


def test_a_dataset_of_hugging_face_is_checked_by_the_bytes_of_its_files(
    eyes: list[Array], measured: pd.DataFrame, tmp_path: Path
) -> None:
    paths = [str(write_image(tmp_path / f"{n}.png", eye)) for n, eye in enumerate(eyes)]
    Path(paths[5]).write_bytes(Path(paths[5]).read_bytes()[:300])
    columns = {"scan": datasets.Image(), "kind": datasets.ClassLabel(names=["sound", "sick"])}
    dataset = datasets.Dataset.from_dict(
        {"scan": paths, "kind": [0, 1] * 3}, features=datasets.Features(columns)
    )
    report = check(dataset.with_format("numpy"), settings=QUICK)
    table = report.table.set_index("path")
    assert table.loc["images/sick/0005.png", "decision"] == "drop"  # a broken file is a row
    assert table.loc["images/sound/0000.png", "mean"] == measured["mean"].iloc[0]
    both = datasets.DatasetDict({"train": dataset.select([0, 1]), "test": dataset.select([2])})
    files = laid_out(both, tmp_path / "both")
    expected = ["test/images/sound/0000.png", "train/images/sick/0001.png"]
    assert sorted(files) == [*expected, "train/images/sound/0000.png"]
    with pytest.raises(ClearsetError, match=r"no column is called image, .*; there are kind"):
        laid_out(dataset.remove_columns("scan"), tmp_path / "none")
