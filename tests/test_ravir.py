"""RAVIR: the published findings in the committed tables, and the real run that gives them."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from clearset.proof.verdicts import INDIFFERENT
from clearset.sources import archives, places
from clearset.store import checksums, tables
from clearset.store.errors import ClearsetError
from conftest import ROOT, clone, run

ENDS = ["report@ravir", "release@ravir"]

RECORD = ROOT / "reports/ravir/tables"
BLURRED = ["test/IR_Case_048", "test/IR_Case_054", "test/IR_Case_059", "test/IR_Case_060"]


def flagged(folder: Path, rule: str) -> list[str]:
    flags = tables.read("flags", folder)
    return flags.loc[flags["rule"] == rule, "image_id"].tolist()


def test_the_record_is_of_all_42_images_by_fastdup() -> None:
    assert len(tables.read("decisions", RECORD)) == 42
    assert json.loads((RECORD / "engine.json").read_text())["name"] == "fastdup"


def test_one_outlier_in_the_test_split() -> None:
    outliers = [image_id for image_id in flagged(RECORD, "outlier") if image_id.startswith("test/")]
    assert outliers == ["test/IR_Case_060"]


def test_blur_below_700_flags_four_of_the_test_split() -> None:
    assert [i for i in flagged(RECORD, "blur") if i.startswith("test/")] == BLURRED
    assert tables.read("rules", RECORD.parent).set_index("rule").loc["blur", "min"] == 700


def test_one_duplicate_pair_with_conflicting_masks() -> None:
    pair = ["train/IR_Case_011", "train/IR_Case_022"]
    for rule in ("duplicate", "duplicate_file", "label_conflict"):
        assert flagged(RECORD, rule) == pair
    conflicts = tables.read("conflicts", RECORD).set_index("class")["dice"]
    assert conflicts.round(3).to_dict() == {"artery": 0.829, "vein": 0.847}


def test_one_eye_is_in_train_and_in_test() -> None:
    pair = tables.read("leaks", RECORD)
    assert pair[["image_id", "other_id"]].to_numpy().tolist() == [
        ["test/IR_Case_057", "train/IR_Case_043"]
    ]
    assert flagged(RECORD, "leak") == ["test/IR_Case_057", "train/IR_Case_043"]


MEASURED = ROOT / "reports/ravir_faults/tables"


@pytest.mark.parametrize(
    ("rule", "least"),
    [
        ("blur", 0.93),
        ("dark", 0.9),
        ("bright", 0.9),
        ("uneven", 0.84),  # of any shape: one eye is uneven by nature, and so are its 28 copies
        ("near_duplicate", 0.98),
        ("leak", 1),
        ("label_conflict", 1),
    ],
)
def test_the_record_of_planted_faults_keeps_its_word(rule: str, least: float) -> None:
    detection = tables.read("detection", MEASURED)
    held_out = detection[(detection["bounds"] == "calibrated") & (detection["rule"] == rule)]
    assert held_out["part"].tolist() == ["held_out"]
    assert held_out["f1"].item() >= least


def test_noise_does_not_hide_blur_from_sharpness_as_from_the_laplacian() -> None:
    severities = tables.read("severities", MEASURED)
    row = (severities["fault"] == "blur_noise") & (severities["severity"] == 0)
    auroc = severities[row & (severities["part"] == "held_out")].set_index("rule")["auroc"]
    assert auroc["blur"] > 0.95
    assert auroc["laplacian"] < 0.1


REPAIRED = ROOT / "reports/ravir_repairs/tables"
PROVEN = {"repair": "applied", "update": "accepted", "group": "all", "part": "held_out"}


def change(folder: Path, **where: str) -> pd.Series:
    """The row of the table `gains` on average precision."""
    table = tables.read("gains", folder)
    for column, value in (PROVEN | {"score": "ap"} | where).items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


NOTHING = 0.0003  # of average precision: a tenth of what can be told


@pytest.mark.parametrize("group", ["all", "blur", "dark", "contrast", "uneven", "noise"])
def test_the_record_of_accepted_repairs_is_no_worse_than_raw(group: str) -> None:
    row = change(REPAIRED, group=group, score="both")
    assert row["eyes"] == 11
    assert row["change"] >= -NOTHING
    assert row["low"] >= -NOTHING


@pytest.mark.parametrize("score", ["ap", "sato"])
def test_accepted_repairs_gain_by_each_detector(score: str) -> None:
    assert change(REPAIRED, score=score)["low"] > 0


def test_no_one_setting_for_every_image_gains_more_than_repairs_by_fault() -> None:
    sweep = tables.read("sweep", REPAIRED.parent / "sweep")
    whole = sweep[(sweep["part"] == "held_out") & (sweep["fault"] == "all")]
    assert len(whole) >= 12
    own = change(REPAIRED, update="all", score="both")["change"]
    assert own > whole["ap_change"].max() - INDIFFERENT


@pytest.mark.parametrize("repair", ["applied", "published"])
def test_the_record_of_the_rule_without_masks_agrees_with_the_masks(repair: str) -> None:
    table = tables.read("agreement", REPAIRED)
    own = table[(table["repair"] == repair) & (table["part"] == "held_out")]
    assert own.loc[own["group"] == "all", "agrees"].item() >= 0.85


def test_the_published_repair_is_refused_wherever_it_harms() -> None:
    vessels = tables.read("vessels", REPAIRED)
    own = vessels[vessels["repair"] == "published"]
    harmed = own["ap_after"] < own["ap_before"] - INDIFFERENT
    assert harmed.sum() > 200
    assert own.loc[harmed, "accepted"].sum() == 0


def test_on_ravir_the_published_repair_harms_every_eye_and_is_refused() -> None:
    whole = {"repair": "published", "part": "all"}
    assert change(RECORD, **whole, update="all")["high"] < -0.05
    assert change(RECORD, **whole)["change"] == 0
    vessels = tables.read("vessels", RECORD)
    own = vessels[vessels["repair"] == "published"]
    assert len(own) == 23
    assert (own["ap_after"] < own["ap_before"]).all()
    assert own["accepted"].sum() == 0


def test_the_six_flagged_images_are_decided_upon() -> None:
    verdicts = tables.read("verdicts", RECORD)
    assert len(verdicts) == 6
    assert verdicts["expected_gain"].notna().all()


def test_the_list_proves_the_dataset_file_by_file(ravir: Path) -> None:
    checksums = archives.read_checksums(ROOT / "conf/checksums/ravir.sha256")
    assert len(checksums) == 65
    archives.prove(ravir, checksums)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, ravir: Path) -> Path:
    return clone(tmp_path_factory.mktemp("ravir") / "clearset", "ravir")


def test_ravir_gives_the_committed_bytes(project: Path) -> None:
    done = run(project, "dvc", "repro", *ENDS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert run(project, "git", "status", "--porcelain").stdout == ""
    again = run(project, "dvc", "repro", *ENDS)
    assert "Running stage" not in again.stdout


def test_a_loader_of_ravir_reads_the_released_dataset(project: Path, ravir: Path) -> None:
    assert run(project, "dvc", "repro", "release@ravir").returncode == 0
    released = project / "data/release/ravir"
    train, test = (released / "RAVIR Dataset" / split for split in ("train", "test"))
    images, masks = (sorted(train.glob(f"training_{kind}/*.png")) for kind in ("images", "masks"))
    alone = sorted(test.glob("*.png"))
    assert [path.name for path in images] == [path.name for path in masks]
    assert (len(images), len(alone)) == (23, 19)
    for path in (*images, *masks, *alone):
        with Image.open(path) as opened:
            assert (opened.size, opened.mode) == ((768, 768), "L")
            values = set(np.unique(np.asarray(opened)).tolist())
        assert path not in masks or values <= {0, 128, 255}
    changed = {
        path.relative_to(released).as_posix()
        for path in (*images, *masks, *alone)
        if path.read_bytes() != (ravir / path.relative_to(released)).read_bytes()
    }
    manifest = tables.read("manifest", released)
    assert changed == set(manifest.loc[manifest["decision"] == "repaired", "output"])


def test_another_clone_rebuilds_the_release_from_its_recipe_and_the_source_alone(
    project: Path, ravir: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "recipe"
    shutil.copytree(project / "data/recipe/ravir", recipe)
    assert {path.name for path in recipe.iterdir()} == places.OWN | {places.RELEASE}
    other = clone(tmp_path / "other", "ravir")
    nothing = {"CLEARSET_RAVIR": "", "CLEARSET_FASTDUP": str(tmp_path / "none")}
    command = ["clearset", "rebuild", str(recipe), str(ravir), "made"]
    done = run(other, *command, **nothing)
    assert "42 images (41 kept, 1 repaired); each of 73 files is what was released" in done.stdout
    released = project / "data/release/ravir"
    for path in filter(Path.is_file, released.rglob("*")):
        same = other / "made" / path.relative_to(released)
        assert checksums.sha256(same) == checksums.sha256(path), path
    assert "each of 73 files" in run(other, "clearset", "verify", "made").stdout


def test_no_picture_of_ravir_comes_to_the_remote_of_all(project: Path, tmp_path: Path) -> None:
    run(project, "dvc", "remote", "add", "--local", "public", str(tmp_path / "public"))
    done = run(project, "dvc", "push", "--remote", "public", "--with-deps", *ENDS)
    assert done.returncode == 0, done.stderr
    pushed = [path.read_bytes() for path in (tmp_path / "public").rglob("*") if path.is_file()]
    there = {hashlib.sha256(content).hexdigest() for content in pushed}
    assert checksums.sha256(project / "data/recipe/ravir/manifest.csv") in there
    assert checksums.sha256(project / "data/analyze/ravir/metrics.csv") in there
    assert not any(content.startswith(b"\x89PNG") for content in pushed)
    for stage in ("fetch", "enhance", "report", "release"):
        for picture in (project / f"data/{stage}/ravir").rglob("*.png"):
            assert checksums.sha256(picture) not in there


def test_without_fastdup_the_run_says_so_and_gives_the_same_bytes(
    project: Path, tmp_path: Path
) -> None:
    analyze = ["dvc", "repro", "--force", "--single-item", "--no-run-cache", "analyze@ravir"]
    assert run(project, "dvc", "repro", "analyze@ravir").returncode == 0
    folder = project / "data/analyze/ravir"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    done = run(project, *analyze, CLEARSET_FASTDUP=str(tmp_path / "none"))
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = [line for line in done.stdout.splitlines() if "fastdup is not installed" in line]
    assert "; going on with what fastdup 2.54 gave on these same images, recorded on" in line
    assert json.loads((folder / "engine.json").read_text())["record"]["equal"]
    if json.loads(before["engine.json"])["record"]["equal"]:  # else it differs in last digits
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_without_fastdup_other_images_stop_the_run_with_its_way_out(
    miniature: Path, tmp_path: Path
) -> None:
    project = tmp_path / "copy"
    shutil.copytree(miniature, project, symlinks=True)
    other = ["dvc", "exp", "run", "-S", "sample.analyze.engine=fastdup", "analyze@sample"]
    stopped = run(project, *other, CLEARSET_FASTDUP=str(tmp_path / "none"))
    assert stopped.returncode != 0
    printed = stopped.stdout + stopped.stderr
    assert "error: fastdup is not installed" in printed
    assert "is none of them. Way out:" in printed
    assert "analyze: {engine: native}" in printed
    assert "Traceback" not in printed


def test_native_goes_on_without_fastdup(project: Path, tmp_path: Path) -> None:
    run(project, "git", "checkout", "--quiet", ".")
    missing = {"CLEARSET_FASTDUP": str(tmp_path / "none")}
    done = run(project, "dvc", "exp", "run", "-S", "analyze=native", "filter@ravir", **missing)
    assert done.returncode == 0, done.stdout + done.stderr
    engine = json.loads((project / "data/analyze/ravir/engine.json").read_text())
    assert engine["name"] == "native"
    results = project / "data/filter/ravir"
    assert flagged(results, "blur") == flagged(RECORD, "blur")
    assert len(tables.read("decisions", results)) == 42


def test_a_copy_with_one_changed_file_is_refused_by_name(ravir: Path, tmp_path: Path) -> None:
    names = archives.read_checksums(ROOT / "conf/checksums/ravir.sha256")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(ravir / name)
    changed = tmp_path / next(iter(names))
    content = bytearray(changed.read_bytes())
    changed.unlink()
    content[-20] ^= 1
    changed.write_bytes(content)
    with pytest.raises(ClearsetError, match=r"1 with other bytes \(RAVIR Dataset/test/IR_Case_006"):
        archives.prove(tmp_path, names)
