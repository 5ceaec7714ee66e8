"""A dataset's own bounds as a reader wants them: what each rule finds, and from which level on."""

from typing import Any

import pandas as pd

CHANCE = "what no pair of different images reaches by chance"
NOT = "not told at any level tried"


def own_rules(own_bounds: pd.DataFrame, recalls: pd.DataFrame) -> pd.DataFrame:
    """Return the table that opens a report: each rule, its bound, and what it finds from where.

    `own_bounds` and `recalls` are the tables of these names.
    """
    rows = [_row(row, recalls[recalls["rule"] == row.rule]) for row in own_bounds.itertuples()]
    columns = ["rule", "flags", "interval", "finds 9 of 10", "typical images flagged"]
    return pd.DataFrame(rows, columns=columns)


def _row(row: Any, recalls: pd.DataFrame) -> tuple[str, ...]:
    sign = "<" if row.side == "min" else ">"
    condition = f"{row.metric} {sign} {row.bound:.3g}"
    if row.reason:
        return (row.rule, condition, "", row.reason, "")
    flagged = f"{row.flagged} of {row.typical}"
    return (row.rule, condition, f"{row.low:.3g} to {row.high:.3g}", found(recalls), flagged)


def found(recalls: pd.DataFrame) -> str:
    """Return from which level on nine of ten of each fault are found."""
    if recalls.empty:
        return CHANCE
    return "; ".join(
        f"{fault.replace('_', ' ')} {_from(levels)}" for fault, levels in recalls.groupby("fault")
    )


def _from(levels: pd.DataFrame) -> str:
    if (levels["step"] == 0).all():  # an edit, which has no levels
        return f"{levels['recall'].mean():.0%}"
    told = levels[levels["told"] == 1].sort_values("step")
    return f"from {told['parameters'].iloc[0]}" if len(told) else NOT
