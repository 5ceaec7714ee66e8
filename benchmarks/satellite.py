"""What thousands of satellite tiles cost, beside the bare fastdup call on the same files.

`PYTHONPATH=src python benchmarks/satellite.py [COUNT [SIZE]]` generates tiles of 16-bit grey (8,258
of 640 x 640 unless told otherwise: 7 GB of scratch space), runs fetch, analyze with the open engine
and filter on them in a clone of its own, then fastdup, and prints CPU milliseconds an image, wall
seconds, and the most memory that all processes held together.
"""

import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import psutil
import tifffile
import yaml
from omegaconf import OmegaConf
from pipeline import BARE

from clearset.config import composition
from clearset.engines import fastdup
from clearset.generate.satellite.tile import tile
from clearset.store.parallel import mapped

ROOT = Path(__file__).resolve().parents[1]
STAGES = ["fetch", "analyze", "filter"]
NAME = "tiles"
EVERY = 0.1  # seconds between two looks at the processes
Row = tuple[float, float, float]  # wall seconds, CPU seconds, bytes


def write(folder: Path, count: int, size: int, number: int) -> None:
    """Write one tile."""
    made = tile(number, count=count, size=size, bands=1, seed=5)
    tifffile.imwrite(folder / f"{made.name}.tif", made.pixels, metadata=None)


def watched(command: list[str], folder: Path, **environment: str) -> Row:
    """Return what a command costs; it must succeed.

    CPU is that of all its processes, memory their proportional set size: what they share counts
    once.
    """
    start, cpu, most = time.perf_counter(), {}, 0
    log = folder / "log.txt"
    with log.open("wb") as output:
        running = psutil.Popen(
            command, cwd=folder, env=os.environ | environment, stdout=output, stderr=output
        )
        while running.poll() is None:
            held = 0
            for process in [running, *running.children(recursive=True)]:
                try:
                    times = process.cpu_times()
                    held += process.memory_full_info().pss
                except psutil.Error:
                    continue
                cpu[process.pid] = times.user + times.system
            most = max(most, held)
            time.sleep(EVERY)
    if running.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{log.read_text()}")
    return time.perf_counter() - start, sum(cpu.values()), most


def configured(clone: Path, source: Path) -> None:
    """Write the params of a pipeline on the tiles in `source`."""
    chosen = composition.composed([f"+dataset@{NAME}=mafat_unlabeled"])
    own = {"fetch": {"source": "folder", "path": str(source)}, "analyze": {"engine": "native"}}
    section = OmegaConf.merge(OmegaConf.to_container(chosen[NAME], enum_to_str=True), own)
    place = clone / "folders" / NAME / "params.yaml"
    place.parent.mkdir(parents=True)
    place.write_text(yaml.safe_dump({NAME: OmegaConf.to_container(section)}))


def main(count: int, size: int) -> None:
    """Print the table."""
    rows: dict[str, Row] = {}
    with tempfile.TemporaryDirectory(prefix="clearset-") as name:
        clone, source = Path(name) / "clearset", Path(name) / "tiles"
        source.mkdir()
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        mapped(partial(write, source, count, size), range(count), "generate")
        configured(clone, source)
        for stage in STAGES:
            rows[stage] = watched([sys.executable, f"src/{stage}.py", NAME], clone)
        walls, cpus, mosts = zip(*rows.values(), strict=True)
        rows["the three stages"] = sum(walls), sum(cpus), max(mosts)
        quiet = {"SENTRY_OPT_OUT": "1", "FASTDUP_PRODUCTION": "1", "HOME": name}
        command = [str(fastdup.interpreter()), "-c", BARE, str(source), f"{name}/work"]
        rows["bare fastdup"] = watched(command, Path(name), **quiet)
    base = rows["bare fastdup"][1]
    print(f"{count} tiles of {size} x {size}, 16-bit grey\n")
    print(
        "| what | CPU ms an image | ratio | wall s | memory MB |\n| --- | --- | --- | --- | --- |"
    )
    for row, (wall, cpu, most) in rows.items():
        each = 1000 * cpu / count
        print(f"| {row} | {each:.1f} | {cpu / base:.2f} | {wall:.0f} | {most / 1e6:.0f} |")


if __name__ == "__main__":
    given = sys.argv[1:3]
    main(*(int(number) for number in [*given, *("8258", "640")[len(given) :]]))
