"""The tables of a work folder as text: read as they are, and copied without any formula.

A cell of a copy that a spreadsheet would run has an apostrophe before it (see `cells`), which
reading a copy takes away. A plain number is no formula, whatever its sign.
"""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from clearset.sources.work_names import REFUSED, Row
from clearset.store import cells, layout
from clearset.store.errors import listed

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def rows(path: Path, notes: list[str], copied: bool = False) -> list[Row]:
    """Return a table's rows, text by column; what can not be read becomes a note.

    `copied`: it is one that `copy` wrote.
    """
    if not path.is_file():
        if path.name != REFUSED:  # written only where a file was refused
            notes.append(f"{path.name} is missing: what it would tell is left out")
        return []
    whole: list[Row] = []
    count, lines = 0, _lines(_text(path))
    try:
        header = next(lines, [])
        for line in filter(None, lines):
            count += 1
            if len(line) == len(header):
                own = [cells.true(cell) for cell in line] if copied else line
                whole.append(dict(zip(header, own, strict=True)))
    except csv.Error as error:
        notes.append(f"{path.name} can not be read beyond row {count} ({error})")
        header = []
    if len(whole) < count:
        notes.append(f"{path.name}: {count - len(whole)} rows are cut short or too long")
    if twice := sorted({name for name in header if header.count(name) > 1}):
        notes.append(
            f"{path.name}, row 1: {listed(map(ascii, twice))} stands twice: the last counts"
        )
    if not count and path.name != REFUSED:
        notes.append(f"{path.name} has no row")
    return whole


def copy(source: Path, target: Path) -> None:
    """Copy a table: byte for byte, or written anew where a spreadsheet would run a cell of it.

    What stands after a place that can not be read is no part of a table that is written anew.
    """
    raw, lines = source.read_bytes(), _lines(_text(source))
    kept: list[list[str]] = []
    whole = raw.removeprefix(b"\xef\xbb\xbf") == _text(source).encode()
    try:
        kept.extend(lines)
    except csv.Error:
        whole = False
    safe = [[_guarded(cell) for cell in line] for line in kept]
    with layout.replacing(target) as incomplete:
        if whole and safe == kept:
            incomplete.write_bytes(raw)
        else:
            with incomplete.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerows(safe)


def _guarded(cell: str) -> str:
    return cell if NUMBER.fullmatch(cell) else cells.guarded(cell)


def _text(path: Path) -> str:
    """Return a table's text; what is no UTF-8 is a question mark in a diamond."""
    return path.read_bytes().decode("utf-8-sig", errors="replace")


def _lines(text: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text.replace("\0", ""), newline=""))
