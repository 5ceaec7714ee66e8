"""The user's own DVC, as a program."""

import subprocess

from clearset.store.errors import ClearsetError


def dvc(*arguments: str, visible: bool = False) -> str:
    """Run a DVC command; return what it printed, unless that was `visible` at once.

    Raises `ClearsetError` when it fails.
    """
    try:
        process = subprocess.run(
            ["dvc", *arguments],  # noqa: S607 - the user's own
            check=False,
            text=True,
            capture_output=not visible,
        )
    except FileNotFoundError:
        raise ClearsetError("dvc is not on the path: source .venv/bin/activate") from None
    if process.returncode:
        reason = "see above" if visible else " ".join(process.stderr.split())
        raise ClearsetError(f"dvc {' '.join(arguments[:3])} stopped: {reason}")
    return "" if visible else process.stdout
