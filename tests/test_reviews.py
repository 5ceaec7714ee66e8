"""A review file is read strictly: what it may hold, and what each mistake is told."""

import csv
from pathlib import Path

import pytest

from clearset.share import reviews
from clearset.store.errors import ClearsetError
from conftest import ROOT

HEADER = "image_id,decision,note\n"


def read(folder: Path, content: str | bytes) -> dict[str, tuple[str, str]]:
    """Return what a review file with this content says: {image_id: (decision, note)}."""
    path = folder / "mine.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return {i: (review.decision, review.note) for i, review in reviews.read(path).items()}


def test_no_file_is_no_review(tmp_path: Path) -> None:
    assert reviews.read(tmp_path / "none.csv") == {}


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}a,keep,fine\nb,drop,\n",
        f"\ufeff{HEADER}a,keep,fine\nb,drop,\n",
        f"{HEADER}a,keep,fine\nb,drop,\n".replace("\n", "\r\n"),
        f"{HEADER}\na,keep,fine\n\nb,drop,",
        'note,"image_id",decision\nfine,a,keep\n,b,drop\n',
    ],
    ids=["plain", "marked as UTF-8", "Windows", "blank lines", "another order"],
)
def test_what_editors_and_spreadsheets_write_is_read(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content) == {"a": ("keep", "fine"), "b": ("drop", "")}


@pytest.mark.parametrize("note", ["=cmd|'x'!A1", 'a, "b"', "one\ntwo\r\n\rthree", "NA", "  "])
def test_notes_are_taken_as_they_are(tmp_path: Path, note: str) -> None:
    with (tmp_path / "mine.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["image_id", "decision", "note"], ["a", "keep", note]])
    assert read(tmp_path, (tmp_path / "mine.csv").read_bytes()) == {"a": ("keep", note)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            f"{HEADER}a,kept,\n",
            "unknown decision 'kept' for 'a'. Known: keep, repair, drop",
        ),
        (f"{HEADER}a,Keep,\n", "line 2: unknown decision 'Keep'"),
        (f"{HEADER}a,keep,\n\na,drop,\n", r"line 4: 'a' stands in .*mine\.csv, line 2 already"),
        (f'{HEADER}a,keep,"1\n2\n3"\nb,kep,\n', "line 5: unknown decision 'kep'"),
        (f"{HEADER}a,keep\n", "line 2: 2 cells in place of 3"),
        (f"{HEADER}a,keep,so, la\n", "line 2: 4 cells in place of 3. A note with a comma"),
        (f'{HEADER}a,keep,"open\n', "line 2: unexpected end of data"),
        (f'{HEADER}a,keep,"shut" badly\n', "line 2: .*expected after"),
        ("image_id,decision\na,keep\n", r"line 1: the columns are \['image_id', 'decision'\]"),
        ("image_id;decision;note\n", "separated by commas"),
        ("image_id,decision,note,note\n", "line 1: the columns are"),
        ("", r"line 1: the columns are \[\]. It is a table in UTF-8"),
        (f"{HEADER}a,keep,\0\n", "line 2: a NUL character"),
        (f"{HEADER}a,keep,é\n".encode("latin-1"), "line 2: not UTF-8. Save it as UTF-8"),
        (f"{HEADER}a,keep,\n".encode("utf-16"), "line 1: not UTF-8"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(ClearsetError, match=rf"mine\.csv, {message}|{message}") as caught:
        read(tmp_path, content)
    assert str(caught.value).startswith(str(tmp_path / "mine.csv"))


def test_the_committed_files_hold_no_mistake() -> None:
    for path in (ROOT / "conf/review").glob("*.csv"):
        reviews.read(path)
    assert (ROOT / "conf/review/ravir.csv").read_text().startswith(HEADER)
