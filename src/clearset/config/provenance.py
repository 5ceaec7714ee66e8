"""Under which params a stage's folder was made: written into it, and held to whatever reads it.

DVC writes into dvc.lock the params that it finds once a stage has ended, not those that the stage
has read. So a stage reads its params once, refuses to end well where they have changed since, and
refuses to build on a folder that says it was made under others.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from clearset.config import params
from clearset.store import documents, layout
from clearset.store.errors import ClearsetError, listed

MAPS = (Path("dvc.yaml"), Path("training/dvc.yaml"))
RECORD = "params.yaml"  # in a stage's folder
KEY = re.compile(r"\$\{(key|item)\}")  # what a map has in place of a dataset's name
ELSEWHERE = ("fetch", "path")  # where a source lies changes nothing that is made of it
Sections = dict[str, Any]  # the sections of a dataset that a stage reads, by name


@dataclass(frozen=True)
class Inputs:
    """What the map says that a stage reads: sections of params, folders of stages before it."""

    sections: list[str]
    stages: list[str]


def inputs(stage: str) -> Inputs:
    """Return what the map says that a stage reads; nothing where no map has the stage."""
    for path in MAPS:
        if not path.is_file():
            continue
        stages = documents.named(documents.mapping(path).get("stages"), f"{path}, stages")
        if stage in stages:
            body = stages[stage].get("do", stages[stage])
            names = [name for entry in body.get("params", []) for name in _names(entry)]
            folders = [Path(dep) for dep in body["deps"]]
            return Inputs(
                [KEY.sub("", name).removeprefix(".") for name in names],
                [f.parent.name for f in folders if _of_dataset(f)],
            )
    return Inputs([], [])


def _of_dataset(dep: Path) -> bool:
    """Whether a dependency is what a stage has made of the dataset."""
    return bool(KEY.fullmatch(dep.name)) and layout.DATA in dep.parents


def _names(entry: Any) -> list[str]:
    """Return the names that an entry of `params` has, with or without the file they lie in."""
    return [entry] if isinstance(entry, str) else [name for own in entry.values() for name in own]


def sections(dataset: str, names: list[str]) -> Sections:
    """Return sections of a dataset as its params have them now, without where its source lies."""
    own = params.tree(dataset)[1].get(dataset)
    content: Mapping[str, Any] = own if isinstance(own, Mapping) else {}
    return {name: _plain(name, content[name]) for name in names if name in content}


def _plain(name: str, section: Any) -> Any:
    if name == ELSEWHERE[0] and isinstance(section, Mapping):
        return {key: value for key, value in section.items() if key != ELSEWHERE[1]}
    return section


def record(stage: str, dataset: str, folder: Path) -> None:
    """Write the sections that a stage has read into its folder."""
    content = {dataset: sections(dataset, inputs(stage).sections)}
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    (folder / RECORD).write_text(text, encoding="utf-8")


def refuse_others(stages: Iterable[str], dataset: str) -> None:
    """Raise `ClearsetError` where the folder of one of the stages was made under other params."""
    for before in stages:
        folder = layout.stage_folder(before, dataset)
        made = _made(folder / RECORD, dataset)
        now = sections(dataset, list(made))
        if changes := list(differences(now, made)):
            raise ClearsetError(
                f"{folder} was made under other params than {params.place(dataset)} has: "
                f"{listed(changes)}. They were changed while stage {before} ran, and nothing is "
                f"built on that. Make it anew: dvc repro --force --single-item "
                f"{params.pipeline(dataset)}{before}@{dataset}; then the same command again"
            )


def _made(path: Path, dataset: str) -> Sections:
    """Return what a folder says it was made under; nothing where it says nothing."""
    if not path.is_file():
        return {}
    own = documents.mapping(path).get(dataset)
    return own if isinstance(own, dict) else {}


def refuse_changed(stage: str, dataset: str, before: Sections) -> None:
    """Raise `ClearsetError` where params that a stage has read are no longer what they were."""
    now = sections(dataset, list(before))
    if changes := list(differences(now, before)):
        raise ClearsetError(
            f"{params.place(dataset)} was changed while {stage} ran: {listed(changes)}. What it "
            "made is of the params before, and is not recorded as of those. Run the same again"
        )


def differences(now: Any, before: Any, key: str = "") -> Iterator[str]:
    """Yield each key under which two trees of params differ, with both values."""
    if isinstance(now, Mapping) and isinstance(before, Mapping):
        for name in dict.fromkeys([*now, *before]):
            inner = f"{key}.{name}" if key else str(name)
            yield from differences(now.get(name), before.get(name), inner)
    elif now != before:
        yield f"{key} is {now!r:.80} now and was {before!r:.80}"
