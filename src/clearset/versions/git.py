"""The user's own git, as a program."""

import os
import subprocess

from clearset.store.errors import ClearsetError


def output(*arguments: str, given: bytes = b"", index: str = "") -> bytes:
    """Return what a git command prints; raises `ClearsetError` with what it says."""
    environment = os.environ | ({"GIT_INDEX_FILE": index} if index else {})
    try:
        done = subprocess.run(
            ["git", *arguments],  # noqa: S607 - the user's own
            input=given,
            capture_output=True,
            check=False,
            env=environment | {"GIT_TERMINAL_PROMPT": "0"},
        )
    except FileNotFoundError:
        raise ClearsetError("git is not installed") from None
    if done.returncode:
        said = " ".join(done.stderr.decode(errors="replace").split())
        raise ClearsetError(f"git {arguments[0]}: {said or f'exit status {done.returncode}'}")
    return done.stdout
