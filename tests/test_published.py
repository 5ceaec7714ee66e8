"""The published arithmetic and the true one, side by side."""

from typing import Any

import pandas as pd
import pytest

from clearset.config.schema import Analyze
from clearset.decide.published import explained, findings, measured_by, published
from clearset.store import columns, tables
from clearset.store.stages import Analysis
from conftest import tables_of

SETTINGS = Analyze()


def counts(images: int, edges: int, outliers: int) -> pd.DataFrame:
    """Return the table of a dataset with exact pairs, each two edges, and a quota of outliers."""
    ids = [f"tile_{number:05d}" for number in range(images)]
    pairs = edges // 2
    links = [(ids[2 * n], ids[2 * n + 1], 1.0) for n in range(pairs)]
    alike = (0.9, pairs, 2 * pairs, edges, 0.0), (0.99, pairs, 2 * pairs, edges, 0.0)
    starts = dict.fromkeys(ids[:outliers], 1)
    analysis = tables_of(
        Analysis,
        links=pd.DataFrame(links, columns=["image_id", "other_id", "similarity"]),
        pairs=pd.DataFrame(alike, columns=list(columns.empty("pairs"))),
        outliers=pd.DataFrame({"published_edges": [starts.get(i, 0) for i in ids]}).assign(
            published_outlier=lambda t: t["published_edges"]
        ),
        components=pd.DataFrame({"component_id": [0, 0, 1, 1], "image_id": ids[:4]}),
    )
    flags = pd.DataFrame({"rule": ["dark", "dark", "bright", "soft"]})
    return published(pd.DataFrame({"image_id": ids, "error": ""}), analysis, flags, SETTINGS)


def rows(images: int, edges: int, outliers: int) -> pd.DataFrame:
    return counts(images, edges, outliers).set_index("finding")


@pytest.mark.parametrize(
    ("images", "edges", "read"), [(1457, 12, 0.27), (8258, 914, 3.69)], ids=str
)
def test_identical_images_read_a_third_of_their_edges(images: int, edges: int, read: float) -> None:
    row = rows(images, edges, 1).loc["fully identical"]
    assert round(row["published_percentage"], 2) == read
    assert row["pairs"] == row["groups"] == edges / 2
    assert row["images"] == edges
    assert row["image_percentage"] == pytest.approx(100 * edges / images)
    assert row["edge_percentage"] == pytest.approx(1.5 * row["published_percentage"])


def test_the_published_outliers_are_a_quota() -> None:
    row = rows(1457, 12, 145).loc["outliers"]
    assert round(row["published_percentage"], 2) == 3.32
    assert row["images"] == 145


def test_single_images_are_counted_as_images() -> None:
    table = rows(200, 4, 3)
    assert table.loc["dark", "images"] == 2
    assert table.loc["dark", "image_percentage"] == 1
    assert pd.isna(table.loc["dark", "edges"])
    assert set(table.index) >= {"dark", "bright"}
    assert not {"soft", "blur"} & set(table.index)


def test_components_are_groups_of_images() -> None:
    row = rows(200, 4, 3).loc["components"]
    assert (row["groups"], row["images"]) == (2, 4)


def test_two_sentences_explain_the_difference_with_the_datasets_own_numbers() -> None:
    text = explained(counts(1457, 12, 145), SETTINGS)
    assert text.count(". ") == 1
    assert "12 edges" in text
    assert "0.27 %" in text
    assert "6 pairs" in text
    assert "about 3.3 %" in text


def test_without_a_pair_there_is_no_example() -> None:
    assert "here" not in explained(counts(30, 0, 1), SETTINGS)


def test_the_table_is_the_declared_one() -> None:
    table = counts(30, 4, 1)
    assert list(tables.checked("published", table)["finding"]) == sorted(table["finding"])


def test_a_reader_finds_pairs_first_then_groups_then_single_images() -> None:
    table = counts(30, 4, 1)
    expected = ["fully identical", "similarity from 0.9", "outliers", "components"]
    expected += ["bright", "dark"]
    assert findings(table) == findings(table.iloc[::-1]) == expected
    assert findings(columns.empty("published")) == []


def test_numbers_of_no_readable_image_are_zero() -> None:
    broken = pd.DataFrame({"image_id": ["a"], "error": "broken"})
    pairs = pd.DataFrame([(0.9, 0, 0, 0, 0.0)], columns=list(columns.empty("pairs")))
    flags = pd.DataFrame({"rule": ["dark"]})
    table = published(broken, tables_of(Analysis, pairs=pairs), flags, SETTINGS)
    assert table["published_percentage"].dropna().tolist() == [0, 0]
    assert table["groups"].dropna().tolist() == [0, 0]
    assert table.set_index("finding").loc["dark", "image_percentage"] == 100  # as of one


def test_a_reader_learns_who_measured_and_how_that_stands_to_the_record() -> None:
    own: dict[str, Any] = {"name": "native", "version": "1", "model": "tiles"}
    assert measured_by(own) == "Measured by native 1 (tiles)."
    search = {"method": "cells", "sample": 256, "recall": 0.94, "first": 0.97}
    indexed = measured_by(own | {"neighbours": search | {"planted": {"0.95": 1.0, "0.7": 0.61}}})
    assert "256 images it found 97% of the nearest and 94% of the recorded" in indexed
    assert "by similarity, 100% at 0.95, 61% at 0.7." in indexed
    other = own | {"name": "fastdup"}
    assert measured_by(other).startswith("Measured by fastdup 1 (tiles). Repaired images are")
    record = {"folder": "conf/x", "version": "2", "made": "a day", "equal": True}
    equal = measured_by(other | {"record": record})
    assert "are those that [conf/x](../../conf/x/record.json) holds, which fastdup 2" in equal
    assert equal.endswith(measured_by(other).removeprefix("Measured by fastdup 1 (tiles). "))
    apart = record | {"equal": False, "apart": {"blur": 0.25, "mean": 2.0}}
    assert "differ by up to 0.25 in blur, 2 in mean" in measured_by(other | {"record": apart})
