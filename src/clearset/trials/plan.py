"""Which of a dataset's images get which faults at which levels, to choose its own bounds by."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from clearset.measure.typical import FEWEST, typical
from clearset.plant.faults import FAULTS
from clearset.plant.shapes import SHAPES, SUITE

SHARES = 3  # of its levels an image gets each fault at a third


@dataclass(frozen=True)
class Trial:
    """One fault at one level, planted into one image: `step` counts its levels, mildest first."""

    fault: str
    step: int

    @property
    def level(self) -> Any:
        """The level, in the fault's unit."""
        return FAULTS[self.fault].ladder[self.step - 1]


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


def trials(place: int) -> list[Trial]:
    """Return what is planted into the `place`-th image of a sample: of each fault a third."""
    faults = [name for name in (*SUITE, *SHAPES) if FAULTS[name].ladder]
    return [
        Trial(name, step)
        for number, name in enumerate(faults)
        for step in range(1, len(FAULTS[name].ladder) + 1)
        if (step + place + number) % SHARES == 0
    ]


def generator(seed: int, image_id: str, trial: Trial) -> np.random.Generator:
    """Return the generator of one trial, which no other's depends on."""
    name = f"{image_id}-{trial.fault}-{trial.step}"
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def words(trial: Trial) -> str:
    """Return a trial's level in words: `sigma in px: 0.8`."""
    return f"{FAULTS[trial.fault].unit}: {trial.level:g}"


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
