"""Duplicates: one of each group stays, and masks of the same pixels are compared."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from clearset.measure.vessels import dice
from clearset.similar import duplicates, links, neighbours
from clearset.similar.duplicates import conflicts, copies, label_dice

Mask = npt.NDArray[np.uint8]
CLASSES = {"artery": 128, "vein": 255}  # RAVIR's
NEIGHBOURS = 10  # recorded for each image, as by default


def table(*rows: tuple[str, str, str], error: str = "") -> pd.DataFrame:
    """Return the table `images` of (image_id, mask, pixels)."""
    columns = ["image_id", "mask", "pixels_sha256"]
    return pd.DataFrame(rows, columns=columns).assign(
        error=error, mask_error="", label="", split="all", bytes=7
    )


def alike(images: pd.DataFrame, links: pd.DataFrame, **sharpness: float) -> pd.Series:
    """Return the surplus similarity by image_id; images are equally sharp unless told."""
    ids = images["image_id"]
    metrics = pd.DataFrame({"image_id": ids, "sharpness": [sharpness.get(i, 0.0) for i in ids]})
    similarity = duplicates.surplus(images, metrics, links).measures()["surplus_similarity"]
    return similarity.reindex(ids[images["error"] == ""]).fillna(0.0)


def linked(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["image_id", "other_id", "similarity"])


def grouped(sizes: list[int], masked: set[int]) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Return shuffled images, `sizes` of each kind, and the number of each one's group."""
    groups = np.random.default_rng(len(sizes)).permutation(np.repeat(range(len(sizes)), sizes))
    rows = [
        (f"eye_{i:02d}", "mask.png" if i in masked else "", f"{group}")
        for i, group in enumerate(groups)
    ]
    return table(*rows), groups


def surplus(images: pd.DataFrame, groups: npt.NDArray[np.int64]) -> pd.Series:
    """Return the surplus similarity of images that are identical within their group."""
    readable = (images["error"] == "").to_numpy()
    descriptors = np.eye(max(groups) + 1)[groups[readable]]
    ids = images.loc[readable, "image_id"].tolist()
    found = neighbours.compare(
        ids, ["all"] * len(ids), descriptors, count=NEIGHBOURS, graph_neighbours=2, bounds=[0.9]
    )
    return alike(images, found.links)


def stripes(*values: int) -> Mask:
    return np.repeat(np.array(values, np.uint8)[None], 4, axis=0)


def reader(**masks: Mask) -> Callable[[str], Mask]:
    return lambda path: masks[path]


def test_one_image_of_each_group_stays() -> None:
    images, groups = grouped([1, 2, 3, 5, 8, 1], set())
    kept = (surplus(images, groups) < 0.9).to_numpy()
    assert sorted(groups[kept]) == list(range(6))


@pytest.mark.parametrize("masked", range(9))
def test_the_one_with_a_mask_stays(masked: int) -> None:
    images, groups = grouped([9], {masked})
    found = surplus(images, groups)
    assert found.index[found < 0.9].tolist() == [f"eye_{masked:02d}"]


def test_the_first_with_a_mask_stays() -> None:
    images, groups = grouped([6], {2, 4})
    found = surplus(images, groups)
    assert found.index[found < 0.9].tolist() == ["eye_02"]


def test_one_of_more_copies_than_recorded_neighbours_stays() -> None:
    images, groups = grouped([3 * NEIGHBOURS], {20, 27})
    found = surplus(images, groups)
    assert found.index[found < 0.9].tolist() == ["eye_20"]


def test_without_masks_the_first_by_image_id_stays() -> None:
    images, groups = grouped([6], set())
    found = surplus(images.iloc[::-1], groups)
    assert found.index[found < 0.9].tolist() == ["eye_00"]


def test_copies_beyond_the_recorded_neighbours_are_surplus_too() -> None:
    images, groups = grouped([3 * NEIGHBOURS], {17})
    found = surplus(images, groups)
    assert found.index[found < 0.9].tolist() == ["eye_17"]


THREE = table(("a", "", "1"), ("b", "", "2"), ("c", "", "3"))


def test_an_image_is_surplus_up_to_the_similarity_at_which_a_better_one_joins() -> None:
    links = linked(("a", "b", 0.95), ("b", "c", 0.97))
    assert alike(THREE, links).to_dict() == {"a": 0.0, "b": 0.95, "c": 0.97}
    assert alike(THREE, links, c=9).to_dict() == {"a": 0.95, "b": 0.97, "c": 0.0}


def test_the_sharpest_of_a_group_stays() -> None:
    links = linked(("a", "b", 0.95), ("b", "c", 0.95))
    found = alike(THREE, links, a=1, b=3, c=2)
    assert found.index[found == 0].tolist() == ["b"]


def test_a_label_counts_before_sharpness() -> None:
    links = linked(("a", "b", 0.95), ("b", "c", 0.95))
    labelled = THREE.assign(label=["", "", "c.txt"])
    found = alike(labelled, links, a=1, b=3, c=2)
    assert found.index[found == 0].tolist() == ["c"]


def test_at_every_bound_just_one_of_each_group_stays() -> None:
    vectors = np.random.default_rng(5).choice([-1, 1], (60, 16))
    ids = [f"eye_{number:02d}" for number in range(60)]
    compared = neighbours.compare(
        ids, ["all"] * 60, vectors, count=9, graph_neighbours=2, bounds=[0.9]
    )
    images = table(*((i, "", i) for i in ids))
    sharpness = dict(zip(ids, np.random.default_rng(6).random(60).tolist(), strict=True))
    found = alike(images, compared.links, **sharpness)
    for bound in np.arange(0.05, 1, 0.125):
        groups = links.components(ids, compared.links, bound).groupby("component_id")
        for _, group in groups["image_id"]:
            kept = [i for i in group if found[i] < bound]
            assert kept == [max(group, key=sharpness.__getitem__)]


def dropped(images: pd.DataFrame, links: pd.DataFrame, **bounds: float) -> pd.DataFrame:
    """Return the table `curation` of rules that bound `surplus_similarity`, by name."""
    metrics = pd.DataFrame({"image_id": images["image_id"], "sharpness": 0.0})
    spare = duplicates.surplus(images, metrics, links)
    values = spare.measures()["surplus_similarity"]
    flags = [
        {"image_id": i, "rule": rule, "max": bound, "metric": "surplus_similarity"}
        for rule, bound in bounds.items()
        for i in values.index[values > bound]
    ]
    return duplicates.curation(images, pd.DataFrame(flags), spare).set_index("image_id")


def test_what_stays_in_a_dropped_images_stead_is_not_dropped_itself() -> None:
    links = linked(("a", "b", 0.95), ("b", "c", 0.97))
    loose, strict = (dropped(THREE, links, near=bound)["keeper_id"] for bound in (0.9, 0.96))
    assert loose.to_dict() == {"b": "a", "c": "a"}
    assert strict.to_dict() == {"c": "b"}


def test_where_nothing_is_dropped_nothing_is_saved() -> None:
    no_flags = pd.DataFrame(columns=["image_id", "rule", "max", "metric"], dtype="str")
    metrics = pd.DataFrame({"image_id": THREE["image_id"], "sharpness": 0.0})
    spare = duplicates.surplus(THREE, metrics, linked(("a", "b", 0.95)))
    saved = duplicates.savings(THREE, duplicates.curation(THREE, no_flags, spare))
    assert (saved["duplicates_dropped"], saved["duplicates_dropped_bytes"]) == (0, 0)


def test_of_two_rules_the_looser_says_what_stays() -> None:
    links = linked(("a", "b", 0.95), ("b", "c", 0.97))
    found = dropped(THREE, links, strict=0.96, loose=0.9)
    assert found["keeper_id"].to_dict() == {"b": "a", "c": "a"}
    assert found["rules"].to_dict() == {"b": "loose", "c": "loose strict"}


def test_a_copy_of_an_image_that_goes_is_stood_for_by_the_one_that_stays() -> None:
    images = THREE.assign(pixels_sha256=["1", "2", "2"])  # b stands for c, and a for b
    spare = duplicates.surplus(
        images, pd.DataFrame(columns=["image_id", "sharpness"]), linked(("a", "b", 0.95))
    )
    rules = [("b", "near", 0.9), ("c", "near", 0.9), ("c", "copy", 0.0)]
    flags = pd.DataFrame(rules, columns=["image_id", "rule", "max"])
    flags["metric"] = flags["rule"].map({"near": "surplus_similarity", "copy": "surplus_copies"})
    for order in (flags, flags.iloc[::-1]):
        found = duplicates.curation(images, order, spare).set_index("image_id")
        assert found["keeper_id"].to_dict() == {"b": "a", "c": "a"}
        assert found["rules"].to_dict() == {"b": "near", "c": "copy near"}


def test_a_group_over_two_splits_keeps_one_image() -> None:
    images = THREE.assign(split=["train", "test", "test"])
    found = dropped(images, linked(("a", "b", 0.95), ("b", "c", 0.97)), near=0.9)
    assert found["split"].tolist() == ["test", "test"]
    assert found["keeper_split"].tolist() == ["train", "train"]


def test_an_image_that_is_dropped_anyway_stands_for_no_other() -> None:
    metrics = pd.DataFrame({"image_id": ["a", "b", "c"], "sharpness": [3.0, 2.0, 1.0]})
    links = linked(("a", "b", 0.95), ("b", "c", 0.95))
    for unfit, stays in (([], "a"), (["a"], "b"), (["a", "b"], "c")):
        values = duplicates.surplus(THREE, metrics, links, unfit).measures()["surplus_similarity"]
        assert set("abc") - set(values.index) == {stays}


def test_savings_count_files_and_training_images() -> None:
    images = THREE.assign(split=["train", "test", "train"], bytes=[5, 20, 300])
    found = dropped(images, linked(("a", "b", 0.95), ("b", "c", 0.97)), near=0.9).reset_index()
    assert duplicates.savings(images, found) == {
        "duplicates_dropped": 2,
        "duplicates_dropped_train": 1,
        "duplicates_dropped_bytes": 320,
        "bytes": 325,
    }


def test_unknown_pixels_are_no_copies() -> None:
    images = table(("a", "", ""), ("b", "", ""), ("c", "", "x"), ("d", "", "x"))
    assert copies(images, "pixels_sha256").to_dict() == {"c": 1, "d": 1}
    assert duplicates.copy_links(images)["image_id"].tolist() == ["d"]


def test_unreadable_images_are_neither_surplus_nor_kept_instead() -> None:
    images, groups = grouped([3], set())
    images.loc[0, "error"] = "the file is empty (0 bytes)"
    found = surplus(images, groups)
    assert found.index[found < 0.9].tolist() == ["eye_01"]
    assert "eye_00" not in found.index


def test_a_lone_image_is_not_surplus() -> None:
    images, groups = grouped([1], set())
    assert surplus(images, groups).to_dict() == {"eye_00": 0.0}


def test_copies_counts_the_other_images_with_the_same_pixels() -> None:
    images = table(("a", "", "x"), ("b", "", "y"), ("c", "", "x"), ("d", "", "x"))
    assert copies(images, "pixels_sha256").to_dict() == {"a": 2, "b": 0, "c": 2, "d": 2}


def test_unreadable_images_are_no_copies() -> None:
    images = table(("a", "", ""), ("b", "", ""), ("c", "", "x"))
    images.loc[:1, "error"] = "broken"
    assert copies(images, "pixels_sha256").to_dict() == {"c": 0}


@pytest.mark.parametrize(
    ("first", "second", "overlap"),
    [
        ([1, 1, 0, 0], [1, 1, 0, 0], 1.0),
        ([1, 1, 0, 0], [0, 0, 1, 1], 0.0),
        ([1, 1, 0, 0], [0, 1, 1, 0], 0.5),
        ([0, 0, 0, 0], [0, 0, 0, 0], 1.0),
        ([1, 0, 0, 0], [0, 0, 0, 0], 0.0),
        ([1, 1, 1, 0], [1, 0, 0, 0], 0.5),
    ],
)
def test_dice_has_its_ends_and_is_symmetric(
    first: list[int], second: list[int], overlap: float
) -> None:
    one, other = np.array(first, bool), np.array(second, bool)
    assert dice(one, other) == dice(other, one) == overlap


def test_the_same_pixels_with_the_same_mask_are_no_conflict() -> None:
    images = table(("a", "one", "x"), ("b", "two", "x"))
    masks = reader(one=stripes(0, 128), two=stripes(0, 128))
    assert conflicts(images, CLASSES, masks).empty


def test_the_same_pixels_with_different_masks_conflict_in_each_class() -> None:
    images = table(("b", "two", "x"), ("a", "one", "x"))
    masks = reader(one=stripes(128, 128, 0, 255), two=stripes(128, 0, 0, 255))
    found = conflicts(images, CLASSES, masks)
    rows = list(found.itertuples(index=False, name=None))
    assert rows == [("a", "b", "artery", pytest.approx(2 / 3)), ("a", "b", "vein", 1.0)]


def test_without_names_each_value_but_the_background_is_a_class() -> None:
    images = table(("a", "one", "x"), ("b", "two", "x"))
    masks = reader(one=stripes(0, 1, 2), two=stripes(0, 1, 7))
    found = conflicts(images, {}, masks).set_index("class")["dice"]
    assert found.to_dict() == {"1": 1.0, "2": 0.0, "7": 0.0}


def test_masks_of_different_shape_do_not_agree_at_all() -> None:
    images = table(("a", "one", "x"), ("b", "two", "x"))
    found = conflicts(images, CLASSES, reader(one=stripes(0, 128), two=stripes(0, 128, 255)))
    assert list(found.itertuples(index=False, name=None)) == [("a", "b", "shape", 0.0)]


def test_each_pair_of_a_group_is_compared_once() -> None:
    images = table(*((name, name, "x") for name in "abc"))
    masks = reader(a=stripes(0, 128), b=stripes(128, 0), c=stripes(128, 128))
    found = conflicts(images, {"artery": 128}, masks)
    pairs = set(zip(found["image_id"], found["other_id"], strict=True))
    assert pairs == {("a", "b"), ("a", "c"), ("b", "c")}
    assert len(found) == 3


def test_only_readable_masked_images_of_the_same_pixels_are_compared() -> None:
    images = table(("a", "one", "x"), ("b", "two", "y"), ("c", "", "x"), ("d", "three", "x"))
    images.loc[3, "error"] = "broken"
    found = conflicts(images, CLASSES, reader())  # would raise if any mask were read
    assert found.empty
    assert list(found.columns) == ["image_id", "other_id", "class", "dice"]


def test_label_dice_is_the_lowest_of_either_side() -> None:
    columns = ["image_id", "other_id", "class", "dice"]
    rows = [("a", "b", "vein", 0.9), ("a", "b", "artery", 0.6), ("b", "c", "vein", 0.4)]
    found = label_dice(pd.DataFrame(rows, columns=columns))
    assert found.to_dict() == {"a": 0.6, "b": 0.4, "c": 0.4}


def test_label_dice_of_no_conflict_is_empty() -> None:
    images = table(("a", "", "x"))
    assert label_dice(conflicts(images, CLASSES, reader())).empty
