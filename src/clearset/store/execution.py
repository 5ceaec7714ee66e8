"""Where the work on single images runs: on this machine, or on a cluster that people have.

A cluster is led by a scheduler of Dask or Ray that somebody has started. It gets partitions of the
items; one whose worker is lost is done again, and in the end item by item, so that an image that
ends whoever reads it costs itself alone. Workers see the project's folder at the same path, and
have the same code: else they refuse, since their results would not be the same bytes.
"""

import importlib
import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import chdir, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from clearset.store import code
from clearset.store.errors import ClearsetError

LOCAL, DASK, RAY = "local", "dask", "ray"
WAIT = 60  # seconds for a scheduler and its first worker
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


Send = Callable[[list[Any]], Any]  # to some worker; what it returns stands for the answer
Ready = tuple[Any, list[Any] | None]  # which sending, and its answer; None: the worker was lost
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
    with _engine(place.engine)(task, place.address) as (send, next_of, cores):
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


def _engine(name: str) -> Callable[..., Any]:
    """Return what connects to a cluster; raises `ClearsetError` where its package is missing."""
    try:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing leaves the machine
        importlib.import_module("distributed" if name == DASK else "ray")
    except ImportError:
        raise ClearsetError(
            f"execution.engine is {name}, which is not installed here: pip install "
            f"'clearset[{name}]', or say execution=local"
        ) from None
    return _dask if name == DASK else _ray


@contextmanager
def _dask(task: Task, address: str) -> Iterator[Any]:
    """Yield how lists are sent, how one waits for the next answer, and how many cores there are."""
    distributed: Any = importlib.import_module("distributed")
    try:
        client = distributed.Client(address, timeout=WAIT, set_as_default=False)
        client.wait_for_workers(1, timeout=WAIT)
    except (OSError, TimeoutError, ValueError) as error:
        raise ClearsetError(_unreached(DASK, address, error)) from None

    def next_of(futures: list[Any]) -> Ready:
        future = next(iter(distributed.wait(futures, return_when="FIRST_COMPLETED").done))
        try:
            return future, future.result()
        except distributed.KilledWorker:
            return future, None

    with client, client.as_current():
        yield (
            lambda items: client.submit(task, items, pure=False),
            next_of,
            lambda: sum(client.nthreads().values()) or 1,
        )


@contextmanager
def _ray(task: Task, address: str) -> Iterator[Any]:
    """Yield the same as `_dask`."""
    ray: Any = importlib.import_module("ray")
    # Its workers load this very tree, which is no package that their environment must have.
    own = filter(None, [str(code.LIBRARY.parent), os.environ.get("PYTHONPATH", "")])
    paths = {"env_vars": {"PYTHONPATH": os.pathsep.join(own)}}
    try:
        ray.init(
            address=address, runtime_env=paths, log_to_driver=False, logging_level=logging.ERROR
        )
    except (ConnectionError, OSError, ValueError, RuntimeError) as error:
        raise ClearsetError(_unreached(RAY, address, error)) from None

    def answer(items: list[Any]) -> list[Any]:
        return task(items)

    remote = ray.remote(max_retries=0)(answer)
    ends = ("WorkerCrashedError", "NodeDiedError", "OutOfMemoryError", "LocalRayletDiedError")
    lost = tuple(getattr(ray.exceptions, name) for name in ends)

    def next_of(references: list[Any]) -> Ready:
        (reference,), _ = ray.wait(references, num_returns=1)
        try:
            return reference, ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except lost:
            return reference, None

    try:
        yield remote.remote, next_of, lambda: int(ray.cluster_resources().get("CPU", 1))
    finally:
        ray.shutdown()


def _unreached(engine: str, address: str, error: Exception) -> str:
    reason = " ".join(str(error).split())[:200]
    return (
        f"no scheduler of {engine} with a worker answers at execution.address, '{address}' "
        f"({reason}). Start both (docs/scale.md), or say execution=local"
    )
