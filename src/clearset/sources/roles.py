"""What is what: for every file of a source whether it is an image, an annotation, or goes along.

Names, contents and configuration decide. A folder, or a mark in names, holds annotations only when
its files go with images elsewhere, or look drawn; what looks like an annotation and has no image is
carried along and not looked at. In doubt a picture that goes with an image by its name is taken for
an annotation: it is neither measured nor changed then.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from clearset.config.schema_fetch import Layout
from clearset.sources import layouts, names
from clearset.sources.entries import Entry
from clearset.sources.glances import Look
from clearset.sources.groups import BY_ITSELF, IF_DRAWN, NOT, SAMPLE, Group, groups, most
from clearset.sources.pairs import Index, Named
from clearset.sources.pairs import one as is_one

IMAGE, ANNOTATION, LABEL, COMPANION, LEFT = "image", "annotation", "label", "companion", "left out"
ALONE = "looks like an annotation, and goes with no image"
EITHER = "could be of either of several images"


@dataclass(frozen=True)
class Part:
    """The part that a file plays: its role, an annotation's kind, the images it belongs to, why."""

    entry: Entry
    role: str
    kind: str = ""
    images: tuple[PurePosixPath, ...] = ()
    reason: str = ""


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
    every = groups([Named(e) for e in pictures if not by_layout[e][0]], look)
    drawn = [one for one in every if one.level > NOT and one.drawn]
    others = [one for one in every if one not in drawn]
    photographs = [one for one in others if not one.drawn]
    levels = {picture.entry: one for one in others for picture in one.pictures}
    index = Index([*images, *(picture for one in photographs for picture in one.pictures)])
    marked += [picture for one in drawn for picture in one.pictures]
    for one in others:
        if is_annotation(one, index, levels, look):
            marked += one.pictures
        else:
            images += [replace(picture, mark="") for picture in one.pictures]
    return images, marked


def is_annotation(group: Group, index: Index, levels: Mapping[Entry, Group], look: Look) -> bool:
    """Whether a group whose names alone do not say so holds annotations of photographs.

    `index` has the photographs, `levels` the groups of those that no layout names.
    """
    near = [(p, index.partners(p, far=group.drawn)) for p in group.pictures]
    pairs = [(p, own[0]) for p, own in near if own and _plainer(levels.get(own[0].entry), group)]
    if 2 * len(pairs) < len(group.pictures):
        return False
    if group.drawn:
        return _same_size(pairs, look)
    if group.level == IF_DRAWN:  # photographs may be a class called mask; soft masks are grey
        partners = [levels.get(image.entry) for _, image in pairs]
        return not group.coloured and most(one is not None and one.coloured for one in partners)
    return group.level == BY_ITSELF


def _plainer(other: Group | None, group: Group) -> bool:
    """Whether a partner's group means annotations less surely than a group, or is a layout's."""
    return other is None or other.level < group.level or group.drawn


def _same_size(pairs: Sequence[tuple[Named, Named]], look: Look) -> bool:
    sides = [(look(p.entry.file), look(q.entry.file)) for p, q in pairs[:SAMPLE]]
    known = [(a, b) for a, b in sides if a and b]
    same = [(a.width, a.height) in ((b.width, b.height), (b.height, b.width)) for a, b in known]
    return 2 * sum(same) > len(known)


def _annotations(marked: Sequence[Named], index: Index, images: Sequence[Named]) -> Iterator[Part]:
    """Yield the part of each annotation: of its image, of several that it may be of, or of none."""
    single = _only_images(images)
    owners = {
        one: index.partners(one, far=True) or single.get(one.entry.place.parent.parent, [])
        for one in marked
    }
    named = kinds({one: own[0].entry.place for one, own in owners.items() if own})
    for one, own in owners.items():
        places = tuple(image.entry.place for image in own)
        if own:
            reason = "" if is_one(own) else EITHER
            yield Part(one.entry, ANNOTATION, named[one], places, reason)
        else:
            yield Part(one.entry, COMPANION, reason=ALONE)


def _only_images(images: Sequence[Named]) -> dict[PurePosixPath, list[Named]]:
    """Return, by a folder, the image in its sub-folders where it is the only one of all of them."""
    below: dict[PurePosixPath, list[Named]] = defaultdict(list)
    for image in images:
        below[image.entry.place.parent.parent].append(image)
    return {folder: own for folder, own in below.items() if len(own) == 1}


def kinds(owners: Mapping[Named, PurePosixPath]) -> dict[Named, str]:
    """Return each annotation's kind, `owners` being the images that they are of.

    That is its folder's word, or its mark; where an image has several of one kind, the folder
    that tells them apart, or else their marks.
    """
    base = {one: one.kind or _kind(one) for one in owners}
    together: dict[tuple[str, PurePosixPath], list[Named]] = defaultdict(list)
    for one, kind in base.items():
        together[kind, owners[one]].append(one)
    several = [(kind, own) for (kind, _), own in together.items() if len(own) > 1]
    by_folder = {kind for kind, own in several if len({one.folders for one in own}) > 1}
    marks = {one: one.name.marker or _rest(one, owner) for one, owner in owners.items()}
    by_mark = {kind for kind, own in several if len({marks[one] for one in own}) > 1}
    parted = {one: marks[one] if kind in by_mark else "" for one, kind in base.items()}
    parted |= {one: one.folders[-1] for one, kind in base.items() if kind in by_folder}
    return {one: one.kind or parted[one] or kind for one, kind in base.items()}


def _rest(one: Named, owner: PurePosixPath) -> str:
    """Return what an annotation's name says beyond its image's: 0_kidney of 0 -> kidney."""
    stem, whole = one.entry.place.stem.lower(), owner.stem.lower()
    found = names.BREAKS.match(stem, len(whole)) if stem.startswith(whole) else None
    found = found or names.BREAKS.search(stem)
    return stem[found.end() :].strip("_-. ()") if found else ""


def _kind(one: Named) -> str:
    folder = names.annotation_folder(one.folders)
    own = names.kind(folder, one.name.core) if folder else one.name.marker or one.mark.strip("_-. ")
    return own or (one.folders[-1] if one.folders else "drawn")


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
