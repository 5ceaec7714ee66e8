"""Reading order: rules as the params have them, wholes before parts, whatever order files keep."""

from typing import Any

import pandas as pd
import pytest

from clearset.report.order import arranged, by
from clearset.store import dossiers, tables
from clearset.store.columns import STR, TABLES
from clearset.store.stages import Comparison
from conftest import tables_of

RULES = ["soft", "dark", "near"]  # as a dataset's params have them


def rows(name: str, **columns: list[Any]) -> pd.DataFrame:
    """Return a table as its file keeps it: these columns, and blanks in the others."""
    kinds = TABLES[name].columns
    count = len(next(iter(columns.values())))
    blank = {column: ["" if kind == STR else 0] * count for column, kind in kinds.items()}
    return tables.checked(name, pd.DataFrame(blank | columns))


def listed(table: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    """Return the cells of some columns, row by row."""
    return list(table[list(columns)].itertuples(index=False, name=None))


def product(**values: list[Any]) -> dict[str, list[Any]]:
    """Return the columns of every combination of values."""
    index = pd.MultiIndex.from_product(values.values(), names=list(values))
    return {name: index.get_level_values(name).tolist() for name in values}


def test_rows_are_sorted_by_columns_in_turn_by_a_list_or_by_themselves() -> None:
    table = pd.DataFrame({"size": ["big", "small", "big", "small"], "name": list("badc")})
    ordered = by(table, size=["small", "big"], name=None)
    assert listed(ordered, "size", "name") == [
        ("small", "a"),
        ("small", "c"),
        ("big", "b"),
        ("big", "d"),
    ]
    assert ordered.index.tolist() == [0, 1, 2, 3]
    assert listed(by(table, name=None, size=["small", "big"]), "name") == [*zip("abcd")]


def test_equal_rows_keep_their_order_and_the_table_is_left_alone() -> None:
    table = pd.DataFrame({"size": ["big", "small"] * 30, "name": range(60)})
    before = table.copy()
    names = by(table, size=["small", "big"])["name"].tolist()
    assert names == [*range(1, 60, 2), *range(0, 60, 2)]
    pd.testing.assert_frame_equal(table, before)


def test_a_value_without_a_place_is_an_error() -> None:
    with pytest.raises(ValueError, match="huge"):
        by(pd.DataFrame({"size": ["huge"]}), size=["small", "big"])


def test_the_order_of_nothing_is_nothing() -> None:
    result = arranged(tables_of(Comparison), RULES)
    for name in dossiers.names(Comparison):
        assert getattr(result, name).empty
        assert set(getattr(result, name)) == set(TABLES[name].columns)


def test_detectors_stand_as_the_params_have_them_and_better_bounds_after_all() -> None:
    every = product(rule=[*RULES], bounds=["default", "calibrated"], part=["all", "held_out"])
    table = rows("detection", **every)
    table = table[(table["bounds"] == "default") | (table["part"] == "held_out")]
    result = arranged(tables_of(Comparison, detection=table), RULES)
    own = [(rule, "default", part) for rule in RULES for part in ("all", "held_out")]
    better = [(rule, "calibrated", "held_out") for rule in sorted(RULES)]
    assert listed(result.detection, "rule", "bounds", "part") == own + better


def test_severities_stand_by_their_rules_and_keep_the_order_of_faults() -> None:
    every = product(fault=["haze", "jpeg"], severity=[0, 3], rule=["dark", "soft"])
    table = rows("severities", **every | {"bounds": ["default"] * 8, "part": ["all"] * 8})
    result = arranged(tables_of(Comparison, severities=table), RULES)
    assert listed(result.severities, "rule", "fault", "severity") == [
        (rule, fault, level)
        for rule in ("soft", "dark")
        for fault in ("haze", "jpeg")
        for level in (0, 3)
    ]


GROUPS = ["all", "flagged", "blur", "noise", "none"]  # kinds between the whole and clean images


def test_gains_stand_by_repair_and_group_the_whole_first_and_clean_images_last() -> None:
    every = product(
        repair=["applied", "published"],
        update=["accepted", "all"],
        group=sorted(GROUPS),
        part=["all", "held_out"],
        score=["ap", "auroc", "dice", "f1", "psnr", "ssim"],
    )
    result = arranged(tables_of(Comparison, gains=rows("gains", **every)), RULES)
    assert listed(result.gains, "repair", "group", "part", "score", "update") == [
        (repair, group, part, score, update)
        for repair in ("applied", "published")
        for group in GROUPS
        for part in ("all", "held_out")
        for score in ("ap", "auroc", "f1", "dice", "psnr", "ssim")
        for update in ("all", "accepted")
    ]


def test_agreement_stands_by_the_groups_of_the_gains() -> None:
    every = {"repair": ["applied", "other"], "part": ["all", "held_out"], "group": sorted(GROUPS)}
    some = product(group=GROUPS, update=["all"], part=["all"], score=["ap"])
    gains = rows("gains", **some)
    agreement = rows("agreement", **product(**every))
    result = arranged(tables_of(Comparison, gains=gains, agreement=agreement), RULES)
    assert listed(result.agreement, "repair", "group", "part") == [
        (repair, group, part)
        for repair in ("applied", "other")
        for group in GROUPS
        for part in ("all", "held_out")
    ]


def test_changes_are_of_all_repairs_first() -> None:
    table = rows("changes", **product(rule=["aged", "all", "soft"], metric=["mean", "blur"]))
    result = arranged(tables_of(Comparison, changes=table), RULES)
    assert listed(result.changes, "rule", "metric") == [
        (rule, metric) for rule in ("all", "aged", "soft") for metric in ("blur", "mean")
    ]


def test_published_findings_are_pairs_from_the_most_similar_on_then_groups_then_images() -> None:
    names = ["outliers", "dark", "similarity from 0.9", "components", "fully identical", "blur"]
    nan = float("nan")
    pairs, bounds = [nan, nan, 9, nan, 2, nan], [0.05, nan, 0.9, 0.96, 0.99, nan]
    table = rows("published", finding=names, pairs=pairs, bound=bounds)
    result = arranged(tables_of(Comparison, published=table), RULES)
    assert result.published["finding"].tolist() == [
        "fully identical",
        "similarity from 0.9",
        "outliers",
        "components",
        "blur",
        "dark",
    ]


def test_the_verdict_on_a_repair_stands_last_after_what_it_rests_on() -> None:
    verdicts = rows("verdicts", image_id=["a"]).assign(noise_growth=1.5, expected_gain=0.1)
    outcomes = rows("outcomes", image_id=["a"], steps=["gamma"])
    result = arranged(tables_of(Comparison, verdicts=verdicts, outcomes=outcomes), RULES)
    last = ["accepted", "verdict", "refused_by"]
    assert list(result.verdicts) == ["image_id", "noise_growth", "expected_gain", *last]
    assert list(result.outcomes)[:3] == ["image_id", "steps", "clipped"]
    assert list(result.outcomes)[-3:] == last
    assert set(result.outcomes) == set(TABLES["outcomes"].columns)
