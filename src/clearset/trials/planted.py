"""Trials carried out: each image decoded once, planted at each level, and measured as any other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from clearset.images import levels, views
from clearset.images.levels import Reading, declared
from clearset.measure.metrics import measure
from clearset.measure.typical import SCALES
from clearset.plant.faults import at_level
from clearset.store import columns
from clearset.store.isolation import isolated
from clearset.trials import plan
from clearset.trials.plan import Trial

Numbers = list[tuple[Trial, dict[str, float]]]


@dataclass(frozen=True)
class Job:
    """One image of the sample, and what is planted into it."""

    image_id: str
    file: Path
    reading: Reading
    trials: Sequence[Trial]
    seed: int


def tried(
    images: pd.DataFrame, metrics: pd.DataFrame, folder: Path, count: int, seed: int
) -> pd.DataFrame:
    """Return the table `trials` of at most `count` images of a dataset, 0 for none.

    `images` and `metrics` are tables of these names, `folder` that of the stage fetch. An image
    whose measuring is ended has no row.
    """
    ids = plan.sample(images, metrics, count, seed)
    rows = images.set_index("image_id").loc[ids].reset_index()
    jobs = [_job(row, folder, place, seed) for place, row in enumerate(rows.itertuples())]
    results = isolated(partial(numbers, list(SCALES)), jobs, "calibrate", lost)
    records = [
        (job.image_id, trial, values)
        for job, result in zip(jobs, results, strict=True)
        for trial, values in result
    ]
    return plan.columns(records) if records else columns.empty("trials")


def _job(row: Any, folder: Path, place: int, seed: int) -> Job:
    file, reading = folder / "images" / row.path, declared(row, folder / "carried")
    return Job(row.image_id, file, reading, plan.trials(place), seed)


def lost(_: Job, reason: str) -> Numbers:
    """Return what is known of an image whose process was ended."""
    return []


def numbers(names: Sequence[str], job: Job) -> Numbers:
    """Return the named metrics of an image after each of its trials, as a file would hold it."""
    view = views.view(job.file, job.reading)
    image, dtype = view.unit(), view.pixels.dtype
    result = []
    for trial in job.trials:
        rng = plan.generator(job.seed, job.image_id, trial)
        planted = at_level(image, trial.fault, trial.level, rng)
        pixels = levels.quantised(planted, dtype, job.reading)
        grey = replace(levels.grey(pixels, job.reading), seen=view.seen)
        result.append((trial, measure(grey, names)))
    return result
