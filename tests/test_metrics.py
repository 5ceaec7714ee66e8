"""Metrics: order, ends, units, and the registry."""

import math

import numpy as np
import pytest
from scipy import ndimage

from clearset import metrics
from clearset.metrics import (
    METRICS,
    Image,
    blur_effect,
    entropy,
    laplacian_variance,
    luminance,
    measure,
    metric,
    noise_sigma,
)
from clearset.synthesis import Made

SIGMAS = (0.0, 1.0, 2.0, 4.0)  # of ever stronger blurs, in pixels


@pytest.fixture(scope="module")
def eye(eyes: list[Made]) -> Image:
    return eyes[0].pixels.astype(np.float32) / np.float32(255)


@pytest.fixture(scope="module")
def blurred(eye: Image) -> list[Image]:
    return [ndimage.gaussian_filter(eye, sigma) for sigma in SIGMAS]


def flat(side: int = 256, value: float = 0.5) -> Image:
    return np.full((side, side), value, np.float32)


def ramp(side: int = 256) -> Image:
    return np.tile(np.linspace(0.2, 0.8, side).astype(np.float32), (side, 1))


def every_level() -> Image:
    return np.arange(256, dtype=np.float32).reshape(16, 16) / np.float32(255)


def noise(shape: tuple[int, ...]) -> Image:
    return np.random.default_rng(0).random(shape).astype(np.float32)


def test_laplacian_variance_falls_with_blur(blurred: list[Image]) -> None:
    values = [laplacian_variance(image) for image in blurred]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == len(SIGMAS)


def test_laplacian_variance_is_in_squared_8_bit_grey_levels() -> None:
    checkerboard = (np.indices((12, 12)).sum(axis=0) % 2).astype(np.float32) / 255
    # Each pixel differs from its four neighbours by one grey level: +4 or -4, half of each.
    assert laplacian_variance(checkerboard) == pytest.approx(16, rel=1e-5)


def test_laplacian_variance_grows_with_noise(eye: Image) -> None:
    noisy = eye + 0.05 * noise(eye.shape)
    assert laplacian_variance(noisy) > laplacian_variance(eye)


def test_blur_effect_grows_with_blur_within_its_ends(blurred: list[Image]) -> None:
    values = [blur_effect(image) for image in blurred]
    assert values == sorted(values)
    assert len(set(values)) == len(SIGMAS)
    assert min(values) >= 0
    assert max(values) <= 1


@pytest.mark.parametrize("background", [flat(), ramp()], ids=["flat", "ramp"])
@pytest.mark.parametrize("sigma", [1, 3, 10, 20])
def test_noise_sigma_recovers_a_known_sigma(background: Image, sigma: int) -> None:
    rng = np.random.default_rng(sigma)
    noisy = background + rng.normal(0, sigma / 255, background.shape).astype(np.float32)
    assert noise_sigma(noisy) == pytest.approx(sigma, rel=0.1)


@pytest.mark.parametrize(("row", "response"), [(4, 16), (0, 1)])
def test_noise_sigma_of_one_bright_pixel_by_hand(row: int, response: int) -> None:
    image = np.zeros((9, 11), np.float32)
    image[row, row] = np.float32(1 / 255)
    # The mask's weights sum to 16 without their signs; the border, 1 pixel wide, is left out.
    expected = math.sqrt(math.pi / 2) * response / (6 * 7 * 9)
    assert noise_sigma(image) == pytest.approx(expected, rel=1e-5)


def test_noise_sigma_does_not_see_linear_structure() -> None:
    assert noise_sigma(ramp()) < 0.001


@pytest.mark.parametrize("value", [0.0, 0.37, 1.0])
def test_entropy_of_one_grey_level_is_zero(value: float) -> None:
    assert str(entropy(flat(value=value))) == "0.0"  # and not -0.0


def test_entropy_of_two_equal_halves_is_one_bit() -> None:
    assert entropy(
        np.repeat(np.array([0.2, 0.6], np.float32), 50).reshape(10, 10)
    ) == pytest.approx(1)


def test_entropy_of_all_levels_alike_is_eight_bits() -> None:
    assert entropy(every_level()) == pytest.approx(8)


def test_entropy_does_not_depend_on_where_the_pixels_are() -> None:
    assert entropy(every_level()[::-1].T) == entropy(every_level())


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(
    "image",
    [flat(10, 0), flat(10), flat(64, 1), noise((10, 10)), noise((10, 300)), noise((300, 10))],
    ids=["black", "grey", "white", "tiny", "wide", "high"],
)
def test_every_metric_is_finite(name: str, image: Image) -> None:
    assert math.isfinite(METRICS[name].function(image))


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_leaves_its_image_alone(name: str) -> None:
    image = noise((20, 20))
    image.flags.writeable = False
    assert METRICS[name].function(image) == METRICS[name].function(image.copy())


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_tells_a_reader_what_it_is(name: str) -> None:
    assert METRICS[name].title
    assert METRICS[name].better in ("lower", "higher", "neither")


def test_measuring_gives_every_metric_as_a_number(eye: Image) -> None:
    values = measure(eye)
    assert list(values) == list(METRICS)
    assert {type(value) for value in values.values()} == {float}


def test_a_grey_image_in_three_channels_measures_as_in_one(eye: Image) -> None:
    assert measure(np.dstack([eye] * 3)) == pytest.approx(measure(eye), rel=1e-3)


def test_luminance_keeps_grey_and_white() -> None:
    grey = noise((10, 12))
    assert luminance(grey) is grey
    assert luminance(np.ones((10, 12, 3), np.float32)) == pytest.approx(np.ones((10, 12)))


def test_green_is_the_brightest_and_blue_the_darkest() -> None:
    red, green, blue = luminance(np.eye(3, dtype=np.float32)[None])[0]
    assert green > red > blue > 0


def test_one_decorator_registers_a_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "METRICS", {})

    @metric("Brightest value", better="neither")
    def brightest(image: Image) -> float:
        return float(image.max())

    assert measure(every_level()) == {"brightest": 1.0}
    assert metrics.METRICS["brightest"].title == "Brightest value"
    assert brightest(flat()) == 0.5
