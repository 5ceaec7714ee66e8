"""A result is of the params that are recorded with it, whoever writes them meanwhile."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from clearset.config import params, provenance, stage
from clearset.store import layout, locks
from clearset.store.errors import ClearsetError
from clearset.versions import pipeline
from conftest import ROOT

Write = Callable[[Path, Any], None]
Main = Callable[[str], str]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the map, params of one dataset, and no result."""
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(ROOT / "dvc.yaml", "dvc.yaml")
    Path(".dvc").mkdir()
    every = yaml.safe_load((ROOT / "params.yaml").read_text())
    save({"sample": every["sample"]})
    return tmp_path


def save(content: Any, path: Path = params.PARAMS) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def edit(key: str, value: Any, path: Path = params.PARAMS) -> None:
    """Write another value for one key of the dataset, as an editor does."""
    content = yaml.safe_load(path.read_text())
    *outer, last = key.split(".")
    section = content["sample"]
    for name in outer:
        section = section[name]
    section[last] = value
    save(content, path)


def making(name: str, meanwhile: Callable[[], object] = lambda: None) -> Main:
    """Return a stage that records its params in its folder, and what happens while it runs."""

    def main(dataset: str) -> str:
        before = params.load(dataset)
        meanwhile()
        assert params.load(dataset) == before
        with layout.replacing(layout.stage_folder(name, dataset)) as incomplete:
            incomplete.mkdir()
            provenance.record(name, dataset, incomplete)
        return "made"

    return main


def run(name: str, meanwhile: Callable[[], object] = lambda: None) -> str:
    return stage.certified(making(name, meanwhile), name, "sample")


def test_a_stage_whose_params_stay_ends_well_and_says_them(project: Path) -> None:
    assert run("filter") == "made"
    content = yaml.safe_load(Path("data/filter/sample/params.yaml").read_text())["sample"]
    own = yaml.safe_load(params.PARAMS.read_text())["sample"]
    assert content == {name: own[name] for name in ("analyze", "calibrate", "classes", "filter")}


@pytest.mark.parametrize("name", ["filter", "compare", "release"])
def test_params_that_change_under_a_stage_are_never_recorded_with_it(
    project: Path, name: str
) -> None:
    with pytest.raises(ClearsetError, match=r"filter\.dark\.min is 101 now and was \d"):
        run(name, lambda: edit("filter.dark.min", 101))


def test_params_there_and_back_leave_a_stage_what_it_has_read(project: Path) -> None:
    def meanwhile() -> None:
        edit("filter.dark.min", 101)
        assert params.load("sample").filter["dark"].min == 40
        edit("filter.dark.min", 40.0)

    edit("filter.dark.min", 40.0)
    assert run("filter", meanwhile) == "made"


def test_params_that_a_stage_does_not_read_may_change(project: Path) -> None:
    assert run("analyze", lambda: edit("filter.dark.min", 101)) == "made"


def test_a_file_that_is_broken_at_the_end_is_refused(project: Path) -> None:
    with pytest.raises(ClearsetError, match="is no YAML"):
        run("filter", lambda: params.PARAMS.write_text("sample: {"))


def test_a_file_that_is_gone_at_the_end_is_refused(project: Path) -> None:
    with pytest.raises(ClearsetError, match=r"params\.yaml is missing"):
        run("filter", params.PARAMS.unlink)


def test_nothing_is_built_on_what_was_made_under_other_params(project: Path) -> None:
    """Recorded by DVC as of the params at its end, and made under those at its beginning."""
    run("filter")
    edit("filter.dark.min", 101)
    again = r"dvc repro --force --single-item filter@sample"
    for name in ("enhance", "compare", "report", "release"):
        with pytest.raises(ClearsetError, match=rf"(?s)dark\.min is 101 now and was.*{again}"):
            run(name)
    run("filter")
    assert run("enhance") == "made"


def test_where_a_source_lies_is_no_part_of_the_record(project: Path) -> None:
    edit("fetch.path", "/somewhere/of/mine")
    run("fetch")
    assert "somewhere" not in Path("data/fetch/sample/params.yaml").read_text()
    edit("fetch.path", "/elsewhere")
    assert run("analyze") == "made"


def test_a_folder_of_ones_own_reads_the_copy_of_its_run(project: Path) -> None:
    every = yaml.safe_load(params.PARAMS.read_text())
    for path in (params.own("sample"), params.of_run("sample")):
        save(every, path)
    bound = params.load("sample").filter["dark"].min
    edit("filter.dark.min", 101, params.own("sample"))
    assert params.load("sample").filter["dark"].min == bound
    with pytest.raises(ClearsetError, match=r"folders/sample/run\.yaml was changed while filter"):
        run("filter", lambda: edit("filter.dark.min", 7, params.of_run("sample")))


@pytest.mark.parametrize("name", list(yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]))
def test_the_map_says_what_a_stage_reads(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    told = provenance.inputs(name)
    own = yaml.safe_load((ROOT / "params.yaml").read_text())["sample"]
    assert set(told.sections) <= set(own)
    assert set(told.stages) <= {"fetch", "analyze", "filter", "enhance", "compare"}
    assert (name in ("config", "fetch")) == (not told.stages)


HOLD = """
import sys
from clearset.store import locks
with locks.{how}("clearset {how}"):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(how: str) -> subprocess.Popen[str]:
    """Return a process that holds the project's lock until its input ends."""
    command = [sys.executable, "-c", HOLD.format(how=how)]
    environment = {k: v for k, v in os.environ.items() if k != locks.HELD}
    environment["PYTHONPATH"] = str(ROOT / "src")
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, text=True, env=environment, stdin=pipe, stdout=pipe)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def ended(process: subprocess.Popen[str], by: int = signal.SIGKILL) -> None:
    process.send_signal(by)
    process.communicate()


def test_who_holds_a_project_alone_is_named_to_all_others(project: Path) -> None:
    process = holder("alone")
    try:
        message = rf"busy: .*clearset alone \(process {process.pid}\) is at work"
        with pytest.raises(ClearsetError, match=message), locks.alone("clearset folder mine"):
            pass
        with pytest.raises(ClearsetError, match=message):
            run("filter")
        assert not Path("data").exists()
    finally:
        ended(process)
    assert run("filter") == "made"  # a killed holder holds nothing


def test_stages_share_a_project_and_no_command_comes_between(project: Path) -> None:
    process = holder("shared")
    try:
        assert run("filter") == "made"
        message = "a stage of dvc repro is at work"
        with pytest.raises(ClearsetError, match=message), locks.alone("clearset adopt strict"):
            pass
    finally:
        ended(process)


def test_what_a_command_runs_goes_on_under_its_lock_when_it_is_killed(project: Path) -> None:
    with locks.alone("clearset folder mine") as lock:
        assert run("filter") == "made"  # its own stages are not locked out
        child = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"],
            stdin=subprocess.PIPE,
            pass_fds=[lock],
        )
    with pytest.raises(ClearsetError, match="busy"), locks.alone("clearset folder mine"):
        pass
    child.communicate()
    with locks.alone("clearset folder mine"):
        pass


@pytest.mark.parametrize("content", ["", "{", '{"read": {'])
def test_a_list_of_readers_that_a_kill_cut_short_stops_no_later_run(
    project: Path, content: str
) -> None:
    readers = project / ".dvc/tmp/rwlock"
    readers.parent.mkdir()
    readers.write_text(content)
    with locks.alone("clearset folder mine"):
        assert not readers.exists()
    readers.write_text(json.dumps({"read": {"/a": [{"pid": os.getpid(), "cmd": "dvc repro"}]}}))
    with locks.alone("clearset folder mine"):
        assert readers.exists()


def test_readers_that_are_dead_but_in_the_table_of_processes_stop_no_later_run(
    project: Path,
) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    time.sleep(1)  # ended, and nobody has asked how
    readers = project / ".dvc/tmp/rwlock"
    readers.parent.mkdir()
    readers.write_text(json.dumps({"read": {"/a": [{"pid": child.pid, "cmd": "dvc repro"}]}}))
    with locks.alone("clearset folder mine"):
        assert not readers.exists()
    child.wait()


def test_a_lock_file_that_a_kill_cut_short_is_forgotten_and_a_whole_one_kept(
    tmp_path: Path,
) -> None:
    lock = tmp_path / "dvc.lock"
    whole = (ROOT / "dvc.lock").read_bytes()
    pipeline.forget_cut(lock)  # none
    for content in (b"", whole[:40], b"\xff", b"- 1", b"a: 1\n", b"schema: '2.0'\nstages:\n  a"):
        lock.write_bytes(content)
        pipeline.forget_cut(lock)
        assert not lock.exists()
    lock.write_bytes(whole)
    pipeline.forget_cut(lock)
    assert lock.read_bytes() == whole


def test_what_dvc_writes_down_of_other_params_is_taken_out_again(project: Path) -> None:
    run("filter")
    run("analyze")
    own = yaml.safe_load(params.PARAMS.read_text())["sample"]
    told = {f"sample.{name}": own[name] for name in own}
    lock = Path("dvc.lock")
    stages = {
        f"{stage}@sample": {"params": {"params.yaml": told}} for stage in ("analyze", "filter")
    }
    save({"stages": stages}, lock)
    before = lock.read_bytes()
    assert pipeline.uncertify(lock, "sample") == []
    assert lock.read_bytes() == before
    told["sample.filter"]["dark"]["min"] = 101
    save({"stages": stages}, lock)
    assert pipeline.uncertify(lock, "sample") == ["filter@sample"]
    assert list(yaml.safe_load(lock.read_text())["stages"]) == ["analyze@sample"]
    assert pipeline.uncertify(Path("none"), "sample") == []
