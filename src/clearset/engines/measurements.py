"""What images were measured to be, kept by what it hangs on: so only what is new is measured.

That is an image's bytes and those of its mask, how it is read, the code of the rooms that look at
it, and which numbers are asked for. In memory are a few numbers an image; what it looks like and
its keypoints lie in files, in the order of the images, for as long as they are compared.
"""

import hashlib
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import astuple, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.engines import native
from clearset.engines.look import Job, Look, Wishes, look, lost
from clearset.engines.sights import DETAIL, NOWHERE, Sights, details
from clearset.measure.metrics import METRICS
from clearset.similar.cosines import Descriptors
from clearset.store import checksums, code
from clearset.store.columns import TABLES
from clearset.store.errors import ClearsetError
from clearset.store.isolation import streamed
from clearset.store.shards import KEY, Records, Shards

ROOMS = (  # what looks at an image, and what is kept of it
    *("images", "measure", "numeric", "engines/look.py", "engines/native.py"),
    *("engines/measurements.py", "engines/sights.py"),
    *("similar/kinds.py", "similar/likeness.py", "similar/registration.py"),
)
SOMETIMES = ("stretched_mean", "nodata_share")  # numbers that only some images have
MASK = tuple(TABLES["masks"].columns)[1:]
Lost = Callable[[Job, str], Look]
TOGETHER, PAUSE = 64, 10.0  # records written at once, or after so many seconds


@dataclass(frozen=True)
class Measurements:
    """What a set's images were measured to be, in their order."""

    numbers: pd.DataFrame  # statistics and metrics; empty rows where one could not be measured
    masks: pd.DataFrame  # of each mask: `masks.measure_mask`; empty rows where there is none
    reasons: dict[int, str]  # why an image could not be measured, by its place
    vectors: Descriptors  # (images, length), in a file; zeros where one could not be measured
    sights: Sights
    fresh: int  # how many images were measured now


def measured(
    jobs: Sequence[Job], wishes: Wishes, folder: Path, scratch: Path, gone: Lost = lost
) -> Measurements:
    """Measure the images that `folder` has no measurements of, and keep just those of all.

    `scratch` is a folder for files as long as what is returned is used. Raises `ClearsetError`
    where no image can be measured.
    """
    shelf, keys = Shards(folder, row_type(wishes), DETAIL), keys_of(jobs, wishes)
    known = shelf.keys()
    fresh = {key: place for place, key in enumerate(keys) if key not in known}
    losses: dict[bytes, str] = {}
    with shelf.journal() as add:
        names, batch, since = list(fresh), dict[bytes, Look](), time.monotonic()
        work = [jobs[place] for place in fresh.values()]
        for number, one in streamed(partial(look, wishes), work, "measure", gone):
            if one.lost:
                losses[names[number]] = one.lost
                continue
            batch[names[number]] = one
            if len(batch) == TOGETHER or time.monotonic() - since > PAUSE:
                add(records(batch, shelf))
                batch, since = {}, time.monotonic()
        add(records(batch, shelf))
    shelf.settle(keys, known)
    reasons = {place: losses[key] for place, key in enumerate(keys) if key in losses}
    if len(reasons) == len(jobs):
        raise ClearsetError(f"no image could be measured: {reasons[0]}")
    new = sum(key in fresh and key not in losses for key in keys)
    return gathered(shelf, keys, reasons, scratch, new)


def vectors(
    jobs: Sequence[Job], wishes: Wishes, folder: Path, scratch: Path, never: Collection[int]
) -> Descriptors:
    """Return what images look like by the measurements in a folder, in a file that may be changed.

    An image at a place of `never`, which could not be measured, is like no other. Others that the
    folder has not, as of another environment, are looked at again.
    """
    shelf, keys = Shards(folder, row_type(wishes), DETAIL), keys_of(jobs, wishes)
    result = gathered(shelf, keys, {}, scratch, 0).vectors
    known = shelf.keys()
    absent = [n for n, key in enumerate(keys) if key not in known and n not in set(never)]
    again = partial(look, replace(wishes, keypoints=False))
    for number, one in streamed(again, [jobs[n] for n in absent], "measure", lost):
        if one.descriptor is not None:
            result[absent[number]] = one.descriptor
    return result


def keys_of(jobs: Sequence[Job], wishes: Wishes) -> list[bytes]:
    """Return, for each image, a digest of all that its measurements hang on."""
    common = repr((code.digest(ROOMS), tuple(wishes.metrics), *astuple(wishes)[1:]))
    return [
        hashlib.sha256(f"{common} {identity(job)}".encode()).hexdigest().encode() for job in jobs
    ]


def identity(job: Job) -> str:
    """Return what an image's own measurements hang on; where its files lie is no part of it."""
    reading = job.reading
    field = reading.seen.removeprefix("file ")
    files = [job.mask, reading.root / field if reading.root and field != reading.seen else None]
    sums = [checksums.sha256(file) if file else "" for file in files]
    fed = job.fed and job.fed.name
    how = [value for name, value in vars(reading).items() if name not in ("root", "seen")]
    return repr(
        (job.sha256 or checksums.sha256(job.file), sums, how, "" if sums[1] else field, fed)
    )


def row_type(wishes: Wishes) -> np.dtype[Any]:
    """Return the type of a row: numbers by name, which of them there are, vector, keypoints."""
    names = [*(native.STATISTICS if wishes.own else ()), *(wishes.metrics or METRICS)]
    numbers = [(name, "<f8") for name in dict.fromkeys([*names, *SOMETIMES, *MASK])]
    length = native.length() if wishes.own else 0
    there = ("there", "?", (len(numbers),))
    return np.dtype([("numbers", numbers), there, ("vector", "<i4", (length,)), *NOWHERE.descr])


def records(looks: dict[bytes, Look], shelf: Shards) -> Records:
    """Return looks at images as records, by key."""
    rows, names = np.zeros(len(looks), shelf.row), shelf.row["numbers"].names or ()
    every = [one.numbers | one.mask for one in looks.values()]
    for name, there in zip(names, rows["there"].T, strict=True):
        there[:] = [name in one for one in every]
        rows["numbers"][name] = [one.get(name, np.nan) for one in every]
    points = []
    for row, one in zip(rows, looks.values(), strict=True):
        if one.descriptor is not None:
            row["vector"] = one.descriptor
        points.append(details(one.sight, row))
    counts = np.array([len(own) for own in points], np.int64)
    whole = np.concatenate([np.empty(0, DETAIL), *points])
    return Records(np.array(list(looks), KEY), rows, counts, whole)


def gathered(
    shelf: Shards, keys: Sequence[bytes], reasons: dict[int, str], scratch: Path, fresh: int
) -> Measurements:
    """Return what a folder of records says of images, in their order, shard by shard."""
    places: dict[bytes, list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    names, count = shelf.row["numbers"].names or (), len(keys)
    values, there = np.full((count, len(names)), np.nan), np.zeros((count, len(names)), bool)
    file, length = scratch / "vectors.npy", shelf.row["vector"].shape[0]
    looks = np.lib.format.open_memmap(file, "w+", np.int32, (count, max(length, 1)))
    with Sights.written(scratch / "keypoints", count) as (sights, append):
        for shard in shelf.each():
            own = [places.get(key, []) for key in shard.keys.tolist()]
            at = np.array([place for several in own for place in several], np.intp)
            of = np.repeat(np.arange(len(own)), [len(several) for several in own])
            rows = shard.rows[of]
            values[at], there[at] = _numbers(rows), rows["there"]
            looks[at, :length] = rows["vector"]
            append(shard, at, of)
    looks.flush()
    del looks  # what of it is in memory goes
    tables = pd.DataFrame(values, columns=list(names)).loc[:, there.any(axis=0)]
    masks = [name for name in MASK if name in tables]
    return Measurements(
        numbers=tables.drop(columns=masks),
        masks=tables[masks],
        reasons=reasons,
        vectors=np.load(file, mmap_mode="c"),
        sights=sights,
        fresh=fresh,
    )


def _numbers(rows: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the numbers of records, (n, numbers)."""
    names = rows.dtype["numbers"].names or ()
    return np.ascontiguousarray(rows["numbers"]).view("<f8").reshape(len(rows), len(names))
