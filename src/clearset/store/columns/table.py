"""What is declared of a table: columns, their types, its key, their tolerances."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from clearset.store.tolerance import EXACT, LAST_DIGIT, Tolerance

STR, INT, FLOAT = "str", "int64", "float64"
BY_TYPE = {STR: EXACT, INT: EXACT, FLOAT: LAST_DIGIT}  # tolerance, where a table says no other
SCORES = dict.fromkeys(("precision", "recall", "f1", "auroc"), FLOAT)  # each 0 to 1


@dataclass(frozen=True)
class Table:
    """A table's columns and their types, what it is sorted by, and the type of further columns.

    `tolerances` are of columns whose values hang on more than arithmetic (see `tolerance`).
    `later` are columns of text that tables written before there were such do not have.
    """

    columns: dict[str, str]
    key: tuple[str, ...]
    others: str | None = None  # None: no further columns
    unique: bool = True  # each key once; else rows of one key keep their order
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict)
    later: tuple[str, ...] = ()

    def tolerance(self, column: str) -> Tolerance:
        """Return how far a value of a column may lie from what was recorded on another machine."""
        kind = self.columns.get(column, self.others or STR)
        return self.tolerances.get(column, BY_TYPE[kind])
