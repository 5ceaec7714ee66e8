"""What reads untrusted files can cost no more than itself: crashes, kills, hangs, memory."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from clearset.config import params
from clearset.engines import analysis, measurements
from clearset.engines.look import Job, Look, look
from clearset.store import isolation, parallel, processes
from clearset.store.errors import ClearsetError
from conftest import ROOT, write_image

LOST = "the process that read it was ended"


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CLEARSET_WORKERS", "2")
    yield
    processes.close()


def twice(item: int) -> int:
    """Return the double, but for numbers that end the process in some way."""
    if item == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if item == 5:
        os._exit(7)
    if item == 7:
        time.sleep(600)
    if item == 9:
        return int(np.ones(2**30).sum())  # 8 GB
    return 2 * item


def lost(item: int, reason: str) -> str:
    return f"{item}: {reason}"


def test_what_ends_its_process_is_named_and_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARSET_SECONDS", "4")
    monkeypatch.setenv("CLEARSET_MEMORY", "1")
    results = isolation.isolated(twice, list(range(11)), "try", lost)
    reasons = {3: f"{LOST} (by signal 9)", 5: f"{LOST} (with status 7)"}
    reasons[7] = "it took longer than 4 seconds: CLEARSET_SECONDS is another limit"
    reasons[9] = "it takes more than 1 GB of memory: CLEARSET_MEMORY is another limit"
    assert results == [lost(i, reasons[i]) if i in reasons else 2 * i for i in range(11)]


def test_one_apart_survives_what_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = isolation.apart(twice, lost)
    assert [ask(1), ask(3), ask(4)] == [2, f"3: {LOST} (by signal 9)", 8]


def once(place: Path) -> str:
    """End the process where it is the first to come here."""
    if not place.exists():
        place.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "second"


def test_a_process_killed_from_outside_costs_nothing(tmp_path: Path) -> None:
    items = [tmp_path / str(number) for number in range(3)]
    assert isolation.isolated(once, items, "try", lambda *_: "lost") == ["second"] * 3


def test_processes_killed_while_they_wait_are_started_anew() -> None:
    assert isolation.isolated(abs, [-1, -2], "try", lost) == [1, 2]
    for _ in range(3):
        for child in psutil.Process().children(recursive=True):
            if "forkserver" in " ".join(child.parent().cmdline()):
                child.kill()
        assert isolation.isolated(abs, list(range(-9, 0)), "try", lost) == list(range(9, 0, -1))


def loud(item: int) -> int:
    os.write(2, b"warning: nameless")
    return item


def test_what_decoders_print_stays_off_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    assert isolation.isolated(loud, [1, 2], "try", lost) == [1, 2]
    os.write(2, b"own")
    assert capfd.readouterr().err == "own"


def test_an_error_is_an_error_and_the_next_call_works() -> None:
    with pytest.raises(ValueError, match="could not convert"):
        isolation.isolated(float, ["1", "x", "2"], "try", lambda *_: 0.0)
    assert isolation.isolated(float, ["1", "2"], "try", lambda *_: 0.0) == [1.0, 2.0]


def number_of_threads(_: int) -> str:
    return os.environ["OPENBLAS_NUM_THREADS"]


def test_each_process_has_the_path_and_one_thread_and_the_environment_stays() -> None:
    before = dict(os.environ)
    assert isolation.isolated(number_of_threads, [1], "try", lost) == ["1"]
    assert dict(os.environ) == before


def test_a_limit_beyond_what_the_system_counts_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARSET_MEMORY", "1e300")
    assert isolation.isolated(abs, [-1], "try", lost) == [1]


@pytest.mark.parametrize("value", ["0", "-1", "half", "nan", "inf", "0.1"])
def test_a_limit_that_is_none_is_named(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARSET_MEMORY", value)
    with pytest.raises(ClearsetError, match=f"CLEARSET_MEMORY is '{value}': give gigabytes"):
        processes.memory()
    monkeypatch.setenv("CLEARSET_SECONDS", value)
    with pytest.raises(ClearsetError, match=f"CLEARSET_SECONDS is '{value}': give a whole number"):
        isolation.seconds()


def fatal(item: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return item


def test_a_worker_that_is_killed_elsewhere_is_said_in_a_sentence() -> None:
    with pytest.raises(ClearsetError, match=r"draw: a process at work was ended from outside"):
        parallel.mapped(fatal, range(parallel.FEW), "draw")


def ending(wishes: object, job: Job) -> Look:
    """Look at an image; at one of them the process ends."""
    if job.file.name == "2.png":
        os.kill(os.getpid(), signal.SIGKILL)
    return look(wishes, job)  # type: ignore[arg-type]


def test_an_image_that_can_not_be_measured_is_one_without_metrics_among_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eyes: list[object]
) -> None:
    """The others are measured as when it is not there."""
    monkeypatch.chdir(ROOT)
    settings = params.load("sample").analyze
    monkeypatch.setattr(measurements, "look", ending)
    random = np.random.default_rng(5)
    for number in range(5):
        write_image(tmp_path / f"{number}.png", random.integers(0, 255, (64, 64), np.uint8))
    names = [f"{number}.png" for number in range(5)]
    table = pd.DataFrame(
        {"image_id": names, "path": names, "split": ["train", "test", *["all"] * 3]}
    )
    columns = dict.fromkeys(("error", "mask", "mask_error", "alpha", "shown", "seen"), "")
    table = table.assign(**columns, orientation="", low=0.0, high=255.0, nodata=np.nan)
    whole = analysis.analyze(table, tmp_path, settings).analysis
    alone = analysis.analyze(table[table["path"] != "2.png"], tmp_path, settings).analysis
    assert whole.unmeasured.to_dict("records") == [
        {"image_id": "2.png", "reason": f"{LOST} (by signal 9)"}
    ]
    metrics = whole.metrics.set_index("image_id")
    assert metrics.loc["2.png"].isna().all()
    assert metrics.drop("2.png").equals(alone.metrics.set_index("image_id"))


PARENT = """
import sys, time
sys.path[:0] = [{source!r}, {tests!r}]
from clearset.store import isolation
import test_isolation
if __name__ == "__main__":
    print("begun", flush=True)
    isolation.isolated(test_isolation.twice, [7, 7], "try", test_isolation.lost)
"""


def test_processes_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(source=str(ROOT / "src"), tests=str(ROOT / "tests")))
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, cwd=tmp_path)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"begun\n"
    time.sleep(3)
    children = psutil.Process(parent.pid).children(recursive=True)
    assert children
    parent.kill()
    parent.communicate()
    _, alive = psutil.wait_procs(children, timeout=10)
    for child in alive:
        child.kill()
    assert not alive
