"""Stages' tables to their folders and back, and all that is on record of a dataset."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from clearset.store import defects, tables
from clearset.store.errors import ClearsetError
from clearset.store.stages import Analysis, Catalogue, Cleaning, Selection, Survey, survey

Stage = TypeVar("Stage")


@dataclass(frozen=True)
class Dossier:
    """What the stages from fetch to enhance have written of a dataset, and into which folders."""

    folders: Mapping[str, Path]
    catalogue: Catalogue
    analysis: Analysis
    selection: Selection
    cleaning: Cleaning
    engine: Mapping[str, Any]  # engine.json: what measured the images, with which settings

    @property
    def survey(self) -> Survey:
        """What the rules are judged by."""
        return survey(self.catalogue, self.analysis, self.selection.conflicts)


def of(folders: Mapping[str, Path]) -> Dossier:
    """Return what the stages have written; `folders` are by stage, from fetch to enhance."""
    return Dossier(
        folders,
        read(Catalogue, folders["fetch"]),
        read(Analysis, folders["analyze"]),
        read(Selection, folders["filter"]),
        read(Cleaning, folders["enhance"]),
        engine(folders["analyze"] / "engine.json"),
    )


def engine(path: Path) -> dict[str, Any]:
    """Return what measured the images; raises `ClearsetError` for a file that does not say it."""
    try:
        content = tables.read_json(path)
    except OSError as error:
        raise ClearsetError(defects.sentence(error)) from None
    except ValueError as error:
        raise ClearsetError(f"{path} is no JSON: {error}. Run the stage analyze again") from None
    if not isinstance(content, dict):
        raise ClearsetError(f"{path} has no names and values. Run the stage analyze again")
    return content


def read(stage: type[Stage], folder: Path) -> Stage:
    """Return a stage's tables; raises `ClearsetError` as `tables.read`."""
    return stage(**{name: tables.read(name, folder) for name in names(stage)})


def write(stage: Any, folder: Path) -> None:
    """Write a stage's tables into its folder."""
    for name in names(type(stage)):
        tables.write(name, getattr(stage, name), folder)


def names(stage: type[Any]) -> list[str]:
    """Return the names of a stage's tables."""
    return [field.name for field in fields(stage)]
