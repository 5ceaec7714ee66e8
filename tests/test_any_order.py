"""Laws of tables, names and candidates: written and read as they were, the same in any order."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from clearset.similar import leaks
from clearset.similar.registration import Keypoints, Sight
from clearset.sources import names, pairs
from clearset.sources.entries import Entry
from clearset.sources.glances import Glance
from clearset.sources.groups import groups
from clearset.sources.pairs import Index, Named
from clearset.store import cells, tables
from clearset.store.columns import FLOAT, INT, STR, TABLES
from conftest import REPEATABLE

# What a spreadsheet would run, and what no table holds, is left to the tests of cells.
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8).filter(
    lambda text: not text.startswith((*cells.FORMULA, "'"))
) | st.sampled_from(
    ["", " x ", "NA", "nan", "None", "1e5", "007", '"', ",", '","', "true", "\ufeff"]
)
VALUES = {
    STR: TEXT,
    INT: st.integers(-(2**63), 2**63 - 1),
    FLOAT: st.floats() | st.sampled_from([0.0, -0.0, 1e-13, 1 / 3, 123456.5, 1e308, float("nan")]),
}


def cell(value: str | int | float) -> str:
    """Return a value as a table tells it from others: numbers to six digits, none below dust."""
    if isinstance(value, float):
        return f"{0.0 if abs(value) < tables.DUST else value:.6g}"
    return str(value)


@st.composite
def frames(draw: st.DrawFn) -> tuple[str, pd.DataFrame]:
    """Draw a declared table with any cells of its types, each key once, rows in any order."""
    name = draw(st.sampled_from([*TABLES]))
    table = TABLES[name]
    kinds = table.columns | ({"extra": table.others} if table.others else {})
    rows = draw(
        st.lists(
            st.tuples(*(VALUES[kind] for kind in kinds.values())),
            max_size=5,
            unique_by=lambda row: tuple(
                cell(value) for column, value in zip(kinds, row, strict=True) if column in table.key
            ),
        )
    )
    return name, pd.DataFrame(rows, columns=list(kinds)).astype(kinds)


@REPEATABLE
@given(frames(), st.randoms())
def test_any_table_is_read_as_it_was_written_and_written_as_before(
    drawn: tuple[str, pd.DataFrame], random: Random
) -> None:
    name, frame = drawn
    with TemporaryDirectory() as folder:
        first = tables.write(name, frame, Path(folder)).read_bytes()
        read = tables.read(name, Path(folder))
        assert tables.write(name, read, Path(folder)).read_bytes() == first
        shuffled = frame.sample(frac=1, random_state=random.randrange(99))
        if TABLES[name].unique:
            assert tables.write(name, shuffled, Path(folder)).read_bytes() == first
    expected = tables.checked(name, frame)
    pd.testing.assert_frame_equal(read, expected, rtol=1e-5, atol=tables.DUST)


WORDS = "mask masks image images label train test tr val 1st manual1 im gt alpha x a 0001 01 drawn"
WORDS += " Mask imagesTr trainannot GroundTruth kidney é 2"
STEMS = st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=4).flatmap(
    lambda parts: st.sampled_from(["_", "-", ".", " ", ""]).map(lambda mark: mark.join(parts))
)
ODD = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=8)
DRAWN_AGAIN = ["a", "a_drawn", "b", "b_mask", "b_mask_drawn"]
FOLDERS = st.lists(st.sampled_from(WORDS.split()) | ODD, max_size=3).map(tuple)


@settings(REPEATABLE, max_examples=200)
@given(STEMS | ODD, FOLDERS)
def test_no_word_of_a_name_is_lost(stem: str, folders: tuple[str, ...]) -> None:
    name = names.name(stem)
    parts = [part.lower() for part in names.BREAKS.split(stem) if part]
    assert "".join(sorted(f"{name.core}{name.marker}".replace("_", ""))) == "".join(
        sorted("".join(parts))
    )
    assert name.reduced in name.core
    assert bool(name.reduced) == bool(name.core)
    assert name.core or name.marker or not parts
    assert names.split(folders) in {*names.SPLITS.values(), names.WHOLE}
    assert names.split((*folders, "x")) == names.split(folders)
    rest = iter(folders)
    assert all(part in rest for part in names.place(folders).parts)
    assert names.annotation_folder(folders) in {"", *folders}
    for folder in (*folders, stem):
        assert names.strength(folder) in {0, 1, 2}
        assert names.kind(folder, name.core) or not folder
        assert "".join(names.words(folder)) == "".join(
            names.BREAKS.sub("", names.TRUTH.sub("groundtruth", folder)).lower()
        )


TREES = st.lists(
    st.builds(
        lambda folders, stem, suffix: PurePosixPath(*folders, f"{stem}{suffix}"),
        st.lists(st.sampled_from(["images", "masks", "train", "test", "a", "b", "gt"]), max_size=3),
        STEMS,
        st.sampled_from([".png", ".jpg"]),
    ),
    min_size=1,
    max_size=9,
    unique=True,
)


def look(file: Path) -> Glance:
    """Return a look that all pictures of a folder share."""
    drawn = "a" in file.parts
    empty = np.zeros((4, 4))
    return Glance(8, 8, drawn, not drawn, empty.astype(bool), empty)


def grouped(every: list[Named]) -> set[tuple[frozenset[tuple[PurePosixPath, str]], int, bool]]:
    return {
        (frozenset((p.entry.place, p.mark) for p in one.pictures), one.level, one.drawn)
        for one in groups(every, look)
    }


@settings(REPEATABLE, max_examples=120)
@given(TREES, st.randoms())
def test_groups_and_partners_are_the_same_in_any_order(
    places: list[PurePosixPath], random: Random
) -> None:
    files = [Named(Entry(place, Path(place))) for place in places]
    mixed = random.sample(files, len(files))

    found = grouped(files)
    assert found == grouped(mixed)
    assert sorted(place for own, *_ in found for place, _ in own) == sorted(places)
    index, other = Index(files), Index(mixed)
    for far in (False, True):
        for file in files:
            near = index.partners(file, far)
            assert file not in near
            assert len(near) == len(set(near))
            assert set(near) == set(other.partners(file, far))
            assert len({pairs.distance(file, image) for image in near}) <= 1
    for one in files:
        for two in files:
            assert pairs.distance(one, two) == pairs.distance(two, one)
            assert (pairs.distance(one, two) == pairs.SAME) == (one.folders == two.folders)


def test_a_mask_drawn_again_is_no_group_with_an_image_drawn_again() -> None:
    files = [Named(Entry(PurePosixPath(f"{stem}.png"), Path(stem))) for stem in DRAWN_AGAIN]
    assert grouped(files) == grouped(files[::-1])


def sights(words: Iterable[int]) -> list[Sight]:
    """Return sights with one keypoint each, whose descriptor begins with a byte."""
    made = []
    for word in words:
        bits = np.zeros((1, 32), np.uint8)
        bits[0, 0] = word
        points = Keypoints(np.zeros((1, 2), np.float32), bits, 100, 1.0)
        made.append(Sight(points, points))
    return made


@REPEATABLE
@given(
    st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 255)), min_size=1, max_size=8),
    st.integers(0, 8),
    st.integers(0, 3),
    st.randoms(),
)
def test_candidates_for_leaks_cross_splits_and_are_the_same_in_any_order(
    rows: list[tuple[str, int]], looked_at: int, per_image: int, random: Random
) -> None:
    turned = [*range(len(rows))]
    random.shuffle(turned)

    def found(order: list[int]) -> dict[frozenset[int], float]:
        angles = np.array([0.7 * number**2 for number in order])
        told = leaks.candidates(
            [rows[number][0] for number in order],
            np.column_stack([np.cos(angles), np.sin(angles)]),
            sights(rows[number][1] for number in order),
            looked_at=looked_at,
            per_image=per_image,
            small=0,
        )
        assert told == sorted(told)
        assert all(one < two for one, two, _ in told)
        return {frozenset((order[one], order[two])): value for one, two, value in told}

    one = found([*range(len(rows))])
    across = {
        frozenset((first, second))
        for first in range(len(rows))
        for second in range(first)
        if rows[first][0] != rows[second][0]
    }
    assert set(one) <= across
    assert one.keys() == across or min(looked_at, per_image) < len(rows)
    same = per_image >= looked_at  # else votes decide, and equal ones are taken in order
    assert not same or found(turned) == one
