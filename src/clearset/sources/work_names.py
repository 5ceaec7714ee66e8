"""Which images a fastdup run was about, whichever way its tables name them."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from clearset.sources.inventory import image_ids
from clearset.store import cells

LISTING, REFUSED, STATS = "atrain_features.dat.csv", "atrain_features.bad.csv", "atrain_stats.csv"
SIMILAR, OUTLYING = "similarity.csv", "outliers.csv"
FILENAME = ("filename", "img_filename")
FROM, TO = ("from", "outlier", "filename_from"), ("to", "nearest", "filename_to")
LONGEST, DEEPEST = 200, 1000  # bytes of a name, characters of a path
Row = Mapping[str, str]


@dataclass(frozen=True)
class Names:
    """The images of a run: by number and by path as its tables have them, by image_id here."""

    numbers: Mapping[str, str]  # number -> path
    ids: Mapping[str, str]  # path -> image_id
    paths: Mapping[str, str]  # image_id -> path below what all paths share, safe to show
    errors: Mapping[str, str]  # image_id -> why fastdup refused it
    cut: Sequence[str] = ()  # image_ids whose path is cut

    def of(self, cell: str) -> str:
        """Return the image_id that a cell names by number or path; empty: none."""
        return self.ids.get(self.numbers.get(cell, "") if cell.isdecimal() else tidy(cell), "")


def names(tables: Mapping[str, Sequence[Row]]) -> Names:
    """Return the images that the tables name; those that compare them only where no other does."""
    numbers: dict[str, str] = {}
    paths: dict[str, None] = {}
    for name in (LISTING, REFUSED, STATS):
        for place, row in enumerate(tables[name]):
            if path := tidy(first(row, FILENAME)):
                paths[path] = None
                # A listing without numbers is in their order.
                number = row.get("index", str(place) if name == LISTING else "")
                numbers.setdefault(number, path)
    full = list(paths or dict.fromkeys(_compared(tables)))
    whole = _below_root(full)
    short = [_fitting(path) for path in whole]
    ids = dict(zip(full, image_ids(short), strict=True))
    refused = ((tidy(first(row, FILENAME)), row) for row in tables[REFUSED])
    return Names(
        numbers=numbers,
        ids=ids,
        paths=dict(zip(ids.values(), map(cells.path, short), strict=True)),
        errors={ids[path]: refusal(row.get("error_code", "")) for path, row in refused if path},
        cut=[i for i, one, two in zip(ids.values(), whole, short, strict=True) if one != two],
    )


def _fitting(path: str) -> str:
    """Return a path that a system can hold: one that is too long ends in a hash of the whole."""
    if max(len(part.encode()) for part in path.split("/")) <= LONGEST and len(path) <= DEEPEST:
        return path
    return f"{path[:40]}~{hashlib.sha256(path.encode()).hexdigest()[:12]}"


def tidy(path: str) -> str:
    """Return a path as a relative one that names no other place, from any system; may be empty."""
    parts = [part for part in re.split(r"[\\/]+", path) if part not in ("", ".")]
    return "/".join("up" if part == ".." else part.replace(":", "") or "_" for part in parts)


def refusal(text: str) -> str:
    """Return why an image was refused, fit for a terminal."""
    return (text if text.isprintable() else ascii(text)[1:-1])[:200] or "refused by fastdup"


def first(row: Row, columns: Sequence[str]) -> str:
    """Return the cell of the first of these columns that a row has, or nothing."""
    return next((row[name] for name in columns if row.get(name)), "")


def _compared(tables: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    for name in (SIMILAR, OUTLYING):
        for row in tables[name]:
            for cell in (first(row, FROM), first(row, TO)):
                if not cell.isdecimal() and (path := tidy(cell)):
                    yield path


def _below_root(paths: Sequence[str]) -> list[str]:
    """Return paths without the folders that all share, what can not be printed spelt out."""
    parts = [path.split("/") for path in paths]
    levels = zip(*parts, strict=False)  # as deep as the shortest
    shared = sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, levels))
    least = min(map(len, parts), default=1) - 1  # a file's own name stays
    short = ["/".join(part[min(shared, least) :]) for part in parts]
    return [path if path.isprintable() else ascii(path)[1:-1].replace("\\", "_") for path in short]
