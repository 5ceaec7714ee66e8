"""Neighbours of very many images: candidates from an index, similarities exact, recall measured.

An index (`index`) of the different descriptors of each split gives a few candidates for each image.
Their similarities are computed as those of all pairs are, so that no similarity is approximate;
what the index does not find is missing. How much that is, is measured each time: on a sample of
images, compared with all others, and on descriptors planted at known similarities. The same
descriptors give the same result, with any number of threads and on any processor.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from clearset.similar import cosines, links, ranks
from clearset.similar.cosines import Cosines, Places, Values, Watch
from clearset.similar.index import CELL, CELLS, Codes, Index, codes, filled
from clearset.similar.links import Edges

CHUNK = 2048  # images that are looked up together
MORE = 6  # candidates beyond those wanted
SAMPLE = 256  # images that are compared with all others
ROWS = 32  # of them, at once
PLANTED = (0.95, 0.9, 0.8, 0.7)  # similarities of descriptors that are looked for
METHOD = f"inverted file: {CELLS} cells of about {CELL}"
FOREST = 2**17  # images whose links are taken together

Numbers = npt.NDArray[np.int64]  # of descriptors, -1 for zeros


@dataclass(frozen=True)
class Search:
    """How neighbours were looked for, and the share of the true ones that was found.

    `recall` is of as many neighbours as were wanted of each of `sample` images, `first` of the most
    similar one; `planted` of descriptors of a known similarity, by it.
    """

    method: str
    sample: int
    recall: float
    first: float
    planted: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Lists:
    """The images most similar to each, best first, (images, count); -1 and -inf for none."""

    others: npt.NDArray[np.int32]
    values: Values

    def merged(self, more: "Lists", count: int) -> "Lists":
        """Return the best of two lists of each image, ties in the order of the images."""
        others = np.empty((len(self.others), count), np.int32)
        values = np.empty(others.shape)
        for first in range(0, len(others), CHUNK):
            part = slice(first, first + CHUNK)
            both = np.hstack([self.others[part], more.others[part]])
            found = np.hstack([self.values[part], more.values[part]])
            order = np.lexsort((both, -found))[:, :count]
            others[part] = np.take_along_axis(both, order, axis=1)
            values[part] = np.take_along_axis(found, order, axis=1)
        return Lists(others, values)

    def edges(self, rows: Places, count: int) -> Edges:
        """Return some images with the first `count` of their lists, best first."""
        others = self.others[rows, :count]
        there = others >= 0
        one = np.broadcast_to(rows[:, None], there.shape)[there]
        return one, others[there].astype(np.intp), self.values[rows, :count][there]


@dataclass(frozen=True)
class Copies:
    """Images of a split by what they look like: copies of each other together, in their order."""

    own: Places  # the split's images
    numbers: Numbers  # (images,): of the whole dataset
    first: Places  # (images,): in the split the first of the same descriptor, else -1
    ordered: Places  # the split's images, those of one descriptor together
    start: Places  # (images,): of a first image, where its copies lie in `ordered`
    count: Places  # (images,): of a first image, how many there are


@dataclass(frozen=True)
class Found:
    """The neighbours of all images, those in their own splits, and how they were found."""

    lists: Lists
    within: list[Edges]
    numbers: Numbers  # of descriptors
    search: Search

    def reaching(self, bounds: Sequence[float]) -> list[int]:
        """Return how many pairs reach each bound: those that were found, and all of copies."""
        total, counts = len(self.numbers), []
        copies = np.bincount(self.numbers[self.numbers >= 0])
        same = int((copies * (copies - 1)).sum()) // 2
        for bound in bounds:
            rows, place = np.nonzero(self.lists.values >= bound)
            others = self.lists.others[rows, place].astype(np.intp)
            apart = (self.numbers[rows] != self.numbers[others]) | (self.numbers[rows] < 0)
            rows, others = rows[apart], others[apart]
            pairs = np.minimum(rows, others) * total + np.maximum(rows, others)
            counts.append(len(np.unique(pairs)) + (same if bound <= 1 else 0))
        return counts


def look(
    known: Cosines, members: Sequence[Places], count: int, graph: int, watch: Watch = iter
) -> Found:
    """Return the neighbours of each image, and `graph` ones in its own split.

    `watch` passes on the cells that are looked through, then blocks of images.
    """
    sample = np.unique(np.linspace(0, len(known) - 1, SAMPLE).astype(np.intp))
    numbers, vectors = _same(known), _coded(known)
    within, found = [], None
    tallies = np.zeros((len(PLANTED), 2))
    for own in members:
        copies = _copies(numbers, own, len(known))
        index = filled(vectors, own[(copies.first[own] == own) & (numbers[own] >= 0)])
        lists = _looked_up(known, index, copies, count, watch)
        within.append(lists.edges(own, graph))
        found = lists if found is None else found.merged(lists, count)
        tallies += _planted(known, index, copies, sample, count + MORE)
    if found is None:
        raise ValueError("no split has an image")
    recall, first = _recall(known, found, sample, count)
    shares = (tallies[:, 0] / np.maximum(tallies[:, 1], 1)).round(4).tolist()
    planted = dict(zip(map(str, PLANTED), shares, strict=True))
    search = Search(METHOD, len(sample), recall, first, planted)
    return Found(found, within, numbers, search)


def spanning(found: Lists) -> Edges:
    """Return the strongest links that join what was found to be similar."""
    total = len(found.others)
    forest: Edges = (np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0))
    for first in range(0, total, FOREST):
        rows = np.arange(first, min(first + FOREST, total))
        one, two, values = found.edges(rows, found.others.shape[1])
        pairs = np.minimum(one, two), np.maximum(one, two), values
        both = [np.concatenate(side) for side in zip(forest, pairs, strict=True)]
        forest = links.forest((both[0], both[1], both[2]), total)
    return forest


def _same(known: Cosines) -> Numbers:
    """Return a number for each image, the same for the same descriptor; -1 for zeros."""
    digests = np.empty((len(known), 2), np.int64)
    weights = np.random.default_rng(0).integers(1, 2**62, (known.wholes.shape[1], 2))
    for first in range(0, len(known), CHUNK):
        part = slice(first, first + CHUNK)
        digests[part] = known.wholes[part].astype(np.int64) @ weights  # modulo 2^64
    order = np.lexsort(digests.T)
    numbers = np.zeros(len(known), np.int64)
    numbers[order[1:]] = np.cumsum(np.diff(digests[order], axis=0).any(axis=1))
    numbers[~digests.any(axis=1)] = -1
    return numbers


def _copies(numbers: Numbers, own: Places, total: int) -> Copies:
    """Return how the images of a split are copies of each other."""
    ordered = own[np.argsort(numbers[own], kind="stable")]
    begins = np.flatnonzero(np.diff(numbers[ordered], prepend=-2))
    sizes = np.diff(np.append(begins, len(ordered)))
    first = np.full(total, -1, np.intp)
    first[ordered] = ordered[begins].repeat(sizes)
    start, count = np.zeros(total, np.intp), np.zeros(total, np.intp)
    start[ordered[begins]], count[ordered[begins]] = begins, sizes
    return Copies(own, numbers, first, ordered, start, count)


def _coded(known: Cosines) -> Codes:
    """Return all descriptors as an index takes them."""
    result = np.empty(known.wholes.shape, np.int8)
    for first in range(0, len(known), CHUNK):
        result[first : first + CHUNK] = codes(known.wholes[first : first + CHUNK])
    return result


def _looked_up(known: Cosines, index: Index, copies: Copies, count: int, watch: Watch) -> Lists:
    """Return the most similar images of a split for each image, of the whole dataset."""
    others = np.full((len(known), count), -1, np.int32)
    values = np.full(others.shape, -np.inf)
    found = index.search(index.vectors, count + MORE, watch)
    for start in watch(iter(range(0, len(known), cosines.BLOCK))):
        rows = np.arange(start, min(start + cosines.BLOCK, len(known)))
        likely = np.column_stack([found[rows], copies.first[rows]])
        firsts = copies.own[: count + 1]  # for what is alike to none
        likely[copies.numbers[rows] < 0, : len(firsts)] = firsts
        one, two = _with_copies(copies, rows, likely, count + 1)
        exact = known.pairs(np.minimum(one, two), np.maximum(one, two))
        at, place, order = ranks.top(one, two, exact, count)
        others[at, place], values[at, place] = two[order], exact[order]
    return Lists(others, values)


def _with_copies(copies: Copies, rows: Places, likely: Places, most: int) -> tuple[Places, Places]:
    """Return pairs of images and what is likely similar to them, each with `most` of its copies."""
    there = likely >= 0
    one, two = np.broadcast_to(rows[:, None], likely.shape)[there], likely[there]
    sizes = np.minimum(copies.count[copies.first[two]], most)
    ends = np.cumsum(sizes)
    place = np.arange(ends[-1] if len(ends) else 0) - (ends - sizes).repeat(sizes)
    two = copies.ordered[copies.start[copies.first[two]].repeat(sizes) + place]
    one = one.repeat(sizes)
    total = len(copies.first)
    pairs = np.unique(one[one != two] * total + two[one != two])
    return pairs // total, pairs % total


def _planted(known: Cosines, index: Index, copies: Copies, sample: Places, count: int) -> Values:
    """Return of how many planted descriptors the index finds the source, and how many there are."""
    some = sample[(copies.first[sample] >= 0) & known.wholes[sample].any(axis=1)]
    if len(some) < 2 or not len(index.members):
        return np.zeros((len(PLANTED), 2))
    units = known.units(some).astype(np.float64)
    aside = np.roll(units, 1, axis=0)
    aside -= (aside * units).sum(axis=1, keepdims=True) * units
    aside /= np.maximum(np.sqrt(np.square(aside).sum(axis=1, keepdims=True)), cosines.STEP)
    tallies = []
    for similarity in PLANTED:
        made = similarity * units + np.sqrt(1 - similarity**2) * aside
        found = index.search(codes(made), count)
        tallies.append(((found == copies.first[some][:, None]).any(axis=1).sum(), len(some)))
    return np.array(tallies, np.float64)


def _recall(known: Cosines, found: Lists, sample: Places, count: int) -> tuple[float, float]:
    """Return the share of the true neighbours that was found, and of the most similar ones."""
    shares = []
    for first in range(0, len(sample), ROWS):
        rows = sample[first : first + ROWS]
        true = ranks.best(known, rows, known.screened(rows), count)[1]
        reached = found.values[rows] >= true[:, -1:]
        shares.append(np.column_stack([reached.mean(axis=1), found.values[rows, 0] >= true[:, 0]]))
    recall, nearest = np.concatenate(shares).mean(axis=0).round(4).tolist()
    return float(recall), float(nearest)
