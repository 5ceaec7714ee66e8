"""Files that lie elsewhere, wherever fsspec reaches: brought here, and put there.

`s3://bucket/folder`, `gs://`, `abfs://`, `sftp://` and the like. How one gets in is the business of
each protocol's own variables and files, such as AWS_ACCESS_KEY_ID or FSSPEC_S3_ENDPOINT_URL.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from clearset.store import checksums, layout, tables
from clearset.store.errors import ClearsetError, listed
from clearset.store.parallel import watched

URL = re.compile(r"[a-z][a-z0-9+.-]*://(?!.*::).+")  # no chain of several
TOGETHER = 200  # files that are asked for at once
STAMPS = ("ETag", "etag", "mtime", "LastModified", "last_modified", "created", "md5Hash")
Stamps = dict[str, str]  # by place: what a file's size, date and the like are


def is_elsewhere(place: str) -> bool:
    """Whether a place is the address of files elsewhere."""
    return bool(URL.fullmatch(place))


def mirrored(url: str, folder: Path) -> Path:
    """Bring what lies at an address into a folder, and return where it is here.

    What has the size and the dates of the last time is not brought again, and what is gone there
    goes here. A single file keeps its name. Raises `ClearsetError` for an address that can not be
    reached, is empty, or holds names that are none here.
    """
    with _reached(url) as (system, root):
        single = system.isfile(root)
        found = {root: system.info(root)} if single else _files(system, root)
        names = {path: Path(path).name if single else _below(path, root) for path in found}
        refuse_unfit(url, names.values())
        stamps = {names[path]: _stamp(info) for path, info in found.items()}
        memory = folder.with_name(f".{folder.name}.json")
        known = _known(memory)
        paths = {name: path for path, name in names.items()}
        fresh = [n for n in paths if known.get(n) != stamps[n] or not (folder / n).is_file()]
        _clear(folder, set(paths))
        with layout.scratch(folder) as scratch:
            for some in _some(fresh, "download"):
                parts = [scratch / str(number) for number in range(len(some))]
                system.get([paths[name] for name in some], list(map(str, parts)))
                for name, part in zip(some, parts, strict=True):
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    part.replace(folder / name)
                known |= {name: stamps[name] for name in some}
                tables.write_json({name: known[name] for name in paths if name in known}, memory)
    return folder / Path(root).name if single else folder


def refuse_unfit(url: str, names: Collection[str]) -> None:
    """Raise `ClearsetError` for names that no file can have here, or two files not both."""
    if not names:
        raise ClearsetError(f"{url} holds no file: is the address right, to the last folder?")
    odd = {n for n in names if not checksums.is_safe(n) or str(PurePosixPath(n)) != n}
    folders = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    if unfit := sorted(odd | (folders & set(names))):
        raise ClearsetError(
            f"{url} has names that no file can have here: {listed(map(ascii, unfit))}. Give them "
            "others there, or name a folder without them"
        )


def _files(system: Any, root: str) -> dict[str, Any]:
    """Return what is known of each file below a path, but for the marks that folders leave."""
    every = system.find(root, detail=True)
    return {
        path: info
        for path, info in every.items()
        if info.get("type") != "directory" and not (path.endswith("/") and not info.get("size"))
    }


def _clear(folder: Path, names: set[str]) -> None:
    """Remove the files of a folder that are not named, and the folders that this empties."""
    if not folder.is_dir():
        return
    for gone in set(checksums.below(folder)) - names:
        layout.remove(folder / gone)
    for inner in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        if not any(inner.iterdir()):
            inner.rmdir()


def put(folder: Path, url: str) -> int:
    """Copy a folder to an address, its list of checksums last, and return how many files it has.

    Raises `ClearsetError` where something lies there already that is not of it, or what arrives has
    another size.
    """
    files = sorted(checksums.below(folder), key=lambda name: (name == checksums.CHECKSUMS, name))
    with _reached(url) as (system, root):
        there = {
            _below(path, root) for path in (_files(system, root) if system.exists(root) else ())
        }
        if others := sorted(there - set(files)):
            raise ClearsetError(
                f"{url} holds other files: {listed(map(ascii, others))}. Name an empty place"
            )
        for some in _some(files[:-1], "upload"):
            system.put([str(folder / name) for name in some], [f"{root}/{name}" for name in some])
        system.put_file(str(folder / files[-1]), f"{root}/{files[-1]}")
        system.invalidate_cache()
        sizes = {_below(path, root): info["size"] for path, info in _files(system, root).items()}
    if wrong := [name for name in files if sizes.get(name) != (folder / name).stat().st_size]:
        raise ClearsetError(f"not whole at {url}: {listed(map(ascii, wrong))}. Run the same again")
    return len(files)


@contextmanager
def _reached(url: str) -> Iterator[tuple[Any, str]]:
    """Yield the file system of an address, and the path in it; its errors are `ClearsetError`."""
    try:
        # Here, since it brings many packages, which the core does without.
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]  # noqa: PLC0415

        system, root = url_to_fs(url)
        yield system, str(root).rstrip("/")
    except ImportError as error:
        raise ClearsetError(
            f"{url} can not be reached: {error}. Install what the protocol needs, such as: pip "
            "install s3fs"
        ) from None
    except ClearsetError:
        raise
    except Exception as error:  # each protocol's packages have errors of their own
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise ClearsetError(
            f"{url} can not be reached: {reason}. Is the address right, and may you read it? "
            "docs/scale.md says where keys are looked for"
        ) from None


def _some(names: Sequence[str], what: str) -> Iterator[Sequence[str]]:
    """Yield the names, some at a time, with a progress bar on a terminal."""
    starts = range(0, len(names), TOGETHER)
    yield from watched((names[n : n + TOGETHER] for n in starts), len(starts), what)


def _below(path: str, root: str) -> str:
    return str(path)[len(root) + 1 :]


def _stamp(info: dict[str, Any]) -> str:
    return " ".join([str(info.get("size")), *(str(info[key]) for key in STAMPS if key in info)])


def _known(memory: Path) -> Stamps:
    """Return what was known the last time; nothing where that is no such file any more."""
    try:
        content = tables.read_json(memory) if memory.is_file() else {}
        return {str(place): str(stamp) for place, stamp in content.items()}
    except (ValueError, AttributeError):
        return {}
