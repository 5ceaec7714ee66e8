"""How numbers are read from the tables of reports/ and written: shared by the pages' modules.

A page's numbers are the public functions of the module of its name, without arguments, each giving
Markdown. A number that no table holds is an error, never a blank.
"""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import pandas as pd

REPORTS = Path(__file__).parents[2] / "reports"
Value = str | int | float
FAULTS = {
    "blur": "blur: Gaussian, defocus, motion, downscaled, blurred and noisy",
    "noise": "noise",
    "dark": "dark",
    "bright": "bright",
    "contrast": "low contrast",
    "uneven": "uneven light: from one side, shadows",
    "vignette": "dark corners (vignette)",
    "shadow": "shadow",
    "compression": "JPEG blocks",
}  # as a reader knows them


class Unsupported(Exception):
    """A number that the tables do not hold, or a page that asks for none that there is."""


@cache
def table(name: str) -> pd.DataFrame:
    """Return a table below reports/, by its path without suffix."""
    path = REPORTS / f"{name}.csv"
    if not path.exists():
        raise Unsupported(f"{path} is missing")
    return pd.read_csv(path)


def rows(name: str, **where: Value) -> pd.DataFrame:
    """Return the rows of a table whose columns have these values: one or more."""
    found = table(name)
    for column, wanted in where.items():
        found = found[found[column] == wanted]
    if found.empty:
        raise Unsupported(f"{name}: no row has {where}")
    return found


def row(name: str, **where: Value) -> "pd.Series[float]":
    """Return the one row of a table whose columns have these values."""
    found = rows(name, **where)
    if len(found) > 1:
        raise Unsupported(f"{name}: {len(found)} rows have {where}")
    return found.iloc[0]


def value(name: str, column: str, **where: Value) -> float:
    """Return one value of the one row whose columns have these values."""
    return float(row(name, **where)[column])


def images(dataset: str) -> int:
    """Return how many images a dataset has: those released and those dropped."""
    folder = REPORTS / dataset
    released = json.loads((folder / "release.json").read_text())[f"{dataset}.released"]
    return int(released + json.loads((folder / "counts.json").read_text())[f"{dataset}.dropped"])


def fixed(number: float, digits: int = 2) -> str:
    """Return a number with so many decimals, in groups of thousands; a dash where there is none."""
    return f"{number:,.{digits}f}" if not pd.isna(number) else "-"


def signed(number: float) -> str:
    """Return a change with its sign and three decimals; one that rounds to nothing is 0."""
    text = f"{number:+.3f}"
    return text if float(text) else "0"


def interval(found: "pd.Series[float]") -> str:
    """Return a change with its 95 % interval: `+0.004 [+0.001, +0.006]`."""
    change, low, high = (signed(found[column]) for column in ("change", "low", "high"))
    return change if low == high == "0" else f"{change} [{low}, {high}]"


def markdown(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
