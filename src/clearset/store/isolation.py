"""The same function over many items, each of which can cost no more than itself.

What reads untrusted files runs here: in processes of bounded memory and time, apart from the one
that asks. A process that crashes, is killed, or never ends takes its own item with it, and no
other.
"""

import math
import multiprocessing
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager
from functools import partial
from multiprocessing import connection, forkserver
from pathlib import Path
from typing import Any, TypeVar

from clearset.store.errors import ClearsetError
from clearset.store.parallel import watched, workers

Item = TypeVar("Item")
Result = TypeVar("Result")
Lost = Callable[[Item, str], Result]  # what stands for an item whose process ended, and why it did

POOLS: dict[tuple[int, float, str], Any] = {}  # the one that waits for work, if there is one
SLOW, AGAIN = "it took longer than", "to be tried once more"
LONGEST = 1800  # seconds for one item
SECONDS = "CLEARSET_SECONDS"  # in the environment: another number of them
APART = "CLEARSET_APART"  # in the environment: "no" for one process alone, as under an emulator
MEMORY = "CLEARSET_MEMORY"  # in the environment: gigabytes that a process may take
LEAST = 0.5  # of them, which the libraries take
SHARE = 0.8  # of this machine's memory, where nobody says
AHEAD = 1000  # items given out before the first of them is back
TRIES = 10  # in a row, of processes that are ended before they have done anything
NONE = f"no process can be started to read files in: {APART}=no does without, unprotected"
SINGLE = ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB", "NUMEXPR")  # libraries with threads of own


def seconds() -> int:
    """Return how long one item may take: `CLEARSET_SECONDS`, or half an hour."""
    setting = os.environ.get(SECONDS, "") or str(LONGEST)
    if not setting.isdecimal() or int(setting) < 1:
        raise ClearsetError(f"{SECONDS} is '{setting}': give a whole number from 1")
    return int(setting)


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


def isolated(
    function: Callable[[Item], Result], items: Sequence[Item], what: str, lost: Lost[Item, Result]
) -> list[Result]:
    """Return `[function(item) for item in items]`, with a progress bar on a terminal.

    An item whose process is ended is tried once more, alone; then `lost` gives its result.
    """
    results: list[tuple[Any, str]] = []
    for result, reason in watched(_outcomes(function, items, workers()), len(items), what):
        again = reason and not reason.startswith(SLOW)
        results.append((None, AGAIN) if again else (result, reason))
    for place, item in enumerate(items):
        if results[place][1] == AGAIN:
            (results[place],) = _outcomes(function, [item], 1)
    every = zip(items, results, strict=True)
    return [lost(item, reason) if reason else result for item, (result, reason) in every]


def apart(function: Callable[[Item], Result], lost: Lost[Item, Result]) -> Callable[[Item], Result]:
    """Return a function that gives what `function` gives, and runs apart as in `isolated`."""

    def answer(item: Item) -> Result:
        ((result, reason),) = _outcomes(function, [item], workers())
        return lost(item, reason) if reason else result

    return answer


def _outcomes(
    function: Callable[[Item], Result], items: Sequence[Item], number: int
) -> Iterator[tuple[Any, str]]:
    """Yield the result for each item, or why there is none; `number` at once."""
    if os.environ.get(APART) == "no":
        yield from ((function(item), "") for item in items)
        return
    rest, failures = deque(items), 0
    while rest:
        outcomes = _given_out(function, rest, number)
        try:
            for outcome in outcomes:
                rest.popleft()
                failures = 0
                yield outcome
        except BrokenExecutor:  # a process was ended before it had an item: all begin anew
            close()
            failures += 1
            if failures == TRIES:
                raise ClearsetError(NONE) from None


def _given_out(
    function: Callable[[Item], Result], items: Sequence[Item], number: int
) -> Iterator[tuple[Any, str]]:
    """Yield the same as `_outcomes`; raises `BrokenExecutor` where processes can not go on."""
    every, pool = seconds(), _pool(function, number)
    waiting: deque[Future[Any]] = deque()
    try:
        for item in tuple(items):
            waiting.append(_scheduled(pool, function, item, every))
            if len(waiting) >= AHEAD:
                yield _outcome(waiting.popleft())
        while waiting:
            yield _outcome(waiting.popleft())
    finally:
        for future in waiting:  # where the first of them failed, or nobody asks on
            future.cancel()


def _scheduled(pool: Any, function: Callable[..., Any], item: Any, every: int) -> "Future[Any]":
    try:
        future: Future[Any] = pool.schedule(function, args=[item], timeout=every)
    except RuntimeError as error:  # broken since it was last asked
        raise BrokenExecutor(str(error)) from None
    return future


def _outcome(future: "Future[Any]") -> tuple[Any, str]:
    """Return a result, or why there is none."""
    from pebble import ProcessExpired  # noqa: PLC0415

    try:
        return future.result(), ""
    except ProcessExpired as error:
        return None, f"the process that read it was ended ({_ending(error.exitcode)})"
    except TimeoutError:
        return None, f"{SLOW} {seconds()} seconds: {SECONDS} is another limit"
    except MemoryError:
        return None, f"it takes more than {memory():.3g} GB of memory: {MEMORY} is another limit"


def _ending(code: int) -> str:
    return f"by signal {-code}" if code < 0 else f"with status {code}"


def _pool(function: Callable[..., Any], number: int) -> Any:
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
