"""Every bound of every rule: the curve says what a run with that bound would do."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clearset.config.schema import Action, Rule
from clearset.decide import rules
from clearset.similar.duplicates import surplus
from clearset.store import columns, tables
from clearset.store.stages import Survey
from clearset.truth import bounds
from clearset.truth.evaluation import examples, scores
from conftest import tables_of

RULES = {
    "blur": Rule("sharpness", min=0.0, action=Action.enhance, finds="blur"),
    "odd": Rule("noise_sigma", min=-0.5, max=1.0, action=Action.review),
    "soft": Rule("sharpness", quantile=0.1, action=Action.keep, finds="blur"),
    "gone": Rule("noise_sigma", max=1.5, action=Action.drop),
    "unreadable": Rule("unreadable", max=0, action=Action.drop),
    "copy": Rule("surplus_copies", max=0, action=Action.drop),
    "alike": Rule("surplus_similarity", max=0.6, action=Action.drop),
}
UNLINKED = {name: rule for name, rule in RULES.items() if "surplus" not in rule.metric}


def dataset(seed: int, count: int = 10) -> Survey:
    """Return what rules judge: copies, chains of likeness, a broken image."""
    rng = np.random.default_rng(seed)
    ids = [f"i{number:03}" for number in range(count)]
    images = pd.DataFrame(dict.fromkeys(columns.empty("images"), ""), index=range(count))
    images = images.assign(image_id=ids, split="train", channels=1, bit_depth=8, bytes=1)
    images[["width", "height"]] = 64
    images[["colours", "assumed", "broken"]] = 0
    images.loc[0, "broken"] = 1
    images["pixels_sha256"] = [f"p{number}" for number in rng.integers(0, count, count)]
    images.loc[rng.random(count) < 0.3, "mask"] = "m"
    images.loc[0, ["error", "pixels_sha256"]] = ["broken", ""]
    measured = np.round(rng.normal(0, 1, (count, 2)), 1)  # with ties
    metrics = pd.DataFrame(measured, columns=["sharpness", "noise_sigma"])
    links = pd.DataFrame(
        {
            "image_id": [ids[rng.integers(1, number)] for number in range(2, count)],
            "other_id": ids[2:],
            "similarity": np.round(rng.random(count - 2), 2),
        }
    )
    positive = rng.random(count) < 0.4
    truth = pd.DataFrame({"image_id": ids, "eye": ids, "source": ids, "part": "calibrate"})
    truth["fault"] = np.where(positive, "gaussian_blur", "none")
    truth = truth.assign(kinds=np.where(positive, "blur", ""), severity=0, parameters="")
    numbers = metrics.assign(image_id=ids)[1:]
    return tables_of(Survey, images=images, metrics=numbers, links=links, truth=truth)


def run(survey: Survey, tried: Mapping[str, Rule], name: str) -> list[int]:
    """Return flagged, kept, repaired and dropped of a run with these rules."""
    judgement = rules.judge(tried, survey)
    fate = rules.decide(survey.images, judgement.flags)["decision"]
    counts = [int(fate.isin(actions).sum()) for actions in bounds.FATE.values()]
    return [int((judgement.flags["rule"] == name).sum()), *counts]


@pytest.mark.parametrize("tried", [RULES, UNLINKED], ids=["surplus", "single"])
@pytest.mark.parametrize("seed", range(2))
def test_a_curve_agrees_with_every_bound_run_one_by_one(
    seed: int, tried: Mapping[str, Rule]
) -> None:
    survey = dataset(seed)
    judgement = rules.judge(tried, survey)
    table = bounds.swept(judgement, survey)
    for row in table.itertuples():
        rule = replace(judgement.bounds[row.rule], **{row.side: row.bound})
        expected = run(survey, judgement.bounds | {row.rule: rule}, row.rule)
        assert [row.flagged, row.kept, row.repaired, row.dropped] == expected, row
        if rule.finds:
            told = scores(examples(rule, judgement.values, survey), rule)
            np.testing.assert_allclose(
                [row.precision, row.recall, row.f1], [told[s] for s in bounds.SCORES]
            )


@pytest.mark.parametrize(("low", "high"), [(None, -0.2), (0.3, None), (0.1, 0.4)])
def test_odd_bounds_on_surplus_images_are_told_as_well(
    low: float | None, high: float | None
) -> None:
    survey = dataset(5)
    odd = Rule("surplus_similarity", low, high, action=Action.enhance)
    tried = UNLINKED | {"alike": odd}
    judgement = rules.judge(tried, survey)
    for row in bounds.curve("gone", "max", judgement, survey).itertuples():
        gone = replace(tried["gone"], max=row.bound)
        expected = run(survey, judgement.bounds | {"gone": gone}, "gone")
        assert [row.flagged, row.kept, row.repaired, row.dropped] == expected


def test_every_image_has_one_fate_and_each_side_its_present_bound() -> None:
    survey = dataset(0)
    judgement = rules.judge(RULES, survey)
    table = tables.checked("bounds", bounds.swept(judgement, survey))
    assert (table[list(bounds.FATE)].sum(axis=1) == len(survey.images)).all()
    present = table[table["present"] == 1].set_index(["rule", "side"])["bound"]
    given = {
        (name, side): getattr(rule, side)
        for name, rule in judgement.bounds.items()
        for side in bounds.SIDES
        if getattr(rule, side) is not None
    }
    assert present.to_dict() == given


@pytest.mark.parametrize("side", bounds.SIDES)
def test_bounds_lie_between_all_values_and_are_thinned_evenly(side: str) -> None:
    rule = Rule("m", min=0.05) if side == "min" else Rule("m", max=0.05)
    few = bounds.candidate_bounds(pd.Series([3.0, 1.0, 1.0, 2.0, np.nan]), rule, side)
    assert few.tolist() == [0.05, 1.5, 2.5]
    many = bounds.candidate_bounds(pd.Series(np.arange(5000.0)), rule, side)
    assert len(many) == bounds.LIMIT
    assert 0.05 in many
    assert np.ptp(np.diff(many[1:])) <= 1
    assert (many[1], many[-1]) == (0.5, 4998.5)


def test_a_bound_beyond_the_rules_other_one_is_not_tried() -> None:
    rule, column = Rule("m", min=1.0, max=3.2), pd.Series(np.arange(6.0))
    assert bounds.candidate_bounds(column, rule, "min").max() == 2.5
    assert bounds.candidate_bounds(column, rule, "max").min() == 1.5


def test_without_rules_or_truth_there_is_nothing_to_tell() -> None:
    survey = dataset(1)
    spare = surplus(survey.images, survey.metrics, survey.links)
    nothing = rules.Judgement(pd.DataFrame(), {}, columns.empty("flags"), spare)
    assert tables.checked("bounds", bounds.swept(nothing, survey)).empty
    unknown = replace(survey, truth=columns.empty("truth"))
    table = bounds.swept(rules.judge(RULES, unknown), unknown)
    assert table[bounds.SCORES].isna().all(axis=None)
    assert not table.empty
