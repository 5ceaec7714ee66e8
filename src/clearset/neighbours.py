"""Descriptors to neighbours, outliers and components: exact, the same for every engine.

Similarities are cosines rounded to four decimals before they are ranked or compared, so that the
last digits of another processor's arithmetic do not change a table.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

DECIMALS = 4
BLOCK = 1024  # rows of the similarity matrix in memory at once
MAD_TO_SIGMA = 1.4826  # of a normal distribution; Iglewicz and Hoaglin, 1993, ISBN 087389247X
MEAN_TO_SIGMA = 1.2533  # the same for the mean absolute deviation
FEWEST = 3  # with fewer images nothing can lie apart from the rest

Descriptors = npt.NDArray[np.float32]


def similarities(descriptors: Descriptors) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
    """Yield (first row, block of the cosine similarity matrix), an image to itself -inf."""
    norms = np.linalg.norm(descriptors, axis=1, keepdims=True)
    units = descriptors / np.where(norms == 0, 1, norms)
    for start in range(0, len(units), BLOCK):
        cosines: npt.NDArray[np.float64] = (units[start : start + BLOCK] @ units.T).astype(float)
        block = np.round(cosines, DECIMALS)
        block[np.arange(len(block)), np.arange(start, start + len(block))] = -np.inf
        yield start, block


def nearest(image_ids: Sequence[str], descriptors: Descriptors, count: int) -> pd.DataFrame:
    """Return the `count` most similar images of each image (fewer in a smaller dataset).

    Columns image_id, neighbour_id, similarity; most similar first, ties in the order of
    `image_ids`.
    """
    ids = np.asarray(image_ids, dtype=object)
    kept = min(count, len(ids) - 1)
    parts = [
        pd.DataFrame(
            {
                "image_id": np.repeat(ids[start : start + len(block)], kept),
                "neighbour_id": ids[order.ravel()],
                "similarity": np.take_along_axis(block, order, axis=1).ravel(),
            }
        )
        for start, block in similarities(descriptors)
        for order in [_largest(block, kept)]
    ]
    return pd.concat(parts, ignore_index=True)


def _largest(block: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.intp]:
    """Return the columns of each row's `count` largest values, ties by column."""
    if count <= 0:
        return np.empty((len(block), 0), np.intp)
    # The count-th largest value bounds who can be among the largest; only those are sorted.
    bound = -np.partition(-block, count - 1, axis=1)[:, count - 1 : count]
    rows = [np.flatnonzero(row >= least) for row, least in zip(block, bound, strict=True)]
    best = [
        columns[np.argsort(-row[columns], kind="stable")[:count]]
        for row, columns in zip(block, rows, strict=True)
    ]
    return np.array(best)


def outliers(
    image_ids: Sequence[str],
    splits: Sequence[str],
    descriptors: Descriptors,
    *,
    graph_neighbours: int,
    outlier_share: float,
) -> pd.DataFrame:
    """Return how far each image lies from the rest of its own split (table `outliers`).

    `published_outlier` is fastdup's rule: of the graph that joins each image to its
    `graph_neighbours` most similar, the `outlier_share` least similar edges (at least one) mark
    the images they start from. It is a quota: some image is always marked. `isolation_z` is the
    robust z of the similarity to the nearest image: (s - median) / (1.4826 MAD).
    """
    ids, groups = np.asarray(image_ids, dtype=object), np.asarray(splits, dtype=object)
    parts = [
        _outliers_of(ids[rows], descriptors[rows], graph_neighbours, outlier_share).assign(
            split=name
        )
        for name in sorted(set(groups))
        if len(rows := np.flatnonzero(groups == name)) >= FEWEST
    ]
    columns = ["image_id", "split", "nearest_id", "nearest_similarity", "isolation_z"]
    columns += ["published_outlier", "edge_similarity"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _outliers_of(
    ids: npt.NDArray[np.object_], descriptors: Descriptors, count: int, share: float
) -> pd.DataFrame:
    edges = nearest(list(ids), descriptors, count)
    marked = set(published_edges(edges["similarity"].to_numpy(), share))
    edges["marked"] = [position in marked for position in range(len(edges))]
    rows = edges.groupby("image_id", sort=False)
    table = rows.first().rename(
        columns={"neighbour_id": "nearest_id", "similarity": "nearest_similarity"}
    )
    similarity = table["nearest_similarity"]
    away = (similarity - similarity.median()).abs()
    # Where over half the images are copies the MAD is 0: then the mean stands in (same reference).
    spread = MAD_TO_SIGMA * away.median() or MEAN_TO_SIGMA * away.mean()
    table["isolation_z"] = (similarity - similarity.median()) / spread if spread > 0 else 0.0
    table["published_outlier"] = rows["marked"].any().astype(int)
    table["edge_similarity"] = rows["similarity"].min()
    return table.reset_index()


def published_edges(similarity: npt.NDArray[np.float64], share: float) -> list[int]:
    """Return the positions of the edges that fastdup's quota selects, at least one."""
    order = np.argsort(-similarity, kind="stable")
    first = int(np.ceil((1 - share) * len(order) - 1e-9))  # 0.95 * 20 is 19, not 19.000000000000004
    return [int(position) for position in order[min(first, len(order) - 1) :]]


def components(image_ids: Sequence[str], descriptors: Descriptors, bound: float) -> pd.DataFrame:
    """Return the groups of images that chains of similarities of at least `bound` join.

    Table `components`: numbered from 0 by their first image, with the number of images and the
    least similarity that joins any two; images alone are left out.
    """
    total = len(image_ids)
    labels = np.arange(total)
    weakest = np.full(total, np.inf)
    for start, block in similarities(descriptors):
        rows, columns = np.nonzero(block >= bound)
        np.minimum.at(weakest, start + rows, block[rows, columns])
        joined = coo_array(
            (np.ones(len(rows)), (labels[start + rows], labels[columns])), (total,) * 2
        )
        labels = connected_components(joined, directed=False)[1][labels]
    table = pd.DataFrame({"image_id": image_ids, "label": labels, "min_similarity": weakest})
    groups = table.groupby("label", sort=False)
    table["images"] = groups["image_id"].transform("count")
    table["min_similarity"] = groups["min_similarity"].transform("min")
    table = table[table["images"] > 1]
    numbers = table.groupby("label", sort=False).ngroup()
    return table.assign(component_id=numbers)[
        ["component_id", "image_id", "images", "min_similarity"]
    ]


def pair_counts(
    descriptors: Descriptors,
    neighbours: pd.DataFrame,
    bounds: Sequence[float],
    graph_neighbours: int,
) -> pd.DataFrame:
    """Return the table `pairs`: for each bound what is true, and what fastdup's report counts.

    fastdup counts directed edges of the graph that joins each image to its `graph_neighbours` most
    similar, and gives them as a percentage of that graph's edges.
    """
    pairs, images = dict.fromkeys(bounds, 0), dict.fromkeys(bounds, 0)
    for _, block in similarities(descriptors):
        for bound in bounds:
            pairs[bound] += int((block >= bound).sum())
            images[bound] += int((block >= bound).any(axis=1).sum())
    graph = neighbours.groupby("image_id", sort=False).head(graph_neighbours)["similarity"]
    rows = []
    for bound in bounds:
        edges = int((graph >= bound).sum())
        percentage = 100 * edges / max(len(graph), 1)
        rows.append((bound, pairs[bound] // 2, images[bound], edges, percentage))
    return pd.DataFrame(rows, columns=["similarity", "pairs", "images", "edges", "edge_percentage"])
