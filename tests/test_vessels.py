"""Vessels: dark lines and no others, masks that fit, the area under a curve by counting."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage
from sklearn.metrics import average_precision_score, roc_auc_score

from clearset.generate.retina import synthesis
from clearset.measure import vessels
from clearset.measure.vessels import FIXED, auroc, dice, scores, vesselness
from clearset.numeric.grey import of_unit
from clearset.numeric.sums import HALVED, halved

Image = npt.NDArray[np.float64]
SIZE = 256
EYES = range(5)


def ridges(image: Image) -> Image:
    return of_unit(image).ridges


def agreement(image: Image, mask: npt.NDArray[np.integer]) -> float:
    return vessels.agreement(of_unit(image), mask)


@pytest.fixture(scope="module")
def retinas() -> list[tuple[Image, npt.NDArray[np.uint8]]]:
    return [synthesis.eye(np.random.default_rng(number), SIZE) for number in EYES]


def with_line(value: float, *, around: float = 0.5, width: int = 3, side: int = 100) -> Image:
    image = np.full((side, side), around)
    start = side // 2 - width // 2
    image[:, start : start + width] = value
    return image


def counted(positive: npt.NDArray[np.floating], negative: npt.NDArray[np.floating]) -> float:
    """Return the area under the ROC curve pair by pair."""
    won = (positive[:, None] > negative).mean() + (positive[:, None] == negative).mean() / 2
    return float(won)


def test_a_dark_line_is_a_ridge_and_strongest_along_its_middle() -> None:
    strength = ridges(with_line(0.3))
    assert set(strength[10:-10].argmax(axis=1)) == {50}
    assert strength[10:-10, 50].min() > 0
    assert strength[:, :30].max() < 0.01 * strength.max()


def test_a_bright_line_is_no_ridge_itself() -> None:
    assert ridges(with_line(0.7))[10:-10, 50].max() == 0


@pytest.mark.parametrize("turned", [0, 1])
def test_a_line_is_found_in_either_direction(turned: int) -> None:
    line = with_line(0.3)
    assert ridges(np.rot90(line, turned)) == pytest.approx(np.rot90(ridges(line), turned), abs=1e-5)


def test_a_darker_line_is_stronger() -> None:
    found = [float(ridges(with_line(value)).max()) for value in (0.45, 0.4, 0.3, 0.1)]
    assert found == sorted(found)
    assert len(set(found)) == len(found)


def test_lines_of_three_to_seven_pixels_are_about_as_strong() -> None:
    found = [float(ridges(with_line(0.3, width=width))[50, 50]) for width in (3, 5, 7)]
    assert min(found) > 0.4 * max(found)


def test_strength_is_relative_to_the_brightness() -> None:
    line = with_line(0.3)
    assert ridges(line * 0.5) == pytest.approx(ridges(line), abs=1e-5)


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("shape", [(10, 10), (10, 300), (200, 130)], ids=str)
def test_nothing_stands_out_of_a_constant_image(shape: tuple[int, int], value: float) -> None:
    assert np.abs(ridges(np.full(shape, value))).max() < 1e-5


def test_strength_is_never_below_zero_and_the_image_left_alone() -> None:
    image = np.random.default_rng(0).random((150, 140))
    image.flags.writeable = False
    assert ridges(image).min() >= 0


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((HALVED, HALVED), (64, 64)),
        ((HALVED + 1, 301), (64, 150)),
        ((HALVED - 1, 300), (HALVED - 1, 300)),
        ((10, 10), (10, 10)),
    ],
    ids=str,
)
def test_an_image_is_halved_from_128_pixels_a_side_on(
    shape: tuple[int, int], expected: tuple[int, int]
) -> None:
    image = np.random.default_rng(0).random(shape)
    assert halved(of_unit(image).levels).shape == ridges(image).shape == expected


def test_halving_adds_up_two_by_two_pixels() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (128, 130)).astype(np.uint8)
    assert halved(levels)[3, 5] == levels[6:8, 10:12].sum(dtype=int)
    assert halved(levels).sum() == levels.sum(dtype=int)
    assert np.array_equal(halved(levels[:100]), 4 * levels[:100].astype(int))


@pytest.mark.parametrize("number", EYES)
def test_the_mask_of_an_eye_agrees_with_it(
    retinas: list[tuple[Image, npt.NDArray[np.uint8]]], number: int
) -> None:
    image, mask = retinas[number]
    assert 0.7 < agreement(image, mask) <= 1


@pytest.mark.parametrize("number", EYES)
def test_the_mask_of_another_eye_has_nothing_to_do_with_it(
    retinas: list[tuple[Image, npt.NDArray[np.uint8]]], number: int
) -> None:
    image, _ = retinas[number]
    for other in set(EYES) - {number}:
        assert 0.35 < agreement(image, retinas[other][1]) < 0.65


def test_agreement_falls_as_the_mask_is_moved_away(
    retinas: list[tuple[Image, npt.NDArray[np.uint8]]],
) -> None:
    image, mask = retinas[0]
    found = [agreement(image, np.roll(mask, by, axis=1)) for by in (0, 4, 8)]
    assert found == sorted(found, reverse=True)
    assert found[0] - found[-1] > 0.2


def test_agreement_does_not_ask_for_the_kind_of_vessel(
    retinas: list[tuple[Image, npt.NDArray[np.uint8]]],
) -> None:
    image, mask = retinas[0]
    assert agreement(image, (mask > 0).astype(np.uint8)) == agreement(image, mask)


def test_a_mask_and_what_it_leaves_agree_as_much_as_they_disagree() -> None:
    image, mask = synthesis.eye(np.random.default_rng(0), 100)  # not halved: no pixel is shared
    left = (mask == 0).astype(np.uint8)
    assert agreement(image, mask) + agreement(image, left) == pytest.approx(1)


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("size", [64, 200])
def test_an_empty_or_full_mask_has_no_agreement(value: int, size: int) -> None:
    image = np.random.default_rng(0).random((size, size))
    assert math.isnan(agreement(image, np.full((size, size), value, np.uint8)))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("levels", [3, 10, 10**6])
def test_the_area_is_that_counted_pair_by_pair_with_ties_half(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    positive, negative = rng.integers(0, levels, 40) + 0.0, rng.integers(0, levels, 70) + 0.0
    assert auroc(positive, negative) == pytest.approx(counted(positive, negative))
    assert auroc(positive, negative) + auroc(negative, positive) == pytest.approx(1)


@pytest.mark.parametrize(
    ("positive", "negative", "expected"),
    [
        ([3, 4], [1, 2], 1.0),
        ([1, 2], [3, 4], 0.0),
        ([5, 5], [5, 5, 5], 0.5),
        ([1, 3], [2], 0.5),
        ([2, 3], [1, 2], 0.875),
    ],
)
def test_the_area_by_hand(positive: list[int], negative: list[int], expected: float) -> None:
    assert auroc(np.array(positive, float), np.array(negative, float)) == expected


@pytest.mark.parametrize(("positive", "negative"), [(0, 3), (3, 0), (0, 0)])
def test_there_is_no_area_when_either_is_empty(positive: int, negative: int) -> None:
    assert math.isnan(auroc(np.zeros(positive), np.zeros(negative)))


def test_scores_are_those_of_scikit_learn(
    retinas: list[tuple[Image, npt.NDArray[np.uint8]]],
) -> None:
    image, mask = retinas[0]
    strength, vessel = vesselness(image), (mask > 0).ravel()
    found = scores(strength, mask)
    assert found["ap"] == pytest.approx(average_precision_score(vessel, strength.ravel()), abs=1e-4)
    assert found["auroc"] == pytest.approx(roc_auc_score(vessel, strength.ravel()), abs=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_scores_count_ties_as_one_threshold(seed: int) -> None:
    rng = np.random.default_rng(seed)
    strength = rng.integers(0, 4, (30, 30)).astype(float)
    mask = (rng.random((30, 30)) < 0.2).astype(np.uint8)
    expected = average_precision_score(mask.ravel(), strength.ravel())
    assert scores(strength, mask)["ap"] == pytest.approx(expected)
    best = max(dice(strength >= level, mask > 0) for level in range(4))
    assert scores(strength, mask)["f1"] == pytest.approx(best)
    assert scores(strength, mask)["dice"] == dice(strength >= FIXED, mask > 0)


@pytest.mark.parametrize("value", [0, 1])
def test_an_empty_or_full_mask_has_no_scores(value: int) -> None:
    found = scores(np.ones((20, 20)), np.full((20, 20), value, np.uint8))
    assert all(math.isnan(score) for score in found.values())


def test_a_perfect_map_scores_one_and_a_blind_one_the_share_of_the_mask() -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[:, 10:14] = 1
    assert scores(mask.astype(float), mask) == {"ap": 1, "auroc": 1, "f1": 1, "dice": 1}
    blind = scores(np.full((40, 40), 0.5), mask)
    assert blind["ap"] == pytest.approx(0.1)
    assert blind["auroc"] == 0.5


@pytest.mark.parametrize("number", EYES)
def test_vesselness_finds_the_vessels_of_an_eye(
    retinas: list[tuple[Image, npt.NDArray[np.uint8]]], number: int
) -> None:
    image, mask = retinas[number]
    assert scores(vesselness(image), mask)["ap"] > 3 * (mask > 0).mean()


@pytest.mark.parametrize("change", ["gain", "offset", "slope"])
def test_light_by_itself_changes_little(
    retinas: list[tuple[Image, npt.NDArray[np.uint8]]], change: str
) -> None:
    image, mask = retinas[0]
    ramp = np.linspace(0.4, 1, SIZE)
    lit = {"gain": image * 0.5, "offset": image + 0.2} | {"slope": image * ramp}
    before, after = (scores(vesselness(one), mask)["ap"] for one in (image, lit[change]))
    assert after == pytest.approx(before, abs=0.02)


@pytest.mark.parametrize("sigma", [2, 4])
def test_noise_and_blur_make_vessels_harder_to_find(
    retinas: list[tuple[Image, npt.NDArray[np.uint8]]], sigma: int
) -> None:
    image, mask = retinas[0]
    noise = np.random.default_rng(0).normal(0, sigma * 0.03, image.shape)
    worse = [image + noise, ndimage.gaussian_filter(image, 2 * sigma)]
    best = scores(vesselness(image), mask)["ap"]
    assert all(scores(vesselness(one), mask)["ap"] < best - 0.02 for one in worse)


@pytest.mark.parametrize("width", [3, 6, 12])
def test_a_line_of_any_vessels_width_stands_out(width: int) -> None:
    strength = vesselness(with_line(0.4, width=width, side=200))
    assert abs(int(strength[100].argmax()) - 100) <= 1 + width / 4
    assert strength[100].max() > 4 * np.median(strength[100])


def test_vesselness_takes_any_shape_and_leaves_the_image_alone() -> None:
    for shape in ((10, 10), (11, 200), (97, 64)):
        image = np.random.default_rng(0).random(shape)
        image.flags.writeable = False
        assert vesselness(image).shape == shape
        assert vesselness(image).min() >= 0


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_a_constant_image_has_no_vesselness(value: float) -> None:
    assert vesselness(np.full((120, 100), value)).max() < 0.05
