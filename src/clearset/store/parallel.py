"""The same function over many items: in order, with progress, in as many processes as wanted."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from clearset.store import execution
from clearset.store.errors import ClearsetError

Item = TypeVar("Item")
Result = TypeVar("Result")

LOST = object()  # the result of what ends each worker
FEW = 12  # below this many items, starting processes costs more than it saves


def workers() -> int:
    """Return how many processes to use: `CLEARSET_WORKERS`, or the cores this process may use."""
    setting = os.environ.get("CLEARSET_WORKERS", "")
    if not setting:
        return (
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1
        )
    if not setting.isdecimal() or int(setting) < 1:
        raise ClearsetError(f"CLEARSET_WORKERS is '{setting}': give a whole number from 1")
    return int(setting)


def mapped(
    function: Callable[[Item], Result], items: Sequence[Item], what: str, few: int = FEW
) -> list[Result]:
    """Return `[function(item) for item in items]`, with a progress bar on a terminal.

    The order and the values do not depend on the number of processes; below `few` items it is one.
    """
    if execution.elsewhere() and len(items) >= few:
        return _elsewhere(function, items, what)
    jobs = workers() if len(items) >= few else 1
    if jobs == 1:
        return list(watched(map(function, items), len(items), what))
    from joblib import Parallel, delayed  # noqa: PLC0415 - a tenth of a second, of every stage

    work = partial(_from, Path.cwd(), function)
    results = Parallel(n_jobs=jobs, return_as="generator")(delayed(work)(item) for item in items)
    try:
        return list(watched(results, len(items), what))
    except BrokenExecutor:
        raise ClearsetError(
            f"{what}: a process at work was ended from outside, mostly for lack of memory; nothing "
            "was changed. Run the same again, with fewer of them: CLEARSET_WORKERS=1"
        ) from None


def _from(folder: Path, function: Callable[[Item], Result], item: Item) -> Result:
    """Return `function(item)`, from the folder that was asked from: a process may be of before."""
    if Path.cwd() != folder:
        os.chdir(folder)
    return function(item)


def _elsewhere(
    function: Callable[[Item], Result], items: Sequence[Item], what: str
) -> list[Result]:
    """Return what `mapped` does, by a cluster."""
    answers = execution.dispatched(partial(_each, function), items, LOST)
    results = dict(watched(answers, len(items), what))
    if any(value is LOST for value in results.values()):
        raise ClearsetError(
            f"{what}: a worker of the cluster was lost again and again: see its log"
        )
    return [results[number] for number in range(len(items))]


def _each(function: Callable[[Item], Result], items: list[Item]) -> list[Result]:
    return [function(item) for item in items]


def watched(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """Yield the items, with a progress bar on a terminal."""
    yield from tqdm(items, total=total, desc=what, unit="", disable=None)
