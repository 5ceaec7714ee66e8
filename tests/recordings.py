"""What fastdup said of images that tests make: the images, their record, and how it was made.

The images are whole numbers by arithmetic alone, so that they are the same for ever.
`python tests/recordings.py`, which `make record` runs, writes tests/recorded/ anew.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.engines import fastdup, recording
from clearset.images import codec, levels
from clearset.images.levels import Pixels
from clearset.sources import work_folder
from clearset.store import tables
from clearset.store.errors import ClearsetError

ROOT = Path(__file__).resolve().parents[1]
RAVIR = ROOT / "conf/recorded/ravir"
RECORDED = ROOT / "tests/recorded"
SHAPES = [(128, 128), (128, 128), (223, 222), (224, 224), (128, 300), (400, 330), (97, 61)]


def noise(seed: int, shape: tuple[int, ...], bits: int = 8) -> npt.NDArray[np.uint16]:
    """Return evenly spread whole numbers of so many bits."""
    content = hashlib.shake_256(bytes([seed])).digest(2 * int(np.prod(shape)))
    return (np.frombuffer(content, "<u2").reshape(shape) >> (16 - bits)).astype(np.uint16)


def rings(seed: int, shape: tuple[int, int]) -> Pixels:
    """Return ellipses around a place, some of them dark, with a little noise."""
    rows, columns = np.indices(shape, dtype=np.int64)
    down, across = rows * 256 // shape[0] - 20 * seed, columns * 256 // shape[1] - 128
    waves = (down**2 * (seed + 2) + across**2 * (9 - seed % 5)) // 256
    return ((waves + noise(seed, shape, 3)) % 256 // (1 + seed % 2)).astype(np.uint8)


def generated() -> dict[str, Pixels]:
    """Return images of two splits, one of them twice; one of 12 bits, two in colour."""
    drawn = [rings(seed, SHAPES[seed % len(SHAPES)]) for seed in range(10)]
    pixels = {f"{'test' if n % 3 == 2 else 'train'}/{n}": image for n, image in enumerate(drawn)}
    colours = noise(101, (300, 250, 4)).astype(np.uint8)
    return pixels | {
        "train/again": drawn[0].copy(),
        "train/dark": noise(100, (64, 80), 12),
        "test/colour": colours[..., :3].copy(),
        "test/alpha": colours,
    }


def shown() -> dict[str, Pixels]:
    """Return the generated images as fastdup is shown them: without alpha, in 8 bits."""
    return {
        name: levels.eight_bit(levels.bands(pixels, levels.of_type(pixels)), span(pixels))
        for name, pixels in generated().items()
    }


def span(pixels: Pixels) -> levels.Reading:
    """Return the whole range of an image's type."""
    return levels.Reading(0, float(np.iinfo(pixels.dtype).max), None)


def deep() -> dict[str, Pixels]:
    """Return images of 16 bits, which fastdup stretches itself: dark, bright, large, constant."""
    large = (rings(3, (400, 330)).astype(np.uint16) * 41 + 700).astype(np.uint16)
    dark, whole = noise(102, (64, 80), 12), noise(103, (250, 90), 16)
    return {"dark": dark, "large": large, "whole": whole, "flat": np.full_like(dark, 900)}


def altered(eyes: dict[str, Pixels]) -> dict[str, Pixels]:
    """Return images, and three more that are nearly one of the first two."""
    first, second = list(eyes.values())[:2]
    cut = second[8:-8, 8:-8].copy()
    return eyes | {"darker": first // 2, "brighter": first // 2 + 90, "cut": cut}


def eyes_of_ravir(place: Path) -> dict[str, Pixels]:
    """Return RAVIR's images by image_id."""
    splits = {"test": "test", "train": "train/training_images"}
    return {
        f"{split}/{file.stem}": codec.decode(file)
        for split, folder in splits.items()
        for file in sorted((place / "RAVIR Dataset" / folder).glob("*.png"))
    }


@dataclass(frozen=True)
class Call:
    """One recorded call of fastdup: the images, our numbers of them, its own tables."""

    ids: list[str]
    statistics: pd.DataFrame
    descriptors: npt.NDArray[Any]
    own: dict[str, pd.DataFrame]


def call(name: str, folder: Path, *others: Path) -> Call:
    """Return a recorded call; `others` are records that have numbers of some of its images."""
    numbers = {}
    for table in ("statistics", "descriptors"):
        parts = [tables.read(table, place) for place in (folder, *others)]
        numbers[table] = pd.concat(parts).set_index("image_id")
    own = {table: tables.read(table, folder) for table in ("graph", "quota", "groups")}
    own = {table: rows[rows["call"] == name] for table, rows in own.items()}
    ids = sorted(set(own["graph"]["image_id"]))
    statistics = numbers["statistics"].loc[ids, work_folder.STATISTICS].astype(float)
    return Call(ids, statistics, numbers["descriptors"].loc[ids].to_numpy(np.int32), own)


def without(record: recording.Tables, other: Path) -> recording.Tables:
    """Return a record without the numbers that another one has."""
    known = set(tables.read("statistics", other)["image_id"])
    few = {n: record[n][~record[n]["image_id"].isin(known)] for n in ("statistics", "descriptors")}
    return record | few


OLDER = """
import sys, fastdup
fastdup.run(sys.argv[1], sys.argv[2], turi_param="nnmodel=0,ccthreshold=0.96", threshold=0.9)
"""
CURRENT = """
import sys, glob, fastdup
fd = fastdup.create(work_dir=sys.argv[2], input_dir=sorted(glob.glob(sys.argv[1] + "/*")))
fd.run(overwrite=True, nnf_mode="Flat", run_sentry=False)
"""


def work_folders(folder: Path) -> None:
    """Let fastdup make two work folders of the same images, `older` in format and `current`."""
    (folder / "images").mkdir()
    for number in range(12):
        content = codec.png_bytes(noise(number, (64, 64)).astype(np.uint8))
        (folder / f"images/{number:02d}.png").write_bytes(content)
        if number < 3:
            (folder / f"images/{number:02d}_again.png").write_bytes(content)
    (folder / "images/broken.png").write_bytes(b"no image")
    for name, code in (("older", OLDER), ("current", CURRENT)):
        command = [str(fastdup.interpreter()), "-I", "-c", code, "images", name]
        quiet = fastdup.QUIET | {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
        subprocess.run(command, cwd=folder, env=quiet, check=True, capture_output=True, timeout=120)


def main() -> str:
    """Write tests/recorded/: fastdup on RAVIR's images altered, on generated ones, work folders."""
    today, lines = date.today(), []
    if place := os.environ.get("CLEARSET_RAVIR", ""):
        record = recording.call_fastdup("all", altered(eyes_of_ravir(Path(place))))
        lines.append(recording.write(without(record, RAVIR), RECORDED / "altered", today))
    for name, pixels in (("generated", shown()), ("deep", deep())):
        lines.append(recording.write(recording.call_fastdup("all", pixels), RECORDED / name, today))
    with tempfile.TemporaryDirectory() as scratch:
        work_folders(Path(scratch))
        for name in ("older", "current"):
            target = RECORDED / "work_folders" / name
            target.mkdir(parents=True, exist_ok=True)
            for file in filter(Path.is_file, (Path(scratch) / name / n for n in work_folder.FILES)):
                shutil.copyfile(file, target / file.name)
    return "\n".join([*lines, f"record: two work folders in {RECORDED / 'work_folders'}"])


if __name__ == "__main__":
    try:
        sys.stdout.write(main() + "\n")
    except (ClearsetError, OSError) as error:
        sys.exit(f"error: {error}")
