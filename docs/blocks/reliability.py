"""What docs/reliability.md shows: the table that `make torture` wrote when it was last run."""

from functools import cache
from pathlib import Path

import pandas as pd

from blocks import Unsupported

TABLE = Path(__file__).parents[1] / "torture.csv"
HEADINGS = "what was done | tried | went on | refused | cannot be told | wrong | lost | tracebacks"


@cache
def _table() -> pd.DataFrame:
    if not TABLE.exists():
        raise Unsupported(f"{TABLE} is missing: run make torture")
    return pd.read_csv(TABLE)


def attempts() -> str:
    """Return the table as people read it."""
    rows = _table().drop(columns="peak_gigabytes")
    lines = [f"| {HEADINGS} |", "| --- |" + " ---: |" * (rows.shape[1] - 1)]
    lines += [f"| {' | '.join(map(str, row))} |" for row in rows.itertuples(index=False)]
    return "\n".join(lines)


def peak() -> str:
    """Return what the largest process took."""
    return f"{_table()['peak_gigabytes'].max():.2f} GB"
