"""The same function over many items, each of which can cost no more than itself.

What reads untrusted files runs here: in processes of bounded memory and time, apart from the one
that asks. A process that crashes, is killed, or never ends takes its own item with it, and no
other.
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future
from functools import partial
from operator import itemgetter
from typing import Any, TypeVar

from clearset.store import execution, processes
from clearset.store.errors import ClearsetError
from clearset.store.parallel import watched, workers

Item = TypeVar("Item")
Result = TypeVar("Result")
Lost = Callable[[Item, str], Result]  # what stands for an item whose process ended, and why it did

SLOW = "it took longer than"
LONGEST = 1800  # seconds for one item
SECONDS = "CLEARSET_SECONDS"  # in the environment: another number of them
APART = "CLEARSET_APART"  # in the environment: "no" for one process alone, as under an emulator
AHEAD = 1000  # items given out before the first of them is back
TRIES = 10  # in a row, of processes that are ended before they have done anything
NONE = f"no process can be started to read files in: {APART}=no does without, unprotected"


def seconds() -> int:
    """Return how long one item may take: `CLEARSET_SECONDS`, or half an hour."""
    setting = os.environ.get(SECONDS, "") or str(LONGEST)
    if not setting.isdecimal() or int(setting) < 1:
        raise ClearsetError(f"{SECONDS} is '{setting}': give a whole number from 1")
    return int(setting)


def isolated(
    function: Callable[[Item], Result], items: Sequence[Item], what: str, lost: Lost[Item, Result]
) -> list[Result]:
    """Return `[function(item) for item in items]`, with a progress bar on a terminal.

    An item whose process is ended is tried once more, alone; then `lost` gives its result.
    """
    results = dict(streamed(function, items, what, lost))
    return [results[number] for number in range(len(items))]


def streamed(
    function: Callable[[Item], Result], items: Sequence[Item], what: str, lost: Lost[Item, Result]
) -> Iterator[tuple[int, Result]]:
    """Yield (place among the items, what `isolated` returns of it), each as soon as it is there.

    Few results wait in memory, however many items there are.
    """
    if execution.elsewhere():
        gone = (None, "whatever read it was ended, worker after worker")
        every = execution.dispatched(partial(_on_worker, function), items, gone)
    else:
        every = _tried_twice(function, items, min(workers(), max(len(items), 1)))
    for number, (result, reason) in watched(every, len(items), what):
        yield number, lost(items[number], reason) if reason else result


def _on_worker(function: Callable[[Item], Result], items: list[Item]) -> list[tuple[Any, str]]:
    """Return the outcome of each item, on a worker of a cluster: in a process apart if it may."""
    if multiprocessing.current_process().daemon:  # it may start none
        return [(function(item), "") for item in items]
    return [outcome for _, outcome in sorted(_tried_twice(function, items, 1), key=itemgetter(0))]


def _tried_twice(
    function: Callable[[Item], Result], items: Sequence[Item], number: int
) -> Iterator[tuple[int, tuple[Any, str]]]:
    """Yield (place, (result, why there is none)); those of ended processes again, at the end."""
    again = []
    for place, (result, reason) in enumerate(_outcomes(function, items, number)):
        if reason and not reason.startswith(SLOW):
            again.append(place)
        else:
            yield place, (result, reason)
    for place in again:
        (outcome,) = _outcomes(function, [items[place]], 1)
        yield place, outcome


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
            processes.close()
            failures += 1
            if failures == TRIES:
                raise ClearsetError(NONE) from None


def _given_out(
    function: Callable[[Item], Result], items: Sequence[Item], number: int
) -> Iterator[tuple[Any, str]]:
    """Yield the same as `_outcomes`; raises `BrokenExecutor` where processes can not go on."""
    every, pool = seconds(), processes.pool(function, number)
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
        most, name = f"{processes.memory():.3g} GB", processes.MEMORY
        return None, f"it takes more than {most} of memory: {name} is another limit"


def _ending(code: int) -> str:
    return f"by signal {-code}" if code < 0 else f"with status {code}"
