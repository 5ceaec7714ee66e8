"""What an archive says that it holds, judged before anything of it is written.

No name leads out, no two would be one file on any system, and nothing is there but files.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from clearset.store.checksums import is_safe
from clearset.store.errors import ClearsetError, listed

LONGEST = 255  # bytes of a name: more, no common file system holds
DEEPEST = 1024  # bytes of a path
FOLDER, LINK, DEVICE, SPARSE = "folder", "link", "device", "sparse"


@dataclass(frozen=True)
class Member:
    """A member of an archive: its path as it would be written, its bytes, and what it is."""

    name: str
    size: int
    kind: str = ""  # empty: a file


def refuse(archive: object, members: Sequence[Member]) -> None:
    """Raise `ClearsetError` naming archive and members unless all can be written, and nowhere else.

    Folders are only looked at for whether a file has their name.
    """
    for what, names in _problems(members):
        if names:
            raise ClearsetError(
                f"{archive} holds {what}: {listed(map(ascii, names))}. Nothing was unpacked; "
                "get the archive from its own source"
            )


def _problems(members: Sequence[Member]) -> Iterator[tuple[str, list[str]]]:
    """Yield each kind of problem with the names that have it."""
    others = [member for member in members if member.kind != FOLDER]
    names = [member.name for member in others]
    yield "members without a name", [name for name in names if not name.strip("/")]
    yield "unsafe names", [name for name in names if not is_safe(name)]
    yield "names of dots or spaces only", [name for name in names if _blank(name)]
    yield "names too long for a file system", [name[:80] for name in names if _long(name)]
    for kind, what in ((LINK, "links"), (DEVICE, "devices or pipes"), (SPARSE, "sparse files")):
        yield what, [member.name for member in others if member.kind == kind]
    yield "sizes below 0", [member.name for member in others if member.size < 0]
    keys = [_key(name) for name in names]
    counts = Counter(keys)
    yield "names twice", [n for n, key in zip(names, keys, strict=True) if counts[key] > 1]
    folders = {str(folder) for key in counts for folder in PurePosixPath(key).parents}
    folders |= {_key(member.name) for member in members if member.kind == FOLDER}
    both = [n for n, key in zip(names, keys, strict=True) if key in folders]
    yield "files that are folders, too", both


def _key(name: str) -> str:
    """Return what two names share that are one file somewhere: by case, by how accents are made."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
    return str(PurePosixPath(folded))


def _blank(name: str) -> bool:
    parts = (part for part in name.split("/") if part not in ("", "."))
    return any(not part.replace(".", "").strip() for part in parts)


def _long(name: str) -> bool:
    encoded = name.encode(errors="surrogatepass")
    return len(encoded) > DEEPEST or max(map(len, encoded.split(b"/"))) > LONGEST
