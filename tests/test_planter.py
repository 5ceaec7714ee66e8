"""The planted dataset on disk: a true row for each file, the same bytes for the same seed."""

import hashlib
from collections import Counter
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image as Pillow

from clearset.config.schema_fetch import Fetch, Mapping, PixelRange, Plant
from clearset.generate.retina.synthesis import eye
from clearset.images import codec, levels, masks
from clearset.plant import planter
from clearset.plant.edits import EDITS
from clearset.plant.eyes import unique_eyes
from clearset.plant.faults import FAULTS
from clearset.plant.planting import CLEAN, OTHERS, PARTS, UNKNOWN_VALUE
from clearset.plant.shapes import SUITE
from clearset.sources.inventory import Item, inventory
from clearset.sources.places import refuse_collisions, unfit
from clearset.stages import fetch
from clearset.store import columns, layout, tables
from clearset.store.columns import TABLES
from clearset.store.errors import ClearsetError, UnreadableImage

SIZE = 128
PLAN = Plant(
    faults=["sensor_noise", "jpeg"],
    in_place=1,
    per_eye=1,
    near_duplicates=1,
    duplicates=2,
    conflicts=1,
    leaks=2,
    masks=1,
    broken=1,
    foreign=2,
    empty=2,
    seed=5,
)
Planted = tuple[list[Item], pd.DataFrame]


def items(folder: Path) -> list[Item]:
    return inventory(folder, Fetch()).items


def made(seed: int, size: int = SIZE) -> tuple[levels.Pixels, levels.Pixels]:
    """Return one eye's pixels and its mask."""
    image, mask = eye(np.random.default_rng(seed), size)
    return levels.quantised(image, np.uint8), mask


def coloured(seed: int) -> levels.Pixels:
    grey, _ = made(seed)
    return np.dstack([grey, grey // 2, 255 - grey])


def saved(path: Path, pixels: levels.Pixels) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".tif":
        tifffile.imwrite(path, pixels)
    else:
        Pillow.fromarray(pixels).save(path)
    return path


def source(folder: Path) -> Path:
    """Write four eyes for training, with masks, and two for testing; one twice, one broken."""
    for number in range(4):
        pixels, mask = made(number)
        saved(folder / f"train/images/e{number}.png", pixels)
        saved(folder / f"train/masks/e{number}.png", mask)
    saved(folder / "train/images/twin.png", made(1)[0])
    for number in (4, 5):
        saved(folder / f"test/images/e{number}.png", made(number)[0])
    saved(folder / "test/images/again.png", made(2)[0])
    (folder / "test/images/broken.png").write_bytes(b"no image")
    return folder


def plant(
    found: list[Item], plan: Plant, folder: Path, again: planter.Recrop | None = None
) -> tuple[list[Item], pd.DataFrame]:
    """Plant into images that are measured on the whole range of their type."""
    return planter.plant(found, plan, folder, PixelRange(), again)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Item]:
    return items(source(tmp_path_factory.mktemp("source")))


@pytest.fixture(scope="module")
def planted(found: list[Item], tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return plant(found, PLAN, tmp_path_factory.mktemp("planted"))


def by_path(given: list[Item]) -> dict[str, Item]:
    return {str(PurePosixPath(item.split, item.name)): item for item in given}


def of_fault(planted: Planted, fault: str) -> list[tuple[Item, pd.Series]]:
    """Return the items with a fault, each with its row of the truth."""
    given, truth = by_path(planted[0]), planted[1]
    return [(given[row["path"]], row) for _, row in truth[truth["fault"] == fault].iterrows()]


def digests(given: list[Item]) -> dict[str, tuple[str, str]]:
    """Return the hashes of each item's files, by its path."""

    def digest(file: Path | None) -> str:
        return hashlib.sha256(file.read_bytes()).hexdigest() if file else ""

    return {path: (digest(item.file), digest(item.mask)) for path, item in by_path(given).items()}


def decoded(item: Item) -> levels.Pixels:
    return codec.decode(item.file)


def mask_of(item: Item) -> levels.Pixels:
    assert item.mask is not None
    return masks.decode(item.mask)


def clean(planted: Planted, row: pd.Series) -> Item:
    """Return the clean item that a row of the truth was made from."""
    return next(item for item, own in of_fault(planted, CLEAN) if own["source"] == row["source"])


def test_every_item_has_one_row_of_the_truth(planted: Planted) -> None:
    given, truth = planted
    assert len(given) == len(by_path(given)) == len(truth)
    assert set(truth["path"]) == set(by_path(given))


def test_the_truth_has_the_declared_columns_and_types(planted: Planted) -> None:
    truth = planted[1].rename(columns={"path": "image_id"})
    assert set(truth) == set(TABLES["truth"].columns)
    kinds = tables.checked("truth", truth).dtypes.astype(str).to_dict()
    assert kinds == TABLES["truth"].columns


def test_the_truth_has_what_was_asked_for(planted: Planted) -> None:
    counted = Counter(planted[1]["fault"])
    assert set(counted) == {CLEAN, *OTHERS, *PLAN.faults} - {"overlap"}
    assert counted[CLEAN] == 5  # of six eyes one has a fault in place
    assert {
        name: counted[name] for name in ("exact_copy", "leak", "foreign", "corrupt", "empty")
    } == {
        "exact_copy": 2,
        "empty": 2,
        "leak": 2,
        "foreign": 2,
        "corrupt": 1,
    }


def test_items_come_in_order(planted: Planted) -> None:
    given = planted[0]
    assert given == sorted(given, key=lambda item: (item.split, item.name))


def test_parts_go_by_eye(planted: Planted) -> None:
    truth = planted[1]
    assert set(truth["part"]) == set(PARTS)
    assert (truth.groupby("eye")["part"].nunique() == 1).all()


def test_clean_items_are_the_sources_own_files(found: list[Item], planted: Planted) -> None:
    for item, _ in of_fault(planted, CLEAN):
        assert item in found


def test_the_source_is_left_as_it_was(found: list[Item], planted: Planted, tmp_path: Path) -> None:
    again = items(source(tmp_path))
    assert digests(found) == digests(again)
    assert len(planted[0]) > len(found)


def test_images_with_the_same_pixels_are_one_eye_and_broken_ones_none(found: list[Item]) -> None:
    eyes = unique_eyes(found, [])
    assert len(found) == 9
    assert sorted(each.name for each in eyes) == ["again", "e0", "e1", "e3", "e4", "e5"]
    assert {each.name for each in eyes if each.masked} == {"e0", "e1", "e3"}


def test_images_named_as_the_same_eye_share_their_subject(found: list[Item]) -> None:
    eyes = unique_eyes(found, [["e0", "e5"], ["e1", "e3"]])
    assert {each.name: each.subject for each in eyes} == {
        "again": "again",
        "e0": "e0",
        "e1": "e1",
        "e3": "e1",
        "e4": "e4",
        "e5": "e0",
    }


def test_images_of_the_same_eye_are_in_one_part(found: list[Item], tmp_path: Path) -> None:
    for seed in range(3):
        plan = Plant(same_eye=[["e0", "e5"]], seed=seed)
        truth = plant(found, plan, tmp_path)[1].set_index("source")
        assert truth.loc["e0", "eye"] == truth.loc["e5", "eye"] == "e0"
        assert truth.loc["e0", "part"] == truth.loc["e5", "part"]


def test_an_unknown_image_in_same_eye_is_named(found: list[Item], tmp_path: Path) -> None:
    plan = Plant(same_eye=[["e0", "e9"], ["e8"]])
    with pytest.raises(ClearsetError, match=r"same_eye names \['e8', 'e9'\]: no image is called"):
        plant(found, plan, tmp_path)


def test_images_of_one_name_in_two_splits_are_two_eyes(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "test")):
        saved(tmp_path / "source" / split / "images/a.png", made(number)[0])
    given, truth = plant(items(tmp_path / "source"), Plant(duplicates=2), tmp_path)
    assert sorted(truth["eye"].unique()) == ["test_a", "train_a"]
    assert len(by_path(given)) == 4


def test_images_of_one_name_in_two_formats_are_two_eyes(tmp_path: Path) -> None:
    for number, suffix in enumerate((".png", ".tif")):
        saved(tmp_path / f"source/train/images/a{suffix}", made(number)[0])
    given, truth = plant(items(tmp_path / "source"), Plant(), tmp_path)
    assert truth["eye"].nunique() == 2
    assert set(by_path(given)) == {"train/a.png", "train/a.tif"}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_same_seed_gives_the_same_bytes_anywhere(
    found: list[Item],
    planted: Planted,
    tmp_path: Path,
    workers: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLEARSET_WORKERS", workers)
    given, truth = plant(found, PLAN, tmp_path)
    assert digests(given) == digests(planted[0])
    pd.testing.assert_frame_equal(truth, planted[1])


def test_another_seed_gives_other_noise(found: list[Item], tmp_path: Path) -> None:
    plans = [Plant(faults=["sensor_noise"], per_eye=1, seed=seed) for seed in (1, 2)]
    one, two = (digests(plant(found, plan, tmp_path / str(plan.seed))[0]) for plan in plans)
    assert set(one) == set(two)
    differ = {PurePosixPath(path).name for path in one if one[path] != two[path]}
    assert len(differ) == 6
    assert all("sensor_noise" in name for name in differ)


def test_every_image_has_random_numbers_of_its_own(tmp_path: Path) -> None:
    for level in (100, 110, 120):
        saved(tmp_path / f"source/train/images/e{level}.png", np.full((64, 64), level, np.uint8))
    plan = Plant(faults=["sensor_noise"], per_eye=5)
    noise = [
        decoded(item).astype(int) - decoded(clean(planted, row))
        for planted in [plant(items(tmp_path / "source"), plan, tmp_path)]
        for item, row in of_fault(planted, "sensor_noise")
    ]
    together = np.corrcoef([each.ravel() for each in noise])
    assert together.shape == (15, 15)
    assert np.abs(together - np.eye(15)).max() < 0.1


def test_an_image_does_not_depend_on_what_else_is_planted(
    found: list[Item], planted: Planted, tmp_path: Path
) -> None:
    plan = Plant(faults=PLAN.faults, in_place=1, per_eye=1, seed=PLAN.seed)
    alone, among = (
        digests(plant(found, plan, tmp_path)[0]),
        digests(planted[0]),
    )
    assert {path: among[path] for path in alone} == alone
    assert len(alone) < len(among)


def test_a_corrupt_file_can_not_be_decoded(planted: Planted) -> None:
    ((item, _),) = of_fault(planted, "corrupt")
    with pytest.raises(UnreadableImage):
        decoded(item)


def test_a_mask_of_another_size_has_another_shape(planted: Planted) -> None:
    ((item, row),) = of_fault(planted, "mask_size")
    assert mask_of(item).shape != decoded(item).shape
    np.testing.assert_array_equal(decoded(item), decoded(clean(planted, row)))


@pytest.mark.parametrize("fault", ["exact_copy", "conflict"])
def test_copies_have_the_same_pixels(planted: Planted, fault: str) -> None:
    for item, row in of_fault(planted, fault):
        np.testing.assert_array_equal(decoded(item), decoded(clean(planted, row)))


def test_masks_are_as_the_truth_says(planted: Planted) -> None:
    masks = {
        name: (mask_of(item), mask_of(clean(planted, row)))
        for name in ("conflict", "empty_mask", "unknown_mask", "swapped_mask")
        for item, row in of_fault(planted, name)
    }
    assert (masks["conflict"][0] > 0).sum() > (masks["conflict"][1] > 0).sum()
    assert not masks["empty_mask"][0].any()
    assert UNKNOWN_VALUE in masks["unknown_mask"][0]
    assert not np.array_equal(*masks["swapped_mask"])


def test_the_mask_of_a_mirrored_image_is_mirrored(found: list[Item], tmp_path: Path) -> None:
    planted = plant(found, Plant(near_duplicates=6), tmp_path)
    flipped = [(item, clean(planted, row)) for item, row in of_fault(planted, "flip")]
    assert len(flipped) == 6
    assert sum(item.mask is not None for item, _ in flipped) == 3
    for item, own in flipped:
        np.testing.assert_array_equal(decoded(item), decoded(own)[:, ::-1])
        if item.mask:
            np.testing.assert_array_equal(mask_of(item), mask_of(own)[:, ::-1])


def test_a_swapped_mask_fits_its_image(tmp_path: Path) -> None:
    for number, size in enumerate((128, 96, 128)):
        pixels, mask = made(number, size)
        saved(tmp_path / f"source/train/images/e{number}.png", pixels)
        saved(tmp_path / f"source/train/masks/e{number}.png", mask)
    planted = plant(items(tmp_path / "source"), Plant(masks=3), tmp_path)
    swapped = of_fault(planted, "swapped_mask")
    assert swapped
    for item, _ in swapped:
        assert mask_of(item).shape == decoded(item).shape


def test_a_swapped_mask_is_the_named_eyes(planted: Planted) -> None:
    ((item, row),) = of_fault(planted, "swapped_mask")
    other = row["parameters"].removeprefix("mask of ")
    assert other != row["source"]
    given = next(i for i, own in of_fault(planted, CLEAN) if own["source"] == other)
    np.testing.assert_array_equal(mask_of(item), mask_of(given))


def test_a_planted_image_has_a_mask_where_its_eye_has_one(planted: Planted) -> None:
    masked = {"e0", "e1", "e3"}
    for fault in (CLEAN, *FAULTS, *EDITS, "exact_copy"):
        for item, row in of_fault(planted, fault):
            assert (item.mask is not None) == (row["source"] in masked)
    for fault in ("leak", "foreign"):
        assert all(item.mask is None for item, _ in of_fault(planted, fault))


def test_a_leak_lies_in_another_split_than_its_eye(planted: Planted) -> None:
    for item, row in of_fault(planted, "leak"):
        assert item.split != clean(planted, row).split
        assert decoded(item).shape == (SIZE, SIZE)


@pytest.mark.parametrize(
    "pixels",
    [
        made(0)[0],
        coloured(0),
        made(0)[0].astype(np.uint16) * 257,
        np.dstack([coloured(0), np.full_like(made(0)[0], 9)]),
    ],
    ids=["grey", "colour", "16 bits", "alpha"],
)
def test_an_empty_image_stores_0_for_most_and_keeps_the_rest(
    pixels: levels.Pixels, tmp_path: Path
) -> None:
    shown = levels.bands(pixels, levels.of_type(pixels))
    shown[shown == 0] = 1
    saved(tmp_path / "source/train/images/a.tif", pixels)
    planted = plant(items(tmp_path / "source"), Plant(empty=1), tmp_path)
    ((item, row),) = of_fault(planted, "empty")
    after = decoded(item)
    lost = levels.bands(after, levels.of_type(after)) == 0
    assert row["kinds"] == "empty"
    assert 0.58 < lost.mean() < 0.96
    np.testing.assert_array_equal(levels.bands(after, levels.of_type(after))[~lost], shown[~lost])
    assert pixels.ndim == 2 or pixels.shape[2] == 3 or (after[..., 3] == 9).all()


def crop_aside(name: str, rng: np.random.Generator) -> levels.Pixels:
    """Return what another crop would show: a pattern that tells the name and the generator."""
    pixels = np.full((SIZE, SIZE), int(name[1:]), np.uint8)
    pixels[0] = rng.integers(256, size=SIZE)
    return pixels


def test_an_overlap_shows_its_eyes_scene_again_in_another_split(
    found: list[Item], tmp_path: Path
) -> None:
    plan = Plant(overlaps=2, seed=5)
    planted = plant(found[1:], plan, tmp_path, crop_aside)
    overlaps = of_fault(planted, "overlap")
    assert len(overlaps) == 2
    for item, row in overlaps:
        assert item.split != clean(planted, row).split
        assert item.mask is None
        assert row["kinds"] == "leak"
        assert (decoded(item)[1:] == int(row["source"][1:])).all()
    first, second = (decoded(item)[0] for item, _ in overlaps)
    assert not np.array_equal(first, second)


def test_overlaps_need_a_scene_that_can_be_taken_again(found: list[Item], tmp_path: Path) -> None:
    with pytest.raises(ClearsetError, match="overlaps is 3: only generated satellite tiles"):
        plant(found, Plant(overlaps=3), tmp_path)


def test_a_strangers_subject_is_its_own(planted: Planted) -> None:
    truth = planted[1].set_index("fault")
    strangers = set(truth.loc["foreign", "eye"])
    assert len(strangers) == 2
    assert not strangers & set(truth.drop("foreign")["eye"])


EVERY = Plant(per_eye=1, near_duplicates=1, duplicates=1, leaks=1, foreign=1, broken=1, empty=1)


@pytest.mark.parametrize(
    ("suffix", "pixels"),
    [
        (".jpg", coloured(0)),
        (".tif", coloured(0)),
        (".tif", made(0)[0].astype(np.uint16) * 257),
        (".png", np.dstack([coloured(0), made(1)[0]])),
        (".png", np.dstack([made(0)[0], made(1)[0]])),
    ],
    ids=["JPEG", "TIFF in colour", "16 bits", "alpha", "grey and alpha"],
)
def test_planted_images_keep_format_size_and_depth(
    suffix: str, pixels: levels.Pixels, tmp_path: Path
) -> None:
    first = saved(tmp_path / f"source/train/images/a{suffix}", pixels)
    saved(tmp_path / f"source/test/images/b{suffix}", pixels[::-1])
    given, truth = plant(items(tmp_path / "source"), EVERY, tmp_path)
    fault = dict(zip(truth["path"], truth["fault"], strict=True))
    before = decoded(Item("", PurePosixPath(), first, None, tmp_path))
    assert set(fault.values()) == {
        CLEAN,
        *SUITE,
        *EDITS,
        "exact_copy",
        "leak",
        "foreign",
        "corrupt",
        "empty",
    }
    for path, item in by_path(given).items():
        assert item.file.suffix == suffix
        if fault[path] == "corrupt":
            with pytest.raises(UnreadableImage):
                decoded(item)
            continue
        after = decoded(item)
        assert (after.shape, after.dtype) == (before.shape, before.dtype)
        if pixels.ndim == 3 and pixels.shape[2] in (2, 4):  # transparency stays
            assert any(
                np.array_equal(after[..., -1], own[..., -1]) for own in (pixels, pixels[::-1])
            )


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_an_exact_copy_has_the_same_pixels_in_any_format(suffix: str, tmp_path: Path) -> None:
    saved(tmp_path / f"source/train/images/a{suffix}", coloured(0))
    saved(tmp_path / f"source/train/images/b{suffix}", coloured(1))
    planted = plant(items(tmp_path / "source"), Plant(duplicates=1), tmp_path)
    ((item, row),) = of_fault(planted, "exact_copy")
    np.testing.assert_array_equal(decoded(item), decoded(clean(planted, row)))


def write_params(folder: Path, plan: str) -> None:
    (folder / "params.yaml").write_text(
        "tiny:\n"
        f"  fetch: {{source: folder, path: source{plan}}}\n"
        "  filter: {blur: {metric: blur, min: 1}}\n"
    )


def fetched(folder: Path, plan: str = "") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run the stage on the source in a folder, and return its tables `images` and `truth`."""
    write_params(folder, plan)
    fetch.main("tiny")
    target = layout.stage_folder("fetch", "tiny")
    assert not (target / "planted").exists()
    return tables.read("images", target), tables.read("truth", target)


@pytest.fixture
def in_own_folder(in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, and no processes left that stand in another one."""
    monkeypatch.setenv("CLEARSET_WORKERS", "1")
    return in_folder


def test_the_truth_goes_by_image_id(in_own_folder: Path) -> None:
    source(in_own_folder / "source")
    table, truth = fetched(
        in_own_folder, ", plant: {faults: [jpeg], per_eye: 1, broken: 1, foreign: 1}"
    )
    assert set(truth["image_id"]) == set(table["image_id"])
    assert len(truth) == len(table) == 6 + 6 + 2 + 1
    errors = table.set_index("image_id")["error"]
    unreadable = truth.loc[truth["kinds"] == "unreadable", "image_id"]
    assert set(errors.index[errors != ""]) == set(unreadable)
    folder = layout.stage_folder("fetch", "tiny")
    assert all((folder / "images" / path).is_file() for path in table["path"])


def test_without_a_plan_nothing_is_known_and_nothing_planted(in_own_folder: Path) -> None:
    source(in_own_folder / "source")
    table, truth = fetched(in_own_folder)
    assert truth.empty
    assert len(table) == 9


def test_known_replaces_the_path_by_the_image_id() -> None:
    table = pd.DataFrame(
        {"path": ["train/a.png", "train/a.tif"], "image_id": ["train/a.png", "train/a.tif"]}
    )
    truth = pd.DataFrame({"path": ["train/a.tif", "train/a.png"], "eye": ["two", "one"]})
    found = fetch.by_image_id(truth, table).set_index("image_id")["eye"]
    assert found.to_dict() == {"train/a.png": "one", "train/a.tif": "two"}


def test_known_leaves_no_row_as_it_is() -> None:
    nothing = columns.empty("truth")
    assert fetch.by_image_id(nothing, columns.empty("images")) is nothing


def test_a_planted_image_lies_beside_its_eye_and_alone(planted: Planted, found: list[Item]) -> None:
    given, truth = by_path(planted[0]), planted[1].set_index("path")
    refuse_collisions(planted[0])
    folders = {item.split: PurePosixPath(item.source).parent for item in found}
    for path, item in given.items():
        assert not unfit(item.source)
        assert PurePosixPath(item.source).parent == folders[item.split]
        if truth.loc[path, "fault"] != CLEAN:
            assert PurePosixPath(item.source).stem == PurePosixPath(path).stem
        if item.mask:
            assert item.source_mask == f"train/masks/{item.file.stem}.png"


def test_a_planted_mask_is_named_after_its_image_as_its_eyes_is(tmp_path: Path) -> None:
    saved(tmp_path / "source/images/a.png", made(0)[0])
    saved(tmp_path / "source/manual/a_manual.png", made(0)[1])
    saved(tmp_path / "source/images/b.png", made(1)[0])
    plan = Plant(faults=["jpeg"], per_eye=1)
    given, _ = plant(items(tmp_path / "source"), plan, tmp_path / "planted")
    masked = {item.source: item.source_mask for item in given if item.mask}
    (faulted,) = set(masked) - {"images/a.png"}
    stem = PurePosixPath(faulted).stem
    assert masked == {
        "images/a.png": "manual/a_manual.png",
        f"images/{stem}.png": f"manual/{stem}_manual.png",
    }


def test_an_image_that_can_not_be_released_is_no_eye(tmp_path: Path) -> None:
    for number, name in enumerate(["a.png", "b:c.png", "d.png"]):
        saved(tmp_path / "source" / name, made(number)[0])
    plan = Plant(faults=["jpeg"], per_eye=1)
    given, _ = plant(items(tmp_path / "source"), plan, tmp_path / "planted")
    assert len(given) == 4
    assert not any(":" in item.source for item in given)


def test_generated_tiles_are_planted_with_overlaps_and_no_data(in_own_folder: Path) -> None:
    (in_own_folder / "params.yaml").write_text(
        "tiny:\n"
        "  fetch: {source: generated, scene: satellite, count: 5, size: 96, seed: 1,\n"
        "    plant: {overlaps: 2, empty: 2, faults: [jpeg]}}\n"
        "  filter: {blur: {metric: blur, min: 1}}\n"
    )
    fetch.main("tiny")
    folder = layout.stage_folder("fetch", "tiny")
    table, truth = tables.read("images", folder), tables.read("truth", folder)
    assert set(table["bit_depth"]) == {16}
    assert set(table["error"]) == {""}
    pixels = {
        row["image_id"]: codec.decode(folder / "images" / row["path"])
        for _, row in table.iterrows()
    }
    counts = Counter(truth["fault"])
    assert counts == {CLEAN: 5, "empty": 2, "overlap": 2}
    for _, row in truth.iterrows():
        share = (pixels[row["image_id"]] == 0).mean()
        assert 0.55 < share < 0.97 if row["fault"] == "empty" else share == 0
    by_eye = truth[truth["fault"] == CLEAN].set_index("eye")["image_id"]
    for _, row in truth[truth["fault"] == "overlap"].iterrows():
        own = by_eye[row["eye"]]
        assert own.split("/")[0] != row["image_id"].split("/")[0]
        assert best_fit(pixels[own], pixels[row["image_id"]]) > 0.95


def best_fit(one: levels.Pixels, two: levels.Pixels) -> float:
    """Return the highest correlation of two crops over shifts of 0.2 to 0.4 of the side."""
    best, size = -1.0, len(one)
    steps = range(round(0.2 * size) - 1, round(0.4 * size) + 2)
    for flipped in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        first, second = (each[:: flipped[0], :: flipped[1]] for each in (one, two))
        for down in steps:
            for right in steps:
                part, other = first[down:, right:], second[: size - down, : size - right]
                best = max(best, float(np.corrcoef(part.ravel(), other.ravel())[0, 1]))
    return best


def test_what_lies_beyond_the_range_moves_with_an_edit(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(1, 1000, (64, 64), dtype=np.uint16)
    pixels[4:12, 4:12] = 3000
    saved(tmp_path / "source/images/a.tif", pixels)
    wanted = PixelRange(Mapping.fixed, 0, 2047, nodata=0)
    found = items(tmp_path / "source")
    given, _ = planter.plant(found, Plant(near_duplicates=1), tmp_path / "planted", wanted)
    (flipped,) = [item for item in given if "flip" in str(item.name)]
    bright = codec.decode(flipped.file) == 2047
    assert bright[4:12, -12:-4].all()
    assert bright.sum() == 64


def test_a_planted_image_holds_no_pixel_without_data(tmp_path: Path) -> None:
    saved(tmp_path / "source/images/a.tif", np.full((64, 64), 3, np.uint16))
    wanted = PixelRange(Mapping.fixed, 0, 2047, nodata=0)
    plan = Plant(faults=["under_exposure"], per_eye=5)
    given, _ = planter.plant(items(tmp_path / "source"), plan, tmp_path / "planted", wanted)
    assert len(given) == 6
    assert all(codec.decode(item.file).min() > 0 for item in given)


def test_a_range_that_is_not_known_beforehand_is_refused(tmp_path: Path) -> None:
    saved(tmp_path / "source/images/a.tif", np.full((64, 64), 3, np.uint16))
    wanted = PixelRange(Mapping.percentiles, 0, 99)
    with pytest.raises(ClearsetError, match=r"not percentiles: set fetch.range.mapping to fixed"):
        planter.plant(items(tmp_path / "source"), Plant(), tmp_path / "planted", wanted)
