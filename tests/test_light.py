"""Light at large scale: known slopes and vignettes are found, whatever lies on them."""

import numpy as np
import numpy.typing as npt
import pytest

from clearset.numeric.grey import CELLS, Grey, of_unit
from clearset.numeric.light import GREY

Image = npt.NDArray[np.float64]
SHAPES = [(192, 192), (200, 300), (300, 200), (64, 64), (10, 10), (10, 300), (300, 10)]


def light(image: Image) -> tuple[Image, Image]:
    """Return the fitted terms and what remains, of an image from 0 to 1."""
    fitted = of_unit(image).light
    return fitted.terms, fitted.remains


def cells(image: Image) -> Image:
    return of_unit(image).cells


def plane(
    shape: tuple[int, int], *, down: float = 0, across: float = 0, square: float = 0
) -> Image:
    """Return light of middle grey that changes by these exposure values, from -1 to 1 a side."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, side) for side in shape), indexing="ij")
    exposure = down * y + across * x + square * (y**2 + x**2)
    return np.asarray(0.25 * 2**exposure)


def textured(image: Image, share: float = 0.2) -> Image:
    """Return the image with fine detail: each pixel up to this share brighter or darker."""
    factors = np.random.default_rng(0).uniform(1 - share, 1 + share, image.shape)
    return np.asarray(image * factors)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("value", [1 / 255, 0.25, 1.0])
def test_constant_light_is_its_exposure_and_nothing_else(
    value: float, shape: tuple[int, int]
) -> None:
    fitted, remains = light(np.full(shape, value))
    assert fitted[0] == pytest.approx(np.log2(value), abs=1e-4)
    assert fitted[1:] == pytest.approx(np.zeros(3), abs=1e-5)
    assert np.abs(remains).max() < 1e-5


def test_black_counts_as_one_grey_level() -> None:
    black, dark = (light(np.full((64, 64), value))[0] for value in (0, GREY))
    assert black == pytest.approx(dark, abs=1e-6)


@pytest.mark.parametrize(("down", "across"), [(1, 0), (0, 1), (-0.5, 0.5), (0.3, -1)])
def test_a_slope_is_found_in_its_direction(down: float, across: float) -> None:
    fitted, _ = light(plane((384, 384), down=down, across=across))
    assert fitted[1:3] == pytest.approx([down, across], rel=0.06, abs=0.01)
    assert fitted[3] == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("square", [-0.5, -0.25, 0.25])
def test_a_vignette_is_found_with_its_sign_and_no_slope(square: float) -> None:
    fitted, _ = light(plane((384, 384), square=square))
    assert fitted[3] == pytest.approx(square, rel=0.15)  # the smoothing flattens the corners
    assert fitted[1:3] == pytest.approx([0, 0], abs=0.01)  # every other cell: half a cell off


def test_more_of_a_slope_is_more_and_the_opposite_is_the_opposite() -> None:
    slopes = [light(plane((192, 192), across=by))[0][2] for by in (-1, -0.5, 0, 0.5, 1)]
    assert slopes == sorted(slopes)
    assert slopes == pytest.approx([-slope for slope in slopes[::-1]], abs=1e-3)


def test_turning_the_image_turns_the_slope() -> None:
    image = textured(plane((192, 192), down=0.4, across=0.7))
    fitted, turned = light(image)[0], light(image.T.copy())[0]
    assert turned[[0, 2, 1, 3]] == pytest.approx(fitted, abs=1e-6)


def test_fine_detail_does_not_change_the_light() -> None:
    image = plane((384, 384), down=0.3, across=0.4, square=-0.2)
    assert light(textured(image))[0] == pytest.approx(light(image)[0], abs=0.02)


def test_half_the_exposure_is_one_less_everywhere_and_no_other_light() -> None:
    image = textured(plane((192, 192), down=0.3, square=-0.2))
    (full, remains), (half, left) = light(image), light(image * 0.5)
    assert half == pytest.approx(full - [1, 0, 0, 0], abs=1e-4)
    assert left == pytest.approx(remains, abs=1e-4)


def test_the_light_and_what_remains_are_the_image() -> None:
    image = plane((192, 192), down=0.4, across=-0.2, square=-0.1)
    fitted, remains = light(image)
    side = round(remains.size**0.5)
    y, x = (axis.ravel() for axis in np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j])
    exposure = fitted @ [np.ones_like(y), y, x, y * y + x * x] + remains
    inner = (np.abs(y) < 0.7) & (np.abs(x) < 0.7)  # where the smoothing does not meet the edge
    expected = np.log2(0.25) + 0.4 * y - 0.2 * x - 0.1 * (y * y + x * x)
    assert exposure[inner] == pytest.approx(expected[inner], abs=0.03)


def test_a_shadow_in_the_middle_does_not_tilt_the_light_and_remains() -> None:
    image = plane((384, 384), across=0.5)
    shaded = image.copy()
    shaded[140:240, 140:240] *= 0.25
    (fitted, _), (with_shadow, remains) = light(image), light(shaded)
    assert with_shadow[1:3] == pytest.approx(fitted[1:3], abs=0.05)
    assert -2 < remains.min() < -1.5  # two exposure values, less what is smoothed away
    assert np.median(remains) == pytest.approx(0, abs=0.05)


def test_a_shadow_aside_tilts_the_fit_less_than_one_by_least_squares() -> None:
    shaded = plane((384, 384))
    shaded[130:250, 20:140] *= 0.25
    fitted, _ = light(shaded)
    y, x = np.mgrid[-1:1:96j, -1:1:96j]
    terms = np.stack([np.ones(y.size), y.ravel(), x.ravel(), (y**2 + x**2).ravel()], axis=1)
    squares = np.linalg.lstsq(terms, np.log2(cells(shaded)).ravel(), rcond=None)[0]
    assert abs(fitted[2]) < 0.3 * abs(squares[2])


def test_light_and_cells_leave_the_image_alone() -> None:
    image = plane((100, 120), down=0.3)
    image.flags.writeable = False
    light(image)
    cells(image)
    assert np.array_equal(image, plane((100, 120), down=0.3))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((96, 96), (96, 96)),
        ((192, 192), (96, 96)),
        ((768, 768), (96, 96)),
        ((768, 1000), (96, 125)),
        ((191, 400), (191, 400)),
        ((10, 300), (10, 300)),
        ((1, 1), (1, 1)),
    ],
    ids=str,
)
def test_cells_are_square_and_96_along_the_shorter_side(
    shape: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert CELLS == 96
    assert cells(np.zeros(shape)).shape == expected


def test_cells_are_the_means_of_their_pixels() -> None:
    image = np.random.default_rng(0).random((192, 196))
    grid = cells(image)
    assert grid[0, 0] == pytest.approx(image[:2, :2].mean(), abs=1e-5)
    assert grid[-1, -1] == pytest.approx(image[-2:, -2:].mean(), abs=1e-5)
    assert grid.mean() == pytest.approx(image.mean(), rel=1e-5)


def test_a_small_image_is_its_own_cells() -> None:
    image = np.random.default_rng(0).random((40, 60))
    assert cells(image) == pytest.approx(image, abs=1e-5)  # as levels of 16 bits


def test_what_fills_no_cell_is_left_out() -> None:
    image = np.zeros((193, 193))
    image[-1] = image[:, -1] = 1
    assert not cells(image).any()


def test_what_metrics_share_is_computed_once_an_image() -> None:
    image = of_unit(plane((96, 96), down=1))
    assert image.light is image.light
    assert image.cells is image.cells
    assert image.light is not Grey(image.levels, image.white).light
