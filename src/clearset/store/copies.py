"""Files that are the same twice, and lie on the disk once, where the file system can.

A clone (reflink) shares its blocks until one of the two is written to: as safe as a copy. A hard
link is one file with two names; it is for what is ours alone, and written to by nobody.
"""

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

FICLONE = 0x40049409  # Linux's number for: share the blocks of another file


def copy(source: Path, target: Path) -> None:
    """Copy a file's bytes, not its dates and permissions: a clone where it can be one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not _cloned(source, target):
        shutil.copyfile(source, target)


def link(source: Path, target: Path) -> None:
    """Give a file of ours another name: a clone, a hard link, or a copy, what can be done first."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not _cloned(source, target):
        with suppress(OSError):  # another disk, no such links there, or too many of them
            os.link(source.resolve(), target)
            return
        shutil.copyfile(source, target)


def _cloned(source: Path, target: Path) -> bool:
    if sys.platform != "linux":
        return False
    import fcntl  # noqa: PLC0415 - of Unix alone

    with source.open("rb") as old, target.open("wb") as new:
        try:
            fcntl.ioctl(new.fileno(), FICLONE, old.fileno())
        except OSError:
            done = False
        else:
            done = True
    if not done:
        target.unlink()
    return done
