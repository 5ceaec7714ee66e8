"""A small part of what `make torture` tries."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import hostile
import mutants
from clearset.config.schema_fetch import Fetch
from clearset.stages import fetch
from clearset.store import dossiers, processes
from clearset.store.stages import Analysis
from kills import Count
from stages import project
from test_whole import FILES

FEW = 5 * len(FILES)
KILLS = 4


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # and back again, wherever an attempt goes


def test_no_damaged_file_is_read_wrongly_or_lost(tmp_path: Path) -> None:
    source = mutants.write(tmp_path / "S", FEW, seed=1)
    catalogue, _ = fetch.of_files(source, tmp_path / "T", Fetch())
    outcome = mutants.outcome(source, catalogue.images, catalogue.files)
    processes.close()
    assert outcome.tried == FEW == outcome.used + outcome.refused
    assert outcome.wrong == outcome.lost == []
    assert outcome.refused > FEW // 2
    good = catalogue.images[catalogue.images["source"].str.startswith("good/")]
    assert len(good) == len(FILES)
    assert (good["error"] == "").all()


@pytest.mark.parametrize(
    ("attempt", "number"),
    [(hostile.named, 5), (hostile.packed, 60), (hostile.tabled, 40), (hostile.released, 30)],
)
def test_what_is_hostile_is_used_or_refused_in_a_sentence(
    attempt: "hostile.Attempt", number: int, tmp_path: Path
) -> None:
    count: Count = attempt(tmp_path / "hostile", number, 1)
    processes.close()
    assert count.wrong == count.lost == []
    assert count.tracebacks == 0
    assert count.tried == number == count.used + count.refused


def test_a_stage_that_is_killed_leaves_what_was_there_or_all_that_is_new(tmp_path: Path) -> None:
    own = project(tmp_path / "project", {"sample": {"count": 6, "size": 96, "plant": PLANT}})
    for stage in ("fetch", "analyze"):
        command = [sys.executable, f"src/{stage}.py", "sample"]
        subprocess.run(command, cwd=own, check=True, capture_output=True)
    before = (own / "data/analyze/sample/metrics.csv").read_bytes()
    moments = random.Random(3)  # noqa: S311 - no secret
    for _ in range(KILLS):
        process = subprocess.Popen(command, cwd=own, start_new_session=True, stdout=-3, stderr=-3)
        time.sleep(moments.uniform(0.1, 3))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        folder = own / "data/analyze/sample"
        assert dossiers.read(Analysis, folder)
        assert (folder / "metrics.csv").read_bytes() == before
    subprocess.run(command, cwd=own, check=True, capture_output=True)
    assert (own / "data/analyze/sample/metrics.csv").read_bytes() == before
    assert not list((own / "data/analyze").glob(".*"))


PLANT = {"in_place": 3, "leaks": 0, "foreign": 0, "near_duplicates": 0, "duplicates": 0}
PLANT |= {"masks": 0, "conflicts": 0, "overlaps": 0, "broken": 0}
