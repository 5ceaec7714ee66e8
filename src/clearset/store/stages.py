"""What the folder of each stage holds: a frozen dataclass a stage, each field a table of its name.

`columns` declares the tables. A function takes the stage's tables that it needs, or single tables.
"""

from dataclasses import dataclass, fields

import pandas as pd


@dataclass(frozen=True)
class Catalogue:
    """Of the stage fetch: every image and file of the source, what is known of it, remarks."""

    images: pd.DataFrame
    files: pd.DataFrame
    truth: pd.DataFrame
    notes: pd.DataFrame


@dataclass(frozen=True)
class Analysis:
    """Of the stage analyze: every image measured, and set beside every other."""

    metrics: pd.DataFrame
    masks: pd.DataFrame
    neighbours: pd.DataFrame
    links: pd.DataFrame
    outliers: pd.DataFrame
    components: pd.DataFrame
    pairs: pd.DataFrame
    registrations: pd.DataFrame
    unmeasured: pd.DataFrame
    trials: pd.DataFrame
    kin: pd.DataFrame


@dataclass(frozen=True)
class Selection:
    """Of the stage filter: what the rules flag, what becomes of every image, and better bounds."""

    flags: pd.DataFrame
    decisions: pd.DataFrame
    conflicts: pd.DataFrame
    curation: pd.DataFrame
    calibration: pd.DataFrame
    curves: pd.DataFrame
    warnings: pd.DataFrame
    own_bounds: pd.DataFrame
    recalls: pd.DataFrame


@dataclass(frozen=True)
class Cleaning:
    """Of the stage enhance: the images of the cleaned dataset, and which of them are repaired."""

    images: pd.DataFrame
    repairs: pd.DataFrame


@dataclass(frozen=True)
class Comparison:
    """Of the stage compare: what the repairs did, whether they may enter, how far to trust flags.

    `detection`, `severities` and `crosstalk` have no row where the truth is not known.
    """

    outcomes: pd.DataFrame
    comparison: pd.DataFrame
    changes: pd.DataFrame
    verdicts: pd.DataFrame
    vessels: pd.DataFrame
    gains: pd.DataFrame
    agreement: pd.DataFrame
    leaks: pd.DataFrame
    published: pd.DataFrame
    detection: pd.DataFrame
    severities: pd.DataFrame
    crosstalk: pd.DataFrame


@dataclass(frozen=True)
class Training:
    """Of the stage train: how right each model is, and how right annotations are by each other."""

    training_scores: pd.DataFrame
    training_ceiling: pd.DataFrame


@dataclass(frozen=True)
class Lessons:
    """Of the stage judge: what repairs change for trained models, and what labels allow."""

    training_ceiling: pd.DataFrame
    training_means: pd.DataFrame
    training_changes: pd.DataFrame


@dataclass(frozen=True)
class Survey:
    """What rules are judged by: the images, what is known of them, and all that is measured."""

    images: pd.DataFrame
    truth: pd.DataFrame
    metrics: pd.DataFrame
    masks: pd.DataFrame
    neighbours: pd.DataFrame
    links: pd.DataFrame
    outliers: pd.DataFrame
    registrations: pd.DataFrame
    unmeasured: pd.DataFrame
    conflicts: pd.DataFrame


def survey(catalogue: Catalogue, analysis: Analysis, conflicts: pd.DataFrame) -> Survey:
    """Return what rules are judged by."""
    every = vars(catalogue) | vars(analysis) | {"conflicts": conflicts}
    return Survey(**{field.name: every[field.name] for field in fields(Survey)})
