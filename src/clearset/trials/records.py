"""Outcomes of trials, kept by what they hang on: so only an image that is new to a sample is tried.

That is its bytes, how it is read, its name and the seed (which faults are drawn by), what is
planted, and the code of the rooms that plant and measure.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.engines import measurements, native
from clearset.engines.look import Job as Look
from clearset.engines.look import six_digits
from clearset.plant.edits import EDITS
from clearset.similar import kinds
from clearset.store import code
from clearset.store.shards import KEY, Records, Shards
from clearset.trials.copies import Job, Outcome
from clearset.trials.plan import Trial

ROOMS = (*measurements.ROOMS, "plant", "trials")


def settled(
    jobs: Sequence[Job], names: Sequence[str], folder: Path, carry_out: Callable[..., Iterator[Any]]
) -> list[Outcome]:
    """Return the outcome of each job: those that a folder has not are carried out, and kept.

    `carry_out` yields (place among the jobs that it is given, outcome). The folder then has just
    these outcomes.
    """
    shelf, keys = Shards(folder, row_type(), detail_type(names)), [_key(job) for job in jobs]
    known = shelf.keys()
    fresh = [place for place, key in enumerate(keys) if key not in known]
    lost: set[int] = set()
    with shelf.journal() as add:
        for number, one in carry_out([jobs[place] for place in fresh]):
            if one.edits:
                add(_records(keys[fresh[number]], one, shelf))
            else:
                lost.add(fresh[number])
    shelf.settle([key for place, key in enumerate(keys) if place not in lost], known)
    kept = {key: one for records in shelf.each() for key, one in _outcomes(records)}
    return [kept.get(key, Outcome([], {})) for key in keys]


def row_type() -> np.dtype[Any]:
    """Return the type of a row: what an image looks like after each edit."""
    length = native.length() - kinds.SIZE
    return np.dtype([(name, "<i4", (length,)) for name in EDITS])


def detail_type(names: Sequence[str]) -> np.dtype[Any]:
    """Return the type of a detail: a fault, its level, and what is measured then."""
    numbers = [(name, "<f8") for name in names]
    return np.dtype([("fault", "S40"), ("step", "<i4"), ("numbers", numbers)])


def _key(job: Job) -> bytes:
    own = measurements.identity(Look(job.file, job.reading, sha256=job.sha256))
    what = [(trial.fault, trial.step) for trial in job.trials]
    text = repr((code.digest(ROOMS), own, job.image_id, job.seed, what))
    return hashlib.sha256(text.encode()).hexdigest().encode()


def _records(key: bytes, outcome: Outcome, shelf: Shards) -> Records:
    row, details = np.zeros(1, shelf.row), np.zeros(len(outcome.faults), shelf.detail)
    for name in EDITS:
        row[name][0] = outcome.edits[name]
    for detail, (trial, numbers) in zip(details, outcome.faults, strict=True):
        detail["fault"], detail["step"] = trial.fault.encode(), trial.step
        values = six_digits(numbers)
        for name in details["numbers"].dtype.names or ():
            detail["numbers"][name] = values.get(name, np.nan)
    return Records(np.array([key], KEY), row, np.array([len(details)]), details)


def _outcomes(records: Records) -> Iterator[tuple[bytes, Outcome]]:
    for place, key in enumerate(records.keys.tolist()):
        one = records.chosen(np.array([place]))
        faults = [
            (Trial(detail["fault"].decode(), int(detail["step"])), _numbers(detail["numbers"]))
            for detail in one.details
        ]
        yield key, Outcome(faults, {name: one.rows[name][0] for name in EDITS})


def _numbers(detail: npt.NDArray[Any]) -> dict[str, float]:
    return {name: float(detail[name]) for name in detail.dtype.names or ()}
