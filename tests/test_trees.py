"""Trees: they leave the disc, thin out, stay in the picture, and are drawn where they lie."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from clearset.generate.retina.trees import PIXEL, STEP, THINNEST, Anatomy, anatomy_of, raster, tree

ROOT_RADIUS = 7.8 * PIXEL
SEEDS = range(5)
Segments = npt.NDArray[np.float64]


def grown(seed: int, root: float = ROOT_RADIUS) -> tuple[Segments, Anatomy]:
    rng = np.random.default_rng(seed)
    anatomy = anatomy_of(rng)
    return tree(rng, anatomy, root), anatomy


def line(*points: tuple[float, float], radius: float) -> Segments:
    """Return the segments of one centre line through points (x, y)."""
    return np.array([(*start, *end, radius) for start, end in pairwise(points)])


def from_disc(segments: Segments, anatomy: Anatomy) -> npt.NDArray[np.float64]:
    """Return how far the start of each segment lies from the disc's centre, in its radii."""
    away: npt.NDArray[np.float64] = np.hypot(*(segments[:, :2] - anatomy.disc).T) / anatomy.radius
    return away


def begins(segments: Segments) -> npt.NDArray[np.bool_]:
    """Return which segments do not start where the one before ends: the first of each vessel."""
    jump = np.abs(segments[1:, :2] - segments[:-1, 2:4]).max(axis=1) > 1e-9
    return np.concatenate([[True], jump])


def test_the_same_seed_grows_the_same_tree_and_another_another() -> None:
    assert np.array_equal(grown(1)[0], grown(1)[0])
    assert not np.array_equal(grown(1)[0][:20], grown(2)[0][:20])


@pytest.mark.parametrize("seed", SEEDS)
def test_every_vessel_starts_in_the_disc_or_on_another_vessel(seed: int) -> None:
    segments, anatomy = grown(seed)
    starts, away = segments[begins(segments), :2], from_disc(segments, anatomy)[begins(segments)]
    assert (away < 1.1).sum() >= 8  # four each way
    for place in starts[away >= 1.1]:
        assert np.hypot(*(segments[:, 2:4] - place).T).min() < 1e-9


@pytest.mark.parametrize("seed", SEEDS)
def test_vessels_branch_and_nearly_every_branch_is_thinner_than_what_it_leaves(seed: int) -> None:
    segments, anatomy = grown(seed)
    first = segments[begins(segments) & (from_disc(segments, anatomy) >= 1.1)]
    assert len(first) > 10
    thinner = []
    for branch in first:
        parents = segments[np.hypot(*(segments[:, 2:4] - branch[:2]).T) < 1e-9]
        thinner.append(branch[4] < parents[:, 4].max())
    assert np.mean(thinner) > 0.9  # some leave where the parent already tapers to its end


@pytest.mark.parametrize("seed", SEEDS)
def test_the_first_vessel_is_the_thickest_and_starts_in_the_disc(seed: int) -> None:
    segments, anatomy = grown(seed)
    assert from_disc(segments, anatomy)[0] < 1
    assert segments[0, 4] == segments[:, 4].max()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_vessel_never_gets_wider_and_none_is_too_thin_to_see(seed: int) -> None:
    segments, _ = grown(seed)
    inner = ~begins(segments)[1:]
    assert (np.diff(segments[:, 4])[inner] <= 1e-12).all()
    assert segments[:, 4].min() >= THINNEST
    assert segments[:, 4].max() <= 1.15 * ROOT_RADIUS


@pytest.mark.parametrize("seed", SEEDS)
def test_steps_are_of_one_length_and_end_just_outside_the_picture(seed: int) -> None:
    segments, _ = grown(seed)
    assert np.hypot(*(segments[:, 2:4] - segments[:, :2]).T) == pytest.approx(STEP)
    assert segments[:, :4].min() > -0.02 - 2 * STEP
    assert segments[:, :4].max() < 1.02 + 2 * STEP


@pytest.mark.parametrize("seed", SEEDS)
def test_a_smaller_root_gives_a_thinner_tree(seed: int) -> None:
    assert grown(seed, ROOT_RADIUS / 2)[0][:, 4].max() < grown(seed)[0][:, 4].max()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_disc_lies_on_the_other_side_than_the_macula(seed: int) -> None:
    _, anatomy = grown(seed)
    assert anatomy.side in (-1, 1)
    assert (anatomy.disc[0] - 0.5) * anatomy.side < 0


@pytest.mark.parametrize("size", [128, 300])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_centre_line_lies_within_what_is_drawn(seed: int, size: int) -> None:
    segments, _ = grown(seed)
    away, radius = raster(segments, size)
    middle = (segments[:, :2] + segments[:, 2:4]) / 2 * size
    inside = ((middle >= 0) & (middle < size)).all(axis=1)
    thick = segments[:, 4] * size >= 0.75  # a pixel's centre is at most 0.71 from the line
    columns, rows = np.floor(middle[inside & thick]).astype(int).T
    assert columns.size
    assert (away[rows, columns] <= 1).all()
    assert (radius[rows, columns] > 0).all()


def test_outside_the_vessels_the_distance_is_nine_and_the_radius_zero() -> None:
    away, radius = raster(grown(0)[0], 128)
    outside = away > 1
    assert outside.any()
    assert set(away[outside]) == {9}
    assert set(radius[outside]) == {0}
    assert (radius[~outside] > 0).all()


def test_distance_and_radius_of_one_line_by_hand() -> None:
    away, radius = raster(line((0.2, 0.5), (0.35, 0.5), (0.5, 0.5), radius=0.05), 100)
    rows, columns = np.nonzero(away <= 1)
    assert (rows.min(), rows.max()) == (45, 54)  # 5 px each way of y = 50
    assert (columns.min(), columns.max()) == (15, 54)  # with round ends at x = 20 and 50
    assert away[47, 30] == pytest.approx(2.5 / 5, abs=1e-4)  # its centre is 2.5 px above the line
    assert set(radius[rows, columns]) == {(5)}


def test_a_crossing_takes_the_distance_of_the_nearer_and_the_radius_of_the_thicker() -> None:
    thin, thick = (
        line((0.2, 0.5), (0.8, 0.5), radius=0.02),
        line((0.5, 0.2), (0.5, 0.8), radius=0.1),
    )
    away, radius = raster(np.concatenate([thin, thick]), 100)
    alone = np.minimum(raster(thin, 100)[0], raster(thick, 100)[0])
    assert np.array_equal(away, alone)
    assert radius[50, 50] == 10


def test_a_line_thinner_than_a_pixel_has_no_holes() -> None:
    away, _ = raster(line((0.1, 0.13), (0.9, 0.84), radius=0.0025), 100)
    drawn = away <= 1
    assert drawn[:, 12:88].any(axis=0).all()


def test_what_is_too_thin_to_draw_is_left_out() -> None:
    assert (raster(line((0.1, 0.5), (0.9, 0.5), radius=0.001), 100)[0] == 9).all()


def test_a_line_outside_the_picture_draws_nothing() -> None:
    assert (raster(line((1.2, 0.5), (1.4, 0.5), radius=0.02), 64)[0] == 9).all()
