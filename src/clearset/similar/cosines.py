"""Cosines of many descriptors: screened in single precision, exact where it matters.

Descriptors are whole numbers, and what is added up of their products stays below 2^53, so that
every library of linear algebra gives the same sums, in whatever order it adds. Similarities are
cosines rounded to four decimals. They are screened in single precision, whose error is bounded, and
just those that may matter are computed exactly.

Descriptors may be a memory map: a part of them is read at a time.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import LENGTH, whole
from clearset.similar.links import DECIMALS

BLOCK = 512  # images that are compared with all others at once
PART = 2048  # descriptors that are converted together
PAIRS = 512  # pairs of descriptors that are multiplied together
STEP = 10.0**-DECIMALS  # of similarities
ROUNDED = 2.0**-24  # by how much single precision rounds, of 1
SPARE = 32  # roundings beside those of a sum

Descriptors = npt.NDArray[Any]  # (images, length); whole numbers, or real ones to be made whole
Places = npt.NDArray[np.intp]
Values = npt.NDArray[np.float64]
Screen = npt.NDArray[np.float32]
Watch = Callable[[Iterator[Any]], Iterable[Any]]  # blocks of work, for a progress bar


@dataclass(frozen=True)
class Cosines:
    """Descriptors as whole numbers, (images, length), and their lengths, 1 for that of zeros."""

    wholes: npt.NDArray[np.int32]
    norms: Values

    def __len__(self) -> int:
        """Return how many images there are."""
        return len(self.wholes)

    @property
    def error(self) -> float:
        """Return how far a screened similarity lies from the true one at most.

        A sum of n products in any order is off by at most n roundings of the sum of their sizes
        (Higham, 2002, doi:10.1137/1.9780898718027, 3.5), which is 1 at most for unit vectors.
        """
        return 1.01 * (self.wholes.shape[1] + SPARE) * ROUNDED

    def units(self, rows: Places | slice) -> Screen:
        """Return descriptors of length 1, in single precision."""
        scale = (1 / self.norms[rows]).astype(np.float32)[:, None]
        return np.multiply(self.wholes[rows], scale, dtype=np.float32, casting="unsafe")

    def screened(self, rows: Places, columns: Places | None = None) -> Screen:
        """Return similarities within `error`, (rows, columns or all), an image to itself -inf."""
        total = len(self) if columns is None else len(columns)
        units, result = self.units(rows), np.empty((len(rows), total), np.float32)
        for first in range(0, total, PART):
            part = slice(first, min(first + PART, total))
            others = self.units(part if columns is None else columns[part])
            np.matmul(units, others.T, out=result[:, part])
        if columns is None:
            result[np.arange(len(rows)), rows] = -np.inf
        return result

    def pairs(self, one: Places, other: Places) -> Values:
        """Return the exact similarities of pairs of images."""
        products = np.empty(len(one))
        for first in range(0, len(one), PAIRS):
            part = slice(first, first + PAIRS)
            sides = (self.wholes[side[part]].astype(np.float64) for side in (one, other))
            np.einsum("ij,ij->i", *sides, out=products[part])
        return self.rounded(products, one, other)

    def products(self, rows: Places, columns: Places | None = None) -> Values:
        """Return the exact products of descriptors, (rows, columns or all)."""
        total = len(self) if columns is None else len(columns)
        sides, result = self.wholes[rows].astype(np.float64), np.empty((len(rows), total))
        for first in range(0, total, PART):
            part = slice(first, min(first + PART, total))
            others = self.wholes[part if columns is None else columns[part]]
            np.matmul(sides, others.astype(np.float64).T, out=result[:, part])
        return result

    def tile(self, rows: Places, columns: Places | None = None) -> Values:
        """Return exact similarities, (rows, columns or all), an image to itself -inf."""
        others = np.arange(len(self)) if columns is None else columns
        result = self.rounded(self.products(rows, columns), rows[:, None], others)
        result[rows[:, None] == others] = -np.inf
        return result

    def rounded(self, products: Values, one: Places, other: Places) -> Values:
        """Return the similarities of images by the products of their descriptors.

        The order of division is part of the result: the last digit may hang on it.
        """
        return np.asarray(np.round(products / self.norms[one] / self.norms[other], DECIMALS))


def of(descriptors: Descriptors) -> Cosines:
    """Return what the cosines of descriptors are computed from."""
    wholes = in_wholes(descriptors)
    squares = [
        np.square(wholes[first : first + PART], dtype=np.float64).sum(axis=1)
        for first in range(0, len(wholes), PART)
    ]
    norms = np.sqrt(np.concatenate(squares)) if squares else np.empty(0)
    norms[norms == 0] = 1
    return Cosines(wholes, norms)


def between(one: Descriptors, other: Descriptors) -> Values:
    """Return the cosine similarities of descriptors to others, (one, other); a few at a time."""
    sides, result = (of(one), of(other)), np.empty((len(one), len(other)))
    few = sides[0].wholes.astype(np.float64)
    for first in range(0, len(other), PART):
        part = slice(first, first + PART)
        products = few @ sides[1].wholes[part].T.astype(np.float64)
        result[:, part] = products / sides[0].norms[:, None] / sides[1].norms[part]
    return np.asarray(np.round(result, DECIMALS))


def in_wholes(descriptors: Descriptors) -> npt.NDArray[np.int32]:
    """Return descriptors in whole numbers; real ones are brought to one length."""
    if np.issubdtype(descriptors.dtype, np.integer):
        return descriptors.astype(np.int32, copy=False)
    result = np.empty(descriptors.shape, np.int32)
    for first in range(0, len(descriptors), PART):
        values = descriptors[first : first + PART].astype(np.float64)
        lengths = np.sqrt(np.square(values).sum(axis=1, keepdims=True))
        scaled = values * (LENGTH / np.where(lengths > 0, lengths, 1))
        result[first : first + PART] = whole(scaled, np.int32)
    return result
