"""The sweep: its settings are checked, and compose to an experiment that repairs every image."""

import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from clearset.commands import sweep
from clearset.config import composition, params
from clearset.proof import sweeps
from clearset.repair.steps import check_steps
from clearset.store.errors import ClearsetError
from conftest import ROOT

REPAIRS, SAMPLE = "ravir_repairs", "sample"


@pytest.fixture(autouse=True)
def in_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", [*sys.path])  # Hydra's plugins add to it


@lru_cache  # to compose each setting takes a while
def settings(dataset: str) -> dict[str, list[str]]:
    return sweep.read(sweep.SWEEPS / f"{dataset}.yaml", dataset)


def test_there_are_settings_enough_and_the_published_one_among_them() -> None:
    assert len(settings(REPAIRS)) >= 12
    assert len(settings(SAMPLE)) == 8
    assert "published" in settings(REPAIRS)


@pytest.mark.parametrize("name", ["published", "nlm_0.8_unsharp"])
def test_a_chain_composes_to_steps_for_every_image(name: str) -> None:
    written = yaml.safe_load((sweep.SWEEPS / f"{REPAIRS}.yaml").read_text())[name]
    composed: Any = composition.composed(settings(REPAIRS)[name])
    section = params.check(REPAIRS, composed[REPAIRS], name)
    assert section.enhance == [{"rule": "all"} | step for step in written]
    assert section.accept == {}
    assert section.compare.trials == {}
    check_steps(section.enhance)


def test_no_setting_changes_what_fetch_or_analyze_do() -> None:
    plain: Any = composition.composed()
    kept = params.check(SAMPLE, plain[SAMPLE], SAMPLE)
    for name, overrides in settings(SAMPLE).items():
        moved: Any = composition.composed(overrides)
        section = params.check(SAMPLE, moved[SAMPLE], name)
        assert (section.fetch, section.analyze) == (kept.fetch, kept.analyze), name
        assert (section.filter, section.enhance) != (kept.filter, kept.enhance), name


def test_metrics_stand_side_by_side_and_one_that_is_not_there_is_empty() -> None:
    found = sweeps.settings({"a": {"flagged": 3, "f1": 0.5}, "b": {"flagged": 4}})
    assert found["setting"].tolist() == ["a", "b"]
    assert found["flagged"].tolist() == [3, 4]
    assert found["f1"].isna().tolist() == [False, True]


def test_a_sweep_without_settings_says_where_to_write_them(tmp_path: Path) -> None:
    with pytest.raises(ClearsetError, match=r"mine\.yaml is missing: write the settings to try"):
        sweep.read(tmp_path / "mine.yaml", SAMPLE)


def test_a_setting_that_could_not_run_is_named_before_any_experiment(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("odd: [{method: sharpen}]\n")
    with pytest.raises(ClearsetError, match=r"mine\.yaml, odd: unknown method 'sharpen'"):
        sweep.read(file, SAMPLE)


def test_an_override_that_does_not_compose_is_named_with_its_setting(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("odd: [sample.filter.blur.mim=3]\n")
    with pytest.raises(ClearsetError, match=r"mine\.yaml, odd: conf/ does not compose: .*mim"):
        sweep.read(file, SAMPLE)
