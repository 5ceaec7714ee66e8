"""Sheets of pictures: every picture in its place, nothing stretched, any name drawn."""

import numpy as np
import numpy.typing as npt
import pytest

from clearset.report import sheets
from clearset.report.sheets import GAP, SIDE

Pixels = npt.NDArray[np.uint8]
NAMES = ["$no$ _math_{", "two\nlines\nthree", "x" * 300, "\x1b[31m\u202e", "文字", ""]


def pixels(*shape: int, level: int = 90) -> Pixels:
    return np.full(shape, level, np.uint8)


def place(sheet: Pixels, row: int, column: int, rows: int) -> Pixels:
    """Return the square of a picture, of a sheet of square pictures."""
    bottom = sheet.shape[0] - 2 * GAP
    each = SIDE + GAP + sheets.LINES * (sheets.TEXT + 3) + 2
    down = bottom - SIDE - (rows - 1 - row) * each
    across = GAP + column * (SIDE + GAP)
    return sheet[down : down + SIDE, across : across + SIDE]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 1), (48, 64), (900, 30), (20, 30, 3), (20, 30, 4)], ids=str)
def test_every_name_and_shape_is_drawn(name: str, shape: tuple[int, ...]) -> None:
    drawn = sheets.sheet([(pixels(*shape), name)] * 3, name)
    assert drawn.dtype == np.uint8
    assert drawn.ndim == (2 if len(shape) == 2 else 3)


@pytest.mark.parametrize(("count", "rows"), [(1, 1), (4, 1), (5, 2), (9, 3)])
def test_pictures_lie_in_reading_order_without_a_stretch(count: int, rows: int) -> None:
    levels = [20 * number for number in range(count)]
    drawn = sheets.sheet([(pixels(40, 40, level=level), "eye") for level in levels], "all")
    for number, level in enumerate(levels):
        row, column = divmod(number, 4)
        assert (place(drawn, row, column, rows) == level).all()


def test_a_small_picture_is_enlarged_pixel_by_pixel() -> None:
    chequered = (np.indices((26, 26)).sum(axis=0) % 2 * 200).astype(np.uint8)
    drawn = place(sheets.sheet([(chequered, "")], ""), 0, 0, 1)
    assert np.array_equal(drawn, np.kron(chequered, np.ones((10, 10), np.uint8)))


def test_a_large_picture_is_reduced_by_area() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2 * SIDE, 2 * SIDE)).astype(np.uint8)
    drawn = place(sheets.sheet([(noise, "")], ""), 0, 0, 1)
    areas = noise.reshape(SIDE, 2, SIDE, 2).mean(axis=(1, 3))
    assert np.abs(drawn - areas).max() <= 1


def test_one_picture_in_colour_makes_the_sheet_coloured() -> None:
    red = np.zeros((30, 30, 3), np.uint8)
    red[..., 0] = 255
    drawn = sheets.sheet([(pixels(30, 30, level=50), ""), (red, "")], "")
    assert (place(drawn, 0, 0, 1) == 50).all()
    assert (place(drawn, 0, 1, 1) == (255, 0, 0)).all()


def test_a_line_that_does_not_fit_ends_in_dots() -> None:
    line = sheets.fitted("image_" * 40, sheets.TEXT, SIDE)
    assert line.endswith("...")
    assert sheets.font(sheets.TEXT).getlength(line) <= SIDE
    assert sheets.fitted("short", sheets.TEXT, SIDE) == "short"


def test_letters_that_can_not_be_seen_are_marked() -> None:
    assert sheets.fitted("a\x00b\u202e", sheets.TEXT, SIDE) == "a?b?"


def test_a_pair_shows_the_same_detail_of_both_sides() -> None:
    before = np.random.default_rng(0).integers(0, 200, (60, 80)).astype(np.uint8)
    same = sheets.pair(before, before, "eye")
    middle = same.shape[1] // 2
    half = 384 // 2
    left, right = same[:, middle - GAP // 2 - 384 : middle], same[:, middle + GAP // 2 :]
    assert np.array_equal(left[60 : 60 + half, :300], right[60 : 60 + half, :300])
    brighter = sheets.pair(before, before + 50, "eye")
    assert not np.array_equal(brighter[-100:, middle:], same[-100:, middle:])
    assert np.array_equal(brighter[-100:, : middle - GAP], same[-100:, : middle - GAP])


@pytest.mark.parametrize("shape", [(10, 10), (64, 96), (64, 96, 3), (64, 96, 4), (5, 5)], ids=str)
def test_registered_images_are_woven_in_squares(shape: tuple[int, ...]) -> None:
    second, moved = np.zeros(shape, np.uint8), np.full(shape, 200, np.uint8)
    woven = sheets.woven(moved, second)
    assert woven.shape == shape
    assert set(np.unique(woven)) == {0, 200}
    height, width = (max(side // 8, 1) for side in shape[:2])
    assert (woven[:height, :width] == 200).all()  # the first begins
    assert (woven[:height, width : 2 * width] == 0).all()
    assert (woven[height : 2 * height, :width] == 0).all()
    assert abs(float((woven == 200).mean()) - 0.5) < 0.15


def test_the_same_pictures_give_the_same_sheet() -> None:
    eye = pixels(40, 50)
    first, again = (sheets.registered(eye, eye, eye, "two eyes") for _ in range(2))
    assert np.array_equal(first, again)
