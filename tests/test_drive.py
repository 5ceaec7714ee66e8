"""A second camera, in colour, on black: what was chosen on RAVIR meets what it has not seen."""

from pathlib import Path

import numpy as np
import pytest

from clearset.config import composition
from clearset.config.schema_accept import Bounds, Verdict
from clearset.images import codec, masks
from clearset.images.aperture import found
from clearset.images.levels import Image, Mask, Reading
from clearset.images.views import View, view
from clearset.measure.metrics import measure
from clearset.measure.vessels import judged, scores, vesselness
from clearset.numeric.grey import luminance
from clearset.numeric.seen import chosen, filled
from clearset.proof.detected import precisions
from clearset.proof.evidence import Original, Repair, broken, gathered, verdict
from clearset.repair.steps import enhance

READING = Reading(0.0, 255.0)
GAMMA = {"method": "gamma", "gamma": 0.7}
PUBLISHED = {"method": "unsharp_mask", "radius": 1.0, "amount": 15.0}
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


@pytest.mark.parametrize("step", [GAMMA, PUBLISHED], ids=lambda step: step["method"])
def test_what_is_accepted_of_a_good_photograph_does_no_harm_by_either_detector(
    files: list[Path], step: dict[str, object]
) -> None:
    rule = {
        name: Bounds(**{**bound, "otherwise": Verdict(bound["otherwise"])})
        for name, bound in composition.composed()["ravir"]["accept"].items()
    }
    said = []
    for file in files[::5]:
        shown = looked(file, "found")

        def stored(image: Image, seen: Mask | None = shown.seen) -> Image:
            return filled(np.rint(np.clip(image, 0, 1) * 255) / 255, seen)

        def redo(image: Image, seen: Mask | None = shown.seen) -> Image:
            return stored(enhance(image, [step], seen=seen)[0], seen)

        original = Original(shown.unit(), stored, shown.seen)
        repair = Repair(redo(original.image), redo, shown.seen)
        evidence = gathered(original, repair, {bound.metric for bound in rule.values()})
        said.append(verdict(broken(evidence, rule), rule))
        drawn = masks.decode(file.parents[1] / f"1st_manual/{file.stem[:2]}_manual1.gif") > 0
        before, after = (
            precisions(side.maps, drawn, original.judged) for side in (original, repair)
        )
        if said[-1] is Verdict.accepted:
            assert min(np.subtract(after, before)) > -0.003
    if step is PUBLISHED:
        assert set(said) == {Verdict.refused}
    else:
        assert said.count(Verdict.accepted) <= len(said) / 2


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
