"""Does the rule without masks hold on a camera that it was not chosen on? Two tables in docs/.

`PYTHONPATH=src python benchmarks/cameras.py` (a quarter of an hour on one core) repairs eyes of
three cameras: RAVIR's (`CLEARSET_RAVIR`, infrared), the training half of DRIVE (`CLEARSET_DRIVE`,
colour on black), and generated ones. Clean eyes get every enhancer, planted faults the repairs that
they call for. The truth is what two detectors grant against the masks; the rule sees no mask. Its
margins are chosen on two cameras and tested on the third. No image is kept.

`python benchmarks/cameras.py others` takes the other eyes of each, which nothing was chosen on, and
tests the rule as it is adopted: docs/cameras_others.csv.
"""

import os
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clearset.config import composition
from clearset.config.schema_accept import Bounds, Verdict
from clearset.generate.retina import synthesis
from clearset.images import codec, masks
from clearset.images.aperture import found
from clearset.images.levels import Image, Mask, Reading
from clearset.images.views import view
from clearset.numeric.seen import filled
from clearset.plant.faults import degrade
from clearset.proof.comparison import interval
from clearset.proof.detected import granted, precisions
from clearset.proof.evidence import Original, Repair, broken, gathered, verdict
from clearset.proof.verdicts import INDIFFERENT
from clearset.repair.steps import enhance

PAGES = Path(__file__).parents[1] / "docs"
SHARED = Path("../shared")
EYES, SIDE = 8, 512  # generated ones, and their side in px
READING = Reading(0.0, 255.0)
MARGINS = (0.0005, 0.001, 0.002, 0.004)  # of average precision
AGREEMENT, COVERAGE = 0.85, 0.6  # that margins are to reach where they are chosen
UNSHARP = {"method": "unsharp_mask", "radius": 1.0, "amount": 1.0}
STRETCH = {"method": "rescale_intensity", "low": 0.001, "high": 0.999}
GAMMA, LIGHT = ({"method": "gamma", "gamma": value} for value in (0.7, 0.5))
DENOISE = {"method": "denoise", "strength": 0.8, "sigma": 0}
CORED = {"method": "cored_unsharp_mask", "radius": 1.0, "amount": 2.0, "core": 2.0}
BACKGROUND = {"method": "divide_background", "sigma": 40.0}
Chains = dict[str, list[dict[str, Any]]]
ENHANCERS: Chains = {
    "gamma 0.7": [GAMMA],
    "gamma 1.4": [{"method": "gamma", "gamma": 1.4}],
    "unsharp 1": [UNSHARP],
    "unsharp 2": [UNSHARP | {"amount": 2.0}],
    "published": [UNSHARP | {"amount": 15.0}],
    "clahe 0.02": [{"method": "clahe", "tiles": 8, "clip_limit": 0.02}],
    "clahe 0.005": [{"method": "clahe", "tiles": 8, "clip_limit": 0.005}],
    "denoise": [DENOISE],
    "tv": [{"method": "denoise_tv", "weight": 1.0}],
    "background": [BACKGROUND],
    "rescale": [STRETCH],
    "cored": [CORED],
}
WHOLE = "rescale, gamma 0.7, unsharp 1"
LIT: Chains = {
    "rescale": [STRETCH],
    "gamma 0.7": [GAMMA],
    "gamma 0.7, unsharp 1": [GAMMA, UNSHARP],
    "rescale, gamma 0.7": [STRETCH, GAMMA],
    WHOLE: [STRETCH, GAMMA, UNSHARP],
}
EVENED: Chains = {"gamma 0.5, unsharp 1": [LIGHT, UNSHARP], "background": [BACKGROUND]}
FAULTS: dict[str, tuple[tuple[int, ...], Chains]] = {
    "gaussian_blur": ((1, 3), {"cored": [CORED], "unsharp 1": [UNSHARP]}),
    "sensor_noise": ((1, 3), {"denoise": [DENOISE], "denoise, unsharp 1": [DENOISE, UNSHARP]}),
    "under_exposure": ((1, 3), LIT),
    "low_contrast": ((1, 3), {name: LIT[name] for name in ("rescale", "gamma 0.7", WHOLE)}),
    "uneven_light": ((2,), EVENED),
    "shadow": ((2,), EVENED),
}


@dataclass(frozen=True)
class Eye:
    """An eye with its vessels marked by hand, or as they were drawn."""

    camera: str
    name: str
    image: Image
    seen: Mask | None
    vessels: Mask


def place(variable: str, default: str) -> Path:
    """Return the folder that an environment variable names, or the default one."""
    return Path(os.environ.get(variable) or SHARED / default)


def ravir(start: int = 0) -> Iterator[Eye]:
    """Yield every second of RAVIR's eyes with a mask; of two with the same pixels, one."""
    folder = place("CLEARSET_RAVIR", "ravir") / "RAVIR Dataset/train"
    files = sorted((folder / "training_images").glob("*.png"))
    for file in [file for file in files if "022" not in file.stem][start::2]:
        drawn = masks.decode(folder / "training_masks" / file.name) > 0
        yield Eye("RAVIR", file.stem, view(file, READING).unit(), None, drawn)


def drive(start: int = 0) -> Iterator[Eye]:
    """Yield every second of DRIVE's training eyes, by the aperture as it is found."""
    folder = place("CLEARSET_DRIVE", "drive") / "training"
    for file in sorted((folder / "images").glob("*.tif"))[start::2]:
        shown = view(file, Reading(0.0, 255.0, seen=found(codec.decode(file), READING)))
        drawn = masks.decode(folder / f"1st_manual/{file.stem[:2]}_manual1.gif") > 0
        yield Eye("DRIVE", file.stem, shown.unit(), shown.seen, drawn)


def generated(start: int = 0) -> Iterator[Eye]:
    """Yield generated eyes."""
    for number in range(EYES * start, EYES * (start + 1)):
        image, mask = synthesis.eye(np.random.default_rng([5, number]), SIDE)
        yield Eye("generated", f"{number}", rounded(image), None, mask > 0)


CAMERAS: tuple[Callable[[int], Iterator[Eye]], ...] = (ravir, drive, generated)


def rounded(image: Image) -> Image:
    """Return an image as 8 bits hold it."""
    return np.asarray(np.rint(np.clip(image, 0, 1) * 255) / 255)


def examined(eye: Eye) -> Iterator[dict[str, Any]]:
    """Yield a row for each repair of an eye: the truth by both detectors, and the evidence."""
    yield from repaired(eye, "none", 0, ENHANCERS)
    for fault, (severities, chains) in FAULTS.items():
        for severity in severities:
            yield from repaired(eye, fault, severity, chains)


def repaired(eye: Eye, fault: str, severity: int, chains: Chains) -> Iterator[dict[str, Any]]:
    """Yield a row for each chain of steps on an eye with a fault planted."""

    def stored(image: Image) -> Image:
        return filled(rounded(image), eye.seen)

    image, names = eye.image, {"camera": eye.camera, "eye": eye.name}
    if severity:
        rng = np.random.default_rng(zlib.crc32(f"{eye.name} {fault} {severity}".encode()))
        image = stored(degrade(image, fault, severity, rng))
    original = Original(image, stored, eye.seen)
    before = precisions(original.maps, eye.vessels, original.judged)
    for name, steps in chains.items():

        def redo(other: Image, steps: Any = steps) -> Image:
            return stored(enhance(other, steps, seen=eye.seen)[0])

        repair = Repair(redo(image), redo, eye.seen)
        after = precisions(repair.maps, eye.vessels, original.judged)
        changes = {"ap": after[0] - before[0], "sato": after[1] - before[1]}
        found = gathered(original, repair, {bound.metric for bound in adopted().values()})
        yield names | {"fault": fault, "severity": severity, "repair": name} | changes | found


@cache
def adopted() -> dict[str, Bounds]:
    """Return the rule of conf/accept/evidence.yaml."""
    composed = composition.composed()["ravir"]["accept"]
    return {
        name: Bounds(**{**bound, "otherwise": Verdict(bound["otherwise"])})
        for name, bound in composed.items()
    }


def bounds(gain: float, harm: float) -> dict[str, Bounds]:
    """Return that rule with other margins."""
    rule = adopted()
    margins = {"gain": replace(rule["gain"], min=gain), "harm": replace(rule["harm"], min=-harm)}
    return rule | margins


def said(rows: pd.DataFrame, rule: dict[str, Bounds]) -> "pd.Series[str]":
    """Return the rule's verdict on each row."""
    evidence = rows.to_dict("records")
    found = [verdict(broken(row, rule), rule).value for row in evidence]
    return pd.Series(found, rows.index, dtype="str")


def scored(rows: pd.DataFrame, verdicts: "pd.Series[str]") -> dict[str, float]:
    """Return how verdicts agree with the truth, and what the accepted repairs do."""
    truth = pd.Series(granted(rows["ap"], rows["sato"]), rows.index)
    told = truth.abs() > INDIFFERENT
    accepted = verdicts == Verdict.accepted.value
    decided = told & (verdicts != Verdict.not_told.value)
    worse = rows[["ap", "sato"]].min(axis=1) < -INDIFFERENT
    result = {
        "eyes": rows["eye"].nunique(),
        "repairs": len(rows),
        "told": int(told.sum()),
        "decided": int(decided.sum()),
        "coverage": float(decided.sum() / told.sum()),
        "agreement": float((accepted == (truth > 0))[decided].mean()),
        "accepted": int(accepted.sum()),
        "harmful": int((accepted & (truth < -INDIFFERENT)).sum()),
        "harmful_by_one": int((accepted & worse).sum()),
    }
    for name in ("ap", "sato"):
        change = rows[name].where(accepted, 0.0).groupby(rows["eye"]).mean()
        low, high = interval(change.to_numpy(float), resamples=10_000, seed=0)
        result |= {f"{name}_change": change.mean(), f"{name}_low": low, f"{name}_high": high}
    return result


def chosen(rows: pd.DataFrame) -> tuple[float, float]:
    """Return the margins of gain and harm that reach agreement and coverage on every camera.

    Of several the widest of gain, which is the safest; of none those that come nearest.
    """
    ranks = {}
    for gain, harm in product(MARGINS, MARGINS):
        verdicts = said(rows, bounds(gain, harm))
        found = [scored(own, verdicts[own.index]) for _, own in rows.groupby("camera")]
        agreement, coverage = (min(f[name] for f in found) for name in ("agreement", "coverage"))
        ranks[gain, harm] = min(agreement, AGREEMENT), min(coverage, COVERAGE), gain, -harm
    return max(ranks, key=lambda margins: ranks[margins])


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how the rule, and accepting all or none, do on each camera, held out."""
    lines = []
    for camera, own in rows.groupby("camera"):
        gain, harm = chosen(rows[rows["camera"] != camera])
        constant = {
            "always": pd.Series(Verdict.accepted.value, own.index),
            "never": pd.Series(Verdict.refused.value, own.index),
        }
        for name, verdicts in {"rule": said(own, bounds(gain, harm)), **constant}.items():
            margins = {"gain": gain, "harm": harm} if name == "rule" else {}
            lines.append({"camera": camera, "decision": name} | margins | scored(own, verdicts))
    return pd.DataFrame(lines)


def defaults(rows: pd.DataFrame, gain: float, harm: float) -> pd.DataFrame:
    """Return what each repair does on each camera, and what the rule says of it."""
    verdicts = said(rows, bounds(gain, harm))
    counts = {v.value: (verdicts == v.value).astype(int) for v in Verdict}
    both = granted(rows["ap"], rows["sato"])
    wide = rows.assign(**counts, harmed=(both < -INDIFFERENT).astype(int), images=1)
    keys = ["fault", "repair", "camera"]
    sums = wide.groupby(keys)[["images", *counts, "harmed"]].sum()
    return sums.join(wide.groupby(keys)[["ap", "sato"]].mean()).reset_index()


def as_adopted(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how the rule of conf/accept/evidence.yaml does on each camera."""
    return pd.DataFrame(
        [
            {"camera": camera, "decision": "rule"} | scored(own, said(own, adopted()))
            for camera, own in rows.groupby("camera")
        ]
    )


def main() -> None:
    """Write docs/cameras.csv and docs/cameras_repairs.csv, or docs/cameras_others.csv."""
    others, found = sys.argv[1:] == ["others"], []
    for camera in CAMERAS:
        for eye in camera(int(others)):
            found += list(examined(eye))
        print(f"{found[-1]['camera']}: {len(found)} repairs so far", flush=True)
    rows = pd.DataFrame(found)
    if others:
        tables = {"cameras_others": as_adopted(rows)}
    else:
        margins = chosen(rows)
        print(f"margins on all three: gain {margins[0]}, harm {margins[1]}")
        tables = {"cameras": table(rows), "cameras_repairs": defaults(rows, *margins)}
    for name, result in tables.items():
        result.to_csv(PAGES / f"{name}.csv", index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
