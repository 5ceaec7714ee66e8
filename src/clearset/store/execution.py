"""Where the work on single images runs: on this machine, or on a cluster that people have.

A cluster is led by a scheduler of Dask or Ray that somebody has started. It gets partitions of the
items; one whose worker is lost is done again, and in the end item by item, so that an image that
ends whoever reads it costs itself alone. Workers see the project's folder at the same path, and
have the same code: else they refuse, since their results would not be the same bytes.
"""

import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import chdir, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from clearset.store import clusters, code
from clearset.store.errors import ClearsetError

LOCAL = "local"
SPARE = 2  # partitions given out for each core, so that none waits
ALONE = Lock()  # a worker with several threads still works on one partition at a time


@dataclass(frozen=True)
class Place:
    """Where work runs: the engine, the address of its scheduler, how many items go together."""

    engine: str = LOCAL
    address: str = ""
    partition: int = 64
    retries: int = 2  # of a partition whose worker was lost, before its items go one by one


@dataclass(frozen=True)
class Part:
    """Some of the items, by their places among all, and how often their worker was lost."""

    numbers: Sequence[int]
    losses: int = 0


@dataclass(frozen=True)
class Task:
    """What a worker does with a list of items, in which folder, and by which code."""

    work: Callable[[list[Any]], list[Any]]
    folder: str
    code: str

    def __call__(self, items: list[Any]) -> list[Any]:
        """Return the work's results on this worker."""
        with ALONE, _inside(self.folder):
            if code.digest() != self.code:
                raise ClearsetError(
                    f"the worker on {socket.gethostname()} has another version of Clearset, or of "
                    "the packages that measure, and would give other bytes: start it from the "
                    "project's own environment (docs/scale.md)"
                )
            return self.work(items)


PLACE: ContextVar[Place] = ContextVar("place", default=Place())  # noqa: B039 - frozen


@contextmanager
def on(place: Place) -> Iterator[None]:
    """Let work run at a place until the block ends."""
    token = PLACE.set(place)
    try:
        yield
    finally:
        PLACE.reset(token)


def elsewhere() -> bool:
    """Whether work runs on a cluster."""
    return PLACE.get().engine != LOCAL


def dispatched(
    work: Callable[[list[Any]], list[Any]], items: Sequence[Any], gone: Any
) -> Iterator[tuple[int, Any]]:
    """Yield (place among the items, result) as a cluster gives them; `work` is done on lists.

    `gone` is the result of an item that ends each worker that it is given to, alone. Raises
    `ClearsetError` where there is no scheduler or worker, and whatever `work` raises.
    """
    place = PLACE.get()
    step = place.partition
    starts = range(0, len(items), step)
    parts = deque(Part(range(start, min(start + step, len(items)))) for start in starts)
    task = Task(work, str(Path.cwd()), code.digest())
    with clusters.connected(place.engine, task, place.address) as (send, next_of, cores):
        flying: dict[Any, Part] = {}
        while parts or flying:
            while parts and len(flying) < SPARE * cores():
                part = parts.popleft()
                flying[send([items[number] for number in part.numbers])] = part
            sending, answer = next_of(list(flying))
            part = flying.pop(sending)
            if answer is not None:
                yield from zip(part.numbers, answer, strict=True)
            elif len(part.numbers) == 1 and part.losses > place.retries:
                yield part.numbers[0], gone
            else:
                parts.extend(_again(part, place.retries))


def _again(part: Part, retries: int) -> Iterable[Part]:
    """Return what is given out in the stead of a part whose worker was lost."""
    if part.losses < retries or len(part.numbers) == 1:
        return [Part(part.numbers, part.losses + 1)]
    return [Part([number], part.losses) for number in part.numbers]


@contextmanager
def _inside(folder: str) -> Iterator[None]:
    if not Path(folder).is_dir():
        raise ClearsetError(
            f"the worker on {socket.gethostname()} has no folder {folder}: it must see the project "
            "at this path, as on a shared file system (docs/scale.md)"
        )
    with chdir(folder):
        yield
