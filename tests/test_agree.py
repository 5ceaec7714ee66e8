"""A run is set beside what is committed: byte for byte, within tolerance, or what differs."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from clearset.commands.agree import agree, last_line
from clearset.store import tables
from clearset.store.errors import ClearsetError
from clearset.versions import record
from conftest import ROOT, run, write_image

FOLDER = Path("reports/tiny")
LOCK = """\
stages:
  enhance@tiny:
    outs:
    - path: data/enhance/tiny
      md5: {}
  filter@tiny:
    outs:
    - path: data/filter/tiny
      md5: 2.dir
    - path: reports/tiny/counts.json
      md5: 3
  enhance@other:
    outs:
    - path: data/enhance/other
      md5: {}
"""


def metrics(blur: float = 700.0, rows: int = 3) -> pd.DataFrame:
    ids = [f"train/{number}" for number in range(rows)]
    return pd.DataFrame({"image_id": ids, "blur": [10.0, blur, 0.0][:rows], "mean": 0.5})


def pixels() -> np.ndarray:
    return np.add.outer(np.arange(30), np.arange(40)).astype(np.uint8)


def write(blur: float = 700.0, flagged: int = 5, lock: str = "1.dir") -> None:
    """Write what a run writes."""
    tables.write("metrics", metrics(blur), FOLDER / "tables")
    tables.write_metrics({"flagged": flagged, "share": 0.25}, "tiny", FOLDER / "counts.json")
    write_image(FOLDER / "figures/rules.png", pixels())
    (FOLDER / "report.md").write_text(f"{flagged} flagged, a share of 0.250\n")
    Path("dvc.lock").write_text(LOCK.format(lock, lock))


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True)


@pytest.fixture
def committed(in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, below another folder's, in which a run is committed."""
    for name, value in (("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")):
        monkeypatch.setenv(name, value)
    folder = in_folder / "a folder" / "below"
    folder.mkdir(parents=True)
    git("init", "--quiet")
    git("config", "user.name", "tester")
    git("config", "user.email", "tester@example.org")
    monkeypatch.chdir(folder)
    Path(".gitignore").write_text("*.ignored\n")
    write()
    git("add", "--all")
    git("commit", "--quiet", "--message", "a run")
    return folder


SAME = "agree: all 4 files of tiny are what is committed, byte for byte"


def test_a_run_that_gave_the_same_bytes_is_told_in_one_line(committed: Path) -> None:
    write()
    Path("reports/tiny/x.ignored").write_text("ignored")
    Path("elsewhere").write_text("not of this dataset")
    assert agree("tiny") == last_line("tiny") == SAME


def test_staged_or_not_what_counts_is_what_is_there(committed: Path) -> None:
    write(blur=710.0)
    git("add", "--all")
    write()
    assert agree("tiny") == SAME


def test_what_lies_within_tolerance_agrees(committed: Path) -> None:
    write(blur=700.001)
    Image.open(FOLDER / "figures/rules.png").save(FOLDER / "figures/rules.png", compress_level=1)
    (FOLDER / "report.md").write_text("5 flagged, a share of 0.251\n")
    assert agree("tiny") == (
        "agree: of 4 files of tiny 1 are what is committed, byte for byte, 3 within tolerance"
    )
    assert last_line("tiny") == agree("tiny")


def differing() -> str:
    with pytest.raises(ClearsetError) as caught:
        agree("tiny")
    return str(caught.value)


def test_what_differs_is_named_with_its_worst_values(committed: Path) -> None:
    write(blur=710.0, flagged=6)
    assert differing() == (
        "tiny differs\n"
        "reports/tiny/counts.json:\n"
        "  tiny.flagged: 5 recorded, 6 now\n"
        "reports/tiny/report.md:\n"
        "  lines that differ: 1\n"
        "reports/tiny/tables/metrics.csv:\n"
        "  blur: 1 of 3 rows, most in train/1: 700 recorded, 710 now\n"
        "agree: of 4 files of tiny 1 are what is committed, byte for byte, and 3 differ from it: "
        "see above"
    )
    assert last_line("tiny") == (
        "agree: of 4 files of tiny 1 are what is committed, byte for byte, and 3 differ from it: "
        "make agree DATASET=tiny names it"
    )


def flip(path: Path) -> None:
    other = pixels()
    other[0, 0] ^= 3
    write_image(path, other)


CHANGES: dict[str, tuple[Callable[[], object], str]] = {
    "a pixel": (lambda: flip(FOLDER / "figures/rules.png"), "1 of 1200 pixels, by at most 3 level"),
    "a declaration": (
        lambda: Image.fromarray(pixels()).save(FOLDER / "figures/rules.png", dpi=(72, 72)),
        "the same pixels, declared otherwise",
    ),
    "no picture": (lambda: (FOLDER / "figures/rules.png").write_bytes(b"x"), "no more can be said"),
    "no table": (
        lambda: (FOLDER / "tables/metrics.csv").write_text("x\n1\n"),
        "no more can be said",
    ),
    "no JSON": (lambda: (FOLDER / "counts.json").write_text("<<<<"), "no more can be said"),
    "no text": (lambda: (FOLDER / "report.md").write_bytes(b"\xff"), "no more can be said"),
    "gone": ((FOLDER / "report.md").unlink, "recorded, not there now"),
    "new": (lambda: (FOLDER / "new.md").write_text(""), "not recorded, there now"),
    "renamed": (
        lambda: (FOLDER / "report.md").rename(FOLDER / "notes.md"),
        "report.md:\n  recorded, not there now",
    ),
    "a row less": (
        lambda: tables.write("metrics", metrics(rows=2), FOLDER / "tables"),
        "1 rows no longer there: 'train/2'",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_difference_is_told_by_its_kind(committed: Path, name: str) -> None:
    change, message = CHANGES[name]
    change()
    assert message in differing()
    assert "differ" in last_line("tiny")


def test_folders_of_data_go_by_their_hash(committed: Path) -> None:
    write(lock="9.dir")
    assert agree("tiny") == (
        f"data/enhance/tiny: dvc.lock has another hash of it\n{SAME}; 1 of its folders in data/ "
        "has other bytes"
    )
    Path("dvc.lock").unlink()
    assert "2 of its folders in data/ have other bytes" in agree("tiny")
    Path("dvc.lock").write_text("<<<<<<< HEAD\n- [")
    assert last_line("tiny").startswith("agree: can not tell whether this is what is commit")


def test_any_other_revision_can_be_asked(committed: Path) -> None:
    git("tag", "v1")
    write(blur=710.0)
    git("commit", "--quiet", "--all", "--message", "another run")
    assert agree("tiny") == SAME
    with pytest.raises(ClearsetError, match="3 are what v1 has, byte for byte, and 1 differs from"):
        agree("tiny", "v1")
    for revision, message in (("v2", "git rev-parse: "), ("--output=x", "is no revision")):
        with pytest.raises(ClearsetError, match=message):
            agree("tiny", revision)


def test_what_is_not_recorded_is_told(committed: Path) -> None:
    with pytest.raises(ClearsetError, match="HEAD records nothing of mine"):
        agree("mine")
    for name in ("../tiny", "", "."):
        with pytest.raises(ClearsetError):
            agree(name)


def test_without_git_one_line_tells_that_nothing_can_be_told(
    committed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(committed.parent.parent / ".git")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(committed.parent.parent.parent))
    told = last_line("tiny")
    assert told.startswith("agree: can not tell whether this is what is committed: git rev-parse")
    assert "\n" not in told
    monkeypatch.setenv("PATH", "")
    assert last_line("tiny").endswith("git is not installed")


def test_before_the_first_commit_nothing_can_be_told(in_folder: Path) -> None:
    git("init", "--quiet")
    assert last_line("tiny").startswith("agree: can not tell")


def test_the_command_ends_with_a_status_and_the_line_always_well(committed: Path) -> None:
    command = ["clearset", "agree"]
    assert run(committed, *command, "tiny").stdout == f"{SAME}\n"
    write(flagged=6)
    done = run(committed, *command, "tiny")
    assert done.returncode == 1
    assert done.stderr.startswith("error: tiny differs\n")
    line = run(committed, *command, "--line", "tiny")
    assert (line.returncode, line.stderr, line.stdout.count("\n")) == (0, "", 1)


def test_pipelines_end_with_the_line() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for name, dataset in {
        "repro": "sample",
        "ravir": "ravir",
        "satellite": "satellite_sample",
        "faults": "ravir_faults",
        "repairs": "ravir_repairs",
    }.items():
        target = makefile.split(f"\n{name}: ")[1].split("\n\n")[0]
        assert target.endswith(f"\t@clearset agree --line {dataset}"), name


def test_a_pair_of_json_is_of_objects(committed: Path) -> None:
    (FOLDER / "counts.json").write_text(json.dumps([1]))
    assert "no more can be said" in differing()


def test_a_revisions_file_is_there_or_not(committed: Path) -> None:
    assert record.content("dvc.lock", "HEAD") == LOCK.format("1.dir", "1.dir").encode()
    assert record.content("nothing", "HEAD") is None
