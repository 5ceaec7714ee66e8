"""Scores of trained models to means and paired differences; the eye is the unit.

Repetitions of a training are averaged first: they tell how far its seed moves a result, and are
no further evidence on eyes.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from clearset.config.schema_train import RAW
from clearset.plant.planting import CLEAN
from clearset.proof.comparison import interval
from clearset.train.segmentation import MEAN, VESSEL

SURE, POWER = 1.96, 2.8  # standard errors: for 5 %; for 5 % with 80 % power
# Each question: what the change is of, and against what.
QUESTIONS = {
    "pairing": "an arm given raw or repaired images, against the arm trained on raw images without "
    "augmentation and given raw images",
    "repair": "a model given the repaired image, against the same model given it unrepaired",
    "augmentation": "the arm with augmentation, against the same arm without, given the same image",
    "beyond_augmentation": "an arm without augmentation given the repaired image, against the same "
    "arm with augmentation given it unrepaired: what repair gives beyond augmentation",
}


class Case(NamedTuple):
    """An arm, a view, and the class that is scored."""

    model: str
    trained_on: str
    augment: int
    fault: str
    repair: str
    label: str


COLUMNS = [*Case._fields[:-1], "class"]


def wide(scores: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return a score of each case (rows) of each eye and repetition (columns).

    The mean of the classes is a class of its own; images of one eye are averaged.
    """
    keys = [*COLUMNS, "eye", "repeat"]
    single = scores[scores["class"] != VESSEL]
    others = [key for key in (*keys, "image_id") if key != "class"]
    means = single.groupby(others)[value].mean().reset_index().assign(**{"class": MEAN})
    every = pd.concat([scores, means], ignore_index=True)
    return every.groupby(keys)[value].mean().unstack(["eye", "repeat"]).sort_index(axis=1)


def by_eye(row: pd.Series) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return one value an eye."""
    return row.groupby(level="eye").mean().to_numpy(float)


def seed_sd(row: pd.Series) -> float:
    """Return how far the mean over eyes moves with the seed: its standard deviation over them.

    NaN where each training was done once.
    """
    return float(row.groupby(level="repeat").mean().std(ddof=1))


def means(scores: pd.DataFrame, *, resamples: int, seed: int) -> pd.DataFrame:
    """Return table `training_means`, with bootstrap intervals over eyes."""
    dice, jaccard = (wide(scores, value) for value in ("dice", "jaccard"))
    rows = []
    for case, row in dice.iterrows():
        each = by_eye(row)
        low, high = interval(each, resamples=resamples, seed=seed)
        other = float(by_eye(jaccard.loc[case]).mean())
        rows.append((*case, len(each), each.mean(), low, high, other, seed_sd(row)))
    names = [*COLUMNS, "eyes", "dice", "low", "high", "jaccard", "seed_sd"]
    return pd.DataFrame(rows, columns=names)


def changes(scores: pd.DataFrame, *, resamples: int, seed: int) -> pd.DataFrame:
    """Return table `training_changes`: each question's paired differences of Dice.

    Paired by eye; intervals are a bootstrap over eyes, empty for fewer than five.
    """
    dice = wide(scores, "dice")
    rows = []
    for question, after, before in pairs([Case(*case) for case in dice.index]):
        first, second = dice.loc[tuple(before)], dice.loc[tuple(after)]
        each = by_eye(second - first)
        low, high = interval(each, resamples=resamples, seed=seed)
        error = float(each.std(ddof=1) / np.sqrt(len(each))) if len(each) > 1 else float("nan")
        levels = by_eye(first).mean(), by_eye(second).mean(), each.mean()
        spread = low, high, error, seed_sd(second - first), before[:3] == after[:3]
        rows.append((question, *after, len(each), *levels, *spread))
    names = ["question", *COLUMNS, "eyes", "before", "after", "change", "low", "high", "error"]
    table = pd.DataFrame(rows, columns=[*names, "seed_sd", "one_training"])
    return with_seeds(table, scores["repeat"].nunique()).drop(columns="one_training")


def with_seeds(table: pd.DataFrame, repeats: int) -> pd.DataFrame:
    """Return changes with what their seeds leave of them: `detectable` and `told`.

    All eyes of a fold share a model, so the bootstrap over eyes does not see how a training's seed
    moves it. A few repetitions tell that badly for one change and well enough for all of a kind:
    their mean square is added to the square of the standard error over eyes.
    """
    kind = [table[name] for name in ("question", "model", "class", "one_training")]
    square = (table["seed_sd"] ** 2).groupby(kind).transform("mean").fillna(0.0) / repeats
    error = np.sqrt(table["error"] ** 2 + square)
    sure = (table["change"].abs() > SURE * error) & (table["low"] * table["high"] > 0)
    signs = np.sign(table["change"]).where(sure, 0).astype(int)
    return table.assign(detectable=POWER * error, told=signs)


def pairs(cases: list[Case]) -> Iterator[tuple[str, Case, Case]]:
    """Yield each question's cases: the one that is asked about, and the one it is held against."""
    every = set(cases)
    for case in cases:
        base = case._replace(trained_on=RAW, augment=0, repair=RAW)
        rival = case._replace(augment=1, repair=RAW)
        if case.fault == CLEAN and case != base:
            yield "pairing", case, base
        if case.repair != RAW:
            yield "repair", case, case._replace(repair=RAW)
        elif case.augment:
            yield "augmentation", case, case._replace(augment=0)
        if case.repair != RAW and not case.augment and rival in every:
            yield "beyond_augmentation", case, rival


def counted(changes: pd.DataFrame) -> str:
    """Return how many of the changes are told to be above or below 0, and how many neither."""
    up, down = (int((changes["told"] == sign).sum()) for sign in (1, -1))
    return f"{up} above 0, {down} below, {len(changes) - up - down} not told from 0"


def raw_first(table: pd.DataFrame) -> pd.DataFrame:
    """Return rows by arm and repair, raw images before repaired ones."""
    keys = ["model", "trained_on", "augment", "repair"]
    return table.sort_values(keys, key=lambda column: column.map(lambda cell: (cell != RAW, cell)))
