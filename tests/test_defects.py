"""A command that ends badly says so in one line; a defect's details are in a file of its own."""

import errno
import os
import pickle
import re
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from clearset.config import stage
from clearset.store import defects
from clearset.store.errors import ClearsetError
from conftest import ROOT

DETAILS = re.compile(r"the details are in (\S+), and may hold names of your files")


def test_a_disk_that_numpy_says_nothing_of_is_full_too() -> None:
    line = defects.line(OSError("20800 requested and 12256 written"))
    assert line.startswith("error: no space is left there: make room")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "a b.csv: no space is left there: make room"),
        (errno.EDQUOT, "a b.csv: the quota of disk space is used up"),
        (errno.EFBIG, "a b.csv: it is larger than this file system"),
        (errno.EROFS, "a b.csv: it lies on a file system that can only be read"),
        (errno.EACCES, "a b.csv: permission denied"),
        (errno.ENAMETOOLONG, "a b.csv: the name is too long"),
        (errno.EMFILE, "a b.csv: too many files are open"),
        (errno.EISDIR, "a b.csv: a folder lies where a file is expected"),
        (errno.ENOTDIR, "a b.csv: a file lies where a folder is expected"),
        (errno.ENOENT, "a b.csv: it is not there"),
        (errno.EBUSY, "a b.csv: Device or resource busy"),
    ],
)
def test_what_the_system_refuses_is_said_in_words(number: int, said: str) -> None:
    error = OSError(number, os.strerror(number), "a b.csv")
    assert defects.line(error).startswith(f"error: {said}")
    assert "defect" not in defects.line(error)
    assert defects.line(OSError(number, os.strerror(number))).count("\n") == 0
    assert defects.of_system(error) == (number not in {*defects.PLACES, errno.EBUSY})


def test_memory_that_is_not_there_is_no_defect() -> None:
    assert defects.line(MemoryError()).startswith("error: there is not enough memory: use one proc")
    assert "9 GiB" in defects.line(MemoryError("Unable to allocate 9 GiB"))
    ended = type("TerminatedWorkerError", (Exception,), {})
    assert defects.line(ended()).startswith("error: there is not enough memory")


def test_a_reason_is_shown_as_it_is_and_steers_no_terminal() -> None:
    assert defects.line(ClearsetError("a\x1b[2Jb\nc")) == "error: a\\x1b[2Jb\nc"
    assert defects.line(KeyboardInterrupt()) == "stopped"


def defect() -> ZeroDivisionError:
    try:
        _ = 1 // 0
    except ZeroDivisionError as error:
        return error
    raise AssertionError


def test_a_defect_is_one_line_and_its_details_are_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["src/fetch.py", "name\udce9"])
    line = defects.line(defect())
    assert "\n" not in line
    assert line.startswith("error: ZeroDivisionError: ")
    assert ": this is a defect of Clearset; the details are in " in line
    (details,) = DETAILS.findall(line)
    file = Path(details)
    assert file.parent == tmp_path
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text(encoding="utf-8")
    assert text.startswith(r"'src/fetch.py' 'name\udce9'")
    assert f"Python {sys.version.split()[0]}, " in text
    assert "numpy " in text
    assert "Traceback (most recent call last)" in text
    assert "_ = 1 // 0" in text


def test_where_no_file_can_be_written_the_details_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    line = defects.line(defect())
    assert "attach what follows to a report\nTraceback (most recent call last)" in line


def ended(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> str:
    """Return what a stage ends with that raises an error."""

    def main(_dataset: str) -> str:
        raise error

    monkeypatch.setattr(sys, "argv", ["stage.py", "ravir"])
    with pytest.raises(SystemExit) as caught:
        stage.run(main)
    return str(caught.value.code)


def test_a_stage_ends_with_one_line_whatever_it_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert ended(monkeypatch, ClearsetError("nothing there")) == "error: nothing there"
    full = OSError(errno.ENOSPC, "", "data/x")
    assert ended(monkeypatch, full).startswith("error: data/x: no space is left there")
    assert ended(monkeypatch, MemoryError()).startswith("error: there is not enough memory")
    assert ended(monkeypatch, KeyboardInterrupt()) == "stopped"
    assert DETAILS.search(ended(monkeypatch, ValueError("odd")))
    assert not list(tmp_path.glob("*.incomplete"))


SLEEPER = """
import sys, time
from pathlib import Path
from clearset.config import stage
from clearset.store import layout

def main(dataset):
    with layout.replacing(Path(dataset)) as incomplete:
        incomplete.mkdir()
        print("begun", flush=True)
        time.sleep(60)

stage.run(main)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stage_that_is_stopped_clears_what_it_began(tmp_path: Path, number: int) -> None:
    (tmp_path / "params.yaml").touch()
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPER, "target"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (1, "stopped\n")
    assert list(tmp_path.iterdir()) == [tmp_path / "params.yaml"]


def test_names_that_the_screen_has_no_letters_for_are_spelt_out(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").touch()
    code = "from clearset.config import stage; stage.run(lambda name: name + ' 眼 \\udce9')"
    done = subprocess.run(
        [sys.executable, "-c", code, "é"],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "\\xe9 \\u773c \\udce9\n"


def test_without_a_screen_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").touch()
    code = "from clearset.config import stage; stage.run(lambda name: name)"
    command = f"{sys.executable} -c '{code}' x >&-"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, check=False, cwd=tmp_path, env=environment
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_target_of_a_copy_is_what_there_is_no_room_for() -> None:
    error = OSError(errno.ENOSPC, "", "source.png", None, "target.png")
    assert defects.line(error).startswith("error: target.png: no space is left")


def test_errors_come_back_from_worker_processes_as_they_were() -> None:
    error = pickle.loads(pickle.dumps(OSError(errno.ENOSPC, "full", "data/x")))  # noqa: S301
    assert defects.line(error).startswith("error: data/x: no space is left there")
