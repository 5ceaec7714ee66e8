"""The most similar images of each image: exact, ties in the order of the images."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from clearset.similar.cosines import STEP, Cosines, Places, Screen, Values

APART = 8  # times as many groups of columns as values are looked for
WIDEST = 32  # columns of a group
HEAVY = 8  # times as many candidates as are wanted, and LEAST more, are looked at one by one
LEAST = 64
CHUNK = 64  # rows that are computed whole at once
DENSE = 32  # from one in so many similarities on, whole rows are computed


def best(
    cosines: Cosines, rows: Places, screen: Screen, count: int, columns: Places | None = None
) -> tuple[Places, Values]:
    """Return the `count` most similar images of each of `rows` and their similarities, best first.

    `screen` is what `Cosines.screened` gives of the rows, all images or those of `columns`, which
    ascend; each row itself, if it is among them, is -inf. There are at least `count` others.
    """
    if count <= 0:
        return np.empty((len(rows), 0), np.intp), np.empty((len(rows), 0))
    # Who is among the best is rounded to what the weakest of them is rounded to, or above.
    least = floor(screen, count) - np.float32(2 * cosines.error + STEP)
    hits = screen >= least[:, None]
    tallies = np.count_nonzero(hits, axis=1)
    heavy = np.flatnonzero(tallies > HEAVY * count + LEAST)
    hits[heavy] = False
    chosen, values = np.zeros((len(rows), count), np.intp), np.zeros((len(rows), count))
    at, place = np.divmod(np.flatnonzero(hits), screen.shape[1])
    exact = cosines.pairs(rows[at], place if columns is None else columns[place])
    row, rank, order = top(at, place, exact, count)
    chosen[row, rank], values[row, rank] = place[order], exact[order]
    for first in range(0, len(heavy), CHUNK):
        some = heavy[first : first + CHUNK]
        tile = cosines.tile(rows[some], columns)
        chosen[some] = largest(tile, count)
        values[some] = np.take_along_axis(tile, chosen[some], axis=1)
    return chosen if columns is None else columns[chosen], values


def top(
    one: Places, other: Places, values: Values | Screen, count: int
) -> tuple[Places, Places, Places]:
    """Return the best `count` pairs of each image `one`: it, their rank from 0, where they lie.

    Ties in the order of the others; fewer where there are fewer.
    """
    order = np.lexsort((other, -values, one))
    image = one[order]
    first = np.flatnonzero(np.diff(image, prepend=-1))
    rank = np.arange(len(image)) - first.repeat(np.diff(np.append(first, len(image))))
    kept = rank < count
    return image[kept], rank[kept], order[kept]


def floor(screen: Screen, count: int) -> Screen:
    """Return what at least `count` values of each row reach, (rows,), and few more.

    The largest of each of many groups of columns are as many values. Columns that lie side by side,
    as images of a kind often do, are in different groups.
    """
    columns = screen.shape[1]
    width = min(columns // (APART * count), WIDEST)
    if width > 1:
        groups = columns // width
        rest = screen[:, groups * width :]
        screen = screen[:, : groups * width].reshape(len(screen), width, groups).max(axis=1)
        screen = np.concatenate([screen, rest], axis=1)
    return np.asarray(np.partition(screen, -count, axis=1)[:, -count])


def largest(tile: npt.NDArray[np.float64], count: int) -> Places:
    """Return the columns of each row's `count` largest values, ties by column."""
    # The count-th largest value bounds who can be among the largest; only those are sorted.
    bound = np.partition(tile, -count, axis=1)[:, -count]
    result = np.empty((len(tile), count), np.intp)
    for number, (row, least) in enumerate(zip(tile, bound, strict=True)):
        columns = np.flatnonzero(row >= least)
        result[number] = columns[np.argsort(-row[columns], kind="stable")[:count]]
    return result


def reaching(
    cosines: Cosines, rows: Places, screen: Screen, bounds: Sequence[float]
) -> npt.NDArray[np.int64]:
    """Return how many images are at least so similar to each of `rows`, (rows, bounds)."""
    result = np.zeros((len(rows), len(bounds)), np.int64)
    slack, most = cosines.error + STEP, screen.max(axis=1)
    for number, bound in enumerate(bounds):
        some = np.flatnonzero(most >= np.float32(bound - slack))
        for first in range(0, len(some), CHUNK):
            part = some[first : first + CHUNK]
            result[part, number] = _reaching(cosines, rows[part], screen[part], bound, slack)
    return result


def _reaching(
    cosines: Cosines, rows: Places, screen: Screen, bound: float, slack: float
) -> npt.NDArray[np.intp]:
    """Return how many similarities of each row reach a bound; only what is near it is computed."""
    surely = screen >= np.float32(bound + slack)
    near = (screen >= np.float32(bound - slack)) & ~surely
    at, place = np.nonzero(near)
    if len(at) > screen.size // DENSE:
        return np.count_nonzero(cosines.tile(rows) >= bound, axis=1)
    reached = at[cosines.pairs(rows[at], place) >= bound]
    return np.count_nonzero(surely, axis=1) + np.bincount(reached, minlength=len(rows))
