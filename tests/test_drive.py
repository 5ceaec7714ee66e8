"""A second camera, in colour, on black: what was chosen on RAVIR meets what it has not seen."""

from pathlib import Path

import numpy as np
import pytest

from clearset.config import composition
from clearset.images import codec, masks
from clearset.images.aperture import found
from clearset.images.levels import Reading
from clearset.images.views import View, view
from clearset.measure.metrics import measure
from clearset.measure.vessels import judged, scores, vesselness
from clearset.numeric.grey import luminance
from clearset.numeric.seen import chosen

READING = Reading(0.0, 255.0)
LIGHT = ("vignette", "shadow", "uneven")  # rules that an aperture has no part in
FEW = 2  # of twenty


def looked(file: Path, kind: str) -> View:
    """Return a photograph by its aperture as it is found, by the dataset's own mask, or by none."""
    masks = file.parents[1] / "mask"
    text = {"none": "", "file": f"file {file.stem}_mask.gif", "found": ""}[kind]
    text = found(codec.decode(file), READING) if kind == "found" else text
    return view(file, Reading(0.0, 255.0, seen=text, root=masks))


@pytest.fixture(scope="module")
def files(drive: Path) -> list[Path]:
    listed = sorted((drive / "training" / "images").glob("*.tif"))
    assert len(listed) == 20
    return listed


def test_every_aperture_is_found_where_the_dataset_has_it(files: list[Path]) -> None:
    for file in files:
        mine, theirs = (looked(file, kind).seen for kind in ("found", "file"))
        assert mine is not None and theirs is not None
        assert (mine & theirs).sum() > 0.98 * (mine | theirs).sum()


@pytest.mark.parametrize("kind", ["found", "file"])
def test_hardly_a_clean_photograph_is_flagged_for_its_light(files: list[Path], kind: str) -> None:
    rules = composition.composed()["sample"]["filter"]
    metrics = {rules[name]["metric"]: rules[name]["max"] for name in LIGHT}
    values = [measure(looked(file, kind).grey(), list(metrics)) for file in files]
    for name, bound in metrics.items():
        assert sum(row[name] > bound for row in values) <= FEW, name
    blind = [measure(looked(file, "none").grey(), ["vignetting"]) for file in files]
    assert all(row["vignetting"] > metrics["vignetting"] for row in blind)


def test_vessels_are_found_far_better_where_the_rim_is_none(files: list[Path]) -> None:
    precision: dict[str, list[float]] = {"none": [], "found": [], "file": []}
    for file in files[::4]:
        drawn = masks.decode(file.parents[1] / f"1st_manual/{file.stem[:2]}_manual1.gif")
        for kind, values in precision.items():
            shown = looked(file, kind)
            strength, inside = vesselness(luminance(shown.unit()), shown.seen), judged(shown.seen)
            values.append(scores(chosen(strength, inside), chosen(drawn, inside))["ap"])
    whole, mine, theirs = (float(np.median(values)) for values in precision.values())
    assert whole < 0.5
    assert min(mine, theirs) > 0.7
    assert mine == pytest.approx(theirs, abs=0.05)
