"""Every table, declared once, by the stage that writes it: columns, types, key, tolerances."""

import pandas as pd

from clearset.store.columns import (
    analyze,
    compare,
    enhance,
    fetch,
    filter,
    record,
    release,
    train,
    versions,
)
from clearset.store.columns.table import FLOAT, INT, STR, Table

__all__ = ["FLOAT", "INT", "STR", "TABLES", "Table", "empty"]
# Text is Python's own whether or not pyarrow is installed: pandas takes pyarrow's where it can, and
# gives other results then, such as a sum of no rows that is no number.
pd.set_option("mode.string_storage", "python")

TABLES: dict[str, Table] = {}
for _stage in (fetch, analyze, filter, enhance, compare, release, versions, record, train):
    TABLES |= _stage.TABLES


def empty(name: str) -> pd.DataFrame:
    """Return a table without rows."""
    types = TABLES[name].columns
    return pd.DataFrame({column: [] for column in types}).astype(types)
