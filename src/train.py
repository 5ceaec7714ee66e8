"""Train segmentation models on raw and on repaired images, and test them on eyes held out."""

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clearset.config import params, provenance
from clearset.config.schema_train import Train
from clearset.config.stage import run
from clearset.images import masks, views
from clearset.images.levels import declared
from clearset.numeric.grey import luminance
from clearset.store import layout, tables
from clearset.store.parallel import mapped
from clearset.train import segmentation, training
from clearset.train.segmentation import Example


def main(dataset: str) -> str:
    """Write the score of every model on every view of every held-out image, and the ceiling."""
    section = params.load(dataset)
    settings, classes = section.train, section.classes
    if settings is None:
        return f"train: {dataset} has no section `train`, so nothing is trained"
    training.check(settings, classes)
    fetched, target = (layout.stage_folder(stage, dataset) for stage in ("fetch", "train"))
    table = tables.read("images", fetched)
    table["mask"] = table["mask"].where(table["mask_error"] == "", "")
    masks = read_masks(table, fetched / "masks", classes)
    examples = read(table, masks, fetched / "images", settings)
    jobs = training.fits(settings)
    learn = partial(timed, examples=examples, settings=settings, labels=len(classes) + 1)
    models = mapped(learn, jobs, "train", few=2)
    fitted = [(job, model) for job, (model, _) in zip(jobs, models, strict=True)]
    test = partial(training.tested, fitted=fitted, settings=settings, classes=list(classes))
    rows = [row for rows in mapped(test, examples, "test", few=2) for row in rows]
    with layout.replacing(target) as incomplete:
        incomplete.mkdir()
        tables.write("training_scores", pd.DataFrame(rows), incomplete)
        tables.write(
            "training_ceiling", segmentation.ceiling(table, masks, list(classes)), incomplete
        )
        provenance.record("train", dataset, incomplete)
    return message(jobs, [seconds for _, seconds in models], target)


def read_masks(
    table: pd.DataFrame, folder: Path, classes: dict[str, int]
) -> dict[str, segmentation.Labels]:
    """Return the labels of every readable image that has a mask, by image_id."""
    masked = table[(table["error"] == "") & (table["mask"] != "")]
    return {
        row.image_id: segmentation.labels(masks.decode(folder / row.mask), classes)
        for row in masked.itertuples()
    }


def read(
    table: pd.DataFrame, masks: dict[str, segmentation.Labels], folder: Path, settings: Train
) -> list[Example]:
    """Return what is learnt from and tested on: one image of each that share their pixels."""
    eyes = segmentation.eyes(table, settings.same_eye)
    folds = segmentation.folds(list(eyes), settings.folds, settings.seed)
    rows = {row.image_id: row for row in table.itertuples()}
    examples = []
    for image_id in segmentation.unique(table):
        row = rows[image_id]
        image = luminance(
            views.view(folder / row.path, declared(row, folder.parent / "carried")).unit()
        )
        eye = eyes[image_id]
        examples.append(Example(image_id, eye, folds[eye], image, masks[image_id]))
    training.shapes(examples, settings.models)
    return examples


def timed(job: training.Fit, **options: Any) -> tuple[Any, float]:
    """Return one trained model and the seconds that it took."""
    start = time.perf_counter()
    return training.fit(job, **options), time.perf_counter() - start


def message(jobs: Sequence[training.Fit], seconds: Sequence[float], target: Path) -> str:
    """Return what was trained and what it cost: in no table, since no two runs cost the same."""
    lines = [f"train: {len(jobs)} models, scores in {target}"]
    for model in dict.fromkeys(job.model for job in jobs):
        own = [taken for job, taken in zip(jobs, seconds, strict=True) if job.model is model]
        lines.append(f"  {model.value}: {len(own)} trainings, {np.mean(own):.1f} s each")
    return "\n".join(lines)


if __name__ == "__main__":
    run(main)
