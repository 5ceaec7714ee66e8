"""The rules of the house: what dvc.yaml declares is what the code does, and rooms stay apart."""

import ast
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from clearset.config.schema import Dataset
from conftest import ROOT, run

SRC = ROOT / "src"
TRAINING = yaml.safe_load((ROOT / "training/dvc.yaml").read_text())["stages"]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"] | TRAINING
LIBRARY = sorted((SRC / "clearset").glob("*.py"))
DISK = {"pathlib", "os", "shutil", "io", "tempfile", "subprocess", "clearset.io"}


def body(stage: str) -> dict[str, Any]:
    declared: dict[str, Any] = STAGES[stage].get("do", STAGES[stage])
    return declared


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def files_used(path: Path) -> set[Path]:
    """The project's files that a file imports, or starts as a script beside it."""
    if path == SRC / "clearset/__init__.py":
        return set()  # its only import is on demand, and no stage demands it
    strings = (
        n.value for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Constant)
    )
    found = {path.parent / s for s in strings if isinstance(s, str) and s.endswith(".py")}
    for name in imported(path):
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            place = SRC.joinpath(*parts[:length])
            found |= {place.with_suffix(".py"), place / "__init__.py"}
    return {file for file in found if file.exists()}


def closure(path: Path) -> set[Path]:
    seen, waiting = {path}, [path]
    while waiting:
        new = files_used(waiting.pop()) - seen
        seen |= new
        waiting += new
    return seen


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_declares_all_code_it_runs_and_no_other(stage: str) -> None:
    plugin = {"src/hydra_plugins/clearset_schema.py"} if stage == "config" else set()
    needed = {str(p.relative_to(ROOT)) for p in closure(SRC / f"{stage}.py")} | plugin
    declared = {dep for dep in body(stage)["deps"] if dep.startswith("src/")}
    assert declared == needed


@pytest.mark.parametrize("stage", [name for name in STAGES if name != "config"])
def test_a_stage_declares_the_params_it_reads_and_no_other(stage: str) -> None:
    sections = {field.name for field in fields(Dataset)}
    tree = ast.parse((SRC / f"{stage}.py").read_text())
    read = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and (
            isinstance(node.value, ast.Call)
            or (isinstance(node.value, ast.Name) and node.value.id == "section")
        )
    }
    declared = {param.split(".")[1] for param in body(stage)["params"]}
    assert declared == read & sections


@pytest.mark.parametrize("stage", [name for name in STAGES if name != "config"])
def test_a_stage_writes_only_its_own_folders(stage: str) -> None:
    entries = [e for kind in ("outs", "metrics", "plots") for e in body(stage).get(kind, [])]
    written = [entry if isinstance(entry, str) else next(iter(entry)) for entry in entries]
    for path in written:
        name = "${item}" if stage in TRAINING else "${key}"
        own = (f"data/{stage}/{name}", f"reports/{name}/")
        assert path.startswith((*own, "data/recipe/${key}") if stage == "release" else own), path
        assert body(stage)["cmd"] == f"python src/{stage}.py {name}"


@pytest.mark.parametrize("stage", [name for name in STAGES if name != "config"])
def test_a_stage_declares_the_data_it_reads(stage: str) -> None:
    text = (SRC / f"{stage}.py").read_text()
    read = {name for name in STAGES if name != stage and f'"{name}"' in text}
    declared = {d.split("/")[1] for d in body(stage)["deps"] if d.startswith("data/")}
    assert declared == read


def test_no_pixel_of_a_restricted_dataset_goes_to_the_remote_of_all() -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    datasets = yaml.safe_load((ROOT / "dvc.yaml").read_text())["vars"][0]["datasets"]
    for dataset, said in datasets.items():
        wanted = None if params[dataset]["about"]["redistributable"] else "private"
        assert said == {"pixels": wanted}, dataset
    for stage in ("fetch", "enhance", "compare", "release"):
        (out,) = [out for out in body(stage)["outs"] if f"data/{stage}/${{key}}" in out]
        assert out[f"data/{stage}/${{key}}"] == {"remote": "${item.pixels}"}


def test_training_runs_from_the_top_and_only_by_name() -> None:
    assert set(TRAINING) == {"train", "judge"}
    assert {body(stage)["wdir"] for stage in TRAINING} == {".."}


@pytest.mark.parametrize("path", LIBRARY, ids=lambda p: p.name)
def test_the_library_touches_no_disk(path: Path) -> None:
    if path.name in ("improve.py", "__init__.py"):  # the public face joins both rooms
        return
    tree = ast.parse(path.read_text())
    called = {
        n.func.id
        for n in ast.walk(tree)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    assert not imported(path) & DISK
    assert not called & {"open", "print"}


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.py")), ids=lambda p: str(p.relative_to(SRC)))
def test_rooms_stay_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 250
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            first = (
                node.body[min(1, len(node.body) - 1)] if ast.get_docstring(node) else node.body[0]
            )
            assert (node.end_lineno or 0) - first.lineno < 30, node.name


def test_data_is_ignored_whole() -> None:
    assert (ROOT / "data/.gitignore").read_text().split() == ["*", "!.gitignore"]


def test_every_pin_has_a_hash_and_no_address() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [number for number, line in enumerate(lines) if re.match(r"[a-z0-9]", line)]
    assert len(pins) > 50
    for number in pins:
        assert "==" in lines[number] and "--hash=sha256:" in lines[number + 1], lines[number]
    assert not any("://" in line or line.startswith("-") for line in lines)


def test_fastdup_is_no_part_of_the_core() -> None:
    assert not re.search(r"^fastdup", (ROOT / "requirements.lock").read_text(), re.MULTILINE)


def test_every_make_target_of_the_readme_exists_and_is_explained() -> None:
    readme, makefile = (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()
    explained = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    used = set(re.findall(r"^ *make ([a-z]+)|`make ([a-z]+)", readme, re.MULTILINE))
    assert {first or second for first, second in used} <= explained
    assert {"setup", "repro", "ravir", "folder", "test", "lint", "lock", "help"} <= explained


def test_no_picture_of_a_licensed_image_is_committed() -> None:
    listed = run(ROOT, "git", "ls-files", "reports").stdout.split()
    pictures = {path for path in listed if path.endswith((".png", ".jpg", ".html"))}
    curves = {
        f"reports/{dataset}/figures/{figure}.png"
        for dataset, figures in {
            "sample": ("rules", "changes", "detection", "curves", "gains"),
            "ravir": ("rules", "changes", "gains"),
            "ravir_faults": ("rules", "detection", "curves"),
            "ravir_repairs": ("rules", "changes", "detection", "curves", "gains"),
            "satellite_sample": ("rules", "changes", "detection", "curves"),
        }.items()
        for figure in figures
    }
    generated = {
        f"reports/{dataset}/figures/{name}.png"
        for dataset in ("sample", "satellite_sample")
        for name in ("repaired", "faults")
    }
    generated.add("reports/sample/bounds.png")  # the README's, as `dvc plots show` draws it
    trained = {"reports/ravir/training/figures/changes.png"}  # there once `make train` has run
    assert pictures - trained == curves | generated
