"""Images of the same thing: who stays, whether their masks agree, which cross a split."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.measure.vessels import dice

Mask = npt.NDArray[np.integer]
TRAINING = ("train", "all")  # splits whose images are for training


def copies(images: pd.DataFrame, column: str) -> pd.Series:
    """Return, by image_id, how many other readable images share the value of `column`."""
    readable = images[images["error"] == ""].set_index("image_id")
    rows = readable[readable[column] != ""]
    return rows.groupby(column)[column].transform("count") - 1


def order(images: pd.DataFrame, metrics: pd.DataFrame, unfit: Collection[str] = ()) -> list[str]:
    """Return the readable images, the one to keep first.

    Those that nothing else drops (`unfit`), then with a mask or label, then sharpest (fastdup's
    blur where that is all there is), then the first by image_id.
    """
    readable = images[images["error"] == ""].set_index("image_id")
    column = "sharpness" if "sharpness" in metrics.columns else "blur"
    sharp = metrics.set_index("image_id")[column].reindex(readable.index)
    table = pd.DataFrame(
        {
            "unfit": readable.index.isin(list(unfit)),
            "bare": ((readable["mask"] == "") & (readable["label"] == "")).to_numpy(),
            "soft": -sharp.to_numpy(),
            "image_id": readable.index,
        },
        index=range(len(readable)),
    )
    ranked = table.sort_values(["unfit", "bare", "soft", "image_id"], na_position="last")
    return [str(image_id) for image_id in ranked["image_id"]]


def merges(best_first: Sequence[str], links: pd.DataFrame) -> pd.DataFrame:
    """Return for each image at which similarity a better one joins its group, and which.

    Columns image_id, keeper_id, similarity; the best of all has no row. Groups grow along `links`,
    strongest first, and each is stood for by its best image: an image is surplus at every bound up
    to its similarity. Chains join, so an image may be less similar to the one that stays.
    """
    rank = {image_id: number for number, image_id in enumerate(best_first)}
    stands = {image_id: image_id for image_id in best_first}

    def best_of(image_id: str) -> str:
        while stands[image_id] != image_id:
            stands[image_id] = stands[stands[image_id]]
            image_id = stands[image_id]
        return image_id

    rows = []
    ordered = links.sort_values("similarity", ascending=False, kind="stable")
    for link in ordered.itertuples():
        ends = best_of(link.image_id), best_of(link.other_id)
        if ends[0] != ends[1]:
            keeper, surplus = sorted(ends, key=rank.__getitem__)
            stands[surplus] = keeper
            rows.append((surplus, keeper, link.similarity))
    return pd.DataFrame(rows, columns=["image_id", "keeper_id", "similarity"])


def copy_links(images: pd.DataFrame) -> pd.DataFrame:
    """Return links of similarity 1 that join the images of the same pixels."""
    readable = images[(images["error"] == "") & (images["pixels_sha256"] != "")]
    first = readable.groupby("pixels_sha256")["image_id"].transform("min")
    copied = readable.assign(other_id=first)[first != readable["image_id"]]
    return copied[["image_id", "other_id"]].assign(similarity=1.0)


def stand_ins(merged: pd.DataFrame, bound: float) -> dict[str, str]:
    """Return, by image_id, the image that stays in its stead above a bound (see `merges`)."""
    above = merged[merged["similarity"] > bound]
    keeper: dict[str, str] = dict(zip(above["image_id"], above["keeper_id"], strict=True))
    for image_id, stays in keeper.items():
        while (further := keeper.get(stays)) is not None:
            stays = further  # noqa: PLW2901 - on along the chain
        keeper[image_id] = stays
    return keeper


@dataclass(frozen=True)
class Surplus:
    """Which images a better one could stand for, by likeness and by the very pixels (`merges`)."""

    alike: pd.DataFrame
    copied: pd.DataFrame

    def measures(self) -> dict[str, pd.Series]:
        """Return, by image_id, what a rule can bound: `surplus_similarity`, `surplus_copies`."""
        return {
            "surplus_similarity": self.alike.set_index("image_id")["similarity"],
            "surplus_copies": self.copied.set_index("image_id")["similarity"],
        }


def surplus(
    images: pd.DataFrame,
    metrics: pd.DataFrame,
    links: pd.DataFrame,
    unfit: Collection[str] = (),
) -> Surplus:
    """Return which images are surplus; the arguments are tables of these names."""
    best_first, copied = order(images, metrics, unfit), copy_links(images)
    all_links = pd.concat([copied, links], ignore_index=True) if len(copied) else links
    return Surplus(merges(best_first, all_links), merges(best_first, copied))


def curation(images: pd.DataFrame, flags: pd.DataFrame, spare: Surplus) -> pd.DataFrame:
    """Return the table `curation`: who stays in the stead of each image dropped as surplus.

    `flags` are those of dropping rules on `surplus_similarity` or `surplus_copies`, with `metric`.
    """
    keepers: dict[str, str] = {}
    # Who is alike has the last word, at the loosest bound: these groups are largest, and hold those
    # of copies.
    rules = flags.drop_duplicates("rule")
    for row in rules.sort_values(["metric", "max"], ascending=[True, False]).itertuples():
        exact = row.metric == "surplus_copies"
        keepers |= stand_ins(spare.copied if exact else spare.alike, row.max)
    names = flags.sort_values("rule").groupby("image_id")["rule"].agg(" ".join)
    about, level = images.set_index("image_id"), spare.alike.set_index("image_id")["similarity"]
    table = pd.DataFrame({"image_id": names.index, "rules": names.to_numpy()})
    table["keeper_id"] = table["image_id"].map(keepers)
    table["similarity"] = table["image_id"].map(level)
    for column in ("split", "bytes"):  # of no row, too, they keep their types
        table[column] = about[column].reindex(table["image_id"]).to_numpy()
    return table.assign(keeper_split=table["keeper_id"].map(about["split"]))


def savings(images: pd.DataFrame, dropped: pd.DataFrame) -> dict[str, int]:
    """Return what the table `curation` saves: images, those for training, and bytes of files."""
    training = dropped["split"].isin(TRAINING)
    return {
        "duplicates_dropped": len(dropped),
        "duplicates_dropped_train": int(training.sum()),
        "duplicates_dropped_bytes": int(dropped["bytes"].sum()),
        "bytes": int(images["bytes"].sum()),
    }


def conflicts(
    images: pd.DataFrame, classes: Mapping[str, int], read_mask: Callable[[str], Mask]
) -> pd.DataFrame:
    """Return the Dice of each class between the masks of images that share their pixels.

    Table `conflicts`, one row a pair and class; identical masks are no conflict and have no row.
    `classes` maps a name to a mask value; when it is empty, each value but 0 is a class.
    """
    usable = (images["mask"] != "") & (images["mask_error"] == "")
    masked = images[(images["error"] == "") & usable]
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
    labels = dict(classes) or {str(value): int(value) for value in values}
    return [(name, dice(first == value, second == value)) for name, value in labels.items()]


def label_dice(conflicting: pd.DataFrame) -> pd.Series:
    """Return, by image_id, the lowest Dice of any class with another mask of the same pixels."""
    mirrored = conflicting.rename(columns={"image_id": "other_id", "other_id": "image_id"})
    directed = pd.concat([conflicting, mirrored], ignore_index=True)
    return directed.groupby("image_id")["dice"].min()


def most_inliers(registrations: pd.DataFrame) -> pd.Series:
    """Return, by image_id, the inliers of its best fit onto an image of another split."""
    sides = ["image_id", "other_id"]
    ends = [registrations.set_index(column)["inliers"] for column in sides]
    inliers = pd.concat(ends).rename_axis("image_id")
    return inliers.groupby(level="image_id").max()
