"""What a spreadsheet would run begins otherwise, and nothing else is touched."""

from pathlib import PurePosixPath

import pytest

from clearset.store import cells


@pytest.mark.parametrize("begin", cells.FORMULA)
def test_a_formula_becomes_text_and_a_path_stays_the_same_path(begin: str) -> None:
    content = f"{begin}1+1.png"
    assert cells.text(content) == f"'{content}"
    assert not cells.path(content).startswith(cells.FORMULA)
    assert PurePosixPath(cells.path(content)) == PurePosixPath(content)


@pytest.mark.parametrize("content", ["", "a=1", "'", "train/-a.png", "1-2", " =1"])
def test_what_begins_harmlessly_stays_as_it_is(content: str) -> None:
    assert cells.text(content) == cells.path(content) == content
