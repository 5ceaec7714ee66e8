"""The values of an image that are seen, counted."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.images.units import short

Counts = tuple[npt.NDArray[Any], npt.NDArray[np.integer]]  # stored values, how many of each
BATCH = 64  # counts put together at once
GRAIN = 0xFFFFF000  # bits of a real number in single precision that are told apart: 1 in 2,000
TINT = 32  # bands that differ by more than this part of an image's own range are colours,
NOISE = 8  # and by more levels of 8 bits than a lossy file makes of grey,
SPECKS = 1000  # in more than one pixel of so many


@dataclass(frozen=True)
class Census:
    """What is seen of an image: numpy's name of its type, the values at the ends, and all of them.

    `counts` are there only where a range hangs on them.
    """

    kind: str
    least: float
    most: float
    counts: Counts | None = None


def of(values: npt.NDArray[Any], counts: Counts | None = None) -> Census:
    """Return the census of values, of which at least one is a finite number."""
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    return Census(values.dtype.name, float(finite.min()), float(finite.max()), counts)


def counted(values: npt.NDArray[Any]) -> Counts:
    """Return the different values, rising, and how many there are of each.

    Those of more than 16 bits are told apart to one in two thousand, but for the first and last.
    """
    if short(values.dtype):
        least = int(values.min())
        numbers = np.bincount(values.ravel().astype(np.int64) - least)
        there = np.flatnonzero(numbers)
        return there + least, numbers[there]
    finite = values[np.isfinite(values)]
    with np.errstate(over="ignore"):
        single = np.clip(finite, *_ends(np.float32)).astype(np.float32)
    coarse = (single.view(np.uint32) & np.uint32(GRAIN)).view(np.float32)
    found, numbers = np.unique(coarse.astype(np.float64), return_counts=True)
    found[0], found[-1] = finite.min(), finite.max()
    return found, numbers


def _ends(dtype: type[np.floating[Any]]) -> tuple[float, float]:
    info = np.finfo(dtype)
    return float(info.min), float(info.max)


def together(every: Iterable[Counts]) -> Counts:
    """Return the counts of all values of several images; empty where there is no image."""
    values, numbers = np.empty(0), np.empty(0, np.int64)
    rest = iter(every)
    while some := list(islice(rest, BATCH)):
        both = np.concatenate([values, *(one[0] for one in some)])
        weights = np.concatenate([numbers, *(one[1] for one in some)])
        values, places = np.unique(both, return_inverse=True)
        numbers = np.zeros(len(values), np.int64)
        np.add.at(numbers, places, weights)
    return values, numbers


def at(counts: Counts, *shares: float) -> Iterator[float]:
    """Yield the least value that each share of all values, in percent, does not exceed."""
    values, numbers = counts
    reached = numbers.cumsum()
    for share in shares:
        yield float(values[np.searchsorted(reached, share / 100 * reached[-1])])


def coloured(values: npt.NDArray[Any]) -> bool:
    """Whether bands, (..., 3), differ by more than a lossy file makes of grey."""
    wide = values.astype(np.float64)
    apart = wide.max(axis=-1) - wide.min(axis=-1)
    least = NOISE if values.dtype == np.uint8 else 0
    bound = max((wide.max() - wide.min()) / TINT, least)
    return bool((apart > bound).sum() * SPECKS > apart.size)
