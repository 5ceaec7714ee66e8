"""Zip and tar files, taken apart with a bound on all that they make this machine hold."""

import bz2
import gzip
import lzma
import shutil
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO, Any

from clearset.sources import members
from clearset.sources.members import DEVICE, FOLDER, LINK, SPARSE, Member
from clearset.store.errors import ClearsetError

LIMIT = 64 * 2**30  # bytes an archive may unpack to
RATIO = 200  # times its own size that an archive may unpack to; images hardly compress
MOST = 1_000_000  # members: as many as the largest sets have; a list of them takes a gigabyte
HEADER = 2**24  # bytes that a reader of tar may ask for at once: names are short
END, ENTRY, WIDE = b"PK\5\6", b"PK\1\2", b"PK\6\6"  # of a zip's list: its end, each entry, 64 bits
TAIL = 2**16 + 22 + 20 + 56  # bytes in which a zip's end lies, and that of 64 bits before it
PACKERS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}


def largest(archive: Path) -> int:
    """Return how many bytes an archive may unpack to."""
    return min(LIMIT, RATIO * max(archive.stat().st_size, 2**20))


def unzip(archive: Path, folder: Path) -> None:
    """Write a zip's files below a folder; raises `ClearsetError` before the first if one is unfit.

    A broken zip raises what `zipfile` does.
    """
    if entries(archive) > MOST:
        raise _refusal(archive, f"more than {MOST} members")
    with zipfile.ZipFile(archive) as zipped:
        pairs = [(info, _of_zip(info)) for info in zipped.infolist()]
        members.refuse(archive, [member for _, member in pairs])
        _refuse_size(archive, sum(member.size for _, member in pairs))
        for info, member in pairs:
            if not member.kind:
                with zipped.open(info) as content:
                    _write(content, folder / PurePosixPath(member.name))


def entries(archive: Path) -> int:
    """Return at least how many members a zip lists, without listing them."""
    size = archive.stat().st_size
    with archive.open("rb") as file:
        file.seek(max(0, size - TAIL))
        tail = file.read()
        place, wide = tail.rfind(END), tail.rfind(WIDE)
        if place < 0 or len(tail) < place + 22:
            return 0
        (length,) = struct.unpack_from("<I", tail, place + 12)
        if length == 2**32 - 1 and 0 <= wide <= len(tail) - 56:
            (length,) = struct.unpack_from("<Q", tail, wide + 40)
        file.seek(max(0, size - TAIL - length))
        blocks = iter(lambda: file.read(2**20), b"")
        return sum(block.count(ENTRY) for block in blocks)


def _of_zip(info: zipfile.ZipInfo) -> Member:
    """Return a zip's member; what stands behind a NUL in its name is part of it here."""
    name = info.orig_filename
    # Some programs part names as their system does: such a name has no slash.
    name = name if "/" in name else name.replace("\\", "/")
    mode = info.external_attr >> 16
    if name.endswith("/") and name.strip("/"):
        return Member(name, 0, FOLDER)
    if stat.S_ISLNK(mode):
        return Member(name, info.file_size, LINK)
    odd = stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR)
    return Member(name, info.file_size, DEVICE if odd else "")


def untar(archive: Path, folder: Path) -> None:
    """Write a tar's files below a folder; raises as `unzip`, and what `tarfile` does."""
    limit = largest(archive)
    with (
        closing(_Bounded(archive, limit)) as stream,
        tarfile.open(fileobj=stream, mode="r:") as tarred,  # type: ignore[call-overload]
    ):
        pairs = [(info, _of_tar(info)) for info in _listed(archive, tarred, limit)]
        stream.seek(tarred.offset)
        if stream.read(tarfile.BLOCKSIZE).strip(b"\0"):
            raise tarfile.ReadError(f"what follows {len(pairs)} members is none")
        members.refuse(archive, [member for _, member in pairs])
        for info, member in pairs:
            content = None if member.kind else tarred.extractfile(info)
            if content is not None:
                with content:
                    _write(content, folder / member.name)


def _listed(archive: Path, tarred: tarfile.TarFile, limit: int) -> Iterator[tarfile.TarInfo]:
    """Yield a tar's members as long as they are not too many, nor together too large."""
    total = 0
    for number, info in enumerate(tarred, 1):
        if number > MOST:
            raise _refusal(archive, f"more than {MOST} members")
        if info.size < 0:
            raise _refusal(archive, f"a size below 0: {info.name!a}")
        total += info.size
        if total > limit:
            _refuse_size(archive, total)
        yield info


def _of_tar(info: tarfile.TarInfo) -> Member:
    name = str(PurePosixPath(info.name)) if info.name else ""
    if info.isdir():
        return Member(name, 0, FOLDER)
    if info.issym() or info.islnk():
        return Member(name, info.size, LINK)
    if info.issparse():
        return Member(name, info.size, SPARSE)
    return Member(name, info.size, "" if info.isreg() else DEVICE)


class _Bounded:
    """A tar as it is unpacked, of which no more is read than it may unpack to."""

    def __init__(self, archive: Path, limit: int) -> None:
        with archive.open("rb") as file:
            begin = file.read(6)
        opened = [opener for magic, opener in PACKERS.items() if begin.startswith(magic)]
        self.archive, self.limit = archive, limit + 2**20  # headers beside the files
        self.file: Any = opened[0](archive) if opened else archive.open("rb")

    def read(self, size: int) -> bytes:
        """Return the next bytes; raises for more of them than any header has."""
        if not 0 <= size <= HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes, more than {HEADER}")
        data: bytes = self.file.read(size)
        self._check(self.file.tell())
        return data

    def seek(self, place: int) -> None:
        """Go to a place of what is unpacked."""
        self._check(place)
        self.file.seek(place)

    def tell(self) -> int:
        """Return the place."""
        return int(self.file.tell())

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def _check(self, place: int) -> None:
        if place > self.limit:
            _refuse_size(self.archive, place)


def _write(content: IO[bytes], place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("xb") as file:
        shutil.copyfileobj(content, file)


def _refuse_size(archive: Path, total: int) -> None:
    if total > largest(archive):
        raise ClearsetError(f"{archive} would unpack to {total} bytes: too many. Unpack it by hand")


def _refusal(archive: Path, what: str) -> ClearsetError:
    return ClearsetError(
        f"{archive} holds {what}. Nothing was unpacked; unpack it by hand if you trust it"
    )
