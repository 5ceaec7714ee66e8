"""An experiment adopted: conf/ says it to the last key, params.yaml too, and comments stay."""

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from clearset.config import adoption, composition
from clearset.store.errors import ClearsetError
from conftest import ROOT, edit, run

AWAY = ("ravir_repairs", "mafat_labeled", "mafat_unlabeled")


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of conf/ with fewer datasets, in an empty folder which is the current one."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    fewer = {f"  - dataset@{name}: {name}": "  #" for name in AWAY}
    edit(tmp_path / "conf/config.yaml", fewer)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])  # Hydra's plugins add to it
    return tmp_path / "conf"


def tree(*overrides: str) -> Any:
    return yaml.safe_load(composition.text(composition.composed(overrides)))


def comments(folder: Path) -> list[str]:
    files = sorted(folder.rglob("*.yaml"))
    return [found for file in files for found in re.findall(r"#.*", file.read_text())]


@pytest.mark.parametrize(
    ("overrides", "files"),
    [
        (["sample.filter.blur.min=-20", "sample.release.update=all"], {"sample"}),
        (["experiment=strict"], {"sample", "ravir", "satellite_sample"}),
        (["accept@sample=none", "trials@sample=none", "sample.filter.dark.max=250"], {"sample"}),
        (["enhance@ravir=published"], {"ravir"}),
        (["analyze=native"], {"config"}),
        (["ravir.fetch.homepage=https://example.org"], {"ravir"}),  # which others take over
    ],
)
def test_conf_composes_to_the_experiment_afterwards(
    conf: Path, overrides: list[str], files: set[str]
) -> None:
    wanted, before = tree(*overrides), comments(conf)
    changed = adoption.adopt(wanted)
    assert tree() | {"experiment": None} == wanted | {"experiment": None}
    assert {path.stem for path in changed} == files
    assert comments(conf) == before


def test_what_conf_says_already_changes_no_file(conf: Path) -> None:
    assert adoption.adopt(tree()) == []


@pytest.mark.parametrize(
    ("remove", "message"),
    [
        (("sample", "filter", "blur"), "no option in conf/filter gives sample.filter"),
        (("sample", "classes", "vein"), r"by themselves: sample\.classes"),
    ],
)
def test_what_no_file_of_conf_can_say_is_named_and_nothing_changes(
    conf: Path, remove: tuple[str, ...], message: str
) -> None:
    wanted = tree("sample.filter.noise.max=3")
    *outer, key = remove
    inner = wanted
    for step in outer:
        inner = inner[step]
    del inner[key]
    before = {path: path.read_bytes() for path in conf.rglob("*.yaml")}
    with pytest.raises(ClearsetError, match=message):
        adoption.adopt(wanted)
    assert {path: path.read_bytes() for path in conf.rglob("*.yaml")} == before


@pytest.fixture(scope="module")
def tried(project: Path) -> Path:
    """A clone with an experiment, back at what was committed."""
    moved = ["-S", "sample.filter.dark.min=90", "-S", "accept@sample=none"]
    process = run(project, "dvc", "exp", "run", "-n", "darker", *moved, "release@sample")
    assert process.returncode == 0, process.stdout + process.stderr
    run(project, "git", "restore", ".")
    stages = ("filter", "enhance", "compare", "release")
    assert run(project, "dvc", "checkout", *(f"{s}@sample" for s in stages)).returncode == 0
    assert run(project, "git", "status", "--porcelain").stdout == ""
    return project


@pytest.mark.parametrize(
    ("name", "message"),
    [("nope", "unknown Git revision 'nope'"), ("HEAD", "HEAD is no experiment on the commit")],
)
def test_what_is_no_experiment_is_refused(tried: Path, name: str, message: str) -> None:
    done = run(tried, "clearset", "adopt", name)
    assert (done.returncode, message in done.stderr) == (1, True), done.stderr
    assert run(tried, "git", "status", "--porcelain").stdout == ""


def test_a_tree_that_is_not_clean_is_refused(tried: Path) -> None:
    file = tried / "README.md"
    text = file.read_text()
    file.write_text(text + "mine\n")
    done = run(tried, "clearset", "adopt", "darker")
    file.write_text(text)
    assert done.returncode == 1
    assert "the working tree is not clean: README.md. Commit" in done.stderr


def test_an_adopted_experiment_is_what_conf_params_and_results_say(tried: Path) -> None:
    done = run(tried, "clearset", "adopt", "darker")
    assert done.returncode == 0, done.stderr
    assert "conf/dataset/sample.yaml" in done.stdout
    params = yaml.safe_load((tried / "params.yaml").read_text())["sample"]
    assert (params["filter"]["dark"]["min"], params["accept"]) == (90, {})
    assert "dark: {action: enhance, min: 90" in (tried / "conf/dataset/sample.yaml").read_text()
    assert run(tried, "python", "src/config.py", "--check").stdout == ""
    status = run(tried, "dvc", "status", "--with-deps", "release@sample").stdout
    assert "Data and pipelines are up to date." in status
    assert "Running stage" not in run(tried, "dvc", "repro", "release@sample").stdout
