"""Copies of one image, decoded once: planted and edited, and measured as any other.

Many processes run this. It imports no more than it needs, since each of them imports it anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.images import levels, views
from clearset.images.levels import Reading
from clearset.measure.metrics import measure
from clearset.numeric.exact import settled, whole
from clearset.numeric.grey import Grey
from clearset.plant.edits import EDITS, Edit, edited, moved, random_for
from clearset.plant.faults import FAULTS, at_level
from clearset.similar import likeness
from clearset.trials import plan
from clearset.trials.plan import Trial

BANDS = "burnt"  # the kind of fault that only an image of several bands can have
SIDE = 256  # px: the shorter side of a reduced image, at least
Numbers = list[tuple[Trial, dict[str, float]]]
Edits = Mapping[str, npt.NDArray[np.int32]]  # the descriptor of an image after each edit


@dataclass(frozen=True)
class Outcome:
    """What is measured of copies of one image."""

    faults: Numbers
    edits: Edits


@dataclass(frozen=True)
class Job:
    """One image of the sample, and what is planted into it."""

    image_id: str
    file: Path
    reading: Reading
    trials: Sequence[Trial]
    seed: int
    sha256: str = ""  # of the file, where it is known


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
    return Outcome(result, described(view.grey(), job.image_id, job.seed))


def described(grey: Grey, image_id: str, seed: int) -> dict[str, npt.NDArray[np.int32]]:
    """Return what an image looks like after each edit, by the edit's name.

    The image is reduced first, to no less than four pixels along each cell that is described.
    """
    grey = reduced(grey)
    return {
        name: likeness.descriptor(planted(grey, edit, random_for(seed, f"{image_id}-{name}")))
        for name, edit in EDITS.items()
    }


def reduced(grey: Grey) -> Grey:
    """Return an image by means of whole pixels, with at least 256 along its shorter side."""
    step = min(grey.shape) // SIDE
    if step < 2:
        return grey
    rows, columns = (side // step * step for side in grey.shape)

    def parts(plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return plane[:rows, :columns].reshape(rows // step, step, columns // step, step)

    sums = parts(grey.levels).sum(axis=(1, 3), dtype=np.int64)
    levels = ((sums + step**2 // 2) // step**2).astype(grey.levels.dtype)
    seen = None if grey.seen is None else np.asarray(parts(grey.seen).all(axis=(1, 3)))
    return Grey(levels, grey.white, seen)


def planted(grey: Grey, edit: Edit, rng: np.random.Generator) -> Grey:
    """Return an image after an edit, in levels as before; what was seen moves with it."""
    image = edited(grey.levels / grey.white, edit, rng)
    levels = whole(settled(image) * grey.white, grey.levels.dtype)
    seen = None if grey.seen is None else moved(grey.seen.astype(np.uint8), edit, order=0) > 0
    return Grey(levels, grey.white, seen)
