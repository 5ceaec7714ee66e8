"""Downloads that resume and are proven, and archives whose names are not trusted."""

import lzma
import struct
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

from clearset.sources import packed
from clearset.store import defects, layout
from clearset.store.checksums import sha256
from clearset.store.errors import ClearsetError, listed

TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
BROKEN = (  # what zipfile and its decompressors raise for a file that is no sound zip
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
    struct.error,
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
    file, an encrypted or broken member, or an archive that grows beyond all measure; `OSError`
    where this machine has no room or right to hold what is in it.
    """
    unpacked = packed.untar if archive.name.lower().endswith(TAR) else packed.unzip
    try:
        with layout.replacing(target) as incomplete:
            incomplete.mkdir()
            unpacked(archive, incomplete)
    except BROKEN as error:
        if defects.of_system(error):
            raise
        raise ClearsetError(f"{archive} can not be unpacked: {error}. Get it again") from None


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
