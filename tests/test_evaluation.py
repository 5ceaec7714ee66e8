"""Detectors judged on known truth: scores by hand, what counts as an example, and what does not."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from clearset.config.schema import Rule
from clearset.plant.planting import known_kinds
from clearset.store import columns, tables
from clearset.store.errors import ClearsetError
from clearset.store.stages import Survey
from clearset.truth import evaluation
from clearset.truth.evaluation import (
    crosstalk,
    detection,
    detectors,
    examples,
    headline,
    scores,
    severities,
    summary,
)
from conftest import tables_of

NAN = float("nan")
BLUR = Rule("sharp", min=5.0, finds="blur")
LEAK = Rule("inliers", max=12.0, finds="leak")
NEAR = Rule("similar", max=0.9, finds="near_duplicate")
COPY = Rule("copies", max=0.0, finds="duplicate")
# image_id, eye, part, fault, kinds, severity; held out are b and d
TRUTH = [
    ("a", "a", "calibrate", "none", "", 0),
    ("a-soft-1", "a", "calibrate", "gaussian_blur", "blur", 1),
    ("a-soft-3", "a", "calibrate", "gaussian_blur", "blur", 3),
    ("a-flip", "a", "calibrate", "flip", "near_duplicate", 0),
    ("a-exact", "a", "calibrate", "exact_copy", "duplicate", 0),
    ("a-leak", "a", "calibrate", "leak", "leak", 0),
    ("b", "b", "held_out", "none", "", 0),
    ("b-soft-1", "b", "held_out", "gaussian_blur", "blur", 1),
    ("b-both-2", "b", "held_out", "blur_noise", "blur noise", 2),
    ("b-dark-4", "b", "held_out", "under_exposure", "dark", 4),
    ("b-flip", "b", "held_out", "flip", "near_duplicate", 0),
    ("c", "c", "calibrate", "none", "", 0),
    ("c2", "c", "calibrate", "none", "", 0),  # another image of the same eye
    ("d-conflict", "d", "held_out", "conflict", "duplicate label_conflict", 0),
    ("d", "d", "held_out", "none", "", 0),
    ("foreign_00", "foreign_00", "held_out", "foreign", "foreign", 0),
]
SHARP = {
    "a": 9.0,
    "a-soft-1": 6.0,
    "a-soft-3": 2.0,
    "a-flip": 8.0,
    "a-exact": 9.0,
    "a-leak": 4.0,
    "b": 7.0,
    "b-soft-1": 4.5,
    "b-both-2": NAN,
    "b-dark-4": 3.0,
    "b-flip": 7.5,
    "c": 8.5,
    "c2": 10.0,
    "d-conflict": 7.2,
    "d": 7.2,
    "foreign_00": 0.5,
}


def truth_of(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    columns = ["image_id", "eye", "part", "fault", "kinds", "severity"]
    table = pd.DataFrame(rows, columns=columns)
    source = [
        i if i == "c2" else eye for i, eye in zip(table["image_id"], table["eye"], strict=True)
    ]
    return tables.checked("truth", table.assign(source=source, parameters=""))


def near(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["image_id", "neighbour_id", "similarity"])


def fits(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["image_id", "other_id", "inliers"])


def survey(**some: pd.DataFrame) -> Survey:
    """Return what rules are judged by: the truth, and the tables that are named."""
    return tables_of(Survey, truth=truth_of(TRUTH), **some)


def values(**columns: Any) -> pd.DataFrame:
    """Return the rules' measures: sharp, and zeros for what is not given."""
    index = pd.Index(sorted(SHARP), name="image_id")
    blank = {name: dict.fromkeys(SHARP, 0.0) for name in ("inliers", "similar", "copies")}
    return pd.DataFrame(blank | {"sharp": SHARP} | columns, index=index)


def cases(*rows: tuple[float, bool]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["value", "positive"]).astype({"positive": bool})


def test_scores_by_hand() -> None:
    told = scores(cases((1, True), (2, False), (4, True), (6, True), (7, False), (8, False)), BLUR)
    assert told["precision"] == pytest.approx(2 / 3)  # 1, 2 and 4 are flagged
    assert told["recall"] == pytest.approx(2 / 3)
    assert told["f1"] == pytest.approx(2 / 3)
    assert told["auroc"] == pytest.approx(7 / 9)  # 2 is sharper than 4 and 6 are


def brute(values: list[float], positive: list[bool], rule: Rule) -> dict[str, float]:
    """Score by counting: flags one by one, and all pairs for AUROC."""
    low = -np.inf if rule.min is None else rule.min
    high = np.inf if rule.max is None else rule.max
    flags = [value < low or value > high for value in values]
    right = sum(flag and true for flag, true in zip(flags, positive, strict=True))
    away = [max(low - value, value - high) for value in values]
    pairs = [
        (one > two) + (one == two) / 2
        for one, yes in zip(away, positive, strict=True)
        for two, no in zip(away, positive, strict=True)
        if yes and not no and not np.isnan(one + two)
    ]
    precision = right / sum(flags) if any(flags) else NAN
    recall = right / sum(positive) if any(positive) else NAN
    both = precision + recall if right else 1.0
    f1 = 2 * precision * recall / both if right else 0.0
    return {
        "precision": precision,
        "recall": recall,
        "f1": f1 if any(positive) else NAN,
        "auroc": float(np.mean(pairs)) if pairs else NAN,
    }


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    "rule", [Rule("m", min=4.0), Rule("m", max=5.0), Rule("m", min=3.0, max=6.0)], ids=str
)
def test_scores_agree_with_counting_one_by_one(seed: int, rule: Rule) -> None:
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, 10, 40).astype(float)  # with ties
    drawn[rng.random(40) < 0.1] = NAN
    positive = rng.random(40) < 0.4
    told = scores(cases(*zip(drawn, positive, strict=True)), rule)
    assert told == pytest.approx(brute(drawn.tolist(), positive.tolist(), rule), nan_ok=True)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(6.0, True), (7.0, False)], [NAN, 0, 0, 1]),  # nothing flagged
        ([(NAN, True), (7.0, False)], [NAN, 0, 0, NAN]),  # what is not measured is missed
        ([(1.0, True), (NAN, True)], [1, 0.5, 2 / 3, NAN]),
        ([(1.0, False), (7.0, False)], [0, NAN, NAN, NAN]),  # nothing to find
        ([(1.0, True)], [1, 1, 1, NAN]),
        ([], [NAN, NAN, NAN, NAN]),
    ],
)
def test_scores_are_empty_where_there_is_nothing_to_judge(
    rows: list[tuple[float, bool]], expected: list[float]
) -> None:
    assert list(scores(cases(*rows), BLUR).values()) == pytest.approx(expected, nan_ok=True)


def test_detectors_are_the_rules_that_say_what_they_find() -> None:
    rules = {"odd": Rule("odd", max=1.0), "blur": BLUR}
    assert detectors(rules) == {"blur": BLUR}


def test_an_unknown_kind_is_named_with_the_known_ones() -> None:
    with pytest.raises(ClearsetError, match=r"filter\.soft finds 'blurr', which is no kind") as e:
        detectors({"soft": Rule("sharp", min=1.0, finds="blurr")})
    assert all(kind in str(e.value).split("Known: ")[1] for kind in known_kinds())


def test_every_known_kind_may_be_found() -> None:
    rules = {kind: Rule("sharp", min=1.0, finds=kind) for kind in known_kinds()}
    assert detectors(rules) == rules


def judged(rule: Rule) -> dict[str, bool]:
    """Return, by value, the examples of a rule on single images; each image has its own value."""
    order = sorted(SHARP)
    numbers = values(**{rule.metric: {name: float(order.index(name)) for name in order}})
    cases = examples(rule, numbers, survey())
    return {order[int(v)]: p for v, p in zip(cases["value"], cases["positive"], strict=True)}


def test_every_image_but_foreign_ones_is_an_example() -> None:
    told = judged(BLUR)
    assert set(told) == set(SHARP) - {"foreign_00"}
    assert {name for name, positive in told.items() if positive} == {
        "a-soft-1",
        "a-soft-3",
        "b-soft-1",
        "b-both-2",
    }


def test_foreign_images_are_judged_by_the_rule_for_them() -> None:
    told = judged(Rule("similar", min=0.5, finds="foreign"))
    assert set(told) == set(SHARP)
    assert {name for name, positive in told.items() if positive} == {"foreign_00"}


@pytest.mark.parametrize(
    ("kind", "positive", "eyes"),
    [("duplicate", {"a-exact", "d-conflict"}, "ad"), ("label_conflict", {"d-conflict"}, "d")],
)
def test_siblings_of_a_copy_are_neither_right_nor_wrong(
    kind: str, positive: set[str], eyes: str
) -> None:
    told = judged(Rule("copies", max=0.0, finds=kind))
    others = {name for name in SHARP if name[0] not in eyes} - {"foreign_00"}
    assert told == dict.fromkeys(others, False) | dict.fromkeys(positive, True)


def test_an_example_tells_its_part_fault_and_severity() -> None:
    cases = examples(BLUR, values(), survey()).set_index("value")
    assert cases.loc[2.0, ["part", "fault", "severity"]].tolist() == [
        "calibrate",
        "gaussian_blur",
        3,
    ]
    assert cases.loc[3.0, ["part", "fault", "severity"]].tolist() == [
        "held_out",
        "under_exposure",
        4,
    ]


def test_an_image_that_is_not_measured_stays_an_example() -> None:
    told = examples(BLUR, values().drop(index="b-soft-1"), survey())
    assert len(told) == len(SHARP) - 1
    assert told.loc[told["value"].isna(), "positive"].tolist() == [True, True]


def pairs(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return examples(NEAR, values(), survey(neighbours=near(*rows)))


def test_a_true_pair_that_no_neighbour_lists_is_missed() -> None:
    told = pairs()
    assert len(told) == 4
    assert told["positive"].all()
    assert told["value"].isna().all()
    assert scores(told, NEAR)["recall"] == 0


def test_a_pair_listed_twice_is_one_with_its_higher_similarity() -> None:
    told = pairs(("a", "a-flip", 0.94), ("a-flip", "a", 0.95), ("b", "a", 0.5), ("a", "b", 0.5))
    assert len(told) == 5
    assert sorted(told["value"].dropna()) == [0.5, 0.95]
    assert told.loc[told["value"] == 0.95, ["positive", "fault", "part"]].to_numpy().tolist() == [
        [True, "flip", "calibrate"]
    ]
    assert told.loc[told["value"] == 0.5, ["positive", "fault", "part"]].to_numpy().tolist() == [
        [False, "", ""]
    ]


def test_a_pair_of_two_edits_of_one_image_is_true_and_of_no_single_fault() -> None:
    told = pairs(("a-flip", "a-exact", 0.93)).set_index("value")
    assert told.loc[0.93, "positive"]
    assert told.loc[0.93, "fault"] == ""


def test_pairs_of_two_images_of_one_eye_are_left_out() -> None:
    assert 0.99 not in set(pairs(("c", "c2", 0.99))["value"])


@pytest.mark.parametrize("other", ["a-soft-1", "a-leak", "foreign_00", "d-conflict", "b-dark-4"])
def test_pairs_with_another_fault_are_left_out(other: str) -> None:
    assert 0.99 not in set(pairs(("a", other, 0.99), (other, "c", 0.99))["value"])


def test_a_pair_within_one_part_belongs_to_it() -> None:
    told = pairs(("a", "c", 0.1), ("b", "d", 0.2), ("b", "c", 0.3)).set_index("value")
    assert told.loc[[0.1, 0.2, 0.3], "part"].tolist() == ["calibrate", "held_out", ""]


def leaks(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return examples(LEAK, values(), survey(registrations=fits(*rows)))


def test_a_planted_leak_without_a_fit_is_missed() -> None:
    told = leaks()
    assert told.to_numpy().tolist() == [[0.0, True, "calibrate", "leak", 0]]
    assert scores(told, LEAK)["recall"] == 0


@pytest.mark.parametrize("turned", [False, True])
def test_a_planted_leak_is_found_by_its_best_true_pair(turned: bool) -> None:
    rows = [("a", "a-leak", 20), ("a-flip", "a-leak", 30), ("a-exact", "a-leak", 9)]
    told = leaks(*((two, one, count) if turned else (one, two, count) for one, two, count in rows))
    assert told["value"].tolist() == [30.0]


def test_pairs_of_two_eyes_are_wrong_and_of_one_eye_neither() -> None:
    told = leaks(("a", "b", 5), ("b", "d", 7), ("a", "c", 6), ("c", "c2", 40), ("a-leak", "b", 9))
    wrong = told[~told["positive"].astype(bool)].set_index("value")
    assert wrong["part"].to_dict() == {5.0: "", 7.0: "held_out", 6.0: "calibrate", 9.0: ""}
    assert told.loc[told["positive"].astype(bool), "value"].tolist() == [0.0]


def test_a_fit_of_a_foreign_image_is_no_example_of_a_leak() -> None:
    assert 50.0 not in set(leaks(("b", "foreign_00", 50))["value"])


def test_detection_has_every_detector_on_all_eyes_and_on_those_held_out() -> None:
    rules = {"soft": BLUR, "odd": Rule("sharp", max=99.0)}
    stricter = {"soft": Rule("sharp", min=8.0, finds="blur")}
    told = detection(values(), survey(), {"default": rules, "calibrated": stricter})
    assert told[["rule", "bounds", "part"]].to_numpy().tolist() == [
        ["soft", "default", "all"],
        ["soft", "default", "held_out"],
        ["soft", "calibrated", "held_out"],
    ]
    assert told["positives"].tolist() == [4, 2, 2]
    assert told["negatives"].tolist() == [11, 5, 5]
    # flagged: a-soft-3, b-soft-1, and wrongly a-leak and b-dark-4
    assert told["precision"].tolist() == [0.5, 0.5, 1 / 6]
    assert told["recall"].tolist() == [0.5, 0.5, 0.5]
    assert told["min"].tolist() == [5, 5, 8]
    assert told["max"].isna().all()
    tables.checked("detection", told)


RULES = {"blur": BLUR, "leak": LEAK, "near": NEAR}


def graded() -> pd.DataFrame:
    """Return the table `severities` of three detectors."""
    graph = survey(
        neighbours=near(("a", "a-flip", 0.95), ("b", "c", 0.99)),
        registrations=fits(("a", "a-leak", 20), ("b", "c", 15)),
    )
    return severities(values(), graph, {"default": RULES, "calibrated": {"blur": BLUR}})


def row(table: pd.DataFrame, fault: str, severity: int, bounds: str = "default") -> pd.Series:
    keys = table[["fault", "severity", "bounds"]].apply(tuple, axis=1)
    (place,) = np.flatnonzero(keys == (fault, severity, bounds))
    return table.iloc[place]


def test_severities_have_each_fault_together_and_one_by_one() -> None:
    table = graded()
    own = table[table["bounds"] == "default"]
    assert sorted(zip(own["rule"], own["fault"], own["severity"], own["images"], strict=True)) == [
        ("blur", "blur_noise", 0, 1),
        ("blur", "blur_noise", 2, 1),
        ("blur", "gaussian_blur", 0, 3),
        ("blur", "gaussian_blur", 1, 2),
        ("blur", "gaussian_blur", 3, 1),
        ("leak", "leak", 0, 1),
        ("near", "exact_copy", 0, 1),
        ("near", "flip", 0, 2),
    ]
    tables.checked("severities", table)


def test_severity_0_is_all_of_a_fault_against_clean_images_alone() -> None:
    both, mild, strong = (row(graded(), "gaussian_blur", level) for level in (0, 1, 3))
    assert (both["recall"], mild["recall"], strong["recall"]) == (2 / 3, 1 / 2, 1)
    assert both["precision"] == 1  # a-leak and b-dark-4 are not clean
    assert both["auroc"] == 1


def test_calibrated_severities_are_of_the_eyes_held_out() -> None:
    table = graded()
    chosen = table[table["bounds"] == "calibrated"]
    assert set(chosen["part"]) == {"held_out"}
    assert row(table, "gaussian_blur", 0, "calibrated")["images"] == 1
    assert set(table.loc[table["bounds"] == "default", "part"]) == {"all"}


def test_of_pairs_only_recall_and_auroc_are_told() -> None:
    for fault, recall in (("leak", 1), ("flip", 0.5), ("exact_copy", 0)):
        told = row(graded(), fault, 0)
        assert np.isnan(told["precision"])
        assert np.isnan(told["f1"])
        assert told["recall"] == recall


def test_crosstalk_is_the_share_of_each_fault_that_each_rule_flags() -> None:
    rules = {"soft": BLUR, "all": Rule("sharp", min=99.0)}
    told = crosstalk(values(), truth_of(TRUTH), rules).set_index(["rule", "fault"])
    assert told.loc[("soft", "gaussian_blur"), ["images", "flagged"]].tolist() == [3, 2 / 3]
    assert told.loc[("soft", "none"), ["images", "flagged"]].tolist() == [5, 0]
    assert told.loc[("soft", "under_exposure"), "flagged"] == 1
    assert told.loc[("soft", "blur_noise"), "flagged"] == 0  # not measured
    assert told.loc[("all", "none"), "flagged"] == 1
    assert set(told["finds"]) == {"blur", ""}
    images = told.reset_index().groupby("rule")["images"].sum()
    assert images.to_dict() == {"soft": len(TRUTH), "all": len(TRUTH)}
    tables.checked("crosstalk", told.reset_index())


def test_the_headline_is_the_mean_f1_of_the_rules_that_ask_for_something() -> None:
    rules = {"soft": BLUR}
    table = detection(values(), survey(), {"default": rules, "calibrated": rules})
    other = table.assign(rule="other", f1=1.0)
    counted = table.assign(rule="counted", f1=0.0)
    every = pd.concat([table, other, counted])
    assert headline(every, ["soft", "other"]) == {"f1": pytest.approx(0.75)}
    assert headline(every, ["soft"]) == {"f1": pytest.approx(0.5)}


def test_the_headline_of_nothing_is_nothing() -> None:
    assert headline(columns.empty("detection"), ["soft"]) == {}


def test_the_summary_shows_the_asked_rules_and_every_detector() -> None:
    table = detection(values(), survey(), {"default": RULES})
    lines = summary(graded(), table, {"blur"})
    assert lines[0].split() == ["fault", "found", "by", "images", "precision", "recall", "F1"]
    place = next(i for i, line in enumerate(lines) if "a detector among all" in line)
    assert [line.split() for line in lines[1:place]] == [
        ["blur_noise", "blur", "1", "-", "0.00", "0.00"],
        ["gaussian_blur", "blur", "3", "1.00", "0.67", "0.80"],
    ]
    assert [line.split()[:3] for line in lines[place + 1 :]] == [
        ["blur", "blur", "4"],
        ["leak", "leak", "1"],
        ["near_duplicate", "near", "4"],
    ]
    assert len({len(line) for line in (lines[0], *lines[1:place], *lines[place + 1 :])}) == 1


def test_judging_leaves_its_tables_alone() -> None:
    known = survey(neighbours=near(("a", "a-flip", 0.95)), registrations=fits(("a", "a-leak", 20)))
    before = {name: frame.copy() for name, frame in vars(known).items()}
    numbers = values()
    detection(numbers, known, {"default": RULES})
    severities(numbers, known, {"default": RULES})
    crosstalk(numbers, known.truth, RULES)
    pd.testing.assert_frame_equal(numbers, values())
    for name, frame in vars(known).items():
        pd.testing.assert_frame_equal(frame, before[name])


def test_paired_kinds_are_related_kinds() -> None:
    assert evaluation.PAIRED < evaluation.RELATED <= known_kinds()
