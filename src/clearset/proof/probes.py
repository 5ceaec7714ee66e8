"""What a repair did to one image: each file decoded once, everything measured that asks for pixels.

Against the original (PSNR, SSIM, the evidence of `evidence.py`), against the mask if there is one
(`vessels.scores`), and against the clean image where a fault was planted.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clearset.config.schema import Dataset
from clearset.images import codec, levels, masks, views
from clearset.images.levels import Image, Mask, Pixels, Reading, declared
from clearset.measure.vessels import judged, scores
from clearset.numeric.seen import chosen
from clearset.plant.planting import CLEAN
from clearset.proof.comparison import psnr, ssim
from clearset.proof.evidence import Original, Repair, gathered
from clearset.proof.verdicts import APPLIED
from clearset.repair import files
from clearset.repair.steps import steps_for
from clearset.store.parallel import mapped
from clearset.store.stages import Catalogue

Steps = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Job:
    """One image: its files, what was done to it, and what else is to be tried."""

    image_id: str
    reading: Reading
    before: Path
    after: Path | None  # none: not repaired
    mask: Path | None
    clean: Path | None  # what it was before a fault was planted
    steps: Steps  # of the repair
    trials: Mapping[str, Steps]
    evidence: Sequence[str]  # names of what is to be gathered


def examined(
    section: Dataset, catalogue: Catalogue, repairs: pd.DataFrame, folders: Mapping[str, Path]
) -> pd.DataFrame:
    """Return a row for each repaired image, and for each image with a mask and each trial on it.

    Nothing where nothing was repaired and nothing is to be tried.
    """
    repairs, truth = (table.set_index("image_id") for table in (repairs, catalogue.truth))
    if repairs.empty and not section.compare.trials:
        return pd.DataFrame(columns=["image_id", "repair", "repaired"])
    clean = truth[truth["fault"] == CLEAN].reset_index().set_index("source")["image_id"]
    table = catalogue.images.set_index("image_id").join(repairs[["rules"]])
    table["repaired"] = table.index.isin(repairs.index)
    table["clean"] = truth["source"].map(clean).map(table["path"])
    table["usable"] = (table["mask"] != "") & (table["mask_error"] == "")
    telling = (table["error"] == "") & (table["repaired"] | table["usable"])
    jobs = [_job(section, folders, row) for row in table[telling].itertuples()]
    return pd.DataFrame([row for rows in mapped(examine, jobs, "probe") for row in rows])


def _job(section: Dataset, folders: Mapping[str, Path], row: Any) -> Job:
    fetched = folders["fetch"]
    return Job(
        image_id=row.Index,
        reading=declared(row, fetched / "carried"),
        before=fetched / "images" / row.path,
        after=folders["enhance"] / "images" / row.path if row.repaired else None,
        mask=fetched / "masks" / row.mask if row.usable else None,
        clean=fetched / "images" / row.clean if isinstance(row.clean, str) else None,
        steps=steps_for(row.rules.split(), section.enhance) if row.repaired else [],
        trials=section.compare.trials if row.usable else {},
        evidence=sorted({bound.metric for bound in section.accept.values()}),
    )


def examine(job: Job) -> list[dict[str, Any]]:
    """Return a row for each trial on an image, and for what was applied to it."""
    pixels = codec.decode(job.before)
    seen = views.seen(job.before, pixels, job.reading)
    view = views.of(pixels, seen, job.reading)
    stored = partial(_stored, pixels.dtype, job.reading, view.seen)
    original = Original(view.unit(), stored, view.seen)
    repaired = files.beside(pixels, seen, job.reading)
    mask = None if job.mask is None else view.mask(masks.decode(job.mask))
    clean = None if job.clean is None else _read(job.clean, job.reading)
    before = _scored(original, mask, clean)
    rows = []
    for name, repair in _repairs(job, original, repaired):
        row = {"image_id": job.image_id, "repair": name, "repaired": int(repair is not None)}
        after = before
        if repair is not None:
            row |= _likeness(original, repair) | gathered(original, repair, job.evidence)
            after = _scored(repair, mask, clean)
        row |= {f"{key}_before": value for key, value in before.items()}
        rows.append(row | {f"{key}_after": value for key, value in after.items()})
    return rows


def _repairs(
    job: Job, original: Original, repaired: Callable[[Image, Steps], Image]
) -> Iterator[tuple[str, Repair | None]]:
    def redo(steps: Steps) -> Callable[[Image], Image]:
        return lambda image: original.stored(repaired(image, steps))

    for name, steps in job.trials.items():
        again = redo(steps)
        yield name, Repair(again(original.image), again, original.seen)
    if job.after is None:
        yield APPLIED, None
    else:
        after = _read(job.after, job.reading)
        yield APPLIED, Repair(after, redo(job.steps), original.seen)


def _likeness(original: Original, repair: Repair) -> dict[str, float]:
    pair = original.image, repair.image, original.seen
    return {"psnr": psnr(*pair), "ssim": ssim(*pair)}


def _scored(
    version: Original | Repair, mask: Pixels | None, clean: Image | None
) -> dict[str, float]:
    """Return the scores of vesselness against the mask, and the likeness to the clean image."""
    inside = judged(version.seen)
    row: dict[str, float] = {}
    if mask is not None:
        vessel = chosen(mask, inside)
        row = scores(chosen(version.maps[0], inside), vessel)
        row["sato"] = scores(chosen(version.maps[1], inside), vessel)["ap"]
    if clean is not None:
        pair = clean, version.image, version.seen
        row |= {"psnr": psnr(*pair), "ssim": ssim(*pair)}
    return row


def _read(path: Path, reading: Reading) -> Image:
    return views.view(path, reading).unit()


def _stored(dtype: np.dtype[Any], reading: Reading, seen: Mask | None, image: Image) -> Image:
    """Return an image as a file of that type would hold it, and as it is looked at."""
    return levels.unit(levels.quantised(image, dtype, reading), reading, seen)
