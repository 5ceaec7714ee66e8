"""Enhancements: shape, alpha and range are kept; each method does what it says."""

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from clearset.generate.retina.synthesis import Made
from clearset.measure import metrics
from clearset.numeric.grey import of_unit
from clearset.numeric.seen import Seen
from clearset.repair import enhancements, steps
from clearset.repair.enhancements import ENHANCEMENTS, Image, enhancement
from clearset.repair.steps import check_steps, describe, describe_step, enhance, options, steps_for
from clearset.store.errors import ClearsetError

SHAPES = [(32, 40), (32, 40, 1), (32, 40, 2), (32, 40, 3), (32, 40, 4), (32, 40, 13)]
SHAPES += [(10, 10), (10, 10, 3)]
LOW = {"rescale_intensity": {"low": 0}}
SHARPEN = {"method": "unsharp_mask", "radius": 1.0, "amount": 1.0}


def laplacian_variance(image: Image) -> float:
    return metrics.laplacian_variance(of_unit(image))


def noise_sigma(image: Image) -> float:
    return metrics.noise_sigma(of_unit(image))


@pytest.fixture(scope="module")
def eye(eyes: list[Made]) -> Image:
    return eyes[0].pixels / 255


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test register methods of its own."""
    own = dict(ENHANCEMENTS)
    for module in (enhancements, steps):
        monkeypatch.setattr(module, "ENHANCEMENTS", own)


def noise(shape: tuple[int, ...]) -> Image:
    return np.random.default_rng(0).random(shape)


def step(method: str, **given: float) -> dict[str, Any]:
    """Return a step; options not given are 1, which all but `low` take."""
    return {"method": method} | dict.fromkeys(options(method), 1) | LOW.get(method, {}) | given


def done(image: Image, method: str, **given: float) -> Image:
    return enhance(image, [step(method, **given)])[0]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("method", ENHANCEMENTS)
def test_every_method_keeps_shape_and_range(method: str, shape: tuple[int, ...]) -> None:
    result, clipped = enhance(noise(shape), [step(method)])
    assert result.shape == shape
    assert result.dtype == np.float64
    assert result.min() >= 0
    assert result.max() <= 1
    assert 0 <= clipped <= 1


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("method", ENHANCEMENTS)
def test_alpha_is_untouched_and_does_not_matter(method: str, channels: int) -> None:
    image = noise((32, 40, channels))
    colours = image[..., 0] if channels == 2 else image[..., :3]
    result, _ = enhance(image, [step(method)], channels - 1)
    assert np.array_equal(result[..., -1], image[..., -1])
    assert np.array_equal(result[..., :-1].squeeze(), done(colours, method))


@pytest.mark.parametrize("method", ENHANCEMENTS)
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_every_method_takes_a_constant_image(method: str, value: float) -> None:
    assert np.isfinite(done(np.full((24, 24), value), method)).all()


@pytest.mark.parametrize("method", ENHANCEMENTS)
def test_every_method_leaves_its_image_alone(method: str) -> None:
    image = noise((24, 24))
    image.flags.writeable = False
    done(image, method)


def test_no_step_changes_nothing() -> None:
    image = noise((12, 12, 4))
    result, clipped = enhance(image, [])
    assert np.array_equal(result, image)
    assert clipped == 0


@pytest.mark.usefixtures("registry")
def test_steps_run_in_order_and_are_clipped_once_at_the_end() -> None:
    @enhancement
    def scale(image: Image, seen: Seen | None, *, factor: float) -> Image:
        return image * factor

    @enhancement
    def shift(image: Image, seen: Seen | None, *, offset: float) -> Image:
        return image + offset

    image = np.full((4, 4), 0.75)
    there_and_back = [step("scale", factor=2), step("shift", offset=-1)]
    result, clipped = enhance(image, there_and_back)
    assert result == pytest.approx(np.full((4, 4), 0.5))
    assert clipped == 0
    result, clipped = enhance(image, there_and_back[::-1])
    assert (result.max(), clipped) == (0, 1)
    assert shift(scale(image, None, factor=0), None, offset=1).max() == 1


@pytest.mark.usefixtures("registry")
def test_the_share_of_clipped_values_counts_both_ends_without_alpha() -> None:
    @enhancement
    def stretch(image: Image, seen: Seen | None, *, factor: float) -> Image:
        return (image - 0.5) * factor + 0.5

    image = np.zeros((4, 4, 2))
    image[..., 0] = [0.1, 0.5, 0.5, 0.9]
    result, clipped = enhance(image, [step("stretch", factor=2)], 1)
    assert clipped == 0.5
    assert result[0, :, 0] == pytest.approx([0, 0.5, 0.5, 1])
    assert stretch(image, None, factor=1) == pytest.approx(image)


def test_black_and_white_are_not_clipped() -> None:
    assert enhance(np.array([[0.0, 1.0]]), [step("gamma")])[1] == 0


def test_what_sharpening_adds_beyond_white_is_counted_as_clipped() -> None:
    edge = np.repeat(np.array([0.0, 1.0]), 16) * np.ones((32, 1))
    assert enhance(edge, [SHARPEN])[1] > 0.1


@pytest.mark.usefixtures("registry")
def test_one_decorator_registers_a_method() -> None:
    @enhancement
    def invert(image: Image, seen: Seen | None, *, amount: float) -> Image:
        return image * (1 - amount) + (1 - image) * amount

    check_steps([{"method": "invert", "amount": 1}])
    assert options("invert") == ["amount"]
    assert done(np.zeros((4, 4)), "invert").min() == 1
    assert invert(np.zeros((4, 4)), None, amount=0).max() == 0


def test_the_rule_of_a_step_is_passed_over() -> None:
    check_steps([SHARPEN | {"rule": "blur"}])
    result, _ = enhance(noise((12, 12)), [SHARPEN | {"rule": "blur"}])
    assert np.array_equal(result, enhance(noise((12, 12)), [SHARPEN])[0])


@pytest.mark.parametrize("method", ENHANCEMENTS)
def test_a_method_without_an_option_names_what_is_missing(method: str) -> None:
    first = sorted(options(method))[0]
    given = {key: value for key, value in step(method).items() if key != first}
    with pytest.raises(ClearsetError, match=f"{method} takes .*{first}.*missing: {first}"):
        check_steps([given])


def test_an_unknown_method_is_named_with_the_known_ones() -> None:
    with pytest.raises(ClearsetError, match=r"unknown method 'sharpen'\. Known: .*unsharp_mask"):
        check_steps([{"method": "sharpen"}])


def test_an_unknown_option_is_named_with_the_known_ones() -> None:
    with pytest.raises(ClearsetError, match="takes amount, radius; unknown: sigma, missing: none"):
        check_steps([SHARPEN | {"sigma": 1}])


def test_a_later_step_is_checked_too() -> None:
    with pytest.raises(ClearsetError, match="unknown method 'x'"):
        check_steps([SHARPEN, {"method": "x"}])


@pytest.mark.parametrize("value", ["1", None, True, [1], float("nan"), float("inf")])
def test_an_option_that_is_no_finite_number_is_named(value: object) -> None:
    with pytest.raises(ClearsetError, match=r"unsharp_mask\.amount is .*finite number"):
        check_steps([SHARPEN | {"amount": value}])


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("unsharp_mask", {"radius": 0}),
        ("unsharp_mask", {"amount": -0.1}),
        ("clahe", {"tiles": 0}),
        ("clahe", {"tiles": 1.5}),
        ("clahe", {"clip_limit": 1.1}),
        ("clahe", {"clip_limit": -0.1}),
        ("gamma", {"gamma": 0}),
        ("denoise", {"strength": 0}),
        ("denoise", {"sigma": -1}),
        ("denoise_tv", {"weight": 0}),
        ("denoise_bilateral", {"strength": 0}),
        ("denoise_bilateral", {"sigma_spatial": -1}),
        ("cored_unsharp_mask", {"radius": 0}),
        ("cored_unsharp_mask", {"core": -0.5}),
        ("rescale_intensity", {"low": -0.1}),
        ("rescale_intensity", {"high": 1.5}),
        ("divide_background", {"sigma": 0}),
        ("richardson_lucy", {"iterations": 2.5}),
        ("richardson_lucy", {"sigma": 0}),
        ("wiener", {"balance": 0}),
    ],
)
def test_an_option_out_of_range_is_named(method: str, given: dict[str, float]) -> None:
    with pytest.raises(ClearsetError, match=f"{method}: .*{next(iter(given.values()))}"):
        done(noise((12, 12)), method, **given)


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("unsharp_mask", {"radius": 0.1, "amount": 0}),
        ("clahe", {"tiles": 1, "clip_limit": 0}),
        ("clahe", {"tiles": 2.0, "clip_limit": 1}),
        ("gamma", {"gamma": 0.01}),
        ("denoise", {"strength": 0.01, "sigma": 0.1}),
        ("cored_unsharp_mask", {"radius": 0.1, "amount": 0, "core": 0}),
        ("rescale_intensity", {"low": 0, "high": 1}),
    ],
)
def test_the_ends_of_a_range_are_allowed(method: str, given: dict[str, float]) -> None:
    assert np.isfinite(done(noise((12, 12)), method, **given)).all()


def test_a_step_reads_as_a_call() -> None:
    assert describe_step(SHARPEN | {"rule": "blur"}) == "unsharp_mask(radius=1, amount=1)"


def test_sharpening_raises_the_laplacian_variance_with_its_amount(eye: Image) -> None:
    values = [laplacian_variance(done(eye, "unsharp_mask", amount=amount)) for amount in range(4)]
    assert values == sorted(values)
    assert len(set(values)) == 4


@pytest.mark.parametrize("shape", [(24, 24), (24, 24, 3)])
def test_sharpening_by_nothing_changes_nothing(shape: tuple[int, ...]) -> None:
    assert done(noise(shape), "unsharp_mask", amount=0) == pytest.approx(noise(shape), abs=1e-6)


@pytest.mark.parametrize("method", ["unsharp_mask", "gamma"])
def test_each_colour_is_repaired_as_a_grey_image(method: str) -> None:
    image = noise((24, 24, 3))
    expected = np.dstack([done(image[..., channel], method) for channel in range(3)])
    assert done(image, method) == pytest.approx(expected, abs=1e-6)


def test_gamma_below_one_brightens_and_above_darkens(eye: Image) -> None:
    inside = (eye > 0) & (eye < 1)
    assert (done(eye, "gamma", gamma=0.6) > eye)[inside].all()
    assert (done(eye, "gamma", gamma=1.6) < eye)[inside].all()


@pytest.mark.parametrize("value", [0.5, 1.0, 2.0])
def test_gamma_keeps_black_and_white(value: float) -> None:
    ends = np.array([[0.0, 1.0]])
    assert np.array_equal(done(ends, "gamma", gamma=value), ends)


def test_gamma_one_changes_nothing(eye: Image) -> None:
    assert done(eye, "gamma", gamma=1) == pytest.approx(eye, abs=1e-12)


@pytest.mark.parametrize("channels", [1, 3])
def test_denoising_lowers_noise_and_keeps_the_brightness(channels: int) -> None:
    grain = np.random.default_rng(0).normal(0.5, 10 / 255, (64, 64, channels))
    noisy = grain
    result = done(noisy, "denoise", strength=0.8, sigma=10)
    assert noise_sigma(result[..., 0]) < 0.5 * noise_sigma(noisy[..., 0])
    assert result.mean() == pytest.approx(noisy.mean(), abs=0.002)


def test_denoising_keeps_an_edge() -> None:
    edge = np.repeat(np.array([0.2, 0.8]), 16) * np.ones((32, 1))
    assert done(edge, "denoise", strength=0.8, sigma=5) == pytest.approx(edge, abs=0.01)


@pytest.mark.parametrize("shape", [(64, 64), (64, 64, 3)])
def test_clahe_raises_a_low_contrast(shape: tuple[int, ...]) -> None:
    dull = noise(shape) * 0.1 + 0.4
    assert done(dull, "clahe", tiles=8, clip_limit=0.02).std() > 1.5 * dull.std()


def test_clahe_of_several_tiles_treats_them_differently() -> None:
    halves = noise((64, 64)) * 0.2
    halves[:, 32:] += 0.6
    gap = [
        float(result[:, 56:].mean() - result[:, :8].mean())
        for result in (done(halves, "clahe", tiles=tiles, clip_limit=1) for tiles in (1, 8))
    ]
    assert gap[1] < 0.5 * gap[0]


def test_clahe_takes_more_tiles_than_pixels() -> None:
    assert done(noise((10, 10)), "clahe", tiles=64, clip_limit=0.5).shape == (10, 10)


def test_clahe_takes_what_an_earlier_step_left_out_of_range() -> None:
    steps = [step("unsharp_mask", amount=5), step("clahe", tiles=2, clip_limit=0.5)]
    result, _ = enhance(noise((24, 24)), steps)
    assert np.isfinite(result).all()


def test_an_impossible_value_is_refused_before_any_image() -> None:
    with pytest.raises(ClearsetError, match=r"mine.enhance: gamma: 0 must be above 0"):
        check_steps([{"method": "gamma", "gamma": 0}], "mine.enhance")


def blurred(sigma: float) -> tuple[Image, Image]:
    """Return a pattern of lines without noise, and the same blurred."""
    y, x = np.mgrid[:64, :64] / 64
    sharp = 0.5 + 0.3 * np.sign(np.sin(40 * (x + y * y)))
    return sharp, ndimage.gaussian_filter(sharp, sigma)


def apart(one: Image, other: Image) -> float:
    return float(np.abs(one - other)[8:-8, 8:-8].mean())


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("richardson_lucy", {"sigma": 1.5, "iterations": 20}),
        ("wiener", {"sigma": 1.5, "balance": 0.001}),
        ("unsharp_mask", {"radius": 1.5, "amount": 1}),
        ("cored_unsharp_mask", {"radius": 1.5, "amount": 1, "core": 0.5}),
    ],
)
def test_undoing_a_blur_brings_the_sharp_image_nearer(method: str, given: dict[str, float]) -> None:
    sharp, soft = blurred(1.5)
    assert apart(done(soft, method, **given), sharp) < 0.9 * apart(soft, sharp)


def test_deconvolution_in_colour_is_that_of_each_band() -> None:
    image = noise((24, 24, 3))
    for method in ("richardson_lucy", "wiener"):
        bands = [done(image[..., band], method) for band in range(3)]
        assert done(image, method) == pytest.approx(np.dstack(bands), abs=1e-5)


def test_coring_spares_flat_places_of_what_sharpening_does_to_their_noise() -> None:
    grain = np.random.default_rng(0).normal(0.5, 0.02, (64, 64))
    plain = done(grain, "unsharp_mask", radius=1, amount=2)
    cored = done(grain, "cored_unsharp_mask", radius=1, amount=2, core=2)
    assert noise_sigma(cored) < 1.2 * noise_sigma(grain) < 0.6 * noise_sigma(plain)


def test_without_a_core_it_is_the_unsharp_mask(eye: Image) -> None:
    plain = done(eye, "unsharp_mask", radius=1, amount=1)
    assert done(eye, "cored_unsharp_mask", core=0) == pytest.approx(plain, abs=1e-3)


def test_stretching_undoes_lost_light_and_lost_contrast(eye: Image) -> None:
    lost = [eye * 0.2, eye * 0.2 + 0.4]
    one, two, whole = (
        done(image, "rescale_intensity", low=0.01, high=0.99) for image in (*lost, eye)
    )
    assert one == pytest.approx(whole, abs=0.01)
    assert two == pytest.approx(whole, abs=0.01)
    assert np.quantile(whole, [0.01, 0.99]) == pytest.approx([0.05, 0.8], abs=0.01)


def test_dividing_by_the_background_evens_the_light_and_keeps_the_mean(eye: Image) -> None:
    lit = eye * np.linspace(0.3, 1, eye.shape[1])
    even = done(lit, "divide_background", sigma=20)
    sides = [
        abs(float(np.log(image[:, :30].mean() / image[:, -30:].mean()))) for image in (lit, even)
    ]
    assert sides[1] < 0.3 * sides[0]
    assert even.mean() == pytest.approx(lit.mean(), rel=0.05)


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("denoise", {"strength": 0.8, "sigma": 0}),
        ("denoise_tv", {"weight": 1}),
        ("denoise_bilateral", {"strength": 3, "sigma_spatial": 2}),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_denoiser_that_estimates_the_noise_lowers_it_and_keeps_an_edge(
    method: str, given: dict[str, float], channels: int
) -> None:
    edge = np.repeat(np.array([0.2, 0.8]), 32) * np.ones((64, 1))
    clean = np.dstack([edge] * channels)
    noisy = clean + np.random.default_rng(0).normal(0, 0.03, clean.shape)
    result = done(noisy, method, **given)
    assert noise_sigma(result[..., 0]) < 0.5 * noise_sigma(noisy[..., 0])
    assert apart(result[..., 0], clean[..., 0]) < 0.6 * apart(noisy[..., 0], clean[..., 0])


def test_a_step_that_two_rules_call_for_is_done_once_and_in_order() -> None:
    sharpen: dict[str, Any] = dict(SHARPEN)
    steps = [
        sharpen | {"rule": "blur"},
        {"rule": "dark", "method": "gamma", "gamma": 0.7},
        sharpen | {"rule": "dark"},
        {"rule": "all", "method": "gamma", "gamma": 0.9},
        {"rule": "other", "method": "gamma", "gamma": 0.5},
    ]
    found = describe(steps_for(["blur", "dark"], steps))
    once = "unsharp_mask(radius=1, amount=1)"
    assert found == f"{once} > gamma(gamma=0.7) > gamma(gamma=0.9)"
    assert describe(steps_for([], steps)) == "gamma(gamma=0.9)"
