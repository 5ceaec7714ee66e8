"""Files that arrive whole, work that keeps its order, commands that end with one clear line."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clearset.config import stage
from clearset.store import layout, parallel
from clearset.store.errors import ClearsetError, listed


def begin(path: Path, kind: str) -> None:
    if kind == "folder":
        path.mkdir()
        (path / "inside").write_text("new")
    else:
        path.write_text("new")


def text(path: Path) -> str:
    return (path / "inside" if path.is_dir() else path).read_text()


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("there", [False, True])
def test_replacing_puts_the_new_in_place_alone(tmp_path: Path, kind: str, there: bool) -> None:
    target = tmp_path / "deep" / "target"
    if there:
        target.parent.mkdir()
        begin(target, kind)
        (target / "stale" if kind == "folder" else target).write_text("stale")
    with layout.replacing(target) as begun:
        assert not begun.exists()
        begin(begun, kind)
    assert text(target) == "new"
    assert [path.name for path in target.parent.iterdir()] == ["target"]
    assert kind == "file" or [path.name for path in target.iterdir()] == ["inside"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_an_error_leaves_the_target_as_it_was(tmp_path: Path, kind: str) -> None:
    (tmp_path / "target").write_text("before")
    with pytest.raises(OSError, match="disk full"), layout.replacing(tmp_path / "target") as begun:
        begin(begun, kind)
        raise OSError("disk full")
    assert text(tmp_path / "target") == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_kill_left_is_cleared_by_the_next_attempt(tmp_path: Path, kind: str) -> None:
    with layout.replacing(tmp_path / "target") as begun:
        begun.write_text("new")
    begin(begun, kind)  # as a killed process leaves it
    with layout.replacing(tmp_path / "target") as again:
        assert again == begun
        assert not again.exists()
        again.write_text("newer")
    assert text(tmp_path / "target") == "newer"
    assert not begun.exists()


def test_remove_takes_files_folders_links_and_nothing(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    begin(kept, "folder")
    begin(tmp_path / "folder", "folder")
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(kept, target_is_directory=True)
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    for name in ("folder", "file", "link", "dangling", "absent"):
        layout.remove(tmp_path / name)
    assert list(tmp_path.iterdir()) == [kept]
    assert text(kept) == "new"


def test_each_stage_and_dataset_has_a_folder_of_its_own() -> None:
    folders = {layout.stage_folder(s, d) for s in ("fetch", "filter") for d in ("ravir", "sample")}
    assert len(folders) == 4
    assert all(folder.is_relative_to(layout.DATA) for folder in folders)


def test_workers_are_as_many_as_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARSET_WORKERS", "3")
    assert parallel.workers() == 3


@pytest.mark.parametrize("wanted", [None, ""])
def test_workers_are_the_cores_at_hand(wanted: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLEARSET_WORKERS", raising=False)
    if wanted is not None:
        monkeypatch.setenv("CLEARSET_WORKERS", wanted)
    assert 1 <= parallel.workers() <= (os.cpu_count() or 1)


@pytest.mark.parametrize("wanted", ["0", "-1", "two", "1.5", "²", " "])
def test_a_number_of_workers_that_is_none_is_named(
    wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEARSET_WORKERS", wanted)
    with pytest.raises(ClearsetError, match=f"CLEARSET_WORKERS is '{wanted}': give a whole number"):
        parallel.workers()


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("count", [0, 1, parallel.FEW, 50])
def test_mapped_keeps_the_order(workers: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARSET_WORKERS", workers)
    assert parallel.mapped(float, [str(n) for n in range(count)], "try") == list(range(count))


def test_many_items_are_shared_among_processes_and_few_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLEARSET_WORKERS", "2")
    own: Callable[[int], int] = lambda _: os.getpid()  # noqa: E731 - goes to another process whole
    assert set(parallel.mapped(own, range(parallel.FEW - 1), "try")) == {os.getpid()}
    assert os.getpid() not in parallel.mapped(own, range(parallel.FEW), "try")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_error_in_a_worker_arrives(workers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARSET_WORKERS", workers)
    with pytest.raises(ValueError, match="could not convert string to float: 'x'"):
        parallel.mapped(float, ["1", "x"] * parallel.FEW, "try")


def test_mapped_is_silent_off_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    parallel.mapped(float, ["1", "2"], "try")
    assert capfd.readouterr() == ("", "")


def broken(dataset: str) -> str:
    raise ClearsetError(f"nothing in {dataset}")


def test_a_command_prints_what_its_stage_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["stage.py", "ravir"])
    stage.run(lambda dataset: f"done with {dataset}")
    assert capsys.readouterr().out == "done with ravir\n"


def test_a_command_ends_with_the_reason_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["stage.py", "ravir"])
    with pytest.raises(SystemExit, match=r"^error: nothing in ravir$"):
        stage.run(broken)


@pytest.mark.parametrize("arguments", [[], ["ravir", "sample"]])
def test_a_command_takes_one_dataset(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["stage.py", *arguments])
    with pytest.raises(SystemExit, match=r"^usage: python stage\.py DATASET$"):
        stage.run(broken)


@pytest.mark.parametrize(
    ("count", "said"), [(0, ""), (1, "0"), (2, "0, 1"), (3, "0, 1 and 1 more")]
)
def test_long_lists_are_cut_and_counted(count: int, said: str) -> None:
    assert listed(range(count), limit=2) == said
