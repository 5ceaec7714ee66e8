"""Pairs of images across splits that show the same: looked for by likeness, told by keypoints."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from clearset.config.schema import Analyze
from clearset.engines.measurements import Measurements
from clearset.engines.sights import Stored
from clearset.similar import leaks
from clearset.similar.cosines import Descriptors
from clearset.similar.registration import Registration, register
from clearset.store.parallel import mapped


def registrations(
    ids: Sequence[str],
    splits: Sequence[str],
    descriptors: Descriptors,
    measured: Measurements,
    params: Analyze,
) -> pd.DataFrame:
    """Return the table `registrations`: images of different splits that show the same."""
    seen = np.flatnonzero(measured.sights.sought).tolist()
    ids, splits = [ids[place] for place in seen], [splits[place] for place in seen]
    if not ids:
        return leaks.table(ids, [], [])
    stored = [measured.sights.of(place) for place in seen]
    pairs = leaks.candidates(
        splits,
        descriptors[seen],
        (one.sight() for one in stored),
        looked_at=params.leak_candidates,
        per_image=params.leak_registered,
        small=params.leak_small,
        each=partial(mapped, what="shortlist"),
    )
    sides = [(stored[first], stored[second]) for first, second, _ in pairs]
    return leaks.table(ids, pairs, mapped(_register, sides, "register"))


def _register(pair: tuple[Stored, Stored]) -> Registration:
    first, second = pair
    return register(first.sight(), second.sight())
