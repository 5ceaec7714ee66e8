"""Metrics: each moves with its own faults and hardly with others; ends, units, the registry."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from clearset.generate.retina import synthesis
from clearset.generate.retina.synthesis import Made
from clearset.images import codec, levels
from clearset.measure import metrics
from clearset.measure.metrics import METRICS, NOTHING, measure, metric
from clearset.numeric.exact import whole
from clearset.numeric.grey import WHITE, Grey, Image, luminance, of_levels, of_unit
from clearset.plant.faults import SEVERITIES, degrade
from clearset.plant.shapes import SUITE

SIGMAS = (0.0, 1.0, 2.0, 4.0)  # of ever stronger blurs, in pixels
EYES = range(5)


@dataclass(frozen=True)
class Own:
    """The faults that a metric is there for, and whether they raise (1) or lower (-1) it."""

    sign: int
    faults: tuple[str, ...]
    end: float = math.inf  # beyond it, or where it can go no further, severities may tie


BLURS = ("gaussian_blur", "defocus_blur", "motion_blur", "downscale", "blur_noise")
OWN = {
    # Far below any bound; what strong noise leaves to see of a strong blur is drawn towards 0.
    "sharpness": Own(-1, BLURS, end=-15),
    "noise_sigma": Own(1, ("sensor_noise",)),
    "highlights": Own(-1, ("under_exposure",)),
    # From 1.5 EV less on every pixel of an eye lies below 80.
    "dark_share": Own(1, ("under_exposure",), end=1.0),
    "white_share": Own(1, ("over_exposure", "saturation")),
    "local_contrast": Own(-1, ("low_contrast",)),
    "uneven_light": Own(1, ("uneven_light", "shadow")),
    "vignetting": Own(1, ("vignette",)),
    "shadow_depth": Own(1, ("shadow",)),
    "blockiness": Own(1, ("jpeg",)),
}
# A fault that is not a metric's own, at severity 3, moves it by less than this share of what the
# mildest of its own faults does at severity 1.
LITTLE = 0.3
# ... but for these, which do more: at most this share of the own fault at severity 3.
KNOWN_MIX = {
    ("noise_sigma", "blur_noise"): (0.6, "half of the fault is noise"),
    ("noise_sigma", "saturation"): (0.3, "stretching the grey levels stretches the noise"),
    ("highlights", "uneven_light"): (0.45, "the far side is dark, the near one hardly brighter"),
    ("dark_share", "uneven_light"): (0.9, "a dark side is dark pixels"),
    ("dark_share", "vignette"): (0.6, "dark corners are dark pixels"),
}
# What a metric's docstring says that it does not see: also at severity 5.
LIGHT = ("uneven_light", "vignette", "shadow")
BLIND = {
    "sharpness": ("sensor_noise", "under_exposure", "over_exposure", "low_contrast", *LIGHT),
    "noise_sigma": (*BLURS[:4], "under_exposure", "low_contrast", *LIGHT, "jpeg"),
    "highlights": ("vignette", "shadow", "sensor_noise"),
    "white_share": ("sensor_noise", "under_exposure", "low_contrast", *LIGHT),
    "local_contrast": ("under_exposure", "sensor_noise", *LIGHT),
    "uneven_light": (*BLURS, "sensor_noise", "under_exposure", "low_contrast", "vignette"),
    "vignetting": (*BLURS, "sensor_noise", "under_exposure", "low_contrast", "uneven_light"),
    "shadow_depth": (*BLURS, "sensor_noise", "under_exposure", "uneven_light", "vignette"),
    "blockiness": tuple(name for name in SUITE if name != "jpeg"),
}
# Of an image of one grey level, whatever that is; the others are in the tests below.
CONSTANT = dict.fromkeys(METRICS, 0.0) | {"sharpness": NOTHING}


def of_image(name: str) -> Callable[[Image], float]:
    """Return a metric as a function of an image from 0 to 1."""
    return lambda image: METRICS[name].function(of_unit(image))


entropy, laplacian_variance, noise_sigma, sharpness, uneven_light = (
    of_image(name)
    for name in ("entropy", "laplacian_variance", "noise_sigma", "sharpness", "uneven_light")
)
Measured = dict[tuple[str, int, int], dict[str, float]]  # by fault, severity, eye


@pytest.fixture(scope="module")
def measured() -> Measured:
    """Every metric of three eyes with every fault in every severity; severity 0 is none."""
    found = {}
    for number in EYES:
        image, _ = synthesis.eye(np.random.default_rng(number), 512)
        clean = measure(of_unit(image))
        for name in SUITE:
            found[name, 0, number] = clean
            for severity in SEVERITIES:  # the same seed: direction and place stay
                faulty = degrade(image, name, severity, np.random.default_rng(number))
                found[name, severity, number] = measure(of_unit(faulty))
    return found


@pytest.fixture(scope="module")
def eye(eyes: list[Made]) -> Image:
    return eyes[0].pixels / 255


@pytest.fixture(scope="module")
def blurred(eye: Image) -> list[Image]:
    return [ndimage.gaussian_filter(eye, sigma) for sigma in SIGMAS]


def values(found: Measured, metric_name: str, name: str) -> list[float]:
    """Return a metric's median over the eyes, from no fault to the severest."""
    return [
        float(np.median([found[name, severity, number][metric_name] for number in EYES]))
        for severity in (0, *SEVERITIES)
    ]


def move(found: Measured, metric_name: str, name: str, severity: int) -> float:
    """Return how far a fault moves a metric towards its faulty end: the median over the eyes."""
    apart = [
        found[name, severity, number][metric_name] - found[name, 0, number][metric_name]
        for number in EYES
    ]
    return OWN[metric_name].sign * float(np.median(apart))


def own_move(found: Measured, metric_name: str, severity: int) -> float:
    """Return how far the mildest of a metric's own faults moves it."""
    return min(move(found, metric_name, name, severity) for name in OWN[metric_name].faults)


def flat(side: int = 256, value: float = 0.5) -> Image:
    return np.full((side, side), value)


def ramp(side: int = 256) -> Image:
    return np.tile(np.linspace(0.2, 0.8, side), (side, 1))


def every_level() -> Image:
    return np.arange(256).reshape(16, 16) / 255


def noise(shape: tuple[int, ...]) -> Image:
    return np.random.default_rng(0).random(shape)


def test_laplacian_variance_falls_with_blur(blurred: list[Image]) -> None:
    values = [laplacian_variance(image) for image in blurred]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == len(SIGMAS)


def test_laplacian_variance_is_in_squared_8_bit_grey_levels() -> None:
    checkerboard = (np.indices((12, 12)).sum(axis=0) % 2) / 255
    # Each pixel differs from its four neighbours by one grey level: +4 or -4, half of each.
    assert laplacian_variance(checkerboard) == pytest.approx(16, rel=1e-5)


def test_laplacian_variance_grows_with_noise(eye: Image) -> None:
    noisy = eye + 0.05 * noise(eye.shape)
    assert laplacian_variance(noisy) > laplacian_variance(eye)


@pytest.mark.parametrize(
    ("metric_name", "name"), [(m, name) for m, own in OWN.items() for name in own.faults]
)
def test_a_metric_moves_on_with_every_severity_of_its_own_faults(
    measured: Measured, metric_name: str, name: str
) -> None:
    own = OWN[metric_name]
    moves = [
        min(own.sign * value, own.sign * own.end if math.isfinite(own.end) else math.inf)
        for value in values(measured, metric_name, name)
    ]
    for milder, severer in pairwise(moves):
        assert severer > milder or severer == milder == own.sign * own.end


@pytest.mark.parametrize(
    ("metric_name", "name"),
    [
        (m, name)
        for m, own in OWN.items()
        for name in SUITE
        if name not in own.faults and (m, name) not in KNOWN_MIX
    ],
)
def test_a_metric_hardly_moves_with_a_fault_that_is_not_its_own(
    measured: Measured, metric_name: str, name: str
) -> None:
    moved = move(measured, metric_name, name, 3)
    assert moved < LITTLE * own_move(measured, metric_name, 1)


@pytest.mark.parametrize(("metric_name", "name"), KNOWN_MIX)
def test_the_known_mixes_are_so_and_less_than_the_own_fault(
    measured: Measured, metric_name: str, name: str
) -> None:
    moved, (share, reason) = move(measured, metric_name, name, 3), KNOWN_MIX[metric_name, name]
    assert moved >= LITTLE * own_move(measured, metric_name, 1), f"no longer true: {reason}"
    assert moved < share * own_move(measured, metric_name, 3)


@pytest.mark.parametrize(
    ("metric_name", "name"), [(m, name) for m, names in BLIND.items() for name in names]
)
def test_a_metric_does_not_see_what_its_description_says_even_when_severe(
    measured: Measured, metric_name: str, name: str
) -> None:
    moved = move(measured, metric_name, name, 5)
    assert moved < LITTLE * own_move(measured, metric_name, 1)


def test_noise_hides_a_blur_from_the_laplacian_and_not_from_the_sharpness(
    measured: Measured,
) -> None:
    laplacian, sharp = (
        values(measured, name, "blur_noise") for name in ("laplacian_variance", "sharpness")
    )
    assert min(laplacian[1:]) > laplacian[0]
    assert max(sharp[1:]) < sharp[0] - 5


def test_noise_hides_a_blur_of_ravir_from_the_laplacian_and_not_from_the_sharpness(
    ravir: Path,
) -> None:
    files = sorted((ravir / "RAVIR Dataset" / "train" / "training_images").glob("*.png"))[:3]
    assert len(files) == 3
    for file in files:
        pixels = codec.decode(file)
        image = luminance(levels.unit(levels.bands(pixels, levels.of_type(pixels))))
        for severity in (2, 3, 4, 5):
            noisy = degrade(image, "blur_noise", severity, np.random.default_rng(0))
            assert laplacian_variance(noisy) > laplacian_variance(image)
            assert sharpness(noisy) < sharpness(image) - 5


def test_the_worst_of_four_directions_counts_for_sharpness(eye: Image) -> None:
    rows = ndimage.gaussian_filter1d(eye, 2, axis=0)
    columns = ndimage.gaussian_filter1d(eye, 2, axis=1)
    for moved in (rows, columns):
        assert sharpness(moved) < sharpness(eye) - 5


def test_sharpness_does_not_depend_on_brightness_or_contrast(eye: Image) -> None:
    for changed in (eye * 0.2, eye * 0.2 + 0.5):
        assert sharpness(changed) == pytest.approx(sharpness(eye), abs=0.01)


@pytest.mark.parametrize("shape", [(256, 256), (64, 64), (10, 10), (10, 300), (300, 10)], ids=str)
@pytest.mark.parametrize("value", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("name", METRICS)
def test_a_constant_image_has_the_value_that_its_grey_level_gives(
    name: str, value: float, shape: tuple[int, int]
) -> None:
    dark, white = float(value < 80 / 255), float(value == 1)
    of_grey = {
        "highlights": 255 * value,
        "dark_share": dark,
        "white_share": white,
    }
    found = of_image(name)(np.full(shape, value))
    assert found == pytest.approx((CONSTANT | of_grey)[name], abs=0.002)  # half of a 16-bit level


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("name", METRICS)
def test_no_metric_of_a_constant_image_is_minus_zero(name: str, value: float) -> None:
    assert str(of_image(name)(flat(10, value))) != "-0.0"  # a table would say -0


@pytest.mark.parametrize("name", METRICS)
def test_an_image_stored_in_16_bits_measures_as_in_8(name: str, eyes: list[Made]) -> None:
    for one in eyes[:3]:
        eight, sixteen = one.pixels, one.pixels.astype(np.uint16) * np.uint16(257)
        shallow, deep = (
            METRICS[name].function(of_levels(pixels, np.iinfo(pixels.dtype).max))
            for pixels in (eight, sixteen)
        )
        assert deep == pytest.approx(shallow, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("shape", [(1, 16), (16, 1), (1, 1), (2, 3)], ids=str)
@pytest.mark.parametrize("name", ["sharpness", "highlights", "white_share", "local_contrast"])
def test_a_line_of_pixels_is_measured(name: str, shape: tuple[int, int]) -> None:
    assert math.isfinite(of_image(name)(noise(shape)))


@pytest.mark.parametrize(
    ("name", "level", "below", "at"), [("dark_share", 80, 1, 0), ("white_share", 250, 0, 1)]
)
def test_a_share_changes_at_its_grey_level(name: str, level: int, below: int, at: int) -> None:
    share: Callable[[Image], float] = of_image(name)
    for pixel, expected in ((level - 1, below), (level, at)):
        assert share(levels.unit(np.full((16, 16), pixel, np.uint8))) == expected


def test_shares_by_hand() -> None:
    image = levels.unit(np.array([[0, 79, 80, 249], [250, 255, 100, 100]], np.uint8))
    assert of_image("dark_share")(image) == 2 / 8
    assert of_image("white_share")(image) == 2 / 8


def test_highlights_are_what_a_tenth_of_the_image_reaches_and_no_speck() -> None:
    image = flat(96, 0.2)
    image[:20] = 0.8
    assert of_image("highlights")(image) == pytest.approx(0.8 * 255)
    image[4:] = 0.2  # a twenty-fourth
    assert of_image("highlights")(image) == pytest.approx(0.2 * 255)


def test_local_contrast_of_stripes_by_hand_and_white_does_not_count() -> None:
    stripes = np.tile(np.array([0.3, 0.5]), (96, 48))
    assert of_image("local_contrast")(stripes) == pytest.approx(0.1 / 0.4, rel=1e-4)
    stripes[:, 48:] = 1
    assert of_image("local_contrast")(stripes) == pytest.approx(0.1 / 0.4, rel=1e-4)


def test_light_is_measured_in_exposure_values() -> None:
    axis = np.linspace(-1, 1, 384)
    # The smoothing before the fit flattens the ends: 4 % of a slope are lost, 13 % of a vignette.
    sloped = np.tile(0.4 * 2 ** (0.75 * axis), (384, 1))
    assert uneven_light(sloped) == pytest.approx(1.5, rel=0.05)
    square = axis[:, None] ** 2 + axis**2
    dark_corners = 0.8 * 2 ** (-square)
    assert of_image("vignetting")(dark_corners) == pytest.approx(2, rel=0.15)
    assert of_image("vignetting")(1 - dark_corners) < 0  # brighter at the corners


def test_a_shadow_is_deeper_with_every_exposure_value_and_never_deeper_than_it_is() -> None:
    found = []
    for depth in (0, 1, 2, 3):
        shaded = flat(384, 0.8)
        shaded[100:260, 100:260] /= 2**depth  # a sixth of the image
        found.append(of_image("shadow_depth")(shaded))
        assert 0.4 * depth - 1e-6 < found[-1] < depth + 1e-6  # its soft rim, and the fit, take some
    assert found == sorted(found)


def test_steps_at_every_eighth_pixel_are_blocks_and_elsewhere_are_not() -> None:
    rng = np.random.default_rng(0)
    blocks = rng.uniform(0.3, 0.7, (16, 16)).repeat(8, 0).repeat(8, 1)
    blocky = of_image("blockiness")
    assert blocky(blocks) > 20
    assert blocky(blocks[3:-5, 3:-5]) == 0
    assert blocky(blocks[:, :1].repeat(128, 1)) == 0  # in both directions or not at all


def test_vessels_show_less_in_a_blurred_or_flat_image(blurred: list[Image]) -> None:
    visible = of_image("vessel_visibility")
    found = [visible(image) for image in blurred]
    assert found == sorted(found, reverse=True)
    assert visible(blurred[0] * 0.5) == pytest.approx(found[0], rel=1e-4)


@pytest.mark.parametrize("background", [flat(), ramp()], ids=["flat", "ramp"])
@pytest.mark.parametrize("sigma", [1, 3, 10, 20])
def test_noise_sigma_recovers_a_known_sigma(background: Image, sigma: int) -> None:
    rng = np.random.default_rng(sigma)
    noisy = background + rng.normal(0, sigma / 255, background.shape)
    assert noise_sigma(noisy) == pytest.approx(sigma, rel=0.1)


@pytest.mark.parametrize(("row", "response"), [(4, 16), (0, 1)])
def test_noise_sigma_of_one_bright_pixel_by_hand(row: int, response: int) -> None:
    image = np.zeros((9, 11))
    image[row, row] = 1 / 255
    # The mask's weights sum to 16 without their signs; the border, 1 pixel wide, is left out.
    expected = math.sqrt(math.pi / 2) * response / (6 * 7 * 9)
    assert noise_sigma(image) == pytest.approx(expected, rel=1e-5)


def test_noise_sigma_does_not_see_linear_structure() -> None:
    assert noise_sigma(ramp()) < 0.001


@pytest.mark.parametrize("value", [0.0, 0.37, 1.0])
def test_entropy_of_one_grey_level_is_zero(value: float) -> None:
    assert str(entropy(flat(value=value))) == "0.0"  # and not -0.0


def test_entropy_of_two_equal_halves_is_one_bit() -> None:
    assert entropy(np.repeat(np.array([0.2, 0.6]), 50).reshape(10, 10)) == pytest.approx(1)


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
    assert math.isfinite(of_image(name)(image))


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_leaves_its_image_alone(name: str) -> None:
    image = noise((20, 20))
    image.flags.writeable = False
    assert of_image(name)(image) == of_image(name)(image.copy())


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_tells_a_reader_what_it_is(name: str) -> None:
    assert METRICS[name].title
    assert METRICS[name].better in ("lower", "higher", "neither")


def test_measuring_gives_every_metric_as_a_number(eye: Image) -> None:
    values = measure(of_unit(eye))
    assert list(values) == list(METRICS)
    assert {type(value) for value in values.values()} == {float}


def test_a_grey_image_in_three_channels_measures_as_in_one(eye: Image) -> None:
    several, one = (measure(of_unit(image)) for image in (np.dstack([eye] * 3), eye))
    assert several == pytest.approx(one, rel=1e-3)


def test_luminance_keeps_grey_and_white() -> None:
    grey = noise((10, 12))
    assert luminance(grey) is grey
    assert luminance(np.ones((10, 12, 3))) == pytest.approx(np.ones((10, 12)))


def test_green_is_the_brightest_and_blue_the_darkest() -> None:
    red, green, blue = luminance(np.eye(3)[None])[0]
    assert green > red > blue > 0


def test_one_decorator_registers_a_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "METRICS", {})

    @metric("Brightest value", better="neither")
    def brightest(image: Grey) -> float:
        return float(image.levels.max() / image.white)

    assert measure(of_unit(every_level())) == {"brightest": 1.0}
    assert metrics.METRICS["brightest"].title == "Brightest value"
    assert brightest(of_unit(flat())) == whole(0.5 * WHITE, int) / WHITE
