"""Light of any shape: uneven by as much as it is, wherever it falls, and not by a lens."""

import numpy as np
import numpy.typing as npt
import pytest

from clearset.generate.retina.synthesis import eye
from clearset.measure.metrics import METRICS
from clearset.numeric.grey import of_levels, of_unit
from clearset.numeric.shading import unevenness
from clearset.plant.faults import FAULTS, at_level
from clearset.plant.shapes import SHAPES, SUITE

Image = npt.NDArray[np.float64]
UNEVEN = [name for name in (*SUITE, *SHAPES) if "uneven" in FAULTS[name].kinds]
SIDES = [(96, 96), (96, 140), (200, 96)]


def measured(image: Image, seen: npt.NDArray[np.bool_] | None = None) -> float:
    return of_unit(image, seen).part.unevenness


@pytest.fixture(scope="module")
def eyes() -> list[Image]:
    return [eye(np.random.default_rng(number), 384)[0] for number in range(6)]


@pytest.mark.parametrize("shape", SIDES, ids=str)
@pytest.mark.parametrize("span", [0.0, 0.5, 1.5, 3.0])
def test_a_slope_comes_to_the_difference_between_two_sides(
    shape: tuple[int, int], span: float
) -> None:
    ramp = np.linspace(-0.5, 0.5, shape[0])[:, None] * np.ones(shape)
    assert unevenness(0.25 * 2 ** (span * ramp)) == pytest.approx(span, rel=0.12, abs=1e-6)


def test_a_lens_is_not_uneven() -> None:
    y, x = np.meshgrid(*(np.linspace(-1, 1, 96) for _ in range(2)), indexing="ij")
    for corners in (1.0, 2.0, 4.0):  # EV lost there
        assert unevenness(0.6 * 2 ** (-corners / 2 * (y * y + x * x))) < corners / 4


@pytest.mark.parametrize("name", UNEVEN)
def test_every_shape_shows_the_more_the_deeper_it_is(eyes: list[Image], name: str) -> None:
    ladder = FAULTS[name].ladder or FAULTS[name].levels
    medians = [np.median([measured(image) for image in eyes])]
    for level in ladder[1::2]:
        lit = [
            measured(at_level(image, name, level, np.random.default_rng(number)))
            for number, image in enumerate(eyes)
        ]
        medians.append(np.median(lit))
    assert medians == sorted(medians)
    assert medians[-1] > medians[0] + 1


@pytest.mark.parametrize("name", ["sensor_noise", "gaussian_blur", "low_contrast", "vignette"])
def test_what_is_no_light_hardly_shows(eyes: list[Image], name: str) -> None:
    for number, image in enumerate(eyes):
        faulty = at_level(image, name, FAULTS[name].levels[2], np.random.default_rng(number))
        assert measured(faulty) < measured(image) + 0.35


def test_what_was_not_seen_casts_no_shadow(eyes: list[Image]) -> None:
    y, x = np.ogrid[-1:1:384j, -1:1:384j]
    seen = y * y + x * x < 0.9
    for image in eyes:
        black = np.where(seen, image, 0)
        assert measured(black, seen) == pytest.approx(measured(image, seen), abs=0.25)


def test_dark_lines_are_no_uneven_light() -> None:
    plain = np.full((384, 384), 0.5)
    lined = plain.copy()
    lined[:, 40:200:20] = 0.2
    lined[:, 41:200:20] = 0.2
    assert measured(lined) < 0.4


def test_bands_of_a_colour_image_are_measured_one_by_one(eyes: list[Image]) -> None:
    image = np.dstack([eyes[0]] * 3)
    pixels = np.rint(image * 255).astype(np.uint8)
    noisy = pixels.copy()
    grain = np.random.default_rng(0).normal(0, 12, noisy.shape[:2])
    noisy[..., 2] = np.clip(noisy[..., 2] + grain, 0, 255)
    burnt = pixels.copy()
    burnt[:200, :, 0] = 255

    def of(values: npt.NDArray[np.uint8], name: str) -> float:
        return METRICS[name].function(of_levels(values, 255))

    assert of(noisy, "noise_sigma") > of(pixels, "noise_sigma") + 6
    assert of(burnt, "burnt_share") > 0.5 > of(burnt, "white_share")
    assert of(pixels[..., 0], "burnt_share") == 0
