"""What an image costs here and by other tools: one run, side by side, on generated images.

`CLEARSET_RAVIR=/path PYTHONPATH=src python benchmarks/peers.py [COMMIT]` makes 500 grey PNG of 768
px a side, ten of them blurred so that they are repaired, and times everything on them, each tool in
an environment of its own. With a COMMIT the same is done with the code of that commit. Seconds
depend on the machine and on what else it does; ratios within one run hardly.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
from pipeline import ROOT, bare_fastdup, timed

from clearset.generate.retina.synthesis import sample
from clearset.images import codec, levels
from clearset.plant.faults import degrade
from clearset.store.parallel import mapped

COUNT, SIDE = 500, 768
EVERY = 50  # how many images to one that is blurred
BLUR = ["kk.filter.blur.quantile=null", "kk.filter.blur.min=-50", "kk.filter.blur.action=enhance"]
DECODE = """
import sys
from pathlib import Path
from PIL import Image
for file in sorted(Path(sys.argv[1]).iterdir()):
    Image.open(file).load()
"""
CLEANVISION = """
import sys
from cleanvision import Imagelab
if __name__ == "__main__":
    Imagelab(data_path=sys.argv[1]).find_issues()
"""
STAGES = {
    "native `analyze`, all metrics": ["src/analyze.py", "kk"],
    "`compare`, 2 % repaired": ["src/compare.py", "kk"],
    "`report`": ["src/report.py", "kk"],
}
FASTDUP, EYES, RAVIR = "bare fastdup", 42, os.environ.get("CLEARSET_RAVIR")
EYES_TOO = f", RAVIR's {EYES} images"
Cost = tuple[float, ...]  # wall and CPU seconds


def write(job: tuple[int, Path]) -> None:
    """Write one image."""
    number, folder = job
    pixels = sample(number, count=COUNT, size=SIDE, seed=1).pixels
    if number % EVERY == 0:
        blurred = degrade(levels.unit(pixels), "gaussian_blur", 5, np.random.default_rng(number))
        pixels = levels.quantised(blurred, np.uint8)
    (folder / f"{number:03d}.png").write_bytes(codec.png_bytes(pixels))


def cleanvision(folder: Path) -> list[str]:
    """Return the command that looks for issues with CleanVision, installed if need be."""
    python = Path(sys.prefix) / "cleanvision/bin/python"
    if not python.exists():
        uv = str(Path(sys.prefix) / "bin/uv")
        subprocess.run([uv, "venv", "--quiet", str(python.parents[1])], check=True)
        command = [uv, "pip", "install", "--quiet", "--python", str(python), "cleanvision"]
        subprocess.run(command, check=True, env=os.environ | {"UV_SYSTEM_CERTS": "true"})
    return [str(python), "-c", CLEANVISION, str(folder)]


def copied(scratch: Path, commit: str) -> Path:
    """Return a clone of the project at a commit."""
    clone = scratch / f"at {commit}"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    subprocess.run(["git", "checkout", "--quiet", commit], cwd=clone, check=True)
    return clone


def once(scratch: Path, folder: Path, commits: list[str]) -> dict[str, Cost]:
    """Time what is long: whole pipelines, which leave what the stages are then timed on."""
    costs: dict[str, Cost] = {}
    for commit in commits:
        clone = copied(scratch, commit)
        overrides = [word for change in BLUR for word in ("--set", change)]
        command = ["clearset", "folder", str(folder), "kk", *overrides]
        costs[f"`make folder`{named(commit)}"] = timed(command, clone)
        if RAVIR:
            timed(["dvc", "repro", "fetch@ravir"], clone)
            whole = ["dvc", "repro", "--force", "report@ravir", "release@ravir"]
            costs[f"`make ravir`{EYES_TOO}{named(commit)}"] = timed(whole, clone)
            eyes = clone / "data/fetch/ravir/images"
    if RAVIR:
        costs[f"{FASTDUP}{EYES_TOO}"] = bare_fastdup(eyes)
    return costs


def again(scratch: Path, folder: Path, commits: list[str]) -> dict[str, Cost]:
    """Time what is short, once each."""
    costs: dict[str, Cost] = {}
    costs["decoding alone (Pillow)"] = timed([sys.executable, "-c", DECODE, str(folder)], folder)
    costs[FASTDUP] = bare_fastdup(folder)
    costs["CleanVision"] = timed(cleanvision(folder), folder)
    for commit in commits:
        for what, command in STAGES.items():
            clone = scratch / f"at {commit}"
            costs[f"{what}{named(commit)}"] = timed([sys.executable, *command], clone)
    return costs


def named(commit: str) -> str:
    """Return what a row says of a commit."""
    return "" if commit == "HEAD" else f", before ({commit})"


def main(commits: list[str], runs: int) -> None:
    """Print the table: of short commands the medians of some runs, of an earlier commit one."""
    with tempfile.TemporaryDirectory(prefix="clearset-") as name:
        scratch = Path(name)
        folder = scratch / "images"
        folder.mkdir()
        mapped(write, [(number, folder) for number in range(COUNT)], "images")
        whole = once(scratch, folder, commits)
        every = [
            again(scratch, folder, commits if run == 0 else commits[:1]) for run in range(runs)
        ]
    short = {
        row: tuple(median(costs[row][i] for costs in every if row in costs) for i in (0, 1))
        for row in every[0]
    }
    print("| what | wall s | CPU s | CPU ms an image | wall, ratio | CPU, ratio |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row, (wall, cpu) in (short | whole).items():
        count = EYES if EYES_TOO in row else COUNT
        base = short[FASTDUP] if count == COUNT else whole[f"{FASTDUP}{EYES_TOO}"]
        ratios = f"{wall / base[0]:.2f} | {cpu / base[1]:.2f}"
        print(f"| {row} | {wall:.1f} | {cpu:.1f} | {1000 * cpu / count:.1f} | {ratios} |")


if __name__ == "__main__":
    main(["HEAD", *sys.argv[1:]], runs=3)
