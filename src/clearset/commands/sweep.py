"""Try every setting of a sweep as a DVC experiment, and set them side by side."""

import json
from pathlib import Path
from typing import Any

import click

from clearset.config import composition
from clearset.config.schema import EVERY
from clearset.proof import sweeps
from clearset.repair.steps import check_steps
from clearset.store import documents, layout, locks, tables
from clearset.store.errors import ClearsetError
from clearset.store.parallel import workers
from clearset.versions import pipeline, revisions

SWEEPS = Path("conf/sweeps")
METRICS = ("counts.json", "metrics.json")


@click.command
@click.argument("dataset")
def command(dataset: str) -> str:
    """Run what conf/sweeps/DATASET.yaml names and has not run yet; write reports/DATASET/sweep/.

    Each setting is a queued experiment of filter, enhance and compare: fetch and analyze never run
    again. git must be clean.
    """
    with locks.alone(f"clearset sweep {dataset}"):
        return sweep(dataset)


def sweep(dataset: str) -> str:
    """Queue, run and compare the experiments of a dataset's sweep."""
    settings = read(SWEEPS / f"{dataset}.yaml", dataset)
    names = {setting: f"sweep-{dataset}-{setting}" for setting in settings}
    earlier = experiments()
    waiting = [setting for setting, name in names.items() if name not in earlier]
    for setting in waiting:
        options = [word for override in settings[setting] for word in ("-S", override)]
        queued = ["--queue", "-n", names[setting], *options, f"compare@{dataset}"]
        pipeline.dvc("exp", "run", *queued, visible=True)
    if waiting:
        pipeline.dvc("exp", "run", "--run-all", "--jobs", str(min(workers(), 2)), visible=True)
    reports = layout.REPORTS / dataset
    numbers = sweeps.settings({s: metrics(reports, name) for s, name in names.items()})
    seen = {s: revisions.table("vessels", reports / "tables", name) for s, name in names.items()}
    target = reports / "sweep"
    with layout.replacing(target) as incomplete:
        incomplete.mkdir()
        tables.write("settings", numbers, incomplete)
        if all(len(table) for table in seen.values()):
            tables.write("sweep", sweeps.table(seen), incomplete)
            tables.write("best", sweeps.best(seen), incomplete)
    return "\n".join(
        [
            numbers.to_string(index=False, na_rep="-", float_format="%.4g"),
            f"sweep: {len(settings)} settings, {len(waiting)} run now, side by side in {target}",
            "  to adopt one: make adopt NAME=sweep-"
            f"{dataset}-<setting>; images that change fate: make diff (docs/sweeps.md)",
        ]
    )


def read(path: Path, dataset: str) -> dict[str, list[str]]:
    """Return the settings of a sweep, checked: a name and its overrides each."""
    if not path.exists():
        raise ClearsetError(
            f"{path} is missing: write the settings to try, name: [steps] or name: [overrides]"
        )
    settings = {}
    for name, entries in lists(path).items():
        words = [entry for entry in entries if isinstance(entry, str)]
        if len(words) != len(entries):
            check_steps([entry for entry in entries if entry not in words], f"{path}, {name}")
            words = every(dataset, entries)
        settings[name] = [*words, f"trials@{dataset}=none"]
        try:
            composition.composed(settings[name])
        except ClearsetError as error:
            raise ClearsetError(f"{path}, {name}: {error}") from None
    return settings


def lists(path: Path) -> dict[str, list[Any]]:
    """Return a sweep's lists of steps or overrides by name; raises `ClearsetError` for no such."""
    content = documents.read(path)
    entries = list(content.values()) if isinstance(content, dict) else [None]
    if not all(isinstance(e, list) and all(isinstance(w, dict | str) for w in e) for e in entries):
        raise ClearsetError(f"{path}: write name: [steps] or name: [overrides], a line a setting")
    return dict(content)


def every(dataset: str, steps: list[dict[str, Any]]) -> list[str]:
    """Return what makes an experiment repair every image, and gather no evidence."""
    repairs = [{"rule": EVERY} | step for step in steps]
    chain = ",".join("{" + ",".join(f"{k}: {v}" for k, v in step.items()) + "}" for step in repairs)
    return [f"{dataset}.enhance=[{chain}]", f"accept@{dataset}=none"]


def experiments() -> set[str]:
    """Return the names of the experiments that have run on this commit."""
    output = pipeline.dvc("exp", "list", "--name-only")
    return {line.strip() for line in output.splitlines()}


def metrics(reports: Path, experiment: str) -> dict[str, float]:
    """Return the numbers that an experiment is compared by, without the dataset's name."""
    numbers: dict[str, float] = {}
    for file in METRICS:
        numbers |= json.loads(revisions.content(reports / file, experiment))
    return {name.partition(".")[2]: number for name, number in numbers.items()}
