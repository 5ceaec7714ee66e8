"""Rules: bounds to flags, flags to one decision an image; none is lost."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

from clearset.config.schema import Action, Rule
from clearset.decide.measures import measures
from clearset.decide.rules import (
    asking,
    bounds,
    counts,
    decide,
    flag,
    judge,
    names,
    outside,
    summary,
    warnings,
)
from clearset.store import columns
from clearset.store.errors import ClearsetError
from clearset.store.stages import Survey
from conftest import tables_of

NAN = float("nan")
WEAKEST_FIRST = ["keep", "review", "enhance", "drop"]


def measured(*values: float) -> pd.DataFrame:
    """Return values of `blur` for the images a, b, c and so on."""
    index = pd.Index(list("abcdefgh"[: len(values)]), name="image_id")
    return pd.DataFrame({"blur": values}, index=index, dtype=float)


def flagged(values: pd.DataFrame, **rules: Rule) -> pd.DataFrame:
    return flag(values, rules)


def flags_of(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """Return flags of (image_id, rule, action)."""
    return pd.DataFrame(rows, columns=["image_id", "rule", "action"])


def images_of(ids: str) -> pd.DataFrame:
    return pd.DataFrame(
        {"image_id": list(ids), "split": ["train", "test"][len(ids) % 2], "obstacle": ""}
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule("blur", min=2.0), ["a"]),
        (Rule("blur", max=2.0), ["c", "d"]),
        (Rule("blur", min=2.0, max=3.0), ["a", "d"]),
        (Rule("blur", min=0.0), []),
        (Rule("blur", min=2.5, max=2.5), ["a", "b", "c", "d"]),
    ],
)
def test_outside_the_bounds_is_flagged_and_on_them_is_not(rule: Rule, expected: list[str]) -> None:
    assert flagged(measured(1, 2, 3, 4), rule=rule)["image_id"].tolist() == expected


@pytest.mark.parametrize("rule", [Rule("blur", min=5.0), Rule("blur", max=-5.0)])
def test_what_is_not_measured_is_never_flagged(rule: Rule) -> None:
    assert flagged(measured(NAN, 1), rule=rule)["image_id"].tolist() == ["b"]


def test_a_flag_says_which_rule_and_why() -> None:
    rule = Rule("blur", min=2.0, action=Action.drop)
    row = flagged(measured(1, 2), soft=rule).iloc[0]
    assert row.drop("max").to_dict() == {
        "image_id": "a",
        "value": 1.0,
        "rule": "soft",
        "min": 2.0,
        "action": "drop",
    }
    assert np.isnan(row["max"])


def test_rules_flag_independently_of_each_other() -> None:
    values = measured(1, 2, 3, 4)
    low, high = Rule("blur", min=2.0), Rule("blur", max=1.0)
    both = flagged(values, low=low, high=high)
    assert len(both) == len(flagged(values, low=low)) + len(flagged(values, high=high))


def test_a_stricter_bound_never_flags_fewer() -> None:
    values = measured(*np.random.default_rng(0).normal(size=8))
    numbers = [len(flagged(values, r=Rule("blur", min=low))) for low in np.linspace(-3, 3, 20)]
    assert numbers == sorted(numbers)
    assert (numbers[0], numbers[-1]) == (0, 8)


def test_no_flag_is_an_empty_table_with_columns() -> None:
    found = flagged(measured(1, 2), soft=Rule("blur", min=0.0))
    assert found.empty
    assert {"image_id", "rule", "value", "min", "max", "action"} == set(found.columns)


@pytest.mark.parametrize(
    ("quantile", "side", "number"),
    [(0.1, "min", 11), (0.4, "min", 41), (0.6, "max", 41), (0.9, "max", 11)],
)
def test_a_quantile_becomes_a_bound_of_its_side(quantile: float, side: str, number: int) -> None:
    values = pd.DataFrame({"blur": np.random.default_rng(0).permutation(101.0 + np.arange(101))})
    rule = bounds({"r": Rule("blur", quantile=quantile, action=Action.enhance)}, values)["r"]
    assert rule.quantile is None
    assert rule.action is Action.enhance
    assert [rule.min is None, rule.max is None] == [side == "max", side == "min"]
    assert len(flag(values.rename_axis("image_id"), {"r": rule})) == number


def test_a_quantile_does_not_count_what_is_not_measured() -> None:
    rule = {"r": Rule("blur", quantile=0.9)}
    assert bounds(rule, measured(1, 2, 3, NAN)) == bounds(rule, measured(1, 2, 3))


def test_bounds_that_are_numbers_stay() -> None:
    rules = {"soft": Rule("blur", min=1.0), "odd": Rule("blur", min=0.0, max=1.0)}
    assert bounds(rules, measured(1, 2)) == rules


def test_an_unknown_metric_is_named_with_the_known_ones() -> None:
    values = measured(1, 2).assign(entropy=0.0)
    with pytest.raises(
        ClearsetError, match=r"filter\.soft: unknown metric 'blurr'.*: blur, entropy"
    ):
        bounds({"soft": Rule("blurr", min=1.0)}, values)


@pytest.mark.parametrize(
    ("values", "quantile", "flagged"),
    [
        ((1, 1, 2, 3), 0.05, "ab"),
        ((1, 2, 2, 3), 0.5, "bcd"),
        ((1, 2, 2, 2), 0.9, "bcd"),
        ((1, 2, 3, 4, NAN), 0.25, "a"),
        ((1, 2, 3, 4, 5), 0.25, "ab"),
        ((7, 7, 7), 0.1, "abc"),
        ((-1e-7, 1e-7, 2e-7), 0.3, "a"),
        ((1e9, 1e9 + 1, 1e9 + 2), 0.3, "a"),
    ],
)
def test_a_quantile_flags_at_least_its_share_ties_included(
    values: tuple[float, ...], quantile: float, flagged: str
) -> None:
    table = measured(*values)
    rules = bounds({"r": Rule("blur", quantile=quantile)}, table)
    assert flag(table, rules)["image_id"].tolist() == list(flagged)


def warned(values: pd.DataFrame, rule: Rule) -> list[str]:
    return warnings(values, {"soft": rule}, flag(values, {"soft": rule}))["warning"].tolist()


def test_a_rule_that_flags_all_is_a_warning_with_the_range_and_the_likely_cause() -> None:
    (text,) = warned(measured(1, 2, 3), Rule("blur", min=5.0))
    assert "flags all 3 images: blur lies between 1 and 3, allowed is from 5." in text
    assert "fetch.range" in text  # blur is in grey levels


def test_a_rule_that_flags_all_that_is_measured_is_a_warning() -> None:
    (text,) = warned(measured(1, 2, NAN), Rule("blur", min=-1.0, max=0.0))
    assert "all 2 images" in text
    assert "allowed is from -1 to 0." in text


@pytest.mark.parametrize("values", [(1.0, 2.0, 3.0), (NAN, NAN), (1.0,), ()])
def test_a_rule_that_spares_one_or_has_only_one_is_no_warning(values: tuple[float, ...]) -> None:
    assert warned(measured(*values), Rule("blur", min=3.0)) == []


def test_a_summary_has_a_row_for_each_rule_even_without_flags() -> None:
    values = measured(1, 2, 3)
    rules = {"soft": Rule("blur", min=2.5), "never": Rule("blur", max=9.0, action=Action.drop)}
    found = summary(rules, rules, flag(values, rules)).set_index("rule")
    assert found["quantile"].dtype == float  # empty in a report, not "None"
    assert found["flagged"].to_dict() == {"soft": 2, "never": 0}
    assert found["action"].to_dict() == {"soft": "review", "never": "drop"}
    assert found.loc["soft", ["metric", "min"]].tolist() == ["blur", 2.5]
    assert found.loc["never", ["metric", "max"]].tolist() == ["blur", 9.0]


def test_a_summary_tells_a_quantile_and_the_bound_it_came_to() -> None:
    values = measured(1, 2, 3, 4, 5)
    rules = {"soft": Rule("blur", quantile=0.25)}
    resolved = bounds(rules, values)
    found = summary(rules, resolved, flag(values, resolved)).iloc[0]
    assert (found["quantile"], found["min"], found["flagged"]) == (0.25, 2.5, 2)


@pytest.mark.parametrize("metric", ["pixel_copies", "byte_copies", "nearest_similarity"])
def test_two_copies_may_be_all_there_is(metric: str) -> None:
    values = measured(1, 1).rename(columns={"blur": metric})
    rules = {"duplicate": Rule(metric, max=0.5)}
    assert warnings(values, rules, flag(values, rules)).empty


@pytest.mark.parametrize(("first", "second"), [*product(WEAKEST_FIRST, repeat=2)])
def test_the_strongest_action_wins(first: str, second: str) -> None:
    found = decide(images_of("a"), flags_of(("a", "one", first), ("a", "two", second)))
    assert found["decision"].tolist() == [max(first, second, key=WEAKEST_FIRST.index)]


@pytest.mark.parametrize("seed", range(5))
def test_every_image_is_decided_once(seed: int) -> None:
    rng, ids = np.random.default_rng(seed), "hgfedcba"
    rows = [(i, f"rule{r}", WEAKEST_FIRST[r]) for i in ids for r in range(4) if rng.random() < 0.2]
    found = decide(images_of(ids), flags_of(*rows))
    assert found["image_id"].tolist() == list(ids)
    assert set(found["decision"]) <= set(WEAKEST_FIRST)
    untouched = set(ids) - {row[0] for row in rows if row[2] != "keep"}
    assert set(found.loc[found["rules"] == "", "image_id"]) == untouched
    assert (found.loc[found["rules"] == "", "decision"] == "keep").all()


def test_without_any_flag_every_image_is_kept() -> None:
    found = decide(images_of("abc"), flagged(measured(1, 2, 3), soft=Rule("blur", min=0.0)))
    assert found["decision"].tolist() == ["keep"] * 3
    assert found["rules"].tolist() == [""] * 3


def test_an_image_names_all_its_rules_in_order() -> None:
    flags = flags_of(("a", "soft", "drop"), ("b", "x", "keep"), ("a", "dark", "review"))
    assert decide(images_of("a"), flags)["rules"].tolist() == ["dark soft"]
    assert names(flags, "a") == "dark soft"
    assert names(flags, "c") == ""


def test_counts_add_up() -> None:
    rows = [("a", "r", "drop"), ("b", "r", "review"), ("c", "r", "enhance"), ("d", "r", "drop")]
    found = counts(decide(images_of("abcdef"), flags_of(*rows)))
    assert found == {"images": 6, "flagged": 4, "review": 1, "dropped": 2}


def test_nothing_is_counted_twice_or_made_up() -> None:
    found = counts(decide(images_of("ab"), flags_of(("a", "r", "enhance"))))
    assert found == {"images": 2, "flagged": 1, "review": 0, "dropped": 0}


def registered(*rows: tuple[str, str, int]) -> pd.DataFrame:
    """Return the table `registrations` of (image_id, other_id, inliers)."""
    ends = pd.DataFrame(rows, columns=["image_id", "other_id", "inliers"])
    names = [name for name in columns.empty("registrations") if name not in ends]
    return ends.assign(**dict.fromkeys(names, 0.0))


@pytest.fixture
def survey() -> Survey:
    """Images a, b (the same pixels, masks that differ), c (far from both) and broken d."""
    images = columns.empty("images").astype(object)
    images[["image_id", "split"]] = [(name, "train") for name in "dcba"]
    images["error"] = ["broken", "", "", ""]
    images[["mask", "label", "mask_error", "obstacle"]] = ""
    images[["width", "height", "colours", "assumed"]] = [64, 64, 0, 0]
    images["broken"] = [1, 0, 0, 0]
    images[["channels", "bit_depth"]] = [[1, 8], [1, 8], [1, 8], [1, 16]]  # of d, c, b, a
    images["sha256"] = ["", "3", "2", "1"]
    images["pixels_sha256"] = ["", "y", "x", "x"]
    near = [("a", "b", 1.0), ("a", "c", 0.2), ("b", "a", 1.0), ("c", "a", 0.2)]
    conflicting = pd.DataFrame([("a", "b", "vein", 0.5)], columns=list(columns.empty("conflicts")))
    apart = columns.empty("outliers").astype(object)
    apart["image_id"] = list("abc")
    apart["isolation_z"] = [0.0, 0.0, -9.0]
    return tables_of(
        Survey,
        images=images,
        metrics=pd.DataFrame({"image_id": list("abc"), "blur": [1.0, 1.0, 7.0]}),
        neighbours=pd.DataFrame(near, columns=["image_id", "neighbour_id", "similarity"]),
        links=pd.DataFrame(
            [("a", "b", 1.0), ("a", "c", 0.2)], columns=["image_id", "other_id", "similarity"]
        ),
        outliers=apart,
        conflicts=conflicting,
        masks=pd.DataFrame(
            [("a", 0.1, 0.0, 0.9), ("b", 0.0, 0.0, NAN)], columns=list(columns.empty("masks"))
        ),
        registrations=registered(("b", "c", 14), ("a", "c", 9)),
    )


def test_measures_have_every_image_in_order(survey: Survey) -> None:
    values = measures(survey)
    assert values.index.tolist() == list("abcd")
    assert set(values.dtypes.astype(str)) == {"float64"}


def test_an_unreadable_image_is_measured_as_that_and_nothing_else(
    survey: Survey,
) -> None:
    broken = measures(survey).loc["d"]
    assert broken["unreadable"] == 1
    assert broken["unmeasured"] == 0
    assert broken.drop(["unreadable", "unmeasured"]).isna().all()


def test_a_sound_file_of_a_kind_that_is_not_read_is_unmeasured_and_not_unreadable(
    survey: Survey,
) -> None:
    survey.images["broken"] = 0
    values = measures(survey).loc["d"]
    assert values[["unreadable", "unmeasured"]].tolist() == [0, 1]


def test_sizes_shapes_and_colours_are_set_beside_the_others() -> None:
    images = pd.DataFrame(dict.fromkeys(columns.empty("images"), ""), index=range(12))
    images = images.assign(image_id=[f"{n:02}" for n in range(12)], width=200, height=100)
    images = images.assign(colours=0, assumed=0, broken=0, channels=1, bit_depth=8, bytes=1)
    images.loc[0, ["width", "height"]] = [400, 200]  # twice as large, of the same shape
    images.loc[1, ["width", "height"]] = [100, 200]  # upright
    images.loc[2, "colours"] = 1
    metrics = pd.DataFrame({"image_id": images["image_id"], "blur": 1.0})
    values = measures(tables_of(Survey, images=images, metrics=metrics))
    assert values["size_deviation"].tolist() == [1.0] + [0.0] * 11
    assert values["aspect_deviation"].tolist() == [0.0, 2.0] + [0.0] * 10
    assert values["odd_colours"].tolist() == [0.0, 0.0, 1.0] + [0.0] * 9
    half = images.assign(colours=[0, 1] * 6)
    assert not measures(tables_of(Survey, images=half, metrics=metrics))["odd_colours"].any()


def test_brightness_on_a_range_that_nobody_declared_is_no_measure(survey: Survey) -> None:
    metrics = survey.metrics.assign(mean=10.0, sharpness=-20.0)
    known = measures(replace(survey, metrics=metrics))
    assert known.loc["a", "mean"] == 10
    survey.images["assumed"] = 1
    values = measures(replace(survey, metrics=metrics))
    assert values[["mean", "blur"]].isna().all(axis=None)
    assert values.loc["a", "sharpness"] == -20


def test_what_has_an_obstacle_to_a_repair_is_for_review() -> None:
    images = images_of("ab").assign(obstacle=["", "a palette holds no new colours"])
    flags = flags_of(("a", "dark", "enhance"), ("b", "dark", "enhance"))
    assert decide(images, flags)["decision"].tolist() == ["enhance", "review"]
    dropped = decide(images, flags_of(("b", "dark", "enhance"), ("b", "bad", "drop")))
    assert dropped["decision"].tolist() == ["keep", "drop"]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("blur", [1, 1, 7]),
        ("unreadable", [0, 0, 0]),
        ("byte_copies", [0, 0, 0]),
        ("pixel_copies", [1, 1, 0]),
        ("nearest_similarity", [1, 1, 0.2]),
        ("surplus_similarity", [0.2, 1, 0]),  # c is the sharpest
        ("surplus_copies", [0, 1, 0]),
        ("odd_format", [1, 0, 0]),
        ("nodata_share", [0, 0, 0]),
        ("isolation_z", [0, 0, -9]),
        ("label_dice", [0.5, 0.5, 1]),
        ("leak_inliers", [9, 14, 14]),
    ],
)
def test_measures_bring_every_table_together(
    survey: Survey, metric: str, expected: list[float]
) -> None:
    assert measures(survey).loc[list("abc"), metric].tolist() == expected


def test_measures_leave_their_tables_alone(survey: Survey) -> None:
    before = {name: frame.copy() for name, frame in vars(survey).items()}
    measures(survey)
    for name, frame in vars(survey).items():
        pd.testing.assert_frame_equal(frame, before[name])


def test_without_a_registration_no_readable_image_has_an_inlier(
    survey: Survey,
) -> None:
    inliers = measures(replace(survey, registrations=columns.empty("registrations")))[
        "leak_inliers"
    ]
    assert inliers[list("abc")].tolist() == [0, 0, 0]
    assert np.isnan(inliers["d"])


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("mask_share", [0.1, 0, NAN, NAN]),
        ("mask_unknown", [0, 0, NAN, NAN]),
        ("mask_agreement", [0.9, NAN, NAN, NAN]),
    ],
)
def test_masks_are_measured_only_where_there_is_one(
    survey: Survey, metric: str, expected: list[float]
) -> None:
    np.testing.assert_array_equal(measures(survey)[metric], expected)


def test_an_image_without_a_mask_is_flagged_by_no_rule_on_masks(
    survey: Survey,
) -> None:
    empty, unlike = Rule("mask_share", min=0.01), Rule("mask_agreement", min=0.95)
    flags = flag(measures(survey), {"empty_mask": empty, "swapped_mask": unlike})
    assert list(zip(flags["image_id"], flags["rule"], strict=True)) == [
        ("b", "empty_mask"),
        ("a", "swapped_mask"),
    ]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule("blur", min=2.0), [True, False, False, False]),
        (Rule("blur", max=2.0), [False, False, True, False]),
        (Rule("blur", min=2.0, max=2.5), [True, False, True, False]),
    ],
)
def test_outside_is_beyond_a_bound_and_never_what_is_not_measured(
    rule: Rule, expected: list[bool]
) -> None:
    assert outside(measured(1, 2, 3, NAN)["blur"], rule).tolist() == expected


def test_outside_says_what_is_flagged() -> None:
    values = measured(*np.random.default_rng(0).normal(size=7), NAN)
    rule = Rule("blur", min=-0.2, max=0.4)
    beyond = values.index[outside(values["blur"], rule)].tolist()
    assert beyond == flagged(values, r=rule)["image_id"].tolist()


@pytest.mark.parametrize("seed", range(3))
def test_rules_that_keep_change_no_decision(seed: int) -> None:
    rng, images = np.random.default_rng(seed), images_of("abcdefgh")
    rows = [(i, f"rule{r}", WEAKEST_FIRST[r]) for i in "abcdefgh" for r in range(4)]
    flags = flags_of(*(row for row in rows if rng.random() < 0.4))
    some = flags[flags["action"] != "keep"]
    assert len(some) < len(flags)
    pd.testing.assert_frame_equal(decide(images, flags), decide(images, some))


def test_every_rule_asks_for_something_but_those_that_only_count() -> None:
    rules = {action.value: Rule("blur", min=1.0, action=action) for action in Action}
    assert asking(rules) == {"review", "enhance", "drop"}
    assert asking({"keep": rules["keep"]}) == set()
    assert asking({"soft": Rule("blur", min=1.0)}) == {"soft"}  # to review, where none is said


def test_a_rule_that_keeps_is_still_counted_in_its_summary() -> None:
    values, rules = measured(1, 2, 3), {"seen": Rule("blur", min=2.5, action=Action.keep)}
    flags = flag(values, rules)
    assert summary(rules, rules, flags)["flagged"].tolist() == [2]
    assert counts(decide(images_of("abc"), flags))["flagged"] == 0


def test_two_splits_of_one_subject_may_be_all_there_is() -> None:
    values = measured(20, 20).rename(columns={"blur": "leak_inliers"})
    rules = {"leak": Rule("leak_inliers", max=12.0)}
    assert warnings(values, rules, flag(values, rules)).empty


def test_an_image_that_another_rule_drops_stands_for_no_other(
    survey: Survey,
) -> None:
    near = {"near": Rule("surplus_similarity", max=0.1, action=Action.drop)}
    other = {"other": Rule("blur", max=5, action=Action.drop)}  # c, the sharpest of the group
    for rules, gone in ((near, {"a", "b"}), (near | other, {"b", "c"})):
        flags = judge(rules, survey).flags
        assert set(flags.loc[flags["rule"] == "near", "image_id"]) == gone
