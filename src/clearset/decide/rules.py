"""Metrics and bounds to flags, flags to decisions: every rule works the same way."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.config.schema import SURPLUS, Action, Rule
from clearset.decide.measures import BRIGHTNESS, measures
from clearset.similar.duplicates import Surplus, surplus
from clearset.store.errors import ClearsetError
from clearset.store.stages import Survey

ORDER = [action.value for action in Action]  # weakest first
BETWEEN = {"unreadable", "unmeasured", "byte_copies", "pixel_copies", "label_dice"}
BETWEEN |= {
    "leak_inliers",
    "nearest_similarity",
    "kind_similarity",
    "surplus_similarity",
    "surplus_copies",
    "edge_similarity",
    "published_outlier",
}


@dataclass(frozen=True)
class Judgement:
    """What the rules make of a dataset: its measures, the rules' bounds, the flags."""

    values: pd.DataFrame
    bounds: dict[str, Rule]
    flags: pd.DataFrame
    surplus: Surplus


def judge(rules: Mapping[str, Rule], survey: Survey) -> Judgement:
    """Measure and flag every image.

    An image that is dropped for another reason stands for no other: who is surplus is settled
    after the other rules.
    """
    tables = survey.images, survey.metrics, survey.links
    spare = surplus(*tables)
    values = measures(survey, spare)
    resolved = bounds(rules, values)
    flags = flag(values, resolved)
    if any(rule.metric in SURPLUS for rule in rules.values()):
        single = [name for name, rule in rules.items() if rule.metric not in SURPLUS]
        dropped = (flags["action"] == Action.drop.value) & flags["rule"].isin(single)
        spare = surplus(*tables, set(flags.loc[dropped, "image_id"]))
        values = measures(survey, spare)
        flags = flag(values, resolved)
    return Judgement(values, resolved, flags, spare)


def dropping(rules: Mapping[str, Rule], flags: pd.DataFrame) -> pd.DataFrame:
    """Return the flags by which an image is dropped as surplus, with their `metric`."""
    metric = flags["rule"].map({name: rule.metric for name, rule in rules.items()})
    drops = (flags["action"] == Action.drop.value) & metric.isin(SURPLUS)
    return flags.assign(metric=metric)[drops]


def bounds(rules: Mapping[str, Rule], values: pd.DataFrame) -> dict[str, Rule]:
    """Return the rules with each quantile replaced by the bound that it comes to.

    Raises `ClearsetError` for a metric that is not measured.
    """
    resolved = {}
    for name, rule in rules.items():
        if rule.metric not in values.columns:
            raise ClearsetError(
                f"filter.{name}: unknown metric '{rule.metric}'. Known: "
                f"{', '.join(sorted(values.columns))}. Mend the rule where it is set: in "
                "conf/dataset/, an override, or a folder's params.yaml"
            )
        low, high = rule.min, rule.max
        if rule.quantile is not None:
            column, is_low = values[rule.metric], rule.quantile < 0.5
            share = rule.quantile if is_low else 1 - rule.quantile
            bound = beyond(column if is_low else -column, share)
            low, high = (bound, None) if is_low else (None, -bound)
        resolved[name] = replace(rule, min=low, max=high, quantile=None)
    return resolved


def beyond(column: pd.Series, share: float) -> float:
    """Return a bound below which at least a share of a column's values lies, ties included.

    Half-way to the next larger value, to six digits where these tell the two apart; that value
    itself where no number lies between.
    """
    numbers = np.sort(column.dropna().to_numpy())
    if not len(numbers):
        return 0.0
    last = numbers[max(math.ceil(share * len(numbers) - 1e-9), 1) - 1]
    larger = numbers[numbers > last]
    if not len(larger):  # all are alike, and so is each the worst
        return float(last + max(abs(last), 1) * 1e-5)
    middle = float((last + larger[0]) / 2)
    ways = float(f"{middle:.6g}"), middle, float(larger[0])
    return next(bound for bound in ways if last < bound <= larger[0])


def flag(values: pd.DataFrame, rules: Mapping[str, Rule]) -> pd.DataFrame:
    """Return the table `flags`: each image outside a rule's bounds.

    `rules` have numbers for bounds (see `bounds`).
    """
    parts = []
    for name, rule in sorted(rules.items()):
        column = values[rule.metric]
        flagged = column[outside(column, rule)]
        part = pd.DataFrame({"image_id": flagged.index, "value": flagged.to_numpy()})
        parts.append(part.assign(rule=name, min=rule.min, max=rule.max, action=rule.action.value))
    flags = pd.concat(parts, ignore_index=True)
    return flags.astype({"min": float, "max": float})


def outside(column: pd.Series, rule: Rule) -> npt.NDArray[np.bool_]:
    """Return which values a rule flags: below its min or above its max; never an empty one."""
    low = float("-inf") if rule.min is None else rule.min
    high = float("inf") if rule.max is None else rule.max
    return np.asarray((column < low) | (column > high), bool)


def warnings(values: pd.DataFrame, rules: Mapping[str, Rule], flags: pd.DataFrame) -> pd.DataFrame:
    """Return the table `warnings`: the rules that flag every image they measure, and why it may be.

    What compares images with each other is exempt: two copies may be all that there is.
    """
    counts = flags.groupby("rule")["image_id"].count()
    rows = []
    for name, rule in rules.items():
        column = values[rule.metric].dropna()
        if rule.metric not in BETWEEN and len(column) > 1 and counts.get(name, 0) == len(column):
            cause = ", or fetch.range not their values" if rule.metric in BRIGHTNESS else ""
            rows.append(
                (
                    name,
                    f"flags all {len(column)} images: {rule.metric} lies between "
                    f"{column.min():.6g} and {column.max():.6g}, allowed is {_span(rule)}. Its "
                    f"bound may not fit these images{cause}: look at them, and set it inside "
                    "that range if they are sound",
                )
            )
    return pd.DataFrame(rows, columns=["rule", "warning"], dtype="str")


def _span(rule: Rule) -> str:
    low = "" if rule.min is None else f"from {rule.min:.6g}"
    high = "" if rule.max is None else f"to {rule.max:.6g}"
    return f"{low} {high}".strip()


def summary(
    rules: Mapping[str, Rule], resolved: Mapping[str, Rule], flags: pd.DataFrame
) -> pd.DataFrame:
    """Return the table `rules`: each rule, the bounds it came to, and how many images it flags."""
    counts = flags.groupby("rule")["image_id"].count()
    rows = []
    for name, rule in resolved.items():
        limits = (rule.min, rule.max, rules[name].quantile)
        rows.append((name, rule.metric, *limits, rule.action.value, counts.get(name, 0)))
    columns = ["rule", "metric", "min", "max", "quantile", "action", "flagged"]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype(dict.fromkeys(["min", "max", "quantile"], float))


def asking(rules: Mapping[str, Rule]) -> set[str]:
    """Return the rules that ask for something: all but those that only count."""
    return {name for name, rule in rules.items() if rule.action is not Action.keep}


def decide(images: pd.DataFrame, flags: pd.DataFrame) -> pd.DataFrame:
    """Return every image's fate (table `decisions`): the strongest action of its flags, or keep.

    `rules` names those that ask for something: one whose action is to keep only counts. What has an
    obstacle to a repair is for a person to review.
    """
    flags = flags[flags["action"] != Action.keep.value]
    kept = set(images.loc[images["obstacle"] != "", "image_id"])
    asked = flags["action"] == Action.enhance.value
    action = flags["action"].mask(asked & flags["image_id"].isin(kept), Action.review.value)
    strength = action.map(ORDER.index)
    strongest = strength.groupby(flags["image_id"]).max()
    names = flags.sort_values("rule").groupby("image_id")["rule"].agg(" ".join)
    table = images[["image_id", "split"]].copy()
    table["decision"] = [ORDER[int(strongest.get(i, 0))] for i in table["image_id"]]
    table["rules"] = [str(names.get(i, "")) for i in table["image_id"]]
    return table


def names(flags: pd.DataFrame, image_id: str) -> str:
    """Return the rules that flag an image, in name order, separated by spaces."""
    return " ".join(sorted(flags.loc[flags["image_id"] == image_id, "rule"]))


def counts(decisions: pd.DataFrame) -> dict[str, int]:
    """Return how many images there are, are flagged, wait for review, and are dropped."""
    fates = decisions["decision"].value_counts()
    numbers = {"images": len(decisions), "flagged": int((decisions["rules"] != "").sum())}
    return numbers | {"review": int(fates.get("review", 0)), "dropped": int(fates.get("drop", 0))}
