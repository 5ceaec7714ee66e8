"""From tables to a manifest: the order of words, and reviews that have no ground."""

import pandas as pd
import pytest

from clearset.config.schema import Update
from clearset.share import manifest
from clearset.share.manifest import Review
from clearset.store import tables
from clearset.store.errors import ClearsetError

IDS = ["a", "b", "c"]


def found(flagged: dict[str, str], repaired: tuple[str, ...] = ()) -> dict[str, pd.DataFrame]:
    """Return the tables of three images, some flagged with an action, some repaired."""
    text = dict.fromkeys(("split", "source_mask", "source_label", "error"), "")
    rows = [(i, f"rule_{action}", action) for i, action in flagged.items()]
    ids = list(repaired)
    return {
        "images": pd.DataFrame({"image_id": IDS, "source": IDS, "sha256": IDS} | text).assign(
            low=0.0, high=255.0, nodata=float("nan")
        ),
        "curation": tables.empty("curation"),
        "decisions": pd.DataFrame(
            {"image_id": IDS, "decision": [flagged.get(i, "keep") for i in IDS]}
        ),
        "flags": pd.DataFrame(rows, columns=["image_id", "rule", "action"], dtype="str"),
        "repairs": pd.DataFrame(
            {"image_id": ids, "steps": "gamma(gamma=0.6)", "sha256": "new"}, dtype="str"
        ),
        "verdicts": pd.DataFrame({"image_id": ids, "accepted": 1, "refused_by": ""}).astype(
            {"image_id": "str", "refused_by": "str"}
        ),
    }


def fates(given: dict[str, pd.DataFrame], reviews: dict[str, Review]) -> list[str]:
    return list(manifest.manifest(given, reviews, Update.accepted)["decision"])


def test_without_flags_repairs_or_reviews_all_is_kept() -> None:
    table = manifest.manifest(found({}), {}, Update.all)
    assert list(table["decision"]) == ["kept"] * 3
    assert list(table["output_sha256"]) == IDS
    assert set(table["reason"]) == {"no flag"}


def test_the_manifest_is_the_declared_table() -> None:
    table = manifest.manifest(found({"a": "enhance"}, ("a",)), {}, Update.accepted)
    assert list(tables.checked("manifest", table)) == list(tables.TABLES["manifest"].columns)


def test_the_tables_given_are_not_changed() -> None:
    given = found({"a": "enhance"}, ("a",))
    before = {name: table.copy() for name, table in given.items()}
    manifest.manifest(given, {}, Update.accepted)
    for name, table in given.items():
        pd.testing.assert_frame_equal(table, before[name])


@pytest.mark.parametrize("review", manifest.REVIEWS)
@pytest.mark.parametrize("update", Update)
def test_a_review_has_the_last_word(review: str, update: Update) -> None:
    given = found({"a": "enhance", "b": "drop"}, ("a",))
    reviews = {"a": Review(review, "seen", "here")}
    row = manifest.manifest(given, reviews, update).iloc[0]
    assert row["decision"] == manifest.REVIEWS[review]
    assert row["reason"] == "review file: seen"


def test_flags_steps_and_reasons_are_no_formulas() -> None:
    given = found({"a": "enhance"}, ("a",))
    given["flags"]["rule"] = "=1+1"
    given["repairs"]["steps"] = "@SUM(1)"
    row = manifest.manifest(given, {}, Update.all).iloc[0]
    assert (row["flags"], row["steps"]) == ("'=1+1", "'@SUM(1)")


def test_a_close_name_is_suggested_and_otherwise_some_are_listed() -> None:
    given = found({})
    given["images"]["image_id"] = given["decisions"]["image_id"] = ["train/eye_1", "b", "c"]
    for name, close in (("train/eye1", "'train/eye_1'"), ("zzz", "'train/eye_1', 'b', 'c'")):
        with pytest.raises(ClearsetError, match=rf"f, line 2: .*Is it one of {close}\?"):
            fates(given, {name: Review("drop", "", "f, line 2")})


def test_a_repair_that_is_not_there_can_not_be_asked_for() -> None:
    with pytest.raises(ClearsetError, match=r"here: b was not repaired \(repaired: a\)"):
        fates(found({"a": "enhance"}, ("a",)), {"b": Review("repair", "", "here")})
    with pytest.raises(ClearsetError, match=r"here: b was not repaired \(repaired: none\)"):
        fates(found({}), {"b": Review("repair", "", "here")})


def test_counts_are_of_all_images() -> None:
    table = manifest.manifest(found({"a": "enhance", "b": "drop"}, ("a",)), {}, Update.accepted)
    assert manifest.counts(table) == {
        "kept": 1,
        "repaired": 1,
        "dropped": 1,
    }
