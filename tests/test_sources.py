"""Where a dataset comes from, and which of its files are images and masks."""

import functools
import hashlib
import random
import threading
import zipfile
from collections.abc import Callable
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from clearset.config.schema_fetch import Fetch, Scene, Source, Split
from clearset.generate.satellite import tiles
from clearset.generate.satellite.tile import boxes_text, tile
from clearset.images import codec
from clearset.sources import inventory, origin, plan, roles
from clearset.sources.inventory import Item
from clearset.store.errors import ClearsetError
from conftest import write_image

FILES = {"Tiny Set/train/a.png": b"1", "Tiny Set/train/b.png": b"2", "Tiny Set/test/c.png": b"3"}
SCRATCH = Path("data/incoming/.tiny.unpacked")


def laid(folder: Path, files: dict[str, bytes] | list[str]) -> Path:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(files[name] if isinstance(files, dict) else b"")
    return folder


def zipped(path: Path, files: dict[str, bytes], prefix: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in files.items():
            archive.writestr(prefix + name, body)
    return path


@pytest.fixture
def tiny(in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Fetch:
    """An archive of three files whose address does not answer, in an empty project."""
    monkeypatch.delenv("CLEARSET_TINY", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(random, "uniform", lambda *_: 0.0)  # how long gdown waits to try again
    lines = (f"{hashlib.sha256(body).hexdigest()}  {name}\n" for name, body in FILES.items())
    laid(in_folder, {"conf/checksums/tiny.sha256": "".join(lines).encode()})
    (in_folder / "data/incoming").mkdir(parents=True)
    return Fetch(
        source=Source.archive,
        url="http://127.0.0.1:1/tiny.zip",
        sha256="0" * 64,
        homepage="https://tiny.example.org",
        checksums="tiny",
        splits={"train": Split("Tiny Set/train/*.png"), "test": Split("Tiny Set/test/*.png")},
    )


def items(folder: Path, splits: dict[str, Split] | None = None) -> list[Item]:
    """Return the images of a source, by patterns or by names and looks."""
    return inventory.inventory(folder, Fetch(splits=splits or {})).items


def names(folder: Path, fetch: Fetch) -> list[str]:
    return [f"{item.split}/{item.name}" for item in items(folder, fetch.splits)]


PLACES: dict[str, Callable[[Path], object]] = {
    "the unpacked folder": lambda incoming: laid(incoming, FILES),
    "a folder around it": lambda incoming: laid(incoming / "downloads", FILES),
    "two folders around it": lambda incoming: laid(incoming / "downloads/tiny", FILES),
    "the zip": lambda incoming: zipped(incoming / "tiny.zip", FILES),
    "the zip by another name": lambda incoming: zipped(incoming / "Dataset (1).ZIP", FILES),
    "a zip with two folders around it": lambda i: zipped(i / "y.zip", FILES, "one/two/"),
    "a zip with a folder around it": lambda incoming: zipped(incoming / "x", FILES, "around/"),
}


@pytest.mark.parametrize("place", PLACES)
def test_data_incoming_may_hold(place: str, tiny: Fetch) -> None:
    PLACES[place](Path("data/incoming"))
    with origin.source_folder("tiny", tiny) as folder:
        assert names(folder, tiny) == ["test/c.png", "train/a.png", "train/b.png"]
        assert all((folder / name).read_bytes() == body for name, body in FILES.items())
    assert not SCRATCH.exists()


def test_what_else_lies_in_data_incoming_is_passed_over(tiny: Fetch) -> None:
    incoming = laid(Path("data/incoming"), ["0.txt", "1.zip", ".hidden.zip", "other/a.png"])
    zipped(incoming / "2.zip", {"else/a.png": b"1"})
    broken = zipped(incoming / "3.zip", FILES)
    broken.write_bytes(broken.read_bytes().replace(b"PK\x01\x02", b"PK\xff\xff"))
    zipped(incoming / "4.zip", FILES)
    assert origin.find("tiny", tiny) == incoming / "4.zip"


@pytest.mark.parametrize("inside", ["", "Tiny Set"])
def test_the_environment_variable_wins(
    tiny: Fetch, inside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid(Path("data/incoming"), dict.fromkeys(FILES, b"other bytes"))
    laid(Path("elsewhere"), FILES)
    monkeypatch.setenv("CLEARSET_TINY", str(Path("elsewhere") / inside))
    with origin.source_folder("tiny", tiny) as folder:
        assert folder.resolve() == Path("elsewhere").resolve()


def test_the_environment_variable_may_name_a_zip(
    tiny: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEARSET_TINY", str(zipped(Path("elsewhere/some.zip"), FILES)))
    with origin.source_folder("tiny", tiny) as folder:
        assert len(names(folder, tiny)) == 3
    assert [path.name for path in Path("elsewhere").iterdir()] == ["some.zip"]


def test_a_wrong_environment_variable_is_an_error_and_no_detour(
    tiny: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid(Path("data/incoming"), FILES)
    monkeypatch.setenv("CLEARSET_TINY", "/no/such")
    with pytest.raises(ClearsetError, match="CLEARSET_TINY is '/no/such': no such folder or zip"):
        origin.find("tiny", tiny)


def test_when_nothing_works_the_error_says_what_was_tried_and_what_to_do(tiny: Fetch) -> None:
    with pytest.raises(ClearsetError, match="no copy of tiny was found") as caught:
        origin.find("tiny", tiny)
    for said in (
        "CLEARSET_TINY (not set)",
        "data/incoming/ (holds none)",
        f"download ({tiny.url}: ",
        "by hand from https://tiny.example.org",
        "folder into data/incoming/",
        "CLEARSET_TINY=/path",
    ):
        assert said in str(caught.value)


def test_without_a_page_the_error_names_the_address(tiny: Fetch) -> None:
    tiny.homepage = ""
    with pytest.raises(ClearsetError, match=f"by hand from {tiny.url} and"):
        origin.find("tiny", tiny)


def test_a_download_stays_for_the_next_time(tiny: Fetch) -> None:
    archive = zipped(Path("site/tiny.zip"), FILES)
    handler = functools.partial(Silent, directory="site")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        tiny.url = f"http://127.0.0.1:{server.server_port}/tiny.zip"
        tiny.sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
        first = origin.find("tiny", tiny)
        server.shutdown()
    assert first == origin.find("tiny", tiny) == Path("data/incoming/tiny.zip")
    assert first.read_bytes() == archive.read_bytes()


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def test_other_bytes_are_not_the_dataset(tiny: Fetch) -> None:
    zipped(Path("data/incoming/tiny.zip"), FILES | {"Tiny Set/test/c.png": b"other"})
    expected = r"1 with other bytes \(Tiny Set/test/c\.png\)"
    with pytest.raises(ClearsetError, match=expected), origin.source_folder("tiny", tiny):
        pytest.fail("it was opened")
    assert not SCRATCH.exists()


def test_a_broken_zip_leaves_no_scratch_folder(
    tiny: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEARSET_TINY", str(zipped(Path("a.zip"), {"../x": b"1"})))
    with pytest.raises(ClearsetError, match="unsafe names"), origin.source_folder("tiny", tiny):
        pytest.fail("it was opened")
    assert list(Path("data/incoming").iterdir()) == []


def test_an_error_in_the_block_leaves_no_scratch_folder(tiny: Fetch) -> None:
    zipped(Path("data/incoming/tiny.zip"), FILES)
    with pytest.raises(OSError, match="disk full"), origin.source_folder("tiny", tiny):
        assert SCRATCH.exists()
        raise OSError("disk full")
    assert not SCRATCH.exists()


def test_what_a_kill_left_is_cleared(tiny: Fetch) -> None:
    zipped(Path("data/incoming/tiny.zip"), FILES)
    for fetch in (tiny, Fetch(source=Source.generated, count=1, size=64)):
        laid(SCRATCH, ["Tiny Set/train/stale.png"])
        with origin.source_folder("tiny", fetch) as folder:
            assert not list(folder.rglob("stale.png"))


@pytest.mark.parametrize("path", ["", "/no/such"])
def test_a_folder_that_is_not_there_is_an_error(in_folder: Path, path: str) -> None:
    with pytest.raises(ClearsetError, match=f"fetch.path of mine is '{path}': no such folder"):
        origin.find("mine", Fetch(source=Source.folder, path=path))


def test_a_folder_is_used_where_it_lies_and_stays(in_folder: Path) -> None:
    source = laid(in_folder / "mine", ["a.png"])
    with origin.source_folder("mine", Fetch(source=Source.folder, path=str(source))) as folder:
        assert folder == source
    assert (source / "a.png").exists()


def test_a_folder_may_be_a_zip(in_folder: Path) -> None:
    source = zipped(in_folder / "mine.zip", {"images/a.png": b"1"})
    with origin.source_folder("mine", Fetch(source=Source.folder, path=str(source))) as folder:
        assert (folder / "images/a.png").read_bytes() == b"1"
    assert not folder.exists()
    assert source.exists()


def test_the_generated_sample_is_the_same_twice(in_folder: Path) -> None:
    fetch = Fetch(source=Source.generated, count=5, size=64, seed=1)
    seen = []
    for _ in range(2):
        with origin.source_folder("sample", fetch) as folder:
            seen.append([(i, i.file.read_bytes()) for i in items(folder)])
        assert not folder.exists()
    assert seen[0] == seen[1]
    own = [item for item, _ in seen[0]]
    assert [f"{i.split}/{i.name}" for i in own] == [
        *(f"test/eye_{n:03d}.png" for n in (3, 4)),
        *(f"train/eye_{n:03d}.png" for n in (0, 1, 2)),
    ]
    assert [bool(item.mask) for item in own] == [False, False, True, True, True]


@pytest.mark.parametrize("bands", [1, 3])
def test_generated_tiles_are_geotiffs_of_16_bits_the_same_twice(
    in_folder: Path, bands: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEARSET_WORKERS", "1")
    fetch = Fetch(
        source=Source.generated, scene=Scene.satellite, channels=bands, count=5, size=64, seed=1
    )
    seen = []
    for _ in range(2):
        with origin.source_folder("tiles", fetch) as folder:
            found = items(folder)
            seen.append({i.source: i.file.read_bytes() for i in found})
            texts = {file.stem: file.read_text() for file in folder.glob("*/labelTxt/*.txt")}
            first = found[-3].file
            pixels = codec.decode(first)
            with tifffile.TiffFile(first) as tiff:
                page: Any = tiff.pages.first
                tags = {tag.code: tag.value for tag in page.tags.values()}
                photometric = page.photometric.name
    assert seen[0] == seen[1]
    assert list(seen[0]) == [
        *(f"test/images/tile_{n:05d}.tif" for n in (3, 4)),
        *(f"train/images/tile_{n:05d}.tif" for n in (0, 1, 2)),
    ]
    made = [tile(number, count=5, size=64, bands=bands, seed=1) for number in range(3)]
    assert np.array_equal(pixels, made[0].pixels)
    assert texts == {one.name: boxes_text(one) for one in made}
    assert photometric == {1: "MINISBLACK", 3: "RGB"}[bands]
    assert (tags[42113], tags[305]) == ("0", "Clearset")
    assert (len(tags[33550]), len(tags[33922])) == (3, 6)
    assert 306 not in tags  # no date


def test_tiles_lie_beside_each_other_on_the_ground(tmp_path: Path) -> None:
    fetch = Fetch(source=Source.generated, scene=Scene.satellite, count=3, size=64, seed=1)
    origin.generate(tmp_path, fetch)
    corners, steps = [], []
    for file in sorted(tmp_path.rglob("*.tif")):
        with tifffile.TiffFile(file) as tiff:
            corners.append(tiff.pages.first.tags[33922].value[3:5])
            steps.append(tiff.pages.first.tags[33550].value[0])
    corners.sort()
    assert np.diff(corners, axis=0).tolist() == [[64 * steps[0], 0.0]] * 2


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ({}, True),
        ({"scene": Scene.retina}, False),
        ({"source": Source.folder}, False),
    ],
)
def test_only_generated_tiles_can_be_taken_again(changed: dict[str, Any], again: bool) -> None:
    settings: dict[str, Any] = {
        "source": Source.generated,
        "scene": Scene.satellite,
        "count": 2,
        "size": 64,
    }
    assert (tiles.recropper(Fetch(**(settings | changed))) is not None) == again


def test_a_tile_taken_again_is_another_crop_each_time() -> None:
    fetch = Fetch(source=Source.generated, scene=Scene.satellite, count=2, size=64)
    take = tiles.recropper(fetch)
    assert take is not None
    one, two = (take("tile_00001", np.random.default_rng(seed)) for seed in (1, 2))
    assert one.shape == two.shape == (64, 64)
    assert not np.array_equal(one, two)
    assert np.array_equal(one, take("tile_00001", np.random.default_rng(1)))


def test_patterns_find_images_and_their_masks(tmp_path: Path) -> None:
    laid(tmp_path, ["s/im/b.png", "s/im/a[1].png", "s/gt/a[1].tif", "s/gt/a1.tif", "t/c.png"])
    splits = {"train": Split("s/im/*.png", "s/gt/{stem}.*"), "test": Split("t/*.png")}
    found = items(tmp_path, splits)
    assert [(i.split, str(i.name), i.mask and i.mask.name) for i in found] == [
        ("test", "c.png", None),
        ("train", "a[1].png", "a[1].tif"),
        ("train", "b.png", None),
    ]


def test_patterns_pass_over_what_is_no_visible_image(tmp_path: Path) -> None:
    laid(tmp_path, ["a.png", ".b.png", "c.txt", "d", "e.png/f.txt"])
    assert [i.file.name for i in items(tmp_path, {"all": Split("*")})] == ["a.png"]


def by_name(folder: Path) -> dict[str, str | None]:
    """Return {split: name: mask} of the items found by sub-folder names."""
    return {
        f"{item.split}: {item.name}": (
            item.mask.relative_to(folder).as_posix() if item.mask else None
        )
        for item in items(folder)
    }


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["b.png", "a.JPG"], {"all: a.JPG": None, "all: b.png": None}),
        (
            ["images/a.png", "images/b.png", "masks/a.png"],
            {"all: a.png": "masks/a.png", "all: b.png": None},
        ),
        (
            ["Train/Images/a.png", "Train/Labels/a.gif", "test/images/a.png"],
            {"train: a.png": "Train/Labels/a.gif", "test: a.png": None},
        ),
        (
            ["images/training/a.png", "images/val/b.png", "annotations/training/a.png"],
            {"train: a.png": "annotations/training/a.png", "val: b.png": None},
        ),
        (
            ["train/training_images/a.png", "train/training_masks/a.png", "testing/b.png"],
            {"train: a.png": "train/training_masks/a.png", "test: b.png": None},
        ),
        (
            ["img/21.png", "img/22.png", "img/2_3.png", "gt/21_mask.png", "gt/22-label.png"],
            {
                "all: 21.png": "gt/21_mask.png",
                "all: 22.png": "gt/22-label.png",
                "all: 2_3.png": None,
            },
        ),
        (
            ["a/validation_set/x.png", "Training_images/y.png", "training_labels/y.png"],
            {"val: a/validation_set/x.png": None, "train: y.png": "training_labels/y.png"},
        ),
        (["left/a.png", "right/a.png"], {"all: left/a.png": None, "all: right/a.png": None}),
        (
            ["one/images/a.png", "one/masks/a.png", "two/images/a.png", "two/masks/a.png"],
            {"all: one/a.png": "one/masks/a.png", "all: two/a.png": "two/masks/a.png"},
        ),
        (
            ["one/images/a.png", "two/images/a.png", "two/masks/a.png"],
            {"all: one/a.png": None, "all: two/a.png": "two/masks/a.png"},
        ),
        (["photos/a.png", "masks/a.png"], {"all: a.png": "masks/a.png"}),
        (
            ["images/a.png", "img/a.png", "test/a.png"],
            {"all: images/a.png": None, "all: img/a.png": None, "test: a.png": None},
        ),
    ],
)
def test_sub_folder_names_tell_split_image_and_mask(
    tmp_path: Path, files: list[str], expected: dict[str, str | None]
) -> None:
    assert by_name(laid(tmp_path, files)) == expected


def test_hidden_files_and_other_suffixes_are_passed_over(tmp_path: Path) -> None:
    laid(tmp_path, ["a.png", ".b.png", ".git/c.png", "._a.png", "d.txt", "e", "f.npy"])
    assert by_name(tmp_path) == {"all: a.png": None}


def test_a_link_to_a_folder_that_is_read_already_is_a_row(tmp_path: Path) -> None:
    laid(tmp_path, ["a.png"])
    (tmp_path / "loop").symlink_to(tmp_path)
    assert by_name(tmp_path) == {"all: a.png": None}
    assert "a folder that is read as 'the source itself'" in roles_of(tmp_path)["loop"]


def test_items_are_sorted_whatever_the_order_on_disk(tmp_path: Path) -> None:
    laid(tmp_path, ["z/test/b.png", "train/a.png", "z/test/a.png", "z/test/B.png", "b/train/a.png"])
    found = [(i.split, str(i.name)) for i in items(tmp_path)]
    assert found == sorted(found)


def test_no_image_is_an_error_that_names_folder_and_suffixes(tmp_path: Path) -> None:
    laid(tmp_path, ["masks/a.png", "a.txt"])
    with pytest.raises(ClearsetError, match=r"any sub-folder; known suffixes: .*\.png") as caught:
        items(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_one_name_in_two_folders_of_a_pattern_stays_two_images(tmp_path: Path) -> None:
    laid(tmp_path, ["a/eye.png", "b/eye.png", "b/other.png"])
    found = [str(item.name) for item in items(tmp_path, {"all": Split("*/*.png")})]
    assert found == ["a/eye.png", "b/eye.png", "other.png"]


def test_no_image_by_patterns_names_the_patterns(tmp_path: Path) -> None:
    with pytest.raises(ClearsetError, match=r"\(a/\*\.png, b/\*; known"):
        items(tmp_path, {"train": Split("a/*.png"), "test": Split("b/*")})


def roles_of(folder: Path) -> dict[str, str]:
    parts = inventory.inventory(folder, Fetch()).parts
    return {str(part.entry.place): f"{part.role} {part.reason}".strip() for part in parts}


def test_every_other_file_has_a_part(tmp_path: Path) -> None:
    laid(tmp_path, ["a.png", "b.txt", "x/c.TXT", "README", ".hidden", ".git/HEAD", "d.dcm"])
    assert roles_of(tmp_path) == {
        ".git/HEAD": "left out hidden",
        ".hidden": "left out hidden",
        "README": "companion",
        "a.png": "image",
        "b.txt": "companion",
        "d.dcm": "companion",
        "x/c.TXT": "companion",
    }


def test_a_mask_without_an_image_is_carried_along_and_named(tmp_path: Path) -> None:
    laid(tmp_path, ["images/a.png", "images/b.png", "masks/a.png", "masks/stray.png"])
    assert roles_of(tmp_path)["masks/stray.png"] == f"companion {roles.ALONE}"
    text = "\n".join(plan.lines(inventory.inventory(tmp_path, Fetch())))
    assert "no image goes with 'masks/stray.png'" in text


def test_ravir_is_23_pairs_and_19_images_alone(ravir: Path) -> None:
    splits = {
        "train": Split(
            "RAVIR Dataset/train/training_images/*.png",
            "RAVIR Dataset/train/training_masks/{stem}.png",
        ),
        "test": Split("RAVIR Dataset/test/*.png"),
    }
    listed, guessed = items(ravir, splits), items(ravir / "RAVIR Dataset")
    assert [(i.split, i.mask is not None) for i in listed] == [("test", False)] * 19 + [
        ("train", True)
    ] * 23
    bare = [[(i.split, i.name, i.file, i.mask) for i in found] for found in (listed, guessed)]
    assert bare[0] == bare[1]
    assert {item.source for item in listed} == {f"RAVIR Dataset/{i.source}" for i in guessed}


@pytest.mark.parametrize("pattern", ["", "/abs/*", "../*.png", "**.png"])
def test_a_pattern_that_is_none_or_leads_out_is_refused(tmp_path: Path, pattern: str) -> None:
    write_image(tmp_path / "source/a.png", np.zeros((8, 8), np.uint8))
    fetch = Fetch(path="source", splits={"train": Split(images=pattern)})
    with pytest.raises(ClearsetError, match="is no pattern of files below the source"):
        inventory.inventory(tmp_path / "source", fetch)
