"""Synthesis: the same bytes for the same seed, dark vessels where the mask is, foreign images."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from clearset.engines.native import descriptor
from clearset.generate.retina.synthesis import ARTERY, VEIN, Made, eye, foreign, sample
from clearset.numeric.exact import LENGTH
from clearset.numeric.grey import of_unit
from clearset.similar.kinds import kind

COUNT, SIZE = 10, 128
SEEDS = range(6)


@pytest.fixture(scope="module")
def made() -> list[Made]:
    return whole(seed=7)


def whole(seed: int, *, count: int = COUNT, size: int = SIZE) -> list[Made]:
    return [sample(number, count=count, size=size, seed=seed) for number in range(count)]


def content(made: Made) -> bytes:
    return made.pixels.tobytes() + (b"" if made.mask is None else made.mask.tobytes())


def seen(seed: int, size: int = SIZE) -> npt.NDArray[np.float64]:
    return described(eye(np.random.default_rng(seed), size)[0])


def described(image: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return descriptor(of_unit(image)) / LENGTH


def strange(seed: int, size: int = SIZE) -> npt.NDArray[np.float64]:
    return foreign(np.random.default_rng(seed), size)


def test_the_same_seed_gives_the_same_bytes(made: list[Made]) -> None:
    assert [content(one) for one in whole(seed=7)] == [content(one) for one in made]


def test_an_eye_does_not_depend_on_those_made_before(made: list[Made]) -> None:
    assert content(sample(4, count=COUNT, size=SIZE, seed=7)) == content(made[4])


def test_an_eye_depends_on_its_number_and_not_on_how_many_there_are(made: list[Made]) -> None:
    more = sample(0, count=30, size=SIZE, seed=7)
    assert np.array_equal(more.pixels, made[0].pixels)


def test_another_seed_gives_other_images_and_masks(made: list[Made]) -> None:
    for one, other in zip(made, whole(seed=8), strict=True):
        assert not np.array_equal(one.pixels, other.pixels)
        if one.mask is not None and other.mask is not None:
            assert not np.array_equal(one.mask, other.mask)


def test_the_images_of_a_sample_differ(made: list[Made]) -> None:
    assert len({one.pixels.tobytes() for one in made}) == COUNT


def test_every_eye_has_a_name_of_its_own_in_the_order_of_its_number(made: list[Made]) -> None:
    names = [one.name for one in made]
    assert names == sorted(set(names))


@pytest.mark.parametrize("size", [64, 65, 100, 256])
def test_images_and_masks_have_the_size_asked_for(size: int) -> None:
    one = sample(0, count=1, size=size, seed=0)
    assert one.mask is not None
    for pixels in (one.pixels, one.mask):
        assert pixels.shape == (size, size)
        assert pixels.dtype == np.uint8


@pytest.mark.parametrize(("count", "training"), [(1, 1), (2, 1), (3, 2), (5, 3), (10, 6), (50, 30)])
def test_the_first_three_fifths_are_for_training(count: int, training: int) -> None:
    borders = sorted({0, training - 1, min(training, count - 1), count - 1})
    splits = [sample(number, count=count, size=64, seed=0).split for number in borders]
    assert splits == ["train" if number < training else "test" for number in borders]


def test_training_images_have_masks_and_test_images_have_none(made: list[Made]) -> None:
    assert [(one.split, one.mask is not None) for one in made] == 6 * [("train", True)] + 4 * [
        ("test", False)
    ]


def test_masks_hold_background_arteries_and_veins_and_nothing_else(made: list[Made]) -> None:
    assert (ARTERY, VEIN) == (128, 255)
    for one in made:
        assert one.mask is None or set(np.unique(one.mask)) == {0, ARTERY, VEIN}


def test_vessels_cover_a_plausible_share(made: list[Made]) -> None:
    for one in made:
        assert one.mask is None or 0.03 < (one.mask > 0).mean() < 0.35


@pytest.mark.parametrize("size", [64, 128, 256])
@pytest.mark.parametrize("seed", SEEDS)
def test_vessels_are_darker_than_what_lies_beside_them(seed: int, size: int) -> None:
    image, mask = eye(np.random.default_rng(seed), size)
    vessel = mask > 0
    beside = ndimage.binary_dilation(vessel, iterations=max(size // 64, 2)) & ~vessel
    assert np.median(image[vessel]) < np.median(image[beside])


def test_veins_are_darker_than_arteries() -> None:
    depth = []
    for seed in SEEDS:
        image, mask = eye(np.random.default_rng(seed), 256)
        around = ndimage.uniform_filter(image, 31)
        depth.append([np.median((image / around)[mask == value]) for value in (VEIN, ARTERY)])
    vein, artery = np.median(depth, axis=0)
    assert vein < artery < 1


def test_a_larger_eye_of_the_same_seed_is_the_same_eye() -> None:
    small, large = (eye(np.random.default_rng(5), size)[1] > 0 for size in (256, 512))
    cells = large.reshape(256, 2, 256, 2).mean(axis=(1, 3)) > 0.5
    overlap = 2 * (small & cells).sum() / (small.sum() + cells.sum())
    assert overlap > 0.8


@pytest.mark.parametrize("size", [64, 200])
@pytest.mark.parametrize("make", [lambda rng, size: eye(rng, size)[0], foreign])
def test_an_image_is_double_within_black_and_white(make: object, size: int) -> None:
    assert callable(make)
    for seed in SEEDS:
        image = make(np.random.default_rng(seed), size)
        assert (image.shape, image.dtype) == ((size, size), np.float64)
        assert image.min() >= 0
        assert image.max() <= 1


def test_a_foreign_image_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    assert np.array_equal(strange(3), strange(3))
    assert len({strange(seed).tobytes() for seed in range(12)}) == 12


def test_an_eye_hardly_ever_looks_like_another() -> None:
    eyes = np.array([seen(seed) for seed in range(10)])
    similarity = (eyes @ eyes.T)[~np.eye(len(eyes), dtype=bool)]
    assert similarity.max() < 0.7  # the sample's bound for near duplicates


@pytest.mark.parametrize("size", [64, 128])
def test_a_foreign_image_is_further_from_every_eye_than_eyes_are_from_their_nearest(
    size: int,
) -> None:
    pictures = [eye(np.random.default_rng(seed), size)[0] for seed in range(10)]
    eyes = np.array([kind(of_unit(image)) for image in pictures]) / LENGTH
    strangers = np.array([kind(of_unit(strange(s, size))) for s in range(12)]) / LENGTH
    assert (strangers @ eyes.T).max() < 0.72  # the sample's bound for strangers
    among = eyes @ eyes.T - 2 * np.eye(len(eyes))
    assert among.max(axis=1).min() > (strangers @ eyes.T).max()
