"""Neighbours by an index: similarities are exact, and how many are found is said as it is."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from clearset.similar import cosines, index, links, neighbours
from clearset.similar.neighbours import Compared

Descriptors = npt.NDArray[Any]
BOUNDS = (0.99, 0.7)
COUNT = 10


def crowd(total: int, *, length: int = 60) -> Descriptors:
    """Return images of three kinds, every tenth one nearly the same as the one before it."""
    rng = np.random.default_rng(total)
    made = rng.normal(size=(3, length))[rng.integers(0, 3, total)] + rng.normal(
        size=(total, length)
    )
    made[9::10] = made[8 : total - 1 : 10] + rng.normal(0, 0.3, (len(made[9::10]), length))
    return cosines.in_wholes(made)


def compared(vectors: Descriptors, splits: list[str], exact_images: int | None) -> Compared:
    return neighbours.compare(
        [f"eye_{number:04d}" for number in range(len(vectors))],
        splits,
        vectors,
        count=COUNT,
        graph_neighbours=2,
        bounds=BOUNDS,
        exact_images=exact_images,
    )


def both(vectors: Descriptors, splits: list[str] | None = None) -> tuple[Compared, Compared]:
    where = splits or ["train"] * len(vectors)
    return compared(vectors, where, None), compared(vectors, where, len(vectors) - 1)


def groups(found: Compared, total: int, bound: float) -> list[list[str]]:
    ids = [f"eye_{number:04d}" for number in range(total)]
    table = links.components(ids, found.links, bound)
    return sorted(table.groupby("component_id")["image_id"].agg(list))


def crippled(monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    monkeypatch.setattr(index, "CELL", 8)
    monkeypatch.setattr(index, "CELLS", cells)


def test_up_to_the_bound_each_is_compared_with_each_and_nothing_is_said() -> None:
    vectors = crowd(40)
    assert compared(vectors, ["train"] * 40, 40).said() == {}
    assert list(compared(vectors, ["train"] * 40, 39).said()) == ["neighbours"]


@pytest.mark.parametrize("names", [["train"], ["train", "test"]])
def test_where_all_cells_are_looked_through_all_is_found(names: list[str]) -> None:
    splits = np.random.default_rng(0).choice(names, 300).tolist()
    exact, found = both(crowd(300), splits)
    pd.testing.assert_frame_equal(found.nearest, exact.nearest)
    pd.testing.assert_frame_equal(found.within, exact.within)
    pd.testing.assert_frame_equal(found.pairs, exact.pairs)
    assert groups(found, 300, 0.7) == groups(exact, 300, 0.7) != []
    assert found.search
    assert (found.search.recall, found.search.first) == (1, 1)
    assert set(found.search.planted.values()) == {1}


@pytest.mark.parametrize("cells", [1, 3, 20])
def test_what_is_said_to_be_found_is_what_is_found(
    monkeypatch: pytest.MonkeyPatch, cells: int
) -> None:
    crippled(monkeypatch, cells)
    exact, found = both(crowd(200))  # of so few, each is one of the sample
    true = exact.nearest.groupby("image_id")["similarity"].agg(["min", "max"])
    rows = found.nearest.assign(least=found.nearest["image_id"].map(true["min"]))
    assert found.search
    assert found.search.sample == 200
    reached = (rows["similarity"] >= rows["least"]).sum() / (200 * COUNT)
    assert found.search.recall == pytest.approx(reached, abs=1e-4)
    first = found.nearest.groupby("image_id")["similarity"].max() >= true["max"]
    assert found.search.first == pytest.approx(first.mean(), abs=1e-4)


def test_recall_falls_as_fewer_cells_are_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    said = []
    for cells in (20, 4, 1):
        crippled(monkeypatch, cells)
        search = both(crowd(400))[1].search
        assert search
        said.append((search.recall, search.planted["0.7"]))
    assert said == sorted(said, reverse=True)
    assert said[0][0] > 0.95
    assert said[-1][0] < 0.7


def test_every_similarity_is_exact_whatever_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    crippled(monkeypatch, 2)
    vectors = crowd(150)
    true = cosines.between(vectors, vectors)
    found = both(vectors)[1]
    number = {f"eye_{place:04d}": place for place in range(150)}
    for table, other in ((found.nearest, "neighbour_id"), (found.links, "other_id")):
        ends = table["image_id"].map(number), table[other].map(number)
        np.testing.assert_array_equal(table["similarity"], true[ends])
    assert (found.nearest["image_id"] != found.nearest["neighbour_id"]).all()
    assert not found.nearest.duplicated(["image_id", "neighbour_id"]).any()


def test_near_duplicates_are_found_in_few_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    crippled(monkeypatch, 4)
    exact, found = both(crowd(400))
    assert groups(found, 400, 0.9) == groups(exact, 400, 0.9) != []


def test_copies_beyond_what_is_recorded_are_counted_and_joined(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crippled(monkeypatch, 1)
    vectors = crowd(200)
    vectors[20:120:2] = vectors[20]
    exact, found = both(vectors)
    assert found.pairs["pairs"].tolist()[0] == exact.pairs["pairs"].tolist()[0] >= 50 * 49 // 2
    assert groups(found, 200, 0.99) == groups(exact, 200, 0.99)
    of_copies = found.nearest[found.nearest["image_id"] == "eye_0118"]
    assert of_copies["neighbour_id"].tolist() == [f"eye_{20 + 2 * n:04d}" for n in range(COUNT)]


def test_an_image_alike_to_none_has_the_first_ones_at_0() -> None:
    vectors = crowd(60)
    vectors[[3, 50]] = 0
    exact, found = both(vectors)
    pd.testing.assert_frame_equal(found.nearest, exact.nearest)
    assert set(found.nearest[found.nearest["image_id"] == "eye_0050"]["similarity"]) == {0.0}


def test_a_split_of_few_images_has_neighbours_of_its_own() -> None:
    splits = ["train"] * 297 + ["test"] * 3
    found = both(crowd(300), splits)[1].within
    of_test = found[found["image_id"] >= "eye_0297"]
    assert set(of_test["neighbour_id"]) == {"eye_0297", "eye_0298", "eye_0299"}
    assert len(of_test) == 6


def test_kinship_by_an_index_is_what_each_pair_gives() -> None:
    vectors = crowd(200)
    found = neighbours.kinship(vectors, exact_images=10)
    np.testing.assert_array_equal(found, neighbours.kinship(vectors))


@pytest.mark.parametrize("length", [3, 60, 897, 4000])
def test_products_of_codes_are_whole_in_single_precision(length: int) -> None:
    rng = np.random.default_rng(length)
    made = index.codes(rng.choice([-1.0, 1.0, 0.4], (6, length)))
    assert int(np.square(made.astype(np.int64)).sum(axis=1).max()) <= 2**24
    exact = made.astype(np.int64) @ made.T.astype(np.int64)
    np.testing.assert_array_equal(made.astype(np.float32) @ made.T.astype(np.float32), exact)


def test_order_of_addition_and_size_of_parts_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crippled(monkeypatch, 3)
    vectors = crowd(200)
    tables = [both(vectors)[1], both(vectors[:, ::-1].copy())[1]]
    monkeypatch.setattr(index, "TILE", 50)
    monkeypatch.setattr(index, "PART", 7)
    tables.append(both(vectors)[1])
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table.nearest, tables[0].nearest)
        pd.testing.assert_frame_equal(table.links, tables[0].links)
