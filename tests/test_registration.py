"""Registration: the same eye is found whatever its field and light, another one is not."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from clearset.generate.retina.synthesis import eye
from clearset.images import codec, levels
from clearset.numeric.grey import of_unit
from clearset.plant.edits import Edit, another_visit, edited, moved
from clearset.similar import registration
from clearset.similar.registration import Registration, Sight, onto, register, strongest

SIZE = 384
SURE = 12  # inliers that two different eyes do not exceed
NEAR = 3.0  # px
Image = npt.NDArray[np.float64]
Points = npt.NDArray[np.float64]


def sight(image: Image) -> Sight:
    return registration.sight(of_unit(image))


def votes(one: Sight, others: Sequence[Sight]) -> npt.NDArray[np.int64]:
    pool = np.array([strongest(other.plain) for other in others]).reshape(-1, 100, 4)
    return registration.votes(strongest(one.plain), strongest(one.mirrored), pool)


@pytest.fixture(scope="module")
def eyes() -> list[Image]:
    """Eight different eyes."""
    return [eye(np.random.default_rng(seed), SIZE)[0] for seed in range(8)]


@pytest.fixture(scope="module")
def sights(eyes: list[Image]) -> list[Sight]:
    return [sight(image) for image in eyes]


VISITS = {
    "shifted": Edit(shift=(0.05, -0.08)),
    "turned": Edit(degrees=8),
    "turned far": Edit(degrees=-120),
    "nearer": Edit(zoom=1.15),
    "farther": Edit(zoom=0.85),
    "mirrored": Edit(mirrored=True),
    "mirrored and moved": Edit(mirrored=True, shift=(-0.04, 0.06), degrees=5, zoom=1.05),
    "all at once": Edit(
        shift=(0.06, -0.05), degrees=-6, zoom=1.04, gain=0.8, offset=8, gamma=1.3, noise=5
    ),
}


def taken(image: Image, edit: Edit) -> Image:
    return edited(image, edit, np.random.default_rng(3))


def goes(points: Points, edit: Edit, shape: tuple[int, ...]) -> Points:
    """Return where points (column, row) of an image lie after an edit, worked out by hand.

    Mirrored first, then turned counterclockwise and enlarged about the centre, then shifted.
    """
    height, width = shape
    column, row = points[:, 0].copy(), points[:, 1].copy()
    if edit.mirrored:
        column = width - 1 - column
    column, row = column - (width - 1) / 2, row - (height - 1) / 2
    turn = np.deg2rad(edit.degrees)
    right = (column * np.cos(turn) + row * np.sin(turn)) * edit.zoom
    down = (-column * np.sin(turn) + row * np.cos(turn)) * edit.zoom
    return np.stack(
        [
            right + (width - 1) / 2 + edit.shift[1] * width,
            down + (height - 1) / 2 + edit.shift[0] * height,
        ],
        axis=1,
    )


def mapped(points: Points, matrix: Points) -> Points:
    return points @ matrix[:, :2].T + matrix[:, 2]


def grid(shape: tuple[int, ...]) -> Points:
    """Return points of the inner half of an image, (column, row)."""
    height, width = shape
    rows, columns = np.meshgrid(
        np.linspace(height / 4, 3 * height / 4, 5), np.linspace(width / 4, 3 * width / 4, 5)
    )
    return np.stack([columns.ravel(), rows.ravel()], axis=1)


def away(found: Registration, edit: Edit, shape: tuple[int, ...]) -> float:
    """Return how far the fit lies from the truth, px, at most."""
    off = mapped(grid(shape), found.matrix) - goes(grid(shape), edit, shape)
    return float(np.hypot(*off.T).max())


@pytest.mark.parametrize("name", VISITS)
def test_the_points_of_an_edit_are_where_the_edit_puts_them(name: str) -> None:
    image = np.zeros((90, 120))
    image[50, 40] = 1
    edit = VISITS[name]
    blurred = ndimage.gaussian_filter(image, 2)
    place = ndimage.center_of_mass(np.maximum(moved(blurred, edit, order=3), 0) ** 2)
    expected = goes(np.array([[40.0, 50.0]]), edit, image.shape)[0]
    assert place[::-1] == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("name", VISITS)
@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_same_eye_is_found_with_the_way_it_lies(
    eyes: list[Image], sights: list[Sight], number: int, name: str
) -> None:
    edit = VISITS[name]
    found = register(sights[number], sight(taken(eyes[number], edit)))
    assert found.inliers > SURE
    assert found.mirrored == edit.mirrored
    assert away(found, edit, eyes[number].shape) < NEAR


@pytest.mark.parametrize("number", range(8))
def test_another_visit_of_an_eye_is_found(
    eyes: list[Image], sights: list[Sight], number: int
) -> None:
    edit = another_visit(np.random.default_rng(number))
    found = register(sights[number], sight(taken(eyes[number], edit)))
    assert found.inliers > SURE
    assert away(found, edit, eyes[number].shape) < NEAR


def test_different_eyes_stay_below(sights: list[Sight]) -> None:
    inliers = [register(one, two).inliers for one, two in combinations(sights, 2)]
    assert len(inliers) == 28
    assert max(inliers) <= SURE


def test_the_way_back_is_the_inverse(eyes: list[Image], sights: list[Sight]) -> None:
    other = sight(taken(eyes[0], VISITS["all at once"]))
    there, back = register(sights[0], other).matrix, register(other, sights[0]).matrix
    points = grid(eyes[0].shape)
    assert np.abs(mapped(mapped(points, there), back) - points).max() < NEAR


def test_an_eye_lies_on_itself(sights: list[Sight]) -> None:
    found = register(sights[0], sights[0])
    assert not found.mirrored
    np.testing.assert_allclose(found.matrix, np.eye(2, 3), atol=1e-3)


def test_images_of_two_sizes_are_registered_in_their_own_pixels(eyes: list[Image]) -> None:
    image = np.asarray(ndimage.zoom(eyes[0], 2, order=1))  # as another camera's
    found = register(sight(eyes[0]), sight(image))
    assert found.inliers > SURE
    points = grid(eyes[0].shape)
    grown = points * (image.shape[0] - 1) / (SIZE - 1)
    assert np.abs(mapped(points, found.matrix) - grown).max() < NEAR


def test_a_field_that_is_not_square_is_registered(eyes: list[Image]) -> None:
    image = eyes[0][40:340]
    edit = Edit(shift=(0.02, 0.05), degrees=4)
    found = register(sight(image), sight(taken(image, edit)))
    assert found.inliers > SURE
    assert away(found, edit, image.shape) < NEAR


@pytest.mark.parametrize(
    "image",
    [
        np.full((SIZE, SIZE), 0.5),
        np.zeros((SIZE, SIZE)),
        np.ones((64, 64)),
        eye(np.random.default_rng(0), SIZE)[0][:, :16],
        eye(np.random.default_rng(0), SIZE)[0][:16],
        eye(np.random.default_rng(0), SIZE)[0][:10, :10],
        np.zeros((3000, 16)),
    ],
    ids=["grey", "black", "white", "narrow", "flat", "tiny", "long"],
)
def test_what_has_no_keypoints_is_no_ones_partner(image: Image, sights: list[Sight]) -> None:
    nothing = sight(image)
    for one, two in ((nothing, sights[0]), (sights[0], nothing), (nothing, nothing)):
        found = register(one, two)
        assert (found.inliers, found.mirrored) == (0, False)
        assert found.matrix.shape == (2, 3)
    assert votes(nothing, [*sights, nothing]).tolist() == [0] * (len(sights) + 1)
    assert votes(sights[0], [nothing]).tolist() == [0]


def test_a_small_image_is_no_sure_partner_of_another_eye(sights: list[Sight]) -> None:
    small = sight(eye(np.random.default_rng(99), 64)[0])
    assert all(register(small, other).inliers <= SURE for other in sights)


def test_keypoints_come_strongest_first_within_the_reduced_image(sights: list[Sight]) -> None:
    for points in (sights[0].plain, sights[0].mirrored):
        assert 0 < len(points.positions) == len(points.descriptors) <= registration.MOST
        assert points.positions.min() >= 0
        assert points.positions.max() < registration.SIDE
        assert points.descriptors.shape[1] == 32


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((768, 768), (384, 384)), ((768, 384), (384, 192)), ((100, 384), (100, 384))],
)
def test_only_large_images_are_reduced(shape: tuple[int, int], expected: tuple[int, int]) -> None:
    assert registration.reduced(of_unit(np.zeros(shape))).shape == expected


def test_the_same_pair_is_fitted_the_same_whatever_came_before(
    eyes: list[Image], sights: list[Sight]
) -> None:
    other = sight(taken(eyes[0], VISITS["all at once"]))
    first = register(sights[0], other)
    for one, two in combinations(sights[:4], 2):
        register(one, two)
    again = register(sight(eyes[0]), sight(taken(eyes[0], VISITS["all at once"])))
    assert again.inliers == first.inliers
    np.testing.assert_array_equal(again.matrix, first.matrix)


@pytest.mark.parametrize("name", ["all at once", "mirrored and moved", "nearer"])
@pytest.mark.parametrize("number", [0, 3, 5])
def test_the_right_partner_has_the_most_votes(
    eyes: list[Image], sights: list[Sight], number: int, name: str
) -> None:
    found = votes(sight(taken(eyes[number], VISITS[name])), sights)
    assert found.shape == (8,)
    assert found.argmax() == number
    assert found[number] > 2 * np.delete(found, number).max()


def test_votes_do_not_depend_on_who_else_is_looked_at(
    sights: list[Sight], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = votes(sights[0], sights)
    assert whole.tolist() == [int(votes(sights[0], [other])[0]) for other in sights]
    monkeypatch.setattr(registration, "CHUNK", 3)
    assert votes(sights[0], sights).tolist() == whole.tolist()
    assert votes(sights[0], []).shape == (0,)


def of_bits(*words: int) -> Sight:
    """Return a sight whose descriptors have these first bytes, and zeros after them."""
    bits = np.zeros((len(words), 32), np.uint8)
    bits[:, 0] = words
    points = registration.Keypoints(np.zeros((len(words), 2), np.float32), bits, 100, 1.0)
    return Sight(points, points)


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        (of_bits(1, 2, 4), of_bits(4, 2, 1), 3),
        (of_bits(1), of_bits(4, 2, 1), 1),
        (of_bits(0, 0, 0), of_bits(0, 0, 0), 0),  # zeros stand for a missing keypoint
        (of_bits(), of_bits(1, 2), 0),
        (of_bits(1, 2), of_bits(), 0),
        (of_bits(), of_bits(), 0),
    ],
    ids=["three", "one of three", "zeros", "none and two", "two and none", "none"],
)
def test_a_missing_keypoint_matches_none(one: Sight, two: Sight, expected: int) -> None:
    assert votes(one, [two]).tolist() == [expected]


def test_an_image_lies_on_another_where_the_fit_says(
    eyes: list[Image], sights: list[Sight]
) -> None:
    edit = replace(VISITS["mirrored and moved"], zoom=1.0)
    other = taken(eyes[0], edit)
    found = register(sights[0], sight(other))
    laid = onto(np.rint(eyes[0] * 255).astype(np.uint8), found.matrix, (SIZE, SIZE))
    inner = np.s_[80:-80, 80:-80]
    assert np.corrcoef(laid[inner].ravel(), other[inner].ravel())[0, 1] > 0.95


def test_what_lies_outside_is_black_and_the_shape_is_the_seconds() -> None:
    white = np.full((20, 30), 255, np.uint8)
    laid = onto(white, np.array([[1.0, 0, 10], [0, 1, 5]]), (50, 70))
    expected = np.zeros((50, 70), np.uint8)
    expected[5:25, 10:40] = 255
    np.testing.assert_array_equal(laid, expected)


def test_an_image_is_left_as_it_was(eyes: list[Image]) -> None:
    before = eyes[0].copy()
    sight(eyes[0])
    np.testing.assert_array_equal(eyes[0], before)


def test_the_eye_that_ravir_has_in_both_splits_is_found_and_no_other(ravir: Path) -> None:
    def seen(folder: str, *names: str) -> dict[str, Sight]:
        files = sorted((ravir / "RAVIR Dataset" / folder).glob("*.png"))
        chosen = [file for file in files if not names or file.stem in names]
        return {file.stem: sight(grey(file)) for file in chosen[:5]}

    def grey(file: Path) -> Any:
        whole = levels.unit(levels.bands(codec.decode(file), levels.of_type(codec.decode(file))))
        return whole if whole.ndim == 2 else np.ascontiguousarray(whole[..., 0])

    one, two = (
        seen("train/training_images", "IR_Case_043"),
        seen("test", "IR_Case_057"),
    )
    assert register(one["IR_Case_043"], two["IR_Case_057"]).inliers > SURE
    trained, tested = seen("train/training_images"), seen("test")
    others = [
        register(trained[first], tested[second]).inliers
        for first in trained
        for second in tested
        if (first, second) != ("IR_Case_043", "IR_Case_057")
    ]
    assert len(others) >= 20
    assert max(others) <= SURE


@pytest.mark.parametrize(("matches", "inliers"), [(3, 0), (4, 4), (5, 5)])
def test_four_matches_are_enough_for_a_fit(matches: int, inliers: int) -> None:
    rng = np.random.default_rng(matches)
    bits = rng.integers(0, 255, (matches, 32), dtype=np.uint8)
    corners = [(20, 20), (300, 40), (60, 280), (320, 330), (180, 170)]
    places = np.array(corners[:matches], np.float32)
    one, two = (registration.Keypoints(places + away, bits, SIZE, 1.0) for away in (0, 8))
    found = register(Sight(one, one), Sight(two, two))
    assert (found.inliers, found.mirrored) == (inliers, False)
    if inliers:
        np.testing.assert_allclose(found.matrix, [[1, 0, 8], [0, 1, 8]], atol=1e-6)
