"""An inverted file: descriptors in cells of what is alike, of which a few are looked through.

As Sivic and Zisserman (2003, doi:10.1109/ICCV.2003.1238663) have it; centres by k-means on a sample
(Lloyd, 1982, doi:10.1109/TIT.1982.1056489). Vectors are whole numbers of eight bits: their products
stay below 2^24, where single precision is exact, so that the result is the same with any number of
threads and on any processor.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.similar import ranks
from clearset.similar.cosines import Places, Screen, Watch

CELL = 1000  # vectors in a cell, on average
CELLS = 16  # that are looked through for a vector
SAMPLE = 32  # times as many vectors as cells, of which centres are means
ROUNDS = 6  # of means
LARGEST = 127  # of eight bits
EXACT = 2**24  # below which single precision has every whole number
TILE = 2**23  # products at once
PART = 4096  # vectors at once

Codes = npt.NDArray[np.int8]
Numbers = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Index:
    """Vectors, (all, length), and the cells of those that can be found."""

    vectors: Codes
    members: Places  # that can be found, those of a cell together, in their order
    start: Places  # (cells + 1,): where each cell begins among them
    centres: Codes  # (cells, length)

    def search(self, vectors: Codes, count: int, watch: Watch = iter) -> Numbers:
        """Return the `count` most similar ones that are found, (vectors, count); -1 for none.

        `watch` passes on the cells.
        """
        lists = np.full((len(vectors), count), -1, np.int32)
        values = np.full(lists.shape, -np.inf, np.float32)
        if not len(self.centres):
            return lists
        near = _nearest(vectors, self.centres, min(CELLS, len(self.centres)))
        order = np.argsort(near.ravel(), kind="stable")
        asking = (order // near.shape[1]).astype(np.int32)
        bounds = np.searchsorted(near.ravel()[order], np.arange(len(self.centres) + 1))
        for cell in watch(iter(range(len(self.centres)))):
            some = self.members[self.start[cell] : self.start[cell + 1]]
            held = self.vectors[some].astype(np.float32)
            scale = 1 / _lengths(held)
            for rows in _parts(asking[bounds[cell] : bounds[cell + 1]], len(some)):
                found = vectors[rows].astype(np.float32) @ held.T
                _kept(lists, values, rows, (some, np.multiply(found, scale, out=found)))
        return lists


def filled(vectors: Codes, members: Places) -> Index:
    """Return an index of those of `vectors` that are `members`, in cells of about equal size."""
    if not len(members):
        return Index(vectors, members, np.zeros(1, np.intp), vectors[:0])
    cells = max(len(members) // CELL, 1)
    rng = np.random.default_rng(len(members))
    sample = members[np.sort(rng.permutation(len(members))[: cells * SAMPLE])]
    held = vectors[sample]
    centres = held[np.linspace(0, len(held) - 1, cells).astype(np.intp)]
    for _ in range(ROUNDS if cells > 1 else 0):
        cell = _nearest(held, centres, 1)[:, 0]
        order = np.argsort(cell, kind="stable")
        there, first = np.unique(cell[order], return_index=True)
        centres[there] = codes(np.add.reduceat(held[order].astype(np.int64), first, axis=0))
    own = np.concatenate(
        [
            _nearest(vectors[members[first : first + PART]], centres, 1)[:, 0]
            for first in range(0, len(members), PART)
        ]
        or [np.empty(0, np.int32)]
    )
    start = np.searchsorted(np.sort(own), np.arange(cells + 1))
    return Index(vectors, members[np.argsort(own, kind="stable")], start, centres)


def codes(vectors: npt.NDArray[Any]) -> Codes:
    """Return vectors in whole numbers of eight bits, their largest one 127, or less if long."""
    most = min(LARGEST, math.isqrt(EXACT // vectors.shape[1]))
    largest = np.abs(vectors.astype(np.float64)).max(axis=1, keepdims=True)
    return np.rint(vectors * (most / np.maximum(largest, 1e-9))).astype(np.int8)


def _lengths(vectors: Screen) -> Screen:
    """Return the lengths of vectors of whole numbers, 1 for that of zeros."""
    return np.asarray(np.sqrt(np.maximum(np.square(vectors).sum(axis=1), 1)))


def _nearest(vectors: Codes, centres: Codes, count: int) -> Numbers:
    """Return the `count` centres that are most similar to each vector, best first."""
    held, result = centres.astype(np.float32), np.empty((len(vectors), count), np.int32)
    scale = 1 / _lengths(held)
    for first in range(0, len(vectors), PART):
        part = slice(first, first + PART)
        values = vectors[part].astype(np.float32) @ held.T
        np.multiply(values, scale, out=values)
        if count == 1:
            result[part, 0] = values.argmax(axis=1)
            continue
        at, place = np.nonzero(values >= ranks.floor(values, count)[:, None])
        row, rank, kept = ranks.top(at, place, values[at, place], count)
        result[row + first, rank] = place[kept]
    return result


def _parts(rows: Places, columns: int) -> Iterator[Places]:
    """Yield rows, not too many at once for a product with so many columns."""
    size = max(TILE // max(columns, 1), 1)
    if columns:
        yield from (rows[first : first + size] for first in range(0, len(rows), size))


def _kept(lists: Numbers, values: Screen, rows: Places, found: tuple[Places, Screen]) -> None:
    """Put the best of what a cell has for some rows into their lists, which are changed."""
    count = lists.shape[1]
    least = values[rows, -1]
    if found[1].shape[1] > count:
        least = np.maximum(least, ranks.floor(found[1], count))
    at, place = np.divmod(np.flatnonzero(found[1] >= least[:, None]), found[1].shape[1])
    some = np.unique(at)
    one = np.concatenate([at, some.repeat(count)])
    other = np.concatenate([found[0][place], lists[rows[some]].ravel()])
    value = np.concatenate([found[1][at, place], values[rows[some]].ravel()])
    image, rank, order = ranks.top(one, other, value, count)
    lists[rows[image], rank], values[rows[image], rank] = other[order], value[order]
