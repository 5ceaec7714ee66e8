"""The notebooks: kept without outputs, and run whole by a kernel on the samples that they make."""

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from clearset.inspection.samples import sample
from clearset.store.errors import ClearsetError
from conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FOUND = """
import json
flags = report.flags.groupby("rule")["image_id"].apply(list).to_dict()
print(json.dumps([len(report.table), flags, (cleaned / "manifest.csv").is_file()]))
"""
SPOILT = {"blur": 0, "dark": 1, "bright": 2, "noise": 3}  # by rule: the image's number


def ran(path: Path, folder: Path) -> Any:
    """Return a notebook with its outputs, and those of a cell that says what it has found."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(FOUND))
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    return notebook


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_what_it_gave(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) > 10
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert "CLEARSET_" in code[0].source


@pytest.mark.filterwarnings("ignore")  # Jupyter's own
@pytest.mark.parametrize(("name", "kind"), [("ravir", "eye_0"), ("satellite", "tile_000")])
def test_a_notebook_finds_what_is_spoilt_in_its_sample(
    name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for variable in ("CLEARSET_RAVIR", "CLEARSET_MAFAT_LABELED"):
        monkeypatch.delenv(variable, raising=False)
    notebook = ran(ROOT / f"notebooks/{name}.ipynb", tmp_path)
    images, flags, released = json.loads(notebook.cells[-1].outputs[0].text)
    assert (images, released) == (27, True)
    for rule, number in SPOILT.items():
        assert f"train/{kind}0{number}" in flags[rule]
        assert len(flags[rule]) <= 2  # of images like all others one in twenty may be flagged
    assert flags["duplicate"] == flags["leak"] == ["test/copy", f"train/{kind}04"]
    assert flags["unreadable"] == [f"test/{kind}25"]
    shown = [
        out["data"] for cell in notebook.cells for out in cell.get("outputs", []) if "data" in out
    ]
    assert sum("image/png" in data for data in shown) >= 7
    assert any("images flagged" in data.get("text/html", "") for data in shown)


def test_a_sample_is_the_same_each_time_and_replaces_nothing(tmp_path: Path) -> None:
    first, second = (sample(tmp_path / name) for name in ("one", "two"))
    files = [path.relative_to(first) for path in first.rglob("*") if path.is_file()]
    assert len(files) > 40
    assert all((first / file).read_bytes() == (second / file).read_bytes() for file in files)
    with pytest.raises(ClearsetError, match="one is there already: name a folder"):
        sample(first)
    with pytest.raises(ClearsetError, match="no scene 'moon'; known: retina, satellite"):
        sample(tmp_path / "three", "moon")
