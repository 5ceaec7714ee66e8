"""One writer at a time in a project, and a word on who it is for everyone else.

A command that writes params, or runs stages under params of its own, holds the project's lock
alone. A stage that `dvc repro` runs by itself shares it with other stages. The lock is the system's
own: it goes with the last process that holds it, however that ends.
"""

import ctypes
import fcntl
import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clearset.store.errors import ClearsetError

LOCK = Path(".dvc/tmp/clearset.lock")
READERS = Path(".dvc/tmp/rwlock")  # DVC's own list of who reads and writes what
ENDS_WITH_PARENT = 1  # Linux's number for: a signal when the parent has ended
HELD = "CLEARSET_LOCK"  # in the environment of what a holder runs: the lock is held for it


@contextmanager
def alone(what: str) -> Iterator[int]:
    """Hold the project's lock alone; yields its descriptor, for processes that are to hold it too.

    Raises `ClearsetError`, which says who holds it, before anything is written. `what` is the
    command, as others are told of it.
    """
    with _locked(fcntl.LOCK_EX, what) as descriptor:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{what} (process {os.getpid()})".encode(), 0)
        os.environ[HELD] = str(os.getpid())
        _mend()
        try:
            yield descriptor
        finally:
            del os.environ[HELD]
            os.ftruncate(descriptor, 0)


def _mend() -> None:
    """Remove DVC's list of readers where kills have left it: DVC would stop at it for ever.

    It may be cut short, or name processes of which only their entry in the system's table is left.
    """
    try:
        text = READERS.read_text(encoding="utf-8") if READERS.is_file() else "{}"
        json.loads(text)
        gone = not any(_alive(int(pid)) for pid in re.findall(r'"pid": (\d+)', text))
    except ValueError:
        gone = True
    if gone:
        READERS.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    import psutil  # noqa: PLC0415 - only where a kill may have left something

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


@contextmanager
def shared(what: str) -> Iterator[None]:
    """Hold the project's lock together with other stages, unless a command that runs this has it.

    Raises `ClearsetError` as `alone`. Where there is no project, there is nothing to hold.
    """
    if os.environ.get(HELD) or not LOCK.parent.parent.is_dir():
        yield
        return
    with _locked(fcntl.LOCK_SH, what):
        yield


@contextmanager
def held(path: Path, what: str) -> Iterator[None]:
    """Hold a folder outside of a project alone, by a file in it, `path`, which stays there.

    Raises `ClearsetError` where another process holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ClearsetError(
            f"busy: another {what} is at work in {path.parent}. Wait for it to end, or name "
            "another folder"
        ) from None
    finally:
        os.close(descriptor)


@contextmanager
def unread(path: Path, what: str) -> Iterator[None]:
    """Keep DVC's stages from reading a file of the project while the block writes it.

    Raises `ClearsetError` where one reads it: until its results are recorded, the file must stay.
    """
    if os.environ.get(HELD):
        yield
        return
    from dvc.fs import localfs  # noqa: PLC0415 - heavy, and only writers need it
    from dvc.lock import LockError  # noqa: PLC0415
    from dvc.rwlock import rwlock  # noqa: PLC0415

    LOCK.parent.mkdir(parents=True, exist_ok=True)
    folder, place = str(LOCK.parent.absolute()), str(path.absolute())
    try:
        with rwlock(folder, localfs, what, [], [place], False):
            yield
    except LockError as error:
        blockers = " ".join(str(error).split("\n\n")[0].split())
        raise ClearsetError(
            f"busy: {what} can not write {path} ({blockers}). Nothing was touched. Wait for that "
            "to end, then run the same again"
        ) from None


@contextmanager
def _locked(kind: int, what: str) -> Iterator[int]:
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 200, 0).decode(errors="replace")
            raise ClearsetError(
                f"busy: {what} can not begin, since {holder or 'a stage of dvc repro'} is at work "
                "here. Nothing was touched. Wait for it to end, then run the same again; several "
                "at once need a clone each"
            ) from None
        yield descriptor
    finally:
        os.close(descriptor)


def end_with_parent() -> None:
    """Have this process end politely as soon as the one that started it has, where Linux says so.

    A command that is killed leaves nothing at work then which would finish what it had begun.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(ENDS_WITH_PARENT, signal.SIGTERM)
