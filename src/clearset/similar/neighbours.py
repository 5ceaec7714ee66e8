"""Descriptors to neighbours, outliers and links: exact, the same for every engine.

Similarities are cosines, rounded to four decimals before they are ranked or compared (`cosines`).
They are screened in blocks of rows: memory grows with the images, not with their pairs.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.similar import approximate, cosines, forest, ranks
from clearset.similar.approximate import Lists, Search
from clearset.similar.cosines import Cosines, Descriptors, Places, Screen, Watch
from clearset.similar.links import Edges

DEPTH = 10  # neighbours of each image, at least, by which links are looked for
MAD_TO_SIGMA = 1.4826  # of a normal distribution; Iglewicz and Hoaglin, 1993, ISBN 087389247X
MEAN_TO_SIGMA = 1.2533  # the same for the mean absolute deviation
FEWEST = 3  # with fewer images nothing can lie apart from the rest


@dataclass(frozen=True)
class Compared:
    """What one look at all pairs of images gives.

    `nearest` and `within` hold the most similar images of each image, in the whole dataset and in
    its own split (table `neighbours`); `links` the strongest chain of similarities that joins all
    images (table `links`); `pairs` how many pairs and images reach each bound. Where an index was
    asked, `search` says how much it finds.
    """

    nearest: pd.DataFrame
    within: pd.DataFrame
    links: pd.DataFrame
    pairs: pd.DataFrame
    search: Search | None = None

    def said(self) -> dict[str, Any]:
        """Return what engine.json says of it: nothing where each was compared with each."""
        return {"neighbours": asdict(self.search)} if self.search else {}


def kinship(
    kinds: Descriptors, *, exact_images: int | None = None, watch: Watch = iter
) -> npt.NDArray[np.float64]:
    """Return how alike each image is to the one that is most of its kind; -inf for a single one.

    Of more than `exact_images` the most similar one that an index finds, as for `compare`.
    """
    known, result = cosines.of(kinds), np.full(len(kinds), -np.inf)
    if exact_images is not None and len(known) > exact_images:
        everyone = [np.arange(len(known))]
        return approximate.look(known, everyone, 1, 1, watch).lists.values[:, 0]
    count = min(1, len(known) - 1)
    for start in watch(iter(range(0, len(known), cosines.BLOCK))):
        rows = np.arange(start, min(start + cosines.BLOCK, len(known)))
        if count > 0:
            result[rows] = ranks.best(known, rows, known.screened(rows), count)[1][:, 0]
    return result


def blocks(images: int) -> int:
    """Return how many blocks `watch` is given, each time that it is called."""
    return -(-images // cosines.BLOCK)


def compare(
    image_ids: Sequence[str],
    splits: Sequence[str],
    descriptors: Descriptors,
    *,
    count: int,
    graph_neighbours: int,
    bounds: Sequence[float],
    exact_images: int | None = None,
    watch: Watch = iter,
) -> Compared:
    """Compare every image with every other; more than `exact_images` by an index (`approximate`).

    `count` most similar images are recorded for each image, `graph_neighbours` in its own split;
    most similar first, ties in the order of `image_ids`; fewer in a smaller dataset. `watch` passes
    blocks on one by one, for a progress bar: for neighbours, then for links.
    """
    known, members = cosines.of(descriptors), _members(splits)
    depth = min(max(count, graph_neighbours, DEPTH), len(known) - 1)
    look = _all if exact_images is None or len(known) <= exact_images else _likely
    seen = look(known, members, (depth, graph_neighbours), bounds, watch)
    ids = np.asarray(image_ids, dtype=object)
    pairs = {"similarity": list(bounds), "pairs": seen.pairs, "images": seen.images}
    return Compared(
        nearest=_table(ids, "neighbour_id", [seen.nearest.edges(np.arange(len(ids)), count)]),
        within=_table(ids, "neighbour_id", seen.within),
        links=_table(ids, "other_id", [seen.links]),
        pairs=pd.DataFrame(pairs),
        search=seen.search,
    )


@dataclass(frozen=True)
class _Seen:
    """What `Compared` holds, by the images' numbers."""

    nearest: Lists
    within: list[Edges]
    links: Edges
    pairs: Sequence[int]
    images: Sequence[int]
    search: Search | None = None


def _all(
    known: Cosines,
    members: list[Places],
    counts: tuple[int, int],
    bounds: Sequence[float],
    watch: Watch,
) -> _Seen:
    """Compare each with each."""
    found, within = [], []
    reached = np.zeros((len(known), len(bounds)), np.int64)
    for start in watch(iter(range(0, len(known), cosines.BLOCK))):
        rows = np.arange(start, min(start + cosines.BLOCK, len(known)))
        screen = known.screened(rows)
        found.append(ranks.best(known, rows, screen, counts[0]))
        within += _within(known, rows, screen, members, counts[1])
        reached[rows] = ranks.reaching(known, rows, screen, bounds)
    others, values = (np.concatenate(side) for side in zip(*found, strict=True))
    last = values[:, -1] if counts[0] else np.zeros(len(known))
    links = forest.spanning(known, others, last, watch)
    pairs, images = reached.sum(axis=0) // 2, (reached > 0).sum(axis=0)
    return _Seen(Lists(others.astype(np.int32), values), within, links, pairs, images)


def _likely(
    known: Cosines,
    members: list[Places],
    counts: tuple[int, int],
    bounds: Sequence[float],
    watch: Watch,
) -> _Seen:
    """Compare each with those that an index finds."""
    found = approximate.look(known, members, *counts, watch)
    images = [int((found.lists.values[:, 0] >= bound).sum()) for bound in bounds]
    links, pairs = approximate.spanning(found.lists), found.reaching(bounds)
    return _Seen(found.lists, found.within, links, pairs, images, found.search)


def _members(splits: Sequence[str]) -> list[Places]:
    """Return the images of each split."""
    names = np.asarray(splits, dtype=object)
    return [np.flatnonzero(names == name) for name in sorted(set(splits))]


def _within(
    known: Cosines, rows: Places, screen: Screen, members: list[Places], count: int
) -> list[Edges]:
    """Return each image with its most similar ones of its own split, a split's images together."""
    found = []
    for own in members:
        some = own[np.searchsorted(own, rows[0]) : np.searchsorted(own, rows[-1], "right")]
        if len(some):
            least = min(count, len(own) - 1)
            part = screen[np.ix_(some - rows[0], own)] if len(members) > 1 else screen
            others, values = ranks.best(known, some, part, least, own)
            found.append((some.repeat(least), others.ravel(), values.ravel()))
    return found


def _table(ids: Any, other: str, pairs: Sequence[Edges]) -> pd.DataFrame:
    """Return a table of pairs of images, best first, in the order of the images."""
    one, two, values = (np.concatenate(side) for side in zip(*pairs, strict=True))
    order = np.argsort(one, kind="stable")
    columns = {"image_id": ids[one], other: ids[two], "similarity": values}
    return pd.DataFrame({name: column[order] for name, column in columns.items()})


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
