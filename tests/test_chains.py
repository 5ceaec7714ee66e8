"""Laws of groups on random graphs: whole, closed, the same in any order; one of each stays."""

from collections.abc import Iterable
from itertools import combinations
from random import Random
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from clearset.config.schema import Action, Rule
from clearset.decide import rules
from clearset.similar import duplicates, links
from clearset.store import columns
from clearset.store.stages import Survey
from conftest import REPEATABLE, tables_of

SAME = settings(REPEATABLE, max_examples=25)
LINK = ["image_id", "other_id", "similarity"]
LEVELS = st.sampled_from([-0.5, 0.0, 0.2, 0.9, 0.98, 0.9999, 1.0]) | st.floats(-1, 1)
COUNTED = st.integers(0, 9)


def named(count: int) -> list[str]:
    return [f"{number}" for number in range(count)]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[str], pd.DataFrame]:
    """Draw images, and similarities between some of them."""
    ids = named(draw(COUNTED))
    pairs = list(combinations(ids, 2))
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=14)) if pairs else []
    rows = [(*pair[:: draw(st.sampled_from([1, -1]))], draw(LEVELS)) for pair in chosen]
    return ids, pd.DataFrame(rows, columns=LINK).astype({"similarity": float})


def reached(ids: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """Return, by image, everything that chains of pairs lead to, by going on until nothing new."""
    group = {image_id: frozenset([image_id]) for image_id in ids}
    for one, two in pairs:
        both = group[one] | group[two]
        group |= dict.fromkeys(both, both)
    return group


def grouped(ids: list[str], table: pd.DataFrame, bound: float) -> dict[str, frozenset[str]]:
    """Return, by image, its group as `components` tells it."""
    found = links.components(ids, table, bound).groupby("component_id")["image_id"]
    together = {image_id: frozenset(own) for _, own in found for image_id in own}
    return {image_id: together.get(image_id, frozenset([image_id])) for image_id in ids}


def chains(table: pd.DataFrame, bound: float, strict: bool = False) -> list[tuple[str, str]]:
    """Return the pairs of a table at or above a bound; `strict`: above it."""
    rows = table.itertuples(index=False, name=None)
    return [
        (one, two) for one, two, value in rows if value > bound or (value == bound and not strict)
    ]


@settings(SAME, max_examples=40)
@given(graphs(), LEVELS)
def test_groups_are_what_chains_join_and_a_partition(
    graph: tuple[list[str], pd.DataFrame], bound: float
) -> None:
    ids, table = graph
    expected = reached(ids, chains(table, bound))
    found = links.components(ids, table, bound)
    assert grouped(ids, table, bound) == expected
    assert found["image_id"].is_unique
    firsts = found.groupby("component_id")["image_id"].first().tolist()
    assert found["component_id"].drop_duplicates().tolist() == list(range(len(firsts)))
    assert firsts == sorted(firsts, key=ids.index)
    for row in found.itertuples():
        own = expected[row.image_id]
        assert row.images == len(own) > 1
        strong = table[table["image_id"].isin(own) & (table["similarity"] >= bound)]
        assert row.min_similarity == strong["similarity"].min()


@SAME
@given(graphs(), LEVELS, st.randoms())
def test_the_strongest_chain_gives_the_groups_of_all_pairs(
    graph: tuple[list[str], pd.DataFrame], bound: float, random: Random
) -> None:
    ids, table = graph
    chain = links.of_edges(ids, table)
    rounded = table.assign(similarity=table["similarity"].round(links.DECIMALS))
    for level in (bound, *rounded["similarity"]):
        expected = reached(ids, chains(rounded, level))
        assert grouped(ids, chain, level) == expected
    assert len(chain) == len(ids) - len(set(reached(ids, chains(rounded, -1)).values()))
    turned = table.sample(frac=1, random_state=random.randrange(99))
    turned = turned.rename(columns={"image_id": "other_id", "other_id": "image_id"})
    doubled = pd.concat([turned, table.assign(similarity=table["similarity"] - 0.1)])
    again = links.of_edges(ids, doubled)
    pd.testing.assert_frame_equal(
        *(one.sort_values(LINK, ignore_index=True) for one in (again, chain))
    )


PIXELS = st.sampled_from(["x", "x", "y", ""])
PICTURES = st.tuples(
    PIXELS,
    st.sampled_from([*[""] * 7, "broken"]),
    st.sampled_from(["", "m.png"]),
    st.sampled_from(["", "l.txt"]),
    st.sampled_from([0.0, 1.0, 2.0, float("nan")]),
)
ABOUT = ["pixels_sha256", "error", "mask", "label"]


@st.composite
def surveys(draw: st.DrawFn) -> Survey:
    """Draw images, some of the same pixels, and a chain of similarities between them."""
    rows = draw(st.lists(PICTURES, min_size=1, max_size=9))
    ids = named(len(rows))
    images = columns.empty("images").astype(object)
    images["image_id"] = ids
    images[ABOUT] = [row[:4] for row in rows]
    text = ["split", "mask_error", "obstacle", "sha256"]
    images[text] = ""
    images[["width", "height", "channels", "bit_depth", "bytes"]] = 8
    images[["colours", "assumed"]] = 0
    images["broken"] = (images["error"] != "").astype(int)
    sound = images.loc[images["error"] == "", "image_id"].tolist()
    pairs = list(combinations(sound, 2))
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=9)) if pairs else []
    table = pd.DataFrame([(*pair, draw(LEVELS)) for pair in chosen], columns=LINK)
    metrics = pd.DataFrame({"image_id": ids, "sharpness": [row[4] for row in rows]})
    return tables_of(
        Survey,
        images=images,
        metrics=metrics[metrics["image_id"].isin(sound)],
        links=links.of_edges(sound, table.astype({"similarity": float})),
    )


def best(survey: Survey, unfit: set[str]) -> list[str]:
    """Return the readable images, the one to keep first, by the words of the docs."""
    sharp = survey.metrics.set_index("image_id")["sharpness"].fillna(-np.inf)
    sound = survey.images[survey.images["error"] == ""]
    keys = {
        row.image_id: (row.image_id in unfit, not (row.mask or row.label), -sharp[row.image_id])
        for row in sound.itertuples()
    }
    return sorted(keys, key=lambda image_id: (*keys[image_id], image_id))


@SAME
@given(surveys(), st.sets(st.sampled_from(named(9))), LEVELS, st.randoms())
def test_of_each_group_just_the_best_stays_at_any_bound(
    survey: Survey, unfit: set[str], bound: float, random: Random
) -> None:
    order = best(survey, unfit)
    assert duplicates.order(survey.images, survey.metrics, unfit) == order
    spare = duplicates.surplus(survey.images, survey.metrics, survey.links, unfit)
    shuffled = [t.sample(frac=1, random_state=random.randrange(99)) for t in vars(survey).values()]
    other = Survey(**dict(zip(vars(survey), shuffled, strict=True)))
    again = duplicates.surplus(other.images, other.metrics, other.links, unfit)
    about = survey.images.set_index("image_id").loc[order]
    same = [
        (one, two)
        for one, two in combinations(order, 2)
        if about.loc[one, "pixels_sha256"] == about.loc[two, "pixels_sha256"] != ""
    ]
    copied = same if bound < 1 else []
    for pairs, tables in (
        (copied, (spare.copied, again.copied)),
        (copied + chains(survey.links, bound, strict=True), (spare.alike, again.alike)),
    ):
        stays = {i: min(own, key=order.index) for i, own in reached(order, pairs).items()}
        expected = {i: keeper for i, keeper in stays.items() if i != keeper}
        for table in tables:
            assert duplicates.stand_ins(table, bound) == expected
            assert set(table.loc[table["similarity"] > bound, "image_id"]) == set(expected)
    counted = duplicates.copies(survey.images, "pixels_sha256")
    groups = reached(order, same)
    assert counted.to_dict() == {
        i: len(groups[i]) - 1 for i in order if about.loc[i, "pixels_sha256"]
    }


BOUNDS = st.sampled_from([0.0, 0.2, 0.5, 0.9, 0.98])


@settings(SAME, max_examples=20)
@given(surveys(), BOUNDS, BOUNDS, BOUNDS, st.booleans())
def test_curation_names_what_stays_in_the_stead_of_each_that_goes(
    survey: Survey, copied: float, one: float, two: float, other: bool
) -> None:
    drop: dict[str, Any] = {"action": Action.drop}
    own = {
        "copy": Rule("surplus_copies", max=copied, **drop),
        "near": Rule("surplus_similarity", max=one, **drop),
        "nearer": Rule("surplus_similarity", max=two, **drop),
        "seen": Rule("surplus_similarity", max=0.0),
    }
    own |= {"sharp": Rule("sharpness", max=1.5, **drop)} if other else {}
    judged = rules.judge(own, survey)
    assert judged.bounds == rules.bounds(own, judged.values) == own
    pd.testing.assert_frame_equal(judged.flags, rules.flag(judged.values, judged.bounds))
    fates = rules.decide(survey.images, judged.flags).set_index("image_id")["decision"]
    found = duplicates.curation(
        survey.images, rules.dropping(own, judged.flags), judged.surplus
    ).set_index("image_id")
    keepers = found["keeper_id"]
    unfit = set(judged.flags.loc[judged.flags["rule"] == "sharp", "image_id"])
    assert not set(keepers) & set(keepers.index)
    order = best(survey, unfit)
    assert all(order.index(keeper) < order.index(gone) for gone, keeper in keepers.items())
    pixels = survey.images.set_index("image_id")["pixels_sha256"].loc[order]
    for _, group in pixels[pixels != ""].groupby(pixels):
        stays = [i for i in group.index if i not in keepers]
        assert len(stays) <= 1  # none: one of another group is better
        assert stays == [] or stays == [min(group.index, key=order.index)]
    groups = reached(
        order,
        [*chains(survey.links, min(one, two), strict=True)]
        + [(a, b) for a, b in combinations(order, 2) if pixels[a] == pixels[b] != ""],
    )
    for group in set(groups.values()):
        assert [i for i in order if i in group and i not in keepers] == [
            min(group, key=order.index)
        ]
    assert set(fates.index[fates == "drop"]) == set(keepers.index) | unfit
