"""What an entry of CHANGELOG.md says of a released dataset."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

import pandas as pd

from clearset.config.schema import Dataset
from clearset.store.markdown import escaped

ROWS = 20  # rows of images, and of params, that an entry has at most


@dataclass(frozen=True)
class Facts:
    """What a release is known by: tag, day of its commit, content, and the number of each fate."""

    dataset: str
    name: str
    date: str
    content: str
    fates: Mapping[str, int]
    restricted: bool  # others get a recipe


def params(before: Dataset, after: Dataset) -> list[tuple[str, str, str]]:
    """Return what differs between two sections: dotted name, value before, value after."""
    old, new = (dict(_leaves("", asdict(section))) for section in (before, after))
    names = sorted(set(old) | set(new))
    return [
        (name, old.get(name, "none"), new.get(name, "none"))
        for name in names
        if old.get(name) != new.get(name)
    ]


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(f"{name}.{key}" if name else str(key), inner)
    else:
        yield name, str(value.value if isinstance(value, Enum) else value)


def entry(
    facts: Facts, last: str, moved: Sequence[tuple[str, str, str]], fates: pd.DataFrame | None
) -> str:
    """Return the entry: counts, and what differs from the `last` release, if there was one.

    `fates` is the table of that name; of more than `ROWS` rows it says how to see the others.
    """
    became = ", ".join(f"{number} {fate}" for fate, number in facts.fates.items())
    how = ", as a recipe: its licence lets no picture be passed on" if facts.restricted else ""
    lines = [
        f"## {facts.name}",
        "",
        f"{facts.date}, released{how}. {sum(facts.fates.values())} images: {became}. "
        f"Content `{facts.content}`.",
        "",
    ]
    if fates is None:
        return "\n".join([*lines, "The first release."])
    lines += [f"Since {last}: {len(moved)} params and the fate of {len(fates)} images changed."]
    if len(moved):
        lines += ["", "| param | before | after |", "| --- | --- | --- |"]
        lines += [f"| {escaped(n)} | {escaped(b)} | {escaped(a)} |" for n, b, a in moved[:ROWS]]
    if len(fates):
        lines += ["", "| image | before | after | why |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {escaped(row.image_id)} | {escaped(row.before)} | {escaped(row.after)} "
            f"| {escaped(row.why)} |"
            for row in fates.head(ROWS).itertuples()
        ]
    if max(len(moved), len(fates)) > ROWS:
        lines += ["", f"All of them: `make diff DATASET={facts.dataset} A={last} B={facts.name}`."]
    return "\n".join(lines)
