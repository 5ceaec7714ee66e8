"""Bounds: every one is tried, the best is taken, and never by what is held out."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from clearset.config import params
from clearset.config.schema import Action, Rule
from clearset.config.schema_calibrate import Calibrate
from clearset.plant.planting import known_kinds
from clearset.store import columns, tables
from clearset.store.stages import Survey
from clearset.truth.calibration import POINTS, adopted, best_bound, calibrate, curve, to_adopt
from clearset.truth.evaluation import scores
from conftest import tables_of

NAN = float("nan")
BEST = Calibrate()


def cases(values: Any, positive: Any) -> pd.DataFrame:
    return pd.DataFrame({"value": values, "positive": positive}).astype(
        {"value": float, "positive": bool}
    )


def drawn(seed: int, count: int = 60) -> pd.DataFrame:
    """Return examples whose values tell a little, with ties and values that are missing."""
    rng = np.random.default_rng(seed)
    positive = rng.random(count) < 0.4
    values = np.round(rng.normal(0, 1, count) + positive, 1)
    values[rng.random(count) < 0.1] = NAN
    return cases(values, positive)


def rule_of(side: str, bound: float) -> Rule:
    return Rule("m", min=bound) if side == "min" else Rule("m", max=bound)


@pytest.mark.parametrize("side", ["min", "max"])
@pytest.mark.parametrize("seed", range(6))
def test_a_curve_agrees_with_every_bound_tried_one_by_one(side: str, seed: int) -> None:
    examples = drawn(seed)
    values = sorted(set(examples["value"].dropna()))
    expected = []
    for low, high in pairwise(values):
        bound = (low + high) / 2
        told = scores(examples, rule_of(side, bound))
        expected.append((bound, told["precision"], told["recall"], told["f1"]))
    found = curve(examples, side).sort_values("bound")
    assert list(found) == ["bound", "precision", "recall", "f1"]
    np.testing.assert_allclose(found.to_numpy(), expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("side", ["min", "max"])
def test_recall_grows_along_a_curve(side: str) -> None:
    found = curve(drawn(1), side)
    assert found["recall"].is_monotonic_increasing
    assert found["bound"].is_monotonic_increasing == (side == "min")


def test_what_is_not_measured_is_missed() -> None:
    found = curve(cases([1, 2, NAN, NAN], [True, False, True, True]), "min")
    assert found.to_numpy().tolist() == [[1.5, 1, 1 / 3, 0.5]]


@pytest.mark.parametrize("values", [[], [3], [3, 3, 3], [NAN, NAN, 3]])
def test_without_two_values_there_is_no_bound_to_try(values: list[float]) -> None:
    found = curve(cases(values, [True] * len(values)), "max")
    assert found.empty
    assert list(found) == ["bound", "precision", "recall", "f1"]


NARROW = [
    [0.123455, 0.123456, 0.123457, 0.123458, 0.123459],
    [0.999995, 0.999996, 0.999997, 0.999998, 0.999999],
    [123451, 123452, 123453, 123454, 123455],
    [-36.0005, -36.0004, -36.0003, -36.0002, -36.0001],
]


@pytest.mark.parametrize("side", ["min", "max"])
@pytest.mark.parametrize("values", NARROW, ids=lambda values: str(values[0]))
def test_a_bound_does_what_its_curve_says_however_near_the_values(
    values: list[float], side: str
) -> None:
    examples = cases(values, [True, True, False, False, True])
    for point in curve(examples, side).itertuples():
        told = scores(examples, rule_of(side, point.bound))
        assert told["recall"] == pytest.approx(point.recall)
        assert told["f1"] == pytest.approx(point.f1)


@pytest.mark.parametrize("side", ["min", "max"])
@pytest.mark.parametrize("values", NARROW, ids=lambda values: str(values[0]))
def test_bounds_of_a_curve_differ_however_near_the_values(values: list[float], side: str) -> None:
    bounds = curve(cases(values, [True, True, False, False, True]), side)["bound"]
    assert bounds.is_unique


def points(*rows: tuple[float, float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["bound", "precision", "recall", "f1"])


CURVE = points((1, 1.0, 0.2, 0.33), (2, 0.9, 0.6, 0.7), (3, 0.8, 0.9, 0.85), (4, 0.5, 1.0, 0.67))


@pytest.mark.parametrize(
    ("precision", "bound"), [(None, 3), (0.5, 4), (0.8, 3), (0.85, 2), (0.9, 2), (0.95, 1), (1, 1)]
)
def test_the_best_f1_or_the_most_recall_at_the_wanted_precision(
    precision: float | None, bound: float
) -> None:
    assert best_bound(CURVE, Calibrate(precision=precision)) == bound


def test_where_none_is_precise_enough_the_most_precise_is_taken() -> None:
    assert best_bound(CURVE.iloc[1:], Calibrate(precision=1.0)) == 2


@pytest.mark.parametrize(("equals", "middle"), [(1, 0), (2, 1), (3, 1), (5, 2)])
def test_of_equals_the_middle_is_taken(equals: int, middle: int) -> None:
    rows = [(float(bound), 0.5, 0.5, 0.5) for bound in range(equals)]
    assert best_bound(points(*rows, (99.0, 0.1, 0.1, 0.1)), BEST) == middle


def scene(seed: int = 0, count: int = 60) -> tuple[pd.DataFrame, Survey]:
    """Return measures and truth of eyes that are blurred, noisy or clean."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(["", "blur", "noise"], count)
    ids = [f"eye_{i:04d}" for i in range(count)]
    truth = pd.DataFrame({"image_id": ids, "eye": ids, "source": ids, "kinds": kinds})
    truth["part"] = np.where(np.arange(count) % 2 == 0, "calibrate", "held_out")
    truth["fault"], truth["severity"], truth["parameters"] = kinds, (kinds != "").astype(int), ""
    truth["fault"] = truth["fault"].replace(
        {"": "none", "blur": "gaussian_blur", "noise": "sensor"}
    )
    sharp = rng.normal(10, 1, count) - 3 * (kinds == "blur")
    sigma = rng.normal(3, 1, count) + 4 * (kinds == "noise")
    values = pd.DataFrame({"sharp": sharp, "sigma": sigma}, pd.Index(ids, name="image_id"))
    return values, tables_of(Survey, truth=tables.checked("truth", truth))


RULES = {
    "blur": Rule("sharp", min=7.0, action=Action.enhance, finds="blur"),
    "noise": Rule("sigma", max=4.0, finds="noise"),
    "odd": Rule("sharp", max=12.0),
}


def test_a_detector_gets_the_bound_that_is_best_for_the_eyes_it_is_chosen_on() -> None:
    values, survey = scene()
    rules, table, curves = calibrate(RULES, values, survey, BEST)
    assert sorted(rules) == table["rule"].tolist() == ["blur", "noise"]
    part = survey.truth.set_index("image_id")["part"]
    for row in table.itertuples():
        own = values.index[part == "calibrate"]
        kinds = survey.truth.set_index("image_id").loc[own, "kinds"]
        fitted = cases(values.loc[own, row.metric], (kinds == row.finds).to_numpy())
        tried = [
            scores(fitted, rule_of(row.side, bound))["f1"]
            for bound in np.linspace(values[row.metric].min(), values[row.metric].max(), 500)
        ]
        assert row.fitted_f1 == scores(fitted, rules[row.rule])["f1"]
        assert row.fitted_f1 >= max(tried)
        assert row.bound == getattr(rules[row.rule], row.side)
        assert row.bound in set(curves.loc[curves["rule"] == row.rule, "bound"])
    tables.checked("calibration", table)
    tables.checked("curves", curves)


def test_everything_but_the_bound_stays() -> None:
    rules, table, _ = calibrate(RULES, *scene(), BEST)
    assert rules["blur"].action is Action.enhance
    assert (rules["blur"].metric, rules["blur"].finds, rules["blur"].max) == ("sharp", "blur", None)
    assert rules["noise"].min is None
    assert table.set_index("rule")["given"].to_dict() == {"blur": 7.0, "noise": 4.0}
    assert table["side"].tolist() == ["min", "max"]


def test_scores_are_of_the_eyes_held_out() -> None:
    values, survey = scene()
    rules, table, _ = calibrate(RULES, values, survey, BEST)
    held = survey.truth["part"].to_numpy() == "held_out"
    for row in table.itertuples():
        positive = (survey.truth["kinds"] == row.finds).to_numpy()
        examples = cases(values.loc[held, row.metric], positive[held])
        own, given = scores(examples, rules[row.rule]), scores(examples, RULES[row.rule])
        assert (row.precision, row.recall, row.f1) == (own["precision"], own["recall"], own["f1"])
        assert row.given_f1 == given["f1"]
        assert row.flagged == round(own["recall"] * positive[held].sum() / own["precision"])


def test_the_eyes_held_out_change_scores_and_no_bound() -> None:
    values, survey = scene()
    held = survey.truth.loc[survey.truth["part"] == "held_out", "image_id"]
    changed = values.copy()
    changed.loc[held] = np.random.default_rng(9).normal(7, 3, (len(held), 2))
    bounds, table, curves = calibrate(RULES, values, survey, BEST)
    other, again, same = calibrate(RULES, changed, survey, BEST)
    assert other == bounds
    pd.testing.assert_frame_equal(same, curves)
    unseen = ["rule", "given", "bound", "fitted_f1"]
    pd.testing.assert_frame_equal(again[unseen], table[unseen])
    assert (again["f1"] < table["f1"]).all()


def test_the_truth_of_the_eyes_held_out_changes_no_bound() -> None:
    values, survey = scene()
    truth = survey.truth.copy()
    held = truth["part"] == "held_out"
    truth.loc[held, "kinds"] = "blur"
    assert (
        calibrate(RULES, values, replace(survey, truth=truth), BEST)[0]
        == (calibrate(RULES, values, survey, BEST)[0])
    )


@pytest.mark.parametrize("kinds", ["", "blur"])
def test_without_both_classes_to_choose_by_a_detector_is_left_out(kinds: str) -> None:
    values, survey = scene()
    truth = survey.truth.copy()
    truth.loc[truth["part"] == "calibrate", "kinds"] = kinds
    rules, table, curves = calibrate(RULES, values, replace(survey, truth=truth), BEST)
    assert rules == {}
    assert table.empty
    assert curves.empty
    tables.checked("calibration", table)
    tables.checked("curves", curves)


def test_without_a_known_truth_no_bound_is_chosen(tmp_path: Path) -> None:
    values, known = scene()
    tables.write("truth", columns.empty("truth"), tmp_path)
    survey = replace(known, truth=tables.read("truth", tmp_path))
    for kind in known_kinds():
        rules = {"one": Rule("sharp", min=7.0, finds=kind)}
        better, table, curves = calibrate(rules, values, survey, BEST)
        assert (better, len(table), len(curves)) == ({}, 0, 0)


def test_a_detector_that_measures_nothing_is_left_out() -> None:
    values, survey = scene()
    assert sorted(calibrate(RULES, values.assign(sharp=NAN), survey, BEST)[0]) == ["noise"]


def test_a_detector_with_two_bounds_keeps_them() -> None:
    rules = {"blur": Rule("sharp", min=7.0, max=20.0, finds="blur")}
    assert calibrate(rules, *scene(), BEST)[0] == {}


def test_a_wanted_precision_is_reached_with_less_recall() -> None:
    values, survey = scene(3, 300)
    values["sharp"] = np.random.default_rng(0).normal(values["sharp"], 2)
    part = survey.truth["part"].to_numpy() == "calibrate"
    positive = (survey.truth["kinds"] == "blur").to_numpy()[part]
    told = {}
    for precision in (0.6, 0.9):
        rules = calibrate(RULES, values, survey, Calibrate(precision=precision))[0]
        told[precision] = scores(cases(values.loc[part, "sharp"], positive), rules["blur"])
        assert told[precision]["precision"] >= precision
    assert told[0.9]["recall"] < told[0.6]["recall"]


def test_a_long_curve_is_thinned() -> None:
    _, _, curves = calibrate(RULES, *scene(0, 3000), BEST)
    assert (curves.groupby("rule").size().between(POINTS, 2 * POINTS)).all()


@pytest.mark.parametrize("values", NARROW, ids=lambda values: str(values[0]))
def test_the_curve_of_near_values_can_be_written(values: list[float]) -> None:
    table, survey = scene(0, 10)
    table["sharp"] = values * 2  # sorted by eye: each value in both parts
    truth = survey.truth.assign(part=["calibrate"] * 5 + ["held_out"] * 5)
    truth["kinds"] = ["blur", "", "", "blur", ""] * 2
    curves = calibrate({"blur": RULES["blur"]}, table, replace(survey, truth=truth), BEST)[2]
    assert not curves.empty
    tables.checked("curves", curves)


def test_calibrating_leaves_its_tables_alone() -> None:
    values, survey = scene()
    before = values.copy(), survey.truth.copy(), dict(RULES)
    calibrate(RULES, values, survey, BEST)
    pd.testing.assert_frame_equal(values, before[0])
    pd.testing.assert_frame_equal(survey.truth, before[1])
    assert before[2] == RULES


def test_a_written_calibration_is_adopted_as_it_was_chosen() -> None:
    rules, table, _ = calibrate(RULES, *scene(), BEST)
    assert adopted(RULES, tables.checked("calibration", table)) == rules
    assert adopted(RULES, columns.empty("calibration")) == {}


@pytest.mark.parametrize("scale", [1.0, 1e-7, 1e7, -1.0])
def test_the_lines_to_adopt_are_a_filter_with_the_same_bounds(scale: float) -> None:
    values, survey = scene()
    rules = calibrate(RULES, values * scale, survey, BEST)[0]
    section = yaml.safe_load(to_adopt(rules))
    assert list(section) == ["filter"]
    section["enhance"] = [{"rule": "blur", "method": "unsharp_mask"}]
    assert params.check("tiny", section, "params.yaml").filter == rules
