"""Fixtures: small images, the real RAVIR where it is at hand, fastdup where it works."""

import datetime
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings
from PIL import Image
from scipy import ndimage

from clearset.engines import fastdup
from clearset.generate.retina.synthesis import Made, sample
from clearset.sources import places
from clearset.store import columns, dossiers
from stages import OTHER

Kind = TypeVar("Kind")

REPEATABLE = settings(  # the same examples on every run, and none kept
    max_examples=40,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
ROOT = Path(__file__).resolve().parents[1]
ENDS = ["report@sample", "release@sample"]  # what no stage follows
OTHERS = ("ravir", "ravir_faults", "ravir_repairs", "satellite_sample")
Edits = Mapping[str, Mapping[str, str]]  # by file: a text, and what stands in its place
NOTHING: Edits = {}
MINIATURE: Edits = {
    "conf/dataset/sample.yaml": {  # every fault once, and a relative of each kind
        "count: 50": "count: 18",
        "size: 768": "size: 128",
        "in_place: 28": "in_place: 14",
        "leaks: 2": "leaks: 1",
        "foreign: 2": "foreign: 1",
        "resamples: 10000": "resamples: 200",
        "/trials@_here_: published": "/trials@_here_: none",
    },
    # Other datasets would be read with it by every dvc command.
    "conf/config.yaml": {
        f"  - dataset@{name}: {name}": "  #" for name in (*OTHERS, "mafat_unlabeled")
    },
    "dvc.yaml": {f"      {name}: {{pixels": f"      # {name}: {{pixels" for name in OTHERS},
}
LONGEST = [
    "test_pipeline.py",
    "test_dispatch.py",
    "test_publish.py",
    "test_ravir.py",
    "test_sweep.py",
    "test_adopt.py",
]


@pytest.fixture(scope="session", autouse=True)
def alone() -> Iterator[None]:
    """One process for whatever says nothing else: a core has a worker of the tests already.

    Each further one loads all code anew, which takes longer than most of what tests do.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLEARSET_WORKERS", "1")
        yield


@pytest.fixture(scope="session")
def eyes() -> list[Made]:
    """Ten generated eyes of 128 px; the last for training is the first again, its mask grown."""
    made = [sample(number, count=10, size=128, seed=3) for number in range(10)]
    first, last = made[0], max(n for n, one in enumerate(made) if one.split == "train")
    assert first.mask is not None
    grown = ndimage.grey_dilation(first.mask, size=3)
    made[last] = replace(made[last], pixels=first.pixels.copy(), mask=grown)
    return made


@pytest.fixture(scope="session")
def ravir() -> Path:
    """The real dataset's folder; skips where there is none."""
    place = os.environ.get("CLEARSET_RAVIR", "")
    if not place or not Path(place).exists():
        pytest.skip("RAVIR is not at hand: CLEARSET_RAVIR=/path/to/it make test")
    return Path(place)


@pytest.fixture(scope="session")
def drive() -> Path:
    """A second camera's photographs, in colour, on black; skips where there are none."""
    place = Path(os.environ.get("CLEARSET_DRIVE", "") or ROOT.parent / "shared/drive")
    if not (place / "training").exists():
        pytest.skip("DRIVE is not at hand: CLEARSET_DRIVE=/path/to/it make test")
    return place


@pytest.fixture(scope="session")
def working_fastdup() -> Path:
    """fastdup's environment; skips where `make setup` found that it does not work."""
    record = fastdup.environment().with_suffix(".txt")
    outcome = record.read_text().strip() if record.exists() else "fastdup: not set up"
    if " works" not in outcome:
        pytest.skip(outcome)
    last = fastdup.expires()
    if last and datetime.date.today() >= last:
        pytest.skip(f"fastdup's build has expired on {last}: make setup looks for a newer one")
    return fastdup.environment()


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A clone in which the sample has been reproduced once, for all workers, to be looked at.

    With other code than this processor would be given, in one process.
    """
    return once(tmp_path_factory, worker_id, "a folder with spaces", environment=OTHER)


@pytest.fixture(scope="session")
def miniature(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A clone whose sample is 33 images of 128 px, reproduced and committed, to be copied."""
    return once(tmp_path_factory, worker_id, "miniature", MINIATURE)


def once(
    factory: pytest.TempPathFactory,
    worker_id: str,
    name: str,
    edits: Edits = NOTHING,
    environment: Mapping[str, str] | None = None,
) -> Path:
    """Return a clone, made by the first worker that asks, in which the sample is reproduced."""
    base = factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / name
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            project = clone(folder / "incomplete", edits=edits)
            process = run(project, "dvc", "repro", *ENDS, **(environment or {}))
            assert process.returncode == 0, process.stdout + process.stderr
            if edits:
                message = ["--all", "--message", "reproduced"]
                run(project, "git", "commit", "--quiet", *message)
            project.rename(folder / "clearset")
    return folder / "clearset"


@pytest.fixture(scope="module")
def project(miniature: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module's own copy of the miniature."""
    folder = tmp_path_factory.mktemp("project") / "clearset"
    shutil.copytree(miniature, folder, symlinks=True)
    return folder


@pytest.fixture
def clean(project: Path) -> Path:
    """The same clone, as committed, its data in place."""
    changed = run(project, "git", "status", "--porcelain").stdout
    run(project, "git", "checkout", "--quiet", ".")
    if "dvc.lock" not in changed:  # no stage has ended well since
        return project
    stages = ("report", "release", "compare", "enhance", "filter")
    process = run(project, "dvc", "checkout", *(f"{stage}@sample" for stage in stages))
    assert process.returncode == 0, process.stderr
    return project


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first, so that no worker is left with one at the end."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else 99)


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def tables_of(kind: type[Kind], **some: pd.DataFrame) -> Kind:
    """Return tables of a kind, say `Survey`: those that are named, and the others without rows."""
    rest = {name: columns.empty(name) for name in dossiers.names(kind) if name not in some}
    return kind(**rest | some)


def of_the_source(files: Iterable[str]) -> set[str]:
    """Return which files of a released folder are none of its own."""
    return {f for f in files if f not in places.OWN and not places.TABLE.fullmatch(f)}


def write_image(path: Path, pixels: npt.NDArray[np.generic]) -> Path:
    """Write pixels as an image file of the path's suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def of_dataset(lock: str, dataset: str) -> str:
    """Return dvc.lock with the stages of one dataset: every dvc command reads all of it."""
    head, *stages = re.split(r"^(?=  [a-z])", lock, flags=re.MULTILINE)
    names = (stage.partition(":\n")[0].partition("@")[2] for stage in stages)
    kept = [stage for stage, name in zip(stages, names, strict=True) if name in ("", dataset)]
    return head + "".join(kept)


def clone(target: Path, dataset: str = "sample", edits: Edits = NOTHING) -> Path:
    """Copy the tracked and new files of the working tree into a repository of its own.

    Of dvc.lock it gets what a dataset's tests need; `edits` are made before it is committed.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes((ROOT / name).read_bytes())
    lock = target / "dvc.lock"
    lock.write_text(of_dataset(lock.read_text(), dataset))
    for name, texts in edits.items():
        edit(target / name, texts)
    for command in (
        ["git", "init", "--quiet", "--initial-branch=main"],
        ["git", "config", "user.name", "tester"],
        ["git", "config", "user.email", "tester@example.org"],
        ["git", "add", "--all"],
        ["git", "commit", "--quiet", "--message", "as it is"],
    ):
        subprocess.run(command, cwd=target, check=True, capture_output=True)
    return target


def edit(file: Path, texts: Mapping[str, str]) -> None:
    """Replace text in a file, which has each of the texts just once."""
    text = file.read_text()
    for before, after in texts.items():
        assert len(re.findall(rf"{re.escape(before)}(?!\w)", text)) == 1, before
        text = re.sub(rf"{re.escape(before)}(?!\w)", after, text)
    file.write_text(text)


def run(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder with this environment's programs; output is captured.

    Stages run in one process each: a core has a worker of the tests already.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {key: value for key, value in os.environ.items() if key != "DVC_EXP_NAME"}
    return subprocess.run(
        command,
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        env=kept | {"PATH": path, "CLEARSET_WORKERS": "1"} | environment,
    )
