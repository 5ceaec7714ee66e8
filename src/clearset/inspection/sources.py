"""What a person gives to check, as files: a folder is its own, all else is laid out as one."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from clearset.inspection.items import Item, is_path, is_paths, items, refuse_none
from clearset.inspection.pixels import encoded, mask
from clearset.sources.work_folder import recognised
from clearset.store.errors import ClearsetError, listed

WHOLE = "all"  # the split of a sequence by itself
UNSAFE = re.compile(r"[^\w .+-]|[\x00-\x1f]")  # in a name of a folder, anywhere
LONGEST = 80  # characters of such a name
Fetch = dict[str, Any]  # the settings `fetch` that say how the files are read


def fetched(source: Any, folder: Path) -> Fetch:
    """Return how a source is read, after laying it out below `folder` where it is no folder.

    Raises `ClearsetError` for what is not there, is empty, or is no source at all.
    """
    if is_path(source):
        return {"path": str(of_path(Path(source)))}
    layout = folder.absolute()
    if isinstance(source, Mapping):
        if not source:
            raise ClearsetError("no split was given: {'train': images, 'test': images}")
        splits = {safe(str(name)): own for name, own in source.items()}
        if len(splits) < len(source):
            raise ClearsetError(f"splits of one name: {listed(source)}")
        patterns = {name: write(own, layout, name) for name, own in splits.items()}
        return {"path": str(layout), "splits": patterns}
    refuse_none(source)
    if is_paths(source):
        link([Path(path) for path in source], layout)
        return {"path": str(layout)}
    return {"path": str(layout), "splits": {WHOLE: write(source, layout)}}


def of_path(source: Path) -> Path:
    """Return where a folder, archive or file of images lies; raises `ClearsetError` for none."""
    if not source.exists():
        raise ClearsetError(f"{source}: no such folder or archive of images")
    if recognised(source):
        raise ClearsetError(
            f"{source} is a fastdup work folder, tables without images: give the images, or, in a "
            "clone of Clearset, clearset folder SOURCE NAME"
        )
    if source.is_dir() and not any(source.iterdir()):
        raise ClearsetError(f"{source} is empty: there is no image to check")
    return source.resolve()


def link(paths: list[Path], folder: Path) -> None:
    """Lay files out below `folder` as they lie below the folder that holds them all, by links.

    Raises `ClearsetError` for a path that is no file, or that is given twice.
    """
    files = [Path(os.path.normpath(path.absolute())) for path in paths]
    if missing := [path for path in paths if not path.is_file()]:
        raise ClearsetError(f"no such image file: {listed(missing)}")
    if twice := sorted(str(path) for path, count in Counter(files).items() if count > 1):
        raise ClearsetError(f"given more than once: {listed(twice)}. Name each file once")
    root, names = Path(os.path.commonpath([file.parent for file in files])), Names()
    for file in files:
        place = names.unique(file.relative_to(root))
        _place(folder / place, file)


def write(source: Any, folder: Path, split: str = "") -> dict[str, str]:
    """Write the items of a sequence below `folder`; return the patterns of their split.

    Images lie in a folder of their label's name, under their number or their file's name.
    """
    refuse_none(source)
    names, digits, home = Names(), max(4, len(str(len(source) - 1))), folder / split
    masks = 0
    for number, item in enumerate(items(source)):
        own = Path(item.image).stem if is_path(item.image) else f"{number:0{digits}d}"
        stem = names.unique(Path(own)).name
        where = home / "images" / names.label(item.label)
        _write(item, number, where, stem)
        if item.mask is not None:
            masks += 1
            one = mask(item.mask, f"the mask of item {number}")
            _save(home / "masks" / f"{stem}{one.suffix}", one.content)
    below = f"{split}/" if split else ""
    patterns = {"images": f"{below}images/**/*"}
    return patterns | ({"masks": f"{below}masks/{{stem}}.*"} if masks else {})


def _write(item: Item, number: int, folder: Path, stem: str) -> None:
    image, what = item.image, f"item {number}"
    if image is None:
        raise ClearsetError(f"{what} is None: leave it out")
    if isinstance(image, Mapping):  # a file's bytes, or where it lies
        image = image["bytes"] if image.get("bytes") is not None else image.get("path")
    if is_path(image):
        file = Path(image)
        if not file.is_file():
            raise ClearsetError(f"{what} is {file}: no such image file")
        _place(folder / f"{stem}{file.suffix}", file.absolute())
        return
    one = encoded(image, what)
    _save(folder / f"{stem}{one.suffix}", one.content)


def _place(target: Path, file: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(file)


def _save(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


@dataclass
class Names:
    """Names that were given out: no two alike, even where capitals are the same to a disk."""

    taken: set[str] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)

    def unique(self, path: Path) -> Path:
        """Return a path below a folder that is like no other so far, and that nothing hides."""
        shown = PurePosixPath(*(part.lstrip(".") or "_" for part in path.parts))
        place, number = shown, 1
        while _key(place) in self.taken:
            number += 1
            place = shown.with_name(f"{shown.stem}-{number}{shown.suffix}")
        self.taken.add(_key(place))
        return Path(place)

    def label(self, label: str) -> str:
        """Return the folder of a label: its name as far as a path can have it, and no other's."""
        if label and label not in self.labels:
            self.labels[label] = _free(safe(label), self.labels.values())
        return self.labels.get(label, "")


def _key(place: PurePosixPath) -> str:
    return str(place).casefold()


def _free(name: str, taken: Iterable[str]) -> str:
    others = {other.casefold() for other in taken}
    numbered = (f"{name}-{number}" for number in range(2, len(others) + 3))
    return next(one for one in (name, *numbered) if one.casefold() not in others)


def safe(name: str) -> str:
    """Return a name as that of a folder: no separator, nothing that hides it, not too long."""
    return UNSAFE.sub("_", name)[:LONGEST].strip(" .") or "_"
