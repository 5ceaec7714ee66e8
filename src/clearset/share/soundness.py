"""Whether a release that a stranger made can be read: each cell of its manifest that is used.

What is not is refused by image and column, before a pixel is decoded.
"""

import math
import re
from collections.abc import Callable, Iterator
from functools import partial

import pandas as pd

from clearset.share.manifest import DROPPED, KEPT, REPAIRED, unread
from clearset.store.checksums import is_safe
from clearset.store.errors import ClearsetError

LONGEST = 2**17  # characters of a cell: as many as Python's reader of CSV takes
FATES = (KEPT, REPAIRED, DROPPED)
BAND = r"[1-9]\d{0,4}"
NUMBER = r"-?\d{1,9}(\.\d{1,9})?(e[+-]?\d{1,2})?"
FORMS = {  # of columns that say how an image is read; each may be empty
    "alpha": (re.compile(BAND), "the number of a band, from 1"),
    "shown": (re.compile(rf"{BAND}( {BAND} {BAND})?"), "the numbers of one band or three, from 1"),
    "orientation": (re.compile("[1-8]"), "a number from 1 to 8"),
    "seen": (
        re.compile(rf"page|file .+|disc {NUMBER}( {NUMBER}){{2,4}}", re.DOTALL),
        "page, file PATH, or disc ROW COLUMN RADIUS",
    ),
}
Test = Callable[[str], bool]


def refuse(manifest: pd.DataFrame, where: str) -> None:
    """Raise `ClearsetError` naming file, image, column and cell for what can be no release."""
    for column, test, expected in _tests(manifest):
        held = manifest[column].map(test)
        if not held.all():
            row = manifest[~held.astype(bool)].iloc[0]
            raise ClearsetError(
                f"{where}, image {row['image_id'][:200]!a}, column {column}: "
                f"{row[column][:200]!a} is not {expected}. Do not trust it"
            )
    present = manifest["decision"] != DROPPED
    _refuse_rows(manifest, present & (manifest["output"] == ""), "output", "is empty", where)
    _refuse_rows(manifest, ~present & (manifest["output"] != ""), "output", "was dropped", where)
    read = manifest[present & ~unread(manifest)]
    finite = read["low"].map(math.isfinite) & read["high"].map(math.isfinite)
    _refuse_rows(read, ~finite, "low", "with high is no range of finite numbers", where)
    _refuse_rows(read, ~(read["low"] < read["high"]), "low", "is not below high", where)


def _tests(manifest: pd.DataFrame) -> Iterator[tuple[str, Test, str]]:
    """Yield each column that has a form, whether a cell has it, and what was expected."""
    for column, kind in manifest.dtypes.items():
        if kind == "str":
            yield str(column), _short, f"below {LONGEST} characters"
    for column in ("image_id", "split"):
        yield column, bool, "a name"
    yield "decision", FATES.__contains__, f"one of {', '.join(FATES)}"
    for column in ("output", "mask", "label"):
        yield column, _inside, "a path below the folder: it lies elsewhere"
    for column, (form, expected) in FORMS.items():
        yield column, partial(_formed, form), expected
    yield "seen", _seen_inside, "a path below the folder"


def _short(cell: str) -> bool:
    return len(cell) <= LONGEST


def _formed(form: re.Pattern[str], cell: str) -> bool:
    return not cell or bool(form.fullmatch(cell))


def _seen_inside(cell: str) -> bool:
    return _inside(cell.partition("file ")[2])


def _inside(place: str) -> bool:
    return not place or is_safe(place)


def _refuse_rows(
    manifest: pd.DataFrame, wrong: pd.Series, column: str, what: str, where: str
) -> None:
    if wrong.any():
        row = manifest[wrong].iloc[0]
        raise ClearsetError(
            f"{where}, image {row['image_id'][:200]!a}, column {column}: {row[column]!s:.200} "
            f"{what}. Do not trust it"
        )
