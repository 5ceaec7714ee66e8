"""The report: hostile names stay text, long tables say what they leave out, counts are told."""

import html
import re
import string

import numpy as np
import pandas as pd
import pytest

from clearset.config.schema import About, Dataset, Rule
from clearset.decide.rules import Judgement
from clearset.report.page import facts, missed, report
from clearset.report.study import Study
from clearset.similar.duplicates import Surplus
from clearset.store import dossiers
from clearset.store.columns import TABLES, Table
from clearset.store.dossiers import Dossier
from clearset.store.markdown import LONGEST, escaped, markdown
from clearset.store.stages import (
    Analysis,
    Catalogue,
    Cleaning,
    Comparison,
    Selection,
)
from conftest import Kind, tables_of

ENGINE = {"name": "native", "version": "1", "model": "thumbnail"}
ESCAPED = rf"\\([{re.escape(string.punctuation)}])"  # a backslash takes its meaning away
HOSTILE = [
    "a|b",
    "a\\|b",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "`code`",
    "``` | `",
    "first\nsecond",
    "first\r\n\r\n# second",
    "x\r| y |",
    "[a](javascript:alert(1))",
    "![a](https://example.org/a.png)",
    "&lt;b&gt;",
    "&#124;",
    "*a* _b_ __c__ ~~d~~",
    "$x_{$",
    "# a",
    "\\",
]


def read(shown: str) -> str:
    """Return what a reader sees of escaped text."""
    return html.unescape(re.sub(ESCAPED, r"\1", shown))


def unescaped(text: str, characters: str) -> list[str]:
    """Return those characters of Markdown that still have a meaning."""
    return re.findall(f"[{re.escape(characters)}]", re.sub(ESCAPED, "", text))


def rows(count: int) -> pd.DataFrame:
    return pd.DataFrame({"image_id": [f"eye_{i}" for i in range(count)], "value": 1.5})


def filled(name: str, **columns: list[object]) -> pd.DataFrame:
    """Return a table with these columns, and zeros and empty texts in the others."""
    table = TABLES[name]
    count = len(next(iter(columns.values())))
    blank = {key: [""] * count if kind == "str" else [0] * count for key, kind in columns_of(table)}
    return pd.DataFrame(blank | columns).astype(table.columns)


def columns_of(table: Table) -> list[tuple[str, str]]:
    return list(table.columns.items())


def written(about: About | None = None, **some: pd.DataFrame) -> str:
    """Return the report on these tables; the others are empty."""

    def part(kind: type[Kind]) -> Kind:
        return tables_of(
            kind, **{name: some[name] for name in dossiers.names(kind) if name in some}
        )

    parts = part(Catalogue), part(Analysis), part(Selection), tables_of(Cleaning)
    result = part(Comparison)
    assert set(some) <= {name for one in (*parts, result) for name in vars(one)}
    rules = {"dark": Rule("mean", min=1), "soft": Rule("blur", min=1), "odd": Rule("new", max=2)}
    section = Dataset(about=about or About(), filter=rules)
    spare = Surplus(pd.DataFrame(), pd.DataFrame())
    judgement = Judgement(pd.DataFrame(), section.filter, parts[2].flags, spare)
    return report(Study("sample", section, Dossier({}, *parts, ENGINE), result, judgement))


def headings(text: str) -> list[str]:
    return [line for line in re.split(r"[\r\n]", text) if line.startswith("#")]


def under(text: str, heading: str) -> str:
    """Return a section's text."""
    return re.split(r"^## .*\n", text.partition(f"## {heading}\n")[2], flags=re.MULTILINE)[0]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_as_it_is_on_one_line(name: str) -> None:
    assert read(escaped(name)) == re.sub(r"[\r\n]", " ", name)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_has_no_meaning_in_markdown_or_html(name: str) -> None:
    assert not unescaped(escaped(name), "|<>`*_[]$~\r\n")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_does_not_break_a_table(name: str) -> None:
    table = pd.DataFrame({"image_id": ["a", name, "b"], name: [1, 2, 3]})
    lines = re.split(r"[\r\n]", markdown(table))
    assert len(lines) == 2 + len(table)
    assert {line.count("|") for line in lines} == {3}
    assert all(line.startswith("|") and line.endswith("|") for line in lines)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_do_not_change_the_shape_of_a_report(name: str) -> None:
    reports = [
        written(
            About(title=text, licence=text, citation=text),
            images=filled("images", image_id=[text], error=[text]),
            flags=filled("flags", image_id=[text], rule=[text]),
            decisions=filled("decisions", image_id=[text], decision=["drop"]),
        )
        for text in ("harmless", name)
    ]
    harmless, hostile = reports
    assert headings(hostile)[1:] == headings(harmless)[1:]
    assert len(re.split(r"[\r\n]", hostile)) == len(re.split(r"[\r\n]", harmless))
    assert unescaped(hostile, "|<>") == unescaped(harmless, "|<>")


@pytest.mark.parametrize(("count", "left_out"), [(LONGEST, 0), (LONGEST + 1, 1), (200, 140)])
def test_a_long_table_is_cut_and_says_how_much(count: int, left_out: int) -> None:
    text = markdown(rows(count))
    assert text.count("eye") == min(count, LONGEST)
    assert (f"{left_out} more rows" in text) == (left_out > 0)
    assert ("more rows" in text) == (left_out > 0)


def test_a_table_keeps_its_order() -> None:
    assert [read(name) for name in re.findall(r"eye\\_\d+", markdown(rows(5)))] == [
        f"eye_{i}" for i in range(5)
    ]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [(0.1 + 0.2, "0.3"), (1234567.0, "1.23457e+06"), (float("nan"), ""), (3, "3"), ("", "")],
)
def test_numbers_have_six_digits_and_nothing_is_blank(cell: object, shown: str) -> None:
    assert escaped(cell) == shown
    assert escaped(np.float64(0.1) + 0.2) == "0.3"


def test_a_report_counts_what_becomes_of_the_images() -> None:
    fates = ["drop", "keep", "keep", "review", "enhance", "keep"]
    decisions = filled("decisions", image_id=list("abcdef"), decision=[*fates])
    assert "6 images: 3 keep, 1 review, 1 enhance, 1 drop." in written(decisions=decisions)


def test_a_report_names_dataset_engine_licence_and_citation() -> None:
    text = written(About(title="Eyes", licence="CC0", citation="Doe, 2020"))
    assert headings(text)[0] == "# Eyes"
    assert "native 1 (thumbnail)" in text
    assert "CC0" in text
    assert "Doe, 2020" in text


def test_a_report_without_a_title_has_the_datasets_name_and_no_empty_lines_about_it() -> None:
    text = written()
    assert headings(text)[0] == "# sample"
    assert "Licence" not in text
    assert "Cite" not in text


def test_a_report_lists_only_what_is_unreadable_as_such() -> None:
    images = filled("images", image_id=["good", "bad"], error=["", "broken file"])
    text = under(written(images=images), "Unreadable")
    assert "bad | broken file" in text
    assert "good" not in text


@pytest.mark.parametrize(
    ("heading", "none"),
    [("What was found", "No rule flags any image."), ("Repairs", "No image was repaired.")],
)
def test_a_report_says_so_where_there_is_nothing(heading: str, none: str) -> None:
    assert under(written(), heading).strip().endswith(none)


def test_a_report_counts_rules_in_words_and_not_those_that_only_count() -> None:
    flags = filled("flags", image_id=["a", "b", "c"], rule=["soft", "soft", "odd"])
    text = under(written(flags=flags), "What was found")
    assert "| soft | is blurred | blur below 1 | review | 2 |" in text
    assert "is flagged by odd (new above 2) | new above 2 | review | 1 |" in text
    assert text.index("| soft |") < text.index("| odd |")
    assert "| dark |" not in text


def test_a_report_counts_repairs_by_what_is_said_of_them() -> None:
    outcomes = filled(
        "outcomes",
        image_id=["a", "b", "c"],
        steps=["gamma", "gamma", "sharpen"],
        verdict=["accepted", "not_told", "refused"],
    )
    text = under(written(outcomes=outcomes), "Repairs").replace("\\", "")
    assert "| steps | images | accepted | refused | not_told |" in text
    assert "| gamma | 2 | 1 | 0 | 1 |" in text
    assert "| sharpen | 1 | 0 | 1 | 0 |" in text


def test_a_report_says_where_everything_else_is() -> None:
    text = under(written(), "Where the rest is")
    assert "[index.html](index.html)" in text
    assert "clearset view sample" in text
    named = set(re.findall(r"(\w+)\.csv", text)) - {"rules", "bounds"}
    assert named <= set(TABLES)


def test_the_same_tables_give_the_same_report() -> None:
    assert written(flags=filled("flags", image_id=["a"])) == written(
        flags=filled("flags", image_id=["a"])
    )


TRUST = ["How far to trust a flag", "What is missed"]


def test_without_a_known_truth_a_report_says_nothing_of_detectors() -> None:
    text = written()
    assert not [title for title in TRUST if f"## {title}" in headings(text)]
    assert "figures/detection.png" not in text
    assert "figures/curves.png" not in text


def test_with_a_known_truth_a_report_says_how_far_to_trust_a_flag() -> None:
    about: dict[str, list[object]] = {"bounds": ["calibrated", "default"]}
    about["part"] = ["held_out", "all"]
    scores: dict[str, list[object]] = {"precision": [0.75, 0.5], "positives": [3, 3]}
    detection = filled("detection", rule=["soft", "soft"], **about, **scores)
    flags = filled("flags", image_id=["a"], rule=["soft"])
    text = written(detection=detection, flags=flags)
    shown = [heading.removeprefix("## ") for heading in headings(text)]
    assert [title for title in shown if title in TRUST] == TRUST
    assert "soft" in under(text, TRUST[0]) and "0.75" in under(text, TRUST[0])
    assert "figures/detection.png" in under(text, TRUST[0])
    assert "| review | 1 | 0.5 |" in under(text, "What was found")


def test_a_report_lists_the_same_subject_in_two_splits_or_says_none() -> None:
    title = "Same subject in two splits"
    leaks = filled("leaks", image_id=["train/a"], other_id=["test/b"], inliers=[21])
    assert "train/a | test/b | 0 | 21" in under(written(leaks=leaks), title)
    assert under(written(), title).strip().endswith("None.")


def missing(recall: float, **changes: object) -> pd.DataFrame:
    row = {"fault": "fog", "severity": 2, "rule": "fog", "bounds": "calibrated", "part": "held_out"}
    row |= {"images": 8, "precision": 1.0, "recall": recall, "f1": 0.5, "auroc": 0.7} | changes
    return pd.DataFrame([row])


RULES = pd.DataFrame({"rule": ["fog", "other"], "action": ["review", "keep"]})


@pytest.mark.parametrize(
    ("table", "count"),
    [
        (missing(0.5), 1),
        (missing(0.9), 0),
        (missing(0.5, rule="other"), 0),  # only counted, with no consequence
        (missing(0.5, severity=0), 0),
        (missing(0.5, bounds="default"), 0),
    ],
)
def test_what_is_missed_is_said_of_rules_with_a_consequence(
    table: pd.DataFrame, count: int
) -> None:
    assert len(missed(table, RULES)) == count


def test_the_head_says_where_trust_is_measured() -> None:
    about = About(title="Eyes", measured_on="eyes_faults")
    decisions = pd.DataFrame({"decision": ["keep"]})
    engine = {"name": "native", "version": "1", "model": "m"}
    head = facts("eyes", about, decisions, engine)
    assert r"[eyes\_faults](../eyes_faults/report.md)" in head


def test_dropped_duplicates_are_listed_with_what_they_save() -> None:
    ids: list[object] = list(map("tile_{}".format, range(10)))
    splits: list[object] = [*["train"] * 8, *["test"] * 2]
    images = filled("images", image_id=ids, split=splits)
    images["bytes"] = 1_000_000
    one: dict[str, list[object]] = {"image_id": ["tile_1"], "split": ["train"]}
    gone = filled("curation", keeper_id=["tile_0"], **one)
    text = written(images=images, curation=gone.assign(bytes=1_000_000))
    assert "They save 1 of 8 training images (12.5%) and 1.0 of 10.0 MB." in text
    assert r"tile\_0" in text
    assert "They save" not in written(images=images)
