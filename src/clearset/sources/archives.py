"""Downloads that resume and are proven, and archives whose names are not trusted."""

import lzma
import shutil
import sys
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from clearset.store import layout
from clearset.store.checksums import is_safe, sha256
from clearset.store.errors import ClearsetError, listed

LIMIT = 64 * 2**30  # bytes an archive may unpack to
RATIO = 200  # times its own size that an archive may unpack to; images hardly compress
TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
MODE_LINK = 0o120000
MODE_TYPE = 0o170000
BROKEN = (  # what zipfile and its decompressors raise for a file that is no sound zip
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
)


def download(url: str, expected: str, target: Path) -> None:
    """Download `url` to `target`, which appears only when its sha256 is `expected`.

    What an interrupted download left is resumed. Google Drive's warning page for large files is
    passed. Raises `ClearsetError` with the reason.
    """
    import gdown  # noqa: PLC0415 - heavy, and needed only here
    from gdown.exceptions import DownloadError  # noqa: PLC0415
    from requests import RequestException  # noqa: PLC0415

    target.parent.mkdir(parents=True, exist_ok=True)
    unproven = target.with_name(f".{target.name}.unproven")
    try:
        gdown.download(
            url=url,
            output=str(unproven),
            resume=True,
            retries=2,
            timeout=30,
            use_cookies=False,
            quiet=not sys.stderr.isatty(),
        )
    except (DownloadError, RequestException, OSError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ClearsetError(f"{url}: {reason}") from None
    digest = sha256(unproven)
    if digest != expected:
        size = unproven.stat().st_size
        unproven.unlink()
        raise ClearsetError(
            f"{url}: {size} bytes came, sha256 {digest}, but {expected} was expected; they were "
            "deleted. The file there has changed, or a page of the server came in its place"
        )
    unproven.replace(target)


def unpack(archive: Path, target: Path) -> None:
    """Unpack a zip or tar into the new folder `target`, whole or not at all.

    Raises `ClearsetError` for a name that leaves the folder, a link, two names that would be one
    file, an encrypted or broken member, or an archive that grows beyond all measure.
    """
    unpacked = _untar if archive.name.lower().endswith(TAR) else _unzip
    try:
        with layout.replacing(target) as incomplete:
            incomplete.mkdir()
            unpacked(archive, incomplete)
    except BROKEN as error:
        raise ClearsetError(f"{archive} can not be unpacked: {error}. Get it again") from None


def _unzip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as zipped:
        members = [member for member in zipped.infolist() if not member.is_dir()]
        # Some programs part names as their system does: such a name has no slash.
        pairs = [
            (m, m.filename if "/" in m.filename else m.filename.replace("\\", "/")) for m in members
        ]
        kept = [(member, name) for member, name in pairs if name[-1:] != "/"]
        links = [n for m, n in kept if (m.external_attr >> 16) & MODE_TYPE == MODE_LINK]
        _check(archive, {n: m.file_size for m, n in kept}, [n for _, n in kept], links)
        for member, name in kept:
            with zipped.open(member) as content:
                _write(content, folder / PurePosixPath(name))


def _untar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as tarred:
        members = [member for member in tarred.getmembers() if not member.isdir()]
        names = [str(PurePosixPath(member.name)) for member in members]
        others = [member.name for member in members if not member.isfile()]
        _check(archive, {m.name: m.size for m in members}, names, others)
        for member, name in zip(members, names, strict=True):
            if (content := tarred.extractfile(member)) is not None:
                with content:
                    _write(content, folder / name)


def _write(content: IO[bytes], place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("xb") as file:
        shutil.copyfileobj(content, file)


def _check(
    archive: Path, sizes: Mapping[str, int], names: Sequence[str], links: Sequence[str]
) -> None:
    """Raise `ClearsetError` for names that can not be written, and sizes beyond all measure."""
    counts = Counter(name.casefold() for name in names)
    unsafe = [name for name in names if not is_safe(name)]
    twice = [name for name in names if counts[name.casefold()] > 1]
    problems = (unsafe, "unsafe names"), (links, "links"), (twice, "names twice")
    for places, what in problems:
        if places:
            raise ClearsetError(
                f"{archive} holds {what}: {listed(map(ascii, places))}. Nothing was unpacked; "
                "get the archive from its own source"
            )
    total = sum(sizes.values())
    if total > min(LIMIT, RATIO * max(archive.stat().st_size, 2**20)):
        raise ClearsetError(f"{archive} would unpack to {total} bytes: too many. Unpack it by hand")


def read_checksums(path: Path) -> dict[str, str]:
    """Return {relative path: sha256} from a list as `sha256sum` writes it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = (line.split(maxsplit=1) for line in lines if line.strip())
    return {name.strip().removeprefix("*"): digest for digest, name in pairs}


def prove(folder: Path, checksums: dict[str, str]) -> None:
    """Raise `ClearsetError` unless every listed file lies below `folder` with the listed bytes."""
    missing = [name for name in checksums if not (folder / name).is_file()]
    present = [name for name in checksums if (folder / name).is_file()]
    changed = [name for name in present if sha256(folder / name) != checksums[name]]
    if missing or changed:
        parts = []
        if missing:
            parts.append(f"{len(missing)} missing ({listed(missing)})")
        if changed:
            parts.append(f"{len(changed)} with other bytes ({listed(changed)})")
        raise ClearsetError(
            f"{folder} is not the published dataset: "
            f"of {len(checksums)} files {' and '.join(parts)}"
        )
