"""How a command ends that does not end well: one sentence; of a defect, the details in a file.

What a person can mend is said in words: what, where, what to do. Anything else is our own fault,
and its traceback goes where it can be attached to a report.
"""

import errno
import os
import platform
import re
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from typing import NoReturn

from clearset.store.cells import visible
from clearset.store.errors import ClearsetError

AGAIN = "then run the same again"
ROOM = f"no space is left there: make room (df -h shows where), {AGAIN}"
OPEN = f"too many files are open: raise the limit (ulimit -n 4096), {AGAIN}"
REASONS = {  # of this machine, or of what lies where: nothing that a file's content is to blame for
    errno.ENOSPC: ROOM,
    errno.EDQUOT: f"the quota of disk space is used up: make room, {AGAIN}",
    errno.EFBIG: f"it is larger than this file system, or ulimit -f, lets a file be: mend that, "
    f"{AGAIN}",
    errno.EROFS: "it lies on a file system that can only be read: work in a folder that is yours",
    errno.EACCES: f"permission denied: whose is it (ls -ld)? Mend that, {AGAIN}",
    errno.EPERM: f"the system does not allow it: whose is it (ls -ld)? Mend that, {AGAIN}",
    errno.ENAMETOOLONG: "the name is too long for this system: shorten it, or work in a folder "
    "that is nearer to the root",
    errno.EMFILE: OPEN,
    errno.ENFILE: OPEN,
    errno.ELOOP: "a link that leads back to itself: mend it",
    errno.EIO: "the disk can not be read or written: copy what is there elsewhere",
    errno.ENOMEM: f"there is not enough memory: close other programs, {AGAIN}",
}
PLACES = {
    errno.EISDIR: f"a folder lies where a file is expected: move it away, {AGAIN}",
    errno.ENOTDIR: f"a file lies where a folder is expected: move it away, {AGAIN}",
    errno.ENOENT: "it is not there: was it moved or removed?",
    errno.EEXIST: f"it is there already: move it away, {AGAIN}",
    errno.ENOTEMPTY: "it is a folder that something else is writing to: wait for that, " + AGAIN,
    errno.ENXIO: "it is no file but a socket or a pipe: give a file or a folder",
}
SHORT = re.compile(r"\d+ requested and \d+ written")  # NumPy's words for a full disk
MEMORY = f"there is not enough memory: use one process (CLEARSET_WORKERS=1), {AGAIN}"
ENDED = {"TerminatedWorkerError", "BrokenProcessPool"}  # joblib's: the system ended a process
PACKAGES = ("clearset", "numpy", "pandas", "pillow", "tifffile", "imagecodecs", "dvc", "hydra-core")
DEFECT = "this is a defect of Clearset"


def of_system(error: BaseException) -> bool:
    """Whether an error says what this machine can not do, whatever a file holds."""
    return isinstance(error, OSError) and error.errno in REASONS


def sentence(error: BaseException) -> str:
    """Return what was wrong, where, and what to do; empty for what no person can mend."""
    if isinstance(error, ClearsetError):
        return str(error)
    if isinstance(error, MemoryError) or type(error).__name__ in ENDED:
        return f"{MEMORY} ({_first(error)})" if str(error) else MEMORY
    if isinstance(error, OSError) and SHORT.search(str(error)):
        return ROOM
    if isinstance(error, OSError) and error.errno is not None:
        # Of a copy it is the target that there is no room for.
        name = error.filename2 or error.filename
        place = os.fsdecode(name) if isinstance(name, str | bytes) else ""
        reason = (REASONS | PLACES).get(error.errno, str(error.strerror))
        return f"{place}: {reason}" if place else reason
    return ""


def line(error: BaseException) -> str:
    """Return the line to end with after an error; writes the details of a defect to a file."""
    if isinstance(error, KeyboardInterrupt):
        return "stopped"
    return visible(f"error: {sentence(error) or _defect(error)}")


def _defect(error: BaseException) -> str:
    """Return the sentence on a defect: where its details are, or they themselves."""
    what = f"{type(error).__name__}: {_first(error)}".rstrip(": ")
    text = "".join(traceback.format_exception(error))
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            prefix="clearset-defect-",
            suffix=".txt",
            encoding="utf-8",
            errors="backslashreplace",
            delete=False,
        ) as file:  # only its owner may read it
            file.write(f"{' '.join(map(ascii, sys.argv))}\n{versions()}\n\n{text}")
    except OSError:
        return f"{what}: {DEFECT}; attach what follows to a report\n{text}"
    return (
        f"{what}: {DEFECT}; the details are in {file.name}, and may hold names of your files: look "
        "through it, and attach it to a report"
    )


def _first(error: BaseException) -> str:
    """Return the first line of what an error says, cut to a line's length."""
    return next(iter(str(error).splitlines()), "")[:300]


def versions() -> str:
    """Return on what a command ran: system, Python, packages."""
    names = [f"Python {platform.python_version()}", platform.platform()]
    for package in PACKAGES:
        try:
            names.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            names.append(f"no {package}")
    return ", ".join(names)


@contextmanager
def told() -> Iterator[None]:
    """End the process with status 1 and one line where the block raises anything."""
    prepare()
    try:
        yield
    except BrokenPipeError:
        unread()
        sys.exit(0)
    except (Exception, KeyboardInterrupt) as error:
        sys.exit(line(error))


def prepare() -> None:
    """Let the screen show every text, spelt out where its own letters do not have it.

    And take a polite request to end as Ctrl-C, so that what was begun is cleared away.
    """
    signal.signal(signal.SIGTERM, _stop)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Show text, if there is a screen or a file for it."""
    if sys.stdout is not None:
        sys.stdout.write(visible(text))
        sys.stdout.flush()


def unread() -> None:
    """Let output that nobody reads any more go nowhere, without an error as Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _stop(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
