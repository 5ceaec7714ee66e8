"""Where an image lies in its source: what can be no such place, and what two would share."""

from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from clearset.config.schema_fetch import Fetch, Split
from clearset.sources import intake, inventory, places
from clearset.sources.inventory import Item
from clearset.store import checksums
from clearset.store.errors import ClearsetError
from conftest import write_image

ROOT = Path("/a/source")


def items(folder: Path, splits: dict[str, Split] | None = None) -> list[Item]:
    """Return the images of a source, by patterns or by names and looks."""
    return inventory.inventory(folder, Fetch(splits=splits or {})).items


def item(source: str, mask: str = "", split: str = "train", root: Path = ROOT) -> Item:
    name = PurePosixPath(source).name
    return Item(split, PurePosixPath(name), root / source, root / mask if mask else None, root)


@pytest.mark.parametrize(
    "path", ["a\nb.png", "a\x7f.png", "../a.png", "/a.png", "c:a.png", "a\\b.png", "\udcff.png"]
)
def test_what_is_no_path_everywhere_says_why(path: str) -> None:
    assert places.unfit(path)
    assert not checksums.is_safe(path)
    assert not checksums.is_safe(ascii(path)[1:-1]) or path.startswith("/")


@pytest.mark.parametrize(
    "path",
    ["a.png", "b c/=1+1.png", "ä/眼.png", "a..b.png", "./-a.png", "1\u202fPM.png", "ab:c.png"],
)
def test_other_names_are_fit(path: str) -> None:
    assert places.unfit(path) == ""


def test_places_apart_are_no_collision() -> None:
    places.refuse_collisions([item("x/a.png", "m/a.png"), item("x/b.png", "m/b.png")])
    places.refuse_collisions([item("x/a.png", "m/a.png"), item("x/a.tif", "m/a.png")])  # shared


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([item("a.png"), item("a.png", split="test")], "'a.png' is more than one image"),
        (
            [item("a.png", "m/a.png"), item("b.png", "m/a.png", root=Path("/planted"))],
            "'m/a.png' is more than one mask",
        ),
        ([item("a.png", "b.png"), item("b.png")], "'b.png' is both an image and a mask"),
        (
            [item("clearset-manifest.csv/a.png")],
            "lies where a released dataset has a file of its own",
        ),
    ],
)
def test_a_shared_place_is_refused(found: list[Item], message: str) -> None:
    with pytest.raises(ClearsetError, match=f"{message}.* mend the patterns in fetch.splits"):
        places.refuse_collisions(found)


def test_patterns_that_take_a_file_twice_are_a_collision(tmp_path: Path) -> None:
    write_image(tmp_path / "x/a.png", np.zeros((4, 4), np.uint8))
    found = items(tmp_path, {"train": Split("x/*.png"), "test": Split("*/*.png")})
    with pytest.raises(ClearsetError, match=r"'x/a\.png' is more than one image"):
        places.refuse_collisions(found)


def image(path: Path) -> Path:
    return write_image(path, np.arange(256, dtype=np.uint8).reshape(16, 16))


@pytest.mark.parametrize("name", ["=cmd|'x'.png", "-rf.png", "b c.png"])
def test_the_row_of_an_image_leads_back_to_its_file(tmp_path: Path, name: str) -> None:
    image(tmp_path / "source" / name)
    image(tmp_path / "source/masks" / name)
    (found,) = items(tmp_path / "source")
    row = intake.image(tmp_path / "taken", Fetch(), found)
    assert row["error"] == ""
    assert (tmp_path / "source" / row["source"]).samefile(tmp_path / "source" / name)
    assert row["source_mask"] == f"masks/{name}"


@pytest.mark.parametrize("name", ["a\nb.png", "a\\b.png", "a\x1b[2J.png"])
def test_an_image_that_has_no_place_is_a_row_with_its_error(tmp_path: Path, name: str) -> None:
    image(tmp_path / "source/x" / name)
    (found,) = items(tmp_path / "source")
    row = intake.image(tmp_path / "taken", Fetch(), found)
    assert "in its " in row["error"]
    assert row["source"].isprintable()
    assert not checksums.is_safe(row["source"])
    assert not (tmp_path / "taken").exists()


def test_a_broken_image_brings_its_mask(tmp_path: Path) -> None:
    mask = image(tmp_path / "source/masks/a.png")
    (tmp_path / "source/a.png").write_bytes(b"no image")
    (found,) = items(tmp_path / "source")
    row = intake.image(tmp_path / "taken", Fetch(), found)
    assert row["error"]
    assert row["source_mask"] == "masks/a.png"
    assert (tmp_path / "taken/masks" / row["mask"]).read_bytes() == mask.read_bytes()


def test_a_mask_that_has_no_place_is_named(tmp_path: Path) -> None:
    image(tmp_path / "source/a.png")
    whole = tmp_path / "source/masks/b\\/a.png"
    image(whole)
    found = Item("all", PurePosixPath("a.png"), tmp_path / "source/a.png", whole, tmp_path)
    row = intake.image(tmp_path / "taken", Fetch(), found)
    assert row["mask_error"].startswith("its mask: a backslash")
    assert row["mask"] == row["source_mask"] == ""
