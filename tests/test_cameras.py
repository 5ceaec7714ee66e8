"""The rule without masks on cameras that its margins were not chosen on: the record in docs/."""

from typing import Any

import pandas as pd
import pytest

from clearset.config import composition
from conftest import ROOT

REAL = ["RAVIR", "DRIVE"]
CAMERAS = [*REAL, "generated"]
TABLE = pd.read_csv(ROOT / "docs/cameras.csv").set_index(["camera", "decision"])
REPAIRS = pd.read_csv(ROOT / "docs/cameras_repairs.csv").set_index(["camera", "fault", "repair"])


def record(camera: str, decision: str = "rule") -> Any:
    return TABLE.loc[(camera, decision)]


@pytest.mark.parametrize("camera", CAMERAS)
def test_what_is_decided_is_what_two_detectors_say_by_masks(camera: str) -> None:
    own = record(camera)
    assert own["agreement"] >= 0.85
    assert own["coverage"] >= 0.6
    assert own["agreement"] > max(record(camera, name)["agreement"] for name in ("always", "never"))


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("detector", ["ap", "sato"])
def test_what_is_accepted_does_no_harm_by_either_detector(camera: str, detector: str) -> None:
    assert record(camera)[f"{detector}_low"] > 0
    assert record(camera)["harmful"] < 0.2 * record(camera, "always")["harmful"]


def test_decisions_are_counted_once() -> None:
    rule = TABLE.xs("rule", level="decision")
    assert (rule["decided"] <= rule["told"]).all()
    assert ((rule["decided"] / rule["told"] - rule["coverage"]).abs() < 1e-3).all()
    said = REPAIRS[["accepted", "refused", "not_told"]].sum(axis=1)
    assert (said == REPAIRS["images"]).all()
    assert REPAIRS.groupby("camera")["images"].sum().to_dict() == rule["repairs"].to_dict()


def test_margins_are_of_those_that_were_tried() -> None:
    rule = composition.composed()["ravir"]["accept"]
    tried = {*TABLE["gain"].dropna()}
    assert rule["gain"]["min"] in tried
    assert rule["harm"]["min"] == -min(TABLE["harm"].dropna())


@pytest.mark.parametrize("camera", REAL)
def test_the_published_sharpening_and_light_on_good_eyes_do_not_enter(camera: str) -> None:
    assert REPAIRS.loc[(camera, "none", "published"), "accepted"] == 0
    light = REPAIRS.loc[(camera, "none", "gamma 0.7")]
    assert light["accepted"] < 0.3 * light["images"]
    assert light["harmed"] == 0


def test_the_default_light_harms_on_no_camera_and_gains_no_less_than_a_stretch() -> None:
    for fault in ("none", "under_exposure", "low_contrast"):
        of = REPAIRS.xs(fault, level="fault")[["ap", "sato"]]
        gamma, stretch = (of.xs(name, level="repair") for name in ("gamma 0.7", "rescale"))
        assert (gamma > -0.003).all(axis=None)
        assert (gamma > stretch - 0.003).all(axis=None)
