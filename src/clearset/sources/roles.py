"""What is what: for every file of a source whether it is an image, an annotation, or goes along.

Names, contents and configuration decide. A folder, or a mark in names, holds annotations only when
its files go with images elsewhere, or look drawn; what looks like an annotation and has no image is
carried along and not looked at. In doubt a picture that goes with an image by its name is taken for
an annotation: it is neither measured nor changed then.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from clearset.config.schema_fetch import Layout
from clearset.sources import layouts, names
from clearset.sources.entries import Entry
from clearset.sources.glances import Glance
from clearset.sources.pairs import Index, Named

IMAGE, ANNOTATION, LABEL, COMPANION, LEFT = "image", "annotation", "label", "companion", "left out"
SAMPLE = 5  # pictures of a collection that are glanced at
ALONE = "looks like an annotation, and goes with no image"
Look = Callable[[Path], Glance | None]


@dataclass(frozen=True)
class Part:
    """The part that a file plays: its role, an annotation's kind, the images it belongs to, why."""

    entry: Entry
    role: str
    kind: str = ""
    images: tuple[PurePosixPath, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Collection:
    """Pictures of one folder that bear the same mark, and how surely it means annotations.

    `level` is 3 for a name that means them by itself, 2 for one that does if they look so, 1.
    """

    pictures: list[Named]
    level: int
    drawn: bool


def assigned(
    entries: Sequence[Entry], layout: Layout, picture: Callable[[Entry], bool], look: Look
) -> list[Part]:
    """Return the part of every entry; `picture` tells which are pictures, `look` what they show."""
    parts = [Part(entry, LEFT, reason=entry.reason) for entry in entries if entry.reason]
    by_layout = {e: layouts.role(e.place, layout) for e in entries if not e.reason}
    parts += [Part(e, COMPANION) for e, (role, _) in by_layout.items() if role == COMPANION]
    pictures = [e for e, (role, _) in by_layout.items() if role != COMPANION and picture(e)]
    others = [
        Named(e) for e, (role, _) in by_layout.items() if role != COMPANION and not picture(e)
    ]
    images, marked = _pictures(pictures, by_layout, look)
    index = Index(images)
    parts += [Part(image.entry, IMAGE) for image in images]
    parts += _annotations(marked, index, images)
    return sorted([*parts, *_beside(others, index)], key=lambda part: part.entry.place)


def _pictures(
    pictures: Sequence[Entry], by_layout: Mapping[Entry, tuple[str, str]], look: Look
) -> tuple[list[Named], list[Named]]:
    """Return the images and the annotations of pictures, as a layout or their looks say."""
    images = [Named(e) for e in pictures if by_layout[e][0] == IMAGE]
    marked = [Named(e, by_layout[e][1]) for e in pictures if by_layout[e][0] == ANNOTATION]
    open_ones = [Named(e) for e in pictures if not by_layout[e][0]]
    every = collections(open_ones, look)
    levels = {p.entry: one for one in every for p in one.pictures}
    index = Index([*images, *open_ones])
    for one in every:
        if is_annotation(one, index, levels, look):
            marked += one.pictures
        else:
            images += [replace(picture, mark="") for picture in one.pictures]
    return images, marked


def collections(pictures: Sequence[Named], look: Look) -> list[Collection]:
    """Return pictures by folder and mark; by suffix too where a folder has one name twice."""
    stems: dict[PurePosixPath, list[str]] = defaultdict(list)
    for one in pictures:
        stems[one.entry.place.parent].append(one.entry.place.stem)
    twice = {folder for folder, own in stems.items() if len(set(own)) < len(own)}
    known = {folder: set(own) for folder, own in stems.items()}
    groups: dict[tuple[PurePosixPath, str, str], list[Named]] = defaultdict(list)
    for one in pictures:
        folder, suffix = one.entry.place.parent, one.entry.place.suffix
        mark = "" if one.name.marker else _unknown_mark(one.stem, known[folder])
        key = folder, one.name.marker or mark, suffix if folder in twice else ""
        groups[key].append(replace(one, mark=mark))
    return [_collection(own, look) for own in groups.values()]


def _unknown_mark(stem: str, stems: set[str]) -> str:
    """Return what follows another picture's whole name in a name: a_drawn beside a -> _drawn."""
    ends = [m.start() for m in names.BREAKS.finditer(stem)]
    return next((stem[end:] for end in reversed(ends) if stem[:end] in stems), "")


def _collection(pictures: list[Named], look: Look) -> Collection:
    first = pictures[0]
    folder, marker = names.annotation_folder(first.folders), first.name.marker
    level = 3 if names.sure(marker) or names.strength(folder) == 2 else 1
    level = 2 if level == 1 and (marker or folder) else level
    glances = [seen for one in sampled(pictures) if (seen := look(one.entry.file))]
    drawn = sum(seen.drawn for seen in glances) * 2 > len(glances) if glances else level == 3
    return Collection(pictures, level, drawn)


def sampled(pictures: Sequence[Named]) -> list[Named]:
    """Return a few pictures, spread over all."""
    step = max(len(pictures) // SAMPLE, 1)
    return list(pictures[::step][:SAMPLE])


def is_annotation(
    one: Collection, index: Index, levels: Mapping[Entry, Collection], look: Look
) -> bool:
    """Whether a collection holds annotations of other pictures, or looks so by name and content."""
    if one.level > 1 and one.drawn:
        return True
    near = [(picture, index.partners(picture)) for picture in one.pictures]
    pairs = [(p, q[0]) for p, q in near if q and _is_image(levels, q[0], one)]
    if 2 * len(pairs) < len(one.pictures):
        return False
    if one.level == 1:
        return one.drawn and _same_size(pairs, look)
    # A folder `mask` beside one without may be a class of photographs, in colour as all are.
    return one.level == 3 or not _coloured(one.pictures, look)


def _is_image(levels: Mapping[Entry, Collection], partner: Named, one: Collection) -> bool:
    """Whether a partner is an image beside a collection: by its name, or by its looks."""
    other = levels.get(partner.entry)
    return other is None or (other.level < one.level if one.level > 1 else not other.drawn)


def _coloured(pictures: Sequence[Named], look: Look) -> bool:
    glances = [seen for one in sampled(pictures) if (seen := look(one.entry.file))]
    return 2 * sum(seen.coloured for seen in glances) > len(glances)


def _same_size(pairs: Sequence[tuple[Named, Named]], look: Look) -> bool:
    sides = [(look(p.entry.file), look(q.entry.file)) for p, q in pairs[:SAMPLE]]
    known = [(a, b) for a, b in sides if a and b]
    same = [(a.width, a.height) in ((b.width, b.height), (b.height, b.width)) for a, b in known]
    return 2 * sum(same) > len(known)


def _annotations(marked: Sequence[Named], index: Index, images: Sequence[Named]) -> Iterator[Part]:
    kinds = _kinds(marked)
    alone = _only_images(images)
    for one in marked:
        partners = index.partners(one) or alone.get(one.entry.place.parent.parent, [])
        if partners:
            places = tuple(image.entry.place for image in partners)
            yield Part(one.entry, ANNOTATION, kinds[one.entry], places)
        else:
            yield Part(one.entry, COMPANION, kinds[one.entry], reason=ALONE)


def _only_images(images: Sequence[Named]) -> dict[PurePosixPath, list[Named]]:
    """Return, by a folder, the image in its sub-folders where it is the only one of all of them."""
    below: dict[PurePosixPath, list[Named]] = defaultdict(list)
    for image in images:
        below[image.entry.place.parent.parent].append(image)
    return {folder: own for folder, own in below.items() if len(own) == 1}


def _kinds(marked: Sequence[Named]) -> dict[Entry, str]:
    """Return each annotation's kind: its folder, or its mark where an image has several there."""
    counts = Counter(
        (names.annotation_folder(one.folders), one.folders, one.name.core) for one in marked
    )
    several = {key[0] for key, count in counts.items() if count > 1}
    kinds = {}
    for one in marked:
        folder, marker = names.annotation_folder(one.folders), one.name.marker
        own = folder if folder and folder not in several else marker or folder
        kinds[one.entry] = one.kind or own or (one.folders[-1] if one.folders else "drawn")
    return kinds


def _beside(others: Sequence[Named], index: Index) -> Iterator[Part]:
    """Yield the part of each file that is no picture: of an image, or of the whole set."""
    for one in others:
        stem = PurePosixPath(one.entry.place.stem)  # world files: tile.tif.aux.xml
        inner = Named(Entry(one.entry.place.with_name(stem.name), one.entry.file))
        partners = index.partners(one) or (index.partners(inner) if stem.suffix else [])
        if partners:
            places = tuple(image.entry.place for image in partners)
            yield Part(one.entry, LABEL, one.entry.place.suffix.lower(), places)
        else:
            yield Part(one.entry, COMPANION)
