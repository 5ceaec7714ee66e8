"""The same subject in two splits: a shortlist by similarity, then registration decides."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.similar import cosines, ranks, registration
from clearset.similar.cosines import Descriptors
from clearset.similar.neighbours import MAD_TO_SIGMA
from clearset.similar.registration import Registration, Sight, Words

MATRIX = ["xx", "xy", "x0", "yx", "yy", "y0"]  # columns: x' = xx x + xy y + x0, y' likewise
COLUMNS = ["image_id", "other_id", "similarity", "inliers", "mirrored", *MATRIX]
WORDS = 4  # of 64 bits: a keypoint's
OUT = 3.0  # robust standard deviations above an image's median votes
MORE = 3  # times as many as are wanted, at most
Pair = tuple[int, int, float]
Votes = npt.NDArray[np.int64]
Near = tuple[int, npt.NDArray[np.intp], npt.NDArray[np.float64]]  # an image, others, similarities
Vote = Callable[[Near], Votes]


def candidates(
    splits: Sequence[str],
    descriptors: Descriptors,
    sights: Iterable[Sight],
    *,
    looked_at: int,
    per_image: int,
    small: int,
    each: Callable[[Vote, list[Near]], Iterable[Votes]] = map,
) -> list[Pair]:
    """Return the pairs across splits that are worth a registration, as (first, second, similarity).

    Of each image's `looked_at` most similar images in other splits those `per_image` whose
    strongest keypoints match best, and more, up to as many again twice over, while their matches
    stand out of the others'. All that are looked at where no more than `small` pairs lie across
    splits. First < second, by position; sorted. `each` is how a function is called on each of a
    list, in several processes or with a progress bar.
    """
    if not looked_at or not per_image:
        return []
    everyone = _across(splits) <= small
    pairs: dict[tuple[int, int], float] = {}
    near = list(_most_similar(np.asarray(splits, object), descriptors, looked_at))
    plain, mirrored = np.zeros((2, len(splits), registration.STRONGEST, WORDS), np.uint64)
    for number, sight in enumerate(sights):
        plain[number] = registration.strongest(sight.plain)
        mirrored[number] = registration.strongest(sight.mirrored)
    votes = each(partial(_votes, plain, mirrored), near)
    for (number, likely, values), matched in zip(near, votes, strict=True):
        count = len(matched) if everyone else worth(matched, per_image)
        for place in np.argsort(-matched, kind="stable")[:count]:
            other = int(likely[place])
            pairs[min(number, other), max(number, other)] = float(values[place])
    return [(first, second, value) for (first, second), value in sorted(pairs.items())]


def _across(splits: Sequence[str]) -> int:
    """Return how many pairs of images lie in two splits."""
    counts = list(Counter(splits).values())
    return (sum(counts) ** 2 - sum(count**2 for count in counts)) // 2


def worth(matched: Votes, per_image: int) -> int:
    """Return how many of an image's candidates are worth a registration, the best first.

    Beside the `per_image` best those whose votes lie above the median of all by more than three
    robust standard deviations; thrice `per_image` at most.
    """
    if not len(matched):
        return 0
    middle = np.median(matched)
    spread = max(MAD_TO_SIGMA * float(np.median(np.abs(matched - middle))), 1.0)
    outstanding = int((matched > middle + OUT * spread).sum())
    return min(max(per_image, outstanding), MORE * per_image)


def _votes(plain: Words, mirrored: Words, near: Near) -> Votes:
    number, likely, _ = near
    return registration.votes(plain[number], mirrored[number], plain[likely])


def _most_similar(
    splits: npt.NDArray[np.object_], descriptors: Descriptors, count: int
) -> Iterator[Near]:
    """Yield each image's most similar images in other splits, and their similarities."""
    known = cosines.of(descriptors)
    for start in range(0, len(known), cosines.BLOCK):
        rows = np.arange(start, min(start + cosines.BLOCK, len(known)))
        screen = known.screened(rows)
        found: dict[int, tuple[cosines.Places, cosines.Values]] = {}
        for name in set(splits[rows]):
            some, others = rows[splits[rows] == name], np.flatnonzero(splits != name)
            part, least = screen[np.ix_(some - start, others)], min(count, len(others))
            order, values = ranks.best(known, some, part, least, others)
            found |= dict(zip(some.tolist(), zip(order, values, strict=True), strict=True))
        yield from ((row, *found[row]) for row in rows.tolist())


def table(
    image_ids: Sequence[str], pairs: Sequence[Pair], fits: Sequence[Registration]
) -> pd.DataFrame:
    """Return the table `registrations`: the pairs that a fit joins, with its inliers."""
    rows = [
        (
            image_ids[first],
            image_ids[second],
            value,
            fit.inliers,
            int(fit.mirrored),
            *fit.matrix.ravel(),
        )
        for (first, second, value), fit in zip(pairs, fits, strict=True)
        if fit.inliers
    ]
    return pd.DataFrame(rows, columns=COLUMNS)
