"""Trials carried out: each image decoded once, planted at each level, and measured as any other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from clearset.config.schema import Analyze
from clearset.engines import native
from clearset.images import levels, views
from clearset.images.levels import Reading, declared
from clearset.measure.metrics import measure
from clearset.measure.typical import SCALES
from clearset.plant.faults import FAULTS, at_level
from clearset.similar.neighbours import Descriptors
from clearset.store import columns
from clearset.store.isolation import isolated
from clearset.trials import kin, plan
from clearset.trials.plan import Trial

BANDS = "burnt"  # the kind of fault that only an image of several bands can have
Numbers = list[tuple[Trial, dict[str, float]]]


@dataclass(frozen=True)
class Trials:
    """What is measured of copies of some images: with faults, and with light edits."""

    trials: pd.DataFrame
    kin: pd.DataFrame


@dataclass(frozen=True)
class Outcome:
    """What is measured of copies of one image."""

    faults: Numbers
    edits: kin.Edits


@dataclass(frozen=True)
class Job:
    """One image of the sample, and what is planted into it."""

    image_id: str
    file: Path
    reading: Reading
    trials: Sequence[Trial]
    seed: int


def tried(
    images: pd.DataFrame,
    metrics: pd.DataFrame,
    descriptors: Descriptors | None,
    folder: Path,
    settings: Analyze,
) -> Trials:
    """Return the tables `trials` and `kin` of as many images of a dataset as the settings ask for.

    `images` and `metrics` are tables of these names, `descriptors` the open engine's in the order
    of `metrics` (None: another engine's, for which there is no `kin`), `folder` that of the stage
    fetch. An image whose measuring is ended has no row.
    """
    ids = plan.sample(images, metrics, settings.trials, settings.trial_seed)
    rows = images.set_index("image_id").loc[ids].reset_index().itertuples()
    jobs = [_job(row, folder, place, settings.trial_seed) for place, row in enumerate(rows)]
    results = isolated(partial(outcome, list(SCALES)), jobs, "calibrate", lost)
    done = list(zip(ids, results, strict=True))
    faults = [(i, trial, values) for i, one in done for trial, values in one.faults]
    edits = {i: one.edits for i, one in done if one.edits}
    pairs = columns.empty("kin")
    if descriptors is not None:
        every, _ = native.parted(descriptors)
        pairs = kin.planted_pairs(edits, metrics["image_id"].tolist(), every)
    return Trials(plan.columns(faults) if faults else columns.empty("trials"), pairs)


def _job(row: Any, folder: Path, place: int, seed: int) -> Job:
    file, reading = folder / "images" / row.path, declared(row, folder / "carried")
    return Job(row.image_id, file, reading, plan.trials(place), seed)


def lost(_: Job, reason: str) -> Outcome:
    """Return what is known of an image whose process was ended."""
    return Outcome([], {})


def outcome(names: Sequence[str], job: Job) -> Outcome:
    """Return the named metrics of an image after each of its trials, as a file would hold it.

    And what it looks like after each light edit.
    """
    view = views.view(job.file, job.reading)
    image, dtype = view.unit(), view.pixels.dtype
    result = []
    for trial in job.trials:
        if image.ndim == 2 and BANDS in FAULTS[trial.fault].kinds:
            continue
        rng = plan.generator(job.seed, job.image_id, trial)
        planted = at_level(image, trial.fault, trial.level, rng)
        pixels = levels.quantised(planted, dtype, job.reading)
        grey = replace(levels.grey(pixels, job.reading), seen=view.seen)
        result.append((trial, measure(grey, names)))
    return Outcome(result, kin.described(view.grey(), job.image_id, job.seed))
