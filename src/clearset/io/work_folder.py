"""A fastdup work folder as a source: its tables read, whichever version wrote them.

Current versions number the images and name them in a listing; `fastdup.run`, and older versions
throughout, write the paths themselves, as they were given: absolute or relative. Tables may be
missing, cut short, or left behind by another run, since fastdup does not clear its folder. What
does not fit is named and passed over, and nothing of it stops the rest.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from clearset import cells
from clearset.errors import ClearsetError
from clearset.io.inventory import image_ids

LISTING, REFUSED, STATS = "atrain_features.dat.csv", "atrain_features.bad.csv", "atrain_stats.csv"
SIMILAR, OUTLYING = "similarity.csv", "outliers.csv"
COMPONENTS = "connected_components.csv"
STATISTICS = ["blur", "mean", "min", "max", "stdv", "contrast", "unique"]  # of an image
FILES = (LISTING, REFUSED, STATS, SIMILAR, OUTLYING, COMPONENTS)
FROM, TO = ("from", "outlier", "filename_from"), ("to", "nearest", "filename_to")
WIDTH, HEIGHT = ("width", "img_w"), ("height", "img_h")
STALE = "is it of another run? fastdup leaves old tables behind: run it into an empty folder"
Row = Mapping[str, str]


@dataclass(frozen=True)
class WorkFolder:
    """What a work folder says, by image_id.

    `images` has image_id, path, error, width, height and bytes; `metrics` fastdup's statistics;
    `edges` and `outliers` image_id, other_id and similarity, one row a row of its tables;
    `components` image_id and component_id; `notes` what was passed over and why.
    """

    images: pd.DataFrame
    metrics: pd.DataFrame
    edges: pd.DataFrame
    outliers: pd.DataFrame
    components: pd.DataFrame
    notes: list[str]


def recognised(folder: Path) -> bool:
    """Whether a folder looks like one that fastdup has worked in."""
    there = {name for name in FILES if (folder / name).is_file()}
    return LISTING in there or {STATS, SIMILAR} <= there


def read(folder: Path) -> WorkFolder:
    """Return what a work folder says.

    Raises `ClearsetError` when nothing tells which images there are.
    """
    notes: list[str] = []
    tables = {name: _rows(folder / name, notes) for name in FILES}
    known = Names(tables)
    if not known.paths:
        raise ClearsetError(
            f"{folder}: no table says which images there are: {LISTING} is missing or empty, and "
            f"no other names them by path. Run fastdup again, or copy its whole work folder"
        )
    stats = _by_image(tables[STATS], known, STATS, notes)
    components = _by_image(tables[COMPONENTS], known, COMPONENTS, notes)
    return WorkFolder(
        images=_images(known, stats),
        metrics=_metrics(known, stats, notes),
        edges=_pairs(tables[SIMILAR], known, SIMILAR, notes),
        outliers=_pairs(tables[OUTLYING], known, OUTLYING, notes),
        components=pd.DataFrame(
            [(i, row.get("component_id", "")) for i, row in components.items()],
            columns=["image_id", "component_id"],
        ),
        notes=notes,
    )


def _rows(path: Path, notes: list[str]) -> list[Row]:
    """Return a CSV's rows, text by column; a missing, empty or broken file is a note."""
    if not path.is_file():
        if path.name != REFUSED:  # written only where a file was refused
            notes.append(f"{path.name} is missing: what it would tell is left out")
        return []
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        reader = csv.DictReader((line.replace("\0", "") for line in file), strict=False)
        try:
            rows = list(reader)
        except csv.Error as error:
            notes.append(f"{path.name} is no table ({error}): what it would tell is left out")
            return []
    whole: list[Row] = [row for row in rows if None not in row and None not in row.values()]
    if len(whole) < len(rows):
        notes.append(f"{path.name}: {len(rows) - len(whole)} rows are cut short or too long")
    if not rows and path.name != REFUSED:
        notes.append(f"{path.name} has no row")
    return whole


def _first(row: Row, names: tuple[str, ...]) -> str:
    return next((row[name] for name in names if name in row), "")


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return np.nan


class Names:
    """Which images there are: `paths` by image_id, and what each cell of a table means."""

    def __init__(self, tables: Mapping[str, list[Row]]) -> None:
        """Take the images that the tables name, by number and path."""
        self.numbered: dict[str, str] = {}
        for row in (row for name in (LISTING, REFUSED, STATS) for row in tables[name]):
            if row.get("index", "").isdecimal() and row.get("filename"):
                self.numbered.setdefault(row["index"], row["filename"].replace("\\", "/"))
        named = dict.fromkeys(self.numbered.values()) or dict.fromkeys(_named(tables))
        found = [path for path in named if PurePosixPath(path).name not in ("", "..")]
        parts = [path.split("/") for path in found]
        shared = sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, zip(*parts)))  # noqa: B905
        least = min(map(len, parts), default=1) - 1  # the file's own name stays
        short = ["/".join(part[min(shared, least) :]) for part in parts]
        self.ids = dict(zip(found, image_ids(short), strict=True))
        self.paths = dict(zip(self.ids.values(), map(cells.path, short), strict=True))
        self.errors = {
            self.ids[self.numbered[row["index"]]]: row.get("error_code") or "refused by fastdup"
            for row in tables[REFUSED]
            if self.numbered.get(row.get("index", "")) in self.ids
        }

    def of(self, cell: str) -> str:
        """Return the image_id that a cell names by number or path; empty: none."""
        path = self.numbered.get(cell, "") if cell.isdecimal() else cell.replace("\\", "/")
        return self.ids.get(path, "")


def _named(tables: Mapping[str, list[Row]]) -> Iterator[str]:
    """Yield the paths in tables that name images by path."""
    for name in (STATS, SIMILAR, OUTLYING):
        for row in tables[name]:
            for cell in (_first(row, ("filename",)), _first(row, FROM), _first(row, TO)):
                if cell and not cell.isdecimal():
                    yield cell.replace("\\", "/")


def _by_image(rows: list[Row], known: Names, name: str, notes: list[str]) -> dict[str, Row]:
    """Return the first row of each image that the listing has; others are a note."""
    found: dict[str, Row] = {}
    strange, again = [], 0
    for row in rows:
        cell = _first(row, ("filename", "index", "__id"))
        image_id = known.of(cell)
        if not image_id:
            strange.append(cell)
        elif image_id in found:
            again += 1
        found.setdefault(image_id, row)
    found.pop("", None)
    if strange:
        notes.append(_strange(name, strange))
    if again:
        notes.append(f"{name}: {again} rows are of an image that has one already: {STALE}")
    return found


def _strange(name: str, seen: list[str]) -> str:
    example = ascii(seen[0])
    return f"{name}: {len(seen)} rows name images that are not there (as {example}): {STALE}"


def _images(known: Names, stats: Mapping[str, Row]) -> pd.DataFrame:
    rows = []
    for image_id, path in known.paths.items():
        row = stats.get(image_id, {})
        sizes = [_number(_first(row, names)) for names in (WIDTH, HEIGHT, ("file_size",))]
        width, height, size = (int(max(value, 0)) if np.isfinite(value) else 0 for value in sizes)
        rows.append((image_id, path, known.errors.get(image_id, ""), width, height, size))
    return pd.DataFrame(rows, columns=["image_id", "path", "error", "width", "height", "bytes"])


def _metrics(known: Names, stats: Mapping[str, Row], notes: list[str]) -> pd.DataFrame:
    readable = [image_id for image_id in known.paths if image_id not in known.errors]
    table = pd.DataFrame(
        {
            name: [_number(stats.get(image_id, {}).get(name, "")) for image_id in readable]
            for name in STATISTICS
        }
    ).replace([np.inf, -np.inf], np.nan)
    lacking = int(table.isna().all(axis=1).sum())
    if lacking and stats:
        notes.append(f"{STATS}: {lacking} images have no statistics: no rule on these flags them")
    return table.assign(image_id=readable)


def _pairs(rows: list[Row], known: Names, name: str, notes: list[str]) -> pd.DataFrame:
    """Return rows of similarity.csv or outliers.csv; their `distance` is a similarity."""
    found, strange, wrong = [], [], 0
    for row in rows:
        ends = _first(row, FROM), _first(row, TO)
        first, second = (known.of(end) for end in ends)
        similarity = _number(row.get("distance", ""))
        if not first or not second:
            strange.append(ends[0] if not first else ends[1])
        elif not -1.001 <= similarity <= 1.001 or first == second:
            wrong += 1
        else:
            found.append((first, second, round(min(similarity, 1.0), 6)))
    if strange:
        notes.append(_strange(name, strange))
    if wrong:
        notes.append(f"{name}: {wrong} rows have no similarity, or pair an image with itself")
    return pd.DataFrame(found, columns=["image_id", "other_id", "similarity"])
