"""A folder proven file by file: a list of sha256 in it, which `sha256sum -c` reads too."""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from clearset.store import layout
from clearset.store.errors import ClearsetError
from clearset.store.parallel import watched

CHECKSUMS = "checksums.sha256"
IDENTITIES = "identities.sha256"  # beside it, of images: see `identity`
MISSING, CHANGED, UNLISTED = "missing", "changed", "not listed"
DRIVE = re.compile(r"[A-Za-z]:")  # at the start of a path, another disk on some systems
UNWRITTEN = {"Cc", "Cs", "Zl", "Zp"}  # control characters, halves of others, ends of lines
LINE = re.compile(r"(?P<sha256>[0-9a-f]{64})  (?P<path>.+)")


@dataclass(frozen=True)
class Difference:
    """A file of a released folder that is not what its list says, and how it differs."""

    path: str  # below the folder
    what: str  # MISSING, CHANGED or UNLISTED


def sha256(path: Path) -> str:
    """Return a file's sha256, in lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_safe(name: str) -> bool:
    """Whether a name stays below the folder that it is joined to, on any system, and fits a line.

    Every space and mark that can be written is a name's own affair: U+202F, soft hyphens, emoji.
    """
    path = PurePosixPath(name)
    return bool(path.parts) and not (
        path.is_absolute()
        or ".." in path.parts
        or "\\" in name
        or DRIVE.match(name)
        or any(unicodedata.category(character) in UNWRITTEN for character in name)
    )


def write(folder: Path, name: str = CHECKSUMS, of: Path | None = None) -> str:
    """Write the list of every file below `of` (`folder` itself without it) as `folder/name`.

    Returns the list's own sha256, by which the content of the whole folder is known.
    """
    root = of or folder
    files = {place: sha256(root / place) for place in below(root) if place != name}
    return sha256(write_list(files, folder / name))


def write_list(digests: Mapping[str, str], path: Path) -> Path:
    """Write {path: sha256} in the form that `read` and `sha256sum -c` read, and return its path."""
    with layout.replacing(path) as incomplete:
        text = "".join(f"{digest}  {place}\n" for place, digest in sorted(digests.items()))
        incomplete.write_text(text, encoding="utf-8")
    return path


def read(path: Path) -> dict[str, str]:
    """Return {path: sha256} of a list that is not trusted.

    Raises `ClearsetError` for a list that is not there, not one, or names what lies elsewhere.
    """
    if not path.is_file() or path.is_symlink():
        raise ClearsetError(
            f"{path} is missing, so {path.parent} can not be checked. A released folder has it: is "
            "it the right folder, and complete?"
        )
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    matches = [LINE.fullmatch(line) for line in lines]
    for number, match in enumerate(matches, 1):
        if match is None:
            raise ClearsetError(
                f"{path}, line {number}: no checksum and path. Its bytes have changed, or it is no "
                "such list: get the release again"
            )
    digests = {match["path"]: match["sha256"] for match in matches if match}
    for place in digests:
        if not is_safe(place):
            raise ClearsetError(f"{path} names {place!a}, which lies elsewhere. Do not trust it")
    return digests


def verify(folder: Path, digests: dict[str, str] | None = None) -> list[Difference]:
    """Return every difference between a folder's files and its list (or another), by path.

    Raises `ClearsetError` as `read`.
    """
    own = layout.own(folder, CHECKSUMS)
    expected = read(own) if digests is None else digests
    differences: list[Difference] = []
    if outside := links(folder, [folder / place for place in expected]):
        differences += [Difference(place, MISSING) for place in expected if _below(place, outside)]
        expected = {p: digest for p, digest in expected.items() if not _below(p, outside)}
    for place in watched(sorted(expected), len(expected), "verify"):
        file = folder / place
        if not file.is_file() or file.is_symlink():
            differences.append(Difference(place, MISSING))
        elif sha256(file) != expected[place]:
            differences.append(Difference(place, CHANGED))
    listed = {*expected, *(one.path for one in differences), own.name}
    others = sorted(set(below(folder)) - listed)
    return sorted([*differences, *(Difference(o, UNLISTED) for o in others)], key=lambda d: d.path)


def links(folder: Path, files: Iterable[Path]) -> set[str]:
    """Return the folders below a folder, on the way to files, that are links: by relative path."""
    folders = {parent for file in files for parent in file.relative_to(folder).parents}
    return {str(parent) for parent in folders if parent.name and (folder / parent).is_symlink()}


def _below(place: str, folders: Collection[str]) -> bool:
    return any(str(parent) in folders for parent in PurePosixPath(place).parents)


def refuse_outside(folder: Path, files: Iterable[Path]) -> None:
    """Raise `ClearsetError` for the first file that a link leads to out of a folder."""
    root, whole = folder.resolve(), list(files)
    ways = [folder / name for name in sorted(links(folder, whole))]
    for way in [*ways, *(file for file in whole if file.is_symlink())]:
        if not way.resolve().is_relative_to(root):
            raise ClearsetError(
                f"{way} is a link that leads out of {folder}. Do not trust it; where DVC made it, "
                "dvc config cache.type copy, then dvc checkout --relink"
            )


def below(folder: Path) -> list[str]:
    """Return every file and link below a folder, by its relative path."""
    entries = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return [path.relative_to(folder).as_posix() for path in entries]
