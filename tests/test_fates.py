"""Two versions set side by side: whose fate changed, why, and what a changelog says of it."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from clearset.config.schema import Action, Dataset, Rule, Update
from clearset.store import tables
from clearset.versions import changes, fates

SOFT = Rule("sharpness", min=-36.0, action=Action.enhance)
COUNTED = Rule("blur", min=700.0, action=Action.keep)
IMAGE = {
    "split": "train",
    "source_sha256": "s",
    "output_sha256": "s",
    "output_identity": "",
    "decision": "kept",
    "reason": "no flag",
    "steps": "",
}
FIXED = {"decision": "repaired", "output_sha256": "r", "reason": "accepted", "steps": "a(b=1)"}


def version(
    images: dict[str, dict[str, Any]], flags: dict[str, tuple[str, float]], soft: Rule = SOFT
) -> fates.Version:
    """Return a version of images that differ from a kept one, with one flag each at most."""
    rows = [{"image_id": i, **IMAGE, **change} for i, change in images.items()]
    rules = {"soft": soft, "counted": COUNTED}
    flagged = [(i, rule, value, rules[rule].action.value) for i, (rule, value) in flags.items()]
    columns = ["image_id", "rule", "value", "action"]
    return fates.Version(pd.DataFrame(rows), pd.DataFrame(flagged, columns=columns), rules)


def test_versions_that_are_the_same_change_no_fate() -> None:
    one = version({"a": {}, "b": FIXED}, {"b": ("soft", -40.0)})
    assert tables.checked("fates", fates.changed(one, one)).empty


def test_the_same_repair_in_other_bytes_is_no_other_fate() -> None:
    one = version({"a": FIXED | {"output_identity": "i"}}, {})
    for identity, count in (("i", 0), ("x", 1), ("", 1)):
        other = FIXED | {"output_sha256": "x", "output_identity": identity}
        assert len(fates.changed(one, version({"a": other}, {}))) == count


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ({}, {"decision": "dropped", "reason": "review file"}, "no flag -> review file"),
        (FIXED, FIXED | {"output_sha256": "x", "steps": "c"}, "repaired otherwise: a(b=1) -> c"),
        ({}, {"source_sha256": "x", "output_sha256": "x"}, "the source's file has other bytes"),
        (None, {}, "new in the source"),
        ({}, None, "no longer in the source"),
    ],
)
def test_each_other_fate_has_its_reason(before: Any, after: Any, why: str) -> None:
    sides = [{"same": {}} | ({} if side is None else {"a": side}) for side in (before, after)]
    table = fates.changed(version(sides[0], {}), version(sides[1], {}))
    assert table["image_id"].tolist() == ["a"]
    assert table["why"].tolist() == [why]
    given = [{"decision": fates.ABSENT} if s is None else IMAGE | s for s in (before, after)]
    ends = [side["decision"] for side in given]
    assert table[["before", "after"]].iloc[0].tolist() == ends


def test_a_moved_bound_is_named_with_the_value_and_both_bounds() -> None:
    one = version({"a": {}}, {})
    two = version({"a": FIXED}, {"a": ("soft", -34.5)}, replace(SOFT, min=-33.0))
    (forth,), (back,) = fates.changed(one, two)["why"], fates.changed(two, one)["why"]
    assert forth == "now flagged by soft: sharpness -34.5, min -36 -> min -33"
    assert back == "no longer flagged by soft: sharpness -34.5, min -33 -> min -36"


def test_a_rule_that_only_counts_is_no_reason() -> None:
    one = version({"a": {}}, {})
    two = version({"a": {"decision": "dropped", "reason": "gone"}}, {"a": ("counted", 1.0)})
    assert fates.changed(one, two)["why"].tolist() == ["no flag -> gone"]


def test_other_flags_of_the_same_fate_are_no_change() -> None:
    one, two = version({"a": {}}, {}), version({"a": {}}, {"a": ("soft", -40.0)})
    assert fates.changed(one, two).empty


COUNTS = {"kept": 3, "repaired": 1, "dropped": 0}
FACTS = changes.Facts("d", "d-v2", "2026-01-02", "c0", COUNTS, restricted=False)


def section(**others: Any) -> Dataset:
    return Dataset(filter={"counted": COUNTED}, **others)


def test_params_that_differ_are_told_by_their_dotted_names() -> None:
    other = section(release=replace(Dataset(filter={"c": COUNTED}).release, update=Update.all))
    assert changes.params(section(), other) == [("release.update", "accepted", "all")]
    more = Dataset(filter={"counted": replace(COUNTED, min=600.0)}, classes={"vein": 2})
    assert changes.params(section(), more) == [
        ("classes", "{}", "none"),
        ("classes.vein", "none", "2"),
        ("filter.counted.min", "700.0", "600.0"),
    ]


def test_an_entry_counts_and_a_long_one_says_how_to_see_the_rest() -> None:
    first = changes.entry(FACTS, "", [], None)
    assert first.startswith("## d-v2\n")
    assert "4 images: 3 kept, 1 repaired, 0 dropped. Content `c0`." in first
    assert first.endswith("The first release.")
    many = version({f"i{n:02}|": {} for n in range(25)}, {})
    gone = fates.changed(many, replace(many, manifest=many.manifest.iloc[:0]))
    entry = changes.entry(FACTS, "d-v1", [("a.b", "1", "<2>")], gone)
    assert "1 params and the fate of 25 images changed" in entry
    assert "| a.b | 1 | &#60;2&#62; |" in entry
    assert entry.count("no longer in the source") == changes.ROWS
    assert "i00&#124;" in entry  # a name ends no cell
    assert entry.endswith("`make diff DATASET=d A=d-v1 B=d-v2`.")
    assert "as a recipe" in changes.entry(replace(FACTS, restricted=True), "", [], None)
