"""The user's own git, as a program."""

import os
import subprocess

from clearset.store.errors import ClearsetError


def output(*arguments: str, stdin: bytes = b"", index: str = "") -> bytes:
    """Return what a git command prints; raises `ClearsetError` with what it says."""
    environment = os.environ | ({"GIT_INDEX_FILE": index} if index else {})
    try:
        process = subprocess.run(
            ["git", *arguments],  # noqa: S607 - the user's own
            input=stdin,
            capture_output=True,
            check=False,
            env=environment | {"GIT_TERMINAL_PROMPT": "0"},
        )
    except FileNotFoundError:
        raise ClearsetError("git is not installed") from None
    if process.returncode:
        message = " ".join(process.stderr.decode(errors="replace").split())
        raise ClearsetError(f"git {arguments[0]}: {message or f'exit status {process.returncode}'}")
    return process.stdout
