"""The same subject in two splits: a shortlist by similarity, then registration decides."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.similar import registration
from clearset.similar.neighbours import Descriptors, similarities
from clearset.similar.registration import Registration, Sight, Words

MATRIX = ["xx", "xy", "x0", "yx", "yy", "y0"]  # columns: x' = xx x + xy y + x0, y' likewise
COLUMNS = ["image_id", "other_id", "similarity", "inliers", "mirrored", *MATRIX]
Pair = tuple[int, int, float]
Votes = npt.NDArray[np.int64]
Near = tuple[int, npt.NDArray[np.intp], npt.NDArray[np.float64]]  # an image, others, similarities
Vote = Callable[[Near], Votes]


def candidates(
    splits: Sequence[str],
    descriptors: Descriptors,
    sights: Sequence[Sight],
    *,
    looked_at: int,
    per_image: int,
    each: Callable[[Vote, list[Near]], Iterable[Votes]] = map,
) -> list[Pair]:
    """Return the pairs across splits that are worth a registration, as (first, second, similarity).

    Of each image's `looked_at` most similar images in other splits those `per_image` whose
    strongest keypoints match best. First < second, by position; sorted. `each` is how a function is
    called on each of a list, in several processes or with a progress bar.
    """
    pairs: dict[tuple[int, int], float] = {}
    near = list(_most_similar(np.asarray(splits, object), descriptors, looked_at))
    plain, mirrored = (
        np.stack([registration.strongest(points) for points in side])
        for side in zip(*((one.plain, one.mirrored) for one in sights), strict=True)
    )
    everyone = each(partial(_votes, plain, mirrored), near)
    for (number, likely, values), matched in zip(near, everyone, strict=True):
        for place in np.argsort(-matched, kind="stable")[:per_image]:
            other = int(likely[place])
            pairs[min(number, other), max(number, other)] = float(values[place])
    return [(first, second, value) for (first, second), value in sorted(pairs.items())]


def _votes(plain: Words, mirrored: Words, near: Near) -> Votes:
    number, likely, _ = near
    return registration.votes(plain[number], mirrored[number], plain[likely])


def _most_similar(
    splits: npt.NDArray[np.object_], descriptors: Descriptors, count: int
) -> Iterator[Near]:
    """Yield each image's most similar images in other splits, and their similarities."""
    for start, block in similarities(descriptors):
        for offset, row in enumerate(block):
            others = np.flatnonzero(splits != splits[start + offset])
            order = others[np.argsort(-row[others], kind="stable")[:count]]
            yield start + offset, order, row[order]


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
