"""The spectrum of structure: noise of any colour is none of it, and a blur is found through it."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from clearset.generate.retina.synthesis import eye
from clearset.measure.metrics import METRICS, NOTHING
from clearset.measure.spectra import structure
from clearset.numeric.grey import of_unit
from clearset.plant.faults import FAULTS
from clearset.plant.shapes import SHAPES

Image = npt.NDArray[np.float64]
NOISES = [name for name in ("sensor_noise", *SHAPES) if "noise" in FAULTS[name].kinds]


@pytest.fixture(scope="module")
def eyes() -> list[Image]:
    return [eye(np.random.default_rng(number), 512)[0] for number in range(5)]


def sharpness(image: Image) -> float:
    return METRICS["sharpness"].function(of_unit(image))


def noisy(image: Image, name: str, level: float, seed: int = 0) -> Image:
    rng = np.random.default_rng(seed)
    return np.clip(FAULTS[name].function(image, level, rng), 0, 1)


@pytest.mark.parametrize("name", NOISES)
def test_no_noise_makes_a_sharp_image_blurred(eyes: list[Image], name: str) -> None:
    blurred = max(sharpness(ndimage.gaussian_filter(image, 2)) for image in eyes)
    for number, image in enumerate(eyes):
        for level in (6, 16, 30):
            assert sharpness(noisy(image, name, level, number)) > blurred + 2


@pytest.mark.parametrize("name", NOISES)
def test_noise_hides_a_blur_little(eyes: list[Image], name: str) -> None:
    sharp = [sharpness(noisy(image, name, 8, n)) for n, image in enumerate(eyes)]
    soft = [
        sharpness(noisy(ndimage.gaussian_filter(image, 3), name, 8, n))
        for n, image in enumerate(eyes)
    ]
    assert np.median(soft) < np.median(sharp) - 5


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0, 3.0])
def test_the_variance_of_a_blur_is_what_it_adds(eyes: list[Image], sigma: float) -> None:
    added = []
    for image in eyes:
        before, after = (
            structure(of_unit(image)),
            structure(of_unit(ndimage.gaussian_filter(image, sigma))),
        )
        assert before is not None and after is not None
        added.append(np.mean(after.blur - before.blur))
    assert np.median(added) == pytest.approx(sigma**2, rel=0.45)


def test_strong_noise_alone_is_no_tie_at_an_end(eyes: list[Image]) -> None:
    found = [sharpness(noisy(image, "sensor_noise", 60, n)) for n, image in enumerate(eyes)]
    assert len(set(found)) == len(found)
    assert min(found) > NOTHING
    assert sharpness(np.full((256, 256), 0.5)) == NOTHING


def test_it_does_not_depend_on_the_depth_of_levels(eyes: list[Image]) -> None:
    eight = np.rint(eyes[0] * 255) / 255
    assert sharpness(eight) == pytest.approx(sharpness(eyes[0]), abs=0.5)
