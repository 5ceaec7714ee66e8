"""Training as evidence: arms, views, summaries, and the stages train and judge on tiny eyes."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import judge
import train
from clearset.config import params
from clearset.config.schema_train import Classifier, Model, Train, Unet
from clearset.generate.retina.synthesis import Made
from clearset.images import codec
from clearset.store import columns, layout, tables
from clearset.store.errors import ClearsetError
from clearset.store.stages import Lessons
from clearset.train import page, plots, summary, training
from clearset.train.segmentation import Example
from conftest import write_image
from test_segmentation import CLASSES, lines

SHARP = [{"method": "unsharp_mask", "radius": 1.0, "amount": 2.0}]
TINY = Train(
    models=[Model.classifier],
    folds=2,
    repeats=1,
    repairs={"sharp": SHARP},
    repairs_of_faults={"gaussian_blur": SHARP, "under_exposure": []},
    classifier=Classifier(trained_on=["raw", "sharp"], pixels=100, trees=3, rate=0.3, stride=4),
    unet=Unet(width=4, steps=2, crop=64, batch=1, rate=0.01),
)


def example(number: int, fold: int) -> Example:
    image, labels = lines(64, number)
    return Example(f"eye{number}", f"eye{number}", fold, image, labels)


def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)


def test_every_arm_is_trained_in_every_fold_from_every_seed() -> None:
    settings = replace(TINY, models=[Model.classifier, Model.unet], folds=3, repeats=2)
    jobs = training.fits(settings)
    assert len(jobs) == len(set(jobs)) == (2 + 1) * 2 * 3 * 2
    assert jobs[0].model is Model.unet  # the longest first


def test_views_are_the_image_its_repairs_and_its_faults_before_and_after_theirs() -> None:
    views = {(v.fault, v.repair): v.image for v in training.views(example(0, 0), TINY)}
    assert list(views) == [
        ("none", "raw"),
        ("none", "sharp"),
        ("gaussian_blur", "raw"),
        ("gaussian_blur", "own"),
        ("under_exposure", "raw"),
    ]
    assert views["gaussian_blur", "raw"].std() < views["gaussian_blur", "own"].std()
    for key, image in views.items():
        if key != ("none", "raw"):
            assert np.allclose(image * 255, np.rint(image * 255), atol=1e-3)
    again = {(v.fault, v.repair): v.image for v in training.views(example(0, 0), TINY)}
    assert all(np.array_equal(views[key], again[key]) for key in views)


def test_no_model_learns_from_or_is_tested_on_the_wrong_fold() -> None:
    examples = [example(number, number % 2) for number in range(4)]
    job = training.Fit(Model.classifier, "raw", False, 0, 0)
    model = training.fit(job, examples, TINY, 3)
    alone = training.fit(job, [one for one in examples if one.fold == 1], TINY, 3)
    rows = training.tested(examples[0], [(job, model)], TINY, list(CLASSES))
    assert rows == training.tested(examples[0], [(job, alone)], TINY, list(CLASSES))
    assert len(rows) == 5 * 3
    assert training.tested(examples[1], [(job, model)], TINY, list(CLASSES)) == []


def test_a_mask_of_another_size_is_an_error_by_name() -> None:
    wrong = replace(example(3, 0), labels=np.zeros((4, 4), np.uint8))
    with pytest.raises(ClearsetError, match="masks of another size than their image: eye3"):
        training.shapes([example(0, 0), wrong], [])


def test_an_image_too_small_for_the_unet_is_an_error_by_name() -> None:
    image, labels = lines(63, 0)
    small = Example("eye4", "eye4", 0, image, labels)
    training.shapes([small], [Model.classifier])
    with pytest.raises(ClearsetError, match=r"below 64 px a side, .*: eye4. Set train.models"):
        training.shapes([example(0, 0), small], [Model.unet])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"repairs_of_faults": {"fog": []}}, r"unknown faults \['fog'\]. Known: gaussian_blur"),
        (
            {"repairs": {"sharp": [{"method": "sharpen"}]}},
            r"train.repairs.sharp: unknown method 'sharpen'. Known: ",
        ),
        (
            {"repairs_of_faults": {"jpeg": [{"method": "gamma", "gamma": 0.0}]}},
            r"train.repairs_of_faults.jpeg: gamma: 0.0 must be above 0",
        ),
    ],
)
def test_what_can_not_be_done_is_refused_before_any_work(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClearsetError, match=message):
        training.check(replace(TINY, **change), CLASSES)


def test_without_classes_there_is_nothing_to_learn() -> None:
    with pytest.raises(ClearsetError, match="train needs classes"):
        training.check(TINY, {})


def test_without_torch_the_unet_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    without_torch(monkeypatch)
    training.check(TINY, CLASSES)
    with pytest.raises(ClearsetError, match=r"`make train` installs it.*train.models=\[classifier"):
        training.check(replace(TINY, models=[Model.unet]), CLASSES)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"folds": 1}, "train.folds is 1: at least 2"),
        ({"repeats": 0}, "train.repeats is 0: at least 1"),
        ({"severity": 6}, "train.severity is 6: from 1 to 5"),
        ({"models": []}, "train.models is empty"),
        ({"models": ["forest"]}, "forest"),
        ({"repairs": {"own": []}}, "'own' has a meaning of its own"),
        ({"unet": {"trained_on": ["raw", "mild"]}}, r"unknown repairs \['mild'\]. Known: raw"),
        ({"classifier": {"trained_on": []}}, "classifier.trained_on needs 'raw'"),
        ({"unet": {"width": 0}}, "train.unet.width is 0: at least 1"),
        ({"unet": {"steps": 0}}, "train.unet.steps is 0: at least 1"),
        ({"classifier": {"rate": 0}}, "train.classifier.rate is 0.0: above 0"),
        ({"augment": {"contrast": 0}}, "train.augment.contrast is 0.0: above 0"),
        ({"augment": {"gamma": 0.5}}, "train.augment.gamma is 0.5: at least 1"),
        ({"augment": {"blur": -1}}, "train.augment.blur is -1.0: at least 0"),
        ({"step": 3}, "step"),
    ],
)
def test_impossible_params_are_refused_by_name(settings: dict[str, Any], message: str) -> None:
    section = {"filter": {"dark": {"metric": "mean", "min": 1}}, "train": settings}
    with pytest.raises(ClearsetError, match=message):
        params.check("mine", section, "params.yaml")


def constructed(repeats: int = 2) -> pd.DataFrame:
    """Eight eyes; repair takes 0.1 from vein Dice, 0.2 on a blurred image gives, seeds 0.02."""
    rows = []
    for eye in range(8):
        for repeat in range(repeats):
            for fault, repair, change in (
                ("none", "raw", 0.0),
                ("none", "sharp", -0.1 - 0.01 * (eye % 2)),
                ("gaussian_blur", "raw", -0.3),
                ("gaussian_blur", "own", -0.1),
            ):
                for augment in (0, 1):
                    for name, level in (("artery", 0.5), ("vein", 0.6), ("vessel", 0.7)):
                        dice = level + 0.02 * repeat + 0.01 * eye + 0.05 * augment
                        dice += change * (name == "vein")
                        rows.append((augment, fault, repair, repeat, f"e{eye}", name, dice))
    columns = ["augment", "fault", "repair", "repeat", "eye", "class", "dice"]
    table = pd.DataFrame(rows, columns=columns)
    fixed = {"model": "classifier", "trained_on": "raw", "fold": 0}
    return table.assign(**fixed, image_id=table["eye"], jaccard=table["dice"] / (2 - table["dice"]))


def asked(table: pd.DataFrame, **values: object) -> pd.Series:
    rows = table[np.logical_and.reduce([table[k.rstrip("_")] == v for k, v in values.items()])]
    assert len(rows) == 1
    return rows.iloc[0]


def test_changes_are_paired_by_eye_and_their_intervals_hold_them() -> None:
    changes = summary.changes(constructed(), resamples=500, seed=0)
    vein = {"class_": "vein", "fault": "none", "repair": "sharp"}
    row = asked(changes, question="pairing", augment=0, **vein)
    assert row["change"] == pytest.approx(-0.105)
    assert row["eyes"] == 8
    assert -0.11 <= row["low"] < row["change"] < row["high"] <= -0.1
    each = np.tile([-0.1, -0.11], 4)
    assert row["error"] == pytest.approx(each.std(ddof=1) / np.sqrt(8))
    assert row["detectable"] == pytest.approx(2.8 * row["error"])
    assert row["seed_sd"] == pytest.approx(0, abs=1e-12)  # the seed moves both sides alike
    mean = asked(changes, question="pairing", augment=0, **(vein | {"class_": "mean"}))
    assert mean["change"] == pytest.approx(-0.0525)


def test_each_question_holds_the_right_cases_against_each_other() -> None:
    changes = summary.changes(constructed(), resamples=100, seed=0)
    vein = {"class_": "vein", "fault": "gaussian_blur"}
    repair = asked(changes, question="repair", augment=0, repair="own", **vein)
    augmentation = asked(changes, question="augmentation", augment=1, repair="raw", **vein)
    beyond = asked(changes, question="beyond_augmentation", repair="own", **vein)
    assert repair["change"] == pytest.approx(0.2)
    assert augmentation["change"] == pytest.approx(0.05)
    assert beyond["change"] == pytest.approx(repair["change"] - augmentation["change"])
    assert set(changes["question"]) == set(summary.QUESTIONS)
    assert set(changes.loc[changes["question"] == "pairing", "fault"]) == {"none"}


def test_means_are_over_eyes_and_the_seed_s_part_is_told() -> None:
    means = summary.means(constructed(), resamples=500, seed=0)
    row = asked(means, class_="artery", augment=0, fault="none", repair="raw")
    assert row["dice"] == pytest.approx(0.5 + 0.01 + 0.035)
    assert row["seed_sd"] == pytest.approx(0.02 / np.sqrt(2))
    assert row["low"] < row["dice"] < row["high"]
    once = summary.means(constructed(repeats=1), resamples=100, seed=0)
    assert once["seed_sd"].isna().all()


def test_two_images_of_an_eye_are_one_value() -> None:
    table = constructed()
    twice = pd.concat([table, table.assign(image_id="again_" + table["image_id"])])
    for function in (summary.means, summary.changes):
        first, second = (function(one, resamples=100, seed=0) for one in (table, twice))
        pd.testing.assert_frame_equal(first, second)


def test_what_is_told_from_nothing_is_counted() -> None:
    assert summary.counted(pd.DataFrame({"told": [1, -1, 0, 0]})) == (
        "1 above 0, 1 below, 2 not told from 0"
    )


@pytest.mark.parametrize(("jitter", "told"), [(0.0, 1), (0.2, 0)])
def test_what_a_seed_does_as_well_is_not_told_from_nothing(jitter: float, told: int) -> None:
    """Augmentation gives 0.05 to every eye alike: sure, unless its seeds differ as much."""
    table = constructed()
    augmented = (table["augment"] == 1) & (table["class"] == "artery")
    table.loc[augmented, "dice"] += jitter * (table["repeat"] - 0.5)
    changes = summary.changes(table, resamples=100, seed=0)
    row = asked(changes, question="augmentation", class_="artery", fault="none")
    assert row["change"] == pytest.approx(0.05)
    assert row["low"] > 0
    assert row["told"] == told
    assert row["detectable"] == pytest.approx(2.8 * jitter / 2)


def test_the_figure_has_a_panel_for_each_class_and_question() -> None:
    changes = summary.changes(constructed(), resamples=100, seed=0)
    figure = plots.changes_figure(changes)
    titles = [axes.get_title() for axes in figure.axes]
    assert [title.split(":")[0] for title in titles] == [
        "Against raw images throughout",
        "Against raw images throughout",
        "Faulted images",
        "Faulted images",
    ]
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert "classifier: raw, augmented, given sharp" in names


@pytest.mark.parametrize("repeats", [1, 2])
def test_the_page_names_what_was_tried_and_holds_no_nan(repeats: int) -> None:
    scores = constructed(repeats)
    lessons = Lessons(
        training_means=summary.means(scores, resamples=100, seed=0),
        training_changes=summary.changes(scores, resamples=100, seed=0),
        training_ceiling=columns.empty("training_ceiling"),
    )
    text = page.report("mine", TINY, lessons)
    assert "trained on 8 eyes in 2 folds" in text
    assert "gaussian\\_blur: unsharp_mask(radius=1, amount=2)" in text
    assert "No image was annotated twice" in text
    assert "nan" not in text
    assert "| classifier | vein |" not in text  # the page shows vessel and mean; the CSV has all


@pytest.fixture
def fetched(in_folder: Path, eyes: list[Made]) -> Iterator[Path]:
    """The generated eyes as the stage fetch leaves them, and params for tiny trainings."""
    rows = []
    for made in eyes:
        if made.mask is None:
            continue
        path = f"{made.split}/{made.name}.png"
        home = layout.stage_folder("fetch", "tiny")
        write_image(home / "images" / path, made.pixels)
        write_image(home / "masks" / path, made.mask)
        row: dict[str, Any] = dict.fromkeys(columns.TABLES["images"].columns, "")
        row |= {"colours": 0, "assumed": 0, "broken": 0}
        row |= {"image_id": path[:-4], "split": made.split, "path": path, "mask": path}
        row |= {"low": 0, "high": 255, "nodata": np.nan, "bytes": 1}
        rows.append(row | codec.describe(made.pixels))
    tables.write("images", pd.DataFrame(rows), home)
    yield in_folder


@pytest.fixture(autouse=True)
def in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARSET_WORKERS", "1")  # starting more would cost more than it saves


def configured(folder: Path, **train: Any) -> None:
    """Write params for trainings that take no time."""
    settings = {
        "folds": 2,
        "repeats": 1,
        "repairs": {"sharp": SHARP},
        "repairs_of_faults": {"gaussian_blur": SHARP},
        "classifier": {"trained_on": ["raw", "sharp"], "pixels": 50, "trees": 2, "stride": 8},
        "unet": {"width": 4, "steps": 2, "crop": 64, "batch": 1},
    }
    section = {"filter": {"dark": {"metric": "mean", "min": 1}}, "classes": CLASSES}
    section |= {"compare": {"resamples": 100}, "train": settings | train}
    (folder / "params.yaml").write_text(yaml.safe_dump({"tiny": section}))


def test_the_stages_end_to_end(fetched: Path) -> None:
    pytest.importorskip("torch", reason="torch is an extra: make train installs it")
    configured(fetched)
    written = []
    for _ in range(2):
        assert "unet: 4 trainings" in train.main("tiny")
        files = sorted(path for path in (fetched / "data/train").rglob("*.csv"))
        written.append({path: path.read_bytes() for path in files})
    assert written[0] == written[1]
    assert "repair: " in judge.main("tiny")
    scores = tables.read("training_scores", fetched / "data/train/tiny")
    assert scores.groupby(["model", "trained_on", "augment"]).ngroups == 4 + 2
    assert scores.groupby("image_id")["fold"].nunique().max() == 1
    assert scores["image_id"].nunique() == 5  # of six, two have the same pixels
    assert not tables.read("training_ceiling", fetched / "data/train/tiny").empty
    reports = fetched / "reports/tiny/training"
    assert {p.name for p in reports.rglob("*") if p.is_file()} == {
        "report.md",
        "changes.png",
        "training_ceiling.csv",
        "training_means.csv",
        "training_changes.csv",
    }


def test_the_classifier_alone_needs_no_torch(
    fetched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_torch(monkeypatch)
    configured(fetched, models=["classifier"])
    assert "classifier: 8 trainings" in train.main("tiny")
    configured(fetched)
    with pytest.raises(ClearsetError, match="needs torch, an extra"):
        train.main("tiny")


def test_a_dataset_without_the_section_trains_nothing(in_folder: Path) -> None:
    section = {"filter": {"dark": {"metric": "mean", "min": 1}}}
    (in_folder / "params.yaml").write_text(yaml.safe_dump({"tiny": section}))
    for stage in (train, judge):
        assert "tiny has no section `train`" in stage.main("tiny")
