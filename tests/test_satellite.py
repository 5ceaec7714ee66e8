"""Satellite tiles: the same bytes for the same seed, one ground under two crops, true boxes."""

from itertools import combinations
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from clearset.generate.satellite.tile import FULL, TOP, Pixels, Tile, boxes_text, tile

SIZE, SEED = 128, 5
MANY = range(40)


def made(
    number: int,
    *,
    size: int = SIZE,
    bands: int = 1,
    seed: int = SEED,
    aside: tuple[float, float] = (0.0, 0.0),
) -> Tile:
    return tile(number, count=len(MANY), size=size, bands=bands, seed=seed, aside=aside)


@pytest.fixture(scope="module")
def tiles() -> list[Tile]:
    return [made(number) for number in MANY]


def correlation(one: npt.NDArray[Any], two: npt.NDArray[Any]) -> float:
    return float(np.corrcoef(one.ravel(), two.ravel())[0, 1])


def overlap(one: Pixels, two: Pixels, down: int, right: int) -> tuple[Pixels, Pixels]:
    """Return what two tiles share, of which the second lies further down and to the right."""
    (height, width), (top, left) = one.shape[:2], (max(down, 0), max(right, 0))
    bottom, end = height + min(down, 0), width + min(right, 0)
    return one[top:bottom, left:end], two[top - down : bottom - down, left - right : end - right]


@pytest.mark.parametrize("bands", [1, 3])
def test_the_same_seed_gives_the_same_bytes(bands: int) -> None:
    one, two = made(3, bands=bands), made(3, bands=bands)
    assert np.array_equal(one.pixels, two.pixels)
    assert np.array_equal(one.boxes, two.boxes)
    assert not np.array_equal(one.pixels, made(3, bands=bands, seed=SEED + 1).pixels)


def test_a_tile_depends_on_its_number_and_not_on_how_many_there_are() -> None:
    more = tile(3, count=4, size=SIZE, bands=1, seed=SEED)
    assert np.array_equal(more.pixels, made(3).pixels)
    assert (more.split, made(3).split) == ("test", "train")


def test_the_first_three_fifths_are_for_training_and_names_are_in_order(tiles: list[Tile]) -> None:
    assert [one.split for one in tiles] == 24 * ["train"] + 16 * ["test"]
    assert [one.name for one in tiles[:2]] == ["tile_00000", "tile_00001"]
    assert len({one.name for one in tiles}) == len(tiles)


@pytest.mark.parametrize("size", [64, 65, 200])
@pytest.mark.parametrize(("bands", "shape"), [(1, ()), (3, (3,))])
def test_a_tile_has_16_bits_and_the_size_asked_for(
    size: int, bands: int, shape: tuple[int, ...]
) -> None:
    pixels = made(1, size=size, bands=bands).pixels
    assert pixels.dtype == np.uint16
    assert pixels.shape == (size, size, *shape)
    assert pixels.flags.c_contiguous


def test_a_tile_holds_12_bits_and_never_no_data(tiles: list[Tile]) -> None:
    for one in tiles:
        assert 1 <= one.pixels.min() < one.pixels.max() <= TOP


@pytest.mark.parametrize("bands", [1, 3])
def test_a_clean_tile_is_neither_dark_nor_bright_nor_flat(bands: int) -> None:
    for number in MANY:
        pixels = made(number, bands=bands, size=96).pixels
        assert 0.35 < np.quantile(pixels, 0.9) / FULL < 0.8, number
        assert 200 < pixels.mean() < 1200, number
        assert (pixels >= FULL).mean() < 0.005, number
        assert pixels.std() / pixels.mean() > 0.12, number


def test_scenes_differ_in_exposure_and_in_what_they_show(tiles: list[Tile]) -> None:
    levels = [np.quantile(one.pixels, 0.9) for one in tiles]
    assert max(levels) > 1.2 * min(levels)
    assert max(len(one.boxes) for one in tiles) > 150
    assert min(len(one.boxes) for one in tiles) < 10


def test_different_tiles_do_not_look_alike(tiles: list[Tile]) -> None:
    small = [cv2.resize(one.pixels, (32, 32), interpolation=cv2.INTER_AREA) for one in tiles]
    between = [correlation(one, two) for one, two in combinations(small, 2)]
    assert np.quantile(np.abs(between), 0.95) < 0.4
    assert max(between) < 0.8


@pytest.mark.parametrize("bands", [1, 3])
@pytest.mark.parametrize("aside", [(0.3, 0.2), (-0.25, 0.35), (0.4, -0.3), (-0.5, -0.5)])
def test_a_crop_aside_shows_the_same_ground(bands: int, aside: tuple[float, float]) -> None:
    for number in range(5):
        whole = made(number, bands=bands).pixels
        shifts = [round(part * SIZE) for part in aside]
        shared = overlap(whole, made(number, bands=bands, aside=aside).pixels, *shifts)
        assert shared[0].shape == shared[1].shape
        assert correlation(*shared) > 0.97
        beside = overlap(whole, made(number, bands=bands, aside=aside).pixels, shifts[0], 0)
        assert correlation(*beside) < 0.7


def test_a_crop_aside_fits_to_the_pixel_at_an_odd_size() -> None:
    whole = made(1, size=129).pixels
    for down in (-0.31, 0.3, 0.5):
        shared = overlap(
            whole, made(1, size=129, aside=(down, down)).pixels, *2 * [round(129 * down)]
        )
        assert correlation(*shared) > 0.97


def test_two_crops_have_noise_of_their_own() -> None:
    one, two = overlap(made(2).pixels, made(2, aside=(1 / SIZE, 0.0)).pixels, 1, 0)
    apart = one.astype(float) - two
    spread = 1.4826 * np.median(np.abs(apart - np.median(apart))) / np.sqrt(2)
    assert 2 < spread < 15
    # With the same noise in both, each row's difference would take away what the last one's added.
    inner = np.clip(apart, -2 * spread, 2 * spread)[3:-3]
    assert abs(correlation(inner[1:], inner[:-1])) < 0.1


def test_the_buildings_of_a_crop_aside_are_the_same_buildings() -> None:
    number = next(number for number in MANY if len(made(number).boxes) > 50)
    boxes = made(number).boxes
    moved = made(number, aside=(0.25, 0.0)).boxes + np.array([0, 32])
    low, high = boxes.min(axis=(1, 2)), boxes[..., 1].max(axis=1)
    shared = boxes[(boxes[..., 1].min(axis=1) >= 32) & (low >= 0) & (high <= SIZE - 1)]
    assert len(shared) > 20
    for box in shared:
        assert np.abs(moved - box).max(axis=(1, 2)).min() < 1e-6


def test_a_larger_tile_of_the_same_seed_shows_the_same_scene() -> None:
    for number in range(6):
        small, large = (made(number, size=size).pixels for size in (320, 640))
        reduced = cv2.resize(large, (320, 320), interpolation=cv2.INTER_AREA)
        soft = [cv2.GaussianBlur(each, (0, 0), 1.5) for each in (small, reduced)]
        assert correlation(*soft) > 0.93


def test_buildings_lie_in_the_tile_and_are_rectangles(tiles: list[Tile]) -> None:
    for one in tiles:
        assert one.boxes.shape[1:] == (4, 2)
        assert not len(one.boxes) or 0 <= one.boxes.min() <= one.boxes.max() <= SIZE - 1
        sides = np.diff(one.boxes, axis=1, append=one.boxes[:, :1])
        np.testing.assert_allclose(sides[:, 0], -sides[:, 2], atol=1e-9)
        np.testing.assert_allclose((sides[:, 0] * sides[:, 1]).sum(axis=1), 0, atol=1e-9)


def edge(pixels: npt.NDArray[Any], boxes: npt.NDArray[np.float64]) -> float:
    """Return how much the light changes across the boxes' sides, of all the change it could."""
    border = np.zeros(pixels.shape, np.uint8)
    cv2.polylines(border, list(np.rint(boxes).astype(np.int32)), True, 1)
    steep = np.hypot(*np.gradient(pixels))
    return float(steep[border > 0].mean() / steep.mean())


def test_a_box_lies_where_its_building_is() -> None:
    built = [made(number, size=256) for number in range(12)]
    built = [one for one in built if len(one.boxes) > 20]
    assert len(built) > 4
    for one in built:
        pixels = one.pixels
        true = edge(pixels, one.boxes)
        assert true > 1.3
        for down, right in ((6, 0), (0, 6), (-5, 5)):
            assert edge(pixels, one.boxes + np.array([right, down])) < 0.9 * true


def test_labels_are_lines_of_eight_numbers_and_the_class() -> None:
    one = next(one for one in map(made, MANY) if len(one.boxes) > 5)
    lines = boxes_text(one).splitlines()
    assert len(lines) == len(one.boxes)
    for line, box in zip(lines, one.boxes, strict=True):
        *numbers, name, difficult = line.split(" ")
        assert (name, difficult) == ("building", "0")
        np.testing.assert_allclose([float(n) for n in numbers], box.ravel(), atol=0.051)
    assert boxes_text(one).endswith("\n")


def test_a_tile_without_buildings_has_an_empty_label() -> None:
    assert boxes_text(Tile("train", "a", np.ones((2, 2), np.uint16), np.empty((0, 4, 2)))) == ""


def test_colour_shows_the_ground_of_grey_and_more() -> None:
    for number in range(6):
        grey, colour = made(number).pixels, made(number, bands=3).pixels
        assert correlation(grey, colour.mean(axis=2)) > 0.9
        apart = colour - colour.mean(axis=2, keepdims=True)
        assert np.abs(apart).mean() > 20


@pytest.mark.parametrize("bands", [0, 2, 4])
def test_another_number_of_bands_is_refused(bands: int) -> None:
    with pytest.raises(ValueError, match=f"bands is {bands}: 1 or 3"):
        made(0, bands=bands)


@pytest.mark.parametrize("aside", [(0.6, 0.0), (0.0, -0.51)])
def test_a_window_does_not_leave_the_ground(aside: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"from -0\.5 to 0\.5"):
        made(0, aside=aside)
