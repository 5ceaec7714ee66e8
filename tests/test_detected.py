"""Two detectors: a gain is one where both say so, and vessels are where the first sees them."""

import numpy as np
import numpy.typing as npt
import pytest

from clearset.generate.retina import synthesis
from clearset.proof.detected import (
    Own,
    common,
    detected,
    granted,
    pieces,
    precisions,
    prominence,
    strongest,
)

Image = npt.NDArray[np.float64]
Eye = tuple[Image, npt.NDArray[np.uint8]]


@pytest.fixture(scope="module")
def eye() -> Eye:
    return synthesis.eye(np.random.default_rng(3), 384)


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [(0.1, 0.02, 0.02), (-0.1, -0.3, -0.1), (0.1, -0.1, 0), (-0.1, 0.2, 0), (0, 0.2, 0)],
)
def test_a_change_is_granted_where_both_agree_and_by_the_lesser(
    first: float, second: float, both: float
) -> None:
    assert granted(first, second) == granted(second, first) == both


def test_what_is_not_known_is_not_granted() -> None:
    assert np.isnan(granted([0.1, np.nan], [np.nan, 0.1])).all()


def test_a_pair_of_maps_finds_vessels_in_grey_and_in_colour(eye: Eye) -> None:
    image, mask = eye
    colour = image[..., None] * np.array([0.9, 0.6, 0.3])
    for seen in (image, colour):
        first, second = precisions(detected(seen), mask > 0, None)
        assert min(first, second) > 2 * (mask > 0).mean()
    assert np.isnan(precisions(detected(image), mask > 255, None)).all()


def test_common_vessels_are_vessels_and_no_side_has_more_of_a_say(eye: Eye) -> None:
    image, mask = eye
    noisy = np.clip(image + np.random.default_rng(0).normal(0, 0.05, image.shape), 0, 1)
    one, other = detected(image), detected(noisy)
    found = common(Own(one), other[0])
    assert np.array_equal(found, common(Own(other), one[0]))
    assert 0.02 < found.mean() <= 0.1
    assert (mask > 0)[found].mean() > 2 * (mask > 0).mean()


def test_common_vessels_lie_inside(eye: Eye) -> None:
    inside = np.indices(eye[0].shape)[0] > 200
    maps = detected(eye[0])
    found = common(Own(maps, inside), maps[0])
    assert found.any() and not found[~inside].any()


def test_vessels_stand_out_of_the_rest_and_less_where_there_is_noise(eye: Eye) -> None:
    image, _ = eye
    noisy = np.clip(image + np.random.default_rng(0).normal(0, 0.1, image.shape), 0, 1)
    maps = detected(image)
    own = Own(maps)
    clear, blurred_by_noise = own.prominence, prominence(detected(noisy)[0], own)
    assert clear > 1.2 * blurred_by_noise > 0
    assert prominence(2 * maps[0], own) == pytest.approx(clear)
    nothing = np.zeros((50, 50))
    assert np.isnan(Own((nothing, nothing)).prominence)


def test_specks_are_no_pieces() -> None:
    mask = np.zeros((100, 100), bool)
    mask[50, 10:90] = True
    mask[10, 10] = True
    found = pieces(mask, 10_000)
    assert found[50, 10:90].all() and not found[10, 10]
    assert not pieces(np.zeros((9, 9), bool), 81).any()


def test_the_strongest_are_a_tenth() -> None:
    strength = np.random.default_rng(0).random((100, 100))
    assert strongest(strength).mean() == pytest.approx(0.1, abs=0.001)
    assert not strongest(np.zeros((10, 10))).any()
