"""How far to trust flags: nothing is said of detectors without a truth, and leaks are a rule's."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clearset.config.schema import Rule
from clearset.decide.rules import Judgement, flag
from clearset.similar.duplicates import Surplus
from clearset.store import columns, tables
from clearset.store.stages import Survey
from clearset.truth import evaluation
from clearset.truth.trust import leaks, trust
from conftest import tables_of

BLUR = Rule("sharp", min=5.0, finds="blur")
LEAK = Rule("leak_inliers", max=12.0)
RULES = {"soft": BLUR, "leak": LEAK}
KNOWN = ("detection", "severities", "crosstalk")  # where the truth is
LEAKING = ["image_id", "other_id", "similarity", "inliers"]


def fits(*inliers: int) -> pd.DataFrame:
    """Return registrations of a with b, then of c with d and so on, that have these inliers."""
    table = pd.DataFrame({"inliers": inliers, "similarity": 0.5})
    table["image_id"] = [f"train/{number}" for number in range(len(table))]
    table["other_id"] = [f"test/{number}" for number in range(len(table))]
    rest = [name for name in columns.empty("registrations") if name not in table]
    return tables.checked("registrations", table.assign(**dict.fromkeys(rest, 0)))


@pytest.fixture
def survey() -> Survey:
    """Eight eyes, every second of them blurred, half of them held out; two pairs are registered."""
    ids = [f"eye_{number}" for number in range(8)]
    kinds = np.where(np.arange(8) % 2 == 0, "blur", "")
    truth = pd.DataFrame({"image_id": ids, "eye": ids, "source": ids, "kinds": kinds})
    truth["part"] = ["calibrate"] * 4 + ["held_out"] * 4
    truth["fault"] = np.where(kinds == "blur", "gaussian_blur", "none")
    truth = truth.assign(severity=(kinds == "blur").astype(int), parameters="")
    return tables_of(Survey, truth=tables.checked("truth", truth), registrations=fits(40, 5))


def judgement(rules: dict[str, Rule]) -> Judgement:
    """Return what rules make of the eyes, of which the blurred are at 4, the others at 6."""
    ids = pd.Index([f"eye_{number}" for number in range(8)], name="image_id")
    values = pd.DataFrame({"sharp": [4.0, 6.0] * 4, "leak_inliers": 0.0}, ids)
    spare = Surplus(pd.DataFrame(), pd.DataFrame())
    return Judgement(values, rules, flag(values, rules), spare)


def better(bound: float) -> pd.DataFrame:
    """Return the table `calibration` of one chosen bound."""
    row: dict[str, Any] = {"rule": "soft", "metric": "sharp", "finds": "blur", "side": "min"}
    rest = [name for name in columns.empty("calibration") if name not in row]
    return pd.DataFrame([row | dict.fromkeys(rest, 0) | {"bound": bound}])


def test_without_a_truth_nothing_is_said_of_detectors_but_leaks_are(survey: Survey) -> None:
    unknown = replace(survey, truth=columns.empty("truth"))
    result = trust(unknown, judgement(RULES), columns.empty("calibration"))
    assert set(result) == {"leaks", *KNOWN}
    for name in KNOWN:
        pd.testing.assert_frame_equal(result[name], columns.empty(name))
    assert result["leaks"]["image_id"].tolist() == ["train/0"]


def test_with_a_truth_all_is_said_by_the_tables_that_are_declared(survey: Survey) -> None:
    result = trust(survey, judgement(RULES), better(7.0))
    assert set(result) == {"leaks", *KNOWN}
    for name, table in result.items():
        assert not tables.checked(name, table).empty, name


def test_own_bounds_are_scored_on_all_eyes_and_chosen_ones_on_those_held_out(
    survey: Survey,
) -> None:
    result = trust(survey, judgement(RULES), better(7.0))["detection"].set_index(["bounds", "part"])
    assert set(result.index) == {
        ("default", "all"),
        ("default", "held_out"),
        ("calibrated", "held_out"),
    }
    assert result["min"].to_dict() == {
        ("default", "all"): 5.0,
        ("default", "held_out"): 5.0,
        ("calibrated", "held_out"): 7.0,
    }
    assert result.loc[("default", "all"), ["precision", "recall"]].tolist() == [1, 1]
    assert result.loc[("calibrated", "held_out"), "precision"] == 0.5  # it flags every eye


def test_where_no_bound_was_chosen_own_bounds_alone_are_scored(survey: Survey) -> None:
    result = trust(survey, judgement(RULES), columns.empty("calibration"))
    for name in ("detection", "severities"):
        assert set(result[name]["bounds"]) == {"default"}


def test_crosstalk_is_of_every_rule_with_its_own_bounds(survey: Survey) -> None:
    own = judgement(RULES)
    table = trust(survey, own, better(7.0))["crosstalk"]
    pd.testing.assert_frame_equal(table, evaluation.crosstalk(own.values, survey.truth, RULES))
    assert set(table["rule"]) == set(RULES)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (LEAK, ["train/0", "train/3"]),
        (Rule("leak_inliers", max=39.0), ["train/0"]),
        (Rule("leak_inliers", max=99.0), []),
        (Rule("leak_inliers", min=10.0), ["train/1"]),
    ],
)
def test_leaks_are_the_pairs_that_the_rule_on_inliers_flags(
    rule: Rule, expected: list[str]
) -> None:
    table = leaks(fits(40, 5, 12, 13), {"soft": BLUR, "any_name": rule})
    assert table.columns.tolist() == LEAKING
    assert table["image_id"].tolist() == expected


def test_without_a_rule_on_inliers_there_is_no_leak() -> None:
    table = leaks(fits(40, 5), {"soft": BLUR})
    assert table.empty
    assert tables.checked("leaks", table).columns.tolist() == LEAKING


def test_of_no_registration_no_pair_leaks() -> None:
    assert tables.checked("leaks", leaks(columns.empty("registrations"), RULES)).empty
