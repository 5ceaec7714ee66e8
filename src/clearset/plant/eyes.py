"""A source's files to the subjects that they show, each once."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from clearset.images import codec
from clearset.plant.planting import Eye
from clearset.sources.inventory import Item
from clearset.sources.places import unfit
from clearset.store.errors import ClearsetError, UnreadableImage
from clearset.store.parallel import mapped


def unique_eyes(items: Sequence[Item], same: Sequence[Sequence[str]]) -> dict[Eye, Item]:
    """Return one usable item of each eye, with what to call it.

    Usable is what can be read, written back and released. `same` lists names (paths without suffix)
    of images that show one eye in different pixels; an unknown one is an error.
    """
    usable = [item for item in items if not unfit(item.source)]
    hashes = mapped(_pixels, [item.file for item in usable], "plant")
    first: dict[str, Item] = {}
    for item, pixels in zip(usable, hashes, strict=True):
        if pixels:
            first.setdefault(pixels, item)
    names = _names(list(first.values()))
    subject = {name: group[0] for group in same for name in group}
    if unknown := sorted(set(subject) - set(names)):
        raise ClearsetError(f"fetch.plant.same_eye names {unknown}: no image is called so")
    eyes = {}
    for name, item in zip(names, first.values(), strict=True):
        eyes[Eye(name, subject.get(name, name), item.split, item.mask is not None)] = item
    return eyes


def _names(items: Sequence[Item]) -> list[str]:
    """Return what to call each item: its stem, and where that is taken its split and suffix."""
    stems = [str(item.name.with_suffix("")).replace("/", "_") for item in items]
    names = list(stems)
    for longer in ("{split}_{stem}", "{split}_{stem}_{suffix}", "{split}_{stem}_{suffix}_{number}"):
        counts = Counter(names)
        names = [
            name
            if counts[name] == 1
            else longer.format(
                split=item.split, stem=stem, suffix=item.name.suffix[1:], number=number
            )
            for number, (name, stem, item) in enumerate(zip(names, stems, items, strict=True))
        ]
    return names


def _pixels(file: Path) -> str:
    try:
        pixels = codec.decode(file)
        return "" if codec.obstacle(file) else str(codec.describe(pixels)["pixels_sha256"])
    except UnreadableImage:
        return ""
