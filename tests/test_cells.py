"""What a spreadsheet would run begins otherwise, and nothing else is touched."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearset.store import cells


@pytest.mark.parametrize("begin", cells.FORMULA)
def test_a_formula_becomes_text_and_a_path_stays_the_same_path(begin: str) -> None:
    content = f"{begin}1+1.png"
    assert cells.guarded(content) == f"'{content}"
    assert not cells.path(content).startswith(cells.FORMULA)
    assert PurePosixPath(cells.path(content)) == PurePosixPath(content)


@pytest.mark.parametrize("content", ["", "a=1", "'", "train/-a.png", "1-2", " =1"])
def test_what_begins_harmlessly_stays_as_it_is(content: str) -> None:
    assert cells.guarded(content) == cells.path(content) == cells.true(content) == content


@given(st.text("'=+a\n\uff1d"))
def test_every_text_comes_back_and_begins_like_no_formula(content: str) -> None:
    cell = cells.guarded(content)
    assert cells.true(cell) == content
    assert not cell.startswith(cells.FORMULA)


@given(st.text(), st.text())
def test_two_texts_are_two_cells(one: str, two: str) -> None:
    assert (cells.guarded(one) == cells.guarded(two)) == (one == two)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("a\u202eb", r"a\u202eb"),
        ("\udce9.png", r"\udce9.png"),
        ("\r\x7f\x85\u2028", r"\r\x7f\x85\u2028"),
        ("two\nlines\tä 眼", "two\nlines\tä 眼"),
    ],
)
def test_what_steers_a_terminal_is_spelt_out(text: str, shown: str) -> None:
    assert cells.visible(text) == shown
