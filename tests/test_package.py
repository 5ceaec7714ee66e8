"""The wheel: what it carries, and that its core works anywhere without the pipeline's packages."""

import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from conftest import ROOT, run, write_image

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MISSING = {"dvc", "gdown", "hydra", "ruamel", "sklearn"}  # what the extra `pipeline` installs
MISSING |= {
    "fsspec",
    "s3fs",
    "distributed",
    "ray",
    "datasets",
    "pyarrow",
}  # or others, and tests alone
BLOCKED = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {MISSING!r}:
            raise ModuleNotFoundError("No module named " + name, name=name)
sys.meta_path.insert(0, Missing())
"""
USE = """
from pathlib import Path
import clearset
from clearset import ImproveImage, load_release, verify
assert Path(clearset.__file__).is_relative_to(sys.prefix), clearset.__file__
release = load_release("released")
assert (len(release), release[0]["image"].shape) == (COUNT, (128, 128))
assert verify("released") == verify(Path("released"))
assert verify("released").wrong == []
improved = ImproveImage("eye.png", "out", amount=2.0)
improved.preview().savefig("preview.png")
assert improved.save() == [Path("out/eye.png")]
"""
CHECK = """
from pathlib import Path
import clearset
report = clearset.check("images", settings={"analyze.trials": 0})
assert report.table.set_index("image_id").loc["all/dark", "decision"] == "enhance", report.table
assert report.release("cleaned") == Path("cleaned")
assert clearset.verify("cleaned").wrong == []
assert report.page().is_file()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    done = run(
        ROOT, "uv", "build", "--wheel", "--offline", "--quiet", "--out-dir", str(folder), "."
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs of an environment with the wheel; the core's packages are those of this one."""
    home = tmp_path_factory.mktemp("elsewhere") / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    python = home / "bin/python"
    ours = ["--offline", "--no-deps", "--quiet", "--python", str(python), str(wheel)]
    done = run(ROOT, "uv", "pip", "install", *ours)
    assert done.returncode == 0, done.stderr
    (site,) = home.glob("lib/python*/site-packages")
    packages = sysconfig.get_paths()["purelib"]
    later = f"import sys; sys.path.append({packages!r})"  # a .pth's own path would run this tree's
    (site / "core.pth").write_text(f"{later}\n")
    (site / "sitecustomize.py").write_text(BLOCKED)
    return home / "bin"


def test_the_wheel_carries_every_module_and_no_script(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if name.endswith(".py")}
    ours = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src/clearset").rglob("*.py")}
    assert names == ours
    assert wheel.stat().st_size < 600_000


def test_the_core_and_the_extra_are_apart() -> None:
    def package(requirement: str) -> str:
        return re.split(r"[\[<>=]", requirement)[0]

    core = {package(name) for name in PROJECT["dependencies"]}
    extra = {package(name) for name in PROJECT["optional-dependencies"]["pipeline"]}
    assert not core & extra
    assert extra >= {"dvc", "gdown", "hydra-core", "scikit-learn"}
    assert core >= {"mlcroissant", "pebble", "psutil"}  # what stages need, and little


def test_the_core_works_in_another_folder(installed: Path, miniature: Path, tmp_path: Path) -> None:
    released = miniature / "data/release/sample"
    (tmp_path / "released").symlink_to(released)
    write_image(tmp_path / "eye.png", np.arange(4096, dtype=np.uint8).reshape(64, 64))
    lines = (released / "manifest.csv").read_text().splitlines()
    count = sum(",dropped," not in line and "kept as it is" not in line for line in lines) - 1
    done = run(tmp_path, str(installed / "python"), "-c", f"import sys\nCOUNT = {count}\n{USE}")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} >= {"out", "preview.png"}


def test_its_program_verifies_a_release_and_names_what_it_misses(
    installed: Path, miniature: Path, tmp_path: Path
) -> None:
    program = str(installed / "clearset")
    done = run(tmp_path, program, "verify", str(miniature / "data/release/sample"))
    assert done.returncode == 0, done.stderr
    assert "is as released" in done.stdout
    done = run(tmp_path, program, "folder", "a", "b")
    assert (done.returncode, done.stderr) == (
        1,
        "error: this takes the package hydra, which is no part of the core: in a clone of "
        "Clearset, make setup, or pip install --editable '.[pipeline]'\n",
    )


def test_it_checks_images_from_python_and_from_a_shell(installed: Path, tmp_path: Path) -> None:
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 30 if number == 2 else 255, (64, 64))
        name = "dark" if number == 2 else f"eye_{number}"
        write_image(tmp_path / f"images/{name}.png", pixels.astype(np.uint8))
    done = run(tmp_path, str(installed / "python"), "-c", CHECK)
    assert done.returncode == 0, done.stderr
    done = run(
        tmp_path, str(installed / "clearset"), "check", "images", "--set", "analyze.trials=0"
    )
    assert done.returncode == 0, done.stderr
    assert "3 images: " in done.stdout and "page: " in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"images", "cleaned", "images-checked"}


PUBLIC = ["ImproveImage", "Release", "Report", "check", "load_release", "verify"]


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_public_is_there_and_nothing_else_is(name: str) -> None:
    import clearset  # noqa: PLC0415 - as a user does

    assert name in clearset.__all__
    assert getattr(clearset, name).__module__.startswith("clearset.")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(clearset, "nothing")  # noqa: B009
