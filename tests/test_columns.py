"""Tables are declared once, and each declaration fits together."""

import ast

import pandas as pd
import pytest

from clearset.store import columns, dossiers, stages
from clearset.store.columns import FLOAT, INT, STR, TABLES, Table
from clearset.store.columns.table import SCORES
from conftest import ROOT


@pytest.mark.parametrize("name", TABLES)
def test_a_key_is_made_of_different_columns_of_its_table(name: str) -> None:
    key = TABLES[name].key
    assert key
    assert len(key) == len(set(key))
    assert set(key) <= set(TABLES[name].columns)


@pytest.mark.parametrize("name", TABLES)
def test_types_are_text_whole_numbers_or_numbers(name: str) -> None:
    table = TABLES[name]
    assert set(table.columns.values()) <= {STR, INT, FLOAT}
    assert table.others in (None, INT, FLOAT)


@pytest.mark.parametrize("name", TABLES)
def test_names_of_tables_and_columns_are_plain_words(name: str) -> None:
    words = [name, *TABLES[name].columns]
    assert all(word.isidentifier() and word.isascii() and word == word.lower() for word in words)


@pytest.mark.parametrize("name", TABLES)
def test_what_is_an_image_id_is_text(name: str) -> None:
    kinds = TABLES[name].columns
    ids = {column for column in kinds if column.endswith("_id")} - {"component_id"}
    assert {kinds[column] for column in ids} <= {STR}


def test_scores_are_shares_in_their_own_order() -> None:
    assert list(SCORES) == ["precision", "recall", "f1", "auroc"]
    for name in ("detection", "severities"):
        assert list(TABLES[name].columns)[-4:] == list(SCORES)


def test_a_table_can_not_be_changed() -> None:
    with pytest.raises(AttributeError):
        TABLES["images"].key = ()  # type: ignore[misc]


def test_without_a_word_a_table_has_unique_keys_and_no_further_columns() -> None:
    table = Table({"image_id": STR}, ("image_id",))
    assert (table.unique, table.others) == (True, None)


WRITERS = ["*.py", "clearset/stages/*.py", "clearset/commands/*.py"]
WRITERS += ["clearset/share/releases.py", "clearset/engines/recording.py"]  # for them
STAGES = (stages.Catalogue, stages.Analysis, stages.Selection, stages.Comparison, stages.Lessons)


def used() -> set[str]:
    """Return every table that stages and commands name, or that is of a stage that they name."""
    files = [path for pattern in WRITERS for path in (ROOT / "src").glob(pattern)]
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text()))]
    words = {node.value for node in nodes if isinstance(node, ast.Constant)}
    classes = {node.id for node in nodes if isinstance(node, ast.Name)}
    return (set(TABLES) & words).union(
        *(dossiers.names(kind) for kind in STAGES if kind.__name__ in classes)
    )


def test_every_table_is_used_by_a_stage() -> None:
    assert used() == set(TABLES)


def test_tables_are_found_where_they_are_read_and_written() -> None:
    for name in TABLES:
        assert list(columns.empty(name)) == list(TABLES[name].columns)


def test_text_is_pythons_own_with_pyarrow_too() -> None:
    __import__("pyarrow")
    assert columns.empty("curation")["image_id"].dtype.storage == "python"
    assert pd.Series(["a"]).dtype.storage == "python"
