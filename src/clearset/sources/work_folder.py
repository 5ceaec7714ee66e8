"""A fastdup work folder as a source: its tables read, whichever version wrote them.

Current versions number the images and name them in a listing; `fastdup.run`, and older versions
throughout, write the paths themselves, as they were given: absolute or relative. Tables may be
missing, cut short, or left behind by another run, since fastdup does not clear its folder. What
does not fit is named and passed over, and nothing of it stops the rest.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from clearset.sources import work_tables
from clearset.sources.work_names import (
    FILENAME,
    FROM,
    LISTING,
    LONGEST,
    OUTLYING,
    REFUSED,
    SIMILAR,
    STATS,
    TO,
    Names,
    Row,
    first,
    names,
)
from clearset.store.errors import ClearsetError, listed

COMPONENTS = "connected_components.csv"
STATISTICS = ["blur", "mean", "min", "max", "stdv", "contrast", "unique"]  # of an image
FILES = (LISTING, REFUSED, STATS, SIMILAR, OUTLYING, COMPONENTS)
SIZES = {  # columns of an image's size, and from where on it is none
    ("width", "img_w"): 2**31,
    ("height", "img_h"): 2**31,
    ("file_size",): 2**53,
}
BEYOND = 1e18  # no statistic of an image is as large
MOST = 1.001  # a cosine, with the run's rounding
STALE = "is it of another run? fastdup leaves old tables behind: run it into an empty folder"


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


def copy(source: Path, target: Path) -> None:
    """Copy the tables of a work folder, without a cell that a spreadsheet would run."""
    for name in FILES:
        if (source / name).is_file():
            work_tables.copy(source / name, target / name)


def read(folder: Path, copied: bool = False) -> WorkFolder:
    """Return what a work folder says; `copied`: it is one that `copy` wrote.

    Raises `ClearsetError` when nothing tells which images there are.
    """
    notes: list[str] = []
    tables = {name: work_tables.rows(folder / name, notes, copied) for name in FILES}
    index = names(tables)
    if not index.paths:
        raise ClearsetError(
            f"{folder}: no table says which images there are: {LISTING} is missing or empty, and "
            f"no other names them by path. Run fastdup again, or copy its whole work folder"
        )
    if index.cut:
        notes.append(
            f"names longer than {LONGEST} bytes, which few systems can hold, are cut: "
            f"{listed(ascii(name) for name in index.cut)}"
        )
    stats = _by_image(tables[STATS], index, STATS, notes)
    components = _by_image(tables[COMPONENTS], index, COMPONENTS, notes)
    return WorkFolder(
        images=_images(index, stats, notes),
        metrics=_metrics(index, stats, notes),
        edges=_pairs(tables[SIMILAR], index, SIMILAR, notes),
        outliers=_pairs(tables[OUTLYING], index, OUTLYING, notes),
        components=pd.DataFrame(
            [(i, row.get("component_id", "")) for i, row in components.items()],
            columns=["image_id", "component_id"],
        ),
        notes=notes,
    )


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _by_image(rows: list[Row], index: Names, name: str, notes: list[str]) -> dict[str, Row]:
    """Return the first row of each image that the listing has; others are a note."""
    by_image_id: dict[str, Row] = {}
    strange, repeats = [], 0
    for row in rows:
        cell = first(row, (*FILENAME, "index", "__id"))
        image_id = index.of(cell)
        if not image_id:
            strange.append(cell)
        elif image_id in by_image_id:
            repeats += 1
        by_image_id.setdefault(image_id, row)
    by_image_id.pop("", None)
    if strange:
        notes.append(_strange(name, strange))
    if repeats:
        notes.append(f"{name}: {repeats} rows are of an image that has one already: {STALE}")
    return by_image_id


def _strange(name: str, cells: list[str]) -> str:
    example = ascii(cells[0])
    return f"{name}: {len(cells)} rows name images that are not there (as {example}): {STALE}"


def _images(index: Names, stats: Mapping[str, Row], notes: list[str]) -> pd.DataFrame:
    """Return the images' rows; a size that is none is 0, and a note."""
    rows, odd = [], []
    for image_id, path in index.paths.items():
        row, sizes = stats.get(image_id, {}), []
        for columns, limit in SIZES.items():
            cell = first(row, columns)
            value = _number(cell)
            fits = 0 <= value < limit  # no number is none of these
            odd += [f"{cell[:40]!a} of {image_id!a}"] if cell and not fits else []
            sizes.append(int(value) if fits else 0)
        rows.append((image_id, path, index.errors.get(image_id, ""), *sizes))
    if odd:
        notes.append(f"{STATS}: {len(odd)} sizes are none, and left out: {listed(odd)}")
    return pd.DataFrame(rows, columns=["image_id", "path", "error", "width", "height", "bytes"])


def _metrics(index: Names, stats: Mapping[str, Row], notes: list[str]) -> pd.DataFrame:
    readable = [image_id for image_id in index.paths if image_id not in index.errors]
    cells = {
        name: [stats.get(image_id, {}).get(name, "") for image_id in readable]
        for name in STATISTICS
    }
    table = pd.DataFrame({name: [*map(_number, column)] for name, column in cells.items()})
    huge = table.abs() > BEYOND
    odd = [
        f"{name} {cells[name][row][:40]!a} of {readable[row]!a}"
        for name in STATISTICS
        for row in np.flatnonzero(huge[name] & np.isfinite(table[name]))
    ]
    if odd:
        notes.append(f"{STATS}: {len(odd)} statistics are none, and left out: {listed(odd)}")
    table = table.mask(huge)
    lacking = int(table.isna().all(axis=1).sum())
    if lacking and stats:
        notes.append(f"{STATS}: {lacking} images have no statistics: no rule on these flags them")
    return table.assign(image_id=readable)


def _pairs(rows: list[Row], index: Names, name: str, notes: list[str]) -> pd.DataFrame:
    """Return rows of similarity.csv or outliers.csv; their `distance` is a similarity."""
    similarities: dict[tuple[str, str], float] = {}
    strange, invalid, repeats = [], 0, 0
    for row in rows:
        ends = first(row, FROM), first(row, TO)
        pair = index.of(ends[0]), index.of(ends[1])
        similarity = _number(row.get("distance", ""))
        if not all(pair):
            strange.append(ends[0] if not pair[0] else ends[1])
        elif not -MOST <= similarity <= MOST or pair[0] == pair[1]:
            invalid += 1
        elif pair in similarities:
            repeats += 1
        else:
            similarities[pair] = round(min(similarity, 1.0), 6)
    if strange:
        notes.append(_strange(name, strange))
    if invalid:
        notes.append(
            f"{name}: {invalid} rows pair an image with itself, or have no cosine from -1 to 1 as "
            "their distance: run fastdup with distance cosine"
        )
    if repeats:
        notes.append(f"{name}: {repeats} rows are there twice, and count once")
    table = pd.DataFrame(list(similarities), columns=["image_id", "other_id"])
    return table.assign(similarity=list(similarities.values()))
