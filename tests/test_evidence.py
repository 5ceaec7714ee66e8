"""Evidence without masks: nothing for doing nothing, against noise, for vessels made plainer."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from clearset.config import composition
from clearset.config.schema_accept import Bounds, Verdict
from clearset.generate.retina import synthesis
from clearset.measure.vessels import vesselness
from clearset.plant.faults import degrade
from clearset.proof import evidence
from clearset.proof.detected import connected, precisions, strongest
from clearset.proof.evidence import (
    EVIDENCE,
    Original,
    Repair,
    broken,
    check_bounds,
    gathered,
    verdict,
)
from clearset.proof.phantoms import phantom
from clearset.repair.steps import enhance
from clearset.store.errors import ClearsetError

Image = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
SIZE = 512
PUBLISHED = {"method": "unsharp_mask", "radius": 1.0, "amount": 15.0}
GAMMA = {"method": "gamma", "gamma": 0.7}
DARKER = {"method": "gamma", "gamma": 1.4}
RULE = {
    name: Bounds(**{**bound, "otherwise": Verdict(bound["otherwise"])})
    for name, bound in composition.composed()["sample"]["accept"].items()
}
DENOISED = {"method": "denoise", "strength": 0.8, "sigma": 0}


def rounded(image: Image) -> Image:
    return np.rint(np.clip(image, 0, 1) * 255) / 255


@pytest.fixture(scope="module")
def drawings() -> list[tuple[Image, Mask]]:
    """Eyes, and where their vessels were drawn."""
    pairs = (synthesis.eye(np.random.default_rng(n), SIZE) for n in range(2))
    return [(rounded(image), vessels > 0) for image, vessels in pairs]


@pytest.fixture(scope="module")
def eyes(drawings: list[tuple[Image, Mask]]) -> list[Image]:
    return [image for image, _ in drawings]


def noisy(image: Image, sigma: float = 15) -> Image:
    grain = np.random.default_rng(0).normal(0, sigma / 255, image.shape)
    return rounded(image + grain)


def case(image: Image, *steps: dict[str, object]) -> tuple[Original, Repair]:
    """An image and its repair by these steps."""

    def again(other: Image) -> Image:
        return rounded(enhance(other, steps)[0])

    return Original(image, rounded), Repair(again(image), again)


def test_doing_nothing_changes_nothing(eyes: list[Image]) -> None:
    found = gathered(*case(eyes[0]), EVIDENCE)
    changes = {"phantom_gain", "own_gain", "connectivity", "expected_gain", "clipping"}
    assert {name: found[name] for name in changes} == dict.fromkeys(changes, 0)
    assert found["consensus"] == pytest.approx(1)
    assert found["standing_out"] == 1


@pytest.mark.parametrize("number", range(2))
def test_a_denoiser_helps_a_noisy_eye_and_strong_sharpening_harms_it(
    eyes: list[Image], number: int
) -> None:
    image = noisy(eyes[number], 8)
    helped = gathered(*case(image, DENOISED), EVIDENCE)
    harmed = gathered(*case(image, PUBLISHED), EVIDENCE)
    assert helped["own_gain"] > 0 > -0.05 > harmed["own_gain"]
    assert helped["expected_gain"] >= 0 > -0.05 > harmed["expected_gain"]
    assert helped["connectivity"] > 0 > harmed["connectivity"]
    assert helped["consensus"] > harmed["consensus"]
    assert harmed["clipping"] > 0.01


@pytest.mark.parametrize("number", range(2))
def test_strong_sharpening_is_refused_on_a_good_eye(eyes: list[Image], number: int) -> None:
    assert gathered(*case(eyes[number], PUBLISHED), ["expected_gain"])["expected_gain"] < -0.02


def test_the_expected_gain_is_of_drawn_and_own_vessels_and_what_both_detectors_grant(
    eyes: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = case(eyes[0], GAMMA)
    for drawn, own, expected in (
        ((0.04, 0.02), (0.01, 0.005), 0.0125),
        ((-0.04, -0.02), (0.0, -0.005), -0.0125),
        ((0.04, -0.02), (0.0, 0.01), 0),  # one detector gains, the other loses
    ):
        monkeypatch.setattr(evidence, "_drawn_gains", lambda *_, gains=drawn: gains)
        monkeypatch.setattr(evidence, "_own_gains", lambda *_, gains=own: gains)
        assert EVIDENCE["expected_gain"](*pair) == pytest.approx(expected)


def verdict_on(image: Image, *steps: dict[str, object]) -> Verdict:
    """What the rule of conf/accept/evidence.yaml says of a repair."""
    evidence = gathered(*case(image, *steps), {bound.metric for bound in RULE.values()})
    return verdict(broken(evidence, RULE), RULE)


@pytest.mark.parametrize("number", range(2))
def test_what_harms_a_good_eye_in_colour_does_not_enter_and_what_enters_does_not_harm(
    drawings: list[tuple[Image, Mask]], number: int
) -> None:
    image, vessels = drawings[number]
    colour = rounded(image[..., None] * np.array([0.95, 0.6, 0.3]))

    def truth(steps: dict[str, object]) -> tuple[float, float]:
        before, after = (precisions(s.maps, vessels, None) for s in case(colour, steps))
        return after[0] - before[0], after[1] - before[1]

    for steps in (PUBLISHED, DARKER):
        assert max(truth(steps)) < 0
        assert verdict_on(colour, steps) is Verdict.refused
    assert verdict_on(colour, GAMMA) is not Verdict.refused  # little is gained, by both
    assert min(truth(GAMMA)) > 0


def test_nothing_is_told_where_the_detectors_disagree(eyes: list[Image]) -> None:
    pair = case(noisy(eyes[1]), DENOISED)  # a denoiser: thin lines lost to one, found by the other
    drawn, own = evidence._drawn_gains(*pair), evidence._own_gains(*pair)
    first, second = np.mean([drawn, own], axis=0)
    assert first < 0 < second
    assert gathered(*pair, ["expected_gain"]) == {"expected_gain": 0}
    assert verdict_on(noisy(eyes[1]), DENOISED) is Verdict.not_told


def test_vessels_stand_out_less_where_all_around_is_brought_up_to_them(eyes: list[Image]) -> None:
    local = {"method": "clahe", "tiles": 8, "clip_limit": 0.05}
    even = {"method": "rescale_intensity", "low": 0.0, "high": 1.0}
    equalised = gathered(*case(eyes[0], local), ["standing_out"])["standing_out"]
    stretched = gathered(*case(eyes[0], even), ["standing_out"])["standing_out"]
    assert equalised < 0.95 < stretched
    assert stretched == pytest.approx(1, abs=0.03)
    assert EVIDENCE["standing_out"](*case(np.full((64, 64), 0.5))) == 1
    assert verdict_on(eyes[0], local) is not Verdict.accepted


def test_nothing_is_told_of_doing_nothing(eyes: list[Image]) -> None:
    assert verdict_on(eyes[0]) is Verdict.not_told


def test_a_shadow_that_is_lifted_is_accepted_and_gains_less_where_there_is_none(
    eyes: list[Image],
) -> None:
    shaded = rounded(degrade(eyes[1], "shadow", 3, np.random.default_rng(0)))
    lifted = {"method": "gamma", "gamma": 0.5}
    assert verdict_on(shaded, lifted) is Verdict.accepted
    dark, clear = (
        gathered(*case(image, lifted), ["expected_gain"])["expected_gain"]
        for image in (shaded, eyes[1])
    )
    assert dark > clear


def test_only_what_a_repair_cuts_itself_counts_as_clipping(eyes: list[Image]) -> None:
    white = np.minimum(eyes[0] * 3, 1)
    assert (white == 1).mean() > 0.1
    brighter = {"method": "gamma", "gamma": 0.7}
    assert gathered(*case(white, brighter), ["clipping"])["clipping"] == pytest.approx(0, abs=0.01)
    darker = white * 0.9  # what was white is no longer
    assert EVIDENCE["clipping"](Original(white, rounded), Repair(darker, rounded)) < -0.1


def test_noise_growth_is_against_contrast(eyes: list[Image]) -> None:
    dull = rounded(eyes[0] * 0.5)
    stretch = {"method": "rescale_intensity", "low": 0.0, "high": 1.0}
    assert gathered(*case(dull, stretch), ["noise_growth"])["noise_growth"] == pytest.approx(1, 0.2)
    sharpened = gathered(*case(noisy(eyes[0], 5), PUBLISHED), ["noise_growth"])
    assert sharpened["noise_growth"] > 3


def test_only_what_is_asked_for_is_gathered(eyes: list[Image]) -> None:
    assert set(gathered(*case(eyes[0]), ["clipping"])) == {"clipping"}


def test_vessels_hang_together_and_noise_does_not(eyes: list[Image]) -> None:
    grain = np.random.default_rng(0).normal(0.5, 0.05, (SIZE, SIZE))
    assert connected(vesselness(eyes[0])) > 0.3 > connected(vesselness(grain))


@pytest.mark.parametrize("shape", [(10, 10), (64, 90), (40, 50, 3)], ids=str)
@pytest.mark.parametrize("value", [0.0, 0.5])
def test_a_constant_image_of_any_shape_has_finite_changes(
    shape: tuple[int, ...], value: float
) -> None:
    found = gathered(*case(np.full(shape, value), PUBLISHED), EVIDENCE)
    del found["consensus"]  # there is no line to agree on
    assert np.isfinite(list(found.values())).all()


def test_vessels_are_drawn_dark_away_from_the_own_ones_are_judged(eyes: list[Image]) -> None:
    image = eyes[0]
    strength = vesselness(image)
    made = phantom(image, strength)
    assert made.image.shape == image.shape
    assert (made.image <= image + 1e-6).all()
    darker = (image - made.image)[made.vessels].mean()
    assert darker > 4 * (image - made.image)[~made.vessels].mean()
    assert not made.judged[strongest(strength)].any()
    assert made.judged.mean() > 0.5


def test_drawn_vessels_are_as_faint_and_as_soft_as_the_image(eyes: list[Image]) -> None:
    image = eyes[0]
    faint = (image - image.mean()) * 0.2 + image.mean()
    soft = ndimage.gaussian_filter(image, 3)

    def depth(seen: Image) -> Image:
        made = phantom(seen, vesselness(seen))
        return np.asarray(1 - made.image / np.maximum(seen, 1e-3))

    assert depth(faint).max() < 0.5 * depth(image).max()
    steps = [
        float(np.abs(np.diff(depth(seen))).max() / depth(seen).max()) for seen in (soft, image)
    ]
    assert steps[0] < 0.7 * steps[1]


def test_the_same_image_gets_the_same_drawing(eyes: list[Image]) -> None:
    first, second = (phantom(eyes[1], vesselness(eyes[1])) for _ in range(2))
    assert np.array_equal(first.image, second.image)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"a": 0.0, "b": 0.5}, []),
        ({"a": -0.1, "b": 0.5}, ["gain"]),
        ({"a": -0.1, "b": 1.5}, ["cut", "gain"]),
        ({"a": float("nan"), "b": 0.5}, ["gain"]),
    ],
)
def test_a_repair_breaks_the_bounds_that_its_evidence_lies_outside(
    found: dict[str, float], expected: list[str]
) -> None:
    bounds = {"gain": Bounds("a", min=0), "cut": Bounds("b", min=0, max=1)}
    assert broken(found, bounds) == expected
    assert broken(found, {}) == []


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], Verdict.accepted),
        (["gain"], Verdict.not_told),
        (["harm"], Verdict.refused),
        (["gain", "harm"], Verdict.refused),
    ],
)
def test_a_repair_is_refused_where_one_bound_says_so_and_else_nothing_is_told(
    names: list[str], said: Verdict
) -> None:
    bounds = {
        "gain": Bounds("a", min=0.1, otherwise=Verdict.not_told),
        "harm": Bounds("a", min=-0.1),
    }
    assert verdict(names, bounds) is said


def test_a_bound_can_not_accept_what_breaks_it() -> None:
    with pytest.raises(ValueError, match="otherwise: refused or not_told"):
        Bounds("a", min=0, otherwise=Verdict.accepted)


def test_a_bound_on_unknown_evidence_is_named_with_the_known_ones() -> None:
    with pytest.raises(
        ClearsetError, match=r"mine.gain: unknown evidence 'gains'. Known: clipping, "
    ):
        check_bounds({"gain": Bounds("gains", min=0)}, "mine")
