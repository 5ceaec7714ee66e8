"""Which files of a source are images, and which mask and label belong to each."""

import glob
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from clearset.config.schema_fetch import Split
from clearset.images.codec import SUFFIXES
from clearset.store.errors import ClearsetError, listed

SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
WHOLE = "all"  # the split of a dataset that has none
LABELS = {".txt", ".json", ".xml", ".csv", ".geojson"}  # suffixes of files that belong to an image
MASKS = (
    "mask",
    "masks",
    "label",
    "labels",
    "annotation",
    "annotations",
    "manual",
    "gt",
    "labeltxt",
)
IMAGES = ("image", "images", "img", "imgs")
Beside = dict[tuple[str, str], dict[PurePosixPath, Path]]  # by split and stem, then by place


@dataclass(frozen=True)
class Item:
    """One image of a source: its split, its path below the split's folder, its file, its mask.

    `label` is a file of another kind that belongs to it. Below `root` files lie in the source's
    own layout.
    """

    split: str
    name: PurePosixPath
    file: Path
    mask: Path | None
    root: Path
    label: Path | None = None

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


def items(folder: Path, splits: Mapping[str, Split]) -> list[Item]:
    """Return the images below `folder`, by the splits' patterns or else by sub-folder names."""
    entries = _by_pattern(folder, splits) if splits else _by_name(folder)
    if not entries:
        where = ", ".join(split.images for split in splits.values()) or "any sub-folder"
        raise ClearsetError(
            f"no image in {folder} ({where}; known suffixes: {' '.join(sorted(SUFFIXES))})"
        )
    return sorted(entries, key=lambda item: (item.split, item.name))


def image_ids(paths: list[str]) -> list[str]:
    """Return each path without its suffix, or with it where two would be the same."""
    stems = [str(PurePosixPath(path).with_suffix("")) for path in paths]
    counts = Counter(stems)
    return [stem if counts[stem] == 1 else path for stem, path in zip(stems, paths, strict=True)]


def _by_pattern(folder: Path, splits: Mapping[str, Split]) -> list[Item]:
    items = []
    for name, split in splits.items():
        files = [file for file in sorted(folder.glob(split.images)) if _is_image(file)]
        names = Counter(file.name for file in files)
        for file in files:
            mask, label = (
                _template(folder, pattern, file.stem) if pattern else None
                for pattern in (split.masks, split.labels)
            )
            whole = file.relative_to(folder).as_posix()
            place = PurePosixPath(file.name if names[file.name] == 1 else whole)
            items.append(Item(name, place, file, mask, folder, label=label))
    return items


def _template(folder: Path, masks: str, stem: str) -> Path | None:
    """Return the file that the mask template names for an image, if there is one."""
    matches = sorted(folder.glob(masks.replace("{stem}", glob.escape(stem))))
    return matches[0] if matches else None


def _is_image(file: Path) -> bool:
    return file.is_file() and file.suffix.lower() in SUFFIXES and not file.name.startswith(".")


def _by_name(folder: Path) -> list[Item]:
    """Sort files by the words in their folders: train, test, ...; images; masks, labels, ..."""
    images: list[tuple[str, PurePosixPath, Path]] = []
    masks: Beside = defaultdict(dict)
    labels: Beside = defaultdict(dict)
    for file in _walk(folder):
        split, parent, annotates = _placed(PurePosixPath(file.relative_to(folder).as_posix()))
        if file.suffix.lower() in LABELS:
            labels[split, _mask_stem(file.stem)].setdefault(parent, file)
        elif _is_image(file) and annotates:
            masks[split, _mask_stem(file.stem)][parent] = file
        elif _is_image(file):
            images.append((split, parent / file.name, file))
    names = Counter((split, name) for split, name, _ in images)
    stems = Counter((split, file.stem) for split, _, file in images)
    items = []
    for split, name, file in images:
        whole = PurePosixPath(file.relative_to(folder).as_posix())
        alone = stems[split, file.stem] == 1
        mask, label = (_of(b[split, file.stem], name.parent, alone) for b in (masks, labels))
        place = name if names[split, name] == 1 else whole
        items.append(Item(split, place, file, mask, folder, label=label))
    return items


def _placed(path: PurePosixPath) -> tuple[str, PurePosixPath, bool]:
    """Return what a file's folders say: its split, its place there, whether it is an annotation."""
    parts = path.parts[:-1]
    words = [part.lower().split("_")[-1] for part in parts]
    split = next((SPLITS[w] for p in parts for w in p.lower().split("_") if w in SPLITS), WHOLE)
    names = (
        part
        for part, word in zip(parts, words, strict=True)
        if part.lower() not in SPLITS and word not in (*IMAGES, *MASKS)
    )
    return split, PurePosixPath(*names), any(word in MASKS for word in words)


def _of(files: Mapping[PurePosixPath, Path], place: PurePosixPath, alone: bool) -> Path | None:
    """Return the file of an image's own folder, or a single image's single one."""
    return next(iter(files.values())) if alone and len(files) == 1 else files.get(place)


def _walk(folder: Path) -> Iterator[Path]:
    """Yield visible files in name order, links to folders not followed."""
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(path) / name for name in sorted(files) if not name.startswith("."))


def _mask_stem(stem: str) -> str:
    """Return a mask's stem without the word that marks it: 21_mask -> 21."""
    head, _, last = stem.replace("-", "_").rpartition("_")
    return stem[: len(head)] if head and last.lower() in MASKS else stem


def passed_over(folder: Path, items: Sequence[Item]) -> list[str]:
    """Return, for the log, which visible files are no image and which go with none."""
    used = {file for item in items for file in (item.file, item.mask, item.label)}
    files = [file for file in _walk(folder) if file not in used]
    suffixes = Counter(f.suffix.lower() or "no suffix" for f in files if not _is_image(f))
    other = listed((f"{count} {suffix}" for suffix, count in sorted(suffixes.items())), limit=8)
    alone = listed(file.relative_to(folder).as_posix() for file in files if _is_image(file))
    lines = [f"passed over, no image's suffix: {other}"] if other else []
    return lines + ([f"passed over, masks or images of no split: {alone}"] if alone else [])
