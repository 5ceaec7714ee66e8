"""The stage enhance: what is repaired, copied and left out, and what no repair changes."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clearset.config import params
from clearset.config.schema import Action, Dataset, Rule
from clearset.images import codec
from clearset.images.levels import Reading, columns
from clearset.stages import enhance
from clearset.store import tables
from clearset.store.checksums import sha256
from conftest import write_image

LEVELS = {"dim": 60, "black": 0, "fine": 150, "gone": 10}
DECISIONS = {"dim": "enhance", "black": "enhance", "fine": "keep", "gone": "drop"}
STEPS = [{"rule": "dark", "method": "gamma", "gamma": 0.5}]  # can not brighten black


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the stage is ready to run."""
    monkeypatch.chdir(tmp_path)
    rules = {"dark": Rule("mean", min=80, action=Action.enhance)}
    monkeypatch.setattr(params, "load", lambda _: Dataset(filter=rules, enhance=list(STEPS)))
    (tmp_path / "params.yaml").write_text("tiny: {}\n")
    fetched = tmp_path / "data/fetch/tiny"
    for name, level in LEVELS.items():
        write_image(fetched / f"images/{name}.png", np.full((20, 30), level, np.uint8))
    names = list(LEVELS)
    images = pd.DataFrame({"image_id": names, "path": [f"{name}.png" for name in names]})
    images = images.assign(**columns(Reading(0.0, 255.0)), width=30, height=20)
    images["sha256"] = [sha256(fetched / f"images/{name}.png") for name in names]
    images = images.assign(channels=1, bit_depth=8, bytes=1, split="all", source="", error="")
    images = images.assign(colours=0, assumed=0, obstacle="", mask_error="", broken=0)
    texts = dict.fromkeys(("mask", "source_mask", "label", "source_label", "pixels_sha256"), "")
    tables.write("images", images.assign(**texts), fetched)
    decisions = pd.DataFrame({"image_id": names, "decision": DECISIONS.values(), "split": "all"})
    rules_of = np.where(decisions["decision"] == "keep", "", "dark")
    tables.write("decisions", decisions.assign(rules=rules_of), tmp_path / "data/filter/tiny")
    return tmp_path / "data"


def test_only_what_changes_is_a_repair_and_the_rest_is_copied_byte_for_byte(data: Path) -> None:
    message = enhance.main("tiny")
    folder = data / "enhance/tiny"
    assert tables.read("repairs", folder)["image_id"].tolist() == ["dim"]
    assert sorted(path.name for path in (folder / "images").iterdir()) == [
        "black.png",
        "dim.png",
        "fine.png",
    ]
    assert codec.decode(folder / "images/dim.png").max() > 100
    listed = tables.read("images", folder).set_index("image_id")["sha256"]
    for name in ("black", "fine"):
        before, after = (data / f"{s}/tiny/images/{name}.png" for s in ("fetch", "enhance"))
        assert after.read_bytes() == before.read_bytes()
        assert listed[name] == sha256(before)
    assert listed["dim"] == sha256(folder / "images/dim.png")
    assert "1 of 3 images repaired" in message
    assert "kept, their repair changes no pixel: black" in message


def test_where_no_repair_changes_a_pixel_there_is_none(data: Path) -> None:
    source, target = (data / f"fetch/tiny/images/{name}.png" for name in ("black", "dim"))
    shutil.copyfile(source, target)
    enhance.main("tiny")
    assert tables.read("repairs", data / "enhance/tiny").empty
