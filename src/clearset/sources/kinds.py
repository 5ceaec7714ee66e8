"""Which of several kinds of annotation is measured, and which shows the field of view."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations, islice
from pathlib import Path, PurePosixPath

from clearset.config.schema_fetch import Layout
from clearset.sources import names
from clearset.sources.glances import Look, overlap, shows_field
from clearset.sources.groups import SAMPLE, most
from clearset.sources.layouts import LAYOUTS
from clearset.sources.roles import ANNOTATION, IMAGE, Part
from clearset.store.errors import ClearsetError

ALIKE = 0.9  # mean overlap of masks from which they are one for all images


def choice(parts: Sequence[Part], layout: Layout, look: Look) -> tuple[str, str]:
    """Return the kind of annotation that is measured and the one of the field of view, or "".

    Measured is a kind that is drawn and differs between images (see `_worth`), of equals the first
    by name. Raises `ClearsetError` for a kind that the layout names and no file is of.
    """
    by_kind: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        if part.role == ANNOTATION and not part.reason:
            by_kind[part.kind].append(part)
    _check(layout, by_kind)
    files = {part.entry.place: part.entry.file for part in parts if part.role == IMAGE}
    seen = layout.seen if layout.seen in by_kind else _field(by_kind, files, look)
    if layout.measured in by_kind:
        return layout.measured, seen
    others = {kind: own for kind, own in by_kind.items() if kind != seen}
    worth = {kind: _worth(own, look) for kind, own in others.items()}
    measured = [kind for kind, rank in worth.items() if rank is not None]
    return min(measured, key=lambda kind: (worth[kind], kind), default=""), seen


def _check(layout: Layout, by_kind: Mapping[str, list[Part]]) -> None:
    """Raise `ClearsetError` for a kind that a layout names by itself and no file is of."""
    usual = LAYOUTS.get(layout.name, Layout())
    for key in ("measured", "seen"):
        named = getattr(layout, key)
        if named and named not in by_kind and named != getattr(usual, key):
            known = ", ".join(sorted(by_kind)) or "none: no annotation was found"
            raise ClearsetError(f"fetch.layout.{key} is {named!a}. Kinds found: {known}")


def _worth(parts: Sequence[Part], look: Look) -> tuple[bool, bool, bool, int, bool] | None:
    """Return what speaks against measuring a kind, least first; None: it can not be measured.

    Some image must have just one of it, it must be no photograph in colour, and no depth or the
    like. Then what is not drawn comes last, what is one for all images, what is in colour, what
    fewer images have, and what no usual word names.
    """
    counts = Counter(image for part in parts for image in part.images)
    single = sum(count == 1 for count in counts.values())
    glances = [seen for part in _few(parts) if (seen := look(part.entry.file))]
    coloured = most(seen.coloured for seen in glances)
    drawn = most(seen.drawn for seen in glances) or not glances
    words = set(names.words(parts[0].kind))
    if not single or (coloured and not drawn) or words & names.NO_CLASSES:
        return None
    plain = not words & (names.PLURAL | names.SURE)  # says no more than a part
    return not drawn, likeness(parts, look) >= ALIKE, coloured, -single, plain


def _field(by_kind: dict[str, list[Part]], files: dict[PurePosixPath, Path], look: Look) -> str:
    """Return the kind whose masks are one for all images, which are black outside them."""
    for kind in sorted(by_kind):
        own = by_kind[kind]
        pairs = [(look(p.entry.file), look(files[p.images[0]])) for p in _few(own)]
        known = [(mask, image) for mask, image in pairs if mask and image]
        if known and all(shows_field(*pair) for pair in known) and _shared(own, look):
            return kind
    return ""


def _shared(parts: Sequence[Part], look: Look) -> bool:
    return len(parts) > 1 and likeness(parts, look) >= ALIKE


def likeness(parts: Sequence[Part], look: Look) -> float:
    """Return the mean overlap of a few annotations with each other, 0 to 1; 0 of a single one."""
    glances = [seen for part in _few(parts) if (seen := look(part.entry.file))]
    pairs = list(combinations(glances, 2))
    return sum(overlap(*pair) for pair in pairs) / len(pairs) if pairs else 0.0


def _few(parts: Sequence[Part]) -> list[Part]:
    return list(islice(parts[:: max(len(parts) // SAMPLE, 1)], SAMPLE))
