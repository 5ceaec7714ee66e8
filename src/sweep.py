"""Try every setting of a sweep as a DVC experiment, and set them side by side.

`python src/sweep.py ravir_repairs` queues what conf/sweeps/ravir_repairs.yaml names, each setting
on every image, runs what has not run yet, and writes reports/ravir_repairs/sweep/.
"""

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from dvc import api

from clearset import sweeps
from clearset.errors import ClearsetError
from clearset.io import layout, tables
from clearset.io.command import run
from clearset.schema import EVERY
from clearset.steps import check_steps

SWEEPS = Path("conf/sweeps")
PREFIX = "sweep-"  # of an experiment's name


def main(dataset: str) -> str:
    """Queue, run and compare the experiments of a dataset's sweep."""
    settings = read(SWEEPS / f"{dataset}.yaml")
    done = experiments()
    waiting = {name: steps for name, steps in settings.items() if PREFIX + name not in done}
    for name, steps in waiting.items():
        queue(dataset, name, steps)
    if waiting:
        call("dvc", "exp", "run", "--run-all")
    path = f"{layout.REPORTS}/{dataset}/tables/vessels.csv"
    found = {name: vessels(path, PREFIX + name) for name in settings}
    target = layout.REPORTS / dataset / "sweep"
    with layout.replacing(target) as begun:
        begun.mkdir()
        tables.write("sweep", sweeps.table(found), begun)
        tables.write("best", sweeps.best(found), begun)
    return f"sweep: {len(settings)} settings, {len(waiting)} run now, side by side in {target}"


def read(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the settings of a sweep, checked: a name and its chain of steps each."""
    if not path.exists():
        raise ClearsetError(f"{path} is missing: write the settings to try, name: [steps]")
    settings: dict[str, list[dict[str, Any]]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, steps in settings.items():
        check_steps(steps, f"{path}, {name}")
    return settings


def queue(dataset: str, name: str, steps: list[dict[str, Any]]) -> None:
    """Queue one setting as an experiment."""
    given = [word for override in overrides(dataset, steps) for word in ("-S", override)]
    call("dvc", "exp", "run", "--queue", "-n", PREFIX + name, *given, f"compare@{dataset}")


def overrides(dataset: str, steps: list[dict[str, Any]]) -> list[str]:
    """Return what makes an experiment repair every image, and gather no evidence, try nothing."""
    every = [{"rule": EVERY} | step for step in steps]
    chain = ",".join("{" + ",".join(f"{k}: {v}" for k, v in step.items()) + "}" for step in every)
    return [f"{dataset}.enhance=[{chain}]", f"accept@{dataset}=none", f"trials@{dataset}=none"]


def experiments() -> set[str]:
    """Return the names of the experiments that have run on this commit."""
    done = call("dvc", "exp", "list", "--name-only", capture=True)
    return {line.strip() for line in done.splitlines()}


def vessels(path: str, experiment: str) -> pd.DataFrame:
    """Return the table `vessels` of an experiment."""
    with tempfile.TemporaryDirectory(prefix="clearset-") as folder:
        Path(folder, "vessels.csv").write_text(api.read(path, rev=experiment), encoding="utf-8")
        return tables.read("vessels", Path(folder))


def call(*command: str, capture: bool = False) -> str:
    """Run a command and return what it printed, if that was asked for."""
    printed = subprocess.PIPE if capture else None
    done = subprocess.run(command, check=False, text=True, stdout=printed)
    if done.returncode:
        raise ClearsetError(f"{' '.join(command[:4])} stopped: see above, then run the sweep again")
    return done.stdout or ""


if __name__ == "__main__":
    run(main)
