"""All pairs of images: what screens and shortcuts give is what a plain look at each pair gives."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from clearset.similar import cosines, forest, links, neighbours, ranks
from clearset.similar.cosines import between

Descriptors = npt.NDArray[Any]
BOUNDS = (0.99, 0.9, 0.5, 0.0, -0.25)
COUNT, GRAPH = 4, 2


def plain(splits: list[str], descriptors: Descriptors) -> list[list[tuple[Any, ...]]]:
    """Return the rows of `nearest`, `within`, `links` and `pairs`, and kinship, one by one."""
    values, total = between(descriptors, descriptors).tolist(), len(descriptors)
    ranked = [
        [j for _, j in sorted((-values[i][j], j) for j in range(total) if j != i)]
        for i in range(total)
    ]
    own = [[j for j in ranked[i] if splits[i] == splits[j]] for i in range(total)]
    tree, joined = list(range(total)), []
    pairs = [(i, j) for i in range(total) for j in range(i + 1, total)]
    for i, j in sorted(pairs, key=lambda pair: (-values[pair[0]][pair[1]], pair)):
        one, other = tree[i], tree[j]
        if one != other:
            tree = [one if label == other else label for label in tree]
            joined.append((i, j, values[i][j]))
    reached = [[sum(values[i][j] >= b for j in ranked[i]) for i in range(total)] for b in BOUNDS]
    return [
        [(i, j, values[i][j]) for i in range(total) for j in ranked[i][:COUNT]],
        [(i, j, values[i][j]) for i in range(total) for j in own[i][:GRAPH]],
        sorted(joined),
        [(b, sum(r) // 2, sum(map(bool, r))) for b, r in zip(BOUNDS, reached, strict=True)],
        [(max((values[i][j] for j in ranked[i]), default=-np.inf),) for i in range(total)],
    ]


def found(splits: list[str], descriptors: Descriptors) -> list[list[tuple[Any, ...]]]:
    ids: Any = range(len(splits))
    tables = neighbours.compare(
        ids, splits, descriptors, count=COUNT, graph_neighbours=GRAPH, bounds=BOUNDS
    )
    parts = (tables.nearest, tables.within, tables.links, tables.pairs)
    rows = [list(table.itertuples(index=False, name=None)) for table in parts]
    return [*rows, [(value,) for value in neighbours.kinship(descriptors)]]


def crowds(rng: np.random.Generator, total: int) -> Descriptors:
    """Return tight clusters, some of their copies, and images that are alike to none."""
    centres = rng.integers(-(2**20), 2**20, (4, 30))
    made = centres[rng.integers(0, 4, total)] + rng.integers(-(2**17), 2**17, (total, 30))
    made[rng.integers(0, total, total // 6)] = made[0]
    made[rng.integers(0, total, total // 6)] = 0
    return made


def few(rng: np.random.Generator, total: int) -> Descriptors:
    """Return small numbers: cosines that are equal, and ones that end in exact halves."""
    return rng.integers(-2, 3, (total, 32)) * rng.integers(1, 4, (total, 1))


def alike(rng: np.random.Generator, total: int) -> Descriptors:
    return np.tile(rng.integers(-9, 9, 12), (total, 1))


def cloud(rng: np.random.Generator, total: int) -> Descriptors:
    return rng.normal(size=(total, 40))


@pytest.fixture(params=["usual", "small"])
def sizes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks and shortlists as they are, and so small that each path is taken."""
    if request.param == "small":
        monkeypatch.setattr(cosines, "BLOCK", 9)
        monkeypatch.setattr(cosines, "PART", 4)
        monkeypatch.setattr(cosines, "PAIRS", 5)
        monkeypatch.setattr(forest, "COLUMNS", 8)
        monkeypatch.setattr(forest, "SAMPLE", 3)
        monkeypatch.setattr(forest, "MOST", 1)
        monkeypatch.setattr(ranks, "LEAST", 1)
        monkeypatch.setattr(ranks, "HEAVY", 1)
        monkeypatch.setattr(ranks, "APART", 2)
        monkeypatch.setattr(ranks, "CHUNK", 4)
        monkeypatch.setattr(neighbours, "DEPTH", 2)


@pytest.mark.usefixtures("sizes")
@pytest.mark.parametrize("made", [crowds, few, alike, cloud])
@pytest.mark.parametrize("total", [1, 2, 3, 11, 80])
@pytest.mark.parametrize("names", [["train"], ["train", "test", "other"]])
def test_all_that_is_found_is_what_each_pair_gives(made: Any, total: int, names: list[str]) -> None:
    rng = np.random.default_rng(total + len(names))
    splits, descriptors = rng.choice(names, total).tolist(), made(rng, total)
    for one, other in zip(found(splits, descriptors), plain(splits, descriptors), strict=True):
        assert one == other


def test_a_memory_map_gives_what_memory_gives(tmp_path: Any) -> None:
    vectors = crowds(np.random.default_rng(0), 60).astype(np.int32)
    np.save(tmp_path / "vectors.npy", np.hstack([vectors, vectors]))
    kept = np.load(tmp_path / "vectors.npy", mmap_mode="r")[:, 30:]
    assert found(["train"] * 60, kept) == found(["train"] * 60, vectors)


def test_a_screen_is_never_further_off_than_it_says() -> None:
    rng = np.random.default_rng(0)
    known = cosines.of(rng.normal(size=(50, 900)) * rng.normal(size=(50, 1)) ** 3)
    screen = known.screened(np.arange(50)).astype(np.float64)
    exact = known.products(np.arange(50)) / known.norms[:, None] / known.norms
    apart = np.triu_indices(50, 1)
    assert np.abs(screen[apart] - exact[apart]).max() < known.error < 1e-4


def test_what_a_floor_promises() -> None:
    rng = np.random.default_rng(0)
    for columns in (9, 100, 1000):
        screen = rng.normal(size=(6, columns)).astype(np.float32)
        reached = (screen >= ranks.floor(screen, 9)[:, None]).sum(axis=1)
        assert (reached >= 9).all()
        assert reached.mean() < 14


def test_leaves_make_chains_ranges() -> None:
    values = between(*[np.random.default_rng(1).integers(-3, 4, (30, 8))] * 2)
    one, two = np.triu_indices(30, 1)
    tree = links.forest((one, two, values[one, two]), 30)
    order, weakest = forest.leaves(tree, 30)
    table = pd.DataFrame({"image_id": tree[0], "other_id": tree[1], "similarity": tree[2]})
    for bound in np.unique(tree[2]):
        joined = links.components(range(30), table, bound)  # type: ignore[arg-type]
        label = joined.set_index("image_id")["component_id"].reindex(range(30))
        apart = links.strength(weakest[1:], 30) < bound
        numbers = np.concatenate([[0], np.cumsum(apart)])
        for number in np.unique(numbers):
            members = label[order[numbers == number]]
            assert members.nunique(dropna=False) == 1 or members.isna().all()


def test_an_index_of_blank_images_alone_finds_none() -> None:
    made = np.random.default_rng(3).integers(-(2**20), 2**20, (30, 40))
    made[-1] = 0
    splits = ["a"] * 29 + ["b"]
    ids: Any = range(30)
    tables = neighbours.compare(
        ids, splits, made, count=3, graph_neighbours=2, bounds=BOUNDS, exact_images=10
    )
    assert set(tables.nearest["image_id"]) >= set(range(29))
    assert (neighbours.kinship(np.zeros((12, 40), np.int32), exact_images=5) <= 0).all()
