"""Duplicates: one of each group stays, and masks of the same pixels are compared."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from clearset.duplicates import conflicts, copies, label_dice, surplus_similarity
from clearset.neighbours import nearest
from clearset.vessels import dice

Mask = npt.NDArray[np.uint8]
CLASSES = {"artery": 128, "vein": 255}  # RAVIR's
NEIGHBOURS = 10  # recorded for each image, as by default


def table(*rows: tuple[str, str, str], error: str = "") -> pd.DataFrame:
    """Return the table `images` of (image_id, mask, pixels)."""
    columns = ["image_id", "mask", "pixels_sha256"]
    return pd.DataFrame(rows, columns=columns).assign(error=error)


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
    descriptors = np.eye(max(groups) + 1, dtype=np.float32)[groups[readable]]
    near = nearest(images.loc[readable, "image_id"].tolist(), descriptors, NEIGHBOURS)
    return surplus_similarity(images, near)


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


def test_an_image_is_not_surplus_to_one_that_is_unlike_it() -> None:
    pairs = pd.DataFrame(
        [("a", "b", 0.95), ("b", "a", 0.95), ("c", "b", 0.97), ("b", "c", 0.97), ("c", "a", 0.4)],
        columns=["image_id", "neighbour_id", "similarity"],
    )
    found = surplus_similarity(table(("a", "", "1"), ("b", "", "2"), ("c", "", "3")), pairs)
    assert found.to_dict() == {"a": 0.0, "b": 0.95, "c": 0.97}


def test_a_neighbour_listed_by_one_side_counts_for_both() -> None:
    pairs = pd.DataFrame([("a", "b", 0.95)], columns=["image_id", "neighbour_id", "similarity"])
    found = surplus_similarity(table(("a", "", "1"), ("b", "", "2")), pairs)
    assert found.to_dict() == {"a": 0.0, "b": 0.95}


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
