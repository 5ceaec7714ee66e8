"""What follows from fastdup's descriptors, and native's statistics, beside its own word.

What fastdup said is on record, so that this holds without it; test_recorded.py holds it to that.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

import recordings
from clearset.engines import native
from clearset.images import codec, levels
from clearset.similar import links, neighbours
from clearset.sources.work_folder import STATISTICS
from clearset.store import tables
from recordings import RAVIR, RECORDED, Call

ROUNDING = {"blur": 0.01} | dict.fromkeys(STATISTICS[1:], 1e-3)
CALLS = {
    "ravir, test": recordings.call("test", RAVIR),
    "ravir, train": recordings.call("train", RAVIR),
    "ravir": recordings.call("all", RAVIR),
    "ravir and altered": recordings.call("all", RECORDED / "altered", RAVIR),
    "generated": recordings.call("all", RECORDED / "generated"),
}
SIZES = {"ravir, test": 19, "ravir, train": 23, "ravir": 42, "ravir and altered": 45}
SAME = {  # files of the same pixels are the same neighbour
    "train/IR_Case_022": "train/IR_Case_011",
    "train/again": "train/0",
    "test/colour": "test/alpha",
}


@pytest.fixture(params=CALLS)
def call(request: pytest.FixtureRequest) -> Call:
    return CALLS[request.param]


def test_the_calls_are_of_all_their_images() -> None:
    sizes = {name: len(call.ids) for name, call in CALLS.items()}
    assert sizes == SIZES | {"generated": len(recordings.generated())}


def apart(own: dict[str, dict[str, float]], call: Call) -> pd.Series:
    """Return how far statistics are from fastdup's, at most, in units of its rounding."""
    table = pd.DataFrame(own).T[STATISTICS]
    assert set(table.index) <= set(call.ids)
    return (table - call.statistics.loc[table.index]).abs().max() / pd.Series(ROUNDING)


def test_native_statistics_are_fastdups_within_its_rounding_on_ravir(ravir: Path) -> None:
    eyes = recordings.altered(recordings.eyes_of_ravir(ravir))
    own = {name: native.statistics(pixels) for name, pixels in eyes.items()}
    assert len(own) == 45
    assert (apart(own, CALLS["ravir and altered"]) < 1).all()


def test_native_statistics_are_fastdups_within_its_rounding_on_generated_images() -> None:
    own = {name: native.statistics(pixels) for name, pixels in recordings.shown().items()}
    assert (apart(own, CALLS["generated"]) < 1).all()


def test_the_stretched_mean_is_fastdups_mean_of_a_file_of_16_bits() -> None:
    theirs = tables.read("statistics", RECORDED / "deep").set_index("image_id")["mean"]
    for name, pixels in recordings.deep().items():
        assert native.stretched_mean(pixels) == pytest.approx(float(theirs[name]), abs=1e-3)


@pytest.mark.parametrize(
    ("name", "made"), [("generated", recordings.shown), ("deep", recordings.deep)]
)
def test_the_generated_images_are_those_on_record(
    name: str, made: Callable[[], dict[str, levels.Pixels]]
) -> None:
    hashes = {image_id: codec.describe(one)["pixels_sha256"] for image_id, one in made().items()}
    known = tables.read("statistics", RECORDED / name).set_index("image_id")["pixels_sha256"]
    assert hashes == known.to_dict()


def edges(table: pd.DataFrame, end: str) -> pd.Series:
    """Return a graph's edges in one order; files of the same pixels are the same neighbour."""
    ends = [table["image_id"], table[end].replace(SAME)]
    return pd.Series(table["similarity"].to_numpy(), pd.MultiIndex.from_arrays(ends)).sort_index()


def compared(ids: list[str], descriptors: npt.NDArray[np.int32]) -> neighbours.Compared:
    """Compare images as fastdup does: two neighbours each."""
    return neighbours.compare(
        ids, ["all"] * len(ids), descriptors, count=2, graph_neighbours=2, bounds=[0.9]
    )


def test_the_nearest_images_are_fastdups_own(call: Call) -> None:
    ours = edges(compared(call.ids, call.descriptors).nearest, "neighbour_id")
    theirs = edges(call.own["graph"], "other_id")
    assert theirs.index.tolist() == ours.index.tolist()
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def published(call: Call) -> pd.DataFrame:
    within = compared(call.ids, call.descriptors).within
    table = neighbours.outliers(call.ids, ["all"] * len(call.ids), within, 0.05)
    return table[table["published_outlier"] == 1].set_index("image_id")


@pytest.mark.parametrize("name", [name for name in CALLS if name.startswith("ravir")])
def test_the_published_outliers_are_fastdups_own(name: str) -> None:
    call = CALLS[name]
    theirs = call.own["quota"].groupby("image_id")["similarity"].min()
    ours = published(call)["edge_similarity"]
    assert set(theirs.index) == set(ours.index)
    np.testing.assert_allclose(ours[theirs.index], theirs, atol=1e-4)


def test_the_quota_among_equals_is_as_large_as_fastdups() -> None:
    """Of generated images three, two of the same pixels, have the least similar edges of all."""
    call = CALLS["generated"]
    assert published(call)["published_edges"].sum() == len(call.own["quota"])
    least = call.own["graph"]["similarity"].min()
    assert call.own["quota"]["similarity"].tolist() == [least] * len(call.own["quota"])
    assert published(call)["edge_similarity"].tolist() == pytest.approx([least], abs=1e-4)


def test_the_test_split_alone_has_the_one_published_outlier() -> None:
    assert published(CALLS["ravir, test"]).index.tolist() == ["test/IR_Case_060"]


def groups(table: pd.DataFrame, name: str) -> set[frozenset[str]]:
    return {frozenset(rows) for _, rows in table.groupby(name)["image_id"]}


def test_the_components_are_fastdups_own(call: Call) -> None:
    joined = compared(call.ids, call.descriptors).links
    ours = links.components(call.ids, joined, 0.96)
    assert groups(ours, "component_id") == groups(call.own["groups"], "group")


def test_the_whole_of_ravir_holds_the_one_known_pair() -> None:
    pair = frozenset({"train/IR_Case_011", "train/IR_Case_022"})
    assert groups(CALLS["ravir"].own["groups"], "group") == {pair}


def test_an_image_has_the_same_descriptor_in_whatever_call() -> None:
    """The record has one descriptor an image; fastdup's similarities of each call agree with it."""
    for name in ("ravir, test", "ravir, train"):
        few, whole = CALLS[name], CALLS["ravir"]
        rows = whole.own["graph"].merge(few.own["graph"], on=["image_id", "other_id"])
        assert len(rows) > 10
        np.testing.assert_allclose(rows["similarity_x"], rows["similarity_y"], atol=2e-6)
