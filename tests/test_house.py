"""The rules of the house: dvc.yaml says what code does, rooms stand on floors, disk is apart."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from clearset import __all__
from clearset.config.schema import Dataset
from conftest import ROOT, run

SRC = ROOT / "src"
LIBRARY = SRC / "clearset"
TRAINING = yaml.safe_load((ROOT / "training/dvc.yaml").read_text())["stages"]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"] | TRAINING
# From the ground up: a room imports itself and the rooms of the floors below its own.
FLOORS = [
    {"store", "numeric"},
    {"measure", "config"},
    {"similar", "images"},
    {"generate", "decide"},
    {"sources"},
    {"engines", "plant"},
    {"truth", "repair", "trials"},
    {"proof", "share"},
    {"versions"},
    {"report"},
    {"page"},
    {"stages"},
    {"train", "inspection"},
    {"commands"},
]
FACES = {"__init__.py", "__main__.py"}  # of the library: they hand on what rooms have
DISK = {"glob", "gzip", "io", "os", "pathlib", "pickle", "requests", "shutil", "socket"}
DISK |= {"subprocess", "sys", "tempfile", "urllib", "zipfile"}
CALLS = {"echo", "imread", "imwrite", "mkdir", "open", "print", "read_bytes", "read_csv"}
CALLS |= {"read_text", "savefig", "to_csv", "unlink", "write_bytes", "write_text"}
TOUCHING = {  # the modules that touch disk, other programs or the screen; all others are pure
    "commands": "adopt agree check copy deposit diff fastdup folder publish rebuild record sweep "
    "verify view",
    "config": "adoption composition execution params provenance stage",
    "engines": "again analysis crossings fastdup fastdup_worker look measurements recorded "
    "recording recourse sights",
    "generate": "satellite/tiles",
    "images": "codec identity levels masks netpbm pillow png tiff tiff_copy views",
    "inspection": "check items pixels report samples settings sources",
    "page": "gathered render server thumbs writing",
    "plant": "eyes planter",
    "proof": "probes",
    "repair": "files improve",
    "report": "diff_page drawing papers pictures sheets",
    "share": "croissant delivery deposit loading releases reviews soundness zenodo",
    "sources": "archives description entries glances intake inventory kinds listing members origin "
    "packed places work_folder work_names work_tables",
    "stages": "__main__ analyze compare enhance fetch filter release report",
    "store": "checksums clusters code copies defects documents dossiers execution isolation layout "
    "locks parallel processes remote shards tables",
    "trials": "copies planted records",
    "versions": "experiments git pipeline publishing pushing record revisions sides",
}


def body(stage: str) -> dict[str, Any]:
    declared: dict[str, Any] = STAGES[stage].get("do", STAGES[stage])
    return declared


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports(path: Path) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


@cache
def files_used(path: Path) -> frozenset[Path]:
    """The project's files that a file imports, or starts as a script beside it."""
    if path == LIBRARY / "__init__.py":
        return frozenset()  # it imports on demand, and no stage demands it
    strings = (node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant))
    files = {path.parent / s for s in strings if isinstance(s, str) and s.endswith(".py")}
    for name in imports(path):
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            place = SRC.joinpath(*parts[:length])
            files |= {place.with_suffix(".py"), place / "__init__.py"}
    files.discard(LIBRARY / "stages/__init__.py")  # a sentence, so that no stage feels another's
    return frozenset(file for file in files if file.exists())


def closure(path: Path) -> set[Path]:
    seen, waiting = {path}, [path]
    while waiting:
        new = files_used(waiting.pop()) - seen
        seen |= new
        waiting += new
    return seen


def place(file: Path) -> str:
    """What dvc.yaml names for a file: its room, or itself where it is in none, or of one stage."""
    parts = file.relative_to(ROOT).parts
    return "/".join(parts if file.parent == LIBRARY / "stages" else parts[:3])


def main_of(stage: str) -> Path:
    """The file that has a stage's `main`: a script has it itself where it is no room's."""
    file = LIBRARY / f"stages/{stage}.py"
    return file if file.exists() else SRC / f"{stage}.py"


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_declares_the_rooms_that_it_walks_through_and_no_other(stage: str) -> None:
    plugin = {"src/hydra_plugins"} if stage == "config" else set()
    needed = {place(file) for file in closure(SRC / f"{stage}.py")} | plugin
    declared = {dep for dep in body(stage)["deps"] if dep.startswith("src/")}
    assert declared == needed


def test_a_script_of_a_stage_runs_what_the_library_has_and_no_more() -> None:
    assert len(tree(LIBRARY / "stages/__init__.py").body) == 1
    for file in (LIBRARY / "stages").glob("[a-z]*.py"):
        name, script = file.stem, SRC / f"{file.stem}.py"
        assert ast.get_docstring(tree(script)) == ast.get_docstring(tree(file))
        assert imports(script) >= {f"clearset.stages.{name}.main", "clearset.config.stage.run"}
        assert len(tree(script).body) == 4


def test_the_map_is_read_at_a_glance() -> None:
    assert (ROOT / "dvc.yaml").read_text().count("\n") <= 150
    assert {"__pycache__", "*.pyc"} <= set((ROOT / ".dvcignore").read_text().split())


def room(file: Path) -> str:
    return file.relative_to(LIBRARY).parts[0]


def modules() -> list[Path]:
    """The library's files, without those that hand on what rooms have."""
    return [file for file in sorted(LIBRARY.rglob("*.py")) if room(file) not in FACES]


def arrows(file: Path) -> Iterator[str]:
    """What a file imports from beyond its room: rooms, stages, and the library's own face."""
    for used in files_used(file):
        if not used.is_relative_to(LIBRARY):
            yield used.stem
        elif room(used) not in {room(file), *FACES}:
            yield room(used)
    yield from imports(file) & {"clearset.__main__", *(f"clearset.{name}" for name in __all__)}


def upward(file: Path) -> set[str]:
    """The rooms on its own floor or above that a file imports from."""
    (floor,) = [number for number, rooms in enumerate(FLOORS) if room(file) in rooms]
    return set(arrows(file)) - set().union(*FLOORS[:floor])


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(LIBRARY)))
def test_a_room_imports_only_rooms_below_it(path: Path) -> None:
    assert upward(path) == set()


def test_an_arrow_upward_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "LIBRARY", tmp_path)
    monkeypatch.setitem(globals(), "SRC", tmp_path.parent)
    library = tmp_path.name
    for name, text in (
        ("store/low.py", f"def late():\n    from {library}.report import high"),
        ("report/high.py", ""),
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    assert upward(tmp_path / "store/low.py") == {"report"}
    assert upward(tmp_path / "report/high.py") == set()


def test_every_room_says_what_it_is_for_and_stands_on_a_floor() -> None:
    folders = {path.name for path in LIBRARY.iterdir() if (path / "__init__.py").exists()}
    assert set().union(*FLOORS) == folders
    for file in LIBRARY.rglob("__init__.py"):
        assert len(ast.get_docstring(tree(file)) or "") > 20, file


def touches_disk(path: Path) -> bool:
    """Whether a module uses the disk by itself, or a module that does for more than its types."""
    calls = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    names = {func.id for func in calls if isinstance(func, ast.Name)}
    names |= {func.attr for func in calls if isinstance(func, ast.Attribute)}
    own = imports(path)
    if "pathlib.Path" not in own:  # pure paths are text
        own -= {"pathlib", "pathlib.PurePosixPath"}
    packages = {name.partition(".")[0] for name in own}
    return bool(packages & DISK or names & CALLS or through_others(path))


def through_others(path: Path) -> set[str]:
    """What a module takes from those of the list, classes and constants aside."""
    touching = {f"clearset.{name}.{file.replace('/', '.')}" for name, file in listed()}
    return {
        name
        for name in imports(path)
        if name in touching
        or (name.rpartition(".")[0] in touching and name.rpartition(".")[2].islower())
    } - {name for name in imports(path) if any(n.startswith(f"{name}.") for n in imports(path))}


def listed() -> Iterator[tuple[str, str]]:
    for name, files in TOUCHING.items():
        for file in files.split():
            yield name, file


def test_disk_is_touched_by_the_modules_of_one_list_and_no_other() -> None:
    expected = {f"{name}/{file}.py" for name, file in listed()}
    assert {str(p.relative_to(LIBRARY)) for p in modules() if touches_disk(p)} == expected


def test_no_module_is_imported_by_a_name_that_is_made_up_as_it_runs() -> None:
    for file in (*modules(), *SRC.glob("*.py")):
        assert "import_module" not in file.read_text().replace('import_module("torch")', ""), file
        assert "__import__" not in file.read_text(), file


@pytest.mark.parametrize("stage", [name for name in STAGES if name != "config"])
def test_a_stage_declares_the_params_it_reads_and_no_other(stage: str) -> None:
    sections, main = {field.name for field in fields(Dataset)}, main_of(stage)
    read = {
        node.attr
        for file in closure(main)
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Attribute)
        and (
            (isinstance(node.value, ast.Call) and file == main)
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
    text = main_of(stage).read_text()
    read = {name for name in STAGES if name != stage and f'"{name}"' in text}
    declared = {d.split("/")[1] for d in body(stage)["deps"] if d.startswith("data/")}
    assert declared == read


def test_no_pixel_of_a_restricted_dataset_goes_to_the_remote_of_all() -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    datasets = yaml.safe_load((ROOT / "dvc.yaml").read_text())["vars"][0]["datasets"]
    for dataset, said in datasets.items():
        wanted = None if params[dataset]["about"]["redistributable"] else "private"
        assert said == {"pixels": wanted}, dataset
    for stage in ("fetch", "enhance", "report", "release"):
        (out,) = [out for out in body(stage)["outs"] if f"data/{stage}/${{key}}" in out]
        assert out[f"data/{stage}/${{key}}"] == {"remote": "${item.pixels}"}


def test_training_runs_from_the_top_and_only_by_name() -> None:
    assert set(TRAINING) == {"train", "judge"}
    assert {body(stage)["wdir"] for stage in TRAINING} == {".."}


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.py")), ids=lambda p: str(p.relative_to(SRC)))
def test_files_and_functions_stay_small(path: Path) -> None:
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
    datasets = yaml.safe_load((ROOT / "dvc.yaml").read_text())["vars"][0]["datasets"]
    pages = {f"reports/{dataset}/index.html" for dataset in datasets}
    for page in pages:  # what they show lies in data/: no pixel is in them
        assert "data:image" not in (ROOT / page).read_text("utf-8")
    trained = {"reports/ravir/training/figures/changes.png"}  # there once `make train` has run
    assert pictures - trained == curves | generated | pages
