"""Pairs of images that are the same, or nearly."""

import math

import numpy as np
import pandas as pd

from clearset.config.schema import Dataset
from clearset.decide.measures import NEAREST
from clearset.similar import duplicates

COLUMNS = ["image_id", "other_id", "similarity", "same_pixels"]


def pairs(images: pd.DataFrame, neighbours: pd.DataFrame, section: Dataset) -> pd.DataFrame:
    """Return the pairs as alike as the loosest rule says, and those of the same pixels.

    `images` and `neighbours` are tables of these names. Columns image_id, other_id, similarity,
    same_pixels (1 or 0); the most similar first.
    """
    near = neighbours[neighbours["similarity"] > loosest(section)]
    found = near.rename(columns={"neighbour_id": "other_id"})[COLUMNS[:3]]
    table = pd.concat([found, duplicates.copy_links(images)[COLUMNS[:3]]], ignore_index=True)
    ends = np.sort(table[["image_id", "other_id"]].to_numpy(dtype=str), axis=1)
    table = table.assign(image_id=ends[:, 0], other_id=ends[:, 1])
    table = table.drop_duplicates(["image_id", "other_id"])
    pixels = images.set_index("image_id")["pixels_sha256"]
    one, other = (table[column].map(pixels) for column in ("image_id", "other_id"))
    table["same_pixels"] = ((one == other) & (one != "")).astype(int)
    order = ["same_pixels", "similarity", "image_id", "other_id"]
    return table.sort_values(order, ascending=[False, False, True, True], ignore_index=True)


def loosest(section: Dataset) -> float:
    """Return from which similarity on a rule says that two images are too alike; inf: none does."""
    bounds = [rule.max for rule in section.filter.values() if rule.metric == NEAREST]
    return min((bound for bound in bounds if bound is not None), default=math.inf)
