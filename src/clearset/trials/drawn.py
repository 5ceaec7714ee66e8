"""Which of a dataset's images its own bounds are chosen by, and what is said of their trials."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from clearset.measure.typical import FEWEST, typical
from clearset.plant.faults import FAULTS
from clearset.trials.plan import Trial, words


def sample(images: pd.DataFrame, metrics: pd.DataFrame, count: int, seed: int) -> list[str]:
    """Return the image_ids of at most `count` images that look as most of the dataset do.

    Drawn by a seed among those that can be read and have a range that somebody declared: `images`
    and `metrics` are tables of these names. Sorted. None of a dataset of too few such images.
    """
    if not count:
        return []
    fit = images[(images["error"] == "") & (images["assumed"] == 0)]["image_id"]
    values = metrics.set_index("image_id").reindex(sorted(fit))
    likely = typical(values)
    ids = sorted(likely.index[likely])
    if len(ids) < FEWEST:
        return []
    drawn = np.random.default_rng(seed).permutation(len(ids))[:count]
    return sorted(ids[place] for place in drawn)


def columns(rows: Sequence[tuple[str, Trial, dict[str, float]]]) -> pd.DataFrame:
    """Return the table `trials` of an image_id, what was planted into it, and its metrics."""
    records = [
        {
            "image_id": image_id,
            "fault": trial.fault,
            "step": trial.step,
            "kinds": " ".join(FAULTS[trial.fault].kinds),
            "parameters": words(trial),
            **numbers,
        }
        for image_id, trial, numbers in rows
    ]
    return pd.DataFrame(records)
