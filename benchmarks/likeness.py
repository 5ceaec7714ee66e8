"""How well images of one subject are told from images of others, on cameras of which none is ours.

`PYTHONPATH=src python benchmarks/likeness.py` writes docs/likeness.csv; CLEARSET_RAVIR and
CLEARSET_DRIVE name the data. Every eye, and every generated tile, is edited lightly and written as
its files are; bounds are chosen by half of the eyes, as a dataset's own images choose them, and all
that is counted is counted on the other half. Its eyes are different people's, but for one pair.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.engines import native
from clearset.generate.satellite.tile import FULL, tile
from clearset.images import codec, levels, views
from clearset.images.aperture import found
from clearset.images.levels import Pixels, Reading
from clearset.numeric.grey import Grey
from clearset.plant.edits import EDITS, Edit, another_visit, edited, random_for
from clearset.plant.planting import parts
from clearset.similar.cosines import between
from clearset.similar.registration import Sight, register, sight
from clearset.store.parallel import mapped
from clearset.trials import copies
from clearset.trials.kin import planted_pairs
from clearset.truth import kin

ROOT = Path(__file__).resolve().parents[1]
SEED = 1
ASKED: dict[str, Any] = {"false_pairs": 0.05, "resamples": 1000, "seed": SEED}
LEAST = 0.63  # chosen on these very images: between what different and edited ones have
SAMPLED, OTHERS = 16, 500
TILES, SIDE = 60, 320
COPIES, ONE_EYE = {"IR_Case_022"}, {"IR_Case_043", "IR_Case_057"}
Source = tuple[str, Pixels, Reading]
Looks = dict[str, Grey]  # by edit; "" is the image itself


def sources(camera: str) -> Iterator[Source]:
    """Yield the images of a camera, each of another subject but for the one known pair."""
    if camera == "satellite":
        for number in range(TILES):
            made = tile(number, count=TILES, size=SIDE, bands=1, seed=11)
            yield made.name, made.pixels, Reading(0.0, float(FULL), nodata=0.0)
        return
    place = os.environ.get(f"CLEARSET_{camera.upper()}") or ROOT.parent / "shared" / camera
    patterns = {
        "ravir": ["**/training_images/*.png", "**/test/*.png"],
        "drive": ["**/images/*.tif"],
    }
    for file in sorted(f for pattern in patterns[camera] for f in Path(place).glob(pattern)):
        if file.stem not in COPIES:
            yield file.stem, codec.decode(file), Reading(0.0, 255.0)


def seen(pixels: Pixels, reading: Reading) -> Grey:
    """Return an image as it is measured; its aperture is found by itself, or is not."""
    known = replace(reading, seen=found(pixels, reading))
    disc = [float(number) for number in known.seen.split()[1:]]
    there = views.disc(*disc, shape=pixels.shape[:2]) if disc else None
    return views.of(pixels, there, known).grey()


def looks(source: Source) -> Looks:
    """Return an image, each light edit of it, and another visit."""
    name, pixels, reading = source
    unit, edits = levels.unit(pixels, reading), dict[str, Edit](EDITS)
    edits["visit"] = another_visit(random_for(SEED, name))
    result = {"": seen(pixels, reading)}
    for edit, how in edits.items():
        image = edited(unit, how, random_for(SEED, f"{name}-{edit}"))
        result[edit] = seen(levels.quantised(image, pixels.dtype, reading), reading)
    return result


def duplicates(camera: str, images: dict[str, Looks], part: dict[str, str]) -> list[list[object]]:
    """Return the rows of a camera's near duplicates: of each edit, and of all pairs of any two."""
    names = [name for name in images if part[name] == "calibrate"]
    known = np.stack([native.descriptor(images[name][""]) for name in names])
    sample = {n: copies.described(images[n][""], n, SEED) for n in names[:SAMPLED]}
    table = planted_pairs(sample, names, known, OTHERS)
    of = {kind: group["value"].to_numpy() for kind, group in table.groupby("kind")}
    pairs = len(names) * (len(names) - 1) // 2
    bound = kin.similarity_bound(
        of["planted"], of["different"], pairs=pairs, recall=0.9, least=LEAST, **ASKED
    )
    held = [name for name in images if part[name] == "held_out"]
    rows = [
        [camera, "near duplicate", edit, *counted(images, held, ["", edit], bound.value)]
        for edit in EDITS
    ]
    return [
        *rows,
        [camera, "near duplicate", "all", *counted(images, held, ["", *EDITS], bound.value)],
    ]


def counted(
    images: dict[str, Looks], names: list[str], edits: list[str], bound: float
) -> list[object]:
    """Return pairs, F1, recall, false pairs, bound, and median of the different images alone."""
    who = np.repeat(names, len(edits))
    vectors = [native.descriptor(images[name][edit]) for name in names for edit in edits]
    first, second = np.triu_indices(len(who), 1)
    values = between(np.stack(vectors), np.stack(vectors))[first, second]
    same = who[first] == who[second]
    known = np.isin(who[first], [*ONE_EYE]) & np.isin(who[second], [*ONE_EYE])
    alone = (first % len(edits) == 0) & (second % len(edits) == 0) & ~same
    return scored(values[same], values[~same & ~known], bound, float(np.median(values[alone])))


def scored(
    true: npt.NDArray[np.float64], other: npt.NDArray[np.float64], bound: float, middle: float
) -> list[object]:
    """Return the columns of a row from what true and different pairs have."""
    right, wrong = int((true > bound).sum()), int((other > bound).sum())
    f1 = 2 * right / max(right + wrong + len(true), 1)
    return [len(true), f1, right / len(true), wrong, bound, middle]


def inliers(pair: tuple[Sight, Sight]) -> int:
    """Return how many places of two images agree on one fit."""
    return register(*pair).inliers


def leaks(camera: str, images: dict[str, Looks], part: dict[str, str]) -> list[object]:
    """Return a camera's row of leaks: other visits, beside all pairs of different images."""
    sights = {name: sight(shown[""]) for name, shown in images.items()}
    again = {name: sight(shown["visit"]) for name, shown in images.items()}
    pairs = [pair for pair in combinations(images, 2) if part[pair[0]] == part[pair[1]]]
    counts = np.array(mapped(inliers, [(sights[a], sights[b]) for a, b in pairs], "register"))
    own = np.array([part[first] == "calibrate" for first, _ in pairs])
    one_eye = np.array([set(pair) == ONE_EYE for pair in pairs])
    null = counts[own & (counts > 0)]  # as the table `registrations` has them
    bound = kin.inlier_bound(null, pairs=int(own.sum()), **ASKED)
    held = [name for name in images if part[name] == "held_out"]
    true = np.array([inliers((sights[name], again[name])) for name in held], np.float64)
    other = counts[~own & ~one_eye].astype(np.float64)
    rest = scored(true, other, bound.value, float(np.median(other)))
    return [camera, "leak", "visit", *rest]


def main() -> None:
    """Measure every camera and write the table."""
    rows: list[list[object]] = []
    for camera in ("ravir", "drive", "satellite"):
        given = list(sources(camera))
        names = [name for name, *_ in given]
        images = dict(zip(names, mapped(looks, given, "edit"), strict=True))
        part = parts([name for name in names if name not in ONE_EYE], 0.5, SEED)
        part |= dict.fromkeys(ONE_EYE & set(names), "held_out")
        rows += duplicates(camera, images, part)
        rows.append(leaks(camera, images, part))
    columns = ["camera", "what", "edit", "pairs", "f1", "recall", "false_pairs", "bound", "median"]
    table = pd.DataFrame(rows, columns=columns)
    table.to_csv(ROOT / "docs/likeness.csv", index=False, float_format="%.4g", lineterminator="\n")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
