"""Pairs of similar images to the strongest links that join them, and to groups at any bound.

The groups that all pairs at or above a bound make are those that a maximum spanning forest makes
of them: it says at every bound who belongs together, in as many rows as there are images.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

DECIMALS = 4  # of a similarity
Edges = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float64]]
Keys = npt.NDArray[np.int64]  # of pairs, less for a stronger one


def forest(pairs: Edges, total: int) -> Edges:
    """Return the maximum spanning forest of `total` images, sorted by the places of its links.

    The forest is one, since no two pairs are equally strong (Kruskal, 1956,
    doi:10.1090/S0002-9939-1956-0078686-7: any order of equal pairs would be as strong).
    """
    ordered = np.unique(keys(pairs, total))
    first, second = ordered // total % total, ordered % total
    weights = np.arange(1, len(ordered) + 1)  # from 1: zero is no edge
    graph = coo_array((weights.astype(np.float64), (first, second)), (total,) * 2).tocsr()
    tree = minimum_spanning_tree(graph).tocoo()
    strengths = strength(ordered[tree.data.astype(np.intp) - 1], total)
    return tree.row.astype(np.intp), tree.col.astype(np.intp), strengths


def keys(pairs: Edges, total: int) -> Keys:
    """Return pairs of `total` images as one number each, less for a stronger one.

    How many ten-thousandths are missing to a similarity of 1, then the pair's place.
    """
    one, two, similarity = pairs
    level = np.rint((1 - similarity) * 10**DECIMALS).astype(np.int64)
    return (level * total + one) * total + two


def strength(numbers: Keys, total: int) -> npt.NDArray[np.float64]:
    """Return the similarities of pairs given as one number each."""
    return np.asarray(np.round(1 - numbers // total**2 / 10**DECIMALS, DECIMALS))


def of_edges(image_ids: Sequence[str], edges: pd.DataFrame) -> pd.DataFrame:
    """Return the table `links` of the edges that are known: image_id, other_id, similarity."""
    place = {image_id: number for number, image_id in enumerate(image_ids)}
    ends = edges[["image_id", "other_id"]].map(place.__getitem__).to_numpy(np.intp).reshape(-1, 2)
    ends = np.sort(ends, axis=1)
    links = pd.DataFrame({"one": ends[:, 0], "two": ends[:, 1]})
    links["similarity"] = edges["similarity"].to_numpy(float).round(DECIMALS)
    links = links.groupby(["one", "two"], as_index=False)["similarity"].max()
    pairs = links["one"].to_numpy(np.intp), links["two"].to_numpy(np.intp)
    one, two, similarity = forest((*pairs, links["similarity"].to_numpy(float)), len(place))
    ids = np.asarray(image_ids, dtype=object)
    return pd.DataFrame({"image_id": ids[one], "other_id": ids[two], "similarity": similarity})


def components(image_ids: Sequence[str], links: pd.DataFrame, bound: float) -> pd.DataFrame:
    """Return the groups of images that chains of similarities of at least `bound` join.

    Table `components`: numbered from 0 by their first image, with the number of images and the
    similarity of the weakest link that the group hangs on; images alone are left out.
    """
    total, strong = len(image_ids), links[links["similarity"] >= bound]
    place = pd.Series(range(total), index=pd.Index(image_ids))
    ends = [place[strong[column]].to_numpy(np.intp) for column in ("image_id", "other_id")]
    joined = coo_array((np.ones(len(strong)), tuple(ends)), (total,) * 2)
    labels = connected_components(joined, directed=False)[1]
    weakest = strong["similarity"].groupby(labels[ends[0]]).min()
    table = pd.DataFrame({"image_id": image_ids, "label": labels})
    table["images"] = table.groupby("label")["image_id"].transform("count")
    table["min_similarity"] = table["label"].map(weakest)
    table = table[table["images"] > 1]
    numbers = table.groupby("label", sort=False).ngroup()
    return table.assign(component_id=numbers)[
        ["component_id", "image_id", "images", "min_similarity"]
    ]
