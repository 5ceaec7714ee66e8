"""Everything that lies below a source: files to look at, and what can not be one, with its reason.

Links are followed. A folder is read once, however many links lead to it, by its own name if it has
one below the source.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from clearset.config.schema_fetch import Links
from clearset.sources import names

JUNK = {"thumbs.db", "desktop.ini", "__macosx", "ehthumbs.db", "@eadir", "$recycle.bin"}
KINDS = {
    stat.S_ISSOCK: "a socket",
    stat.S_ISFIFO: "a named pipe",
    stat.S_ISBLK: "a device",
    stat.S_ISCHR: "a device",
}
TO_FOLDER = "a link to a folder"  # that is yet to be read
Identity = tuple[int, int]  # of a file system and of a file in it


@dataclass(frozen=True)
class Entry:
    """A file or another thing below a source, or why it is left out."""

    place: PurePosixPath  # below the source
    file: Path
    reason: str = ""  # empty: a file that can be looked at


def entries(source: Path, links: Links) -> list[Entry]:
    """Return everything below a source but folders, by place; of a single file, itself."""
    if source.is_file():
        return [_visible(Entry(PurePosixPath(source.name), source))]
    every = (_visible(entry) for entry in _Walk(source.resolve(), links, {}).below())
    return sorted(every, key=lambda entry: entry.place)


@dataclass(frozen=True)
class _Walk:
    root: Path  # without any link
    links: Links
    folders: dict[Identity, str]  # that are read already, and as what

    def below(self) -> Iterator[Entry]:
        """Yield all; links to folders come last, so that none takes a folder's own name.

        Of several links to one folder the first counts, one whose name says a split before others.
        """
        found = list(self._real(self.root, PurePosixPath()))
        while found:
            yield from (entry for entry in found if entry.reason != TO_FOLDER)
            links = [entry for entry in found if entry.reason == TO_FOLDER]
            links.sort(
                key=lambda entry: (names.split(entry.place.parts) == names.WHOLE, entry.place)
            )
            found = [entry for link in links for entry in self._linked(link)]

    def _linked(self, link: Entry) -> Iterator[Entry]:
        """Yield what a link to a folder leads to, or why it is not followed."""
        if (known := self.folders.get(_identity(link.file))) is not None:
            name = known if known != "." else "the source itself"
            yield replace(link, reason=f"a link to a folder that is read as {name!a}")
        else:
            yield from self._real(link.file, link.place)

    def _real(self, folder: Path, place: PurePosixPath) -> Iterator[Entry]:
        self.folders[_identity(folder)] = str(place)
        try:
            inside = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            yield Entry(place, folder, f"its folder can not be read: {error.strerror}")
            return
        for one in inside:
            own = Entry(place / one.name, Path(one.path))
            if one.is_dir(follow_symlinks=False):
                yield from self._real(own.file, own.place)
            elif one.is_symlink():
                yield self._link(own)
            else:
                yield Entry(own.place, own.file, _unusual(own.file))

    def _link(self, entry: Entry) -> Entry:
        """Return a link as what it leads to, a folder to read later, or the reason against it."""
        target = os.fsencode(entry.file.readlink()).decode(errors="backslashreplace")
        try:
            resolved = entry.file.resolve(strict=True)
        except FileNotFoundError:
            return Entry(entry.place, entry.file, f"a link to nowhere ({target!a})")
        except (OSError, RuntimeError):
            return Entry(entry.place, entry.file, f"a link that leads back to itself ({target!a})")
        if self.links is Links.inside and not resolved.is_relative_to(self.root):
            return Entry(entry.place, entry.file, f"a link out of the source ({target!a})")
        return Entry(
            entry.place, entry.file, TO_FOLDER if resolved.is_dir() else _unusual(resolved)
        )


def _identity(folder: Path) -> Identity:
    own = folder.stat()
    return own.st_dev, own.st_ino


def _unusual(file: Path) -> str:
    """Return why a file is none that can be read; empty: it can."""
    try:
        mode = file.stat().st_mode
    except OSError as error:
        return f"it can not be read: {error.strerror}"
    for is_kind, kind in KINDS.items():
        if is_kind(mode):
            return f"{kind}, not a file"
    return "" if os.access(file, os.R_OK) else "it can not be read: permission denied"


def _visible(entry: Entry) -> Entry:
    """Return an entry, left out if it or a folder of it is hidden."""
    hidden = any(part.startswith(".") or part.lower() in JUNK for part in entry.place.parts)
    return replace(entry, reason="hidden") if hidden and not entry.reason else entry
