"""From tables to a manifest: the order of words, and reviews that have no ground."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from clearset.config.schema import Update
from clearset.images import levels
from clearset.share import manifest
from clearset.share.manifest import Grounds, Review
from clearset.store import columns, tables
from clearset.store.errors import ClearsetError
from conftest import tables_of

IDS = ["a", "b", "c"]


def grounds(flags: dict[str, str], repairs: tuple[str, ...] = ()) -> Grounds:
    """Return what the fates of three images hang on: their flags' actions, and the repairs."""
    text = dict.fromkeys(
        ("split", "source_mask", "source_label", "error", "mask_error", "obstacle"), ""
    )
    text |= dict.fromkeys(levels.WORDS, "")
    rows = [(i, f"rule_{action}", action) for i, action in flags.items()]
    ids = list(repairs)
    return tables_of(
        Grounds,
        images=pd.DataFrame({"image_id": IDS, "source": IDS, "sha256": IDS} | text).assign(
            low=0.0, high=255.0, nodata=float("nan")
        ),
        decisions=pd.DataFrame({"image_id": IDS, "decision": [flags.get(i, "keep") for i in IDS]}),
        flags=pd.DataFrame(rows, columns=["image_id", "rule", "action"], dtype="str"),
        repairs=pd.DataFrame(
            {"image_id": ids, "steps": "gamma(gamma=0.6)", "sha256": "new"}, dtype="str"
        ),
        verdicts=pd.DataFrame(
            {"image_id": ids, "accepted": 1} | {"verdict": "accepted", "refused_by": ""}
        ).astype({"image_id": "str", "verdict": "str", "refused_by": "str"}),
    )


def fates(own: Grounds, reviews: dict[str, Review]) -> list[str]:
    return list(manifest.manifest(own, reviews, Update.accepted)["decision"])


def test_without_flags_repairs_or_reviews_all_is_kept() -> None:
    table = manifest.manifest(grounds({}), {}, Update.all)
    assert list(table["decision"]) == ["kept"] * 3
    assert list(table["output_sha256"]) == IDS
    assert set(table["reason"]) == {"no flag"}


def test_the_manifest_is_the_declared_table() -> None:
    table = manifest.manifest(grounds({"a": "enhance"}, ("a",)), {}, Update.accepted)
    assert list(tables.checked("manifest", table)) == list(columns.TABLES["manifest"].columns)


def test_the_tables_given_are_not_changed() -> None:
    own = grounds({"a": "enhance"}, ("a",))
    before = {name: table.copy() for name, table in vars(own).items()}
    manifest.manifest(own, {}, Update.accepted)
    for name, table in vars(own).items():
        pd.testing.assert_frame_equal(table, before[name])


@pytest.mark.parametrize("review", manifest.REVIEWS)
@pytest.mark.parametrize("update", Update)
def test_a_review_has_the_last_word(review: str, update: Update) -> None:
    own = grounds({"a": "enhance", "b": "drop"}, ("a",))
    reviews = {"a": Review(review, "seen", "here")}
    row = manifest.manifest(own, reviews, update).iloc[0]
    assert row["decision"] == manifest.REVIEWS[review]
    assert row["reason"] == "review file: seen"


def test_flags_steps_and_reasons_are_no_formulas_in_the_file(tmp_path: Path) -> None:
    own = grounds({"a": "enhance"}, ("a",))
    own.flags["rule"] = "=1+1"
    own.repairs["steps"] = "@SUM(1)"
    table = manifest.manifest(own, {}, Update.all)
    assert (table["flags"][0], table["steps"][0]) == ("=1+1", "@SUM(1)")
    text = tables.write("manifest", table, tmp_path).read_text()
    assert ",'=1+1," in text and ",'@SUM(1)," in text


def test_a_close_name_is_suggested_and_otherwise_some_are_listed() -> None:
    own = grounds({})
    own.images["image_id"] = own.decisions["image_id"] = ["train/eye_1", "b", "c"]
    for name, close in (("train/eye1", "'train/eye_1'"), ("zzz", "'train/eye_1', 'b', 'c'")):
        with pytest.raises(ClearsetError, match=rf"f, line 2: .*Is it one of {close}\?"):
            fates(own, {name: Review("drop", "", "f, line 2")})


def test_a_repair_that_is_not_there_can_not_be_asked_for() -> None:
    with pytest.raises(ClearsetError, match=r"here: b was not repaired \(repaired: a\)"):
        fates(grounds({"a": "enhance"}, ("a",)), {"b": Review("repair", "", "here")})
    with pytest.raises(ClearsetError, match=r"here: b was not repaired \(repaired: none\)"):
        fates(grounds({}), {"b": Review("repair", "", "here")})


@pytest.mark.parametrize(
    ("verdict", "by", "fate", "why"),
    [
        ("accepted", "", "repaired", "repair accepted"),
        ("refused", "harm", "kept", "repair refused by harm"),
        ("not_told", "gain", "kept", "not told whether its repair helps, by gain: the original st"),
    ],
)
def test_a_repair_enters_only_where_it_is_accepted_and_else_it_is_said_why(
    verdict: str, by: str, fate: str, why: str
) -> None:
    own = grounds({"a": "enhance"}, ("a",))
    said = own.verdicts.assign(verdict=verdict, refused_by=by, accepted=int(not by))
    table = manifest.manifest(replace(own, verdicts=said), {}, Update.accepted).set_index(
        "image_id"
    )
    assert table.loc["a", "decision"] == fate
    assert str(table.loc["a", "reason"]).startswith(why)
    assert list(manifest.manifest(replace(own, verdicts=said), {}, Update.all)["decision"]) == [
        "repaired",
        "kept",
        "kept",
    ]


def test_counts_are_of_all_images() -> None:
    table = manifest.manifest(grounds({"a": "enhance", "b": "drop"}, ("a",)), {}, Update.accepted)
    assert manifest.counts(table) == {
        "kept": 1,
        "repaired": 1,
        "dropped": 1,
    }
