"""The strongest links of all pairs of images, exact, from a few of these.

The maximum spanning forest of each image with its most similar ones is nearly that of all pairs. A
pair beyond can only enter if it is stronger than the weakest link of the chain that joins its ends
already (Tarjan, 1983, doi:10.1137/1.9781611970265, chapter 6), and it is no stronger than the last
of the recorded neighbours of either end.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from clearset.similar import cosines, links
from clearset.similar.cosines import STEP, Cosines, Places, Values, Watch
from clearset.similar.links import Edges, Keys

COLUMNS = 4096  # images that a block is compared with at once
DENSE = 32  # from one in so many pairs on, all of them are computed
SAMPLE = 256  # images that all others are compared with first
MOST = 2**20  # pairs in memory, before they are reduced to a forest
Side = tuple[Places, Keys]  # images, and the weakest link on the way from each to where sides meet


def spanning(known: Cosines, nearest: Places, last: Values, watch: Watch = iter) -> Edges:
    """Return the maximum spanning forest of all pairs of images.

    `nearest` holds others of each image, (images, count), and `last` a similarity that no other
    image reaches beyond them. `watch` passes on blocks of `cosines.BLOCK` images.
    """
    total = len(known)
    firsts = np.repeat(np.arange(total), nearest.shape[1])
    found = links.forest(weighed(known, firsts, nearest.ravel()), total)
    if nearest.shape[1] >= total - 1:
        return found
    found = _joined(known, found)
    order, weakest = leaves(found, total)
    waiting = [found]
    for start in watch(iter(range(0, total, cosines.BLOCK))):
        for pairs in _stronger(known, order, weakest, last[order], start):
            waiting.append(pairs)
            if sum(len(part[0]) for part in waiting) > MOST + total:
                waiting = [links.forest(_together(waiting), total)]
    return links.forest(_together(waiting), total)


def weighed(known: Cosines, one: Places, other: Places) -> Edges:
    """Return pairs of images with their similarities, each once."""
    total = len(known)
    places = np.unique(np.minimum(one, other) * total + np.maximum(one, other))
    first, second = places // total, places % total
    return first, second, known.pairs(first, second)


def _together(parts: list[Edges]) -> Edges:
    one, two, similarity = (np.concatenate(side) for side in zip(*parts, strict=True))
    return one, two, similarity


def _joined(known: Cosines, found: Edges) -> Edges:
    """Return a forest and what joins its trees: strong links, though not the strongest.

    As long as there are several trees, each image is joined to the one that is most like it among
    a sample of those in other trees.
    """
    total = len(known)
    sample = np.unique(np.linspace(0, total - 1, min(SAMPLE, total)).astype(np.intp))
    screen = known.screened(sample)
    while len(found[0]) < total - 1:
        ones = np.ones(len(found[0]))
        tree = connected_components(coo_array((ones, found[:2]), (total, total)), directed=False)[1]
        apart = np.where(tree[sample][:, None] != tree, screen, -np.inf)
        most = apart.argmax(axis=0)
        others = np.flatnonzero(np.isfinite(apart[most, np.arange(total)]))
        pairs = weighed(known, sample[most[others]], others)
        found = links.forest(_together([found, pairs]), total)
    return found


def leaves(found: Edges, total: int) -> tuple[Places, Keys]:
    """Return images so that chains are ranges: their order, and the weakest link before each.

    The weakest link of the chain between two images is the weakest of those that lie between them
    in this order: trees were laid side by side as the next strongest link joined them.
    """
    keys = links.keys(found, total)
    parent, last = list(range(total)), list(range(total))
    after, weakest = [-1] * total, [0] * total
    ordered = np.argsort(keys)
    ends = zip(found[0][ordered].tolist(), found[1][ordered].tolist(), strict=True)
    for key, (one, other) in zip(keys[ordered].tolist(), ends, strict=True):
        first, second = _root(parent, one), _root(parent, other)
        after[last[first]], weakest[second] = second, key
        parent[second], last[first] = first, last[second]
    order, image = [], _root(parent, 0)
    while image >= 0:
        order.append(image)
        image = after[image]
    places = np.array(order, np.intp)
    return places, np.array(weakest, np.int64)[places]


def _root(parent: list[int], image: int) -> int:
    while parent[image] != image:
        parent[image] = parent[parent[image]]
        image = parent[image]
    return image


def _stronger(
    known: Cosines, order: Places, weakest: Keys, last: Values, start: int
) -> Iterator[Edges]:
    """Yield pairs of a block of images and later ones that are stronger than what joins them."""
    stop, total = min(start + cosines.BLOCK, len(order)), len(order)
    # From one image of the block to a later one of it.
    inside = np.where(np.tri(stop - start, dtype=bool), 0, weakest[start:stop])
    np.maximum.accumulate(inside, axis=1, out=inside)
    # Out of the block, and from there to each later image.
    out = np.maximum.accumulate(np.append(weakest[start + 1 : stop], 0)[::-1])[::-1]
    on = np.maximum.accumulate(weakest[stop:])
    block = order[start:stop]
    yield _among(known, block, inside)
    for first in range(0, total - stop, COLUMNS):
        part = slice(first, first + COLUMNS)
        rows = np.flatnonzero(_reaches(last[start:stop], out, on[part][-1], total))
        if not len(rows):
            continue
        some = np.flatnonzero(_reaches(last[stop:][part], on[part], out[rows].max(), total)) + first
        if len(some):
            yield _across(known, (block[rows], out[rows]), (order[stop:][some], on[some]))


def _reaches(last: Values, weakest: Keys, way: int, total: int) -> npt.NDArray[np.bool_]:
    """Whether a pair of an image can be stronger than the weakest link on its way.

    A similarity has two values where the order of division decides on its last digit.
    """
    return last + 1.5 * STEP >= links.strength(np.maximum(weakest, way), total)


def _among(known: Cosines, block: Places, inside: Keys) -> Edges:
    """Return the pairs of a block, in its order, that are stronger than the links `inside`."""
    least = links.strength(inside, len(known)) - (known.error + STEP)
    at, place = np.nonzero(np.triu(known.screened(block, block) >= least, 1))
    first, second = _sorted(block[at], block[place])
    return _chosen((first, second, known.pairs(first, second)), inside[at, place], len(known))


def _across(known: Cosines, one: Side, other: Side) -> Edges:
    """Return the pairs across two sides that are stronger than what joins them."""
    slack, total = known.error + STEP, len(known)
    ways = [(links.strength(side[1], total) - slack).astype(np.float32) for side in (one, other)]
    screen = known.screened(one[0], other[0])
    at, place = np.nonzero((screen >= ways[0][:, None]) | (screen >= ways[1]))
    first, second = _sorted(one[0][at], other[0][place])
    if len(at) > screen.size // DENSE:
        products = known.products(one[0], other[0])[at, place]
        pairs = first, second, known.rounded(products, first, second)
    else:
        pairs = first, second, known.pairs(first, second)
    return _chosen(pairs, np.maximum(one[1][at], other[1][place]), total)


def _sorted(one: Places, other: Places) -> tuple[Places, Places]:
    return np.minimum(one, other), np.maximum(one, other)


def _chosen(pairs: Edges, weakest: Keys, total: int) -> Edges:
    """Return the pairs that are stronger than the weakest links that join them already."""
    stronger = links.keys(pairs, total) < weakest
    return pairs[0][stronger], pairs[1][stronger], pairs[2][stronger]
