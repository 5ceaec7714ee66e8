"""`check`: all stages on a person's images, in a folder of their own and a process of their own."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from clearset.config import params
from clearset.inspection import settings as known
from clearset.inspection import sources
from clearset.inspection.items import is_path
from clearset.inspection.report import NAME, Report
from clearset.store import layout, locks
from clearset.store.errors import ClearsetError

LOCK = "clearset.lock"  # in a folder that a check may write to again
SOURCE = "source"  # in it: what was no folder, as files
FITTING = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")  # for a name
WORD = "error: "  # before the one line that a process ends with


def check(
    source: Any,
    *,
    folder: str | os.PathLike[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    name: str = NAME,
) -> Report:
    """Measure, flag, repair and release images; return a report of what was found and done.

    Parameters
    ----------
    source
        A folder, an archive or a list of paths; or a sequence of images or of (image, label): a
        dataset in the manner of torch or of Hugging Face, a list or an array. Images are Pillow's,
        arrays (height x width x bands) or tensors (bands x height x width) of uint8 or uint16. A
        mapping has a sequence for each split.
    folder
        Where everything is written: empty, not there yet, or that of a check before. By default it
        lies among the system's temporary files and goes when the report does.
    settings
        What to change, by dotted keys, such as ``{"filter.blur.min": -12}``.
    name
        What the dataset is called in its report and its release.

    Raises
    ------
    ClearsetError
        For a source without images, a setting that is not known or does not fit, a folder with
        other files, and whatever a stage stops at.

    Examples
    --------
    >>> report = check("images/")  # doctest: +SKIP
    >>> report.table[["image_id", "decision", "rules"]]  # doctest: +SKIP

    """
    if not FITTING.fullmatch(name) or name in params.GROUPS:
        raise ClearsetError(f"name is {name!r}: letters, digits, - and _ only")
    known.section(name, {}, settings or {})  # before anything is written
    home = _home(folder)
    try:
        _checked(source, home, name, settings or {})
    except BaseException:
        if folder is None:
            shutil.rmtree(home, ignore_errors=True)
        raise
    report = Report(home, name)
    if folder is None:
        weakref.finalize(report, shutil.rmtree, home, ignore_errors=True)
    return report


def _home(folder: str | os.PathLike[str] | None) -> Path:
    """Return the folder to work in, there; raises `ClearsetError` for one with other files."""
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="clearset-"))
    home = Path(folder).absolute()
    if home.exists() and not home.is_dir():
        raise ClearsetError(f"{folder} is a file: name a folder")
    if home.is_dir() and any(home.iterdir()) and not (home / LOCK).exists():
        raise ClearsetError(f"{folder} holds other files: name a folder that is empty or not there")
    home.mkdir(parents=True, exist_ok=True)
    return home


def _checked(source: Any, home: Path, name: str, settings: Mapping[str, Any]) -> None:
    """Run the stages on a source in a folder, without what an earlier check has left there."""
    if is_path(source):
        refuse_inside(Path(source).resolve(), home.resolve())
    with locks.held(home / LOCK, "check"):
        _clear(home, layout.measurements(layout.stage_folder("analyze", name)))
        section = known.section(name, sources.fetched(source, home / SOURCE), settings)
        text = yaml.safe_dump({name: section}, sort_keys=False, allow_unicode=True)
        (home / params.PARAMS).write_text(text, encoding="utf-8")
        run(home, name)


def _clear(home: Path, kept: Path) -> None:
    """Remove what an earlier check has left in a folder, but for measurements that still hold."""
    aside = home / f".{kept.name}"
    if (home / kept).is_dir():
        layout.remove(aside)
        (home / kept).rename(aside)
    for old in (SOURCE, layout.DATA, layout.REPORTS):
        layout.remove(home / old)
    if aside.is_dir():
        (home / kept).parent.mkdir(parents=True)
        aside.rename(home / kept)


def refuse_inside(source: Path, home: Path) -> None:
    """Raise `ClearsetError` where results would lie in the source, or the source among results."""
    if home == source or source in home.parents:
        raise ClearsetError(f"{home} lies in {source}, and is read with it: name another folder")
    if home in source.parents:
        raise ClearsetError(f"{source} lies in {home}, which a check clears: name another folder")


def run(home: Path, name: str) -> None:
    """Run all stages in a process of their own; raises `ClearsetError` with the line it ends with.

    So a person's script needs no guard against being run by processes at work, and its current
    folder stays as it is. Bars go to standard error.
    """
    command = [sys.executable, "-P", "-m", "clearset.stages", name]
    with subprocess.Popen(
        command, cwd=home, env=_environment(), stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        try:
            said, _ = process.communicate()
        except BaseException:
            process.terminate()  # politely: it clears away what it has begun
            raise
    if process.returncode:
        line = (said.strip().splitlines() or [""])[-1]
        raise ClearsetError(line.removeprefix(WORD) or _ended(process.returncode))


def _ended(status: int) -> str:
    """Return the sentence on a process that has said nothing before its end."""
    return (
        f"the stages were ended from outside (status {status}), mostly for lack of memory. Run the "
        "same again, with fewer processes: CLEARSET_WORKERS=1"
    )


def _environment() -> dict[str, str]:
    """Return the environment of the stages: they run the code that this runs."""
    root = str(Path(__file__).parents[2])
    there = os.environ.get("PYTHONPATH", "")
    # Where packages are installed it is found anyway, and must not stand before Python's own.
    own = there if "site-packages" in root else os.pathsep.join(filter(None, [root, there]))
    return os.environ | {"PYTHONPATH": own, "PYTHONIOENCODING": "utf-8"}
