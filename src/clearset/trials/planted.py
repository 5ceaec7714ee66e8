"""Trials carried out: on images of a sample, in processes apart, and put into tables."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from clearset.config.schema import Analyze
from clearset.engines import native
from clearset.images.levels import declared
from clearset.measure.typical import SCALES
from clearset.similar.cosines import Descriptors
from clearset.store import columns, layout
from clearset.store.isolation import streamed
from clearset.trials import drawn, kin, plan, records
from clearset.trials.copies import Job, lost, outcome


@dataclass(frozen=True)
class Trials:
    """What is measured of copies of some images: with faults, and with light edits."""

    trials: pd.DataFrame
    kin: pd.DataFrame


def tried(
    images: pd.DataFrame,
    metrics: pd.DataFrame,
    descriptors: Descriptors | None,
    folder: Path,
    settings: Analyze,
    *,
    kept: Path | None = None,
) -> Trials:
    """Return the tables `trials` and `kin` of as many images of a dataset as the settings ask for.

    `images` and `metrics` are tables of these names, `descriptors` the open engine's in the order
    of `metrics` (None: another engine's, for which there is no `kin`), `folder` that of the stage
    fetch. An image whose measuring is ended has no row. What is measured is kept in the folder
    `kept`.
    """
    ids = drawn.sample(images, metrics, settings.trials, settings.trial_seed)
    rows = images.set_index("image_id").loc[ids].reset_index().itertuples()
    jobs = [_job(row, folder, place, settings.trial_seed) for place, row in enumerate(rows)]
    names = list(SCALES)
    carry_out = partial(streamed, partial(outcome, names), what="calibrate", lost=lost)
    with layout.scratch(kept) as scratch:
        results = records.settled(jobs, names, kept or scratch, carry_out)
    done = list(zip(ids, results, strict=True))
    faults = [(i, trial, values) for i, one in done for trial, values in one.faults]
    edits = {i: one.edits for i, one in done if one.edits}
    pairs = columns.empty("kin")
    if descriptors is not None:
        every, _ = native.parted(descriptors)
        pairs = kin.planted_pairs(edits, metrics["image_id"].tolist(), every)
    return Trials(drawn.columns(faults) if faults else columns.empty("trials"), pairs)


def _job(row: Any, folder: Path, place: int, seed: int) -> Job:
    file, reading = folder / "images" / row.path, declared(row, folder / "carried")
    known = getattr(row, "sha256", "")
    trials = plan.trials(place, assumed=bool(row.assumed))
    return Job(row.image_id, file, reading, trials, seed, known)
