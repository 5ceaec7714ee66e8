"""The sweep: its settings are checked, and compose to an experiment that repairs every image."""

import sys
from pathlib import Path
from typing import Any

import pytest

import sweep
from clearset.errors import ClearsetError
from clearset.io import composition, params
from clearset.steps import check_steps
from conftest import ROOT

DATASET = "ravir_repairs"
SETTINGS = sweep.read(ROOT / sweep.SWEEPS / f"{DATASET}.yaml")


@pytest.fixture(autouse=True)
def in_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", [*sys.path])  # Hydra's plugins add to it


def test_there_are_settings_enough_and_the_published_one_among_them() -> None:
    assert len(SETTINGS) >= 12
    published = {"method": "unsharp_mask", "radius": 1.0, "amount": 15.0}
    assert SETTINGS["published"] == [published]


@pytest.mark.parametrize("name", ["published", "nlm_0.8_unsharp"])
def test_a_setting_composes_to_steps_for_every_image(name: str) -> None:
    composed: Any = composition.composed(sweep.overrides(DATASET, SETTINGS[name]))
    section = params.check(DATASET, composed[DATASET], name)
    assert section.enhance == [{"rule": "all"} | step for step in SETTINGS[name]]
    assert section.accept == {}
    assert section.compare.trials == {}
    check_steps(section.enhance)


def test_a_sweep_without_settings_says_where_to_write_them(tmp_path: Path) -> None:
    with pytest.raises(ClearsetError, match=r"mine\.yaml is missing: write the settings to try"):
        sweep.read(tmp_path / "mine.yaml")


def test_a_setting_that_could_not_run_is_named_before_any_experiment(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("odd: [{method: sharpen}]\n")
    with pytest.raises(ClearsetError, match=r"mine\.yaml, odd: unknown method 'sharpen'"):
        sweep.read(file)
