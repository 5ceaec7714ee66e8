"""Leaks: pairs across splits alone, each once, and the same eye is among them."""

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

from clearset.generate.retina.synthesis import eye
from clearset.numeric.grey import of_unit
from clearset.plant.edits import another_visit, edited
from clearset.similar.duplicates import most_inliers
from clearset.similar.leaks import candidates, table, worth
from clearset.similar.registration import Keypoints, Registration, Sight, register, sight
from clearset.store import columns, tables

SIZE = 384
Image = npt.NDArray[np.float64]


def shown(number: int, *, again: bool = False) -> Image:
    """Return an eye, or another visit of it."""
    image = eye(np.random.default_rng(number), SIZE)[0]
    rng = np.random.default_rng(number)
    return edited(image, another_visit(rng), rng) if again else image


# Four eyes for training, four for testing; eyes 1 and 2 are seen again in the other split.
SPLITS = ["train"] * 5 + ["test"] * 5
IDS = ["a0", "a1", "a2", "a3", "b5", "b4", "b5'", "b6", "b7", "a1'"]
TRUE = {(1, 9), (4, 6)}


@pytest.fixture(scope="module")
def sights() -> list[Sight]:
    pictures = [shown(number) for number in (0, 1, 2, 3, 5, 4)]
    pictures += [shown(5, again=True), shown(6), shown(7), shown(1, again=True)]
    return [sight(of_unit(image)) for image in pictures]


@pytest.fixture(scope="module")
def descriptors() -> npt.NDArray[np.float64]:
    """Descriptors that know nothing of who is whom."""
    return np.random.default_rng(0).normal(size=(10, 16))


@pytest.mark.parametrize(("looked_at", "kept"), [(1, 1), (3, 2), (5, 1), (5, 5), (99, 99)])
def test_candidates_pair_different_splits_each_once(
    sights: list[Sight], descriptors: npt.NDArray[np.float64], looked_at: int, kept: int
) -> None:
    found = candidates(SPLITS, descriptors, sights, looked_at=looked_at, per_image=kept, small=0)
    ends = [(first, second) for first, second, _ in found]
    assert ends == sorted(set(ends))
    assert all(first < second for first, second in ends)
    assert all(SPLITS[first] != SPLITS[second] for first, second in ends)
    assert len(ends) <= 10 * min(kept, looked_at)
    assert {place for pair in ends for place in pair} == set(range(10))


def test_all_candidates_are_all_pairs_across_splits(
    sights: list[Sight], descriptors: npt.NDArray[np.float64]
) -> None:
    found = candidates(SPLITS, descriptors, sights, looked_at=10, per_image=10, small=0)
    across = [(i, j) for i, j in combinations(range(10), 2) if SPLITS[i] != SPLITS[j]]
    assert [(first, second) for first, second, _ in found] == across


def test_a_candidate_has_the_cosine_of_its_descriptors(
    sights: list[Sight], descriptors: npt.NDArray[np.float64]
) -> None:
    units = descriptors / np.linalg.norm(descriptors, axis=1, keepdims=True)
    for first, second, value in candidates(
        SPLITS, descriptors, sights, looked_at=5, per_image=2, small=0
    ):
        assert value == pytest.approx(units[first] @ units[second], abs=1e-4)


def test_one_candidate_each_is_enough_for_the_same_eye(
    sights: list[Sight], descriptors: npt.NDArray[np.float64]
) -> None:
    found = candidates(SPLITS, descriptors, sights, looked_at=5, per_image=1, small=0)
    assert {(first, second) for first, second, _ in found} >= TRUE


def test_only_the_most_similar_are_looked_at(sights: list[Sight]) -> None:
    angles = np.deg2rad([0, 40, 80, 120, 160, 1, 41, 81, 121, 161])
    rays = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = candidates(SPLITS, rays, sights, looked_at=1, per_image=1, small=0)
    assert [(first, second) for first, second, _ in found] == [(i, i + 5) for i in range(5)]


@pytest.mark.parametrize(("looked_at", "kept"), [(0, 5), (5, 0)])
def test_nothing_is_looked_at_where_nothing_is_wanted(
    sights: list[Sight], descriptors: npt.NDArray[np.float64], looked_at: int, kept: int
) -> None:
    assert (
        candidates(SPLITS, descriptors, sights, looked_at=looked_at, per_image=kept, small=0) == []
    )


def test_within_one_split_nothing_is_a_candidate(
    sights: list[Sight], descriptors: npt.NDArray[np.float64]
) -> None:
    assert candidates(["all"] * 10, descriptors, sights, looked_at=5, per_image=5, small=0) == []


def test_with_three_splits_every_two_are_compared(
    sights: list[Sight], descriptors: npt.NDArray[np.float64]
) -> None:
    splits = ["train", "val", "test"] * 3 + ["train"]
    found = candidates(splits, descriptors, sights, looked_at=9, per_image=9, small=0)
    assert {(splits[i], splits[j]) for i, j, _ in found} == {
        (one, two) for one in set(splits) for two in set(splits) if one != two
    }


def test_the_table_has_the_pairs_that_a_fit_joins(
    sights: list[Sight], descriptors: npt.NDArray[np.float64]
) -> None:
    pairs = candidates(SPLITS, descriptors, sights, looked_at=5, per_image=1, small=0)
    found = table(IDS, pairs, [register(sights[i], sights[j]) for i, j, _ in pairs])
    sure = found[found["inliers"] > 12]
    assert set(zip(sure["image_id"], sure["other_id"], strict=True)) == {
        (IDS[first], IDS[second]) for first, second in TRUE
    }
    assert (found["inliers"] > 0).all()
    tables.checked("registrations", found)


def test_the_table_keeps_the_fit() -> None:
    matrix = np.array([[1.0, 2, 3], [4, 5, 6]])
    fits = [Registration(7, True, matrix), Registration(0, False, matrix)]
    found = tables.checked(
        "registrations", table(["a", "b", "c"], [(0, 2, 0.5), (1, 2, 0.9)], fits)
    )
    assert found.to_numpy().tolist() == [["a", "c", 0.5, 7, 1, 1, 2, 3, 4, 5, 6]]
    assert list(found)[-6:] == ["xx", "xy", "x0", "yx", "yy", "y0"]


def test_a_table_of_nothing_has_its_columns() -> None:
    tables.checked("registrations", table([], [], []))


def test_most_inliers_are_of_the_best_fit_at_either_end() -> None:
    fits = [(0, 1, 5), (0, 2, 9), (2, 3, 7)]
    found = table(
        ["a", "b", "c", "d"],
        [(first, second, 0.5) for first, second, _ in fits],
        [Registration(count, False, np.eye(2, 3)) for *_, count in fits],
    )
    assert most_inliers(found).to_dict() == {"a": 9, "b": 5, "c": 9, "d": 7}


def test_without_a_fit_no_image_has_inliers() -> None:
    assert most_inliers(columns.empty("registrations")).empty


def test_of_equal_votes_the_most_similar_are_taken() -> None:
    one, two, three = np.random.default_rng(0).integers(0, 255, (3, 1, 32), dtype=np.uint8)

    def of(*bits: npt.NDArray[np.uint8]) -> Sight:
        places = np.zeros((len(bits), 2), np.float32)
        return Sight(*(Keypoints(places, np.concatenate(bits), 100, 1.0),) * 2)

    # Every second of 39 has a vote of the first, and each has more of five others than of it.
    seen = [of(one), *(of(one, two, three) if n % 2 else of(two, three) for n in range(39))]
    seen += [of(two, three)] * 5
    angles = np.deg2rad(np.arange(45) * 2.0)
    rays = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    splits = ["train"] + ["test"] * 39 + ["train"] * 5
    found = candidates(splits, rays, seen, looked_at=39, per_image=5, small=0)
    assert [pair[:2] for pair in found if pair[0] == 0] == [(0, n) for n in (2, 4, 6, 8, 10)]


@pytest.mark.parametrize(("small", "all_of_them"), [(24, False), (25, True)])
def test_of_few_pairs_across_splits_all_are_registered(
    sights: list[Sight], descriptors: npt.NDArray[np.float64], small: int, all_of_them: bool
) -> None:
    found = candidates(SPLITS, descriptors, sights, looked_at=99, per_image=1, small=small)
    assert (len(found) == 25) == all_of_them


@pytest.mark.parametrize(
    ("outstanding", "expected"), [(0, 2), (1, 2), (4, 4), (6, 6), (9, 6)], ids=str
)
def test_what_stands_out_is_registered_beside_the_best_up_to_thrice_as_many(
    outstanding: int, expected: int
) -> None:
    votes = np.array([3] * (20 - outstanding) + [30] * outstanding + [4] * 20)
    assert worth(votes, 2) == expected


def test_of_no_candidates_none_is_worth_it() -> None:
    assert worth(np.zeros(0, np.int64), 5) == 0
