"""Synthesis: the same bytes for the same seed, and faults that can be measured."""

import hashlib

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from clearset.metrics import blur_effect
from clearset.synthesis import ARTERY, VEIN, Made, faulty, noisy, retina, sample

COUNT, SIZE = 16, 128


@pytest.fixture(scope="module")
def made() -> list[Made]:
    return list(sample(count=COUNT, size=SIZE, seed=7))


def with_fault(made: list[Made], fault: str) -> list[npt.NDArray[np.float32]]:
    return [m.pixels.astype(np.float32) / np.float32(255) for m in made if m.fault == fault]


def content(made: list[Made]) -> str:
    parts = [m.pixels.tobytes() + (b"" if m.mask is None else m.mask.tobytes()) for m in made]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, again = (content(list(sample(count=4, size=64, seed=7))) for _ in range(2))
    assert first == again


def test_another_seed_gives_other_images() -> None:
    first, other = (list(sample(count=4, size=64, seed=seed)) for seed in (7, 8))
    for one, two in zip(first, other, strict=True):
        assert not np.array_equal(one.pixels, two.pixels)


def test_the_images_of_a_sample_differ_but_for_the_planted_duplicate(made: list[Made]) -> None:
    assert len({m.pixels.tobytes() for m in made}) == COUNT - 1


def test_there_are_as_many_images_as_asked_for_with_names_of_their_own(made: list[Made]) -> None:
    assert len({m.name for m in made}) == len(made) == COUNT


@pytest.mark.parametrize("size", [64, 100])
def test_images_and_masks_have_the_size_asked_for(size: int) -> None:
    for m in sample(count=3, size=size, seed=0):
        assert m.pixels.shape == (size, size)
        assert m.pixels.dtype == np.uint8
        assert m.mask is None or m.mask.shape == (size, size)


def test_training_images_have_masks_and_test_images_have_none(made: list[Made]) -> None:
    assert {(m.split, m.mask is not None) for m in made} == {("train", True), ("test", False)}


def test_one_image_is_for_training() -> None:
    (only,) = sample(count=1, size=64, seed=0)
    assert (only.split, only.fault) == ("train", "")


def test_masks_hold_background_arteries_and_veins(made: list[Made]) -> None:
    for m in made:
        assert m.mask is None or set(np.unique(m.mask)) == {0, ARTERY, VEIN}


def test_vessels_are_darker_than_what_lies_beside_them_and_veins_the_darkest() -> None:
    for seed in range(3):
        image, mask = retina(np.random.default_rng(seed), SIZE)
        beside = ndimage.binary_dilation(mask > 0, iterations=2) & (mask == 0)
        vein, artery, near = (
            image[where].mean() for where in (mask == VEIN, mask == ARTERY, beside)
        )
        assert vein < artery < near


def test_vessels_cover_a_plausible_share(made: list[Made]) -> None:
    for m in made:
        assert m.mask is None or 0.03 < (m.mask > 0).mean() < 0.35


def test_every_fault_is_planted(made: list[Made]) -> None:
    assert {m.fault for m in made} == {"", "blurred", "dark", "bright", "duplicate"}


def test_a_blurred_image_is_blurrier_than_every_sound_one(made: list[Made]) -> None:
    sound = [blur_effect(image) for image in with_fault(made, "")]
    assert min(blur_effect(image) for image in with_fault(made, "blurred")) > max(sound) + 0.1


@pytest.mark.parametrize(("fault", "sign"), [("dark", -1), ("bright", 1)])
def test_a_dark_or_bright_image_lies_beyond_every_sound_one(
    made: list[Made], fault: str, sign: int
) -> None:
    sound = [sign * float(image.mean()) for image in with_fault(made, "")]
    assert min(sign * float(i.mean()) for i in with_fault(made, fault)) > max(sound) + 0.1


def test_the_duplicate_has_the_pixels_of_the_first_and_another_mask(made: list[Made]) -> None:
    (duplicate,) = (m for m in made if m.fault == "duplicate")
    assert np.array_equal(duplicate.pixels, made[0].pixels)
    assert duplicate.split == made[0].split == "train"
    assert duplicate.mask is not None
    assert made[0].mask is not None
    assert (duplicate.mask > 0).sum() > (made[0].mask > 0).sum()


def test_no_fault_leaves_the_image_as_it_is() -> None:
    image, _ = retina(np.random.default_rng(0), 64)
    assert np.array_equal(faulty(image, ""), image)


def test_an_eye_lies_within_black_and_white() -> None:
    image, _ = retina(np.random.default_rng(0), 64)
    assert image.dtype == np.float32
    assert (image.min() >= 0, image.max() <= 1) == (True, True)


def test_noise_does_not_wrap_around_black_or_white() -> None:
    ends = np.repeat(np.array([[0.0, 1.0]], np.float32), 100, axis=0)
    pixels = noisy(ends, np.random.default_rng(0))
    assert pixels[:, 0].max() < 64
    assert pixels[:, 1].min() > 192
