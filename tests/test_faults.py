"""Planted faults: shape, range and order for each; the formulas by hand for some."""

import numpy as np
import pytest

from clearset.generate.retina.synthesis import eye
from clearset.plant import faults
from clearset.plant.faults import FAULTS, SEVERITIES, Image, degrade, describe, fault
from clearset.plant.shapes import SUITE

KINDS = {
    "blur",
    "noise",
    "dark",
    "bright",
    "contrast",
    "uneven",
    "vignette",
    "shadow",
    "compression",
}
FURTHER = {"burnt", "reflection"}  # of shapes beside the suite
BLURS = ("gaussian_blur", "defocus_blur", "motion_blur", "downscale")
SHAPES = [(48, 64), (48, 64, 3), (10, 10), (11, 40, 3)]

every_fault = pytest.mark.parametrize("name", FAULTS)
every_severity = pytest.mark.parametrize("severity", SEVERITIES)


@pytest.fixture(scope="module")
def retina() -> Image:
    image, _ = eye(np.random.default_rng(0), 256)
    image.flags.writeable = False
    return image


def flat(value: float, shape: tuple[int, ...] = (101, 101)) -> Image:
    return np.full(shape, value)


def noise(shape: tuple[int, ...]) -> Image:
    return np.random.default_rng(0).random(shape)


def raw(image: Image, name: str, severity: int, seed: int = 0) -> Image:
    """Return what a fault's function gives, not cut to the range."""
    entry = FAULTS[name]
    return entry.function(image, entry.levels[severity - 1], np.random.default_rng(seed))


def done(image: Image, name: str, severity: int, seed: int = 0) -> Image:
    return degrade(image, name, severity, np.random.default_rng(seed))


def spread_of_a_point(name: str, severity: int, seed: int = 0) -> tuple[float, float, Image]:
    """Return what becomes of one bright pixel: its light, its variance in px^2, and the image."""
    point = flat(0.0)
    point[50, 50] = 1
    image = raw(point, name, severity, seed)
    y, x = np.indices(image.shape) - 50
    light = float(image.sum(dtype=np.float64))
    return light, float((image * (y**2 + x**2)).sum(dtype=np.float64)) / light, image


@every_fault
def test_a_fault_has_five_levels_a_unit_and_known_kinds(name: str) -> None:
    entry = FAULTS[name]
    assert len(entry.levels) == len(set(entry.levels)) == len(SEVERITIES)
    assert entry.kinds
    assert set(entry.kinds) <= KINDS | FURTHER
    assert entry.unit


def test_every_kind_is_planted_by_some_fault() -> None:
    assert {kind for name in SUITE for kind in FAULTS[name].kinds} == KINDS
    assert {kind for entry in FAULTS.values() for kind in entry.kinds} == KINDS | FURTHER


@every_fault
@every_severity
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shape_type_and_range_are_kept(name: str, severity: int, shape: tuple[int, ...]) -> None:
    result = done(noise(shape), name, severity)
    assert result.shape == shape
    assert result.dtype == np.float64
    assert result.min() >= 0
    assert result.max() <= 1


@every_fault
@every_severity
def test_the_image_given_is_left_alone(name: str, severity: int) -> None:
    image = noise((32, 40))
    image.flags.writeable = False
    result = done(image, name, severity)
    assert np.array_equal(image, noise((32, 40)))
    assert not np.shares_memory(result, image)


@every_fault
@every_severity
def test_the_same_generator_gives_the_same_pixels(name: str, severity: int) -> None:
    image = noise((40, 40))
    first, again = (done(image, name, severity, seed=5) for _ in range(2))
    assert np.array_equal(first, again)


@pytest.mark.parametrize(
    "name", ["motion_blur", "sensor_noise", "blur_noise", "uneven_light", "shadow"]
)
def test_what_is_drawn_by_chance_depends_on_the_generator(name: str) -> None:
    image = noise((40, 40))
    assert not np.array_equal(done(image, name, 3, seed=1), done(image, name, 3, seed=2))


@every_fault
@pytest.mark.parametrize("seed", range(3))
def test_an_image_moves_further_away_with_every_severity(
    name: str, seed: int, retina: Image
) -> None:
    away = [float(np.abs(done(retina, name, s, seed) - retina).mean()) for s in SEVERITIES]
    assert away == sorted(away)
    assert 0 < away[0] < away[-1]


@pytest.mark.parametrize(
    "name", [n for n, entry in FAULTS.items() if not {"noise", "burnt"} & {*entry.kinds}]
)
def test_a_grey_image_in_three_channels_comes_out_as_in_one(name: str, retina: Image) -> None:
    grey, colour = done(retina, name, 3), done(np.dstack([retina] * 3), name, 3)
    for channel in range(3):  # JPEG converts colours: off by a grey level or two
        assert np.abs(colour[..., channel] - grey).max() < 2.5 / 255


@pytest.mark.parametrize("name", BLURS)
def test_a_blur_does_not_mix_the_channels(name: str, retina: Image) -> None:
    colour = np.dstack([retina, np.zeros_like(retina), np.ones_like(retina)])
    result = raw(colour, name, 3)
    for channel in range(3):
        alone = raw(np.ascontiguousarray(colour[..., channel]), name, 3)
        # `resize` cuts what overshoots at the range of all channels: two grey levels, few pixels
        np.testing.assert_allclose(result[..., channel], alone, atol=0.01)


@pytest.mark.parametrize("name", BLURS)
@every_severity
def test_a_blur_leaves_a_constant_image_constant(name: str, severity: int) -> None:
    assert raw(flat(0.37), name, severity) == pytest.approx(flat(0.37), abs=1e-5)


@pytest.mark.parametrize("name", BLURS)
@every_severity
def test_a_blur_keeps_the_mean_and_lowers_the_spread(
    name: str, severity: int, retina: Image
) -> None:
    result = done(retina, name, severity)
    assert result.mean() == pytest.approx(retina.mean(), rel=0.005)
    assert result.std() < retina.std()


@every_severity
def test_a_gaussian_spreads_a_point_by_its_sigma(severity: int) -> None:
    light, variance, _ = spread_of_a_point("gaussian_blur", severity)
    sigma = FAULTS["gaussian_blur"].levels[severity - 1]
    assert light == pytest.approx(1, abs=1e-4)
    assert variance == pytest.approx(2 * sigma**2, rel=0.02)  # sigma^2 along each axis


@every_severity
def test_a_defocused_point_is_a_disc(severity: int) -> None:
    light, variance, image = spread_of_a_point("defocus_blur", severity)
    radius = FAULTS["defocus_blur"].levels[severity - 1]
    assert light == pytest.approx(1, abs=1e-4)
    assert variance == pytest.approx(radius**2 / 2, rel=0.1)
    y, x = np.indices(image.shape) - 50
    assert np.abs(image[np.hypot(y, x) > radius + 1]).max() < 1e-6
    assert image[50, 50] == pytest.approx(1 / (np.pi * radius**2), rel=0.1)


@every_severity
@pytest.mark.parametrize("seed", range(3))
def test_a_moved_point_is_a_line(severity: int, seed: int) -> None:
    light, variance, image = spread_of_a_point("motion_blur", severity, seed)
    length = FAULTS["motion_blur"].levels[severity - 1]
    assert light == pytest.approx(1, abs=1e-4)
    # A line of length - 1 from the first pixel's middle to the last one's, and what interpolating
    # between pixels adds: at most 1/4 along each axis.
    assert 0 <= variance - (length - 1) ** 2 / 12 <= 0.5 + 0.02 * length
    y, x = np.nonzero(image > 1e-5)
    across = np.linalg.svd(np.stack([y - 50, x - 50]).astype(float), compute_uv=False)[1]
    assert across / np.sqrt(y.size) < 1  # no wider than a pixel to each side, at any angle


def test_downscaling_to_a_half_averages_a_checkerboard_away() -> None:
    board = np.indices((64, 64)).sum(axis=0) % 2.0
    inner = raw(board, "downscale", 1)[8:-8, 8:-8]
    assert np.abs(inner - 0.5).max() < 0.05


@every_severity
def test_sensor_noise_has_the_sigma_of_its_level(severity: int) -> None:
    difference = raw(flat(0.5, (300, 300)), "sensor_noise", severity) - 0.5
    assert difference.std() * 255 == pytest.approx(
        FAULTS["sensor_noise"].levels[severity - 1], rel=0.02
    )
    assert abs(difference.mean()) < 0.002


@every_severity
def test_blur_with_noise_is_blur_and_then_noise(severity: int, retina: Image) -> None:
    sigma, of_noise = FAULTS["blur_noise"].levels[severity - 1]
    blurred = FAULTS["gaussian_blur"].function(retina, sigma, np.random.default_rng(0))
    difference = raw(retina, "blur_noise", severity) - blurred
    assert difference.std() * 255 == pytest.approx(of_noise, rel=0.02)
    assert abs(difference.mean()) < 0.002


@pytest.mark.parametrize("name", ["under_exposure", "over_exposure"])
@every_severity
def test_each_exposure_value_halves_or_doubles_the_light(
    name: str, severity: int, retina: Image
) -> None:
    level = FAULTS[name].levels[severity - 1]
    np.testing.assert_allclose(raw(retina, name, severity), retina * 2.0**level, rtol=1e-5)
    assert (level < 0) == (name == "under_exposure")


def test_two_exposure_values_less_leave_a_quarter() -> None:
    assert FAULTS["under_exposure"].levels[2] == -2
    assert done(flat(0.8), "under_exposure", 3) == pytest.approx(flat(0.2))


def test_what_over_exposure_lifts_above_white_is_lost() -> None:
    assert (done(flat(0.6), "over_exposure", 1) == 1).all()


@every_severity
def test_saturation_whitens_the_share_of_its_level(severity: int, retina: Image) -> None:
    white = (done(retina, "saturation", severity) >= 1 - 1e-6).mean()
    assert white == pytest.approx(FAULTS["saturation"].levels[severity - 1], abs=0.002)


def test_saturation_leaves_a_black_image_black() -> None:
    assert not done(flat(0), "saturation", 5).any()


@every_severity
def test_low_contrast_keeps_the_mean_and_scales_the_spread(severity: int, retina: Image) -> None:
    result = done(retina, "low_contrast", severity)
    assert result.mean() == pytest.approx(retina.mean(), rel=1e-4)
    factor = FAULTS["low_contrast"].levels[severity - 1]
    assert result.std() == pytest.approx(retina.std() * factor, rel=1e-3)


@every_severity
@pytest.mark.parametrize("seed", range(3))
def test_uneven_light_falls_evenly_by_its_exposure_values(severity: int, seed: int) -> None:
    exposure = np.log2(raw(flat(0.4), "uneven_light", severity, seed))
    down, across = (np.diff(exposure, axis=axis) * 100 for axis in (0, 1))  # from side to side
    assert np.ptp(down) < 0.01
    assert np.ptp(across) < 0.01
    level = FAULTS["uneven_light"].levels[severity - 1]
    assert np.hypot(down.mean(), across.mean()) == pytest.approx(level, rel=1e-3)


@every_severity
def test_a_vignette_leaves_the_centre_and_takes_its_level_in_the_corners(severity: int) -> None:
    result = raw(flat(0.6), "vignette", severity)
    level = FAULTS["vignette"].levels[severity - 1]
    assert result[50, 50] == pytest.approx(0.6)
    corners = result[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert corners == pytest.approx(np.full(4, 0.6 * (1 - level)), rel=1e-4)
    assert (np.diff(result[50, 50:]) < 0).all()


@every_severity
@pytest.mark.parametrize("seed", range(3))
def test_a_shadow_takes_its_level_somewhere_and_leaves_light_elsewhere(
    severity: int, seed: int
) -> None:
    result = raw(flat(1), "shadow", severity, seed)
    level = FAULTS["shadow"].levels[severity - 1]
    assert result.min() == pytest.approx(1 - level, abs=0.02)
    assert result.min() >= 1 - level
    assert result.max() > 0.95
    assert 0.05 < (result < 1 - level / 2).mean() < 0.4  # a disc of 0.4 to 0.7 in a square of 2


@every_severity
def test_jpeg_gives_whole_grey_levels_close_to_the_image(severity: int, retina: Image) -> None:
    levels = done(retina, "jpeg", severity) * 255
    assert levels == pytest.approx(np.rint(levels), abs=1e-4)
    assert np.abs(levels - retina * 255).mean() < 10


@pytest.mark.parametrize(
    ("name", "severity", "words"),
    [
        ("gaussian_blur", 1, "sigma in px: 0.8"),
        ("under_exposure", 3, "exposure in EV: -2"),
        ("jpeg", 5, "JPEG quality: 7"),
        ("blur_noise", 2, "sigma in px, sigma of noise: (2, 8)"),
    ],
)
def test_a_fault_tells_its_parameters_in_words(name: str, severity: int, words: str) -> None:
    assert describe(name, severity) == words


@every_fault
def test_every_severity_has_words_of_its_own(name: str) -> None:
    assert len({describe(name, severity) for severity in SEVERITIES}) == len(SEVERITIES)


def test_one_decorator_registers_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "FAULTS", {})

    @fault("dark noise", "grey levels taken", (0.1, 0.2, 0.3, 0.4, 0.5))
    def darker(image: Image, level: float, _: np.random.Generator) -> Image:
        return image - level

    assert faults.FAULTS["darker"].kinds == ("dark", "noise")
    rng = np.random.default_rng(0)
    assert degrade(flat(0.3), "darker", 2, rng) == pytest.approx(flat(0.1))
    assert not degrade(flat(0.3), "darker", 5, rng).any()  # cut at black
    assert darker(flat(0.5), 0.5, rng).max() == 0


def test_a_fault_with_other_than_five_levels_is_refused() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        fault("dark", "EV", (1, 2, 3, 4))(lambda image, level, rng: image)
