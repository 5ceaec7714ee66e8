"""Rows in the order that people read them in; tables on disk are sorted by their keys."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pandas as pd

from clearset.decide.published import findings
from clearset.plant.planting import CLEAN, PARTS
from clearset.proof.verdicts import BOTH, EVERYONE, FLAGGED, LIKENESS, SCORES
from clearset.store.stages import Comparison

WHOLE = ("all", PARTS[1])  # parts of a dataset: all of it, then what was held out
UPDATES = ("all", "accepted")
OUTCOMES = ["image_id", "steps", "clipped", "flags_before", "flags_after", "psnr", "ssim"]
OUTCOMES += ["accepted", "verdict", "refused_by"]
VERDICT = ["accepted", "verdict", "refused_by"]


def arranged(result: Comparison, rules: Iterable[str]) -> Comparison:
    """Return the tables of compare, rules in the order in which the params have them."""
    order = list(rules)
    kinds = sorted(set(result.gains["group"]) - {EVERYONE, FLAGGED, CLEAN})
    groups = [EVERYONE, FLAGGED, *kinds, CLEAN]
    scores = [*SCORES, BOTH, *LIKENESS]
    names = sorted(set(result.changes["rule"]) - {"all"})
    return replace(
        result,
        outcomes=result.outcomes[OUTCOMES],
        verdicts=result.verdicts[[*result.verdicts.columns.drop(VERDICT), *VERDICT]],
        detection=_default_first(result.detection, order),
        severities=_default_first(result.severities, order),
        gains=by(result.gains, repair=None, group=groups, part=WHOLE, score=scores, update=UPDATES),
        agreement=by(result.agreement, repair=None, group=groups, part=WHOLE),
        changes=by(result.changes, rule=["all", *names], metric=None),
        published=by(result.published, finding=findings(result.published)),
    )


def _default_first(table: pd.DataFrame, rules: Sequence[str]) -> pd.DataFrame:
    """Return rows of the params' own bounds by their rules, then those of chosen bounds."""
    default = table["bounds"] == "default"
    ordered = by(table[default], rule=rules, part=WHOLE), by(table[~default], rule=None, part=WHOLE)
    return pd.concat(ordered, ignore_index=True)


def by(table: pd.DataFrame, **orders: Sequence[str] | None) -> pd.DataFrame:
    """Return a table sorted by its columns in turn: by a list of their values, or by themselves."""
    keys = pd.DataFrame(index=table.index)
    for column, values in orders.items():
        keys[column] = table[column] if values is None else table[column].map(list(values).index)
    return table.loc[keys.sort_values(list(orders), kind="stable").index].reset_index(drop=True)
