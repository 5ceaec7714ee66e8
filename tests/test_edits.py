"""Edits: an eye taken again moves as said, its mask with it, and its values stay in range."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from clearset.plant.edits import EDITS, Edit, another_visit, edited, moved

Image = npt.NDArray[np.float64]
SIDE = 65  # odd: there is a pixel in the centre


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def scene(*shape: int) -> Image:
    """Return smooth random values well inside 0 to 1, so that nothing is cut."""
    coarse = rng(7).uniform(0.3, 0.7, (shape or (SIDE, SIDE)))
    for _ in range(4):
        coarse = (coarse + np.roll(coarse, 1, 0) + np.roll(coarse, 1, 1)) / 3
    return coarse


def moves() -> dict[str, Edit]:
    """Return the edits that only move, and one that does all at once."""
    every = Edit(shift=(0.05, -0.08), degrees=20, zoom=1.1, mirrored=True)
    return {name: EDITS[name] for name in ("shift", "crop", "rotation", "flip")} | {"all": every}


@pytest.mark.parametrize("shape", [(SIDE, SIDE), (40, 60), (40, 60, 3)], ids=str)
def test_an_edit_of_nothing_changes_nothing(shape: tuple[int, ...]) -> None:
    image = scene(*shape)
    np.testing.assert_array_equal(edited(image, Edit(), rng()), image)
    np.testing.assert_array_equal(moved(image, Edit(), order=0), image)


@pytest.mark.parametrize("shape", [(40, 61), (40, 61, 3)], ids=str)
def test_a_flip_turns_columns_round_and_twice_is_nothing(shape: tuple[int, ...]) -> None:
    image = scene(*shape)
    once = edited(image, EDITS["flip"], rng())
    np.testing.assert_array_equal(once, image[:, ::-1])
    np.testing.assert_array_equal(edited(once, EDITS["flip"], rng()), image)


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("side", [32, 33])
def test_a_turn_goes_counterclockwise_as_rot90_does(turns: int, side: int) -> None:
    image = scene(side, side)
    turned = edited(image, Edit(degrees=90.0 * turns), rng())
    np.testing.assert_allclose(turned, np.rot90(image, turns), atol=1e-4)


@pytest.mark.parametrize(("down", "right"), [(3, 5), (-4, 2), (0, -7)])
def test_a_shift_by_whole_pixels_is_a_slice(down: int, right: int) -> None:
    image = scene(50, 100)
    shifted = edited(image, Edit(shift=(down / 50, right / 100)), rng())
    inner = np.s_[10:-10, 10:-10]
    np.testing.assert_allclose(
        shifted[inner], np.roll(image, (down, right), (0, 1))[inner], atol=1e-4
    )


@pytest.mark.parametrize("zoom", [0.5, 0.95, 1 / 0.95, 2.0])
def test_a_zoom_keeps_the_centre(zoom: float) -> None:
    image = scene()
    middle = SIDE // 2
    zoomed = edited(image, Edit(zoom=zoom), rng())
    assert zoomed[middle, middle] == pytest.approx(image[middle, middle], abs=1e-5)


def test_a_zoom_enlarges() -> None:
    image = scene()
    middle = SIDE // 2
    zoomed = edited(image, Edit(zoom=2.0), rng())
    np.testing.assert_allclose(
        zoomed[middle - 20 : middle + 21 : 2, middle],
        image[middle - 10 : middle + 11, middle],
        atol=1e-4,
    )


def blob(row: float, column: float, radius: float) -> npt.NDArray[np.bool_]:
    y, x = np.mgrid[:SIDE, :SIDE]
    return np.asarray(np.hypot(y - row, x - column) <= radius)


@pytest.mark.parametrize("name", moves())
def test_an_image_and_its_mask_move_together(name: str) -> None:
    inside = blob(25, 40, 8)
    again = edited(np.where(inside, 0.9, 0.1), moves()[name], rng()) > 0.5
    mask = moved(np.where(inside, 255, 0).astype(np.uint8), moves()[name], order=0) > 0
    assert mask.any()
    assert not np.array_equal(mask, inside)
    assert 2 * (mask & again).sum() / (mask.sum() + again.sum()) > 0.95  # a pixel off would be 0.92


@pytest.mark.parametrize("name", moves())
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_mask_keeps_its_values_type_and_shape(name: str, dtype: npt.DTypeLike) -> None:
    mask = rng().choice([0, 128, 255], (40, 60)).astype(dtype)
    result = moved(mask, moves()[name], order=0)
    assert (result.dtype, result.shape) == (mask.dtype, mask.shape)
    assert set(np.unique(result)) <= {0, 128, 255}


def test_bands_move_as_one_band_does() -> None:
    image = scene(40, 60, 3)
    whole = moved(image, moves()["all"], order=3)
    for band in range(3):
        alone = moved(image[..., band], moves()["all"], order=3)
        np.testing.assert_array_equal(whole[..., band], alone)


WILD = {
    "visit": another_visit(rng(1)),
    "bright": Edit(gain=5.0, offset=200, noise=40),
    "dark": Edit(gain=0.01, offset=-200, noise=40),
    "squeezed": Edit(gamma=3.0, quality=10, noise=30),
}


@pytest.mark.parametrize("name", [*EDITS, *WILD])
@pytest.mark.parametrize("shape", [(SIDE, SIDE), (40, 60), (40, 60, 3)], ids=str)
def test_an_edited_image_keeps_shape_type_and_range(name: str, shape: tuple[int, ...]) -> None:
    image = rng(3).uniform(0, 1, shape)
    before = image.copy()
    result = edited(image, (EDITS | WILD)[name], rng())
    assert result.shape == image.shape
    assert result.dtype == np.float64
    assert result.min() >= 0
    assert result.max() <= 1
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("name", EDITS)
def test_every_light_edit_changes_pixels(name: str) -> None:
    image = scene()
    assert not np.array_equal(edited(image, EDITS[name], rng()), image)


def test_exposure_follows_gain_offset_and_gamma() -> None:
    image = scene()
    lit = edited(image, Edit(gain=1.1, offset=10), rng())
    np.testing.assert_allclose(lit, image * 1.1 + 10 / 255, atol=1e-6)
    np.testing.assert_allclose(edited(image, Edit(gamma=1.4), rng()), image**1.4, atol=1e-6)


def test_noise_is_as_strong_as_said_and_repeats_with_its_seed() -> None:
    image = np.full((200, 200), 0.5)
    noisy = edited(image, Edit(noise=5), rng(1))
    assert np.std(noisy) * 255 == pytest.approx(5, rel=0.03)
    np.testing.assert_array_equal(noisy, edited(image, Edit(noise=5), rng(1)))
    assert not np.array_equal(noisy, edited(image, Edit(noise=5), rng(2)))


def test_lower_quality_changes_more() -> None:
    image = rng(2).uniform(0.2, 0.8, (64, 64))
    away = [
        float(np.abs(edited(image, Edit(quality=quality), rng()) - image).mean())
        for quality in (0, 90, 50, 10)
    ]
    assert away == sorted(set(away))
    assert away[0] == 0


def visits(count: int) -> list[Edit]:
    return [another_visit(rng(seed)) for seed in range(count)]


def test_another_visit_stays_in_its_ranges() -> None:
    for visit in visits(200):
        assert all(0.03 <= abs(share) <= 0.1 for share in visit.shift)
        assert 2 <= abs(visit.degrees) <= 8
        assert 0.95 <= visit.zoom <= 1.05
        assert 0.75 <= visit.gain <= 1.1
        assert 0.7 <= visit.gamma <= 1.4
        assert 2 <= visit.noise <= 6
        assert replace(visit, mirrored=False, offset=0.0, quality=0) == visit


def test_visits_go_every_way() -> None:
    drawn = visits(200)
    for values in ([v.shift[0] for v in drawn], [v.shift[1] for v in drawn]):
        assert 60 < np.sum(np.array(values) > 0) < 140
    assert 60 < np.sum([visit.degrees > 0 for visit in drawn]) < 140


def test_visits_differ_by_seed_and_repeat_with_it() -> None:
    assert len(set(visits(50))) == 50
    assert visits(5) == visits(5)


def test_two_visits_of_one_generator_differ() -> None:
    one = rng(0)
    assert another_visit(one) != another_visit(one)
