"""Lattices: mean and spread, ends that meet, and windows that show the same ground."""

import numpy as np
import pytest

from clearset.generate.satellite.lattices import (
    CELLS,
    Lattice,
    at,
    axis,
    grain,
    noise,
    repeated,
    slope,
    view,
)
from clearset.generate.satellite.shapes import Window


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


SMOOTH, OTHER = noise(rng(), 2.0, 2.0)
ROUGH = grain(rng())


@pytest.mark.parametrize("lattice", [SMOOTH, OTHER, ROUGH, slope(SMOOTH, 1.0)])
def test_a_lattice_has_mean_0_and_spread_1_and_its_ends_meet(lattice: Lattice) -> None:
    assert lattice.shape == (CELLS, CELLS)
    assert lattice.dtype == np.float64
    assert abs(float(lattice.mean())) < 1e-3
    assert float(lattice.std()) == pytest.approx(1, abs=1e-3)
    steps = np.abs(lattice - np.roll(lattice, 1, 0)).mean(axis=1)
    assert steps[0] < 2 * np.median(steps)


def test_two_lattices_of_one_draw_are_not_alike() -> None:
    assert abs(np.corrcoef(SMOOTH.ravel(), OTHER.ravel())[0, 1]) < 0.3
    assert not np.array_equal(SMOOTH, noise(np.random.default_rng(4), 2.0, 2.0)[0])


def test_a_steeper_fall_makes_a_smoother_lattice() -> None:
    steps = [np.abs(np.diff(noise(rng(), 2.0, fall)[0])).mean() for fall in (1.0, 2.0, 3.0)]
    assert steps[0] > 2 * steps[1] > 4 * steps[2]


@pytest.mark.parametrize(("angle", "right", "down"), [(0, 1, 0), (np.pi / 2, 0, 1), (np.pi, -1, 0)])
def test_a_slope_rises_towards_its_angle(angle: float, right: int, down: int) -> None:
    hill = np.cos(2 * np.pi * axis()) * np.ones((CELLS, 1))
    ground = hill if right else hill.T
    way = 1 if right else 0
    rise = (right or down) * (ground - np.roll(ground, 1, way))
    assert np.corrcoef(slope(np.asarray(ground), angle).ravel(), rise.ravel())[0, 1] > 0.99
    assert down in (0, 1)


@pytest.mark.parametrize("size", [64, 65, 100, 101])
@pytest.mark.parametrize("look", [view, repeated])
@pytest.mark.parametrize(("down", "right"), [(7, 0), (0, 12), (-13, 20), (32, -32)])
def test_windows_show_the_same_ground_to_the_pixel(
    look: object, size: int, down: int, right: int
) -> None:
    assert callable(look)
    whole = look(ROUGH, Window(0.0, 0.0, size))
    moved = look(ROUGH, Window(right / size, down / size, size))
    rows, columns = (slice(max(n, 0), size + min(n, 0)) for n in (down, right))
    again = (slice(max(-n, 0), size + min(-n, 0)) for n in (down, right))
    np.testing.assert_array_equal(whole[rows, columns], moved[tuple(again)])


def test_a_window_shows_the_values_of_its_places() -> None:
    ramp = np.asarray(axis() + 10 * axis()[:, None])
    window = Window(0.25, -0.25, 128)
    seen = view(ramp, window)
    x, y = 0.25 + (np.arange(128) + 0.5) / 128, -0.25 + (np.arange(128) + 0.5) / 128
    np.testing.assert_allclose(seen, x + 10 * y[:, None], atol=0.01)


def test_values_are_found_by_their_place() -> None:
    ramp = np.asarray(axis() + 10 * axis()[:, None])
    places = np.array([[0.1, 0.2], [1.4, -0.4], [-0.2, 0.9]])
    np.testing.assert_allclose(at(ramp, places), places @ [1, 10], atol=0.05)
    assert at(ramp, np.array([[9.0, 9.0]])) == ramp[-1, -1]
