"""What was read as what, for a person to look at before anything is measured: folder by folder."""

from collections import Counter
from collections.abc import Iterator

from clearset.sources import names
from clearset.sources.inventory import Inventory
from clearset.sources.roles import ALONE, ANNOTATION, COMPANION, IMAGE, LABEL, LEFT, Part
from clearset.store.errors import listed

MOST = 24  # rows of the table
WIDEST = 44  # characters of a folder's name
Row = tuple[str, str, str]  # folder, read as, split


def lines(stock: Inventory) -> list[str]:
    """Return the table of a source and what to say where it is wrong, line by line."""
    counts = Counter((*_row(part, stock), part.role != LEFT) for part in stock.parts)
    header = ("folder", "read as", "split", "files")
    rows = [(*key[:3], str(count)) for key, count in sorted(counts.items(), key=_order)]
    more = len(rows) - MOST
    table = [header, *rows[:MOST]]
    widths = [max(len(row[column]) for row in table) for column in range(4)]
    shown = [_line(row, widths) for row in table]
    return [*shown, *([f"  and {more} more folders"] if more > 0 else []), *advice(stock)]


def _order(item: tuple[tuple[str, str, str, bool], int]) -> tuple[bool, str, str]:
    folder, role, _, used = item[0]
    return not used, folder, role


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row[:3], widths, strict=False)]
    return f"  {'  '.join(cells)}  {row[3].rjust(widths[3])}"


def _row(part: Part, stock: Inventory) -> Row:
    folders = part.entry.place.parts[:-1]
    folder = "/".join(folders) or "."
    folder = folder if folder.isprintable() else ascii(folder)[1:-1]
    short = folder if len(folder) <= WIDEST else f"...{folder[3 - WIDEST :]}"
    split = names.split(folders) if part.role in (IMAGE, ANNOTATION, LABEL) else ""
    return short, _role(part, stock), split


def _role(part: Part, stock: Inventory) -> str:
    if part.role == ANNOTATION and part.kind == stock.seen:
        return f'field of view "{part.kind}": only what it shows is measured'
    if part.role == ANNOTATION:
        used = "measured" if part.kind == stock.measured and not part.reason else "carried along"
        why = f": {part.reason}" if part.reason else ""
        return f'annotation "{part.kind}", {used}{why}'
    if part.role == COMPANION:
        return f"carried along: {part.reason}" if part.reason else "of the whole set, carried along"
    if part.role == LEFT:
        return f"left out: {part.reason}"
    return {IMAGE: "image", LABEL: f"label {part.kind}"}[part.role]


def advice(stock: Inventory) -> Iterator[str]:
    """Yield what is measured against, and how to say otherwise."""
    kinds = sorted({part.kind for part in stock.parts if part.role == ANNOTATION})
    others = [kind for kind in kinds if kind not in (stock.measured, stock.seen)]
    if stock.measured:
        known = listed(others)
        say = f'; others: {known}, by fetch.layout.measured="{others[0]}"' if others else ""
        yield f'  images are measured against the annotation "{stock.measured}"{say}'
    elif kinds:
        yield (
            f"  no annotation is measured: of {listed(kinds)} no image has just one that is drawn"
        )
    alone = [str(part.entry.place) for part in stock.parts if part.reason == ALONE]
    if alone:
        yield f"  no image goes with {listed(map(ascii, alone))}: not looked at, carried along"
    yield (
        "  to say otherwise: fetch.layout.images, .annotations, .companions (globs below the "
        "source) or fetch.layout.name"
    )
