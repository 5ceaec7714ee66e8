"""Pictures of one folder that bear the same mark: what their names and their looks say together."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from clearset.sources import names
from clearset.sources.glances import Look
from clearset.sources.pairs import Named

SAMPLE = 5  # pictures of a group that are glanced at
BY_ITSELF, IF_DRAWN, NOT = 3, 2, 1  # how surely a name means annotations


@dataclass(frozen=True)
class Group:
    """Pictures of one folder that bear the same mark.

    `level` says how surely their names mean annotations (BY_ITSELF, IF_DRAWN, NOT); `drawn` and
    `coloured` how most of them look.
    """

    pictures: list[Named]
    level: int
    drawn: bool
    coloured: bool


def groups(pictures: Sequence[Named], look: Look) -> list[Group]:
    """Return pictures by folder and mark; by suffix too where a folder has one name twice."""
    stems: dict[PurePosixPath, list[str]] = defaultdict(list)
    for one in pictures:
        stems[one.entry.place.parent].append(one.entry.place.stem)
    twice = {folder for folder, own in stems.items() if len(set(own)) < len(own)}
    known = {folder: set(own) for folder, own in stems.items()}
    parted: dict[tuple[PurePosixPath, str, str, str], list[Named]] = defaultdict(list)
    for one in pictures:
        folder, suffix = one.entry.place.parent, one.entry.place.suffix
        mark = "" if one.name.marker else _unknown_mark(one.stem, known[folder])
        marked = replace(one, mark=mark)  # without it, a known word may stand at the end
        key = folder, marked.name.marker, mark, suffix if folder in twice else ""
        parted[key].append(marked)
    return [_group(own, look) for own in parted.values()]


def _unknown_mark(stem: str, stems: set[str]) -> str:
    """Return what follows another picture's whole name in a name: a_drawn beside a -> _drawn."""
    ends = [match.start() for match in names.BREAKS.finditer(stem)]
    return next((stem[end:] for end in reversed(ends) if stem[:end] in stems), "")


def _group(pictures: list[Named], look: Look) -> Group:
    first = pictures[0]
    folder, marker = names.annotation_folder(first.folders), first.name.marker
    level = BY_ITSELF if names.sure(marker) or names.strength(folder) == 2 else NOT
    level = IF_DRAWN if level == NOT and (marker or folder) else level
    glances = [seen for one in sampled(pictures) if (seen := look(one.entry.file))]
    drawn = most(seen.drawn for seen in glances) if glances else level == BY_ITSELF
    return Group(pictures, level, drawn, most(seen.coloured for seen in glances))


def sampled(pictures: Sequence[Named]) -> list[Named]:
    """Return a few pictures, spread over all."""
    step = max(len(pictures) // SAMPLE, 1)
    return list(pictures[::step][:SAMPLE])


def most(facts: Iterable[bool]) -> bool:
    """Whether more than half are true."""
    every = list(facts)
    return 2 * sum(every) > len(every)
