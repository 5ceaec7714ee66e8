"""Which bound a detector should have: chosen on labelled examples, scored on others."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.config.schema import Rule
from clearset.config.schema_calibrate import Calibrate
from clearset.decide.rules import outside
from clearset.plant.planting import PARTS
from clearset.store.stages import Survey
from clearset.truth.evaluation import detectors, examples, scores

POINTS = 200  # points of a curve that are kept, at least


def curve(cases: pd.DataFrame, side: str) -> pd.DataFrame:
    """Return precision, recall and F1 at every bound that tells two examples apart.

    `cases` has the columns value and positive; `side` says whether the bound is a `min` (what lies
    below is flagged) or a `max`. Bounds lie halfway between neighbouring values.
    """
    measured = cases.dropna(subset="value")
    grouped = measured.groupby("value")["positive"].agg(["sum", "size"])
    grouped = grouped if side == "min" else grouped.iloc[::-1]
    right, flagged = grouped["sum"].cumsum().to_numpy(), grouped["size"].cumsum().to_numpy()
    values, total = grouped.index.to_numpy(float), int(cases["positive"].sum())
    bounds = between(values)
    precision, recall = right[:-1] / flagged[:-1], right[:-1] / max(total, 1)
    return pd.DataFrame(
        {
            "bound": bounds,
            "precision": precision,
            "recall": recall,
            "f1": 2 * right[:-1] / np.maximum(flagged[:-1] + total, 1),
        }
    )


def between(ordered: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the bounds that tell each of different values from the one before it.

    Halfway, in six digits, as tables hold it; where two values lie closer than that, the second
    itself. `ordered` grows for a `min` and falls for a `max`.
    """
    ends = ordered[:-1], ordered[1:]
    middle = np.array([float(f"{bound:.6g}") for bound in (ends[0] + ends[1]) / 2])
    apart = (np.minimum(*ends) < middle) & (middle < np.maximum(*ends))
    return np.where(apart, middle, ends[1])


def best_bound(points: pd.DataFrame, aim: Calibrate) -> float:
    """Return the bound with the best F1, or the most recall at the wanted precision.

    Where no bound is as precise as wanted, the most precise. Of equals the middle one.
    """
    score = points["f1"]
    if aim.precision is not None:
        enough = points["precision"] >= aim.precision
        score = points["recall"].where(enough, -1.0) if enough.any() else points["precision"]
    best = np.flatnonzero(score == score.max())
    return float(points["bound"].iloc[best[len(best) // 2]])


def calibrate(
    rules: Mapping[str, Rule], values: pd.DataFrame, survey: Survey, aim: Calibrate
) -> tuple[dict[str, Rule], pd.DataFrame, pd.DataFrame]:
    """Return the detectors with chosen bounds, and the tables `calibration` and `curves`.

    Bounds are chosen on the part `calibrate`; what they do is scored on the part `held_out`, beside
    the given bound. A detector with a lower and an upper bound, or without both positives and
    negatives to choose by, keeps what it has.
    """
    result, rows, curves = {}, [], []
    for name, rule in ({} if survey.truth.empty else detectors(rules)).items():
        cases = examples(rule, values, survey)
        fitted, held_out = (cases[cases["part"] == part] for part in PARTS)
        side = "min" if rule.min is not None else "max"
        points = curve(fitted, side)
        two_sided = rule.min is not None and rule.max is not None
        if two_sided or fitted["positive"].nunique() < 2 or points.empty:
            continue
        result[name] = _bounded(rule, side, best_bound(points, aim))
        rows.append(_row(name, (rule, result[name]), (fitted, held_out)))
        thinned = points.iloc[:: max(len(points) // POINTS, 1)]
        curves.append(thinned.assign(rule=name, metric=rule.metric))
    lines = ["rule", "metric", "bound", "precision", "recall", "f1"]
    table = pd.concat(curves)[lines] if curves else pd.DataFrame(columns=lines)
    return result, pd.DataFrame(rows, columns=ROW), table


ROW = ["rule", "metric", "finds", "side", "given", "bound", "fitted_f1"]
ROW += ["precision", "recall", "f1", "given_f1", "flagged"]


def _row(
    name: str, rules: tuple[Rule, Rule], cases: tuple[pd.DataFrame, pd.DataFrame]
) -> tuple[Any, ...]:
    """Return one row of the table `calibration`: a given rule and its successor, on both parts."""
    (default, rule), (fitted, held_out) = rules, cases
    side = "min" if rule.min is not None else "max"
    own = scores(held_out, rule)
    return (
        *(name, rule.metric, rule.finds, side, getattr(default, side), getattr(rule, side)),
        *(scores(fitted, rule)["f1"], own["precision"], own["recall"], own["f1"]),
        *(scores(held_out, default)["f1"], int(outside(held_out["value"], rule).sum())),
    )


def _bounded(rule: Rule, side: str, bound: float) -> Rule:
    return replace(rule, min=bound) if side == "min" else replace(rule, max=bound)


def adopted(rules: Mapping[str, Rule], table: pd.DataFrame) -> dict[str, Rule]:
    """Return the detectors of the table `calibration` with the bounds that were chosen."""
    return {row.rule: _bounded(rules[row.rule], row.side, row.bound) for row in table.itertuples()}


def to_adopt(rules: Mapping[str, Rule]) -> str:
    """Return the chosen bounds as the lines of a dataset's `filter:` in conf/dataset/."""
    lines = ["filter:"]
    for name, rule in rules.items():
        side, bound = ("min", rule.min) if rule.min is not None else ("max", rule.max)
        values = f"metric: {rule.metric}, {side}: {bound:.6g}, action: {rule.action.value}"
        lines.append(f"  {name}: {{{values}, finds: {rule.finds}}}")
    return "\n".join(lines) + "\n"
