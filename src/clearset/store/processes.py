"""Processes that wait for work: of bounded memory, one thread each, ended with who asks."""

import math
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import connection, forkserver
from pathlib import Path
from typing import Any

from clearset.store.errors import ClearsetError

POOLS: dict[tuple[int, float, str], Any] = {}  # the one that waits for work, if there is one
MEMORY = "CLEARSET_MEMORY"  # in the environment: gigabytes that a process may take
LEAST = 0.5  # of them, which the libraries take
SHARE = 0.8  # of this machine's memory, where nobody says
SINGLE = ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB", "NUMEXPR")  # libraries with threads of own


def memory() -> float:
    """Return how many gigabytes a process may take: `CLEARSET_MEMORY`, or most of all there are.

    It is a net alone: what is refused must not hang on the machine, and `fetch.memory` decides it.
    """
    setting = os.environ.get(MEMORY, "")
    if not setting:
        import psutil  # noqa: PLC0415 - only where there is untrusted work

        return max(SHARE * psutil.virtual_memory().total / 2**30, LEAST)
    try:
        number = float(setting)
    except ValueError:
        number = 0.0
    if not LEAST <= number < math.inf:
        raise ClearsetError(f"{MEMORY} is '{setting}': give gigabytes, {LEAST} or more")
    return number


def pool(function: Callable[..., Any], number: int) -> Any:
    """Return so many processes that wait for work, the last ones where they still serve."""
    from pebble import ProcessPool  # noqa: PLC0415 - only where there is untrusted work

    key = (number, memory(), str(Path.cwd()))
    if key not in POOLS:
        close()
        context = multiprocessing.get_context(_method(function))
        POOLS[key] = ProcessPool(number, 0, _begin, (memory(),), context)
    return POOLS[key]


def close() -> None:
    """End the processes that wait for work."""
    while POOLS:
        _, pool = POOLS.popitem()
        pool.stop()
        pool.join()


def _method(function: Callable[..., Any]) -> str:
    """Return how processes are started: where it can be, by a server that has all code loaded."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return "spawn"
    while isinstance(function, partial):
        function = function.func
    # The server reads its path from the environment alone; without this it would load the code of
    # whatever tree is installed. One thread each: there are as many processes as cores.
    own = {f"{name}_NUM_THREADS": os.environ.get(f"{name}_NUM_THREADS", "1") for name in SINGLE}
    own["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        with _silent():  # decoders print without a name, and who is killed as it starts complains
            forkserver.set_forkserver_preload([function.__module__])
            forkserver.ensure_running()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    return "forkserver"


@contextmanager
def _silent() -> Iterator[None]:
    """Give what the block starts no terminal to write errors to."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _begin(gigabytes: float) -> None:
    """Bound this process's memory, as far as the system can, and its life by who asks."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        import resource  # noqa: PLC0415 - of Unix alone
    except ImportError:
        return
    most = int(min(gigabytes * 2**30, 2**62))  # more is no number to the system
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def _end_with_parent() -> None:
    """End this process as soon as the one that asks has ended, in the midst of an item too."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
