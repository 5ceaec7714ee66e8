"""Shapes: their sides, their shadows, and where they are drawn."""

import numpy as np
import pytest

from clearset.generate.satellite.shapes import (
    Shapes,
    Window,
    discs,
    draw,
    pixels,
    rectangles,
    shadows,
    strip,
    turned,
)

WHOLE = Window(0.0, 0.0, 100)


def area(corners: np.ndarray) -> np.ndarray:
    x, y = corners[..., 0], corners[..., 1]
    return np.abs((x * np.roll(y, -1, -1) - y * np.roll(x, -1, -1)).sum(-1)) / 2


def drawn(corners: np.ndarray, window: Window = WHOLE) -> np.ndarray:
    canvas = np.zeros((window.size, window.size), np.uint8)
    draw(canvas, corners, [[255.0]] * len(corners), window)
    return canvas / 255


def test_rectangles_have_their_sides_wherever_they_are_turned() -> None:
    corners = rectangles(np.full((2, 2), 0.5), np.array([[0.1, 0.2]] * 2), np.array([0.0, 0.7]))
    np.testing.assert_allclose(area(corners), 4 * 0.1 * 0.2)
    np.testing.assert_allclose(corners.mean(axis=1), 0.5)
    np.testing.assert_allclose(np.ptp(corners[0], axis=0), (0.2, 0.4))


def test_a_quarter_turn_goes_from_right_to_down() -> None:
    np.testing.assert_allclose(turned(np.array([1.0, 0.0]), np.pi / 2), (0, 1), atol=1e-12)


def test_discs_have_their_radius() -> None:
    corners = discs(np.array([[0.3, 0.4]]), np.array([0.1]))
    np.testing.assert_allclose(np.linalg.norm(corners - (0.3, 0.4), axis=2), 0.1)


@pytest.mark.parametrize("angle", np.linspace(0, 2 * np.pi, 9)[:-1] + 0.1)
def test_a_shadow_covers_the_rectangle_and_where_it_is_moved(angle: float) -> None:
    roof = rectangles(np.array([[0.5, 0.5]]), np.array([[0.1, 0.06]]), 0.4)
    cast = 0.12 * np.array([[np.cos(angle), np.sin(angle)]])
    cover = drawn(shadows(roof, cast))
    for share in (0, 0.3, 0.7, 1):
        assert (cover >= drawn(roof + share * cast) - 0.3).all()
    wide = np.abs(turned(roof[0], -angle)[:, 1] - turned(roof[0].mean(0), -angle)[1]).max()
    assert area(shadows(roof, cast))[0] == pytest.approx(area(roof)[0] + 0.12 * 2 * wide)


def test_a_strip_has_its_width_along_its_line() -> None:
    line = np.stack([np.linspace(0.1, 0.9, 5), np.full(5, 0.3)], axis=1)
    band = strip(line, 0.1)
    assert band.shape == (4, 4, 2)
    np.testing.assert_allclose(area(band), 0.2 * 0.1)


@pytest.mark.parametrize("size", [50, 100, 201])
def test_a_shape_is_drawn_where_it_lies(size: int) -> None:
    window = Window(0.2, -0.1, size)
    corners = rectangles(np.array([[0.6, 0.5]]), np.array([[0.2, 0.1]]))
    light = drawn(corners, window)
    rows, columns = np.nonzero(light > 0.5)
    middle = np.array([columns.mean(), rows.mean()])
    np.testing.assert_allclose(middle, pixels(np.array([0.6, 0.5]), window), atol=0.6)
    assert 0.4 * size * 0.2 * size <= light.sum() <= (0.4 * size + 2) * (0.2 * size + 2)


def test_only_shapes_in_the_window_are_seen() -> None:
    centre = np.array([[0.5, 0.5], [1.05, 0.5], [1.2, 0.5], [0.5, -0.3]])
    shapes = Shapes(rectangles(centre, np.full((4, 2), 0.1)), np.zeros((4, 4)))
    assert shapes.in_view(WHOLE).tolist() == [True, True, False, False]
    assert len(shapes.subset(shapes.in_view(WHOLE)).corners) == 2


def test_what_is_below_a_pixel_is_not_seen() -> None:
    corners = rectangles(np.full((2, 2), 0.5), np.array([[0.001, 0.002], [0.01, 0.001]]))
    shapes = Shapes(corners, np.zeros((2, 4)))
    assert shapes.in_view(WHOLE).tolist() == [False, True]
    assert shapes.in_view(Window(0.0, 0.0, 1000)).tolist() == [True, True]
