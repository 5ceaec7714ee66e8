"""One image more costs one image, a kill what was on its way; the bytes are as from nothing."""

import ast
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from clearset.engines import measurements
from clearset.generate.retina.synthesis import eye
from clearset.stages import analyze, compare, enhance, fetch, filter
from conftest import write_image
from stages import ROOT

IMAGES = 26


def picture(seed: int, side: int = 96) -> np.ndarray:
    image, _ = eye(np.random.default_rng(seed), side)
    return np.rint(image * 255).astype(np.uint8)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of images in two splits, some of them dark, in which nothing has run."""
    for number in range(IMAGES):
        pixels = picture(number)
        dark = pixels // 6 if number % 9 == 4 else pixels
        split = "test" if number % 3 == 0 else "train"
        write_image(tmp_path / f"source/{split}/images/{number:02d}.png", dark)
    return project(tmp_path, monkeypatch)


def project(home: Path, monkeypatch: pytest.MonkeyPatch, trials: int = 0) -> Path:
    section = yaml.safe_load((ROOT / "src/clearset/inspection/folder.yaml").read_text())
    section["fetch"]["path"] = "source"
    section["analyze"]["trials"] = trials
    (home / "params.yaml").write_text(yaml.safe_dump({"mine": section}))
    monkeypatch.chdir(home)
    return home


def measured(whole: bool = False) -> int:
    """Run what measures images, or all that uses it; return how many images were measured."""
    fetch.main("mine")
    said = analyze.main("mine")
    match = re.search(r"\((\d+) measured now\)", said)
    assert match, said
    if not whole:
        return int(match[1])
    filter.main("mine")
    enhance.main("mine")
    compare.main("mine")
    return int(match[1])


def content(home: Path) -> dict[str, bytes]:
    files = [path for path in (home / "data").rglob("*") if path.is_file()]
    return {str(path.relative_to(home)): path.read_bytes() for path in files}


def from_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, whole: bool = False
) -> dict[str, bytes]:
    other = home / "other"
    other.mkdir()
    (other / "source").symlink_to(home / "source")
    project(other, monkeypatch, trials=9 if whole else 0)
    measured(whole)
    monkeypatch.chdir(home)
    return content(other)


def test_one_image_added_changed_and_removed_is_all_that_is_measured(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(home, monkeypatch, trials=9)
    assert measured() == IMAGES
    source = home / "source/train/images"
    write_image(source / "new.png", picture(99))
    write_image(source / "01.png", picture(98))
    (source / "02.png").unlink()
    assert measured(whole=True) == 2
    assert content(home) == from_nothing(home, monkeypatch, whole=True)
    (source / "new.png").unlink()
    assert measured() == 0


@pytest.mark.parametrize("harm", ["gone", "damaged", "another environment"])
def test_a_comparison_does_without_measurements_that_are_not_there(
    home: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    measured(whole=True)
    before = content(home)
    kept = home / "data/analyze/mine.measurements/all.npz"
    if harm == "gone":
        kept.unlink()
    elif harm == "damaged":
        damaged = bytearray(kept.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        kept.write_bytes(bytes(damaged))
    else:
        monkeypatch.setattr("clearset.store.code.digest", lambda *_: "another")
    compare.main("mine")
    assert {n: b for n, b in content(home).items() if "/compare/" in n} == {
        n: b for n, b in before.items() if "/compare/" in n
    }


def test_a_mask_that_changes_is_looked_at_again(home: Path) -> None:
    write_image(home / "source/train/masks/01.png", (picture(1) > 99).astype(np.uint8) * 255)
    assert measured() == IMAGES
    write_image(home / "source/train/masks/01.png", (picture(2) > 99).astype(np.uint8) * 255)
    assert measured() == 1


def test_another_setting_measures_all_again(home: Path) -> None:
    assert measured() == IMAGES
    text = (home / "params.yaml").read_text()
    section = yaml.safe_load(text)
    section["mine"]["fetch"]["range"] |= {"mapping": "fixed", "low": 0.0, "high": 200.0}
    (home / "params.yaml").write_text(yaml.safe_dump(section))
    assert measured() == IMAGES
    (home / "params.yaml").write_text(text)
    assert measured() == IMAGES


def test_a_run_that_was_killed_goes_on_where_it_stopped(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch.main("mine")
    driver = """
import sys
from clearset.engines import measurements
from clearset.stages import analyze
measurements.TOGETHER = 4
if __name__ == "__main__":
    analyze.main("mine")
"""
    (home / "driver.py").write_text(driver)
    env = os.environ | {"PYTHONPATH": str(ROOT / "src"), "CLEARSET_WORKERS": "1"}
    with subprocess.Popen([sys.executable, "driver.py"], cwd=home, env=env) as process:
        index = home / "data/analyze/mine.measurements/incoming.index"
        while not (index.exists() and index.stat().st_size):
            assert process.poll() is None
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
    assert 0 < measured() < IMAGES
    assert content(home) == from_nothing(home, monkeypatch)


def test_records_hang_on_all_code_that_looks_at_an_image() -> None:
    waiting, seen = ["engines/look.py", "engines/measurements.py"], set[str]()
    library = ROOT / "src/clearset"
    while waiting:
        place = waiting.pop()
        seen.add(place)
        for node in ast.walk(ast.parse((library / place).read_text())):
            if not isinstance(node, ast.ImportFrom) or not str(node.module).startswith("clearset"):
                continue
            base = str(node.module).split(".")[1:]
            names = ["/".join([*base, alias.name]) for alias in node.names]
            files = [f"{name}.py" for name in ["/".join(base), *names]]
            waiting += [f for f in files if (library / f).is_file() and f not in seen]
    told = ("store/", "config/", "similar/cosines.py", "similar/links.py")  # no pixel is theirs
    rooms = tuple(room if room.endswith(".py") else f"{room}/" for room in measurements.ROOMS)
    assert {place for place in seen if not place.startswith((*rooms, *told))} == set()
