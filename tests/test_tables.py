"""Tables: the same rows give the same bytes, and come back as they were."""

import csv
import json
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearset.store import cells, columns, tables
from clearset.store.columns import TABLES
from clearset.store.errors import ClearsetError

STRANGE = [
    "",
    " padded ",
    "#x",
    "'",
    "-",
    "001",
    "1e5",
    "<NA>",
    "N/A",
    "NA",
    "None",
    "True",
    "a,b;c",
    "inf",
    "line\nbreak",
    "lines\r\nbreak",
    "nan",
    "null",
    'quote"d',
    "tab\tbed",
    "éü漢",
]


def made(name: str, count: int = 4) -> pd.DataFrame:
    """Return a table with `count` distinct keys and a value of its type in every cell."""
    kinds = TABLES[name].columns | ({} if TABLES[name].others is None else {"extra": "float64"})
    values: dict[str, Any] = {"str": "text {}", "int64": 7, "float64": 0.125}
    return pd.DataFrame(
        {
            column: [
                values[kind].format(number) if kind == "str" else values[kind] * number
                for number in range(count)
            ]
            for column, kind in kinds.items()
        }
    )


def flags(ids: list[str], values: list[float]) -> pd.DataFrame:
    columns: dict[str, Any] = {"rule": "blur", "min": 1.0, "max": math.nan, "action": "review"}
    return pd.DataFrame({"image_id": ids, "value": values}).assign(**columns)


@pytest.mark.parametrize("name", TABLES)
def test_the_same_rows_in_any_order_give_the_same_bytes(name: str, tmp_path: Path) -> None:
    frame = made(name)
    before = tables.write(name, frame, tmp_path).read_bytes()
    for seed in range(3):
        rows = frame.sample(frac=1, random_state=seed)
        shuffled = rows.sample(frac=1, axis="columns", random_state=seed)
        assert tables.write(name, shuffled, tmp_path).read_bytes() == before


@pytest.mark.parametrize("name", TABLES)
def test_a_table_comes_back_as_it_was(name: str, tmp_path: Path) -> None:
    tables.write(name, made(name), tmp_path)
    pd.testing.assert_frame_equal(tables.read(name, tmp_path), tables.checked(name, made(name)))


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_rows_keeps_its_columns_and_types(name: str, tmp_path: Path) -> None:
    made = columns.empty(name)
    tables.write(name, made, tmp_path)
    for frame in (made, tables.read(name, tmp_path)):
        assert frame.empty
        kinds = {column: str(kind) for column, kind in frame.dtypes.items()}
        assert kinds == TABLES[name].columns


@pytest.mark.parametrize("name", TABLES)
def test_every_key_is_a_declared_column(name: str) -> None:
    assert set(TABLES[name].key) <= set(TABLES[name].columns)


def test_names_that_look_like_something_else_stay_text(tmp_path: Path) -> None:
    tables.write("flags", flags(STRANGE, [0.5] * len(STRANGE)), tmp_path)
    read = tables.read("flags", tmp_path)
    assert read["image_id"].tolist() == sorted(STRANGE)
    assert read["action"].unique().tolist() == ["review"]


def test_names_that_are_all_numbers_stay_text(tmp_path: Path) -> None:
    names = ["001", "1", "1e5", "2.50"]
    tables.write("flags", flags(names, [0.5] * 4), tmp_path)
    assert tables.read("flags", tmp_path)["image_id"].tolist() == names


def test_no_number_and_infinite_numbers_come_back(tmp_path: Path) -> None:
    tables.write("flags", flags(["a", "b", "c"], [math.nan, math.inf, -math.inf]), tmp_path)
    values = tables.read("flags", tmp_path)["value"].to_numpy()
    np.testing.assert_array_equal(values, [math.nan, math.inf, -math.inf])


def test_the_seventh_digit_does_not_change_the_bytes(tmp_path: Path) -> None:
    first = tables.write("flags", flags(["a"], [1 / 3]), tmp_path / "1").read_bytes()
    second = tables.write("flags", flags(["a"], [1 / 3 + 1e-8]), tmp_path / "2").read_bytes()
    assert first == second
    assert b"0.333333," in first


def test_rows_of_one_neighbour_list_keep_their_order(tmp_path: Path) -> None:
    ranks = [f"{(37 * rank) % 100}" for rank in range(100)]
    frame = pd.DataFrame({"image_id": ["b", "a"] * 100, "similarity": 0.5})
    frame["neighbour_id"] = [rank for rank in ranks for _ in range(2)]
    tables.write("neighbours", frame, tmp_path)
    assert tables.read("neighbours", tmp_path)["neighbour_id"].tolist() == ranks * 2


def test_metrics_take_any_further_column_as_a_number(tmp_path: Path) -> None:
    frame = pd.DataFrame({"blur": [1, 2], "image_id": ["b", "a"], "entropy": [math.nan, 0.5]})
    tables.write("metrics", frame, tmp_path)
    read = tables.read("metrics", tmp_path)
    assert read.columns.tolist() == ["image_id", "blur", "entropy"]
    assert read["blur"].tolist() == [2.0, 1.0]
    assert read["blur"].dtype == read["entropy"].dtype == np.float64


@pytest.mark.parametrize(
    ("changed", "missing", "unknown"),
    [
        (flags(["a"], [1.0]).drop(columns="rule"), r"\['rule'\]", r"\[\]"),
        (flags(["a"], [1.0]).assign(extra=1), r"\[\]", r"\['extra'\]"),
        (flags(["a"], [1.0]).rename(columns={"rule": "ruel"}), r"\['rule'\]", r"\['ruel'\]"),
    ],
)
def test_missing_and_unknown_columns_are_named(
    tmp_path: Path, changed: pd.DataFrame, missing: str, unknown: str
) -> None:
    expected = f"table flags: missing columns {missing}, unknown columns {unknown}$"
    with pytest.raises(ClearsetError, match=expected):
        tables.write("flags", changed, tmp_path)


def test_a_key_twice_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClearsetError, match=r"table flags: the key \['a', 'blur'\] stands twice"):
        tables.write("flags", flags(["a", "b", "a"], [1.0, 2.0, 3.0]), tmp_path)


def test_a_table_of_before_a_column_was_declared_has_it_empty(tmp_path: Path) -> None:
    later = list(columns.TABLES["manifest"].later)
    full = pd.DataFrame({column: ["1"] for column in columns.empty("manifest")})
    before = full.drop(columns=later)
    before.to_csv(tmp_path / "manifest.csv", index=False)
    read = tables.read("manifest", tmp_path)
    assert list(read.columns) == list(full.columns)
    assert read[later].to_numpy().tolist() == [[""] * len(later)]
    before.drop(columns="output").to_csv(tmp_path / "manifest.csv", index=False)
    with pytest.raises(ClearsetError, match=r"missing columns \['output'\]"):
        tables.read("manifest", tmp_path)


def test_a_failed_write_leaves_the_table_before_and_nothing_else(tmp_path: Path) -> None:
    path = tables.write("flags", flags(["a"], [1.0]), tmp_path)
    before = path.read_bytes()
    with pytest.raises(ClearsetError):
        tables.write("flags", flags(["b", "b"], [1.0, 2.0]), tmp_path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_table_that_is_not_there_names_the_way_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ClearsetError, match=r"flags\.csv is missing\. Run `dvc repro`"):
        tables.read("flags", tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"similarity,pairs\n\xff\xfe,1\n",
        b'similarity,pairs,images,edges,edge_percentage\n"0.9,1,1,1,1\n',
        b"similarity,pairs,images,edges,edge_percentage\nmany,1,1,1,1\n",
        b"similarity,pairs,images,edges,edge_percentage\n0.9,,1,1,1\n",
    ],
)
def test_a_file_that_is_no_such_table_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pairs.csv").write_bytes(content)
    with pytest.raises(ClearsetError, match=r"pairs\.csv is no table: .* Run the stage"):
        tables.read("pairs", tmp_path)


def test_json_keeps_order_and_six_digits_and_knows_no_infinity(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    tables.write_json(
        {"z": 1 / 3, "a": 12, "n": math.nan, "i": math.inf, "t": "é", "b": True, "l": [1, 2]}, path
    )
    read = tables.read_json(path)
    assert list(read) == ["z", "a", "n", "i", "t", "b", "l"]
    assert list(read.values()) == [0.333333, 12, None, None, "é", True, [1, 2]]
    json.loads(path.read_text(), parse_constant=pytest.fail)


def test_a_failed_json_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    tables.write_json({"a": 1}, path)
    with pytest.raises(TypeError):
        tables.write_json({"a": object()}, path)
    assert tables.read_json(path) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_metrics_of_two_datasets_have_different_names(tmp_path: Path) -> None:
    for dataset in ("sample", "ravir"):
        tables.write_metrics({"images": 3, "share": 0.5}, dataset, tmp_path / f"{dataset}.json")
    assert tables.read_json(tmp_path / "ravir.json") == {"ravir.images": 3, "ravir.share": 0.5}
    assert tables.read_json(tmp_path / "sample.json").keys() == {"sample.images", "sample.share"}


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["=1+1", "'=1", "''@x", "a\r=b", "\r", "\0", "-", "'", "+1", '"=1', "\uff1d1", ",=1", "\n=1"]
)


@pytest.mark.parametrize("name", TABLES)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_text_comes_back_and_no_cell_is_a_formula(name: str, data: st.DataObject) -> None:
    kinds = TABLES[name].columns
    texts = [column for column, kind in kinds.items() if kind == "str"]
    if not texts:
        return
    frame = made(name)
    keys = data.draw(st.lists(TEXTS, min_size=4, max_size=4, unique=True))
    for column in texts:
        frame[column] = (
            keys
            if column in TABLES[name].key
            else data.draw(st.lists(TEXTS, min_size=4, max_size=4))
        )
    with tempfile.TemporaryDirectory() as folder:
        path = tables.write(name, frame, Path(folder))
        read = tables.read(name, Path(folder))
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
    pd.testing.assert_frame_equal(read, tables.checked(name, frame))
    assert len(rows) == 4
    for row in rows:
        for column, cell in zip(header, row, strict=True):
            assert column not in texts or not cell.startswith(cells.FORMULA)


def test_plain_text_stands_in_the_file_as_it_is(tmp_path: Path) -> None:
    path = tables.write("notes", pd.DataFrame({"note": ["a=b", "'quoted'", "1-2"]}), tmp_path)
    assert path.read_bytes() == b"note\n'quoted'\n1-2\na=b\n"


def test_half_a_character_is_spelt_out(tmp_path: Path) -> None:
    tables.write("notes", pd.DataFrame({"note": ["\udce9.png"]}), tmp_path)
    assert tables.read("notes", tmp_path)["note"].tolist() == [r"\udce9.png"]
