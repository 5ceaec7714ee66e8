"""The user's own DVC, as a program."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import yaml

from clearset.store import locks
from clearset.store.errors import ClearsetError


def dvc(*arguments: str, visible: bool = False) -> str:
    """Run a DVC command; return what it printed, unless that was `visible` at once.

    Raises `ClearsetError` when it fails.
    """
    process = _process(arguments, visible)
    if process.returncode:
        reason = "see above" if visible else " ".join(process.stderr.split())
        raise ClearsetError(f"dvc {' '.join(arguments[:3])} stopped: {reason}")
    return "" if visible else process.stdout


def succeeds(*arguments: str, holding: Sequence[int] = ()) -> bool:
    """Run a DVC command, its output visible; whether it ended well.

    `holding` are descriptors of locks that it is to hold too, should it outlive this process.
    """
    return not _process(arguments, visible=True, holding=holding).returncode


def _process(
    arguments: Sequence[str], visible: bool, holding: Sequence[int] = ()
) -> subprocess.CompletedProcess[str]:
    command = ["dvc", *arguments]
    try:
        return subprocess.run(
            command,
            check=False,
            text=True,
            capture_output=not visible,
            pass_fds=holding,
            preexec_fn=locks.end_with_parent,
        )
    except FileNotFoundError:
        raise ClearsetError("dvc is not on the path: source .venv/bin/activate") from None


def forget_cut(lock: Path) -> None:
    """Remove a lock file that a kill has cut short, at which DVC would stop for ever.

    What it said of results is lost with it: they are made again, or come out of DVC's cache.
    """
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA  # noqa: PLC0415 - heavy
    from voluptuous import Invalid  # noqa: PLC0415

    try:
        if lock.is_file():
            COMPILED_LOCKFILE_SCHEMA(yaml.safe_load(lock.read_bytes()))
    except (yaml.YAMLError, UnicodeDecodeError, Invalid):
        lock.unlink()
