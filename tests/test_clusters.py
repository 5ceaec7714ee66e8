"""The same bytes from one machine and from clusters: real schedulers and workers, on loopback."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
import yaml

from clearset.config import execution
from clearset.store import isolation, parallel
from clearset.store.errors import ClearsetError
from clearset.store.execution import Place, on

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PATHS = os.pathsep.join(str(ROOT / part) for part in ("src", "tests"))
ENV = os.environ | {"PYTHONPATH": PATHS, "RAY_USAGE_STATS_ENABLED": "0", "CLEARSET_WORKERS": "1"}
IMAGES = 72


def free_port() -> int:
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        return int(own.getsockname()[1])


def started(*command: str, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        return subprocess.Popen(
            [str(BIN / command[0]), *command[1:]], env=ENV, stdout=file, stderr=file
        )


def stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
        process.kill()
        process.wait()


class Dask:
    """A scheduler and two workers, each of its own process."""

    def __init__(self, folder: Path) -> None:
        self.log, port = folder / "dask.log", free_port()
        self.address = f"tcp://127.0.0.1:{port}"
        own = ("--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
        self.scheduler = started("dask", "scheduler", *own, log=self.log)
        self.workers = [self.worker(), self.worker()]

    def worker(self) -> subprocess.Popen[bytes]:
        own = ("--nthreads", "1", "--no-dashboard", "--no-nanny")
        return started("dask", "worker", self.address, *own, log=self.log)

    def close(self) -> None:
        stop([*self.workers, self.scheduler])


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    pytest.importorskip("distributed")
    cluster = Dask(tmp_path_factory.mktemp("dask"))
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("ray")
    scratch, port = tmp_path_factory.mktemp("ray", numbered=True), 26000 + free_port() % 4000
    own = ["--node-ip-address", "127.0.0.1", "--port", str(port), "--num-cpus", "2", "--block"]
    own += ["--include-dashboard=false", "--disable-usage-stats"]
    own += ["--object-store-memory", "100000000"]
    head = started("ray", "start", "--head", *own, log=scratch / "ray.log")
    address, until = f"127.0.0.1:{port}", time.monotonic() + 60
    while "Ray runtime started" not in (scratch / "ray.log").read_text():
        assert head.poll() is None and time.monotonic() < until, (scratch / "ray.log").read_text()
        time.sleep(0.2)
    yield address
    stop([head])


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which all stages but the last have run, on this machine."""
    home = tmp_path_factory.mktemp("local")
    (home / "images").mkdir()
    for number in range(IMAGES):
        rng = np.random.default_rng(number // 2 * 2 if number % 24 == 1 else number)
        coarse = rng.normal(130, 40, (12, 12)).astype(np.float32)
        image = cv2.resize(coarse, (96, 96), interpolation=cv2.INTER_CUBIC) + rng.normal(
            0, 5, (96, 96)
        )
        split = "test" if number % 4 == 0 else "train"
        place = home / "images" / split / "images" / f"{number:03d}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place), np.clip(image, 0, 255).astype(np.uint8))
    (home / "images/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    run(home, Place(), "fetch", "analyze")
    return home


def run(home: Path, place: Place, *stages: str) -> str:
    with prepared(home, place):
        said = [subprocess.run(**call(home, stage), check=False) for stage in stages]
    assert not any(one.returncode for one in said), [one.stdout for one in said]
    return said[-1].stdout


def call(home: Path, stage: str) -> dict[str, Any]:
    command = [sys.executable, "-P", str(ROOT / f"src/{stage}.py"), "mine"]
    return {
        "args": command, "cwd": home, "env": ENV, "text": True,
        "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT,
    }  # fmt: skip


@contextmanager
def prepared(home: Path, place: Place) -> Iterator[None]:
    section = yaml.safe_load((ROOT / "src/clearset/inspection/folder.yaml").read_text())
    section["fetch"]["path"] = str(home / "images")
    words = {"engine": place.engine, "address": place.address, "partition": place.partition}
    (home / "params.yaml").write_text(yaml.safe_dump({"mine": section, "execution": words}))
    yield


def other(local: Path, folder: Path) -> Path:
    """A folder of the same source, in which nothing has run."""
    folder.mkdir()
    (folder / "images").symlink_to(local / "images")
    return folder


def content(home: Path) -> dict[str, bytes]:
    files = [path for path in (home / "data").rglob("*") if path.is_file()]
    return {str(path.relative_to(home)): path.read_bytes() for path in files}


def test_a_dask_cluster_gives_the_same_bytes(local: Path, dask: Dask, tmp_path: Path) -> None:
    home = other(local, tmp_path / "there")
    said = run(home, Place("dask", dask.address, 8), "fetch", "analyze")
    assert f"({IMAGES} measured now)" in said
    assert content(home) == content(local)


def test_a_ray_cluster_gives_the_same_bytes(local: Path, ray: str, tmp_path: Path) -> None:
    home = other(local, tmp_path / "there")
    run(home, Place(), "fetch")
    said = run(home, Place("ray", ray, 16), "analyze")
    assert f"({IMAGES} measured now)" in said
    assert content(home) == content(local)


def test_a_worker_that_is_killed_costs_its_partition(
    local: Path, dask: Dask, tmp_path: Path
) -> None:
    home = other(local, tmp_path / "there")
    place = Place("dask", dask.address, 4)
    run(home, Place(), "fetch")
    with prepared(home, place), subprocess.Popen(**call(home, "analyze")) as process:
        journal = home / "data/analyze/mine.measurements/incoming.index"
        while not (journal.exists() and journal.stat().st_size):
            assert process.poll() is None
            time.sleep(0.01)
        before = journal.stat().st_size
        os.kill(dask.workers[0].pid, signal.SIGKILL)
        said, _ = process.communicate(timeout=120)
    dask.workers.append(dask.worker())
    assert process.returncode == 0, said
    assert before < IMAGES * 76  # it was half-way
    assert content(home) == content(local)


def ends_its_process(item: int) -> int:
    if item == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return item * item


def test_what_ends_whoever_reads_it_costs_itself_alone(
    ray: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", PATHS)
    with on(Place("ray", ray, 2)):
        results = isolation.isolated(ends_its_process, list(range(6)), "try", lambda _, why: why)
    reason = "the process that read it was ended (by signal 9)"
    assert results == [0, 1, 4, reason, 16, 25]


def test_results_of_a_cluster_are_in_order_and_an_error_is_an_error(
    ray: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", PATHS)
    with on(Place("ray", ray, 3)):
        assert parallel.mapped(ends_its_process, list(range(4, 24)), "try") == [
            item * item for item in range(4, 24)
        ]
        with pytest.raises(ClearsetError, match="no number"):
            parallel.mapped(refuses, list(range(20)), "try")


def refuses(item: int) -> int:
    raise ClearsetError(f"{item} is no number")


def test_a_worker_of_other_code_is_refused(dask: Dask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clearset.store.code.digest", lambda: "another")
    with on(Place("dask", dask.address)), pytest.raises(ClearsetError, match="another version"):
        parallel.mapped(abs, list(range(-20, 0)), "try")


def test_where_no_scheduler_answers_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clearset.store.clusters.WAIT", 1)
    place = Place("dask", f"tcp://127.0.0.1:{free_port()}")
    with on(place), pytest.raises(ClearsetError, match=r"no scheduler of dask .*execution=local"):
        parallel.mapped(abs, list(range(-20, 0)), "try")


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"engine": "dask"}, "no scheduler's address"),
        ({"engine": "slurm"}, "engine"),
        ({"partition": 0}, "partition is 0"),
        ({"adress": "x"}, "adress"),
    ],
)
def test_a_wrong_setting_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: dict[str, Any], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(execution.SCHEDULER, raising=False)
    Path("params.yaml").write_text(yaml.safe_dump({"execution": section}))
    with pytest.raises(ClearsetError, match=said):
        execution.place()


def test_the_environment_may_say_where_a_scheduler_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert execution.place() == Place()
    Path("params.yaml").write_text("execution: {engine: ray}\n")
    monkeypatch.setenv(execution.SCHEDULER, "host:6379")
    assert execution.place() == Place("ray", "host:6379")
