"""Which of several kinds of annotation is measured, and which shows the field of view."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations, islice
from pathlib import Path, PurePosixPath

from clearset.config.schema_fetch import Layout
from clearset.sources.glances import overlap, shows_field
from clearset.sources.roles import ANNOTATION, IMAGE, SAMPLE, Look, Part
from clearset.store.errors import ClearsetError

ALIKE = 0.9  # mean overlap of masks from which they are one for all images


def choice(parts: Sequence[Part], layout: Layout, look: Look) -> tuple[str, str]:
    """Return the kind of annotation that is measured and the one of the field of view, or "".

    Measured is the kind that differs between images, of several the one that most images have, then
    the first by name. Raises `ClearsetError` for a kind that the layout names and no file is of.
    """
    by_kind: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        if part.role == ANNOTATION:
            by_kind[part.kind].append(part)
    for key in ("measured", "seen"):
        named = getattr(layout, key)
        if named and named not in by_kind and not layout.name:
            known = ", ".join(sorted(by_kind)) or "none: no annotation was found"
            raise ClearsetError(f"fetch.layout.{key} is {named!a}. Kinds found: {known}")
    files = {part.entry.place: part.entry.file for part in parts if part.role == IMAGE}
    seen = layout.seen if layout.seen in by_kind else _field(by_kind, files, look)
    others = {kind: own for kind, own in by_kind.items() if kind != seen}
    if layout.measured in by_kind or not others:
        return (layout.measured if layout.measured in by_kind else ""), seen
    least = {kind: likeness(own, look) >= ALIKE for kind, own in others.items()}
    return min(others, key=lambda kind: (least[kind], -len(others[kind]), kind)), seen


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
