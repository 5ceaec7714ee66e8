"""Neighbours: exact, whatever the block size; outliers within a split; chains that join."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from clearset.similar import cosines, links, neighbours
from clearset.similar.neighbours import Compared, outliers, pair_counts, published_edges

Descriptors = npt.NDArray[Any]
BLOCKS = [1, 7, 1024]


def signs(count: int) -> npt.NDArray[np.int64]:
    """Return vectors of 16 signs: cosines are multiples of 1/16, exact, and often equal."""
    return np.random.default_rng(count).choice([-1, 1], (count, 16))


def named(count: int) -> list[str]:
    return [f"eye_{number:04d}" for number in range(count)]


def at_degrees(*angles: float) -> Descriptors:
    radians = np.radians(angles)
    return np.column_stack([np.cos(radians), np.sin(radians)])


def crowd_with_a_stranger(count: int) -> Descriptors:
    """Return vectors around one direction, and a last one across."""
    vectors = np.random.default_rng(0).normal(0, 0.2, (count, 16))
    vectors[:, 0] += [1] * (count - 1) + [-1]
    return vectors


def compared(
    ids: list[str],
    descriptors: Descriptors,
    *,
    count: int = 10,
    splits: list[str] | None = None,
    bounds: tuple[float, ...] = (0.9,),
    watch: cosines.Watch = iter,
) -> Compared:
    where = splits or ["train"] * len(ids)
    return neighbours.compare(
        ids, where, descriptors, count=count, graph_neighbours=2, bounds=bounds, watch=watch
    )


def nearest(ids: list[str], descriptors: Descriptors, count: int) -> pd.DataFrame:
    return compared(ids, descriptors, count=count).nearest


def components(ids: list[str], descriptors: Descriptors, bound: float) -> pd.DataFrame:
    return links.components(ids, compared(ids, descriptors).links, bound)


def judged(descriptors: Descriptors, splits: list[str] | None = None) -> pd.DataFrame:
    count = len(descriptors)
    where = splits or ["train"] * count
    within = compared(named(count), descriptors, splits=where).within
    return outliers(named(count), where, within, 0.05)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("count", [1, 3, 50])
def test_nearest_equals_a_brute_force(
    monkeypatch: pytest.MonkeyPatch, block: int, count: int
) -> None:
    monkeypatch.setattr(cosines, "BLOCK", block)
    vectors, ids = signs(40), named(40)
    found = nearest(ids, vectors, count)
    expected = []
    for i in range(40):
        ranked = sorted((-int(vectors[i] @ vectors[j]), j) for j in range(40) if j != i)
        expected += [(ids[i], ids[j], -product / 16) for product, j in ranked[:count]]
    assert list(found.itertuples(index=False, name=None)) == expected


def test_ties_come_in_the_order_given() -> None:
    found = nearest(["z", "a", "m", "b"], np.ones((4, 5)), 2)
    assert found["neighbour_id"].tolist() == ["a", "m", "z", "m", "z", "a", "z", "a"]


def test_identical_vectors_have_similarity_one() -> None:
    vectors = np.random.default_rng(0).normal(size=(1, 576))
    assert set(nearest(named(4), vectors.repeat(4, axis=0), 3)["similarity"]) == {1.0}


def test_opposite_vectors_have_similarity_minus_one() -> None:
    assert nearest(named(2), at_degrees(30, 210), 1)["similarity"].tolist() == [-1.0, -1.0]


def test_a_zero_vector_is_like_nothing() -> None:
    vectors = np.vstack([np.zeros((2, 2)), at_degrees(0, 1)])
    found = nearest(named(4), vectors, 3)
    zero = found["image_id"].isin(named(2)) | found["neighbour_id"].isin(named(2))
    assert set(found.loc[zero, "similarity"]) == {0.0}
    assert (found.loc[~zero, "similarity"] > 0.99).all()


def test_the_fifth_decimal_does_not_decide() -> None:
    found = nearest(["a", "b", "c"], at_degrees(0, 0.25, 0.2), 2)  # 0.99999048 and 0.99999391
    assert found["neighbour_id"].tolist()[:2] == ["b", "c"]
    assert set(found["similarity"]) == {1.0}
    apart = nearest(["a", "b", "c"], at_degrees(0, 2, 1), 2)  # 0.99939 and 0.99985
    assert apart["neighbour_id"].tolist()[:2] == ["c", "b"]


def test_length_does_not_matter() -> None:
    vectors = signs(12)
    scaled = vectors * np.arange(1, 13)[:, None]
    pd.testing.assert_frame_equal(nearest(named(12), vectors, 4), nearest(named(12), scaled, 4))


def test_no_image_is_its_own_neighbour() -> None:
    found = nearest(named(9), np.ones((9, 3)), 20)
    assert (found["image_id"] != found["neighbour_id"]).all()
    assert (found.groupby("image_id").size() == 8).all()


def test_one_image_has_no_neighbour() -> None:
    assert nearest(["alone"], np.ones((1, 3)), 2).empty


@pytest.mark.parametrize("block", BLOCKS)
def test_a_chain_joins_its_ends(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(cosines, "BLOCK", block)
    angles = [60, 0, 200, 40, 20, 80, 220, 140]  # 0 to 80 a chain; 200 and 220 a pair; 140 alone
    found = components(named(8), at_degrees(*angles), float(np.cos(np.radians(25))))
    members = found.groupby("component_id")["image_id"].agg(list)
    first, second = ([0, 1, 3, 4, 5], [2, 6])
    assert members.tolist() == [[f"eye_{i:04d}" for i in rows] for rows in (first, second)]
    assert (found["images"] == found["component_id"].map({0: 5, 1: 2})).all()
    assert found["min_similarity"].to_numpy() == pytest.approx(np.cos(np.radians(20)), abs=1e-4)


@pytest.mark.parametrize("block", BLOCKS)
def test_components_separate_what_no_similarity_joins(
    monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(cosines, "BLOCK", block)
    vectors, ids, bound = signs(60), named(60), 0.625
    found = components(ids, vectors, bound).set_index("image_id")
    alone = {image_id: -1 - number for number, image_id in enumerate(ids)}
    label = [found["component_id"].get(image_id, alone[image_id]) for image_id in ids]
    products = vectors @ vectors.T - 32 * np.eye(60, dtype=int)
    joined = products >= bound * 16
    for i, j in zip(*np.nonzero(joined), strict=True):
        assert label[i] == label[j]
    for _, members in found.groupby("component_id"):
        rows = [ids.index(image_id) for image_id in members.index]
        inside = products[np.ix_(rows, rows)]
        links = (inside >= bound * 16) + np.eye(len(rows))
        assert np.linalg.matrix_power(links, len(rows)).all()
        (weakest,) = set(members["min_similarity"])  # a higher bound would tear the group apart
        held = (inside >= weakest * 16) + np.eye(len(rows))
        torn = (inside > weakest * 16) + np.eye(len(rows))
        assert np.linalg.matrix_power(held, len(rows)).all()
        assert not np.linalg.matrix_power(torn, len(rows)).all()


def test_a_similarity_at_the_bound_joins() -> None:
    vectors = np.array([[1, 1, 1, 1], [1, 1, 1, -1]])  # cosine 0.5
    assert len(components(named(2), vectors, 0.5)) == 2
    assert components(named(2), vectors, 0.5001).empty


def test_images_alone_are_in_no_component() -> None:
    assert components(named(3), at_degrees(0, 90, 180), 0.5).empty


@pytest.mark.parametrize("block", BLOCKS)
def test_links_join_at_every_bound_what_all_pairs_join(
    monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(cosines, "BLOCK", block)
    vectors, ids = signs(60), named(60)
    joining = compared(ids, vectors).links
    assert len(joining) == 59
    products = vectors @ vectors.T / 16
    for bound in np.unique(products):
        joined = products >= bound
        for _ in range(6):  # 2^6 steps: further than any chain
            joined = joined @ joined
        found = links.components(ids, joining, bound).set_index("image_id")["component_id"]
        alone = pd.Series([-1 - number for number in range(60)], ids)
        label = found.reindex(ids).fillna(alone).to_numpy()
        np.testing.assert_array_equal(label[:, None] == label, joined)


def test_links_do_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = []
    for block in BLOCKS:
        monkeypatch.setattr(cosines, "BLOCK", block)
        links = compared(named(60), signs(60)).links
        tables.append(links.sort_values(["image_id", "other_id"], ignore_index=True))
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table, tables[0])


def test_parts_of_the_columns_make_the_whole_row(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = nearest(named(60), signs(60), 5)
    monkeypatch.setattr(cosines, "PART", 7)
    pd.testing.assert_frame_equal(nearest(named(60), signs(60), 5), whole)


def test_an_outliers_edges_are_those_of_the_quota() -> None:
    found = judged(signs(200))
    assert found["published_edges"].sum() == 20  # 5 % of 400
    assert ((found["published_edges"] > 0) == (found["published_outlier"] == 1)).all()


def test_outliers_are_looked_for_within_a_split() -> None:
    near_each_other = at_degrees(0, 1, 2, 3, 100, 130, 160)
    splits = ["test", "train"] * 3 + ["train"]
    found = judged(near_each_other, splits).set_index("image_id")
    assert found["split"].to_dict() == dict(zip(named(7), splits, strict=True))
    nearest_split = found["nearest_id"].map(found["split"])
    assert (nearest_split == found["split"]).all()


def test_splits_do_not_change_each_other() -> None:
    one, other = crowd_with_a_stranger(9), signs(13)
    splits = ["one"] * len(one) + ["other"] * len(other)
    both = judged(np.vstack([one, other]), splits)
    alone = judged(one, ["one"] * len(one))
    pd.testing.assert_frame_equal(both[both["split"] == "one"], alone)


def test_splits_of_fewer_than_three_have_no_outliers() -> None:
    found = judged(at_degrees(0, 50, 0, 1, 90), ["pair"] * 2 + ["three"] * 3)
    assert set(found["split"]) == {"three"}


def test_two_images_alone_give_an_empty_table_with_columns() -> None:
    found = judged(at_degrees(0, 50))
    assert found.empty
    assert list(found.columns) == list(judged(at_degrees(0, 50, 100)).columns)


# fastdup 2.54 with 2 neighbours, measured: 19 images mark 1 edge, 65 mark 6, 2000 mark 200, and
# 2, 3 or 5 images always one.
@pytest.mark.parametrize(
    ("images", "edges"), [(2, 1), (3, 1), (5, 1), (19, 1), (65, 6), (2000, 200)]
)
def test_the_quota_is_fastdups(images: int, edges: int) -> None:
    similarity = np.random.default_rng(images).random(2 * images)
    assert len(published_edges(similarity, 0.05)) == edges


def test_an_exact_share_is_not_rounded_away() -> None:
    assert len(published_edges(np.linspace(0, 1, 20), 0.05)) == 1
    assert len(published_edges(np.linspace(0, 1, 2000), 0.05)) == 100


def test_the_quota_takes_the_least_similar() -> None:
    similarity = np.random.default_rng(1).random(200)
    marked = published_edges(similarity, 0.05)
    assert similarity[marked].max() < np.delete(similarity, marked).min()


def test_some_image_is_always_marked() -> None:
    found = judged(np.ones((5, 3)))
    assert found["published_outlier"].sum() == 1
    assert set(found["published_outlier"]) == {0, 1}


def test_the_stranger_is_marked_and_isolated() -> None:
    found = judged(crowd_with_a_stranger(19)).set_index("image_id")
    stranger = named(19)[-1]
    assert found.index[found["published_outlier"] == 1].tolist() == [stranger]
    assert found.loc[stranger, "isolation_z"] < -3.5
    assert found["isolation_z"].idxmin() == stranger


def test_isolation_is_in_units_of_the_median_deviation() -> None:
    z = judged(signs(41)[:, :9] + at_degrees(*range(41))[:, :1])["isolation_z"]
    assert z.median() == pytest.approx(0)
    assert z.abs().median() == pytest.approx(1 / 1.4826)  # the MAD of a normal distribution


def test_isolation_falls_as_the_nearest_image_moves_away() -> None:
    found = judged(at_degrees(0, 1, 4, 9, 16, 25, 36, 60)).sort_values("nearest_similarity")
    assert all(first <= second for first, second in pairwise(found["isolation_z"]))


def test_a_stranger_among_copies_is_isolated() -> None:
    found = judged(at_degrees(*[0] * 12, 70))
    assert found["isolation_z"].lt(-3.5).tolist() == [False] * 12 + [True]


def test_isolation_is_zero_where_all_are_alike() -> None:
    assert set(judged(np.ones((6, 3)))["isolation_z"]) == {0.0}


def test_the_edge_is_the_least_similar_of_an_images_own() -> None:
    vectors = at_degrees(0, 10, 30, 70)
    found = judged(vectors).set_index("image_id")
    expected = np.cos(np.radians([30, 20, 30, 60]))  # to the second nearest
    assert found["edge_similarity"].to_numpy() == pytest.approx(expected, abs=1e-4)
    assert (found["edge_similarity"] <= found["nearest_similarity"]).all()


def counted(descriptors: Descriptors, *bounds: float, recorded: int = 10) -> pd.DataFrame:
    found = compared(named(len(descriptors)), descriptors, count=recorded, bounds=bounds)
    return pair_counts(found.pairs, found.nearest, 2).set_index("similarity")


def test_pairs_are_unordered_and_edges_are_directed() -> None:
    found = counted(at_degrees(0, 0, 0, 90, 180), 0.99).loc[0.99]
    assert (found["pairs"], found["images"]) == (3, 3)
    assert (found["edges"], found["edge_percentage"]) == (6, 60)  # of 5 images, 2 edges each


def test_edges_stop_at_the_graphs_neighbours_and_pairs_do_not() -> None:
    found = counted(at_degrees(0, 0, 0, 0, 0), 0.99).loc[0.99]
    assert (found["pairs"], found["edges"], found["edge_percentage"]) == (10, 10, 100)


def test_edges_do_not_depend_on_how_many_neighbours_are_recorded() -> None:
    vectors = signs(30)
    few, many = (counted(vectors, 0.5, 0.25, recorded=count) for count in (2, 20))
    pd.testing.assert_frame_equal(few, many)


@pytest.mark.parametrize("block", BLOCKS)
def test_pairs_equal_a_brute_force(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(cosines, "BLOCK", block)
    vectors = signs(30)
    products = vectors @ vectors.T - 100 * np.eye(30)
    for bound in (0.5, 0.25, 0.0):
        found = counted(vectors, bound).loc[bound]
        assert found["pairs"] == np.triu(products >= bound * 16).sum()
        assert found["images"] == (products >= bound * 16).any(axis=1).sum()


def test_an_edge_at_the_bound_counts() -> None:
    two = np.array([[1, 1, 1, 1], [1, 1, 1, -1]])  # cosine 0.5
    assert counted(two, 0.5)["edges"].tolist() == [2]


def test_one_image_has_no_pair() -> None:
    found = counted(np.ones((1, 3)), 0.9).loc[0.9]
    assert found.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("count", [1, 7, 8, 13])
def test_blocks_are_as_many_as_said(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(cosines, "BLOCK", 7)
    told: list[int] = []

    def watch(blocks: Iterator[Any]) -> Iterable[Any]:
        given = list(blocks)
        told.append(len(given))
        return given

    compared(named(count), signs(count), watch=watch)
    neighbours.kinship(signs(count), watch=watch)
    assert set(told) == {neighbours.blocks(count)}


def test_whole_descriptors_stay_as_they_are() -> None:
    np.testing.assert_array_equal(cosines.in_wholes(signs(9)), signs(9))
