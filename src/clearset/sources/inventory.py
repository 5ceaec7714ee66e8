"""The images of a source with what belongs to each, and the part of every other file."""

import glob
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from clearset.config.schema_fetch import Fetch, Split
from clearset.images.codec import SUFFIXES
from clearset.sources import archives, kinds, layouts, names, roles
from clearset.sources.entries import Entry, entries
from clearset.sources.glances import Look, glance
from clearset.sources.roles import ANNOTATION, COMPANION, IMAGE, LABEL, LEFT, Part
from clearset.store.errors import ClearsetError, listed
from clearset.store.layout import CHECKSUMS

LABELS = [".txt", ".xml", ".json", ".csv", ".geojson"]  # of an image's label, the likeliest first
UNNAMED = "no pattern of fetch.splits names it"


@dataclass(frozen=True)
class Item:
    """One image of a source: its split, its path below the split's folder, its file, its mask.

    `label` is a file of another kind that belongs to it, `field` a mask of its field of view. Below
    `root` files lie in the source's own layout.
    """

    split: str
    name: PurePosixPath
    file: Path
    mask: Path | None
    root: Path
    label: Path | None = None
    field: Path | None = None

    @property
    def source(self) -> str:
        """The image's path below the source's root."""
        return self.file.relative_to(self.root).as_posix()

    @property
    def source_mask(self) -> str:
        """Its mask's path below the source's root; empty: it has none."""
        return self.mask.relative_to(self.root).as_posix() if self.mask else ""

    @property
    def source_label(self) -> str:
        """Its label's path below the source's root; empty: it has none."""
        return self.label.relative_to(self.root).as_posix() if self.label else ""

    @property
    def source_field(self) -> str:
        """Its field of view's path below the source's root; empty: it has none."""
        return self.field.relative_to(self.root).as_posix() if self.field else ""


@dataclass(frozen=True)
class Inventory:
    """A source: its images, the part of every file, and which kinds of annotation are used.

    `measured` is the kind that images are measured against, `seen` the one that shows the field of
    view; empty: none is.
    """

    items: list[Item]
    parts: list[Part]
    measured: str = ""
    seen: str = ""


def inventory(source: Path, fetch: Fetch, look: Look | None = None) -> Inventory:
    """Return what is what in a source, a folder or a single file.

    By the splits' patterns, or else by names, contents and `fetch.layout`; `look` tells what a
    picture looks like. Raises `ClearsetError`
    for a source without an image.
    """
    every = entries(source, fetch.links)
    root = (source if source.is_dir() else source.parent).resolve()
    if fetch.checksums:
        every = _published(every, fetch.checksums)
    if fetch.splits:
        result = _by_pattern(root, every, fetch.splits)
    else:
        layout = layouts.whole(fetch.layout)
        look = look or partial(glance, fetch.memory)
        parts = roles.assigned(every, layout, is_picture, look)
        if layout.name and not any(layouts.role(e.place, layout)[0] for e in every):
            known = ", ".join(layouts.LAYOUTS)
            raise ClearsetError(
                f"fetch.layout.name is {layout.name}, and no file of {source} lies where that has "
                f"one. Known: {known}; or leave it out"
            )
        used = kinds.choice(parts, layout, look)
        result = Inventory(_items(root, parts, used), parts, *used)
    if not result.items:
        raise ClearsetError(_no_image(source, fetch, result.parts))
    return replace(result, items=sorted(result.items, key=lambda item: (item.split, item.name)))


def _published(every: Sequence[Entry], name: str) -> list[Entry]:
    """Return entries, left out where the list of the published data set does not have them."""
    known = archives.read_checksums(CHECKSUMS / f"{name}.sha256")
    why = f"no part of what conf/checksums/{name}.sha256 lists"
    stray = [not entry.reason and str(entry.place) not in known for entry in every]
    return [replace(e, reason=why) if s else e for e, s in zip(every, stray, strict=True)]


def _no_image(source: Path, fetch: Fetch, parts: Sequence[Part]) -> str:
    where = ", ".join(split.images for split in fetch.splits.values()) or "any sub-folder"
    alone = sum(part.reason == roles.ALONE for part in parts)
    hint = f"; {alone} look like annotations of none: call them images by fetch.layout.images"
    there = Counter(part.entry.place.suffix.lower() or "no suffix" for part in parts)
    others = listed(f"{count} {suffix}" for suffix, count in there.most_common())
    hint = f"{hint if alone else ''}; there lie: {others or 'no files'}"
    packed = sum(there[suffix] for suffix in (".zip", ".tar", ".gz", ".tgz"))
    hint += ". Unpack the archives among them, or give one as the source" if packed else ""
    suffixes = " ".join(sorted(SUFFIXES))
    return f"no image in {source} ({where}; known suffixes: {suffixes}){hint}"


def image_ids(paths: list[str]) -> list[str]:
    """Return each path without its suffix, or with it where two would be the same."""
    stems = [str(PurePosixPath(path).with_suffix("")) for path in paths]
    counts = Counter(stems)
    return [stem if counts[stem] == 1 else path for stem, path in zip(stems, paths, strict=True)]


def is_picture(entry: Entry) -> bool:
    """Whether a file is a picture: by its suffix, or without one by its first bytes."""
    if entry.place.suffix:
        return entry.place.suffix.lower() in SUFFIXES
    try:
        with entry.file.open("rb") as file:
            return file.read(12).startswith(MAGIC)
    except OSError:
        return False


MAGIC = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"GIF8", b"BM")


def _by_pattern(root: Path, every: Sequence[Entry], splits: Mapping[str, Split]) -> Inventory:
    """Return what patterns name; what they do not is left out if it is a picture."""
    items = [item for name, split in splits.items() for item in _of_split(root, name, split)]
    named: dict[Path, Part] = {}
    by_file = {entry.file: entry for entry in every}
    for item in items:
        place = (PurePosixPath(item.source),)
        for file, role in ((item.file, IMAGE), (item.mask, ANNOTATION), (item.label, LABEL)):
            if file in by_file:
                named[file] = Part(
                    by_file[file], role, "masks" if role == ANNOTATION else "", place
                )
    return Inventory(items, [named.get(e.file) or _unnamed(e) for e in every], "masks")


def _unnamed(entry: Entry) -> Part:
    if entry.reason or is_picture(entry):
        return Part(entry, LEFT, reason=entry.reason or UNNAMED)
    return Part(entry, COMPANION)


def _of_split(root: Path, name: str, split: Split) -> list[Item]:
    files = [
        file
        for file in _matching(root, split.images)
        if file.is_file() and file.suffix.lower() in SUFFIXES and not file.name.startswith(".")
    ]
    counts = Counter(file.name for file in files)
    items = []
    for file in files:
        mask, label = (
            _template(root, pattern, file.stem) if pattern else None
            for pattern in (split.masks, split.labels)
        )
        whole = file.relative_to(root).as_posix()
        place = PurePosixPath(file.name if counts[file.name] == 1 else whole)
        items.append(Item(name, place, file, mask, root, label=label))
    return items


def _template(root: Path, masks: str, stem: str) -> Path | None:
    """Return the file that the mask template names for an image, if there is one."""
    matches = _matching(root, masks.replace("{stem}", glob.escape(stem)))
    return matches[0] if matches else None


def _matching(root: Path, pattern: str) -> list[Path]:
    """Return what a glob names below a folder; raises `ClearsetError` for one that leads out."""
    try:
        if ".." in PurePosixPath(pattern).parts:
            raise ValueError("it leads out of the source")
        return sorted(root.glob(pattern))
    except (ValueError, NotImplementedError) as error:
        raise ClearsetError(
            f"fetch.splits: {pattern!a} is no pattern of files below the source ({error}), such as "
            "train/images/*.png"
        ) from None


def _items(root: Path, parts: Sequence[Part], used: tuple[str, str]) -> list[Item]:
    """Return an item for each image; its place keeps its folders where two would be one."""
    images = [part.entry for part in parts if part.role == IMAGE]
    keys = [_key(entry) for entry in images]
    counts = Counter(keys)
    measured, seen = (_of_kind(parts, kind) for kind in used)
    labels = _labels(parts)
    items = []
    for entry, (split, place) in zip(images, keys, strict=True):
        name = place if counts[split, place] == 1 else entry.place
        mask, label, field = (one.get(entry.place) for one in (measured, labels, seen))
        items.append(Item(split, name, entry.file, mask, root, label=label, field=field))
    return items


def _key(entry: Entry) -> tuple[str, PurePosixPath]:
    folders = entry.place.parts[:-1]
    return names.split(folders), names.place(folders) / entry.place.name


def _of_kind(parts: Iterable[Part], kind: str) -> dict[PurePosixPath, Path]:
    """Return, by an image's place, its only annotation of a kind."""
    by_image: dict[PurePosixPath, list[Part]] = defaultdict(list)
    for part in parts:
        if part.role == ANNOTATION and part.kind == kind and not part.reason:
            for image in part.images:
                by_image[image].append(part)
    return {image: own[0].entry.file for image, own in by_image.items() if len(own) == 1}


def _labels(parts: Iterable[Part]) -> dict[PurePosixPath, Path]:
    """Return, by an image's place, the likeliest of its labels."""
    chosen: dict[PurePosixPath, Path] = {}
    likely = [part for part in parts if part.role == LABEL and part.kind in LABELS]
    for part in sorted(likely, key=lambda part: LABELS.index(part.kind)):
        for image in part.images:
            chosen.setdefault(image, part.entry.file)
    return chosen
