"""Files that are the same twice, and lie on the disk once, where the file system can.

A clone (reflink) shares its blocks until one of the two is written to: as safe as a copy. A hard
link is one file with two names; it is for what is ours alone, and written to by nobody.
"""

import errno
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

FICLONE = 0x40049409  # Linux's number for: share the blocks of another file
NEVER = (errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV)  # what a disk says that can not
UNABLE: set[tuple[int, int]] = set()  # from which disk to which it was so


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
    disks = source.stat().st_dev, target.parent.stat().st_dev
    if sys.platform != "linux" or disks in UNABLE:
        return False
    import fcntl  # noqa: PLC0415 - of Unix alone

    try:
        with source.open("rb") as old, target.open("wb") as new:
            fcntl.ioctl(new.fileno(), FICLONE, old.fileno())
    except OSError as error:
        target.unlink(missing_ok=True)
        if error.errno in NEVER:
            UNABLE.add(disks)
        return False
    return True
