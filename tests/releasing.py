"""A small source of odd names and depths, and the stages that make a release of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import yaml

from clearset.stages import analyze, enhance, fetch, release
from clearset.stages import filter as filter_stage
from clearset.store import layout, tables
from conftest import write_image

DATASET = "tiny"
ODD = "=1 ü [x]*?#%20"  # a formula to a spreadsheet, a pattern to a shell, another file to a URL
NAMES = ("001", "NA", "2020-01-02", ODD, "nil.x", "dark", "black")
PARAMS: dict[str, Any] = {
    "fetch": {
        "path": "source",
        "range": {"mapping": "fixed", "low": 0, "high": 4095},
        "splits": {
            "train": {
                "images": "A Set/train/im ages/*.tif",
                "masks": "A Set/train/masks/{stem}.png",
                "labels": "A Set/train/im ages/{stem}.txt",
            },
            "test-2": {"images": "A Set/test/*.*"},
        },
    },
    "filter": {
        "dark": {"metric": "mean", "min": 40, "action": "enhance"},
        "black": {"metric": "mean", "min": 0.5, "action": "drop"},
    },
    "enhance": [{"rule": "dark", "method": "gamma", "gamma": 0.5}],
    "compare": {"resamples": 100},
}


def made_source(folder: Path) -> None:
    """Write images of 16 bits and of 8 anywhere, masks elsewhere for some, and companions."""
    draw = np.random.default_rng(0)
    for number, name in enumerate(NAMES):
        light = {"dark": 400, "black": 2}.get(name, 4096)
        pixels = draw.integers(0, light, (16, 24), dtype=np.uint16)
        place = folder / f"A Set/train/im ages/{name}.tif"
        place.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(place, pixels)
        if number % 3 != 1:
            mask = (pixels > light // 2).astype(np.uint8)
            write_image(folder / f"A Set/train/masks/{name}.png", mask)
    for name in ("e.png", "g.PNG"):
        pixels = draw.integers(0, 4096, (16, 24), dtype=np.uint16)
        write_image(folder / "A Set/test" / name, pixels)
    (folder / "A Set/test/cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "A Set/train/im ages/001.txt").write_text("0 1 2 3 car")
    write_image(folder / "preview.png", np.zeros((8, 8), np.uint8))
    (folder / "metadata.csv").write_text("file_name,colour\npreview.png,red\n")


def make(folder: Path, section: dict[str, Any], patch: pytest.MonkeyPatch) -> Path:
    """Run the stages on the `source` of a folder, each repair accepted; return what is released."""
    (folder / "params.yaml").write_text(yaml.safe_dump({DATASET: section}))
    patch.chdir(folder)
    patch.setenv("CLEARSET_WORKERS", "1")
    for stage in (fetch, analyze, filter_stage, enhance):
        stage.main(DATASET)
    repairs = tables.read("repairs", layout.stage_folder("enhance", DATASET))
    verdicts = repairs[["image_id"]].assign(accepted=1, verdict="accepted", refused_by="")
    target = layout.stage_folder("compare", DATASET)
    target.mkdir(parents=True)
    tables.write("verdicts", verdicts, target)
    release.main(DATASET)
    return folder.absolute() / layout.stage_folder("release", DATASET)
