"""Text and tables as Markdown that shows them as they are."""

import pandas as pd

from clearset.store.cells import visible

ESCAPES = {ord(c): f"&#{ord(c)};" for c in "<>|&"} | {ord(c): f"\\{c}" for c in "\\`*_[]#$~"}
ESCAPES |= {ord(c): " " for c in "\r\n"}  # a line end would end the table's row
MARKUP = {ord(c): ESCAPES[ord(c)] for c in "<>|`[]\r\n"}
LONGEST = 60  # rows shown of a table; the CSV beside the report has all


def escaped(text: object) -> str:
    """Return text that Markdown shows as it is: file names come from strangers."""
    if isinstance(text, float):
        return "" if pd.isna(text) else f"{text:.6g}"
    return visible(str(text).replace("\r", " ")).translate(ESCAPES)


def inert(text: str) -> str:
    """Return a name, an address or a step without markup in it, legible where Markdown is not."""
    return visible(text.replace("\r", " ")).translate(MARKUP)


def markdown(table: pd.DataFrame, most: int = LONGEST) -> str:
    """Return a table as Markdown, at most its first rows."""
    header = [escaped(name) for name in table.columns]
    lines = [f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}"]
    for row in table.head(most).itertuples(index=False):
        lines.append(f"| {' | '.join(escaped(cell) for cell in row)} |")
    if len(table) > most:
        lines.append(f"\n{len(table) - most} more rows in tables/.")
    return "\n".join(lines)
