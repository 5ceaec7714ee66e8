"""Exact arithmetic: one result in any order and on any processor, and no way around it."""

import ast
import math
from fractions import Fraction
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from clearset.numeric.exact import (
    DECIMALS,
    LENGTH,
    UNIT,
    box_mean,
    correlated,
    cv2,
    quantile,
    settled,
    whole,
    whole_sum,
)
from clearset.numeric.grey import Grey, of_levels, tally
from clearset.numeric.sums import block_sums, pooled, square_sums
from clearset.similar.cosines import between, in_wholes
from conftest import ROOT

SRC = ROOT / "src"
MEASURING = sorted(p for room in ("numeric", "measure") for p in SRC.glob(f"clearset/{room}/*.py"))
# Where single precision may stand, and why nothing that is recorded hangs on its last digits.
SINGLE = {
    "cosines.py": "a screen of bounded error; what may matter of it is computed exactly",
    "forest.py": "the same screen",
    "index.py": "whole numbers below 2^24, where it is exact; it gives candidates alone",
    "ranks.py": "the same screen",
    "enhancements.py": "OpenCV's bilateral filter has no other; its plain code has one result",
    "registration.py": "OpenCV's keypoints have no other; their fit is double",
    "classifier.py": "what models are trained on: no part of the contract",
    "unet.py": "what models are trained on: no part of the contract",
    "loading.py": "what a released dataset is loaded as: nothing is written",
    "fastdup.py": "fastdup's own files",
    "census.py": "values rounded to fewer bits, to be counted: nothing is added in it",
}


def names(path: Path) -> set[str]:
    """Return every name, attribute and imported module of a file."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    imported = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    attributes = {n.attr for n in nodes if isinstance(n, ast.Attribute)}
    return imported | attributes | {n.id for n in nodes if isinstance(n, ast.Name)}


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.py")), ids=lambda p: str(p.relative_to(SRC)))
def test_nothing_recorded_goes_through_single_precision(path: Path) -> None:
    if path.name not in SINGLE:
        assert not names(path) & {"float32", "float16"}


def test_every_exception_is_one() -> None:
    there = {path.name for path in SRC.rglob("*.py") if "float32" in names(path)}
    assert there == set(SINGLE) & {path.name for path in SRC.rglob("*.py")}


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.py")), ids=lambda p: str(p.relative_to(SRC)))
def test_opencv_is_held_to_its_plain_code_wherever_it_is_used(path: Path) -> None:
    imports_cv2 = any(
        isinstance(node, ast.Import) and any(alias.name == "cv2" for alias in node.names)
        for node in ast.walk(ast.parse(path.read_text()))
    )
    assert imports_cv2 == (path.name == "exact.py")


def test_opencv_runs_its_plain_code_on_one_thread() -> None:
    assert not cv2.useOptimized()
    assert cv2.getNumThreads() == 1


def test_the_rooms_that_measure_are_there() -> None:
    there = {path.stem for path in MEASURING}
    assert there >= {"grey", "ridges", "light", "metrics", "spectra", "vessels", "masks"}


@pytest.mark.parametrize("path", MEASURING, ids=lambda p: str(p.relative_to(SRC)))
def test_lengths_are_roots_of_sums_of_squares(path: Path) -> None:
    """IEEE 754 gives a square root one result; a C library's `hypot` has several."""
    assert "hypot" not in names(path)


def test_a_half_is_a_half_whatever_its_last_digit() -> None:
    near = [np.nextafter(0.5, 0), 0.5, np.nextafter(0.5, 1)]
    assert whole(near, np.uint8).tolist() == [0, 0, 0]
    assert whole(np.array(near) + 1, np.uint8).tolist() == [2, 2, 2]
    assert np.rint(near).tolist() != [0, 0, 0]  # what a plain rounding makes of them


def test_what_is_apart_by_more_than_rounding_stays_apart() -> None:
    assert whole([0.5 - 1e-8, 0.5 + 1e-8], np.uint8).tolist() == [0, 1]
    assert settled(0.1 + 0.2) == settled(0.3) == 0.3
    assert DECIMALS < UNIT < 16


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float64])
def test_sums_of_whole_numbers_are_exact(dtype: type) -> None:
    top = 255 if dtype is np.uint8 else 32767
    drawn = np.random.default_rng(0).integers(0, top + 1, (300, 200))
    values: npt.NDArray[Any] = drawn.astype(dtype)
    numbers = [int(value) for value in values.ravel()]
    assert whole_sum(values) == sum(numbers)
    assert whole_sum(values, power=2) == sum(number**2 for number in numbers)


def test_a_filter_of_whole_numbers_is_exact() -> None:
    weights = np.array([math.comb(16, place) for place in range(17)], np.float64)
    image = np.full(
        (40, 50), 4.0 * 65535
    )  # far beyond what `ridges` smooths, by weights of order 4
    assert (correlated(image, weights) == 4 * 65535 * 2**32).all()
    image[20, 25] = 0
    middle = 4 * 65535 * (2**32 - math.comb(16, 8) ** 2)
    assert correlated(image, weights)[20, 25] == middle < 2**53


def test_a_box_mean_is_the_mean_of_the_square_around() -> None:
    image = np.random.default_rng(0).integers(0, 255, (30, 40)).astype(np.float64)
    assert box_mean(image, 5)[10, 12] == pytest.approx(image[8:13, 10:15].mean(), rel=1e-14)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_second_differences_are_exact(dtype: type) -> None:
    drawn = np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, (20, 30))
    levels: npt.NDArray[Any] = drawn.astype(dtype)
    found = Grey(levels, np.iinfo(dtype).max).filtered((1, -2, 1), (1, -2, 1))
    whole_levels = levels.astype(np.int64)
    across = whole_levels[:, 2:] - 2 * whole_levels[:, 1:-1] + whole_levels[:, :-2]
    assert np.array_equal(found[1:-1, 1:-1], across[2:] - 2 * across[1:-1] + across[:-2])


@pytest.mark.parametrize("shape", [(64, 64), (100, 130), (40, 20), (65, 201)], ids=str)
def test_block_sums_are_exact_fractions(shape: tuple[int, int]) -> None:
    levels = np.random.default_rng(0).integers(0, 65536, shape).astype(np.uint16)
    sums = block_sums(levels, 64)
    rows = Fraction(shape[0], 64)
    expected = sum(
        max(min(Fraction(row + 1), 4 * rows) - max(Fraction(row), 3 * rows), Fraction(0))
        * sum(
            max(min(Fraction(column + 1), Fraction(shape[1], 64)) - column, Fraction(0))
            * int(levels[row, column])
            for column in range(shape[1])
        )
        for row in range(shape[0])
    )
    assert Fraction(float(sums[3, 0])) == expected


def test_colour_becomes_whole_grey_levels_as_fine_as_16_bits_go() -> None:
    bands = np.random.default_rng(0).integers(0, 256, (9, 9, 3)).astype(np.uint8)
    grey = of_levels(bands, 255)
    assert (grey.white, grey.levels.dtype.name) == (65535, "uint16")
    true = bands @ np.array([0.2126, 0.7152, 0.0722])
    assert np.abs(grey.levels / 257 - true).max() <= 0.5 / 257 + 1e-9


def test_similarities_do_not_hang_on_the_order_of_addition() -> None:
    rng = np.random.default_rng(0)
    descriptors = in_wholes(rng.normal(size=(40, 900)))
    order = rng.permutation(900)
    one, other = (between(d, d) for d in (descriptors, descriptors[:, order]))
    assert np.array_equal(one, other)
    dots = descriptors.astype(object) @ descriptors.astype(object).T  # Python's own whole numbers
    assert max(abs(int(dot)) for dot in dots.ravel()) < 2**53
    product = descriptors.astype(np.float64) @ descriptors.T.astype(np.float64)
    assert product.tolist() == [[float(int(dot)) for dot in row] for row in dots]


def test_real_descriptors_are_brought_to_one_length() -> None:
    lengths = np.sqrt(np.square(in_wholes(np.eye(3) * 7), dtype=np.float64).sum(axis=1))
    assert lengths.tolist() == [LENGTH] * 3
    assert not in_wholes(np.zeros((1, 5))).any()


def test_ridges_do_not_hang_on_how_levels_are_stored() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (140, 150)).astype(np.uint8)
    deep = levels.astype(np.uint16) * np.uint16(257)
    assert Grey(levels, 255).ridges == pytest.approx(Grey(deep, 65535).ridges, rel=1e-12)


def test_a_thread_adds_up_what_the_first_one_does() -> None:
    """OpenCV has IPP on in each new thread, whatever the first one said."""
    values = np.random.default_rng(0).integers(-400, 400, (40, 64, 64)).astype(np.int16)
    results: list[int] = []
    thread = Thread(target=lambda: results.extend(whole_sum(each, power=2) for each in values))
    thread.start()
    thread.join()
    assert results == [int(np.square(each.astype(np.int64)).sum()) for each in values]


@pytest.mark.parametrize("size", [1, 2, 3, 10, 11, 1000, 9216])
def test_a_quantile_is_numpys_to_the_last_digit(size: int) -> None:
    for seed in range(20):
        values = np.random.default_rng(seed).normal(size=size)
        for share in (0.0, 0.05, 0.1, 0.5, 0.9, 0.95, 1.0):
            assert quantile(values, share) == np.quantile(values, share)
            assert quantile(values, share) == np.percentile(values, 100 * share)


@pytest.mark.parametrize("shape", [(128, 128), (131, 250), (768, 384)], ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_sums_of_sums_are_those_of_pixels(shape: tuple[int, int], dtype: type) -> None:
    top = int(np.iinfo(dtype).max)
    drawn = np.random.default_rng(0).integers(top - 9, top + 1, shape)
    levels: npt.NDArray[Any] = drawn.astype(dtype)
    rows, columns = (side // 4 for side in shape)
    cut = drawn[: 4 * rows, : 4 * columns]
    expected = cut.reshape(rows, 4, columns, 4).sum(axis=(1, 3))
    assert np.array_equal(pooled(pooled(levels)), expected)
    assert np.array_equal(square_sums(levels, 4), expected)
    grey = Grey(levels, top)
    assert np.array_equal(grey.block_sums(32), block_sums(levels, 32))
    assert np.array_equal(grey.block_sums(64), block_sums(levels, 64))
    assert np.array_equal(grey.cells * (grey.side**2 * top), square_sums(levels, grey.side))


def test_a_box_mean_of_16_bits_is_that_of_real_numbers() -> None:
    levels = np.random.default_rng(0).integers(0, 65536, (200, 190)).astype(np.uint16)
    for side in (3, 31, 181):
        assert np.array_equal(box_mean(levels, side), box_mean(levels.astype(np.float64), side))
        white = np.full((200, 190), 65535, np.uint16)
        assert box_mean(white, side) == pytest.approx(65535, rel=1e-14)


def test_levels_are_counted_where_they_were_seen() -> None:
    rng = np.random.default_rng(0)
    levels, seen = rng.integers(0, 256, (50, 70)).astype(np.uint8), rng.random((50, 70)) < 0.5
    assert np.array_equal(tally(levels), np.bincount(levels.ravel(), minlength=256))
    assert np.array_equal(tally(levels, seen), np.bincount(levels[seen], minlength=256))
    assert np.array_equal(Grey(levels[:, 3:40], 255).tally, tally(levels[:, 3:40].copy()))
    deep = levels.astype(np.uint16) * np.uint16(257)
    assert np.array_equal(Grey(deep, 65535, seen).tally[::257], tally(levels, seen))
