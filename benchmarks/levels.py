"""What bounds of a dataset's own find, level by level, on eyes that they were not chosen on.

    python benchmarks/levels.py     # writes docs/levels.csv; about ten minutes on two cores

Every fault, at each of its levels, is planted into every eye of two cameras and of generated
images. A quarter of the eyes is held out, four times over: bounds are chosen on the others, by the
very functions of the stages, and judged on the quarter. `CLEARSET_RAVIR` and `CLEARSET_DRIVE` say
where the cameras' images are; none is written anywhere.
"""

import os
import sys
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clearset.config import composition, params
from clearset.config.schema import Dataset
from clearset.config.schema_fetch import Fetch, Scene, Source
from clearset.images import codec, levels, masks
from clearset.images.levels import of_type
from clearset.measure.metrics import measure
from clearset.measure.typical import SCALES
from clearset.numeric.seen import filled
from clearset.plant.faults import FAULTS, at_level
from clearset.plant.shapes import SHAPES, SUITE
from clearset.proof.comparison import ssim
from clearset.sources import origin
from clearset.store.parallel import mapped
from clearset.trials import drawn, plan
from clearset.truth import own

TABLE = Path("docs/levels.csv")
FOLDS, SAMPLE, BAD = 4, 12, 3  # a third of the images is bad where a set is spoilt
RAVIR = Path(os.environ.get("CLEARSET_RAVIR", "../shared/ravir"))
DRIVE = Path(os.environ.get("CLEARSET_DRIVE", "../shared/drive"))
GENERATED = 40
Eye = tuple[str, Any, Any]  # name, pixels as stored, where something was seen


def ravir() -> Iterator[Eye]:
    """Yield RAVIR's eyes, each once."""
    known = set()
    for file in sorted(RAVIR.rglob("*.png")):
        if file.parent.name == "training_masks":
            continue
        pixels = codec.decode(file)
        if pixels.tobytes() not in known:
            known.add(pixels.tobytes())
            yield file.stem, pixels, None


def drive() -> Iterator[Eye]:
    """Yield the eyes of DRIVE's training half within their field of view."""
    for file in sorted((DRIVE / "training/images").glob("*.tif")):
        (mask,) = (DRIVE / "training/mask").glob(f"{file.stem}*")
        yield file.stem, codec.decode(file), masks.decode(mask) > 0


def retinas() -> Iterator[Eye]:
    """Yield generated retinas."""
    with tempfile.TemporaryDirectory() as name:
        fetch = Fetch(source=Source.generated, count=GENERATED, size=768, seed=11)
        origin.generate(Path(name), fetch)
        yield from _files(Path(name), "*.png", "masks")


def satellite() -> Iterator[Eye]:
    """Yield generated satellite tiles."""
    with tempfile.TemporaryDirectory() as name:
        fetch = Fetch(
            source=Source.generated, scene=Scene.satellite, count=GENERATED, size=256, seed=11
        )
        origin.generate(Path(name), replace(fetch, channels=3))
        yield from _files(Path(name), "*.tif", "labelTxt")


def _files(folder: Path, pattern: str, beside: str) -> Iterator[Eye]:
    for file in sorted(folder.rglob(pattern)):
        if beside not in file.parts:
            yield file.stem, codec.decode(file), None


CAMERAS = {
    "RAVIR": ravir,
    "DRIVE": drive,
    "generated retinas": retinas,
    "generated tiles": satellite,
}


def measured(eye: Eye) -> list[dict[str, Any]]:
    """Return the metrics of an eye as it is and with every fault at each of its levels."""
    name, pixels, seen = eye
    reading = of_type(pixels)
    if pixels.dtype == np.uint16:  # satellite tiles fill a part of 16 bits
        reading = replace(reading, low=0, high=float(np.percentile(pixels, 99.9)))
    stored = filled(pixels, seen)
    clean, rows = levels.unit(stored, reading), []

    def row(image: Any, **about: Any) -> dict[str, Any]:
        grey = replace(
            levels.grey(levels.quantised(image, pixels.dtype, reading), reading), seen=seen
        )
        return {"image_id": name, **about, **measure(grey, list(SCALES))}

    rows.append(row(clean, fault="", step=0, kinds="", parameters="", likeness=1.0))
    for fault in (*SUITE, *SHAPES):
        for step, level in enumerate(FAULTS[fault].ladder or FAULTS[fault].levels, 1):
            rng = np.random.default_rng(zlib.crc32(f"{name} {fault} {step}".encode()))
            image = at_level(clean, fault, level, rng)
            about = {"kinds": " ".join(FAULTS[fault].kinds)}
            about["parameters"] = f"{FAULTS[fault].unit}: {level}"
            like = ssim(clean, image, seen) if zlib.crc32(name.encode()) % 4 == 0 else np.nan
            rows.append(row(image, fault=fault, step=step, likeness=like, **about))
    return rows


def section() -> Dataset:
    """Return the params that a folder of one's own images begins with."""
    composed = composition.composed(["+dataset@mine=folder"])
    return params.check("mine", composed["mine"], "conf/dataset/folder.yaml")


def judged(camera: str, bank: pd.DataFrame, spoilt: bool) -> Iterator[pd.DataFrame]:
    """Yield, for each quarter held out, what each rule flags of it, row by row of the bank."""
    names = np.array(sorted(bank["image_id"].unique()))
    order = np.random.default_rng(0).permutation(len(names))
    for fold in range(FOLDS):
        held_out = set(names[order[fold::FOLDS]])
        inside = bank[~bank["image_id"].isin(held_out)]
        values, trials = _materials(inside, spoilt)
        settings = section()
        bounds, recalls = own.own_bounds(settings.filter, values, trials, settings.calibrate)
        told = recalls[recalls["told"] == 1].groupby(["rule", "fault"])["step"].min()
        test = bank[bank["image_id"].isin(held_out)]
        for rule in bounds.itertuples():
            sign = 1 if rule.side == "max" else -1
            flagged = sign * test[rule.metric] > sign * rule.bound
            finds = test["kinds"].str.split().map(lambda kinds, kind=rule.finds: kind in kinds)
            least = [told.get((rule.rule, fault), np.inf) for fault in test["fault"]]
            yield test.assign(
                camera=camera,
                rule=rule.rule,
                finds=finds,
                flagged=flagged,
                told=test["step"] >= least,
            )


def _materials(inside: pd.DataFrame, spoilt: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the measures of a set's images, a third of them faulty if it is spoilt, and trials."""
    rng = np.random.default_rng(1)
    clean = inside[inside["fault"] == ""]
    faulty = inside[inside["fault"].isin(SUITE)]
    if spoilt:
        bad = set(rng.permutation(clean["image_id"])[: len(clean) // BAD])
        spoils = faulty[faulty["image_id"].isin(bad)].sample(frac=1, random_state=1)
        clean = pd.concat([clean[~clean["image_id"].isin(bad)], spoils.drop_duplicates("image_id")])
    images = clean[["image_id"]].assign(error="", assumed=0)
    ids = drawn.sample(images, clean.drop(columns=["fault", "step"]), SAMPLE, 0)
    wanted = [
        (image_id, trial.fault, trial.step)
        for place, image_id in enumerate(ids)
        for trial in plan.trials(place)
    ]
    keys = pd.DataFrame(wanted, columns=["image_id", "fault", "step"])
    return clean.set_index("image_id")[list(SCALES)], keys.merge(inside).drop(columns="likeness")


def summed(flags: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each camera, rule, fault and level: how many are found, and how well."""
    rows = []
    for (camera, rule), own_rows in flags.groupby(["camera", "rule"], sort=False):
        clean = own_rows[own_rows["fault"] == ""]
        false = int(clean["flagged"].sum())
        rows.append((camera, rule, "none", 0, "", 1.0, len(clean), false / len(clean), 0, np.nan))
        for (fault, step), group in own_rows[own_rows["finds"]].groupby(
            ["fault", "step"], sort=False
        ):
            right, total = int(group["flagged"].sum()), len(group)
            f1 = 2 * right / (right + false * total / len(clean) + total)
            words = group["parameters"].iloc[0]
            told = int(group["told"].mean() > 0.5)
            about = (camera, rule, fault, step, words, group["likeness"].mean())
            rows.append((*about, total, right / total, told, f1))
    names = ["camera", "rule", "fault", "step", "level", "ssim", "images", "flagged", "told", "f1"]
    return pd.DataFrame(rows, columns=names)


def main() -> None:
    """Write the table, and print what is told of each camera."""
    parts = []
    for camera in sys.argv[1:] or CAMERAS:
        eyes = list(CAMERAS[camera]())
        bank = pd.DataFrame([row for rows in mapped(measured, eyes, camera) for row in rows])
        parts += list(judged(camera, bank, spoilt=False))
        if camera == "RAVIR":
            parts += list(judged("RAVIR, a third of it bad", bank, spoilt=True))
    table = summed(pd.concat(parts))
    table.to_csv(TABLE, index=False, float_format="%.3g", lineterminator="\n")
    told = table[table["told"] == 1].groupby(["camera", "rule", "fault"], sort=False)
    print(told.agg(level=("level", "first"), worst_f1=("f1", "min")).to_string())
    clean = table[table["fault"] == "none"]
    print(clean.pivot(index="rule", columns="camera", values="flagged").round(3).to_string())


if __name__ == "__main__":
    main()
