"""Images of the same thing: who stays, whether their masks agree, which cross a split."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.vessels import dice

Mask = npt.NDArray[np.integer]


def copies(images: pd.DataFrame, column: str) -> pd.Series:
    """Return, by image_id, how many other readable images share the value of `column`."""
    readable = images[images["error"] == ""].set_index("image_id")
    return readable.groupby(column)[column].transform("count") - 1


def surplus_similarity(images: pd.DataFrame, neighbours: pd.DataFrame) -> pd.Series:
    """Return, by image_id, the highest similarity to an image that would be kept in its stead.

    An image with a mask is kept before one without, then the first by image_id. A rule that drops
    above a bound so keeps one image of each group of duplicates.
    """
    readable = images[images["error"] == ""]
    order = readable.assign(bare=readable["mask"] == "").sort_values(["bare", "image_id"])
    rank = pd.Series(range(len(order)), index=order["image_id"])
    pairs = neighbours.assign(
        rank=neighbours["image_id"].map(rank), other=neighbours["neighbour_id"].map(rank)
    )
    later = pairs["rank"].where(pairs["rank"] > pairs["other"], pairs["other"])
    best = rank.map(pairs["similarity"].groupby(later).max()).fillna(0.0)
    # Among many exact copies the one that stays need not be a recorded neighbour of each.
    copies_of_a_kept_one = order.set_index("image_id")["pixels_sha256"].duplicated()
    return best.mask(copies_of_a_kept_one, 1.0)


def conflicts(
    images: pd.DataFrame, classes: Mapping[str, int], read_mask: Callable[[str], Mask]
) -> pd.DataFrame:
    """Return the Dice of each class between the masks of images that share their pixels.

    Table `conflicts`, one row a pair and class; identical masks are no conflict and have no row.
    `classes` maps a name to a mask value; when it is empty, each value but 0 is a class.
    """
    masked = images[(images["error"] == "") & (images["mask"] != "")]
    rows = []
    for _, group in masked.sort_values("image_id").groupby("pixels_sha256"):
        masks = [read_mask(path) for path in group["mask"]] if len(group) > 1 else []
        for second in range(1, len(masks)):
            for first in range(second):
                ids = group["image_id"].iloc[[first, second]].tolist()
                rows += [(*ids, *row) for row in _class_dice(masks[first], masks[second], classes)]
    return pd.DataFrame(rows, columns=["image_id", "other_id", "class", "dice"])


def _class_dice(first: Mask, second: Mask, classes: Mapping[str, int]) -> list[tuple[str, float]]:
    if first.shape != second.shape:
        return [("shape", 0.0)]
    if np.array_equal(first, second):
        return []
    values = sorted((set(np.unique(first)) | set(np.unique(second))) - {0})
    named = dict(classes) or {str(value): int(value) for value in values}
    return [(name, dice(first == value, second == value)) for name, value in named.items()]


def label_dice(conflicting: pd.DataFrame) -> pd.Series:
    """Return, by image_id, the lowest Dice of any class with another mask of the same pixels."""
    mirrored = conflicting.rename(columns={"image_id": "other_id", "other_id": "image_id"})
    both = pd.concat([conflicting, mirrored], ignore_index=True)
    return both.groupby("image_id")["dice"].min()


def most_inliers(registrations: pd.DataFrame) -> pd.Series:
    """Return, by image_id, the inliers of its best fit onto an image of another split."""
    both = ["image_id", "other_id"]
    ends = [registrations.set_index(column)["inliers"] for column in both]
    joined = pd.concat(ends).rename_axis("image_id")
    return joined.groupby(level="image_id").max()
