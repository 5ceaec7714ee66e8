"""Tables to files and back, as `columns` declares them.

The same rows give the same bytes: sorted by key, six significant digits, Unix line ends. No cell of
a file is a formula to a spreadsheet (see `cells`); in memory every text is the true one.
"""

import csv
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from clearset.store import cells, defects, layout
from clearset.store.columns import FLOAT, INT, STR, TABLES
from clearset.store.errors import ClearsetError

DUST = 1e-12


def write(name: str, frame: pd.DataFrame, folder: Path, file: str = "") -> Path:
    """Write a table as `<folder>/<name>.csv`, or `file`, whole or not at all; return its path."""
    path = folder / (file or f"{name}.csv")
    with layout.replacing(path) as incomplete:
        table = guarded(name, without_dust(checked(name, frame)))
        printed(table).to_csv(
            incomplete,
            index=False,
            lineterminator="\n",
            quoting=_quoting(name, table),
            errors="backslashreplace",  # half a character: no UTF-8 has it
        )
    return path


def printed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its real numbers as text of six digits, nothing where there is none.

    As `to_csv` would print them, in a quarter of the time.
    """
    texts = {
        column: [f"{value:.6g}" if value == value else "" for value in frame[column].tolist()]  # noqa: PLR0124 - nan
        for column in frame.select_dtypes("float64").columns
    }
    return frame.assign(**texts)


def guarded(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table as files have it: no text that a spreadsheet would run."""
    return _each(name, frame, cells.guarded)


def _each(name: str, frame: pd.DataFrame, function: Callable[[str], str]) -> pd.DataFrame:
    """Return a table with a function of each text."""
    columns = {c: frame[c].map(function, na_action="ignore") for c in _texts(name) if c in frame}
    return frame.assign(**columns)


def _texts(name: str) -> list[str]:
    return [column for column, kind in TABLES[name].columns.items() if kind == STR]


def _quoting(name: str, frame: pd.DataFrame) -> Literal[0, 1]:
    """Return csv's word for which cells stand in quotes: all where one has a bare return.

    To readers of CSV that is an end of line, and no writer puts it in quotes for itself.
    """
    returns = any(frame[column].str.contains("\r", regex=False).any() for column in _texts(name))
    return csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL


def without_dust(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with 0 for what is nearer to it than anything that is measured.

    Six digits of what should be 0 are six digits of a processor's rounding, or a minus sign.
    """
    numbers = frame.select_dtypes("float64")
    return frame.assign(**numbers.mask(numbers.abs() < DUST, 0.0))


def read(name: str, folder: Path) -> pd.DataFrame:
    """Return the table that `write` wrote; raises `ClearsetError` if it is not there or not it."""
    table, path = TABLES[name], layout.own(folder, f"{name}.csv")
    if not path.is_file():
        raise ClearsetError(f"{path} is missing. Run `dvc repro` up to the stage that writes it")
    text = _texts(name)
    try:
        frame = pd.read_csv(
            path,
            dtype=dict.fromkeys(text, "str"),
            keep_default_na=False,
            na_values={c: [""] for c in _header(path) if c not in text},
        )
        absent = [column for column in table.later if column not in frame]
        frame = frame.assign(**dict.fromkeys(absent, ""))
        return checked(name, _each(name, frame, cells.true))
    except ClearsetError as error:
        raise ClearsetError(f"{path}: {error}") from None
    except OSError as error:
        raise ClearsetError(defects.sentence(error)) from None
    except (ValueError, OverflowError) as error:
        reason = _culprit(name, path) or str(error)
        raise ClearsetError(
            f"{path} is no table: {reason}. Run the stage that writes it again"
        ) from None


def _culprit(name: str, path: Path) -> str:
    """Return the first cell of a file that is no number where its table has one; empty: none."""
    try:
        frame = pd.read_csv(path, dtype="str", keep_default_na=False)
    except (ValueError, OverflowError):
        return ""
    for column in frame.columns.difference(_texts(name), sort=False):
        kind = TABLES[name].columns.get(column, FLOAT)
        numbers = pd.to_numeric(frame[column], errors="coerce")
        odd = numbers.isna() & (frame[column] != "") & (frame[column].str.lower() != "nan")
        if kind == INT:
            odd = ~frame[column].str.fullmatch(r"[+-]?\d{1,18}")
        if odd.any():
            row = int(odd.to_numpy().argmax())
            cell = frame[column].iloc[row][:80]
            return (
                f"row {row + 1}, column {column}: {cell!a} is no {'whole ' * (kind == INT)}number"
            )
    return ""


def _header(path: Path) -> list[str]:
    return list(pd.read_csv(path, nrows=0).columns)


def checked(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its declared columns, types and order of rows."""
    table = TABLES[name]
    declared = list(table.columns)
    others = [str(column) for column in frame.columns if column not in declared]
    missing = [column for column in declared if column not in frame.columns]
    if missing or (others and table.others is None):
        raise ClearsetError(f"table {name}: missing columns {missing}, unknown columns {others}")
    types = table.columns | dict.fromkeys(others, table.others or FLOAT)
    frame = frame[declared + others].astype(types)
    keys = list(table.key)
    if table.unique and frame.duplicated(keys).any():
        twice = frame.loc[frame.duplicated(keys), keys].iloc[0].tolist()
        raise ClearsetError(f"table {name}: the key {twice} stands twice")
    return frame.sort_values(keys, kind="stable", ignore_index=True)


def write_json(content: dict[str, Any], path: Path) -> None:
    """Write a JSON object, whole or not at all; keys keep their order, floats six digits.

    A number that JSON does not know, infinite or not a number, becomes null.
    """
    text = json.dumps(
        {key: _plain(value) for key, value in content.items()}, indent=1, allow_nan=False
    )
    with layout.replacing(path) as incomplete:
        incomplete.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    if abs(value) < DUST:
        return 0.0
    return float(f"{value:.6g}") if math.isfinite(value) else None


def write_metrics(numbers: Mapping[str, float], dataset: str, path: Path) -> None:
    """Write numbers for `dvc metrics`; the dataset's name before each keeps the names unique."""
    write_json({f"{dataset}.{name}": number for name, number in numbers.items()}, path)


def read_json(path: Path) -> dict[str, Any]:
    """Return the object that `write_json` wrote."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
