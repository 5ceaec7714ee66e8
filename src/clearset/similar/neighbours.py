"""Descriptors to neighbours, outliers and links: exact, the same for every engine.

Similarities are cosines, rounded to four decimals before they are ranked or compared. Descriptors
are whole numbers, and what is added up of their products stays below 2^53, so that every library of
linear algebra gives the same sums, in whatever order it adds. They are computed once, in blocks of
rows: memory grows with the images, not with their pairs.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.numeric.exact import LENGTH, whole
from clearset.similar import links
from clearset.similar.links import DECIMALS

BLOCK = 256  # rows of the similarity matrix in memory at once
PART = 2048  # of its columns that are computed together
MAD_TO_SIGMA = 1.4826  # of a normal distribution; Iglewicz and Hoaglin, 1993, ISBN 087389247X
MEAN_TO_SIGMA = 1.2533  # the same for the mean absolute deviation
FEWEST = 3  # with fewer images nothing can lie apart from the rest

Descriptors = npt.NDArray[Any]  # (images, length); whole numbers, or real ones to be made whole
Block = tuple[int, npt.NDArray[np.float64]]  # first row, rows of the similarity matrix


@dataclass(frozen=True)
class Compared:
    """What one look at all pairs of images gives.

    `nearest` and `within` hold the most similar images of each image, in the whole dataset and in
    its own split (table `neighbours`); `links` the strongest chain of similarities that joins all
    images (table `links`); `pairs` how many pairs and images reach each bound.
    """

    nearest: pd.DataFrame
    within: pd.DataFrame
    links: pd.DataFrame
    pairs: pd.DataFrame


def similarities(descriptors: Descriptors) -> Iterator[Block]:
    """Yield (first row, block of the cosine similarity matrix), an image to itself -inf."""
    wholes = in_wholes(descriptors)
    norms = np.sqrt([float(np.square(row, dtype=np.float64).sum()) for row in wholes])
    norms[norms == 0] = 1
    for start in range(0, len(wholes), BLOCK):
        rows = wholes[start : start + BLOCK].astype(np.float64)
        parts = [
            rows @ wholes[first : first + PART].T.astype(np.float64)
            for first in range(0, len(wholes), PART)
        ]
        block = np.hstack(parts) / norms[start : start + BLOCK, None] / norms
        np.round(block, DECIMALS, out=block)
        block[np.arange(len(block)), np.arange(start, start + len(block))] = -np.inf
        yield start, block


def between(one: Descriptors, other: Descriptors) -> npt.NDArray[np.float64]:
    """Return the cosine similarities of descriptors to others, (one, other); a few at a time."""
    sides = [in_wholes(side).astype(np.float64) for side in (one, other)]
    norms = [np.sqrt([float(np.square(row).sum()) for row in side]) for side in sides]
    for norm in norms:
        norm[norm == 0] = 1
    products = sides[0] @ sides[1].T / norms[0][:, None] / norms[1]
    return np.asarray(np.round(products, DECIMALS))


def in_wholes(descriptors: Descriptors) -> npt.NDArray[np.int32]:
    """Return descriptors in whole numbers; real ones are brought to one length."""
    if np.issubdtype(descriptors.dtype, np.integer):
        return descriptors.astype(np.int32, copy=False)
    values = descriptors.astype(np.float64)
    lengths = np.sqrt(np.square(values).sum(axis=1, keepdims=True))
    return whole(values * (LENGTH / np.where(lengths > 0, lengths, 1)), np.int32)


def kinship(kinds: Descriptors) -> npt.NDArray[np.float64]:
    """Return how alike each image is to the one that is most of its kind; -inf for a single one."""
    return np.concatenate([block.max(axis=1) for _, block in similarities(kinds)])


def blocks(images: int) -> int:
    """Return how many blocks `similarities` yields."""
    return -(-images // BLOCK)


def compare(
    image_ids: Sequence[str],
    splits: Sequence[str],
    descriptors: Descriptors,
    *,
    count: int,
    graph_neighbours: int,
    bounds: Sequence[float],
    watch: Callable[[Iterator[Block]], Iterable[Block]] = iter,
) -> Compared:
    """Compare every image with every other, once.

    `count` most similar images are recorded for each image, `graph_neighbours` in its own split;
    most similar first, ties in the order of `image_ids`; fewer in a smaller dataset. `watch` passes
    the blocks on one by one, for a progress bar.
    """
    ids, groups = np.asarray(image_ids, dtype=object), np.asarray(splits, dtype=object)
    nearest, within, reached = [], [], []
    forest: links.Edges = (np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0))
    for start, block in watch(similarities(descriptors)):
        rows = np.arange(start, start + len(block))
        forest = links.strongest(forest, block, rows)
        reached.append([((block >= b).sum(), (block >= b).any(axis=1).sum()) for b in bounds])
        nearest.append(_table(ids, rows, _largest(block, min(count, len(ids) - 1)), (start, block)))
        for name in sorted(set(groups[rows])):
            own, others = np.flatnonzero(groups[rows] == name), np.flatnonzero(groups == name)
            part = block[np.ix_(own, others)]
            best = _largest(part, min(graph_neighbours, len(others) - 1))
            within.append(_table(ids, rows[own], others[best], (start, block)))
    first, second, weight = forest
    both, images = np.array(reached).sum(axis=0).T.reshape(2, -1)
    return Compared(
        nearest=pd.concat(nearest, ignore_index=True),
        within=pd.concat(within, ignore_index=True),
        links=pd.DataFrame({"image_id": ids[first], "other_id": ids[second], "similarity": weight}),
        pairs=pd.DataFrame({"similarity": list(bounds), "pairs": both // 2, "images": images}),
    )


def _table(
    ids: npt.NDArray[np.object_],
    rows: npt.NDArray[np.intp],
    others: npt.NDArray[np.intp],
    block: Block,
) -> pd.DataFrame:
    """Return the table `neighbours` of images `rows`, each with its `others`, best first."""
    start, values = block
    return pd.DataFrame(
        {
            "image_id": np.repeat(ids[rows], others.shape[1]),
            "neighbour_id": ids[others.ravel()],
            "similarity": np.take_along_axis(values[rows - start], others, axis=1).ravel(),
        }
    )


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
    image_ids: Sequence[str], splits: Sequence[str], within: pd.DataFrame, outlier_share: float
) -> pd.DataFrame:
    """Return how far each image lies from the rest of its own split (table `outliers`).

    `within` joins each image to its most similar ones of its split. `published_outlier` is
    fastdup's rule: of these edges the `outlier_share` least similar ones (at least one) mark the
    images they start from. It is a quota: some image is always marked. `isolation_z` is the robust
    z of the similarity to the nearest image: (s - median) / (1.4826 MAD).
    """
    split = pd.Series(splits, index=pd.Index(image_ids))
    large = split[split.groupby(split).transform("count") >= FEWEST]
    # In the order of the images, on which the quota's choice among equals hangs.
    parts = [
        _outliers_of(within[within["image_id"].isin(group.index)], outlier_share).assign(split=name)
        for name, group in large.groupby(large)
    ]
    columns = ["image_id", "split", "nearest_id", "nearest_similarity", "isolation_z"]
    columns += ["published_outlier", "published_edges", "edge_similarity"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _outliers_of(edges: pd.DataFrame, share: float) -> pd.DataFrame:
    marked = set(published_edges(edges["similarity"].to_numpy(), share))
    edges = edges.assign(marked=[position in marked for position in range(len(edges))])
    rows = edges.groupby("image_id", sort=False)
    table = rows.first().rename(
        columns={"neighbour_id": "nearest_id", "similarity": "nearest_similarity"}
    )
    table["isolation_z"] = isolation(table["nearest_similarity"])
    table["published_edges"] = rows["marked"].sum()
    table["published_outlier"] = (table["published_edges"] > 0).astype(int)
    table["edge_similarity"] = rows["similarity"].min()
    return table.reset_index()


def isolation(similarity: pd.Series) -> pd.Series:
    """Return the robust z of each similarity to the nearest image; 0 where all are alike.

    Where over half the images are copies the MAD is 0: then the mean stands in (same reference).
    """
    deviation = (similarity - similarity.median()).abs()
    spread = MAD_TO_SIGMA * deviation.median() or MEAN_TO_SIGMA * deviation.mean()
    return (similarity - similarity.median()) / spread if spread > 0 else similarity * 0.0


def published_edges(similarity: npt.NDArray[np.float64], share: float) -> list[int]:
    """Return the positions of the edges that fastdup's quota selects, at least one."""
    order = np.argsort(-similarity, kind="stable")
    first = int(np.ceil((1 - share) * len(order) - 1e-9))  # 0.95 * 20 is 19, not 19.000000000000004
    return [int(position) for position in order[min(first, len(order) - 1) :]]


def pair_counts(
    pairs: pd.DataFrame, neighbours: pd.DataFrame, graph_neighbours: int
) -> pd.DataFrame:
    """Return the table `pairs`: for each bound what is true, and what fastdup's report counts.

    fastdup counts directed edges of the graph that joins each image to its `graph_neighbours` most
    similar, and gives them as a percentage of that graph's edges.
    """
    graph = neighbours.groupby("image_id", sort=False).head(graph_neighbours)["similarity"]
    edges = [int((graph >= bound).sum()) for bound in pairs["similarity"]]
    return pairs.assign(edges=edges, edge_percentage=100 * np.array(edges) / max(len(graph), 1))
