"""Laws of rules on random tables: monotone, whole, and the same in any order."""

from collections.abc import Sequence
from random import Random

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from clearset.config.schema import Action, Rule
from clearset.decide import rules
from clearset.decide.measures import odd_colours
from conftest import REPEATABLE

NAN = float("nan")
STRENGTH = [action.value for action in Action]
# Few levels, so that ties are common; neighbours among the numbers; what is not measured.
EDGES = [1.0, np.nextafter(1, 2), np.nextafter(1, 0), 1e9, 1e9 + 1, -1e-7, 1e-7]
NUMBERS = st.sampled_from([*np.linspace(-2, 2, 9), *EDGES]) | st.floats(-1e300, 1e300)
COLUMNS = st.lists(NUMBERS | st.just(NAN), min_size=1, max_size=12)


def named(count: int) -> list[str]:
    return [f"{number:02}" for number in range(count)]


def measured(values: Sequence[float]) -> pd.DataFrame:
    index = pd.Index(named(len(values)), name="image_id")
    return pd.DataFrame({"blur": np.array(values, float)}, index)


def flagged(
    values: pd.DataFrame,
    min: float | None = None,
    max: float | None = None,
    quantile: float | None = None,
) -> set[str]:
    own = rules.bounds({"r": Rule("blur", min, max, quantile)}, values)
    return set(rules.flag(values, own)["image_id"])


@REPEATABLE
@given(COLUMNS, NUMBERS, NUMBERS)
def test_a_stricter_bound_flags_all_that_a_looser_one_does(
    column: list[float], one: float, two: float
) -> None:
    values, (low, high) = measured(column), sorted((one, two))
    assert flagged(values, min=low) <= flagged(values, min=high)
    assert flagged(values, max=high) <= flagged(values, max=low)
    between = flagged(values, min=low, max=high)
    assert between == flagged(values, min=low) | flagged(values, max=high)
    assert not between & set(values.index[values["blur"].isna()])


SHARES = st.sampled_from([0.05, 0.1, 0.25, 1 / 3, 0.4]) | st.floats(1e-6, 0.499)


@REPEATABLE
@given(COLUMNS, SHARES, SHARES)
def test_a_larger_quantile_flags_all_that_a_smaller_one_does_and_its_share(
    column: list[float], one: float, two: float
) -> None:
    values, (few, many) = measured(column), sorted((one, two))
    for sign in (1, -1):  # from below, and from above
        sides = [share if sign > 0 else 1 - share for share in (few, many)]
        small, large = (flagged(values, quantile=side) for side in sides)
        assert small <= large
        ranked = (sign * values["blur"]).dropna()
        assert len(small) >= few * len(ranked) - 1e-6
        assert len(large) >= many * len(ranked) - 1e-6
        for chosen, share in ((small, few), (large, many)):  # no more than ties ask for
            worse = ranked[sorted(chosen)]
            assert (worse < worse.max()).sum() < max(share * len(ranked), 1)
            assert set(ranked.index[ranked <= worse.max()]) == chosen


METRICS = ["blur", "noise", "mean"]
RULES = st.dictionaries(
    st.sampled_from(["dark", "soft", "odd", "far", "r"]),
    st.builds(
        lambda metric, ends, share, action: (
            Rule(metric, min(ends), max(ends), None, action)
            if share is None
            else Rule(metric, None, None, share, action)
        ),
        st.sampled_from(METRICS),
        st.tuples(NUMBERS, NUMBERS),
        st.none() | st.floats(0.01, 0.99),
        st.sampled_from(Action),
    ),
    min_size=1,
)
ROWS = st.lists(
    st.tuples(*[NUMBERS | st.just(NAN)] * len(METRICS), st.sampled_from(["", "a palette"])),
    min_size=1,
    max_size=9,
)


def tabled(rows: list[tuple[float, ...]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the values and the table `images` of rows."""
    ids = pd.Index(named(len(rows)), name="image_id")
    table = pd.DataFrame(rows, columns=[*METRICS, "obstacle"], index=ids)
    images = pd.DataFrame({"image_id": ids, "split": "all", "obstacle": table["obstacle"].tolist()})
    return table[METRICS].astype(float), images


def sorted_by(frame: pd.DataFrame, *keys: str) -> pd.DataFrame:
    return frame.sort_values(list(keys), ignore_index=True)


@REPEATABLE
@given(RULES, ROWS, st.randoms())
def test_every_image_has_one_fate_in_whatever_order(
    own: dict[str, Rule], rows: list[tuple[float, ...]], random: Random
) -> None:
    values, images = tabled(rows)
    names, shuffled = list(own), list(range(len(rows)))
    random.shuffle(names)
    random.shuffle(shuffled)
    bounds = rules.bounds(own, values)
    flags = rules.flag(values, bounds)
    fates = rules.decide(images, flags)
    again = rules.bounds({name: own[name] for name in names}, values.iloc[shuffled])
    assert again == bounds
    others = rules.flag(values.iloc[shuffled], again)
    pd.testing.assert_frame_equal(
        *(sorted_by(table, "rule", "image_id") for table in (others, flags))
    )
    swapped = rules.decide(images.iloc[shuffled], others.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(sorted_by(swapped, "image_id"), fates)
    assert fates["image_id"].tolist() == images["image_id"].tolist()
    for row, image in zip(fates.itertuples(), images.itertuples(), strict=True):
        of = flags[flags["image_id"] == row.image_id]
        asked = {
            "review" if action == "enhance" and image.obstacle else action
            for action in of["action"]
        }
        assert row.decision == max(asked, default="keep", key=STRENGTH.index)
        assert row.rules.split() == sorted(of.loc[of["action"] != "keep", "rule"])
        assert rules.names(flags, row.image_id).split() == sorted(of["rule"])
    told = fates[["image_id"]].assign(rule="told", action=fates["decision"])
    assert rules.decide(images, told)["decision"].tolist() == fates["decision"].tolist()


@REPEATABLE
@given(RULES, ROWS)
def test_summary_warnings_and_counts_agree_with_the_flags(
    own: dict[str, Rule], rows: list[tuple[float, ...]]
) -> None:
    values, images = tabled(rows)
    bounds = rules.bounds(own, values)
    flags = rules.flag(values, bounds)
    said = rules.summary(own, bounds, flags).set_index("rule")
    warned = set(rules.warnings(values, bounds, flags)["rule"])
    assert set(said.index) == set(own)
    assert said["flagged"].sum() == len(flags)
    for name, rule in own.items():
        beyond = rules.outside(values[rule.metric], bounds[name])
        assert said.loc[name, "flagged"] == beyond.sum() == (flags["rule"] == name).sum()
        known = values[rule.metric].notna().sum()
        assert (name in warned) == (known > 1 and beyond.sum() == known)
    fates = rules.decide(images, flags)
    asking = flags[flags["rule"].isin(rules.asking(own))]
    assert rules.counts(fates) == {
        "images": len(images),
        "flagged": asking["image_id"].nunique(),
        "review": (fates["decision"] == "review").sum(),
        "dropped": (fates["decision"] == "drop").sum(),
    }


@REPEATABLE
@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 3))
def test_odd_in_colour_is_a_tenth_at_most(coloured: int, grey: int, broken: int) -> None:
    kinds = [1] * coloured + [0] * grey + [1] * broken
    images = pd.DataFrame({"image_id": named(len(kinds)), "colours": kinds, "error": ""})
    images.loc[coloured + grey :, "error"] = "broken"
    odd = odd_colours(images)
    assert odd.index.tolist() == named(coloured + grey)
    few, many = sorted((coloured, grey))
    rare = [int((kind == 1) == (coloured < grey)) for kind in kinds[: coloured + grey]]
    assert odd.tolist() == (rare if 10 * few <= few + many else [0] * (few + many))
