"""Trials: the same faults planted into the same images, each level into its share of them."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clearset.config.schema import Analyze
from clearset.engines import analysis
from clearset.generate.retina.synthesis import eye
from clearset.images import codec
from clearset.measure.typical import SCALES, scaled, unscaled
from clearset.plant.faults import FAULTS
from clearset.plant.shapes import SHAPES, SUITE
from clearset.store import columns
from clearset.trials import drawn, plan, planted
from clearset.trials.plan import SHARES


def test_each_level_of_each_fault_is_planted_into_a_third_of_the_images() -> None:
    count = 6 * SHARES
    made = Counter((t.fault, t.step) for place in range(count) for t in plan.trials(place))
    expected = {
        (name, step)
        for name in (*SUITE, *SHAPES)
        for step in range(1, len(FAULTS[name].ladder) + 1)
    }
    assert set(made) == expected
    assert set(made.values()) == {count // SHARES}


def test_ladders_begin_milder_than_the_suite_and_grow() -> None:
    for name, fault in FAULTS.items():
        if fault.ladder:
            size = [abs(level - (1 if fault.unit == "factor" else 0)) for level in fault.ladder]
            assert size == sorted(size) or size == sorted(size, reverse=True), name
            mildest = fault.levels[0]
            assert name not in SUITE or fault.ladder[0] != mildest, name


def test_without_a_declared_range_only_what_hangs_on_none_is_planted() -> None:
    every, few = (
        {one.fault for place in range(SHARES) for one in plan.trials(place, assumed=assumed)}
        for assumed in (False, True)
    )
    light = {"uneven_light", "vignette", "shadow", "spot_light"}
    assert few == light | {"gaussian_blur", "low_contrast"}
    ranged = {"sensor_noise", "under_exposure", "over_exposure", "jpeg", "burnt_channel"}
    assert every - few == ranged


def test_a_sample_is_of_typical_images_and_hangs_on_no_order() -> None:
    rng = np.random.default_rng(0)
    ids = [f"i{number:02d}" for number in range(40)]
    images = pd.DataFrame({"image_id": ids, "error": "", "assumed": 0})
    metrics = pd.DataFrame({"image_id": ids, "noise_sigma": rng.lognormal(0.5, 0.2, 40)})
    metrics.loc[3, "noise_sigma"] = 90
    images.loc[5, "error"] = "broken"
    found = drawn.sample(images, metrics, 15, seed=0)
    assert len(found) == len(set(found)) == 15
    assert not {"i03", "i05"} & set(drawn.sample(images, metrics, 40, seed=0))
    mixed = images.sample(frac=1, random_state=1), metrics.sample(frac=1, random_state=2)
    assert drawn.sample(*mixed, 15, seed=0) == found
    assert drawn.sample(images, metrics, 15, seed=1) != found
    assert drawn.sample(images, metrics, 0, seed=0) == []
    assert drawn.sample(images[:8], metrics[:8], 15, seed=0) == []  # too few


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fourteen images of one kind, fetched."""
    place = tmp_path_factory.mktemp("fetched")
    (place / "images").mkdir()
    for number in range(14):
        image, _ = eye(np.random.default_rng(number), 192)
        pixels = np.rint(image * 255).astype(np.uint8)
        (place / "images" / f"eye_{number:02d}.png").write_bytes(codec.png_bytes(pixels))
    return place


def test_trials_are_measured_as_files_are_and_twice_the_same(folder: Path) -> None:
    table = pd.DataFrame(
        [intake_row(folder, file) for file in sorted((folder / "images").iterdir())]
    )
    settings = Analyze(trials=13)
    measured = analysis.analyze(table, folder / "images", settings)
    args = table, measured.analysis.metrics, measured.descriptors, folder, settings
    first, second = planted.tried(*args), planted.tried(*args)
    assert first.trials.equals(second.trials)
    assert first.kin.equals(second.kin)
    assert first.trials["image_id"].nunique() == 13
    noise = first.trials[first.trials["fault"] == "sensor_noise"].groupby("step")["noise_sigma"]
    assert noise.median().is_monotonic_increasing
    own = measured.analysis.metrics.set_index("image_id")["noise_sigma"]
    assert noise.median().iloc[-1] > 2 * own.median()
    copies = first.kin[first.kin["kind"] == "planted"]
    assert (copies["image_id"] == copies["other_id"]).all()
    assert copies["value"].min() > 0.5
    none = planted.tried(*args[:-1], Analyze(trials=0))
    assert none.trials.empty
    assert list(none.trials.columns) == list(columns.empty("trials").columns)


def intake_row(folder: Path, file: Path) -> dict[str, object]:
    """Return a row of the table `images`, as the stage fetch writes it."""
    facts = columns.empty("images").reindex([0]).iloc[0].to_dict()
    texts = {name: "" for name, value in facts.items()}
    numbers = {"broken": 0, "assumed": 0, "low": 0.0, "high": 255.0, "colours": 0, "bytes": 1}
    own = {"image_id": file.stem, "split": "all", "path": file.name, "error": "", "nodata": np.nan}
    return texts | numbers | own


def test_scales_are_left_as_they_were_entered() -> None:
    for name in SCALES:
        column = pd.Series([-60.0, -5.0, -1.5] if name == "sharpness" else [0.02, 0.5, 3.0])
        steps = scaled(name, column)
        assert steps.is_monotonic_increasing
        assert [unscaled(name, value) for value in steps] == pytest.approx(column.tolist())


def test_an_image_more_or_less_changes_hardly_who_is_drawn() -> None:
    rng = np.random.default_rng(1)
    ids = [f"i{number:03d}" for number in range(300)]
    images = pd.DataFrame({"image_id": ids, "error": "", "assumed": 0})
    metrics = pd.DataFrame({"image_id": ids, "noise_sigma": rng.lognormal(0.5, 0.1, 300)})
    before = drawn.sample(images, metrics, 12, seed=0)
    changes = []
    for number in range(0, 300, 7):
        fewer = drawn.sample(images.drop(index=number), metrics.drop(index=number), 12, seed=0)
        changes.append(sum(one != other for one, other in zip(before, fewer, strict=True)))
    assert np.mean(changes) < 0.5
    assert max(changes) <= 4
