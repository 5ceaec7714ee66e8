"""Segmentation: what a mask says of each pixel, which eyes are held out, how right an answer is.

Labels are uint8, shaped (height, width): 0 is background, then 1, 2, ... are the dataset's classes
in their order. Scores are of the classes and, as `vessel`, of all of them together; the background
is never scored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.measure.vessels import dice
from clearset.store.errors import ClearsetError

Image = npt.NDArray[np.float64]
Labels = npt.NDArray[np.uint8]
VESSEL = "vessel"  # any class
MEAN = "mean"  # of the classes' scores


@dataclass(frozen=True)
class Example:
    """One image to learn from or to be tested on."""

    image_id: str
    eye: str  # the subject, the same for all its images
    fold: int  # in which it is held out
    image: Image  # (h, w), 0 to 1
    labels: Labels


def labels(mask: npt.NDArray[np.integer], classes: Mapping[str, int]) -> Labels:
    """Return a mask's labels; a value of no class counts as background."""
    result = np.zeros(mask.shape, np.uint8)
    for number, value in enumerate(classes.values(), start=1):
        result[mask == value] = number
    return result


def eyes(images: pd.DataFrame, same: Sequence[Sequence[str]]) -> pd.Series:
    """Return, by image_id, the eye that each readable image with a mask shows.

    Images of the same pixels show one eye, and so do those that a group of `same` names; an eye is
    called by its first image. Raises `ClearsetError` for an unknown name in `same`.
    """
    readable = images[images["error"] == ""].sort_values("image_id")
    eye = readable.groupby("pixels_sha256")["image_id"].transform("first")
    eye.index = pd.Index(readable["image_id"])
    for group in same:
        if unknown := sorted(set(group) - set(eye.index)):
            raise ClearsetError(f"train.same_eye names {unknown}: no readable image is called so")
        together = sorted(set(eye[list(group)]))
        eye = eye.replace(dict.fromkeys(together, together[0]))
    return eye[(readable["mask"] != "").to_numpy()]


def unique(images: pd.DataFrame) -> list[str]:
    """Return the readable images with masks, of those with the same pixels the first alone."""
    masked = images[(images["error"] == "") & (images["mask"] != "")].sort_values("image_id")
    return masked.drop_duplicates("pixels_sha256")["image_id"].tolist()


def folds(names: Sequence[str], count: int, seed: int) -> dict[str, int]:
    """Return in which of `count` folds each eye is held out, by a seeded draw; sizes differ by 1.

    Raises `ClearsetError` where a fold would stay empty.
    """
    ordered = sorted(set(names))
    if len(ordered) < count:
        raise ClearsetError(
            f"train.folds is {count}, but only {len(ordered)} eyes have masks: ask for fewer folds"
        )
    order = np.random.default_rng(seed).permutation(len(ordered))
    return {ordered[place]: rank % count for rank, place in enumerate(order)}


def scores(
    truth: Labels, prediction: Labels, classes: Sequence[str]
) -> list[dict[str, str | float]]:
    """Return Dice and Jaccard (0 to 1; 1 where both are empty) of each class and of `vessel`.

    Jaccard, 1901, doi:10.5169/seals-266450, is Dice / (2 - Dice).
    """
    pairs = {name: (truth == n, prediction == n) for n, name in enumerate(classes, start=1)}
    pairs[VESSEL] = truth > 0, prediction > 0
    overlaps = {name: dice(*pair) for name, pair in pairs.items()}
    return [{"class": name, "dice": d, "jaccard": d / (2 - d)} for name, d in overlaps.items()]


def ceiling(
    images: pd.DataFrame, masks: Mapping[str, Labels], classes: Sequence[str]
) -> pd.DataFrame:
    """Return table `training_ceiling`: the scores of one annotation of an image against another.

    `masks` are labels by image_id. A model can not honestly be asked for more.
    """
    rows = []
    for _, group in images[images["image_id"].isin(masks)].groupby("pixels_sha256"):
        ids = sorted(group["image_id"])
        for place, other in enumerate(ids):
            for one in ids[:place]:
                if masks[one].shape == masks[other].shape:
                    agreement = scores(masks[one], masks[other], classes)
                    rows += [{"image_id": one, "other_id": other} | row for row in agreement]
    return pd.DataFrame(rows, columns=["image_id", "other_id", "class", "dice", "jaccard"])
