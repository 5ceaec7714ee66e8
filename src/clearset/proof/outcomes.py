"""What became of each repair, and which rules called for it."""

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from clearset.config.schema import Dataset
from clearset.decide.rules import names


@dataclass(frozen=True)
class Repairs:
    """The repairs of a dataset, whether each may enter, and how like its original it is."""

    repairs: pd.DataFrame
    verdicts: pd.DataFrame
    likeness: pd.DataFrame


def outcomes(repairs: Repairs, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the table `outcomes`: each repair with the image's flags before and after."""
    table = repairs.repairs[["image_id", "steps", "clipped"]]
    table = table.assign(
        flags_before=[names(before, image_id) for image_id in table["image_id"]],
        flags_after=[names(after, image_id) for image_id in table["image_id"]],
    )
    return table.merge(repairs.likeness).merge(
        repairs.verdicts[["image_id", "accepted", "verdict", "refused_by"]]
    )


def answers(section: Dataset) -> dict[str, str]:
    """Return the rules that the repairs answer, each with its metric."""
    rules = {step["rule"] for step in section.enhance}
    return {name: rule.metric for name, rule in section.filter.items() if name in rules}


def callers(repairs: pd.DataFrame, rules: Collection[str]) -> dict[str, set[str]]:
    """Return, by image_id, which of the rules called for an image's repair."""
    return {row.image_id: set(rules) & set(row.rules.split()) for row in repairs.itertuples()}


def headline(outcomes: pd.DataFrame) -> dict[str, int]:
    """Return the few numbers by which experiments are compared, from the table `outcomes`.

    How many images were repaired, of how many the repair was accepted, and how many flags the
    repaired ones have before and after.
    """
    flags = {
        f"flags_{side}": int(outcomes[f"flags_{side}"].str.split().str.len().sum())
        for side in ("before", "after")
    }
    return {"repaired": len(outcomes), "accepted": int(outcomes["accepted"].sum())} | flags
