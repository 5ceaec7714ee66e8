"""Planting: nothing is lost or named twice, as many as asked or as can be, and each on its own."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from clearset.config.schema_fetch import Plant
from clearset.plant.edits import EDITS, random_for
from clearset.plant.faults import FAULTS, describe
from clearset.plant.planting import (
    CLEAN,
    ELSEWHERE,
    MASKS,
    OTHERS,
    PARTS,
    UNKNOWN_VALUE,
    Eye,
    Planted,
    known_kinds,
    parts,
    planted_image,
    planted_mask,
    schedule,
    without_data,
)
from clearset.plant.shapes import SHAPES, SUITE
from clearset.store.errors import ClearsetError

EYES = [Eye(f"eye_{i}", f"eye_{i}", "train" if i < 6 else "test", i < 6) for i in range(10)]
EVERYTHING = Plant(
    in_place=3,
    per_eye=2,
    near_duplicates=2,
    duplicates=3,
    conflicts=2,
    leaks=4,
    masks=2,
    broken=2,
    foreign=3,
    empty=3,
    overlaps=3,
)


def eyes(*masked: bool, split: str = "train", subject: str = "") -> list[Eye]:
    return [Eye(f"e{i}", subject or f"e{i}", split, mask) for i, mask in enumerate(masked)]


def counted(planted: list[Planted]) -> Counter[str]:
    return Counter(each.fault for each in planted)


def only(planted: list[Planted], *faults: str) -> list[Planted]:
    return [each for each in planted if each.fault in faults]


@pytest.mark.parametrize("plan", [Plant(), EVERYTHING, Plant(in_place=9, per_eye=5)], ids=str)
def test_every_image_has_a_name_of_its_own(plan: Plant) -> None:
    names = [each.name for each in schedule(EYES, plan)]
    assert len(names) == len(set(names))


def test_without_a_plan_every_eye_is_clean_and_nothing_else() -> None:
    planted = schedule(EYES, Plant())
    assert [(p.name, p.split, p.eye, p.fault, p.kinds) for p in planted] == [
        (eye.name, eye.split, eye, CLEAN, "") for eye in EYES
    ]


@pytest.mark.parametrize("in_place", [0, 1, 4, 9])
def test_an_eye_is_clean_or_has_a_fault_in_its_stead(in_place: int) -> None:
    planted = schedule(EYES, Plant(in_place=in_place))
    assert counted(planted)[CLEAN] == len(EYES) - in_place
    assert Counter(each.eye.name for each in planted) == Counter(eye.name for eye in EYES)
    assert [each.fault for each in planted[: len(EYES) - in_place]] == [CLEAN] * (10 - in_place)


def test_faults_in_place_spread_over_the_splits() -> None:
    splits = Counter(p.split for p in schedule(EYES, Plant(in_place=5)) if p.fault != CLEAN)
    assert splits == {"train": 3, "test": 2}


@pytest.mark.parametrize("number", range(1, len(SUITE) + 1))
def test_severities_of_a_fault_in_place_vary(number: int) -> None:
    faults = list(SUITE)[:number]
    many = [Eye(f"eye_{i}", f"eye_{i}", "train", True) for i in range(5 * number + 1)]
    planted = schedule(many, Plant(faults=faults, in_place=5 * number))
    for fault in faults:
        assert sorted(each.severity for each in only(planted, fault)) == [1, 2, 3, 4, 5]


def test_five_per_eye_are_every_severity_of_every_fault_once() -> None:
    planted = [p for p in schedule(EYES, Plant(per_eye=5)) if p.fault != CLEAN]
    expected = {(eye.name, fault, level) for eye in EYES for fault in SUITE for level in range(6)}
    found = [(each.eye.name, each.fault, each.severity) for each in planted]
    assert len(found) == len(set(found))
    assert set(found) == {case for case in expected if case[2]}


@pytest.mark.parametrize("per_eye", [1, 2, 3, 4])
def test_fewer_per_eye_spread_the_severities_evenly(per_eye: int) -> None:
    planted = schedule(EYES, Plant(per_eye=per_eye))
    for fault in SUITE:
        levels = Counter(each.severity for each in only(planted, fault))
        assert levels == dict.fromkeys(range(1, 6), 10 * per_eye // 5)
        assert max(Counter(each.eye.name for each in only(planted, fault)).values()) == per_eye


def test_an_eye_with_a_fault_in_place_gets_nothing_beside_it() -> None:
    planted = schedule(EYES, EVERYTHING)
    clean = {each.eye.name for each in only(planted, CLEAN)}
    spoilt = {eye.name for eye in EYES} - clean
    assert len(spoilt) == EVERYTHING.in_place
    per_eye = Counter(each.eye.name for each in planted)
    assert {per_eye[name] for name in spoilt} == {1}


@pytest.mark.parametrize("faults", [[], ["jpeg"], ["shadow", "jpeg"]])
def test_only_the_wanted_faults_are_planted(faults: list[str]) -> None:
    planted = schedule(EYES, Plant(faults=faults, per_eye=1))
    assert set(counted(planted)) == {CLEAN, *(faults or SUITE)}


def test_a_planted_fault_tells_its_kinds_and_parameters() -> None:
    for each in only(schedule(EYES, Plant(per_eye=1)), *SUITE):
        assert each.kinds == " ".join(FAULTS[each.fault].kinds)
        assert each.parameters == describe(each.fault, each.severity)
        assert each.split == each.eye.split


ASKED = {
    **dict.fromkeys(EDITS, EVERYTHING.near_duplicates),
    **dict.fromkeys(MASKS, EVERYTHING.masks),
    **dict.fromkeys(("corrupt", "mask_size"), EVERYTHING.broken),
    "exact_copy": EVERYTHING.duplicates,
    "conflict": EVERYTHING.conflicts,
    "leak": EVERYTHING.leaks,
    "foreign": EVERYTHING.foreign,
    "empty": EVERYTHING.empty,
    "overlap": EVERYTHING.overlaps,
}


@pytest.mark.parametrize("fault", OTHERS)
def test_as_many_are_planted_as_asked_each_of_another_eye(fault: str) -> None:
    planted = only(schedule(EYES, EVERYTHING), fault)
    assert len(planted) == ASKED[fault]
    assert len({each.eye.name for each in planted}) == len(planted)
    assert {each.kinds for each in planted} == {OTHERS[fault]}
    assert {each.severity for each in planted} == {0}


ALL = Plant(
    near_duplicates=99,
    duplicates=99,
    conflicts=99,
    leaks=99,
    masks=99,
    broken=99,
    foreign=99,
    empty=99,
    overlaps=99,
)


@pytest.mark.parametrize("fault", OTHERS)
def test_no_more_are_planted_than_there_are_eyes(fault: str) -> None:
    masked = fault in (*MASKS, "conflict", "mask_size")
    assert counted(schedule(EYES, ALL))[fault] == (6 if masked else 10)


def test_without_a_mask_there_is_no_fault_of_a_mask() -> None:
    planted = schedule(eyes(False, False, False), ALL)
    assert not only(planted, *MASKS, "conflict", "mask_size")
    assert len(only(planted, "exact_copy")) == 3


def test_within_one_split_nothing_leaks() -> None:
    assert not only(schedule(eyes(True, True, True), Plant(leaks=3, overlaps=3)), *ELSEWHERE)


@pytest.mark.parametrize("splits", [("train", "test"), ("test", "train", "val")])
@pytest.mark.parametrize(
    ("fault", "plan"), [("leak", Plant(leaks=9)), ("overlap", Plant(overlaps=9))]
)
def test_a_leak_lies_in_another_split_than_its_eye(
    splits: tuple[str, ...], fault: str, plan: Plant
) -> None:
    mixed = [Eye(f"e{i}", f"e{i}", splits[i % len(splits)], True) for i in range(9)]
    leaks = only(schedule(mixed, plan), fault)
    assert len(leaks) == 9
    assert {leak.kinds for leak in leaks} == {"leak"}
    for leak in leaks:
        assert leak.split in splits
        assert leak.split != leak.eye.split
    assert {leak.split for leak in leaks} == set(splits)


def test_only_leaks_change_their_split() -> None:
    for each in schedule(EYES, EVERYTHING):
        assert (each.split != each.eye.split) == (each.fault in ELSEWHERE)


def test_a_swapped_mask_is_another_subjects() -> None:
    two = [Eye(f"e{i}", f"subject {i // 2}", "train", True) for i in range(8)]
    of = {eye.name: eye for eye in two}
    swapped = only(schedule(two, Plant(masks=8)), "swapped_mask")
    assert len(swapped) == 8
    for each in swapped:
        assert of[each.mask_of].subject != each.eye.subject
        assert each.parameters == f"mask of {each.mask_of}"


def test_a_swapped_mask_comes_from_an_eye_with_a_mask() -> None:
    some = [Eye(f"e{i}", f"e{i}", "train", i % 3 == 0) for i in range(9)]
    swapped = only(schedule(some, Plant(masks=9)), "swapped_mask")
    assert {(each.eye.name, each.mask_of) for each in swapped} == {
        ("e0", "e3"),
        ("e3", "e6"),
        ("e6", "e0"),
    }


@pytest.mark.parametrize(
    "given", [eyes(True, False, False), eyes(True, True, subject="one")], ids=["one", "one subject"]
)
def test_without_another_subjects_mask_none_is_swapped(given: list[Eye]) -> None:
    for each in only(schedule(given, Plant(masks=2)), "swapped_mask"):
        assert each.mask_of != each.eye.name


def test_only_swapped_masks_are_anothers() -> None:
    for each in schedule(EYES, EVERYTHING):
        assert bool(each.mask_of) == (each.fault == "swapped_mask")


def test_a_foreign_image_is_a_subject_of_its_own_without_a_mask() -> None:
    foreign = only(schedule(EYES, EVERYTHING), "foreign")
    assert {each.split for each in foreign} <= {"train", "test"}
    subjects = {each.eye.subject for each in foreign}
    assert len(subjects) == 3
    assert not subjects & {eye.subject for eye in EYES}
    assert not any(each.eye.masked for each in foreign)


def test_relatives_are_dealt_round() -> None:
    planted = schedule(EYES, Plant(near_duplicates=1, duplicates=1, leaks=2, foreign=1))
    assert max(Counter(each.eye.name for each in planted).values()) == 2  # one beside the clean


def test_an_unknown_fault_is_named_with_the_known_ones() -> None:
    with pytest.raises(ClearsetError, match=r"unknown faults \['jepg'\]\. Known: .*\bjpeg\b"):
        schedule(EYES, Plant(faults=["jpeg", "jepg"]))


@pytest.mark.parametrize("in_place", [10, 11])
def test_at_least_one_eye_stays_clean(in_place: int) -> None:
    expected = rf"in_place is {in_place}: fewer than the dataset's 10 eyes"
    with pytest.raises(ClearsetError, match=expected):
        schedule(EYES, Plant(in_place=in_place))


def test_known_kinds_are_all_that_is_ever_planted() -> None:
    planted = schedule(EYES, replace(ALL, per_eye=1))
    named = {kind for each in planted for kind in each.kinds.split()}
    assert named | {kind for shape in SHAPES for kind in FAULTS[shape].kinds} == known_kinds()
    assert {"blur", "leak", "foreign", "unreadable", "label_conflict", "empty"} <= known_kinds()


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("count", [1, 7, 40])
def test_parts_hold_out_their_share_and_are_complete(share: float, count: int) -> None:
    names = [f"eye_{i}" for i in range(count)]
    found = parts(names, share, 3)
    assert set(found) == set(names)
    assert set(found.values()) <= set(PARTS)
    assert list(found.values()).count("held_out") == round(share * count)


def test_parts_know_subjects_only_and_no_order() -> None:
    names = [f"eye_{i}" for i in range(20)]
    assert parts(names, 0.5, 1) == parts([*reversed(names), *names], 0.5, 1)


def test_parts_differ_by_seed_and_repeat_with_it() -> None:
    names = [f"eye_{i}" for i in range(20)]
    drawn = [parts(names, 0.5, seed) for seed in range(5)]
    assert all(one != two for one, two in pairwise(drawn))
    assert drawn[0] == parts(names, 0.5, 0)


def test_random_numbers_belong_to_seed_and_name() -> None:
    drawn = {
        (seed, name): random_for(seed, name).random()
        for seed in (0, 1)
        for name in ("a", "b", "eye_1-leak")
    }
    assert len(set(drawn.values())) == 6
    assert all(random_for(*key).random() == number for key, number in drawn.items())


IMAGE = np.random.default_rng(5).uniform(0.2, 0.8, (48, 64))
MASK = np.zeros((48, 64), np.uint8)
MASK[10:20, 10:40], MASK[30:34, 20:60] = 128, 255


def planted_as(fault: str, severity: int = 3) -> Planted:
    return Planted(f"eye_0-{fault}", "train", EYES[0], fault, severity=severity)


@pytest.mark.parametrize("fault", [CLEAN, *FAULTS, *OTHERS])
@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 3)], ids=str)
def test_a_planted_image_keeps_shape_type_and_range(fault: str, shape: tuple[int, ...]) -> None:
    image = np.broadcast_to(IMAGE[..., None], (48, 64, 3)) if len(shape) == 3 else IMAGE
    before = image.copy()
    shown, _ = planted_image(image, planted_as(fault), random_for(0, fault))
    assert shown.shape == shape
    assert shown.dtype == np.float64
    assert 0 <= shown.min() <= shown.max() <= 1
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("fault", [CLEAN, *FAULTS, *OTHERS])
def test_a_planted_image_repeats_with_its_generator(fault: str) -> None:
    one, first = planted_image(IMAGE, planted_as(fault), random_for(4, fault))
    two, second = planted_image(IMAGE, planted_as(fault), random_for(4, fault))
    np.testing.assert_array_equal(one, two)
    assert first == second


@pytest.mark.parametrize("fault", [CLEAN, "exact_copy", "conflict", "mask_size", "corrupt"])
def test_a_copy_has_the_pixels_of_its_eye(fault: str) -> None:
    shown, edit = planted_image(IMAGE, planted_as(fault), random_for(0, "a"))
    np.testing.assert_array_equal(shown, IMAGE)
    assert edit is None


@pytest.mark.parametrize("fault", [*FAULTS, *EDITS, *MASKS, "leak"])
def test_what_is_no_copy_has_pixels_of_its_own(fault: str) -> None:
    shown, _ = planted_image(IMAGE, planted_as(fault), random_for(0, "a"))
    assert not np.array_equal(shown, IMAGE)


@pytest.mark.parametrize("fault", [*FAULTS, *MASKS, CLEAN, "exact_copy"])
def test_the_mask_moves_only_with_the_image(fault: str) -> None:
    _, edit = planted_image(IMAGE, planted_as(fault), random_for(0, "a"))
    assert edit is None


@pytest.mark.parametrize("fault", EDITS)
def test_the_mask_follows_the_light_edit_of_its_image(fault: str) -> None:
    _, edit = planted_image(IMAGE, planted_as(fault), random_for(0, "a"))
    assert edit == EDITS[fault]
    mask = planted_mask(MASK, planted_as(fault), edit)
    still = fault in ("recompression", "re_exposure")
    assert np.array_equal(mask, MASK) == still
    assert set(np.unique(mask)) == {0, 128, 255}
    if fault == "flip":
        np.testing.assert_array_equal(mask, MASK[:, ::-1])


def test_masks_and_images_are_left_alone() -> None:
    before = MASK.copy()
    for fault in (CLEAN, *FAULTS, *OTHERS):
        mask = planted_mask(MASK, planted_as(fault), EDITS.get(fault))
        assert mask.dtype == MASK.dtype
    np.testing.assert_array_equal(MASK, before)


def covered(mask: npt.NDArray[np.integer]) -> int:
    return int((mask > 0).sum())


def test_a_conflicting_mask_grows_and_keeps_its_values() -> None:
    grown = planted_mask(MASK, planted_as("conflict"), None)
    assert covered(grown) > covered(MASK)
    assert (grown >= MASK).all()
    assert set(np.unique(grown)) == {0, 128, 255}


def test_an_empty_mask_is_empty() -> None:
    empty = planted_mask(MASK, planted_as("empty_mask"), None)
    assert empty.shape == MASK.shape
    assert not empty.any()


def test_an_unknown_mask_has_a_value_of_no_class_and_covers_the_same() -> None:
    unknown = planted_mask(MASK, planted_as("unknown_mask"), None)
    assert set(np.unique(unknown)) == {0, 128, UNKNOWN_VALUE}
    np.testing.assert_array_equal(unknown > 0, MASK > 0)


def test_a_mask_of_another_size_fits_no_more() -> None:
    assert planted_mask(MASK, planted_as("mask_size"), None).shape != MASK.shape


@pytest.mark.parametrize("fault", [*FAULTS, "swapped_mask", "exact_copy", "corrupt"])
def test_other_masks_stay_as_they_are(fault: str) -> None:
    np.testing.assert_array_equal(planted_mask(MASK, planted_as(fault), None), MASK)


@pytest.mark.parametrize("shape", [(48, 64), (64, 48), (200, 200)], ids=str)
def test_most_of_an_empty_image_is_without_data(shape: tuple[int, int]) -> None:
    shares = []
    for number in range(40):
        lost = without_data(shape, random_for(number, "a"))
        assert (lost.shape, lost.dtype.name) == (shape, "bool")
        shares.append(float(lost.mean()))
    assert 0.58 < min(shares) < 0.66
    assert 0.89 < max(shares) < 0.96


def test_what_is_without_data_lies_beyond_one_slanted_line() -> None:
    sides = set()
    for number in range(20):
        lost = without_data((60, 60), random_for(number, "a"))
        rows, columns = lost.sum(axis=1), lost.sum(axis=0)
        for counts, across in ((rows, lost), (columns, lost.T)):
            steps = np.diff(counts)
            assert (steps >= 0).all() or (steps <= 0).all()  # one edge, and it does not bend back
            assert (np.abs(np.diff(across.astype(int), axis=1)).sum(axis=1) <= 1).all()
        assert len(set(rows)) > 3  # slanted
        assert len(set(columns)) > 3
        sides.add((bool(lost[0].mean() > lost[-1].mean()), bool(rows.std() > columns.std())))
    assert len(sides) == 4


def test_the_edge_repeats_with_its_generator() -> None:
    one, two, other = (without_data((48, 64), random_for(seed, "a")) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)
