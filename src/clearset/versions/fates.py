"""Two versions of a cleaned dataset: which images changed fate, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from clearset.config.schema import Action, Rule
from clearset.share.manifest import REPAIRED

ABSENT = "absent"
COLUMNS = ["image_id", "split", "before", "after", "why"]
COLUMNS += ["reason_before", "reason_after", "steps_before", "steps_after"]


@dataclass(frozen=True)
class Version:
    """What decides the fates in one version: the tables `manifest` and `flags`, and the rules."""

    manifest: pd.DataFrame
    flags: pd.DataFrame
    rules: Mapping[str, Rule]


def changed(one: Version, two: Version) -> pd.DataFrame:
    """Return the table `fates`: each image whose fate is another in `two` than in `one`.

    That is another decision, a repair that gave other bytes, a source file of other bytes, or an
    image that is in one version only.
    """
    sides = [version.manifest.set_index("image_id") for version in (one, two)]
    rows = []
    for image_id in sorted(set(sides[0].index) | set(sides[1].index)):
        before, after = (side.loc[image_id] if image_id in side.index else None for side in sides)
        if not _same(before, after):
            why = "; ".join(_flags(image_id, one, two)) or _otherwise(before, after)
            rows.append((image_id, _of(before, after, "split"), *_columns(before, after, why)))
    return pd.DataFrame(rows, columns=COLUMNS).astype("str")


def _columns(before: Any, after: Any, why: str) -> tuple[str, ...]:
    fates = [ABSENT if row is None else row.decision for row in (before, after)]
    beside = [
        "" if row is None else row[column]
        for column in ("reason", "steps")
        for row in (before, after)
    ]
    return (*fates, why, *beside)


def _same(before: Any, after: Any) -> bool:
    if before is None or after is None or before.decision != after.decision:
        return False
    same_bytes = before.output_sha256 == after.output_sha256
    same_image = before.output_identity and before.output_identity == after.output_identity
    same_result = before.decision != REPAIRED or same_bytes or same_image
    return bool(same_result and before.source_sha256 == after.source_sha256)


def _of(before: Any, after: Any, column: str) -> str:
    return str((before if after is None else after)[column])


def _otherwise(before: Any, after: Any) -> str:
    """Return why a fate changed when no flag did."""
    if before is None or after is None:
        return "new in the source" if before is None else "no longer in the source"
    if before.source_sha256 != after.source_sha256:
        return "the source's file has other bytes"
    if before.steps != after.steps and before.decision == after.decision:
        return f"repaired otherwise: {before.steps} -> {after.steps}"
    return f"{before.reason} -> {after.reason}"


def _flags(image_id: str, one: Version, two: Version) -> list[str]:
    """Return the flags that an image gained or lost, each with its value and both bounds."""
    values = []
    for version in (one, two):
        own = version.flags[version.flags["image_id"] == image_id]
        own = own[own["action"] != Action.keep.value]
        values.append(dict(zip(own["rule"], own["value"], strict=True)))
    lines = []
    for rule in sorted(set(values[0]) ^ set(values[1])):
        gained = rule in values[1]
        value = (values[1] if gained else values[0])[rule]
        metric = (two if gained else one).rules[rule].metric
        bounds = [_bounds(version.rules.get(rule)) for version in (one, two)]
        change = bounds[0] if bounds[0] == bounds[1] else " -> ".join(bounds)
        word = "now" if gained else "no longer"
        lines.append(f"{word} flagged by {rule}: {metric} {value:.6g}, {change}")
    return lines


def _bounds(rule: Rule | None) -> str:
    if rule is None:
        return "no such rule"
    sides = (("min", rule.min), ("max", rule.max), ("quantile", rule.quantile))
    return " ".join(f"{name} {bound:.6g}" for name, bound in sides if bound is not None)


def summary(table: pd.DataFrame, limit: int) -> list[str]:
    """Return lines for people: each change, and how many more there are beyond `limit`."""
    lines = [
        f"  {row.image_id}: {row.before} -> {row.after} ({row.why})"
        for row in table.head(limit).itertuples()
    ]
    more = [f"  and {len(table) - limit} more"] if len(table) > limit else []
    return lines + more
