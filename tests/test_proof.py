"""Gains and agreement on constructed tables: paired, an eye once, a refused repair is no change."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clearset.config.schema_accept import Bounds
from clearset.proof import sweeps, verdicts
from clearset.report import proof_plots
from clearset.store import columns, tables
from clearset.store.stages import Catalogue
from conftest import tables_of

EYES = 8
BOUNDS = {"gain": Bounds("expected_gain", min=0)}


def seen(
    gain: float = 0.1, *, repair: str = "applied", per_eye: int = 2, **columns: Any
) -> pd.DataFrame:
    """A table `vessels` in which every image gains about `gain` of average precision."""
    count = EYES * per_eye
    eye = np.arange(count) % EYES
    base = 0.5 + 0.02 * eye
    rows: dict[str, Any] = {
        "image_id": [f"{repair}{number:03d}" for number in range(count)],
        "repair": repair,
        "eye": [f"eye{number}" for number in eye],
        "part": np.where(eye < EYES / 2, "calibrate", "held_out"),
        "fault": "blur",
        "severity": 1 + np.arange(count) // EYES,
        "kinds": "blur",
        "flagged": 1,
        "repaired": 1,
        "verdict": "accepted",
        "accepted": 1,
    }
    for score in ("ap", "auroc", "f1", "dice", "sato", "psnr", "ssim"):
        rows[f"{score}_before"] = base
        rows[f"{score}_after"] = base + gain * (1 + 0.1 * np.sin(eye))
    return tables.checked("vessels", pd.DataFrame(rows | columns))


def gain_of(table: pd.DataFrame, **where: str) -> Any:
    found = verdicts.gains(table, resamples=200, seed=0)
    wanted = {"repair": "applied", "update": "all", "group": "all", "part": "all", "score": "ap"}
    for column, value in (wanted | where).items():
        found = found[found[column] == value]
    assert len(found) == 1
    return next(found.itertuples())


@pytest.mark.parametrize("gain", [0.1, -0.2])
def test_a_gain_is_the_mean_paired_change_with_its_interval(gain: float) -> None:
    row = gain_of(seen(gain))
    assert row.change == pytest.approx(row.after - row.before)
    assert row.change == pytest.approx(gain * (1 + 0.1 * np.sin(np.arange(EYES)).mean()))
    assert row.low <= row.change <= row.high
    assert (row.low > 0) == (gain > 0)
    assert row.p < 0.05
    assert (row.images, row.eyes) == (2 * EYES, EYES)


def test_an_eye_counts_once_however_many_images_it_has() -> None:
    table = seen()
    many = table[table["eye"] == "eye0"]
    copies = [many.assign(image_id=many["image_id"] + f"_{n}", ap_after=0.0) for n in range(20)]
    few, most = gain_of(table), gain_of(pd.concat([table, *copies]))
    assert most.eyes == few.eyes
    assert most.change > -0.1 > (pd.concat(copies)["ap_after"] - 0.5).mean()


def test_a_refused_repair_changes_nothing_in_the_accepted_set() -> None:
    table = seen(-0.1, accepted=0)
    assert gain_of(table).change < -0.09
    assert gain_of(table, update="accepted").change == 0
    assert gain_of(table, update="accepted").p == 1


def test_an_image_that_was_not_repaired_changes_nothing() -> None:
    assert gain_of(seen(0.1, repaired=0, accepted=0)).change == 0


def test_groups_are_all_flagged_and_kinds_and_parts_are_told_apart() -> None:
    table = pd.concat(
        [seen(), seen(repair="other"), seen(kinds="", fault="none", flagged=0, repaired=0)]
    ).reset_index(drop=True)
    table["image_id"] = [f"{n:03d}" for n in range(len(table))]
    found = verdicts.gains(table, resamples=200, seed=0)
    assert set(found["group"]) == {"all", "flagged", "blur", "none"}
    assert set(found["part"]) == {"all", "held_out"}
    held = gain_of(table, part="held_out")
    assert held.eyes == EYES / 2
    assert gain_of(table, group="none").change == 0
    assert math.isnan(held.low)  # of fewer than five eyes nothing is said


def test_what_is_not_known_has_no_row() -> None:
    table = seen(psnr_before=np.nan, psnr_after=np.nan)
    assert "psnr" not in set(verdicts.gains(table, resamples=200, seed=0)["score"])


@pytest.mark.parametrize(
    ("gain", "accepted", "agrees"), [(0.1, 1, 1), (0.1, 0, 0), (-0.1, 0, 1), (-0.1, 1, 0)]
)
def test_agreement_is_acceptance_of_gains_and_refusal_of_harm(
    gain: float, accepted: int, agrees: int
) -> None:
    said = "accepted" if accepted else "refused"
    row = verdicts.agreement(seen(gain, accepted=accepted, verdict=said)).iloc[0]
    assert row["decided"] == 1
    assert row["agrees"] == agrees
    assert row["always"] == (gain > 0)
    assert row["never"] == (gain < 0)
    if accepted:
        assert row["harmful"] == (gain < 0)


def test_what_is_not_told_is_neither_right_nor_wrong() -> None:
    table = seen(accepted=0, verdict="not_told")
    row = verdicts.agreement(table).iloc[0]
    assert (row["decided"], row["accepted"], row["always"]) == (0, 0, 1)
    assert math.isnan(row["agrees"])
    half = pd.concat([table, seen(verdict="accepted")])
    assert verdicts.agreement(half).iloc[0][["decided", "agrees"]].tolist() == [0.5, 1]


def test_what_one_detector_finds_and_the_other_denies_is_no_gain() -> None:
    table = seen(0.1)
    denied = table.assign(sato_after=2 * table["sato_before"] - table["sato_after"])
    assert gain_of(denied).change > 0.09
    assert gain_of(denied, score="sato").change < -0.09
    assert gain_of(denied, score="both").change == 0
    assert verdicts.agreement(denied).empty
    lesser = table.assign(sato_after=table["sato_before"] + 0.01)
    assert gain_of(lesser, score="both").change == pytest.approx(0.01)


def test_a_change_too_small_to_tell_is_not_judged() -> None:
    assert verdicts.agreement(seen(0.001)).empty
    assert verdicts.agreement(seen(0.1, repaired=0)).empty


def examined(**columns: Any) -> pd.DataFrame:
    rows: dict[str, Any] = {"image_id": ["a", "b", "c"], "repair": "applied"}
    rows |= {"repaired": [1, 1, 0]}
    rows |= {"expected_gain": [0.1, -0.1, np.nan], "ap_before": 0.5, "ap_after": 0.6}
    rows |= {"sato_before": 0.5, "sato_after": 0.7}
    return pd.DataFrame(rows | columns)


IMAGES = pd.DataFrame({"image_id": ["a", "b", "c"], "pixels_sha256": ["x", "y", "x"]})
DECISIONS = pd.DataFrame({"image_id": ["a", "b", "c"], "decision": ["enhance"] * 2 + ["keep"]})


def vessels(rows: pd.DataFrame, **truth: pd.DataFrame) -> pd.DataFrame:
    """Return the table `vessels` of three images, two of the same pixels."""
    catalogue = tables_of(Catalogue, images=IMAGES, **truth)
    return verdicts.vessels(rows, catalogue, DECISIONS, BOUNDS)


def test_a_verdict_is_whether_the_evidence_lies_within_all_bounds() -> None:
    table = verdicts.verdicts(examined(), BOUNDS)
    assert table[["image_id", "accepted", "verdict", "refused_by"]].to_numpy().tolist() == [
        ["a", 1, "accepted", ""],
        ["b", 0, "refused", "gain"],
    ]
    assert table["expected_gain"].tolist() == [0.1, -0.1]
    assert tables.checked("verdicts", table)["accepted"].tolist() == [1, 0]


def test_the_likeness_of_a_repair_is_of_the_images_that_it_changed() -> None:
    rows = examined(psnr=[30.0, 40.0, np.nan], ssim=[0.9, 0.95, np.nan])
    both = pd.concat([rows, rows.assign(repair="other", psnr=10.0)])
    assert verdicts.likeness(both).to_numpy().tolist() == [["a", 30.0, 0.9], ["b", 40.0, 0.95]]
    assert verdicts.likeness(both, "other")["psnr"].tolist() == [10.0, 10.0]
    nothing = verdicts.likeness(rows[["image_id", "repair", "repaired"]].iloc[:0])
    assert nothing.columns.tolist() == ["image_id", "psnr", "ssim"]
    assert nothing.empty


def test_without_a_bound_every_repair_is_accepted() -> None:
    assert verdicts.verdicts(examined(), {})["accepted"].tolist() == [1, 1]


def test_images_with_the_same_pixels_are_one_eye() -> None:
    table = tables.checked("vessels", vessels(examined()))
    assert table["eye"].tolist() == ["a", "b", "a"]
    assert table["accepted"].tolist() == [1, 0, 0]
    assert table["verdict"].tolist() == ["accepted", "refused", ""]
    assert table["flagged"].tolist() == [1, 1, 0]


def test_an_image_with_a_wrong_mask_planted_is_not_scored_by_it() -> None:
    truth = pd.DataFrame(
        {"image_id": ["a"], "eye": ["e"], "part": ["held_out"], "fault": ["swapped_mask"]}
        | {"kinds": ["swapped_mask"], "severity": [0]}
    )
    assert vessels(examined(), truth=truth)["image_id"].tolist() == ["b", "c"]


@pytest.mark.parametrize("rows", [pd.DataFrame(columns=["image_id", "repair", "repaired"])])
def test_where_nothing_was_examined_all_tables_are_empty(rows: pd.DataFrame) -> None:
    table = vessels(rows)
    assert tables.checked("vessels", table).empty
    assert tables.checked("gains", verdicts.gains(table, resamples=200, seed=0)).empty
    assert tables.checked("agreement", verdicts.agreement(table)).empty
    assert tables.checked("verdicts", verdicts.verdicts(rows, BOUNDS)).empty
    assert verdicts.headline(columns.empty("gains")) == {}


def test_the_headline_is_of_what_was_applied_on_eyes_held_out() -> None:
    table = pd.concat([seen(0.1, per_eye=4), seen(-0.5, repair="published")])
    gains = verdicts.gains(table, resamples=200, seed=0)
    held = table[(table["part"] == "held_out") & (table["repair"] == "applied")]
    change = (held["ap_after"] - held["ap_before"]).mean()
    assert verdicts.headline(gains) == {"ap_change": pytest.approx(change)}


def test_the_figure_has_a_line_for_each_repair_and_group() -> None:
    table = pd.concat([seen(0.1), seen(-0.3, repair="a|$b$")]).reset_index(drop=True)
    table.loc[table["eye"] == "eye5", "psnr_after"] = np.inf  # so that it is of fewer eyes
    figure = proof_plots.gains_figure(verdicts.gains(table, resamples=200, seed=0))
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert sorted(names) == sorted(
        f"{repair}: {group} ({EYES // 2})"
        for repair in ("a|$b$", "applied")
        for group in ("all", "blur", "flagged")
    )
    assert [axes.get_title() for axes in figure.axes] == list(proof_plots.TITLES.values())
    points = [line for line in figure.axes[0].lines if str(line.get_label()).endswith("repairs")]
    assert len({str(line.get_marker()) for line in points}) == 2  # told without colour


def test_a_sweep_names_the_best_setting_by_the_one_part_and_scores_it_on_the_other() -> None:
    good, bad = seen(0.1), seen(-0.1)
    lucky = seen(0.05)
    lucky.loc[lucky["part"] == "held_out", "ap_after"] += 1
    found = {"good": good, "bad": bad, "lucky": lucky}
    best = tables.checked("best", sweeps.best(found)).set_index("kind")
    assert best["best"].to_dict() == {"all": "good", "blur": "good", "flagged": "good"}
    assert best.loc["blur", "runner_up"] == "lucky"
    assert best.loc["blur", "held_out"] == pytest.approx(0.1, abs=0.02)


def test_a_sweep_counts_what_both_detectors_grant() -> None:
    table = seen(0.1)
    denied = table.assign(sato_after=2 * table["sato_before"] - table["sato_after"])
    found = sweeps.table({"granted": table, "denied": denied}).set_index("setting")["ap_change"]
    assert (found["denied"] == 0).all()
    assert (found["granted"] > 0.09).all()
    best = sweeps.best({"denied": denied.assign(ap_after=1.0), "small": seen(0.01)})
    assert set(best["best"]) == {"small"}


def test_a_sweep_lists_every_setting_fault_severity_and_part() -> None:
    found = tables.checked("sweep", sweeps.table({"x": seen(0.1), "y": seen(-0.1)}))
    cases = set(zip(found["fault"], found["severity"], strict=True))
    assert cases == {("all", 0), ("blur", 0), ("blur", 1), ("blur", 2)}
    assert set(found["part"]) == {"all", "calibrate", "held_out"}
    assert (np.sign(found["ap_change"]) == np.where(found["setting"] == "x", 1, -1)).all()
    assert found.loc[found["fault"] == "all", "images"].max() == 2 * EYES
