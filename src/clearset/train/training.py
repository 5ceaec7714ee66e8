"""Training as evidence: models trained on raw or repaired images, tested on both and on faults.

An arm is one way to train: a model, the images that it learns from, with or without augmentation.
Each arm is trained in each fold from several seeds, and tested on the eyes held out: as they are,
with each repair, and with each planted fault before and after its repair.
"""

import importlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.config.schema_train import LEAST, OWN, RAW, Model, Train
from clearset.numeric.exact import whole
from clearset.plant.edits import random_for
from clearset.plant.faults import FAULTS, degrade
from clearset.plant.planting import CLEAN
from clearset.repair.steps import check_steps, enhance
from clearset.store.errors import ClearsetError, listed
from clearset.train import classifier
from clearset.train.segmentation import Example, Labels, scores

Image = npt.NDArray[np.float64]
Row = dict[str, Any]
LEVELS = 255  # of the 8-bit files that repaired and planted images are kept in


@dataclass(frozen=True)
class Fit:
    """One training: an arm, the fold that it does not see, and which repetition it is."""

    model: Model
    trained_on: str  # raw, or the name of a repair
    augment: bool
    fold: int
    repeat: int


@dataclass(frozen=True)
class View:
    """One way to show an image to a model: a planted fault or `none`, then a repair or `raw`."""

    fault: str
    repair: str
    image: Image


def check(settings: Train, classes: Mapping[str, int]) -> None:
    """Raise `ClearsetError`, by name, for what could not be trained or tested."""
    if not classes:
        raise ClearsetError("train needs classes: name each class's mask value under `classes`")
    for place in ("repairs", "repairs_of_faults"):
        for name, steps in getattr(settings, place).items():
            check_steps(steps, f"train.{place}.{name}")
    if unknown := sorted(set(settings.repairs_of_faults) - set(FAULTS)):
        names = ", ".join(FAULTS)
        raise ClearsetError(f"train.repairs_of_faults: unknown faults {unknown}. Known: {names}")
    if Model.unet in settings.models:
        try:
            importlib.import_module("torch")
        except ImportError:
            raise ClearsetError(
                "train.models names unet, which needs torch, an extra that is not installed. "
                "`make train` installs it; or train without it: set train.models=[classifier]"
            ) from None


def fits(settings: Train) -> list[Fit]:
    """Return every training, the longest kind first, so that no core waits for long at the end."""
    return [
        Fit(model, trained_on, augment, fold, repeat)
        for model in sorted(settings.models, key=lambda model: model is not Model.unet)
        for trained_on in getattr(settings, model.value).trained_on
        for augment in (False, True)
        for fold in range(settings.folds)
        for repeat in range(settings.repeats)
    ]


def fit(one: Fit, examples: Sequence[Example], settings: Train, labels: int) -> Any:
    """Return the model of one training, `labels` counting the background."""
    learnt = [example for example in examples if example.fold != one.fold]
    steps = [] if one.trained_on == RAW else settings.repairs[one.trained_on]
    images = [
        round_trip(enhance(example.image, steps)[0]) if steps else example.image
        for example in learnt
    ]
    options: dict[str, Any] = {
        "settings": getattr(settings, one.model.value),
        "augment": settings.augment if one.augment else None,
        "seed": zlib.crc32(f"{settings.seed} {one.fold} {one.repeat}".encode()) % 2**31,
    }
    truths = [example.labels for example in learnt]
    if one.model is Model.classifier:
        return classifier.fit(images, truths, **options)
    from clearset.train import unet  # noqa: PLC0415 - torch may be missing

    return unet.fit(images, truths, **options, count=labels)


def views(example: Example, settings: Train) -> Iterator[View]:
    """Yield an image as it is, with each repair, and with each fault before and after its own."""
    yield View(CLEAN, RAW, example.image)
    for name, steps in settings.repairs.items():
        yield View(CLEAN, name, round_trip(enhance(example.image, steps)[0]))
    for fault, steps in settings.repairs_of_faults.items():
        rng = random_for(settings.seed, f"{example.image_id} {fault}")
        planted = round_trip(degrade(example.image, fault, settings.severity, rng))
        yield View(fault, RAW, planted)
        if steps:
            yield View(fault, OWN, round_trip(enhance(planted, steps)[0]))


def round_trip(image: Image) -> Image:
    """Return an image as a file of 8 bits gives it back."""
    return np.asarray(whole(image * LEVELS, np.uint8) / LEVELS)


def tested(
    example: Example, fitted: Sequence[tuple[Fit, Any]], settings: Train, classes: Sequence[str]
) -> list[Row]:
    """Return the rows of table `training_scores` of one held-out image."""
    rows = []
    for view in views(example, settings):
        condition = {"fault": view.fault, "repair": view.repair}
        for one, prediction, truth in answers(example, view.image, fitted):
            arm: Row = {"model": one.model.value, "trained_on": one.trained_on}
            arm |= {"augment": int(one.augment)}
            run = {"fold": one.fold, "repeat": one.repeat}
            ids = {"image_id": example.image_id, "eye": example.eye}
            rows += [
                arm | condition | run | ids | row for row in scores(truth, prediction, classes)
            ]
    return rows


def answers(
    example: Example, image: Image, fitted: Sequence[tuple[Fit, Any]]
) -> Iterator[tuple[Fit, Labels, Labels]]:
    """Yield what each model that has not seen the eye makes of an image, and the truth."""
    features = None
    for one, model in fitted:
        if one.fold != example.fold:
            continue
        if one.model is Model.classifier:
            features = classifier.features(image) if features is None else features
            thinned = example.labels[:: model.stride, :: model.stride]
            yield one, classifier.predict(model, features), thinned
        else:
            from clearset.train import unet  # noqa: PLC0415 - torch may be missing

            yield one, unet.predict(model, image), example.labels


def shapes(examples: Sequence[Example], models: Sequence[Model]) -> None:
    """Raise `ClearsetError` naming images whose mask is of another size, or too small to learn."""
    if wrong := [e.image_id for e in examples if e.image.shape != e.labels.shape]:
        raise ClearsetError(f"masks of another size than their image: {listed(wrong)}")
    small = [e.image_id for e in examples if min(e.image.shape) < LEAST]
    if small and Model.unet in models:
        raise ClearsetError(
            f"images below {LEAST} px a side, too small for the U-Net: {listed(small)}. "
            "Set train.models=[classifier]"
        )
