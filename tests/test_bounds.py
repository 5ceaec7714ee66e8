"""Every bound of every rule: the curve says what a run with that bound would do."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clearset.config.schema import Action, Rule
from clearset.decide import rules
from clearset.similar.duplicates import surplus
from clearset.store import tables
from clearset.truth import bounds
from clearset.truth.evaluation import examples, scores

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


def dataset(seed: int, count: int = 10) -> dict[str, pd.DataFrame]:
    """Return the tables that rules are judged by: copies, chains of likeness, a broken image."""
    rng = np.random.default_rng(seed)
    ids = [f"i{number:03}" for number in range(count)]
    images = pd.DataFrame(dict.fromkeys(tables.empty("images"), ""), index=range(count))
    images = images.assign(image_id=ids, split="train", channels=1, bit_depth=8, bytes=1)
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
    names = ("masks", "neighbours", "outliers", "registrations", "conflicts")
    return {name: tables.empty(name) for name in names} | {
        "images": images,
        "metrics": metrics.assign(image_id=ids)[1:],
        "links": links,
        "truth": truth,
    }


def run(found: Mapping[str, pd.DataFrame], tried: Mapping[str, Rule], name: str) -> list[int]:
    """Return flagged, kept, repaired and dropped of a run with these rules."""
    judged = rules.judge(tried, found)
    fate = rules.decide(found["images"], judged.flags)["decision"]
    counts = [int(fate.isin(actions).sum()) for actions in bounds.FATE.values()]
    return [int((judged.flags["rule"] == name).sum()), *counts]


@pytest.mark.parametrize("tried", [RULES, UNLINKED], ids=["surplus", "single"])
@pytest.mark.parametrize("seed", range(2))
def test_a_curve_agrees_with_every_bound_run_one_by_one(
    seed: int, tried: Mapping[str, Rule]
) -> None:
    found = dataset(seed)
    judged = rules.judge(tried, found)
    table = bounds.swept(judged, found)
    for row in table.itertuples():
        rule = replace(judged.bounds[row.rule], **{row.side: row.bound})
        expected = run(found, judged.bounds | {row.rule: rule}, row.rule)
        assert [row.flagged, row.kept, row.repaired, row.dropped] == expected, row
        if rule.finds:
            told = scores(examples(rule, judged.values, found), rule)
            np.testing.assert_allclose(
                [row.precision, row.recall, row.f1], [told[s] for s in bounds.SCORES]
            )


@pytest.mark.parametrize(("low", "high"), [(None, -0.2), (0.3, None), (0.1, 0.4)])
def test_odd_bounds_on_surplus_images_are_told_as_well(
    low: float | None, high: float | None
) -> None:
    found = dataset(5)
    odd = Rule("surplus_similarity", low, high, action=Action.enhance)
    tried = UNLINKED | {"alike": odd}
    judged = rules.judge(tried, found)
    for row in bounds.curve("gone", "max", judged, found).itertuples():
        gone = replace(tried["gone"], max=row.bound)
        expected = run(found, judged.bounds | {"gone": gone}, "gone")
        assert [row.flagged, row.kept, row.repaired, row.dropped] == expected


def test_every_image_has_one_fate_and_each_side_its_present_bound() -> None:
    found = dataset(0)
    judged = rules.judge(RULES, found)
    table = tables.checked("bounds", bounds.swept(judged, found))
    assert (table[list(bounds.FATE)].sum(axis=1) == len(found["images"])).all()
    present = table[table["present"] == 1].set_index(["rule", "side"])["bound"]
    given = {
        (name, side): getattr(rule, side)
        for name, rule in judged.bounds.items()
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
    found = dataset(1)
    nothing = rules.Judged(pd.DataFrame(), {}, tables.empty("flags"), surplus(found))
    assert tables.checked("bounds", bounds.swept(nothing, found)).empty
    found["truth"] = tables.empty("truth")
    table = bounds.swept(rules.judge(RULES, found), found)
    assert table[bounds.SCORES].isna().all(axis=None)
    assert not table.empty
