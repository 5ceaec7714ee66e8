"""Which of a dataset's images its own bounds are chosen by, and what is said of their trials."""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.measure.typical import FEWEST, typical
from clearset.plant.faults import FAULTS
from clearset.trials.plan import Trial, words

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def sample(images: pd.DataFrame, metrics: pd.DataFrame, count: int, seed: int) -> list[str]:
    """Return the image_ids of at most `count` images that look as most of the dataset do.

    Drawn by a seed among those that can be read: `images` and `metrics` are tables of these names.
    Each has a number of its own, its place in what is returned, for which it was drawn by itself:
    an image more or less changes hardly another's. None of a dataset of too few such images.
    """
    if not count:
        return []
    fit = images.loc[images["error"] == "", "image_id"]
    values = metrics.set_index("image_id").reindex(sorted(fit))
    likely = typical(values)
    ids = sorted(likely.index[likely])
    if len(ids) < FEWEST:
        return []
    lots = np.array([_lot(f"{seed} {image_id}") for image_id in ids], np.uint64)
    drawn: list[int] = []
    for step in np.arange(min(count, len(ids)), dtype=np.uint64) * GOLDEN:
        order = np.argsort(_mixed(lots + step), kind="stable")
        drawn.append(next(int(place) for place in order if place not in drawn))
    return [ids[place] for place in drawn]


def _lot(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")


def _mixed(lots: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return 64 bits, each of which hangs on all before.

    SplitMix64: Steele, Lea and Flood, 2014, doi:10.1145/2660193.2660195.
    """
    lots = (lots ^ (lots >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    lots = (lots ^ (lots >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return lots ^ (lots >> np.uint64(31))


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
