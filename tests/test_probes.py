"""What a repair did to one image: rows for what was applied and for trials, before and after."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clearset.config.schema import Compare, Dataset, Rule
from clearset.config.schema_accept import Bounds
from clearset.generate.retina.synthesis import Made
from clearset.images import codec, levels
from clearset.proof import probes
from clearset.proof.probes import Job, examine
from clearset.proof.verdicts import APPLIED
from clearset.repair import files
from clearset.repair.steps import enhance
from clearset.store.stages import Catalogue
from conftest import tables_of, write_image

MILD = [{"rule": "all", "method": "unsharp_mask", "radius": 1.0, "amount": 1.0}]
STRONG = [{"method": "unsharp_mask", "radius": 1.0, "amount": 15.0}]
SIDES = ("before", "after")


@pytest.fixture
def job(tmp_path: Path, eyes: list[Made]) -> Job:
    """An eye with a mask, blurred a little, and its mild repair."""
    made = eyes[0]
    clean = write_image(tmp_path / "clean.png", made.pixels)
    soft = np.asarray((made.pixels // 4) * 3 + 20, np.uint8)
    before = write_image(tmp_path / "before.png", soft)
    after = tmp_path / "after.png"
    codec.write_like(before, enhance(levels.unit(soft), MILD)[0], after)
    assert made.mask is not None
    mask = write_image(tmp_path / "mask.png", made.mask)
    evidence = ["expected_gain", "noise_growth"]
    return Job(
        "eye",
        levels.Reading(0, 255),
        before,
        after,
        mask,
        clean,
        MILD,
        {"strong": STRONG},
        evidence,
    )


def rows_of(job: Job) -> dict[str, dict[str, Any]]:
    return {row["repair"]: row for row in examine(job)}


def test_there_is_a_row_for_what_was_applied_and_for_each_trial(job: Job) -> None:
    rows = rows_of(job)
    assert set(rows) == {APPLIED, "strong"}
    for row in rows.values():
        assert row["repaired"] == 1
        scores = ("ap", "auroc", "f1", "dice", "psnr", "ssim")
        assert all(np.isfinite(row[f"{name}_{side}"]) for name in scores for side in SIDES)
        assert {"expected_gain", "noise_growth", "psnr", "ssim"} <= set(row)
    assert rows["strong"]["ap_before"] == rows[APPLIED]["ap_before"]
    assert rows["strong"]["noise_growth"] > 1.3 * rows[APPLIED]["noise_growth"]
    assert rows["strong"]["ssim"] < rows[APPLIED]["ssim"]


def test_a_trial_of_the_repair_that_was_applied_gives_its_very_row(job: Job) -> None:
    rows = rows_of(replace(job, trials={"same": MILD}))
    assert rows["same"] | {"repair": APPLIED} == rows[APPLIED]


READINGS = {
    "disc": levels.Reading(0.0, 255.0, seen="disc 60 66 50"),
    "transparent": levels.Reading(0.0, 255.0, alpha=3),
    "blue, green, red, near infrared": levels.Reading(0.0, 255.0, shown=(2, 1, 0)),
    "on its side": levels.Reading(0.0, 255.0, alpha=3, orientation=6),
}


@pytest.mark.parametrize("name", READINGS)
def test_a_trial_is_what_becomes_of_the_file_whatever_its_bands_and_gaps(
    name: str, tmp_path: Path, job: Job
) -> None:
    level, reading = codec.decode(job.before).astype(float), READINGS[name]
    opaque = 255 * (np.indices(level.shape)[0] > 30)
    bands = np.dstack([level, level * 0.8, level * 0.6, opaque]).astype(np.uint8)
    before = write_image(tmp_path / "bands.png", bands if name != "disc" else bands[..., 0])
    stretch = [{"method": "rescale_intensity", "low": 0.02, "high": 0.9}]
    assert files.repair(before, tmp_path / "repaired.png", reading, stretch) is not None
    tried = replace(job, reading=reading, before=before, after=tmp_path / "repaired.png")
    rows = rows_of(replace(tried, clean=None, steps=stretch, trials={"same": stretch}))
    assert rows["same"] | {"repair": APPLIED} == rows[APPLIED]
    assert np.isfinite(rows["same"]["ap_after"])


def test_an_image_that_was_not_repaired_is_the_same_before_and_after(job: Job) -> None:
    row = rows_of(replace(job, after=None, steps=[], trials={}))[APPLIED]
    assert row["repaired"] == 0
    assert row["ap_before"] == row["ap_after"]
    assert "expected_gain" not in row


def test_without_a_mask_nothing_is_scored_and_nothing_tried(job: Job) -> None:
    rows = rows_of(replace(job, mask=None, clean=None, trials={}))
    assert set(rows) == {APPLIED}
    assert not any(name.endswith(SIDES) for name in rows[APPLIED])


def test_a_repair_that_is_the_clean_image_is_most_like_it(job: Job) -> None:
    assert job.clean is not None
    row = rows_of(replace(job, after=job.clean, trials={}))[APPLIED]
    assert row["psnr_after"] == float("inf")
    assert row["ssim_after"] == pytest.approx(1)
    assert row["ssim_before"] < 1


def dataset(tmp_path: Path, job: Job, rules: str, trials: dict[str, Any]) -> pd.DataFrame:
    """What is examined in a dataset of two copies of the eye, one of them with a mask."""
    fetch, enhanced = tmp_path / "fetch", tmp_path / "enhance"
    for number in (1, 2):
        for folder, source in ((fetch, job.before), (enhanced, job.after)):
            place = folder / f"images/{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            assert source is not None
            place.write_bytes(source.read_bytes())
    (fetch / "masks").mkdir()
    assert job.mask is not None
    (fetch / "masks/1.png").write_bytes(job.mask.read_bytes())
    table = pd.DataFrame(
        {"image_id": ["1", "2"], "path": ["1.png", "2.png"], "mask": ["1.png", ""]}
    )
    repairs = pd.DataFrame({"image_id": rules.split(), "rules": ""})
    section = Dataset(
        filter={"blur": Rule("blur", min=1)},
        enhance=list(MILD),
        accept={"gain": Bounds("expected_gain", min=0)},
        compare=Compare(trials=trials),
    )
    table = table.assign(error="", **levels.columns(levels.Reading(0.0, 255.0)))
    catalogue = tables_of(Catalogue, images=table.assign(mask_error=""))
    return probes.examined(section, catalogue, repairs, {"fetch": fetch, "enhance": enhanced})


def test_repaired_images_and_those_with_a_mask_are_examined(tmp_path: Path, job: Job) -> None:
    found = dataset(tmp_path, job, "2", {"strong": STRONG})
    rows = [tuple(row) for row in found[["image_id", "repair", "repaired"]].to_numpy()]
    assert rows == [("1", "strong", 1), ("1", APPLIED, 0), ("2", APPLIED, 1)]
    assert found["ap_before"].notna().tolist() == [True, True, False]
    assert found["expected_gain"].notna().tolist() == [True, False, True]


def test_nothing_is_examined_where_nothing_was_repaired_or_is_tried(
    tmp_path: Path, job: Job
) -> None:
    assert dataset(tmp_path, job, "", {}).empty
