"""The second vessel detector: scikit-image's own filter, faster, and blind to what is no line."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage
from skimage.filters import sato

from clearset.generate.retina import synthesis
from clearset.measure.tubes import SCALES, derivatives, tubeness
from clearset.measure.vessels import scores, vesselness

Image = npt.NDArray[np.float64]
EDGE = 20  # px: scikit-image mirrors its first derivatives once more


@pytest.fixture(scope="module")
def eye() -> tuple[Image, npt.NDArray[np.uint8]]:
    return synthesis.eye(np.random.default_rng(4), 256)


def test_it_is_the_filter_of_scikit_image(eye: tuple[Image, npt.NDArray[np.uint8]]) -> None:
    theirs = sato(eye[0], sigmas=SCALES)
    inside = (slice(EDGE, -EDGE),) * 2
    assert tubeness(eye[0])[inside] == pytest.approx(theirs[inside], abs=0.01 * theirs.max())


def test_it_finds_vessels_though_it_is_not_the_other_detector(
    eye: tuple[Image, npt.NDArray[np.uint8]],
) -> None:
    image, mask = eye
    mine, other = tubeness(image), vesselness(image)
    assert scores(mine, mask)["ap"] > 3 * (mask > 0).mean()
    assert 0.2 < np.corrcoef(mine.ravel(), other.ravel())[0, 1] < 0.95


def test_an_even_image_and_a_slope_have_no_tubes() -> None:
    down = np.indices((60, 70))[0] / 100
    assert tubeness(np.full((60, 70), 0.4)).max() < 1e-12
    assert tubeness(down)[EDGE:-EDGE].max() < 1e-12


def test_a_dark_line_is_a_tube_and_a_bright_one_is_none() -> None:
    line = np.zeros((64, 64))
    line[:, 32] = 1
    soft = ndimage.gaussian_filter(line, 1.5)
    assert tubeness(1 - soft)[32, 32] > 20 * tubeness(soft)[32, 32]


def test_it_grows_with_contrast_and_not_with_light(
    eye: tuple[Image, npt.NDArray[np.uint8]],
) -> None:
    once = tubeness(eye[0])
    assert tubeness(eye[0] * 2) == pytest.approx(2 * once)
    assert tubeness(eye[0] + 0.3) == pytest.approx(once, abs=1e-12)


@pytest.mark.parametrize("sigma", SCALES)
def test_weights_are_a_gaussian_and_its_derivatives(sigma: float) -> None:
    none, first, second = derivatives(sigma)
    places = np.arange(len(none)) - len(none) // 2
    assert none.sum() == pytest.approx(1, abs=1e-3)
    assert (first * places).sum() == pytest.approx(-1, abs=0.01)
    assert second.sum() == pytest.approx(0, abs=1e-15)
    assert (second * places**2).sum() == pytest.approx(2, abs=0.05)
