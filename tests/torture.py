"""What a strict reader would try: `make torture` prints one table, and writes it for the docs.

Damaged files of every format, hostile names, archives, tables and links; runs that are killed,
raced for, edited under, given too small a disk. Half an hour; a small part of it is in `make test`.
Ends with status 1 where anything is wrong or lost, or a traceback was seen.
"""

import ctypes
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

import hostile
import kills
import mutants
from clearset.store import tables
from conftest import MINIATURE, ROOT, clone
from kills import Count

TABLE = ROOT / "docs/torture.csv"
COLUMNS = ("what", "tried", "used", "refused", "unseen", "wrong", "lost", "tracebacks")
FILES, KILLS, WORKERS, MOMENTS, DISKS = 1050, 50, 15, 10, 6
SUBREAPER = 36  # Linux's number for: orphans below are mine
SEED = 20


def damaged(folder: Path, number: int, seed: int = SEED) -> Count:
    """Run all stages on damaged files among good ones, and on the good ones alone."""
    source = mutants.write(folder / "all", number, seed)
    shutil.copytree(source / "good", folder / "good alone/good")
    own = clone(folder / "clearset", edits=MINIATURE)
    count = Count("damaged files")
    for name, place in (("among", source), ("alone", folder / "good alone")):
        command = [sys.executable, "-m", "clearset", "folder", str(place), name]
        done = kills.run(own, command)
        count.tracebacks += (done.stdout + done.stderr).count("Traceback")
        if done.returncode != 0:
            count.lost.append((done.stdout + done.stderr)[-500:])
            return count
    names = ("images", "files")
    outcome = mutants.outcome(source, *(tables.read(n, own / "data/fetch/among") for n in names))
    count.tried, count.used, count.refused = outcome.tried, outcome.used, outcome.refused
    count.unseen, count.wrong, count.lost = outcome.unseen, outcome.wrong, outcome.lost
    metrics = [tables.read("metrics", own / "data/analyze" / name) for name in ("among", "alone")]
    if not mutants.alike(*metrics):
        count.wrong.append("good images are not measured as when alone")
    return count


def everything(folder: Path) -> Iterator[Count]:
    """Yield what became of each kind of attempt."""
    yield damaged(folder / "damaged", FILES)
    yield from hostile.everything(folder / "hostile")
    project = kills.project(folder / "kills")
    attempts: list[tuple[Callable[[kills.Project, int], Count], int]] = [
        (kills.killed, KILLS),
        (kills.workers_killed, WORKERS),
        (kills.raced, MOMENTS),
        (kills.edited, MOMENTS),
        (kills.filled, DISKS),
    ]
    for attempt, number in attempts:
        yield attempt(project, number)


def row(count: Count) -> dict[str, str | int]:
    numbers = vars(count) | {"wrong": len(count.wrong), "lost": len(count.lost)}
    return {name: numbers[name] for name in COLUMNS}


def line(cells: list[str]) -> str:
    return f"{cells[0]:<34}" + "".join(f"{cell:>11}" for cell in cells[1:])


def main() -> int:
    """Print the table, and what is wrong or lost."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1)  # or what workers take is not counted
    folder = Path(tempfile.mkdtemp(prefix="clearset-"))
    rows, faults, begin = [], [], time.monotonic()
    try:
        print(line(list(COLUMNS)), flush=True)
        for count in everything(folder):
            rows.append(row(count))
            faults += [f"{count.what}: {fault}" for fault in (*count.wrong, *count.lost)]
            print(line([str(cell) for cell in rows[-1].values()]), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    kills.reap()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
    minutes = (time.monotonic() - begin) / 60
    print(f"the largest process took {peak:.2f} GB; {minutes:.0f} minutes")
    table = pd.DataFrame(rows).assign(peak_gigabytes=round(peak, 2))
    table.to_csv(TABLE, index=False, lineterminator="\n")
    print("\n".join(faults[:50]))
    return int(bool(faults) or bool(table["tracebacks"].any()))


if __name__ == "__main__":
    sys.exit(main())
