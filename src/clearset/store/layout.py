"""Where things lie, and how they get there whole or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DATA = Path("data")
REPORTS = Path("reports")
CHECKSUMS = Path("conf/checksums")
REVIEW = Path("conf/review")
RECORDED = Path("conf/recorded")  # what fastdup gave on images, for when it stops working
INCOMING = DATA / "incoming"  # files put by hand, and downloads
FOLDERS = Path("folders")  # pipelines of `make folder`


OWN = "clearset-"  # before a released folder's own file where the source has one of that name


def own(folder: Path, name: str) -> Path:
    """Return where a released folder has a file of its own: beside the source's of that name."""
    beside = folder / f"{OWN}{name}"
    return beside if beside.exists() else folder / name


def measurements(folder: Path) -> Path:
    """Return where, beside its folder, the stage analyze keeps measurements of single images."""
    return folder.with_name(f"{folder.name}.measurements")


def last_stages(dataset: str) -> list[str]:
    """Return the stages of a dataset that no other follows, as DVC names them."""
    return [f"report@{dataset}", f"release@{dataset}"]


def stage_folder(stage: str, dataset: str) -> Path:
    """Return the folder that a stage writes for a dataset."""
    return DATA / stage / dataset


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield an unused path beside `target`; when the block ends well, move it onto `target`.

    Works for a file and for a folder. After an error or a kill `target` is as it was; what was
    begun is cleared at once, or after a kill by the next attempt.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    incomplete = target.with_name(f".{target.name}.incomplete")
    remove(incomplete)
    try:
        yield incomplete
        if incomplete.is_dir():
            remove(target)
        incomplete.replace(target)
    finally:
        remove(incomplete)


@contextmanager
def scratch(beside: Path | None) -> Iterator[Path]:
    """Yield an empty folder for the length of the block, beside a path or among temporary ones.

    After a kill the next one beside the same path clears it away.
    """
    if beside is None:
        with tempfile.TemporaryDirectory(prefix="clearset-") as name:
            yield Path(name)
        return
    folder = beside.with_name(f".{beside.name}.scratch")
    remove(folder)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        remove(folder)


def remove(path: Path) -> None:
    """Remove a file, link or folder, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
