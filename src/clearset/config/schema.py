"""The typed shape of params.yaml: one `Dataset` a section.

Hydra composes conf/ against these classes, so a misspelt key or a wrong type stops there; the
checks in `__post_init__` run when a stage loads its params, before any work. Only light imports:
every dvc command with Hydra loads this file.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from clearset.config.schema_accept import Bounds, finite
from clearset.config.schema_calibrate import Calibrate, Side
from clearset.config.schema_fetch import Fetch, Source, require
from clearset.config.schema_train import Train

SURPLUS = ("surplus_similarity", "surplus_copies")  # metrics that spare the best of a group
GROUPS = ("pixel_copies", "byte_copies", "nearest_similarity")  # those that flag it with the others
EVERY = "all"  # the rule of a step that every image gets, flagged or not


class Engine(Enum):
    """What measures the images."""

    native = "native"
    fastdup = "fastdup"
    work_folder = "work_folder"  # nothing: the tables of a fastdup work folder are taken


class Action(Enum):
    """What a flag asks for, from weakest to strongest."""

    keep = "keep"
    review = "review"
    enhance = "enhance"
    drop = "drop"


@dataclass
class EngineChoice:
    """The group `analyze`: an engine and the similarities that mean something for it."""

    engine: Engine = Engine.native
    component_similarity: float = 0.9


@dataclass
class About:
    """What a reader of the report needs to know about the dataset."""

    title: str = ""
    description: str = ""  # what it shows, how it came about, what it is for
    creators: list[str] = field(default_factory=list)
    licence: str = ""
    licence_url: str = ""
    citation: str = ""
    published: str = ""  # the day from which it can be had in this form, 2026-11-24
    redistributable: bool = False  # may others get its pictures from us?
    known_issues: list[str] = field(default_factory=list)  # that no rule counts
    measured_on: str = ""  # the dataset with planted faults that tells how far to trust its flags


@dataclass
class Analyze:
    """How images are measured and compared with each other."""

    engine: Engine = Engine.native
    neighbours: int = 10  # most similar images recorded for each image
    graph_neighbours: int = 2  # of these, the edges of fastdup's graph (its default)
    outlier_share: float = 0.05  # of the graph's edges, the published outlier rule (its default)
    component_similarity: float = 0.65  # images at least this similar form a component
    exact_images: int = 50000  # up to which each is compared with each; more, by an index
    counted_similarities: list[float] = field(default_factory=lambda: [0.99, 0.98, 0.9])
    metrics: list[str] = field(default_factory=list)  # that are measured; empty: every one
    trials: int = 0  # images that faults are planted into, for bounds of the dataset's own
    trial_seed: int = 0  # of their choice, and of the faults
    leak_candidates: int = 200  # most similar images of other splits whose keypoints are compared
    leak_registered: int = 5  # of these, the ones that a registration is tried with
    leak_small: int = 1000  # pairs across splits up to which it is tried with all looked at

    def __post_init__(self) -> None:
        """Check the ranges."""
        whole = ("leak_candidates", "leak_registered", "leak_small", "trials", "trial_seed")
        for key in whole:
            require(getattr(self, key) >= 0, f"analyze.{key} is {getattr(self, key)}: at least 0")
        require(
            self.exact_images >= 1,
            f"analyze.exact_images is {self.exact_images}: at least 1",
        )
        require(
            1 <= self.graph_neighbours <= self.neighbours,
            f"analyze.graph_neighbours is {self.graph_neighbours}: from 1 to neighbours "
            f"({self.neighbours})",
        )
        require(
            0 < self.outlier_share < 1,
            f"analyze.outlier_share is {self.outlier_share}: between 0 and 1",
        )
        require(
            -1 <= self.component_similarity <= 1,
            f"analyze.component_similarity is {self.component_similarity}: from -1 to 1",
        )


@dataclass
class Rule:
    """Bounds on a metric and what happens to an image outside them.

    Flagged is what lies below `min` or above `max`. A `quantile` below 0.5 sets `min`, above it
    `max`, to that quantile of the dataset's own values. Where none of them is given, `own` says
    which side's bound is chosen by faults planted into the dataset's own images, `start` being the
    bound where that can not be done (see `own`).
    """

    metric: str = ""
    min: float | None = None
    max: float | None = None
    quantile: float | None = None
    action: Action = Action.review
    own: Side | None = None
    start: float | None = None
    finds: str = ""  # the kind of planted fault that it is measured by

    def __post_init__(self) -> None:
        """Check that the rule can flag some images and spare others."""
        require(bool(self.metric), "metric is empty; or is the name of the rule misspelt?")
        bounded = self.min is not None or self.max is not None
        given = bounded or self.quantile is not None
        require(
            not (bounded and self.quantile is not None) and (given or self.own is not None),
            "needs bounds (min, max or both), a quantile, or own: min or own: max; not both of the "
            "first two",
        )
        require(
            self.own is None or (self.start is not None and bool(self.finds)),
            "own needs start, the bound to begin with, and finds, the kind of fault to plant",
        )
        finite(self.start)
        if self.min is not None and self.max is not None:
            require(self.min <= self.max, f"min {self.min} is above max {self.max}")
        finite(self.min, self.max)
        if self.quantile is not None:
            require(0 < self.quantile < 1, f"quantile is {self.quantile}: between 0 and 1")
        if self.metric in GROUPS and self.max is not None:
            require(
                self.action is not Action.drop,
                f"action: drop on {self.metric} would drop every image of a group; bound "
                f"{' or '.join(SURPLUS)}, which spare the best one",
            )


class Update(Enum):
    """Which repaired images enter the released dataset in their original's stead."""

    never = "never"
    accepted = "accepted"
    all = "all"


@dataclass
class Release:
    """What the released dataset holds."""

    update: Update = Update.accepted


@dataclass
class Compare:
    """How before and after are set against each other."""

    resamples: int = 10_000  # of the bootstrap
    seed: int = 0  # of the bootstrap
    gallery: int = 12  # most images in one gallery
    pairs: int = 100  # most pictures of a repaired image beside its original
    # named chains of steps tried on every image with a mask, to be measured and not to be kept
    trials: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the ranges."""
        require(self.resamples >= 100, f"compare.resamples is {self.resamples}: at least 100")
        require(self.resamples <= 10**7, f"compare.resamples is {self.resamples}: at most 10**7")
        for key in ("pairs", "seed"):
            require(getattr(self, key) >= 0, f"compare.{key} is {getattr(self, key)}: at least 0")
        require(self.gallery >= 1, f"compare.gallery is {self.gallery}: at least 1")


@dataclass
class Dataset:
    """One section of params.yaml: everything that decides what a dataset's stages do.

    `enhance` is an ordered list of steps `{rule, method, ...options}`: an image gets, in this
    order, the steps of the rules that flagged it, and those whose rule is `all`. `accept` bounds
    the evidence of a repair: outside any of these the original is kept.
    """

    about: About = field(default_factory=About)
    classes: dict[str, int] = field(default_factory=dict)  # mask value of each class
    fetch: Fetch = field(default_factory=Fetch)
    analyze: Analyze = field(default_factory=Analyze)
    filter: dict[str, Rule] = field(default_factory=dict)
    calibrate: Calibrate = field(default_factory=Calibrate)
    enhance: list[dict[str, Any]] = field(default_factory=list)
    accept: dict[str, Bounds] = field(default_factory=dict)
    compare: Compare = field(default_factory=Compare)
    release: Release = field(default_factory=Release)
    train: Train | None = None  # models by which repairs are judged; empty: none is trained

    def __post_init__(self) -> None:
        """Check that rules and steps fit together."""
        require(bool(self.filter), "filter has no rule")
        require(EVERY not in self.filter, f"filter.{EVERY}: a rule can not be called {EVERY}")
        for step in self.enhance:
            require({"rule", "method"} <= set(step), f"enhance: step {step} needs rule and method")
            require(
                step["rule"] in {*self.filter, EVERY},
                f"enhance: step {step} is for the unknown rule '{step['rule']}'; "
                f"known: {', '.join(sorted(self.filter))}, and {EVERY} for every image",
            )
        from_work_folder = self.fetch.source is Source.work_folder
        require(
            from_work_folder == (self.analyze.engine is Engine.work_folder),
            "fetch.source and analyze.engine: work_folder goes with work_folder",
        )
        repaired = {step["rule"] for step in self.enhance}
        for name, rule in self.filter.items():
            require(
                not from_work_folder or rule.action is not Action.enhance,
                f"filter.{name} asks to enhance, but a fastdup work folder holds no image: say "
                "review or drop, or run on the images themselves",
            )
            require(
                rule.action is not Action.enhance or bool({name, EVERY} & repaired),
                f"filter.{name} asks to enhance, but enhance has no step with rule: {name}",
            )
