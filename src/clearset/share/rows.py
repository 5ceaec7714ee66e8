"""The rows that `datasets.load_dataset` gives of a released folder: one table a split.

Its loader of images takes metadata whose paths lead to files below it, from version 4.0 on under
any name. So each split has a table in the root, and the card says which files it leads to.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from clearset.share import parquet
from clearset.share.manifest import DROPPED, unread
from clearset.sources.places import ROWS

UNSPLIT, FIRST = "all", "train"  # what a source without splits is called here, and by `datasets`
FILES = {"file_name": "output", "mask_file_name": "mask"}  # its columns of files, ours
COLUMNS = {"image_id": "image_id", "split": "split", "fate": "decision", "label": "label"}
MOST = 50  # patterns of a split, in a card that people read
ALWAYS = {"file_name", "image_id", "split", "fate"}  # the others only where one image has any


@dataclass(frozen=True)
class Split:
    """What is loaded as one split: its name there, its table's file, and the table.

    The table's columns are text, None where there is none; it has at least one row.
    """

    name: str
    file: str
    table: pd.DataFrame

    def content(self) -> bytes:
        """Return the bytes of its file."""
        return parquet.written({str(name): self.table[name].tolist() for name in self.table})

    def patterns(self) -> list[str]:
        """Return globs below the root that find its images and masks, among others.

        One a folder and suffix, or only a suffix where that is too many. By what is found
        `datasets` tells that these are images, and a copy of a remote dataset takes it along; rows
        come from the table alone.
        """
        columns = [self.table[column].dropna() for column in FILES if column in self.table]
        files = [PurePosixPath(place) for column in columns for place in column]
        found = sorted({_pattern(file) for file in files})
        if len(found) > MOST:
            found = sorted({f"**/*{_literal(file.suffix)}" for file in files})
        # Of one table and one image it can not tell which is meant, so that one is told twice.
        return found * 2 if len(files) == 1 else found


def splits(manifest: pd.DataFrame) -> list[Split]:
    """Return the splits of the released images that can be read, in the manifest's order.

    Of masks, those that can be used: rows are those of `load_release`.
    """
    rows = manifest[(manifest["decision"] != DROPPED) & ~unread(manifest)]
    masks = rows["mask"].where(rows["mask_error"] == "", "")
    rows = rows.assign(mask=masks)
    table = pd.DataFrame({to: _told(rows[at]) for to, at in (FILES | COLUMNS).items()})
    table = table[[name for name in table if name in ALWAYS or table[name].notna().any()]]
    names = _names(list(dict.fromkeys(table["split"])))
    return [
        Split(names[split], f"{ROWS}{names[split]}.parquet", of_one.reset_index(drop=True))
        for split, of_one in table.groupby("split", sort=False)
    ]


def _told(column: pd.Series) -> pd.Series:
    """Return a column's text, None where there is none, paths in their plain form."""
    plain = column.name in (*FILES.values(), "label")
    texts = [(str(PurePosixPath(t)) if plain else t) if t else None for t in column]
    return pd.Series(texts, column.index, dtype=object)


def config(found: list[Split], called: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what the card tells `datasets`; `called`: what the tables are called in the folder."""
    files = [
        {"split": split.name, "path": [_literal(called[split.file]), *split.patterns()]}
        for split in found
    ]
    tables = [called[split.file] for split in found]
    return [{"config_name": "default", "data_files": files, "metadata_filenames": tables}]


def _pattern(file: PurePosixPath) -> str:
    folder = "" if str(file.parent) == "." else f"{_literal(str(file.parent))}/"
    return f"{folder}*{_literal(file.suffix)}"


def _literal(text: str) -> str:
    """Return a pattern that matches this text alone."""
    return re.sub(r"([*?[])", r"[\1]", text)


def _names(found: list[str]) -> dict[str, str]:
    """Return what each split is called where only letters, digits and _ are: no two alike."""
    names: dict[str, str] = {}
    for split in found:
        wanted = FIRST if split == UNSPLIT and FIRST not in found else split
        taken = {name.casefold() for name in names.values()}  # they become names of files
        names[split] = next(n for n in _candidates(wanted) if n.casefold() not in taken)
    return names


def _candidates(wanted: str) -> Iterator[str]:
    """Yield a split's name as near as can be; "all" would be every split, so that it is none."""
    name = re.sub(r"\W", "_", wanted, flags=re.ASCII)
    if name.casefold() != UNSPLIT:
        yield name
    number = 2
    while True:
        yield f"{name}_{number}"
        number += 1
