"""The stages under real dvc, in clones of the working tree: what a user does, end to end."""

import json
import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
import yaml

from clearset.generate.retina.synthesis import sample
from clearset.images import codec
from clearset.store import tables
from conftest import ENDS, of_the_source, run, write_image

SHOW = ["dvc", "exp", "show", "--json"]
QUICK = ["-S", "accept@sample=none"]  # half of what compare takes
FEW = ["flagged", "dropped", "repaired", "accepted", "flags_after", "f1", "ap_change", "released"]
AFTER_A_BOUND = ("filter", "enhance", "compare", "release")
AND_REPORT = ("filter", "enhance", "compare", "report", "release")


def ran(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Which stages a dvc command ran."""
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    return [line.split("'")[1] for line in lines if line.startswith("Running stage")]


def status(folder: Path) -> str:
    return run(folder, "git", "status", "--porcelain").stdout


def test_another_folder_and_other_code_give_the_committed_bytes(reproduced: Path) -> None:
    assert status(reproduced) == ""


def test_a_second_run_does_nothing(reproduced: Path) -> None:
    assert ran(run(reproduced, "dvc", "repro", *ENDS)) == []


def test_every_image_has_one_fate_and_only_flagged_ones_change(reproduced: Path) -> None:
    fetched, cleaned = (reproduced / "data" / stage / "sample" for stage in ("fetch", "enhance"))
    before = tables.read("images", fetched).set_index("image_id")
    after = tables.read("images", cleaned).set_index("image_id")
    decisions = tables.read("decisions", reproduced / "data/filter/sample").set_index("image_id")
    repaired = set(tables.read("repairs", cleaned)["image_id"])
    assert list(decisions.index) == list(before.index)
    assert repaired == set(decisions.index[decisions["decision"] == "enhance"]) != set()
    assert set(after.index) == set(decisions.index[decisions["decision"] != "drop"])
    for image_id, path in after["path"].items():
        one, other = (root / "images" / path for root in (fetched, cleaned))
        assert (one.read_bytes() != other.read_bytes()) == (image_id in repaired)
        assert codec.decode(one).shape == codec.decode(other).shape
    shape = ["width", "height", "channels", "bit_depth", "path", "mask"]
    pd.testing.assert_frame_equal(before.loc[after.index, shape], after[shape])


def test_the_released_dataset_is_the_source_cleaned(reproduced: Path) -> None:
    folder = reproduced / "data/release/sample"
    manifest = tables.read("manifest", folder)
    fetched = tables.read("images", reproduced / "data/fetch/sample")
    assert manifest["image_id"].tolist() == fetched["image_id"].tolist()
    files = (path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    there = of_the_source(files)
    assert there == {*manifest["output"], *manifest["mask"]} - {""}
    assert {place.split("/")[1] for place in there} == {"images", "masks"}
    counts = json.loads((reproduced / "reports/sample/release.json").read_text())
    assert counts == {"sample.released": int((manifest["decision"] != "dropped").sum())}


def test_a_review_runs_the_release_alone_and_is_obeyed(clean: Path) -> None:
    manifest = tables.read("manifest", clean / "data/release/sample").set_index("image_id")
    image_id = manifest.index[manifest["decision"] == "kept"][0]
    review = clean / "conf/review/sample.csv"
    review.write_text(f'image_id,decision,note\n{image_id},drop,"=1+1, seen"\n')
    done = run(clean, "dvc", "repro", "release@sample")
    assert set(ran(done)) <= {"config", "release@sample"}
    row = tables.read("manifest", clean / "data/release/sample").set_index("image_id").loc[image_id]
    assert (row["decision"], row["reason"]) == ("dropped", "review file: =1+1, seen")
    review.write_text("image_id,decision,note\nnobody,drop,\n")
    refused = run(clean, "dvc", "repro", "release@sample")
    assert "conf/review/sample.csv, line 2: no image is called 'nobody'" in refused.stderr
    assert "Traceback" not in refused.stderr
    review.unlink()


def test_an_experiment_runs_only_what_a_bound_changes(clean: Path) -> None:
    override = "sample.filter.blur.min=-3"
    done = run(clean, "dvc", "exp", "run", "-n", "sharp", "-S", override, *QUICK, "release@sample")
    assert ran(done) == [f"{stage}@sample" for stage in AFTER_A_BOUND]
    rules = tables.read("rules", clean / "reports/sample").set_index("rule")
    assert rules.loc["blur", "min"] == -3
    assert rules.loc["blur", "flagged"] > 5
    shown = run(clean, *SHOW, "--no-pager")
    data = json.loads(shown.stdout)[0]["data"]
    assert data["params"]["params.yaml"]["data"]["sample"]["filter"]["blur"]["min"] == -3
    metrics = {k: v for file in data["metrics"].values() for k, v in file["data"].items()}
    assert metrics["sample.flagged"] > 9
    own = {name for name in metrics if name.startswith("sample.")}
    assert own == {f"sample.{name}" for name in FEW}
    scores = tables.read("detection", clean / "reports/sample/tables")
    blur = scores[(scores["rule"] == "blur") & (scores["part"] == "all")]
    assert blur["recall"].tolist() == [1]


def test_the_plots_page_needs_no_internet_and_shows_every_bound(reproduced: Path) -> None:
    done = run(reproduced, "dvc", "plots", "diff", "HEAD", "--targets", "reports/sample/bounds.csv")
    assert done.returncode == 0, done.stderr
    page = (reproduced / "dvc_plots/index.html").read_text()
    shutil.rmtree(reproduced / "dvc_plots")
    assert not re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=.?https?:", page)
    assert "vegaEmbed" in page
    table = tables.read("bounds", reproduced / "reports/sample")
    assert set(table.loc[table["present"] == 1, "rule"]) == set(table["rule"])
    for rule in set(table["rule"]):
        assert f'"rule": "{rule}"' in page


def test_other_options_of_an_enhancer_rerun_only_what_follows_it(clean: Path) -> None:
    steps = "[{rule: all, method: unsharp_mask, radius: 1.0, amount: 15.0}]"
    strong = ["dvc", "exp", "run", "-n", "strong", "-S", f"sample.enhance={steps}"]
    done = run(clean, *strong, *QUICK, "compare@sample")
    assert ran(done) == ["enhance@sample", "compare@sample"]
    gains = tables.read("gains", clean / "reports/sample/tables")
    row = gains[(gains["score"] == "ap") & (gains["update"] == "all") & (gains["group"] == "all")]
    assert row["repair"].tolist() == ["applied"] * len(row)
    assert (row["change"] < -0.02).all()  # drowned in noise
    repairs = tables.read("repairs", clean / "data/enhance/sample")
    images = tables.read("images", clean / "data/fetch/sample")
    assert len(repairs) == (images["error"] == "").sum()


def test_an_edit_of_conf_reaches_repro(clean: Path) -> None:
    file = clean / "conf/dataset/sample.yaml"
    file.write_text(file.read_text().replace("dark: {action", "dark: {min: 5, action"))
    done = run(clean, "dvc", "repro", "filter@sample")
    assert ran(done) == ["config", "filter@sample"]
    params = yaml.safe_load((clean / "params.yaml").read_text())
    assert params["sample"]["filter"]["dark"]["min"] == 5
    rules = tables.read("rules", clean / "reports/sample").set_index("rule")
    assert rules.loc["dark", "flagged"] == 0


def changed_stages(folder: Path) -> set[str]:
    """The stages that DVC would run again, by what they declare."""
    data = json.loads(run(folder, "dvc", "status", "--json", "--with-deps", *ENDS).stdout)
    return {name.removesuffix("@sample") for name in data}


AFTER_FETCH = {"analyze", "filter", "enhance", "compare", "report", "release"}
FELT = {  # an edit of a room's module, and the stages that walk through the room
    "share/cards.py": {"report", "release"},
    "stages/enhance.py": {"enhance"},
    "measure/metrics.py": {"config"} | AFTER_FETCH,
    "truth/evaluation.py": {"filter", "compare", "report"},
    "plant/faults.py": {"fetch", "analyze", "filter", "compare", "report"},
    "report/plots.py": {"report"},
}


def test_an_edit_of_code_is_felt_by_the_stages_that_walk_through_its_room(clean: Path) -> None:
    for module, stages in FELT.items():
        file = clean / "src/clearset" / module
        text = file.read_text()
        file.write_text(f"{text}\n# an edit\n")
        assert changed_stages(clean) == stages, module
        if stages != {"report"}:
            file.write_text(text)
    assert ran(run(clean, "dvc", "repro", *ENDS)) == ["report@sample"]


def test_a_new_module_in_a_room_is_known_to_the_pipeline(clean: Path) -> None:
    (clean / "src/clearset/repair/sharper.py").write_text('"""A new one."""\n\nAMOUNT = 2\n')
    steps = clean / "src/clearset/repair/steps.py"
    steps.write_text(steps.read_text() + "\n\nfrom clearset.repair.sharper import AMOUNT\n")
    assert {"enhance", "compare", "release"} <= changed_stages(clean)
    (clean / "src/clearset/repair/sharper.py").unlink()


def test_the_queue_runs_its_own_code_with_its_own_value(clean: Path) -> None:
    stage = clean / "src/clearset/stages/filter.py"
    changed = stage.read_text().replace('f"filter: {counts', 'f"filter as queued: {counts')
    stage.write_text(changed)
    queued = ["dvc", "exp", "run", "--queue", "-n", "later", "-S", "sample.filter.blur.min=-40"]
    assert run(clean, *queued, *QUICK, "filter@sample").returncode == 0
    run(clean, "git", "checkout", "--quiet", ".")
    done = run(clean, "dvc", "exp", "run", "--run-all")
    assert "filter as queued:" in done.stdout + done.stderr
    shown = json.loads(run(clean, *SHOW).stdout)[1]["experiments"] or []
    later = next(e["revs"][0] for e in shown if e["name"] == "later")
    blur = later["data"]["params"]["params.yaml"]["data"]["sample"]["filter"]["blur"]
    assert blur["min"] == -40


def test_params_that_are_not_of_conf_are_remarked(clean: Path) -> None:
    assert run(clean, "python", "src/config.py", "--check").stdout == ""
    params = clean / "params.yaml"
    params.write_text(params.read_text().replace("min: -7.7", "min: -7"))
    assert (
        "is not what conf/ composes to" in run(clean, "python", "src/config.py", "--check").stdout
    )


def test_a_wrong_override_is_refused_by_name(clean: Path) -> None:
    override = "sample.filter.dark.metric=darkness"
    done = run(clean, "dvc", "exp", "run", "-S", override, "release@sample")
    assert done.returncode != 0
    assert "filter.dark: unknown metric 'darkness'" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (clean / "data/enhance/.sample.incomplete").exists()


@pytest.mark.parametrize(
    ("stage", "override", "message"),
    [
        ("filter", "sample.filter.blur.metric=blurriness", "unknown metric 'blurriness'. Known: "),
        ("filter", "sample.filter.blur.finds=blurr", "which is no kind of fault. Known: "),
        ("fetch", "sample.fetch.plant.faults=[fog]", "unknown faults ['fog']. Known: gaussian_bl"),
        ("fetch", "sample.fetch.plant.per_eye=9", "plant.per_eye is 9: at most 5"),
        ("config", "sample.filter.blur.mx=3", "mx"),
        ("config", "sample.filter.blur.min=much", "much"),
        ("config", "sample.analyze.outlier_share=1.5", "outlier_share is 1.5"),
    ],
)
def test_what_a_stage_can_not_do_with_its_params_it_names(
    clean: Path, stage: str, override: str, message: str
) -> None:
    key, _, value = override.rpartition("=")
    *outer, last = key.split(".")
    params = yaml.safe_load((clean / "params.yaml").read_text())
    section = params
    for name in outer:
        section = section[name]
    section[last] = yaml.safe_load(value)
    (clean / "params.yaml").write_text(yaml.safe_dump(params))
    done = run(clean, "python", f"src/{stage}.py", "sample", DVC_EXP_NAME="as in an experiment")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def mixed_folder(folder: Path) -> Path:
    """JPEG, PNG and TIFF, grey and colour, 8 and 16 bits; two broken files, one that is none."""
    for number in range(8):
        made = sample(number, count=8, size=96, seed=5)
        pixels = made.pixels
        if number < 3:
            write_image(folder / f"train/images/eye{number}.png", pixels)
            write_image(folder / f"train/masks/eye{number}_mask.png", np.asarray(made.mask))
        elif number < 5:
            write_image(folder / f"test/{number}, =cmd|'x'.jpg", np.dstack([pixels] * 3))
        else:
            tifffile.imwrite(folder / f"test/{number}.tif", pixels.astype(np.uint16) * 200)
    whole = (folder / "test/3, =cmd|'x'.jpg").read_bytes()
    (folder / "test/cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "test/empty.png").write_bytes(b"")
    (folder / "readme.txt").write_text("not an image")
    return folder


def intruded(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command while others would change the params that it runs under: each is told no."""
    with ThreadPoolExecutor() as threads:
        first = threads.submit(run, folder, *command)
        for bound in range(1, 4):
            time.sleep(1)
            other = run(
                folder, "clearset", "folder", "mine", "--set", f"mine.filter.dark.min={bound}"
            )
            assert not first.done()
            assert other.returncode == 1
            assert "busy: clearset folder mine can not begin" in other.stderr
        return first.result()


def test_a_folder_of_ones_own_runs_without_touching_a_tracked_file(
    clean: Path, tmp_path: Path
) -> None:
    source = mixed_folder(tmp_path / "my images")
    command = ["clearset", "folder", str(source), "mine"]
    first = run(clean, *command, "--set", "mine.analyze.trials=0")
    assert len(ran(first)) == 7
    assert "test/cut.jpg (broken" in first.stdout
    assert "test/empty.png (the file is empty" in first.stdout
    table = tables.read("images", clean / "data/fetch/mine")
    assert len(table) == 10
    assert sorted(table.loc[table["error"] != "", "image_id"]) == ["test/cut", "test/empty"]
    assert len(tables.read("metrics", clean / "data/analyze/mine")) == 8
    assert (clean / "reports/mine/report.md").exists()
    released = clean / "data/release/mine"
    assert "cleaned dataset, laid out as SOURCE is, in data/release/mine" in first.stdout
    for place in ("train/images/eye0.png", "train/masks/eye0_mask.png", "test/3, =cmd|'x'.jpg"):
        assert (released / place).read_bytes() == (source / place).read_bytes()
    assert not (released / "test/cut.jpg").exists()
    assert {line[:2] for line in status(clean).splitlines()} == {"??"}
    again = intruded(clean, *command, "--set", "mine.filter.dark.min=100")
    assert set(ran(again)) == {f"folders/mine/dvc.yaml:{stage}@mine" for stage in AND_REPORT}
    refused = run(clean, *command, "--set", "mine.filter.dark.metric=darkness")
    assert "unknown metric 'darkness'" in refused.stdout + refused.stderr
    assert ran(run(clean, *command)) == []  # again does nothing: a refused bound is not kept
    other = run(clean, "clearset", "folder", str(source.parent), "mine")
    assert f"'mine' stands for {source}" in other.stderr
    moved = source.rename(tmp_path / "elsewhere")
    (moved / "test/empty.png").unlink()
    (moved / "test/gone.png").symlink_to("nowhere.png")  # DVC itself would stop at it
    renewed = run(clean, "clearset", "folder", "--source", str(moved), "mine")
    assert "folders/mine/dvc.yaml:fetch@mine" in ran(renewed)
    assert "min: 100" in (clean / "folders/mine/params.yaml").read_text()  # its bounds are kept
    assert len(tables.read("images", clean / "data/fetch/mine")) == 9
    assert "to nowhere" in (clean / "data/fetch/mine/files.csv").read_text()
    assert ran(run(clean, "clearset", "folder", "mine")) == []  # a known name needs no source
    for place in ("folders", "reports/mine"):
        shutil.rmtree(clean / place)


def test_a_plan_is_printed_of_a_folder_an_archive_or_a_file_and_nothing_runs(
    clean: Path, tmp_path: Path
) -> None:
    source = mixed_folder(tmp_path / "my images")
    archive = shutil.make_archive(str(tmp_path / "all"), "gztar", source)
    for place in (str(source), archive):
        shown = run(clean, "clearset", "folder", "--plan", place)
        assert shown.returncode == 0, shown.stderr
        lines = [" ".join(line.split()) for line in shown.stdout.splitlines()]
        assert "train/images image train 3" in lines
        assert 'train/masks annotation "masks", measured train 3' in lines
        assert "test image test 7" in lines
    single = run(clean, "clearset", "folder", "--plan", str(source / "train/images/eye0.png"))
    assert ". image all 1" in " ".join(single.stdout.split())
    set_by = ["--set", "mine.fetch.layout.companions=['**/masks/*']"]
    other = run(clean, "clearset", "folder", "--plan", str(source), "mine", *set_by)
    assert "train/masks of the whole set, carried along 3" in " ".join(other.stdout.split())
    assert status(clean) == ""
    assert not (clean / "folders").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/nowhere/at/all", "mine"], "SOURCE is '/nowhere/at/all': no such folder or archive"),
        ([".", "../mine"], "letters, digits, - and _ only"),
        ([".", "sample"], "'sample' is a dataset of the project"),
        ([".", ""], "SOURCE or NAME is missing: clearset folder SOURCE NAME"),
        (["conf", "mine"], "no image in"),
        (["conf", "mine", "--set", "yours.filter.blur.min=3"], "'yours' does not begin with mine"),
    ],
)
def test_a_folder_that_can_not_run_says_why(
    clean: Path, arguments: list[str], message: str
) -> None:
    done = run(clean, "clearset", "folder", *arguments)
    assert done.returncode == 1
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    shutil.rmtree(clean / "folders", ignore_errors=True)
