"""The user's own DVC, as a program."""

import subprocess
from collections.abc import Sequence

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


def succeeds(*arguments: str) -> bool:
    """Run a DVC command, its output visible; whether it ended well."""
    return not _process(arguments, visible=True).returncode


def _process(arguments: Sequence[str], visible: bool) -> subprocess.CompletedProcess[str]:
    command = ["dvc", *arguments]
    try:
        return subprocess.run(command, check=False, text=True, capture_output=not visible)
    except FileNotFoundError:
        raise ClearsetError("dvc is not on the path: source .venv/bin/activate") from None
