"""How a cluster is reached that a scheduler of Dask or Ray leads: by what these packages have.

Each connection gives three functions: one sends a list of items to some worker, one waits for the
next answer, and one tells how many cores there are.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from clearset.store import code
from clearset.store.errors import ClearsetError

DASK, RAY = "dask", "ray"
WAIT = 60  # seconds for a scheduler and its first worker
ENDS = ("WorkerCrashedError", "NodeDiedError", "OutOfMemoryError", "LocalRayletDiedError")
Work = Callable[[list[Any]], list[Any]]
Send = Callable[[list[Any]], Any]  # to some worker; what it returns stands for the answer
Ready = tuple[Any, list[Any] | None]  # which sending, and its answer; None: the worker was lost
Connection = tuple[Send, Callable[[list[Any]], Ready], Callable[[], int]]


def connected(engine: str, work: Work, address: str) -> AbstractContextManager[Connection]:
    """Return a connection to a cluster, on whose workers `work` is done.

    Raises `ClearsetError` where the engine's package is missing, or nothing answers.
    """
    try:
        if engine == DASK:
            import distributed  # noqa: F401, PLC0415
        else:
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing leaves the machine
            import ray  # noqa: F401, PLC0415
    except ImportError:
        raise ClearsetError(
            f"execution.engine is {engine}, which is not installed here: pip install "
            f"'clearset[{engine}]', or say execution=local"
        ) from None
    return (_dask if engine == DASK else _ray)(work, address)


@contextmanager
def _dask(work: Work, address: str) -> Iterator[Connection]:
    import distributed  # noqa: PLC0415

    connect: Any = distributed.Client  # it has no types
    wait: Any = distributed.wait
    try:
        client = connect(address, timeout=WAIT, set_as_default=False)
        client.wait_for_workers(1, timeout=WAIT)
    except (OSError, TimeoutError, ValueError) as error:
        raise ClearsetError(_unreached(DASK, address, error)) from None

    def next_of(futures: list[Any]) -> Ready:
        future = next(iter(wait(futures, return_when="FIRST_COMPLETED").done))
        try:
            return future, future.result()
        except distributed.KilledWorker:
            return future, None

    with client, client.as_current():
        yield (
            lambda items: client.submit(work, items, pure=False),
            next_of,
            lambda: sum(client.nthreads().values()) or 1,
        )


@contextmanager
def _ray(work: Work, address: str) -> Iterator[Connection]:
    import ray  # noqa: PLC0415

    _begin(address)

    def answer(items: list[Any]) -> list[Any]:
        return work(items)

    def next_of(references: list[Any]) -> Ready:
        (reference,), _ = ray.wait(references, num_returns=1)
        try:
            return reference, ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except tuple(getattr(ray.exceptions, name) for name in ENDS):
            return reference, None

    cores: Any = ray.cluster_resources
    try:
        send = ray.remote(max_retries=0)(answer).remote
        yield send, next_of, lambda: int(cores().get("CPU", 1))
    finally:
        ray.shutdown()


def _begin(address: str) -> None:
    """Connect this process to a Ray cluster, whose workers load this very tree."""
    import ray  # noqa: PLC0415

    own = filter(None, [str(code.LIBRARY.parent), os.environ.get("PYTHONPATH", "")])
    paths = {"env_vars": {"PYTHONPATH": os.pathsep.join(own)}}
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        ray.init(address=address, runtime_env=paths, **quiet)
    except (ConnectionError, OSError, ValueError, RuntimeError) as error:
        raise ClearsetError(_unreached(RAY, address, error)) from None


def _unreached(engine: str, address: str, error: Exception) -> str:
    reason = " ".join(str(error).split())[:200]
    return (
        f"no scheduler of {engine} with a worker answers at execution.address, '{address}' "
        f"({reason}). Start both (docs/scale.md), or say execution=local"
    )
