"""What stages hand on: written and read again it is the same, and each table is of its stage."""

from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clearset.store import columns, dossiers, stages, tables
from clearset.store.columns import FLOAT, INT, STR, TABLES
from clearset.store.errors import ClearsetError
from clearset.store.stages import Analysis, Catalogue, Cleaning, Comparison, Selection, Survey

STAGES: list[type[Any]] = [Catalogue, Analysis, Selection, Cleaning, Comparison]
FOLDERS = {"fetch": Catalogue, "analyze": Analysis, "filter": Selection, "enhance": Cleaning}
ENGINE = {"name": "native", "version": "1"}


def two_rows(name: str, word: str) -> pd.DataFrame:
    """Return a table of two rows, whose texts begin with a word."""
    cells: dict[str, list[Any]] = {INT: [1, 2], FLOAT: [0.5, 0.25]}
    cells[STR] = [f"{word} a", f"{word} b"]
    rows = {column: cells[kind] for column, kind in TABLES[name].columns.items()}
    return tables.checked(name, pd.DataFrame(rows))


def of(kind: type[Any]) -> Any:
    """Return the tables of a stage, whose texts tell which one it is."""
    return kind(**{name: two_rows(name, kind.__name__) for name in dossiers.names(kind)})


def same(one: Any, other: Any) -> bool:
    """Return whether two sets of tables are of one kind and hold the same."""
    assert type(one) is type(other)
    return all(table.equals(getattr(other, name)) for name, table in vars(one).items())


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """The folders of the stages from fetch to enhance, as they leave them."""
    for name, kind in FOLDERS.items():
        dossiers.write(of(kind), tmp_path / name)
    tables.write_json(ENGINE, tmp_path / "analyze/engine.json")
    return {name: tmp_path / name for name in FOLDERS}


@pytest.mark.parametrize("kind", [*STAGES, Survey])
def test_every_table_of_a_stage_is_declared(kind: type[Any]) -> None:
    assert dossiers.names(kind)
    assert set(dossiers.names(kind)) <= set(TABLES)


@pytest.mark.parametrize("kind", STAGES)
def test_what_is_written_of_a_stage_is_read_again(kind: type[Any], tmp_path: Path) -> None:
    whole = of(kind)
    dossiers.write(whole, tmp_path)
    assert {path.stem for path in tmp_path.iterdir()} == set(dossiers.names(kind))
    assert same(dossiers.read(kind, tmp_path), whole)


@pytest.mark.parametrize("kind", STAGES)
def test_a_stage_that_lacks_a_table_is_not_read(kind: type[Any], tmp_path: Path) -> None:
    dossiers.write(of(kind), tmp_path)
    last = dossiers.names(kind)[-1]
    (tmp_path / f"{last}.csv").unlink()
    with pytest.raises(ClearsetError, match=last):
        dossiers.read(kind, tmp_path)


def test_a_table_of_a_stage_can_not_be_swapped_for_another() -> None:
    with pytest.raises(FrozenInstanceError):
        of(Cleaning).images = columns.empty("images")


def test_a_dossier_is_what_the_stages_have_written(folders: dict[str, Path]) -> None:
    dossier = dossiers.of(folders)
    assert dossier.folders == folders
    assert dossier.engine == ENGINE
    for part in (dossier.catalogue, dossier.analysis, dossier.selection, dossier.cleaning):
        assert same(part, of(type(part)))


@pytest.mark.parametrize("name", FOLDERS)
def test_a_dossier_takes_each_stage_from_its_own_folder(
    folders: dict[str, Path], name: str
) -> None:
    table = dossiers.names(FOLDERS[name])[0]
    (folders[name] / f"{table}.csv").unlink()
    with pytest.raises(ClearsetError, match=f"{name}.*{table}"):
        dossiers.of(folders)


def test_rules_are_judged_by_the_images_of_the_catalogue(folders: dict[str, Path]) -> None:
    dossier = dossiers.of(folders)
    survey = dossier.survey
    assert survey.images is dossier.catalogue.images  # not those that are cleaned
    assert survey.truth is dossier.catalogue.truth
    assert survey.conflicts is dossier.selection.conflicts
    others = set(dossiers.names(Survey)) - {"images", "truth", "conflicts"}
    assert others <= set(dossiers.names(Analysis))
    assert all(getattr(survey, name) is getattr(dossier.analysis, name) for name in others)


def test_a_survey_takes_the_conflicts_that_it_is_handed() -> None:
    conflicts = two_rows("conflicts", "other")
    assert stages.survey(of(Catalogue), of(Analysis), conflicts).conflicts is conflicts
