"""How long the whole pipeline takes on RAVIR, stage by stage, beside the bare fastdup call.

`CLEARSET_RAVIR=/path make benchmark` runs everything in a clone of its own and prints the table of
benchmarks/README.md: medians of three runs, and ratios to bare fastdup on the same folder in the
same run. Seconds depend on the machine; ratios hardly.
"""

import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from statistics import median

from clearset.engines import fastdup

SUBREAPER = 36  # Linux's number for: orphans below are mine
ROOT = Path(__file__).resolve().parents[1]
STAGES = ["fetch", "analyze", "filter", "enhance", "compare", "report"]
BARE = """
import sys, fastdup
fastdup.create(work_dir=sys.argv[2], input_dir=sys.argv[1]).run(overwrite=True)
"""


def adopt_orphans() -> None:
    """Let this process be told what processes cost whose own parent has ended before them."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1)


def wait_for_orphans() -> None:
    """Wait for all processes below this one: until then their cost is not counted."""
    with suppress(ChildProcessError):
        while True:
            os.wait()


def timed(command: list[str], folder: Path, **environment: str) -> tuple[float, float]:
    """Return wall and CPU seconds of a command; it must succeed."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    env = os.environ | environment
    adopt_orphans()  # stages measure images in processes that a server has started
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    wait_for_orphans()
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def bare_fastdup(images: Path) -> tuple[float, float]:
    """Time fastdup alone on a folder, telemetry and version check off."""
    with tempfile.TemporaryDirectory() as scratch:
        quiet = {"SENTRY_OPT_OUT": "1", "FASTDUP_PRODUCTION": "1", "HOME": scratch}
        command = [str(fastdup.interpreter()), "-c", BARE, str(images), f"{scratch}/work"]
        return timed(command, Path(scratch), **quiet)


def main(runs: int) -> None:
    """Print the table."""
    rows: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        clone = Path(name) / "clearset"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        timed([sys.executable, "src/config.py"], clone)
        for _ in range(runs):
            for stage in STAGES:
                command = [sys.executable, f"src/{stage}.py", "ravir"]
                rows.setdefault(stage, []).append(timed(command, clone))
            images = clone / "data/fetch/ravir/images"
            rows.setdefault("bare fastdup", []).append(bare_fastdup(images))
            whole = ["dvc", "repro", "--force", "report@ravir"]
            rows.setdefault("`dvc repro --force`, all stages", []).append(timed(whole, clone))
            rows.setdefault("`dvc repro`, nothing to do", []).append(
                timed(whole[:2] + whole[3:], clone)
            )
    medians = {row: tuple(map(median, zip(*times, strict=True))) for row, times in rows.items()}
    medians["six stages"] = tuple(sum(medians[stage][i] for stage in STAGES) for i in (0, 1))
    base = medians["bare fastdup"]
    print("| what | wall s | CPU s | wall, ratio | CPU, ratio |\n| --- | --- | --- | --- | --- |")
    for row, (wall, cpu) in medians.items():
        print(f"| {row} | {wall:.1f} | {cpu:.1f} | {wall / base[0]:.2f} | {cpu / base[1]:.2f} |")


if __name__ == "__main__":
    main(runs=3)
