"""Every table, declared once: columns, their types, the key it is sorted by.

The same rows give the same bytes: sorted by key, six significant digits, Unix line ends.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from clearset.errors import ClearsetError
from clearset.io import layout

STR, INT, FLOAT = "str", "int64", "float64"


@dataclass(frozen=True)
class Table:
    """A table's columns and their types, what it is sorted by, and the type of further columns."""

    columns: dict[str, str]
    key: tuple[str, ...]
    others: str | None = None  # None: no further columns
    unique: bool = True  # each key once; else rows of one key keep their order


TABLES = {
    # one row an image of the dataset, readable or not
    "images": Table(
        {
            "image_id": STR,  # path below images/ without suffix
            "split": STR,
            "path": STR,  # below images/
            "mask": STR,  # below masks/; empty: none
            "width": INT,
            "height": INT,
            "channels": INT,
            "bit_depth": INT,
            "sha256": STR,  # of the file
            "pixels_sha256": STR,  # of the decoded pixels
            "error": STR,  # why it can not be read; empty: it can
        },
        ("image_id",),
    ),
    # one row a readable image: fastdup's statistics, then the registry's metrics
    "metrics": Table({"image_id": STR}, ("image_id",), others=FLOAT),
    # the most similar images of each image, most similar first
    "neighbours": Table(
        {"image_id": STR, "neighbour_id": STR, "similarity": FLOAT}, ("image_id",), unique=False
    ),
    # one row an image: how far it lies from the rest of its split
    "outliers": Table(
        {
            "image_id": STR,
            "split": STR,
            "nearest_id": STR,
            "nearest_similarity": FLOAT,
            "isolation_z": FLOAT,  # robust z of nearest_similarity; low: isolated
            "published_outlier": INT,  # 1: an end of the graph's least similar edges
            "edge_similarity": FLOAT,  # the least similar of its edges
        },
        ("image_id",),
    ),
    # images connected by similarities at or above a bound
    "components": Table(
        {"component_id": INT, "image_id": STR, "images": INT, "min_similarity": FLOAT},
        ("component_id", "image_id"),
    ),
    # pairs at or above a similarity: as they are, and as fastdup's report counts
    "pairs": Table(
        {
            "similarity": FLOAT,
            "pairs": INT,  # unordered
            "images": INT,  # that are in such a pair
            "edges": INT,  # directed, of the graph of each image's most similar
            "edge_percentage": FLOAT,  # of that graph's edges
        },
        ("similarity",),
    ),
    # images with the same pixels and different masks
    "conflicts": Table(
        {"image_id": STR, "other_id": STR, "class": STR, "dice": FLOAT},
        ("image_id", "other_id", "class"),
    ),
    # one row a rule, with the bounds it came to
    "rules": Table(
        {
            "rule": STR,
            "metric": STR,
            "min": FLOAT,
            "max": FLOAT,
            "quantile": FLOAT,  # that set the bound; empty: the bound was given
            "action": STR,
            "flagged": INT,
        },
        ("rule",),
    ),
    # one row a flag
    "flags": Table(
        {"image_id": STR, "rule": STR, "value": FLOAT, "min": FLOAT, "max": FLOAT, "action": STR},
        ("image_id", "rule"),
    ),
    # every image's fate
    "decisions": Table(
        {"image_id": STR, "split": STR, "decision": STR, "rules": STR}, ("image_id",)
    ),
    # one row a repaired image: what was done
    "repairs": Table(
        {
            "image_id": STR,
            "rules": STR,
            "steps": STR,
            "clipped": FLOAT,  # share of values that left the range and were cut
            "sha256": STR,
        },
        ("image_id",),
    ),
    # one row a repaired image: what it did to it
    "outcomes": Table(
        {
            "image_id": STR,
            "steps": STR,
            "psnr": FLOAT,  # dB, against the original
            "ssim": FLOAT,
            "clipped": FLOAT,
            "flags_before": STR,
            "flags_after": STR,
        },
        ("image_id",),
    ),
    # each metric of each repaired image
    "comparison": Table(
        {"image_id": STR, "metric": STR, "before": FLOAT, "after": FLOAT, "change": FLOAT},
        ("image_id", "metric"),
    ),
    # the paired change of each metric over repaired images, with its 95 % interval
    "changes": Table(
        {
            "rule": STR,  # that flagged the images; all: every repaired image
            "metric": STR,
            "images": INT,
            "before": FLOAT,
            "after": FLOAT,
            "change": FLOAT,
            "low": FLOAT,
            "high": FLOAT,
        },
        ("rule", "metric"),
    ),
}


def write(name: str, frame: pd.DataFrame, folder: Path) -> Path:
    """Write a table as `<folder>/<name>.csv`, whole or not at all, and return its path."""
    path = folder / f"{name}.csv"
    with layout.replacing(path) as begun:
        checked(name, frame).to_csv(begun, index=False, float_format="%.6g", lineterminator="\n")
    return path


def read(name: str, folder: Path) -> pd.DataFrame:
    """Return the table that `write` wrote; raises `ClearsetError` if it is not there or not it."""
    table, path = TABLES[name], folder / f"{name}.csv"
    if not path.exists():
        raise ClearsetError(f"{path} is missing. Run `dvc repro` up to the stage that writes it")
    text = [column for column, kind in table.columns.items() if kind == STR]
    try:
        frame = pd.read_csv(
            path,
            dtype=dict.fromkeys(text, "str"),
            keep_default_na=False,
            na_values={c: [""] for c in _header(path) if c not in text},
        )
        return checked(name, frame)
    except (ValueError, pd.errors.ParserError) as error:
        raise ClearsetError(
            f"{path} is no table: {error}. Run the stage that writes it again"
        ) from None


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
    with layout.replacing(path) as begun:
        begun.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return float(f"{value:.6g}") if math.isfinite(value) else None


def write_metrics(numbers: Mapping[str, float], dataset: str, path: Path) -> None:
    """Write numbers for `dvc metrics`; the dataset's name before each keeps the names unique."""
    write_json({f"{dataset}.{name}": number for name, number in numbers.items()}, path)


def read_json(path: Path) -> dict[str, Any]:
    """Return the object that `write_json` wrote."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def empty(name: str) -> pd.DataFrame:
    """Return a table without rows."""
    return pd.DataFrame({column: [] for column in TABLES[name].columns}).astype(
        TABLES[name].columns
    )
