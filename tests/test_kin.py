"""Bounds by a set's own images: what it holds twice moves none, and what is planted is found."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from clearset.config.schema import Analyze, Rule
from clearset.config.schema_calibrate import Calibrate, Side
from clearset.engines import native
from clearset.generate.retina.synthesis import eye
from clearset.numeric.grey import Grey, of_unit
from clearset.plant.edits import EDITS, Edit
from clearset.report.own_rules import own_rules
from clearset.store.stages import Survey
from clearset.trials import copies
from clearset.trials.kin import planted_pairs
from clearset.truth import kin
from clearset.truth.kin import Bound

Values = npt.NDArray[np.float64]
ASKED = {"false_pairs": 0.05, "recall": 0.9, "least": 0.0, "resamples": 50, "seed": 0}


def different(count: int = 800, seed: int = 0) -> Values:
    """Return similarities of different images, as they are: 0.3, give or take 0.08."""
    return np.random.default_rng(seed).normal(0.3, 0.08, count)


def chosen(values: Sequence[float] | Values, true: Any = (0.9, 0.95), **asked: Any) -> Bound:
    return kin.similarity_bound(true, values, **{"pairs": len(values)} | ASKED | asked)


def inliers(count: int = 500, seed: int = 0, mean: float = 2.5) -> Values:
    return np.random.default_rng(seed).poisson(mean, count).astype(float)


def of_inliers(values: Values, true: Any = (), **asked: Any) -> Bound:
    told = {"pairs": len(values), "false_pairs": 0.05, "resamples": 50, "seed": 0}
    return kin.inlier_bound(values, true, **told | asked)


@pytest.mark.parametrize("seed", range(5))
def test_hardly_two_different_images_are_above(seed: int) -> None:
    bound = chosen(different(seed=seed)).value
    more = different(200_000, seed=100 + seed)
    assert (more > bound).mean() * 800 < 1
    assert bound < 0.7  # and it is not out of reach


def test_duplicates_that_the_set_holds_move_the_bound_little() -> None:
    clean = chosen(different())
    with_some = chosen(np.concatenate([different(), np.full(16, 0.99)]))
    assert abs(with_some.value - clean.value) < 0.06
    assert with_some.value < 0.9


def test_more_pairs_and_fewer_false_ones_ask_for_more() -> None:
    plain = chosen(different()).value
    assert chosen(different(), pairs=1_000_000).value > plain
    assert chosen(different(), false_pairs=0.001).value > plain
    assert chosen(different(), false_pairs=5).value < plain


def test_the_interval_holds_the_bound_and_narrows_with_pairs() -> None:
    few, many = (chosen(different(count), pairs=800) for count in (60, 6000))
    for bound in (few, many):
        assert bound.low <= bound.value <= bound.high
    assert many.high - many.low < few.high - few.low


def test_recall_is_of_the_planted_copies() -> None:
    assert chosen(different(), [0.9] * 19 + [0.2]).recall == pytest.approx(0.95)


def test_where_copies_and_different_images_overlap_nothing_is_told() -> None:
    bound = chosen(different(), [0.9] * 5 + [0.4] * 5)
    assert not bound.told
    assert np.isnan([bound.value, bound.low, bound.high]).all()
    assert "50% of planted copies" in bound.reason
    assert chosen(different(), [0.9] * 5 + [0.4] * 5, recall=0.5).told


def test_a_floor_holds_unless_planted_copies_lie_below_it() -> None:
    assert chosen(different(), least=0.8).value == 0.8
    some = chosen(different(), np.linspace(0.7, 0.95, 101), least=0.8)
    assert some.value == pytest.approx(0.7125)
    assert chosen(different(), least=0.1).value == chosen(different()).value


def test_of_too_few_pairs_nothing_is_told() -> None:
    assert "3 pairs" in chosen(different(3)).reason
    assert "3 pairs" in of_inliers(inliers(3)).reason


def test_without_planted_copies_the_bound_is_told_and_recall_is_not() -> None:
    bound = chosen(different(), ())
    assert bound.told
    assert np.isnan(bound.recall)


def test_a_bound_is_a_similarity() -> None:
    assert chosen(np.random.default_rng(0).normal(0.9, 0.1, 100), ()).value <= 1


def test_the_same_values_give_the_same_bound_in_any_order() -> None:
    values = different()
    assert chosen(values[::-1]).value == chosen(values).value
    assert chosen(values) == chosen(values)


@pytest.mark.parametrize("mean", [1.0, 2.5, 5.0])
def test_hardly_two_different_images_have_as_many_inliers(mean: float) -> None:
    bound = of_inliers(inliers(mean=mean)).value
    more = inliers(200_000, seed=9, mean=mean)
    assert (more > bound).mean() * 500 < 0.5
    assert bound < 20


def test_a_true_pair_among_them_moves_no_inliers_bound() -> None:
    some = of_inliers(np.append(inliers(), [25.0, 60.0])).value
    assert abs(some - of_inliers(inliers()).value) <= 1


def test_a_tenth_of_true_pairs_moves_it_little() -> None:
    many = np.append(inliers(), np.full(50, 60.0))
    assert 0 <= of_inliers(many, pairs=500).value - of_inliers(inliers()).value <= 4


def test_wider_chance_asks_for_more_inliers() -> None:
    wide = np.random.default_rng(0).negative_binomial(1, 1 / 3.5, 500).astype(float)
    assert of_inliers(wide).value > of_inliers(inliers()).value


def test_visits_above_the_bound_are_its_recall() -> None:
    assert of_inliers(inliers(), [60, 40, 30, 1]).recall == 0.75


@pytest.fixture(scope="module")
def greys() -> dict[str, Grey]:
    return {f"eye_{n}": of_unit(eye(np.random.default_rng(n), 256)[0]) for n in range(8)}


@pytest.fixture(scope="module")
def pairs(greys: dict[str, Grey]) -> pd.DataFrame:
    return planted(greys)


def planted(greys: dict[str, Grey], others: int = 100, seed: int = 0) -> pd.DataFrame:
    descriptors = np.stack([native.descriptor(grey) for grey in greys.values()])
    sample = {name: copies.described(grey, name, seed) for name, grey in [*greys.items()][:3]}
    return planted_pairs(sample, list(greys), descriptors, others)


def test_every_edit_of_every_image_is_planted_once(pairs: pd.DataFrame) -> None:
    made = pairs[pairs["kind"] == "planted"]
    assert (made["image_id"] == made["other_id"]).all()
    assert made.groupby("image_id")["edit"].agg(list).tolist() == [list(EDITS)] * 3
    assert (pairs["positive"] == (pairs["kind"] == "planted")).all()


def test_planted_copies_are_nearer_than_any_other_image(pairs: pd.DataFrame) -> None:
    made, beside = (pairs[pairs["kind"] == kind] for kind in ("planted", "beside"))
    assert made["value"].min() > beside["value"].max()
    assert (beside["image_id"] != beside["other_id"]).all()


def test_different_images_are_paired_evenly_and_none_with_itself(
    greys: dict[str, Grey], pairs: pd.DataFrame
) -> None:
    apart = pairs[pairs["kind"] == "different"]
    assert (apart["image_id"] != apart["other_id"]).all()
    assert (apart.groupby("image_id").size() == 7).all()
    few = planted(greys, others=3).query("kind == 'different'")
    assert few.groupby("image_id").size().isin([3, 4]).all()
    assert set(few["value"]) <= set(apart["value"])


def test_a_bound_of_a_sets_own_images_parts_copies_from_others(pairs: pd.DataFrame) -> None:
    of = {kind: group["value"].to_numpy() for kind, group in pairs.groupby("kind")}
    bound = chosen(of["different"], of["planted"], pairs=28)
    assert bound.told and bound.recall == 1
    assert (of["different"] > bound.value).sum() == 0


def test_planting_moves_what_was_seen_and_keeps_the_levels() -> None:
    seen = np.zeros((64, 64), bool)
    seen[:, :32] = True
    grey = Grey(np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8), 255, seen)
    turned = copies.planted(grey, Edit(mirrored=True), np.random.default_rng(0))
    assert turned.seen is not None
    assert np.array_equal(turned.seen, seen[:, ::-1])
    assert np.array_equal(turned.levels, grey.levels[:, ::-1])
    assert (turned.levels.dtype.name, turned.white) == ("uint8", 255)


ALIKE = Rule("nearest_similarity", own=Side.max, start=0.9, finds="near_duplicate")
LEAK = Rule("leak_inliers", own=Side.max, start=12.0, finds="leak")


def survey(splits: Sequence[str], found: Sequence[int] = ()) -> Survey:
    """Return a survey of images of these splits, of which pairs have these inliers."""
    images = pd.DataFrame({"image_id": [f"i{n}" for n in range(len(splits))], "split": splits})
    every = {field.name: pd.DataFrame() for field in fields(Survey)}
    every |= {"images": images.assign(error=""), "registrations": pd.DataFrame({"inliers": found})}
    return Survey(**every)


def test_rules_on_pairs_get_their_bounds_and_count_what_they_flag(pairs: pd.DataFrame) -> None:
    aim, rules = Calibrate(resamples=20), {"alike": ALIKE, "leak": LEAK}
    real = [*inliers(60).astype(int), 40]
    both = survey(["train"] * 4 + ["test"] * 4, real)
    bounds, recalls = kin.own_bounds(rules, pairs, both, Analyze(), aim)
    table = bounds.set_index("rule")
    assert table.loc["leak", "flagged"] == 1  # the pair of 40
    assert table["low"].le(table["bound"]).all()
    assert table["reason"].eq("").all()
    different = pairs.loc[pairs["kind"] == "different", "value"]
    assert table.loc["alike", "flagged"] == (different > table.loc["alike", "bound"]).sum()
    assert set(recalls["fault"]) == set(EDITS)
    assert (recalls["step"] == 0).all()
    shown = own_rules(bounds, recalls).set_index("rule")["finds 9 of 10"]
    assert "flip 100%" in shown["alike"]
    assert "by chance" in shown["leak"]


def test_of_one_split_no_leak_is_asked_for_and_of_no_pairs_the_start_stays(
    pairs: pd.DataFrame,
) -> None:
    rules = {"alike": ALIKE, "leak": LEAK}
    bounds, recalls = kin.own_bounds(rules, pairs[:0], survey(["all"] * 8), Analyze(), Calibrate())
    assert bounds["rule"].tolist() == ["alike"]
    assert bounds["bound"].tolist() == [0.9]
    assert "0 pairs" in bounds["reason"].item()
    assert recalls.empty
