"""The part of the schema that says how models are trained to judge repairs by (`training`)."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from clearset.config.schema_fetch import require

Chain = list[dict[str, Any]]  # steps {method, ...options}, in their order
RAW = "raw"  # the images as they are; no repair may be called so
LEAST = 64  # px: the smallest side that a U-Net can learn from
OWN = "own"  # the repair chosen for a planted fault; likewise


class Model(Enum):
    """What is trained."""

    classifier = "classifier"
    unet = "unet"


@dataclass
class Augment:
    """How far training images are varied where augmentation is on; noise and labels never are."""

    blur: float = 2.0  # px: the largest sigma of a Gaussian, given to every second image
    exposure: float = 1.0  # EV, either way
    contrast: float = 0.5  # the lowest factor, towards mid grey
    gamma: float = 1.5  # the largest; the smallest is 1 / gamma

    def __post_init__(self) -> None:
        """Check the ranges."""
        for key in ("blur", "exposure"):
            value = getattr(self, key)
            require(value >= 0, f"train.augment.{key} is {value}: at least 0")
        fits = 0 < self.contrast <= 1
        require(fits, f"train.augment.contrast is {self.contrast}: above 0, at most 1")
        require(self.gamma >= 1, f"train.augment.gamma is {self.gamma}: at least 1")


@dataclass
class Classifier:
    """A boosted classifier of single pixels on multi-scale features."""

    trained_on: list[str] = field(default_factory=lambda: [RAW])  # raw, or names of `repairs`
    pixels: int = 4500  # that it learns from, of each class and image
    trees: int = 100  # rounds of boosting
    rate: float = 0.15  # of learning
    stride: int = 5  # every n-th row and column is judged

    def __post_init__(self) -> None:
        """Check the ranges."""
        for key in ("pixels", "trees", "stride"):
            value = getattr(self, key)
            require(value >= 1, f"train.classifier.{key} is {value}: at least 1")
        require(self.rate > 0, f"train.classifier.rate is {self.rate}: above 0")


@dataclass
class Unet:
    """A small U-Net."""

    trained_on: list[str] = field(default_factory=lambda: [RAW])  # raw, or names of `repairs`
    width: int = 16  # channels of its first level
    steps: int = 1000
    crop: int = 384  # px: side of the squares that it learns from
    batch: int = 2
    rate: float = 0.003  # of learning, at its highest

    def __post_init__(self) -> None:
        """Check the ranges."""
        for key, least in (("width", 1), ("steps", 1), ("crop", LEAST), ("batch", 1)):
            value = getattr(self, key)
            require(value >= least, f"train.unet.{key} is {value}: at least {least}")
        require(self.rate > 0, f"train.unet.rate is {self.rate}: above 0")


@dataclass
class Train:
    """Models trained on raw and on repaired images, and tested on eyes held out.

    `repairs` names chains of steps that are given to every image; `repairs_of_faults` names the
    faults that are planted into held-out images, each with the chain that is to undo it.
    """

    models: list[Model] = field(default_factory=lambda: [Model.classifier, Model.unet])
    folds: int = 3  # of eyes: each is held out once
    repeats: int = 2  # of each training, from another seed
    seed: int = 0
    same_eye: list[list[str]] = field(default_factory=list)  # image_ids known to show one eye
    repairs: dict[str, Chain] = field(default_factory=dict)
    repairs_of_faults: dict[str, Chain] = field(default_factory=dict)
    severity: int = 3  # of the planted faults, 1 to 5
    augment: Augment = field(default_factory=Augment)
    classifier: Classifier = field(default_factory=Classifier)
    unet: Unet = field(default_factory=Unet)

    def __post_init__(self) -> None:
        """Check the ranges, and that every repair is named that is trained on."""
        require(bool(self.models), "train.models is empty: name classifier, unet or both")
        for key, least in (("folds", 2), ("repeats", 1), ("seed", 0)):
            value = getattr(self, key)
            require(value >= least, f"train.{key} is {value}: at least {least}")
        require(1 <= self.severity <= 5, f"train.severity is {self.severity}: from 1 to 5")
        for name in (RAW, OWN):
            require(name not in self.repairs, f"train.repairs: '{name}' has a meaning of its own")
        names = [RAW, *sorted(self.repairs)]
        for model in Model:
            unknown = sorted(set(getattr(self, model.value).trained_on) - set(names))
            place = f"train.{model.value}.trained_on"
            require(not unknown, f"{place}: unknown repairs {unknown}. Known: {', '.join(names)}")
            require(
                RAW in getattr(self, model.value).trained_on,
                f"{place} needs '{RAW}', which everything is compared with",
            )
