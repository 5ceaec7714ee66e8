"""YAML of strangers: what it says, within bounds, and nothing that runs."""

import re
from pathlib import Path

import pytest
import yaml

from clearset.store import documents
from clearset.store.errors import ClearsetError

LAUGHS = "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("content", [{}, {"a": 1}, [1, "x", None], "text", {"a": {"b": [1.5]}}])
def test_what_yaml_says_is_what_its_own_reader_says(content: object) -> None:
    text = yaml.safe_dump(content)
    assert documents.parsed(text, "here") == yaml.safe_load(text) == content


def test_an_alias_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: &a [1, 2]\nb: *a")
    assert documents.mapping(tmp_path / "a.yaml") == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LAUGHS, "stands for more than 1000000 values"),
        ("a: &a [*a]", "stands for more than"),
        ("[" * 100_000, "nests too deep"),
        ("[" * 100 + "]" * 100, "nests too deep"),
        ("a: !!python/object:os.system {}", "is no YAML: could not determine a constructor"),
        ("!!python/name:os.system", "is no YAML"),
        ("a: b: c", "is no YAML: mapping values are not allowed"),
        ("a: 2020-99-99", "is no YAML: month must be"),
        ("a: \x00", "is no YAML: unacceptable character"),
        ("- 1", "holds a list"),
        ("5", "holds a single value"),
        ("x" * (documents.LARGEST + 1), "is larger than"),
    ],
)
def test_what_is_none_is_refused_by_its_file(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ClearsetError, match=f"a.yaml {said}"):
        documents.mapping(tmp_path / "a.yaml")


def test_text_that_is_no_utf_8_is_refused_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"a: 1\nb: \xff")
    with pytest.raises(ClearsetError, match=re.escape("a.yaml, line 2: no UTF-8: save it as")):
        documents.read(tmp_path / "a.yaml")


def test_a_folder_and_what_is_not_there_are_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(ClearsetError, match="a folder lies where a file is expected"):
        documents.text(tmp_path)
    with pytest.raises(ClearsetError, match="gone: it is not there"):
        documents.text(tmp_path / "gone")
