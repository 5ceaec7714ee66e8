"""What differs beyond tolerance is named, with its worst values; what lies within it is not."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clearset.store.columns import FLOAT, INT, STR, TABLES
from clearset.store.tolerance import EXACT, LAST_DIGIT, Tolerance
from clearset.versions.differences import of_objects, of_pixels, of_tables, of_texts

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    "exponent", [-3, 0, 5], ids=["thousandths", "ones", "hundreds of thousands"]
)
@pytest.mark.parametrize("leading", ["1.00000", "1.23456", "5.00000", "9.99998"])
def test_one_in_the_last_of_six_digits_agrees_and_a_hundred_does_not(
    leading: str, exponent: int
) -> None:
    before = float(f"{leading}e{exponent}")
    last = 10.0 ** (exponent - 5)
    for sign in (1, -1):
        assert LAST_DIGIT.holds(sign * before, sign * (before + last))
        assert not LAST_DIGIT.holds(sign * before, sign * (before + 100 * last))
        assert not EXACT.holds(sign * before, sign * (before + last))


@pytest.mark.parametrize("tolerance", [EXACT, LAST_DIGIT, Tolerance(absolute=9.0)])
def test_no_number_and_infinity_agree_with_themselves_alone(tolerance: Tolerance) -> None:
    for value in (NAN, INF, -INF, 0.0):
        assert tolerance.holds(value, value)
    for before, after in ((NAN, 1.0), (1.0, NAN), (INF, 1.0), (1.0, INF), (INF, -INF)):
        assert not tolerance.holds(before, after)


def test_an_absolute_tolerance_holds_where_a_share_of_nothing_does_not() -> None:
    assert Tolerance(absolute=0.05).holds([0.0, 0.5], [0.05, 0.46]).all()
    assert not Tolerance(relative=0.05).holds(0.0, 0.01)


@pytest.mark.parametrize("name", TABLES)
def test_ids_decisions_hashes_and_counts_have_no_tolerance(name: str) -> None:
    table = TABLES[name]
    assert set(table.tolerances) <= set(table.columns)
    for column, kind in table.columns.items():
        assert (table.tolerance(column) == EXACT) == (kind in (STR, INT)), column
    if table.others:
        expected = EXACT if table.others == INT else LAST_DIGIT
        assert table.tolerance("a further one") == expected


def test_only_what_is_trained_has_a_wider_tolerance() -> None:
    wider = {name for name, table in TABLES.items() if table.tolerances}
    assert wider == {"training_scores", "training_means", "training_changes"}


KINDS = {"image_id": STR, "bound": FLOAT, "value": FLOAT, "flagged": INT}


def table(**columns: list[Any]) -> pd.DataFrame:
    return pd.DataFrame({"image_id": ["a", "a", "b"], "bound": [0.1, 0.2, 0.1]} | columns)


def compared(before: pd.DataFrame, after: pd.DataFrame, *key: str) -> list[str]:
    tolerances = {name: LAST_DIGIT if kind == FLOAT else EXACT for name, kind in KINDS.items()}
    return of_tables(before, after, key or ("image_id", "bound"), tolerances)


def test_rows_beyond_tolerance_are_counted_and_the_worst_named() -> None:
    before = table(value=[1.0, 2.0, 3.0], flagged=[1, 2, 3])
    assert compared(before, before) == []
    near = before.assign(value=[1.00001, 2.0, 2.99999])
    assert compared(before, near) == []
    far = before.assign(value=[1.00001, 2.1, 7.0], flagged=[1, 3, 3])
    assert compared(before, far) == [
        "value: 2 of 3 rows, most in b: 3 recorded, 7 now",
        "flagged: 1 of 3 rows, most in a (2): 2 recorded, 3 now",
    ]


def test_what_is_no_number_is_the_worst_of_all() -> None:
    before = table(value=[1.0, 2.0, 3.0])
    after = before.assign(value=[9.0, NAN, 3.0])
    assert compared(before, after) == ["value: 2 of 3 rows, most in a (2): 2 recorded, nan now"]


def test_a_key_that_is_a_real_number_may_be_off_by_its_tolerance() -> None:
    before = table(value=[1.0, 2.0, 3.0])
    assert compared(before, before.assign(bound=[0.1, 0.200001, 0.1])) == []
    assert compared(before, before.assign(bound=[0.1, 0.3, 0.1])) == [
        "bound: 1 of 3 rows, most in a (2): 0.2 recorded, 0.3 now"
    ]
    alone = before[["bound"]]
    assert compared(alone, alone.assign(bound=[0.1, 0.2, 0.4]), "bound") == [
        "bound: 1 of 3 rows, most in (3): 0.1 recorded, 0.4 now"
    ]


def test_rows_and_columns_of_one_side_are_named() -> None:
    before = table(value=[1.0, 2.0, 3.0])
    after = before.assign(image_id=["a", "a", "c"]).rename(columns={"value": "flagged"})
    assert compared(before, after) == [
        "1 columns no longer there: 'value'",
        "1 columns new: 'flagged'",
        "1 rows no longer there: 'b'",
        "1 rows new: 'c'",
    ]
    assert compared(before[:0], before[:0]) == []


def test_text_differs_by_any_letter() -> None:
    before = pd.DataFrame({"image_id": ["a", "b"], "value": ["kept", "dropped"]})
    after = before.assign(value=["kept", "repaired"])
    found = of_tables(before, after, ("image_id",), {"image_id": EXACT, "value": EXACT})
    assert found == ["value: 1 of 2 rows, most in b: dropped recorded, repaired now"]


def test_values_of_an_object_are_exact_but_for_real_numbers() -> None:
    before = {"n": 3, "share": 0.5, "name": "a", "none": None, "deep": {"x": [1]}}
    assert of_objects(before, before | {"share": 0.500001}) == []
    assert of_objects(before, before | {"n": 4, "share": 0.51, "none": 1}) == [
        "n: 3 recorded, 4 now",
        "share: 0.5 recorded, 0.51 now",
        "none: None recorded, 1 now",
    ]
    assert of_objects({"a": 1}, {"b": 1}) == ["1 keys no longer there: 'a'", "1 keys new: 'b'"]
    many = {str(n): n for n in range(9)}
    assert of_objects(many, {key: value + 1 for key, value in many.items()})[-1] == (
        "and 4 more values"
    )


@pytest.mark.parametrize(
    ("before", "after", "agrees"),
    [
        ("gains 0.885 [0.81, 0.9]", "gains 0.886 [0.80, 0.9]", True),
        ("gains 0.885", "gains 0.887", False),
        ("gains 0.99", "gains 1.00", True),
        ("gains 0.9", "gains 0.91", True),
        ("56 flagged", "57 flagged", False),
        ("p 1.5e-05", "p 1.6e-05", True),
        ("p 1.5e-05", "p 1.5e-04", False),
        ("train/eye_3", "train/eye_4", False),
        ("-0.05", "+0.05", False),
        ("content 12e5ab", "content 12e6ab", False),
        ("of version v3.11", "of version v3.12", False),
        ("version 1.0.0+1e3f", "version 1.0.1+1e3f", False),
        ("one", "one\ntwo", False),
    ],
)
def test_words_and_whole_numbers_of_a_text_are_exact(before: str, after: str, agrees: bool) -> None:
    assert (of_texts(before, after) == []) == agrees
    assert of_texts(before, before) == []


def test_lines_that_differ_are_named_by_number() -> None:
    assert of_texts("a\nb\nc", "a\nx\ny") == ["lines that differ: 2, 3"]


def test_pixels_that_differ_are_counted() -> None:
    before = np.zeros((20, 10, 3), np.uint8)
    after = before.copy()
    after[3, 4], after[5, 6, 1] = 2, 200
    assert of_pixels(before, after) == ["2 of 200 pixels, by at most 200 levels"]
    assert of_pixels(before, before) == ["the same pixels, declared otherwise"]
    assert of_pixels(before, before[..., 0]) == ["(20, 10, 3) uint8 recorded, (20, 10) uint8 now"]
