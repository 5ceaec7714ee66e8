"""What a command costs with all processes that it starts: seconds, CPU seconds, and memory."""

import os
import resource
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil
from pipeline import adopt_orphans

OFTEN, SELDOM = 0.1, 0.5  # seconds between two looks at the processes: at first, and later
FIRST = 3.0  # seconds
PATIENCE = 10.0  # seconds for what a command leaves behind
LONGEST = 90  # characters of a reason


class Cost(NamedTuple):
    """Wall and CPU seconds, megabytes held together at most, and why it failed; empty: it did not.

    CPU is that of all processes, memory their proportional set size: what they share counts once.
    """

    wall: float
    cpu: float
    memory: float
    failure: str = ""


def below() -> list[psutil.Process]:
    """Return the processes that stem from this one."""
    return psutil.Process().children(recursive=True)


def held() -> int:
    """Return how many bytes they hold together."""
    total = 0
    for process in below():
        with suppress(psutil.Error):
            total += process.memory_full_info().pss
    return total


def ended(patience: float) -> None:
    """Wait until no process is left, so that all their CPU counts; end what does not by itself."""
    start = time.perf_counter()
    with suppress(ChildProcessError):
        while True:
            if os.waitpid(-1, os.WNOHANG)[0]:
                continue
            if time.perf_counter() - start > patience:
                for process in below():
                    with suppress(psutil.Error):
                        process.kill()
            time.sleep(0.01)


def cost(command: list[str], folder: Path, limit: float, **environment: str) -> Cost:
    """Return what a command costs that may take `limit` seconds; its output goes to log.txt."""
    adopt_orphans()
    before, start, most = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter(), 0
    log, failure = folder / "log.txt", ""
    with log.open("wb") as output:
        env = os.environ | environment
        running = psutil.Popen(command, cwd=folder, env=env, stdout=output, stderr=output)
        while running.poll() is None:
            most = max(most, held())
            past = time.perf_counter() - start
            if past > limit:
                failure = f"stopped after {limit:.0f} s"
                running.kill()
            time.sleep(OFTEN if past < FIRST else SELDOM)
    wall = time.perf_counter() - start
    ended(0.0 if failure else PATIENCE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if running.returncode and not failure:
        lines = log.read_text(errors="replace").strip().splitlines() or ["no output"]
        failure = f"status {running.returncode}: {lines[-1]}"[:LONGEST]
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, most / 1e6, failure)
