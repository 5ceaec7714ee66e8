"""Where a dataset's files come from, and which of them are images and masks."""

import glob
import os
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from clearset.errors import ClearsetError, listed
from clearset.io import archives, layout
from clearset.io.images import SUFFIXES, png_bytes
from clearset.io.parallel import mapped
from clearset.schema_fetch import Fetch, Source, Split
from clearset.synthesis import Made, sample

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
MASKS = ("mask", "masks", "label", "labels", "annotation", "annotations", "manual", "gt")
IMAGES = ("image", "images", "img", "imgs")


@dataclass(frozen=True)
class Item:
    """One image of a source: its split, its path below the split's folder, its file, its mask.

    Below `root` files lie in the source's own layout.
    """

    split: str
    name: PurePosixPath
    file: Path
    mask: Path | None
    root: Path

    @property
    def source(self) -> str:
        """The image's path below the source's root."""
        return self.file.relative_to(self.root).as_posix()

    @property
    def source_mask(self) -> str:
        """Its mask's path below the source's root; empty: it has none."""
        return self.mask.relative_to(self.root).as_posix() if self.mask else ""


@contextmanager
def opened(dataset: str, fetch: Fetch) -> Iterator[Path]:
    """Yield the folder in which the source's files lie, proven where a list proves them.

    An archive is looked for in the environment (`CLEARSET_` and the name of its checksums), then in
    data/incoming/, then downloaded; a zip is unpacked for the length of the block.
    """
    unpacked = layout.INCOMING / f".{dataset}.unpacked"
    layout.remove(unpacked)
    try:
        place = unpacked if fetch.source is Source.generated else find(dataset, fetch)
        if fetch.source is Source.generated:
            generate(unpacked, fetch)
        elif place.is_file():
            archives.unpack(place, unpacked)
            place = unpacked
        if fetch.checksums:
            checksums = archives.read_checksums(layout.CHECKSUMS / f"{fetch.checksums}.sha256")
            place = _root(place, checksums)
            archives.prove(place, checksums)
        yield place
    finally:
        layout.remove(unpacked)


def find(dataset: str, fetch: Fetch) -> Path:
    """Return the folder or zip that holds a dataset, downloaded if need be."""
    if fetch.source is Source.folder:
        if not fetch.path or not Path(fetch.path).exists():
            raise ClearsetError(f"fetch.path of {dataset} is '{fetch.path}': no such folder or zip")
        return Path(fetch.path)
    archive = fetch.checksums or dataset  # several datasets may come from one archive
    variable = f"CLEARSET_{archive.upper().replace('-', '_')}"
    if given := os.environ.get(variable, ""):
        if not Path(given).exists():
            raise ClearsetError(f"{variable} is '{given}': no such folder or zip")
        return Path(given)
    first = next(iter(archives.read_checksums(layout.CHECKSUMS / f"{fetch.checksums}.sha256")))
    for place in sorted(layout.INCOMING.glob("[!.]*")):
        if _holds(place, first):
            return place
    target = layout.INCOMING / f"{archive}.zip"
    try:
        archives.download(fetch.url, fetch.sha256, target)
    except ClearsetError as error:
        raise ClearsetError(
            f"no copy of {dataset} was found. Tried: {variable} (not set), {layout.INCOMING}/ "
            f"(holds none), download ({error}). Get it by hand from {fetch.homepage or fetch.url} "
            f"and put the zip or the unpacked folder into {layout.INCOMING}/, or say where it "
            f"is: {variable}=/path; then run the same command again"
        ) from None
    return target


def generate(folder: Path, fetch: Fetch) -> None:
    """Write the generated sample as a source: <split>/images and <split>/masks."""
    made = partial(sample, count=fetch.count, size=fetch.size, seed=fetch.seed)
    mapped(partial(_write_made, folder, made), range(fetch.count), "generate")


def _write_made(folder: Path, make: Callable[[int], Made], number: int) -> None:
    made = make(number)
    for kind, pixels in (("images", made.pixels), ("masks", made.mask)):
        if pixels is not None:
            file = folder / made.split / kind / f"{made.name}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(png_bytes(pixels))


def _holds(place: Path, name: str) -> bool:
    """Whether a folder or zip holds a file whose path ends like `name`."""
    if place.is_dir():
        return (_root(place, {name: ""}) / name).is_file()
    try:
        with zipfile.ZipFile(place) as archive:
            return any(f"/{member}".endswith(f"/{name}") for member in archive.namelist())
    except archives.BROKEN:
        return False


def _root(place: Path, checksums: Mapping[str, str]) -> Path:
    """Return the folder that the listed paths start from: `place`, its parent, or one below."""
    first = next(iter(checksums))
    below = [*sorted(place.glob("*/")), *sorted(place.glob("*/*/"))]
    candidates = [place, place.absolute().parent, *below]
    return next((folder for folder in candidates if (folder / first).is_file()), place)


def items(folder: Path, splits: Mapping[str, Split]) -> list[Item]:
    """Return the images below `folder`, by the splits' patterns or else by sub-folder names."""
    found = _by_pattern(folder, splits) if splits else _by_name(folder)
    if not found:
        where = ", ".join(split.images for split in splits.values()) or "any sub-folder"
        raise ClearsetError(
            f"no image in {folder} ({where}; known suffixes: {' '.join(sorted(SUFFIXES))})"
        )
    return sorted(found, key=lambda item: (item.split, item.name))


def _by_pattern(folder: Path, splits: Mapping[str, Split]) -> list[Item]:
    found = []
    for name, split in splits.items():
        files = [file for file in sorted(folder.glob(split.images)) if _is_image(file)]
        names = Counter(file.name for file in files)
        for file in files:
            mask = _template(folder, split.masks, file.stem) if split.masks else None
            whole = file.relative_to(folder).as_posix()
            place = PurePosixPath(file.name if names[file.name] == 1 else whole)
            found.append(Item(name, place, file, mask, folder))
    return found


def _template(folder: Path, masks: str, stem: str) -> Path | None:
    """Return the file that the mask template names for an image, if there is one."""
    matches = sorted(folder.glob(masks.replace("{stem}", glob.escape(stem))))
    return matches[0] if matches else None


def _is_image(file: Path) -> bool:
    return file.is_file() and file.suffix.lower() in SUFFIXES and not file.name.startswith(".")


def _by_name(folder: Path) -> list[Item]:
    """Sort files by the words in their folders: train, test, ...; images; masks, labels, ..."""
    images: list[tuple[str, PurePosixPath, Path]] = []
    masks: dict[tuple[str, str], dict[PurePosixPath, Path]] = defaultdict(dict)
    for file in filter(_is_image, _walk(folder)):
        parts = PurePosixPath(file.relative_to(folder).as_posix()).parts[:-1]
        words = [part.lower().split("_")[-1] for part in parts]
        split = next((SPLITS[w] for p in parts for w in p.lower().split("_") if w in SPLITS), WHOLE)
        kept = (
            part
            for part, word in zip(parts, words, strict=True)
            if part.lower() not in SPLITS and word not in (*IMAGES, *MASKS)
        )
        if any(word in MASKS for word in words):
            masks[split, _mask_stem(file.stem)][PurePosixPath(*kept)] = file
        else:
            images.append((split, PurePosixPath(*kept, file.name), file))
    names = Counter((split, name) for split, name, _ in images)
    stems = Counter((split, file.stem) for split, _, file in images)
    return [
        Item(
            split,
            name if names[split, name] == 1 else PurePosixPath(file.relative_to(folder).as_posix()),
            file,
            _mask(masks[split, file.stem], name.parent, stems[split, file.stem] == 1),
            folder,
        )
        for split, name, file in images
    ]


def _mask(found: Mapping[PurePosixPath, Path], place: PurePosixPath, alone: bool) -> Path | None:
    """Return the mask of an image's own folder, or a single image's single mask."""
    return next(iter(found.values())) if alone and len(found) == 1 else found.get(place)


def _walk(folder: Path) -> Iterator[Path]:
    """Yield visible files in name order, links to folders not followed."""
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(path) / name for name in sorted(files) if not name.startswith("."))


def _mask_stem(stem: str) -> str:
    """Return a mask's stem without the word that marks it: 21_mask -> 21."""
    head, _, last = stem.replace("-", "_").rpartition("_")
    return stem[: len(head)] if head and last.lower() in MASKS else stem


def passed_over(folder: Path, found: Sequence[Item]) -> list[str]:
    """Return, for the log, which visible files are no image and which go with none."""
    used = {file for item in found for file in (item.file, item.mask)}
    files = [file for file in _walk(folder) if file not in used]
    suffixes = Counter(f.suffix.lower() or "no suffix" for f in files if not _is_image(f))
    other = listed((f"{count} {suffix}" for suffix, count in sorted(suffixes.items())), limit=8)
    alone = listed(file.relative_to(folder).as_posix() for file in files if _is_image(file))
    lines = [f"passed over, no image's suffix: {other}"] if other else []
    return lines + ([f"passed over, masks or images of no split: {alone}"] if alone else [])
