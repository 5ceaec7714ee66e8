"""Comparison: ends of the measures, paired changes, honest intervals."""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import ndimage

from clearset.config.schema import Dataset, Rule
from clearset.generate.retina.synthesis import Made
from clearset.proof.comparison import changes, compare, interval, psnr, ssim
from clearset.proof.outcomes import Repairs, answers, callers, headline, outcomes
from clearset.store import columns, tables

Image = npt.NDArray[np.float64]
RESAMPLES = 500


@pytest.fixture(scope="module")
def eye(eyes: list[Made]) -> Image:
    return eyes[0].pixels / 255


def noisier(image: Image, sigma: float) -> Image:
    return image + np.random.default_rng(0).normal(0, sigma, image.shape)


def metrics(**values: float) -> pd.DataFrame:
    """Return the table `metrics` of images and their blur; the mean is ten times that."""
    blur = list(values.values())
    return pd.DataFrame({"image_id": list(values), "blur": blur, "mean": [10 * b for b in blur]})


def changed(**by: float) -> pd.DataFrame:
    """Return the table `comparison` of one metric that changed by these amounts."""
    rows = [(name, "blur", 1.0, 1 + change, change) for name, change in by.items()]
    return pd.DataFrame(rows, columns=["image_id", "metric", "before", "after", "change"])


def judged(comparison: pd.DataFrame, rules_of: dict[str, set[str]], seed: int = 0) -> pd.DataFrame:
    table = changes(comparison, rules_of, resamples=RESAMPLES, seed=seed)
    return table.set_index(["rule", "metric"])


def test_psnr_of_equal_images_is_infinite(eye: Image) -> None:
    assert psnr(eye, eye) == math.inf


def test_psnr_from_black_to_white_is_zero() -> None:
    assert psnr(np.zeros((8, 8)), np.ones((8, 8))) == 0


def test_psnr_of_a_tenth_is_twenty_decibels(eye: Image) -> None:
    assert psnr(eye, eye + 0.1) == pytest.approx(20, abs=1e-4)


@pytest.mark.parametrize("measure", [psnr, ssim])
def test_likeness_falls_with_noise(measure: object, eye: Image) -> None:
    assert callable(measure)
    values = [measure(eye, noisier(eye, sigma)) for sigma in (0, 0.01, 0.03, 0.1)]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 4


@pytest.mark.parametrize("measure", [psnr, ssim])
def test_likeness_is_symmetric(measure: object, eye: Image) -> None:
    assert callable(measure)
    other = noisier(eye, 0.05)
    assert measure(eye, other) == pytest.approx(measure(other, eye))


@pytest.mark.parametrize("shape", [(10, 10), (10, 11, 3), (300, 10), (32, 32, 3)], ids=str)
def test_ssim_of_equal_images_is_one(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).random(shape)
    assert ssim(image, image) == pytest.approx(1)


def test_ssim_of_colours_is_the_mean_of_its_channels(eye: Image) -> None:
    others = [noisier(eye, sigma) for sigma in (0, 0.02, 0.1)]
    expected = np.mean([ssim(eye, other) for other in others])
    assert ssim(np.dstack([eye] * 3), np.dstack(others)) == pytest.approx(expected)


def test_ssim_of_a_negative_is_below_zero(eye: Image) -> None:
    assert ssim(eye, 1 - eye) < 0


def test_ssim_sees_blur_that_brightness_does_not_explain(eye: Image) -> None:
    blurred = ndimage.gaussian_filter(eye, 2.0)
    brighter = eye + (psnr_step(eye, blurred))
    assert psnr(eye, brighter) == pytest.approx(psnr(eye, blurred), abs=0.01)
    assert ssim(eye, blurred) < ssim(eye, brighter)


def psnr_step(before: Image, after: Image) -> float:
    """Return the brightness step that has the same PSNR as a change."""
    return 10 ** (-psnr(before, after) / 20)


def test_comparison_is_paired_by_image_whatever_the_order() -> None:
    before, after = metrics(a=1, b=2, c=3), metrics(c=5, a=10, b=2)
    found = compare(before, after, ["c", "a"]).set_index(["image_id", "metric"])["change"]
    assert found.to_dict() == {
        ("a", "blur"): 9,
        ("a", "mean"): 90,
        ("c", "blur"): 2,
        ("c", "mean"): 20,
    }


def test_comparison_keeps_before_and_after() -> None:
    found = compare(metrics(a=1), metrics(a=4), ["a"]).set_index("metric").loc["blur"]
    assert (found["before"], found["after"], found["change"]) == (1, 4, 3)


def test_comparison_does_not_depend_on_the_order_of_columns() -> None:
    before, after = metrics(a=1, b=2), metrics(a=3, b=5)
    swapped = after[["mean", "image_id", "blur"]]
    pd.testing.assert_frame_equal(
        compare(before, after, ["a", "b"]), compare(before, swapped, ["a", "b"])
    )


def test_a_repaired_image_that_is_no_longer_measured_is_an_error() -> None:
    with pytest.raises(KeyError, match="b"):
        compare(metrics(a=1, b=2), metrics(a=1), ["a", "b"])


def test_ssim_of_black_and_white_is_what_its_constant_leaves() -> None:
    black, white = np.zeros((16, 16)), np.ones((16, 16))
    constant = 0.01**2  # C1 of Wang et al., for a range of 1
    assert ssim(black, white) == pytest.approx(constant / (1 + constant))


@pytest.mark.parametrize("seed", range(5))
def test_an_interval_contains_the_mean_within_the_ends(seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=20)
    low, high = interval(values, resamples=RESAMPLES, seed=0)
    assert values.min() < low < values.mean() < high < values.max()


def test_an_interval_is_the_same_for_the_same_seed_only() -> None:
    values = np.random.default_rng(0).normal(size=20)
    first, again, other = (interval(values, resamples=RESAMPLES, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_an_interval_narrows_with_more_images() -> None:
    values = np.random.default_rng(0).normal(size=12)
    few, many = (interval(v, resamples=RESAMPLES, seed=0) for v in (values, np.tile(values, 16)))
    ratio = (few[1] - few[0]) / (many[1] - many[0])
    assert ratio == pytest.approx(4, rel=0.25)  # the root of 16


@pytest.mark.parametrize("values", [[], [1.5], [1.0, 3.0], [1.0, 2.0, 3.0, 9.0]])
def test_fewer_than_five_values_have_no_interval(values: list[float]) -> None:
    assert np.isnan(interval(np.array(values), resamples=RESAMPLES, seed=0)).all()


def test_five_values_have_an_interval_around_their_mean_and_within_their_range() -> None:
    low, high = interval(np.array([1.0, 2, 3, 4, 10]), resamples=RESAMPLES, seed=0)
    assert 1 <= low < 4 < high <= 10


def test_equal_changes_have_an_interval_without_width() -> None:
    assert interval(np.full(6, 0.5), resamples=RESAMPLES, seed=0) == (0.5, 0.5)


def test_changes_are_over_all_and_over_each_rules_images() -> None:
    rules_of = {"a": {"soft"}, "b": {"soft", "dark"}, "c": {"dark"}}
    found = judged(changed(a=1, b=2, c=6), rules_of)
    assert found["images"].to_dict() == {
        ("all", "blur"): 3,
        ("dark", "blur"): 2,
        ("soft", "blur"): 2,
    }
    assert found["change"].to_dict() == {
        ("all", "blur"): 3,
        ("dark", "blur"): 4,
        ("soft", "blur"): 1.5,
    }


def test_a_change_is_after_less_before_and_lies_in_its_interval() -> None:
    row = judged(changed(a=1, b=2, c=6, d=3, e=4), {i: set() for i in "abcde"}).loc["all", "blur"]
    assert row["after"] - row["before"] == pytest.approx(row["change"])
    assert row["low"] <= row["change"] <= row["high"]


def test_one_image_has_a_change_and_no_interval() -> None:
    row = judged(changed(a=2), {"a": {"soft"}}).loc[("soft", "blur")]
    assert row["change"] == 2
    assert row[["low", "high"]].isna().all()


def test_changes_do_not_depend_on_the_order_of_rules() -> None:
    comparison = changed(a=1, b=2, c=6)
    rules_of: dict[str, set[str]] = {"a": {"soft"}, "b": {"dark", "soft"}, "c": {"dark"}}
    backwards = dict(reversed(rules_of.items()))
    pd.testing.assert_frame_equal(judged(comparison, rules_of), judged(comparison, backwards))


FLAGS = pd.DataFrame({"image_id": list("aabc"), "rule": ["soft", "dark", "soft", "dark"]})


def test_outcomes_are_of_repairs_with_their_flags_before_and_after() -> None:
    repairs = pd.DataFrame({"image_id": ["a", "b"], "rules": ["dark soft", "soft"]})
    repairs = repairs.assign(steps=["gamma", "unsharp_mask"], clipped=[0.0, 0.5], sha256="x")
    verdicts = pd.DataFrame(
        {"image_id": ["b", "a"], "accepted": [0, 1], "verdict": ["refused", "accepted"]}
        | {"refused_by": ["gain", ""]}
    )
    likeness = pd.DataFrame({"image_id": ["b", "a"], "psnr": [20.0, 30.0], "ssim": [0.7, 0.9]})
    done = Repairs(repairs, verdicts.assign(expected_gain=0.1), likeness)
    table = tables.checked("outcomes", outcomes(done, FLAGS, FLAGS.iloc[:1]))
    expected = [("a", "gamma", 30.0, 0.9, 0.0, "dark soft", "soft", 1, "accepted", "")]
    expected += [("b", "unsharp_mask", 20.0, 0.7, 0.5, "soft", "", 0, "refused", "gain")]
    assert list(table.itertuples(index=False, name=None)) == expected


RULES = {name: Rule(metric, min=1) for name, metric in (("dark", "mean"), ("soft", "blur"))}
STEPS = [{"rule": "soft", "method": "unsharp_mask"}, {"rule": "all", "method": "gamma"}]


def test_repairs_answer_the_rules_that_steps_name() -> None:
    assert answers(Dataset(filter=RULES, enhance=list(STEPS))) == {"soft": "blur"}
    assert answers(Dataset(filter=RULES)) == {}


def test_a_repair_is_called_for_by_those_of_its_rules_that_repairs_answer() -> None:
    repairs = pd.DataFrame({"image_id": list("abc"), "rules": ["dark soft", "dark", "dark softer"]})
    assert callers(repairs, {"soft"}) == {"a": {"soft"}, "b": set(), "c": set()}
    assert callers(repairs, RULES)["a"] == {"dark", "soft"}
    assert callers(repairs.iloc[:0], RULES) == {}


def two_outcomes() -> pd.DataFrame:
    columns = ["image_id", "steps", "psnr", "ssim", "clipped", "flags_before", "flags_after"]
    rows = [("a", "", 30.0, 0.9, 0.0, "dark soft", "soft"), ("b", "", 20.0, 0.7, 0.5, "soft", "")]
    return pd.DataFrame(rows, columns=columns)


def test_a_headline_counts_repairs_and_the_flags_of_repaired_images() -> None:
    found = headline(two_outcomes().assign(accepted=[1, 0]))
    assert found == {"repaired": 2, "accepted": 1, "flags_before": 3, "flags_after": 1}


def test_a_headline_without_repairs_is_of_noughts() -> None:
    found = headline(columns.empty("outcomes"))
    assert found == {"repaired": 0, "accepted": 0, "flags_before": 0, "flags_after": 0}
