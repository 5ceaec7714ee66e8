"""Reviews: a file that people write, in an editor or a spreadsheet, and that is not trusted."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from clearset.share.manifest import REVIEWS, Review
from clearset.store.errors import ClearsetError

COLUMNS = ["image_id", "decision", "note"]
FORMAT = (
    "It is a table in UTF-8, separated by commas, with the columns image_id, decision (keep, "
    "repair or drop) and note"
)


def read(path: Path) -> dict[str, Review]:
    """Return the reviews in a file by image_id; none where there is no file.

    Raises `ClearsetError` with file and line for whatever is not as `FORMAT` says, and for an image
    that is reviewed twice. Notes are taken as they are.
    """
    reviews: dict[str, Review] = {}
    if not path.exists():
        return reviews
    for line, row in _rows(path):
        where, image_id, decision = f"{path}, line {line}", row["image_id"], row["decision"]
        if decision not in REVIEWS:
            raise ClearsetError(
                f"{where}: unknown decision {decision!a} for {image_id!a}. Known: "
                f"{', '.join(REVIEWS)}"
            )
        if image_id in reviews:
            raise ClearsetError(
                f"{where}: {image_id!a} stands in {reviews[image_id].where} already. Leave one"
            )
        reviews[image_id] = Review(decision, row["note"], where)
    return reviews


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row with the line that it begins on; blank lines are passed over."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        header = next(reader, [])
        if sorted(header) != sorted(COLUMNS):
            raise ClearsetError(f"{path}, line 1: the columns are {header}. {FORMAT}")
        line = reader.line_num + 1
        for cells in reader:
            if cells and len(cells) != len(header):
                raise ClearsetError(
                    f"{path}, line {line}: {len(cells)} cells in place of {len(header)}. A note "
                    'with a comma, a quote or several lines stands in quotes: "so, ""quoted"""'
                )
            if cells:
                yield line, dict(zip(header, cells, strict=True))
            line = reader.line_num + 1
    except csv.Error as error:
        raise ClearsetError(f"{path}, line {reader.line_num}: {error}. {FORMAT}") from None


def _text(path: Path) -> str:
    """Return the file's text; a spreadsheet's mark of UTF-8 before it is no part of it."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ClearsetError(f"{path}, line {line}: not UTF-8. Save it as UTF-8. {FORMAT}") from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ClearsetError(f"{path}, line {line}: a NUL character, so no text. {FORMAT}")
    return text
