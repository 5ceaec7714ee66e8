"""What a sweep costs: the curve over every bound, and eight experiments, beside one full run.

`PYTHONPATH=src python benchmarks/sweeping.py` runs everything on the sample, in a clone of its own,
and prints the table of benchmarks/README.md. Seconds depend on the machine; ratios hardly.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline import ROOT, timed

FULL = "one full run: `dvc repro --force`, seven stages"
CURVE = """
import time, filter as stage
from clearset.config import params
from clearset.decide import rules
from clearset.store import layout
from clearset.truth import bounds
section = params.load("sample")
folders = [layout.stage_folder(name, "sample") for name in ("fetch", "analyze")]
survey = stage.read(*folders, section)
judgement = rules.judge(section.filter, survey)
start = time.perf_counter(), time.process_time()
table = bounds.swept(judgement, survey)
print(len(table), time.perf_counter() - start[0], time.process_time() - start[1])
"""


def main() -> None:
    """Print the table."""
    rows: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        clone = Path(name) / "clearset"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        for key in ("user.name", "user.email"):
            subprocess.run(["git", "config", key, "benchmark@example.org"], cwd=clone, check=True)
        timed(["dvc", "repro", "report@sample", "release@sample"], clone)
        timed(["git", "commit", "--quiet", "--allow-empty", "--all", "-m", "reproduced"], clone)
        rows[FULL] = timed(["dvc", "repro", "--force", "report@sample", "release@sample"], clone)
        rows["stage filter, with the curve"] = timed(
            [sys.executable, "src/filter.py", "sample"], clone
        )
        printed = subprocess.run(
            [sys.executable, "-c", CURVE],
            cwd=clone,
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONPATH": f"{clone}/src"},
        ).stdout.split()
        rows[f"the curve alone, {printed[0]} bounds"] = float(printed[1]), float(printed[2])
        rows["eight queued experiments, `make sweep DATASET=sample`"] = timed(
            ["clearset", "sweep", "sample"], clone
        )
    base = rows[FULL]
    print("| what | wall s | ratio |\n| --- | --- | --- |")
    for row, (wall, _) in rows.items():  # DVC's worker is no child, so that its CPU is not counted
        print(f"| {row} | {wall:.2f} | {wall / base[0]:.3f} |")


if __name__ == "__main__":
    main()
