"""Detectors against known truth: what each finds, what it mistakes, and which bound it should have.

A rule that says which kind of fault it `finds` is a detector. It is judged on examples: images, or
for near duplicates and leaks pairs of images. Bounds are chosen on the eyes of one part and scored
on the others.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.config.schema import Rule
from clearset.decide.rules import outside
from clearset.measure.vessels import auroc
from clearset.plant.edits import EDITS
from clearset.plant.planting import CLEAN, PARTS, known_kinds
from clearset.store.errors import ClearsetError
from clearset.store.stages import Survey

RELATED = {"near_duplicate", "duplicate", "label_conflict", "leak"}  # kinds that take two images
PAIRED = {"near_duplicate", "leak"}  # judged as pairs of images
COLUMNS = ["value", "positive", "part", "fault", "severity"]
UNDER = ["rule", "metric", "finds", "bounds", "part"]
SCORES = ["precision", "recall", "f1", "auroc"]
FOREIGN = "foreign"


def detectors(rules: Mapping[str, Rule]) -> dict[str, Rule]:
    """Return the rules that say what they find; an unknown kind is an error."""
    result = {name: rule for name, rule in rules.items() if rule.finds}
    for name, rule in result.items():
        if rule.finds not in known_kinds():
            raise ClearsetError(
                f"filter.{name} finds '{rule.finds}', which is no kind of fault. "
                f"Known: {', '.join(sorted(known_kinds()))}"
            )
    return result


def examples(rule: Rule, values: pd.DataFrame, survey: Survey) -> pd.DataFrame:
    """Return what a detector is judged on: columns value, positive, part, fault, severity.

    `values` are the rules' measures. Images of another subject than the dataset's are judged by the
    rule for these alone; where two images make a fault, the other images of the eye are neither
    right nor wrong.
    """
    truth = survey.truth.set_index("image_id")
    if rule.finds == "near_duplicate":
        return _pairs(truth, survey.neighbours)
    if rule.finds == "leak":
        return _leaks(truth, survey.registrations)
    kinds = truth["kinds"].str.split().map(set)
    positive = kinds.map(lambda names: rule.finds in names).astype(bool)
    judged = (truth["fault"] != FOREIGN) | (rule.finds == FOREIGN)
    if rule.finds in RELATED:
        judged &= positive | ~truth["eye"].isin(truth.loc[positive, "eye"])
    table = truth.assign(value=values[rule.metric].reindex(truth.index), positive=positive)
    return table.loc[judged, COLUMNS].reset_index(drop=True)


def _pairs(truth: pd.DataFrame, neighbours: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of clean images and their light edits, by similarity; true ones are one image's.

    A true pair that is not among the recorded neighbours has no similarity. Different images of one
    eye are neither: they are leaks or not, but no duplicates.
    """
    alike = truth[truth["fault"].isin([CLEAN, *EDITS, "exact_copy"])]
    near = neighbours[neighbours["image_id"].isin(alike.index)]
    near = near[near["neighbour_id"].isin(alike.index)]
    ends = np.sort(near[["image_id", "neighbour_id"]].to_numpy(str), axis=1)
    pairs = pd.DataFrame(
        {"first": ends[:, 0], "second": ends[:, 1], "value": near["similarity"].to_numpy()}
    )
    pairs = pairs.groupby(["first", "second"], as_index=False)["value"].max()
    ids = alike.reset_index()[["image_id", "source"]]
    true = ids.merge(ids, on="source").query("image_id_x < image_id_y")
    true = true.rename(columns={"image_id_x": "first", "image_id_y": "second"})
    table = pairs.merge(true[["first", "second"]], how="outer", indicator="source")
    first, second = (alike.loc[table[side]].reset_index() for side in ("first", "second"))
    table["positive"] = (first["source"] == second["source"]).to_numpy()
    faults = pd.DataFrame({"one": first["fault"], "two": second["fault"]})
    clean = (faults == CLEAN).any(axis=1)
    other = faults["one"].where(faults["one"] != CLEAN, faults["two"])
    table["fault"] = other.where(clean & table["positive"], "").to_numpy()
    table["part"] = _common(first["part"], second["part"])
    other_visit = (first["eye"] == second["eye"]).to_numpy() & ~table["positive"]
    return table.loc[~other_visit].assign(severity=0)[COLUMNS]


def _leaks(truth: pd.DataFrame, registrations: pd.DataFrame) -> pd.DataFrame:
    """Return planted leaks by the inliers of their best true pair, and the pairs of other eyes."""
    first, second = (
        truth.loc[registrations[side]].reset_index() for side in ("image_id", "other_id")
    )
    same_eye = (first["eye"] == second["eye"]).to_numpy()
    strange = ((first["fault"] == FOREIGN) | (second["fault"] == FOREIGN)).to_numpy()
    other = ~same_eye & ~strange
    inliers = registrations["inliers"].to_numpy(float)
    ends = pd.concat([first["image_id"][same_eye], second["image_id"][same_eye]])
    best = (
        pd.Series(np.concatenate([inliers[same_eye]] * 2), ends, dtype=float).groupby(level=0).max()
    )
    planted = truth[truth["kinds"].str.split().map(lambda kinds: "leak" in kinds).astype(bool)]
    positives = planted.assign(value=best.reindex(planted.index).fillna(0.0), positive=True)
    negatives = pd.DataFrame(
        {"value": inliers[other], "positive": False, "fault": "", "severity": 0}
    )
    negatives["part"] = _common(first["part"][other], second["part"][other])
    return pd.concat([positives[COLUMNS], negatives[COLUMNS]], ignore_index=True)


def _common(one: pd.Series, two: pd.Series) -> npt.NDArray[np.object_]:
    """Return the part that both belong to, or none."""
    return np.where(one.to_numpy() == two.to_numpy(), one.to_numpy(), "")


def scores(cases: pd.DataFrame, rule: Rule) -> dict[str, float]:
    """Return a rule's precision, recall, F1 and AUROC on examples; NaN where it has none to judge.

    Precision is NaN when nothing is flagged; F1 is 0 then.
    """
    flagged, positive = outside(cases["value"], rule), cases["positive"].to_numpy(bool)
    right, wrong = int((flagged & positive).sum()), int((flagged & ~positive).sum())
    total = int(positive.sum())
    violation = _violation(cases["value"], rule)
    measured = ~np.isnan(violation)
    return {
        "precision": right / (right + wrong) if right + wrong else float("nan"),
        "recall": right / total if total else float("nan"),
        "f1": 2 * right / (right + wrong + total) if total else float("nan"),
        "auroc": auroc(violation[measured & positive], violation[measured & ~positive]),
    }


def _violation(values: pd.Series, rule: Rule) -> npt.NDArray[np.float64]:
    """Return how far each value lies outside the rule's bounds; below 0 inside."""
    low = -np.inf if rule.min is None else rule.min - values.to_numpy(float)
    high = -np.inf if rule.max is None else values.to_numpy(float) - rule.max
    return np.asarray(np.maximum(low, high), np.float64)


def detection(
    values: pd.DataFrame, survey: Survey, bounds: Mapping[str, Mapping[str, Rule]]
) -> pd.DataFrame:
    """Return the table `detection`: each detector under each set of bounds.

    `bounds` has the sets `default` and `calibrated`; the first is scored on all eyes too.
    """
    rows = []
    for name, rules in bounds.items():
        for rule, entry in detectors(rules).items():
            cases = examples(entry, values, survey)
            for part in ("all", PARTS[1]) if name == "default" else (PARTS[1],):
                of_part = cases if part == "all" else cases[cases["part"] == part]
                total = int(of_part["positive"].sum())
                row = (rule, entry.metric, entry.finds, name, part, entry.min, entry.max)
                rows.append((*row, total, len(of_part) - total, *scores(of_part, entry).values()))
    columns = [*UNDER, "min", "max", "positives", "negatives", *SCORES]
    return pd.DataFrame(rows, columns=columns).astype({"min": float, "max": float})


def severities(
    values: pd.DataFrame, survey: Survey, bounds: Mapping[str, Mapping[str, Rule]]
) -> pd.DataFrame:
    """Return the table `severities`: each fault at each severity (0: all) against clean images.

    Of pairs only recall and AUROC are given: how many there are of other eyes is arbitrary.
    """
    rows = []
    for name, part in (("default", "all"), ("calibrated", PARTS[1])):
        for rule, entry in detectors(bounds.get(name, {})).items():
            for fault, severity, cases in _by_fault(examples(entry, values, survey), part):
                figures = scores(cases, entry)
                if entry.finds in PAIRED:
                    figures |= {"precision": float("nan"), "f1": float("nan")}
                total = int(cases["positive"].sum())
                rows.append((fault, severity, rule, name, part, total, *figures.values()))
    return pd.DataFrame(
        rows, columns=["fault", "severity", "rule", "bounds", "part", "images", *SCORES]
    )


def _by_fault(cases: pd.DataFrame, part: str) -> Iterator[tuple[str, int, pd.DataFrame]]:
    of_part = cases if part == "all" else cases[cases["part"] == part]
    negatives = of_part[~of_part["positive"] & of_part["fault"].isin([CLEAN, ""])]
    positives = of_part[of_part["positive"] & (of_part["fault"] != "")]
    for fault, group in positives.groupby("fault"):
        levels = sorted({0, *group["severity"]})
        for level in levels:
            members = group if level == 0 else group[group["severity"] == level]
            yield str(fault), int(level), pd.concat([members, negatives])


def crosstalk(values: pd.DataFrame, truth: pd.DataFrame, rules: Mapping[str, Rule]) -> pd.DataFrame:
    """Return the table `crosstalk`: the share of each fault's images that each rule flags."""
    faults = truth.set_index("image_id")["fault"].reindex(values.index)
    parts = []
    for name, rule in sorted(rules.items()):
        flagged = pd.Series(outside(values[rule.metric], rule), values.index)
        grouped = flagged.groupby(faults).agg(["mean", "size"]).reset_index()
        grouped.columns = ["fault", "flagged", "images"]
        parts.append(grouped.assign(rule=name, finds=rule.finds))
    return pd.concat(parts, ignore_index=True)[["rule", "finds", "fault", "images", "flagged"]]


def headline(detection: pd.DataFrame, rules: Collection[str]) -> dict[str, float]:
    """Return the one number by which experiments are compared: F1, the mean of some `rules`.

    Of the given bounds on all eyes; nothing where none of them is a detector.
    """
    own = detection[(detection["part"] == "all") & detection["rule"].isin(list(rules))]
    return {"f1": float(own["f1"].mean())} if len(own) else {}


def summary(severities: pd.DataFrame, detection: pd.DataFrame, rules: Collection[str]) -> list[str]:
    """Return the lines of a table for people: each fault, what finds it, and how well.

    `rules` are those to show for each fault; the others are only summed up.
    """
    lines = [f"  {'fault':18}{'found by':18}{'images':>6}{'precision':>11}{'recall':>8}{'F1':>6}"]
    own = severities[(severities["severity"] == 0) & (severities["part"] == "all")]
    own = own[own["rule"].isin(rules)]
    for row in own.itertuples():
        lines.append(f"  {row.fault:18}{row.rule:18}{row.images:6}" + _numbers(row))
    lines.append("  a detector among all images, clean and with any other fault:")
    for row in detection[detection["part"] == "all"].itertuples():
        lines.append(f"  {row.finds:18}{row.rule:18}{row.positives:6}" + _numbers(row))
    return lines


def _numbers(row: Any) -> str:
    texts = ["     -" if np.isnan(v) else f"{v:6.2f}" for v in (row.precision, row.recall, row.f1)]
    return f"{texts[0]:>11}{texts[1]:>8}{texts[2]:>6}"
