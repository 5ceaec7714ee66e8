"""Two engines, one set of tables; and every way in which fastdup fails, explained."""

import datetime
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import recordings
from clearset.config.schema import Analyze, Engine
from clearset.engines import again, analysis, fastdup
from clearset.engines.analysis import Measurement
from clearset.images import codec, levels
from clearset.measure.metrics import METRICS
from clearset.sources.work_folder import STATISTICS
from clearset.store.errors import ClearsetError
from test_parity import ROUNDING

TABLES = ("metrics", "neighbours", "outliers", "components", "pairs")


def groups(table: pd.DataFrame) -> set[frozenset[str]]:
    return {frozenset(rows) for _, rows in table.groupby("component_id")["image_id"]}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, Path]:
    """Generated images in several formats, a dark 16-bit one and one that can not be read."""
    folder = tmp_path_factory.mktemp("images")
    pixels = recordings.generated()
    for name, values in pixels.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.png").write_bytes(codec.png_bytes(values))
    ids = sorted([*pixels, "test/broken"])
    table = pd.DataFrame({"image_id": ids, "split": [name.split("/")[0] for name in ids]})
    table["path"] = table["image_id"] + ".png"
    table["mask"] = ""
    deep = table["image_id"] == "train/dark"
    table = table.assign(low=0.0, high=np.where(deep, 65535.0, 255.0), nodata=np.nan)
    table = table.assign(**dict.fromkeys(levels.WORDS, ""))
    table["error"] = np.where(table["image_id"] == "test/broken", "empty", "")
    return table, folder


def analyzed(dataset: tuple[pd.DataFrame, Path], engine: Engine, workers: int) -> Measurement:
    table, folder = dataset
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLEARSET_WORKERS", str(workers))
        return analysis.analyze(table, folder, Analyze(engine=engine, neighbours=3))


@pytest.fixture(scope="module")
def by_native(dataset: tuple[pd.DataFrame, Path]) -> Measurement:
    return analyzed(dataset, Engine.native, 1)


@pytest.fixture(scope="module")
def by_fastdup(working_fastdup: Path, dataset: tuple[pd.DataFrame, Path]) -> Measurement:
    return analyzed(dataset, Engine.fastdup, 2)


@pytest.fixture(scope="module")
def by_record(
    dataset: tuple[pd.DataFrame, Path], tmp_path_factory: pytest.TempPathFactory
) -> Measurement:
    """By what fastdup once gave, in a project that has its record and no fastdup."""
    project = tmp_path_factory.mktemp("project")
    (project / "conf").mkdir()
    (project / "conf/recorded").symlink_to(recordings.RECORDED)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        patch.setenv("CLEARSET_FASTDUP", str(project / "none"))
        return analyzed(dataset, Engine.fastdup, 2)


@pytest.fixture(params=["by_native", "by_record", "by_fastdup"])
def measurement(request: pytest.FixtureRequest) -> Measurement:
    result = request.getfixturevalue(request.param)
    assert isinstance(result, Measurement)
    return result


def test_two_workers_give_the_tables_of_one(
    by_native: Measurement, dataset: tuple[pd.DataFrame, Path]
) -> None:
    again = analyzed(dataset, Engine.native, 2)
    for name in TABLES:
        pd.testing.assert_frame_equal(
            getattr(again.analysis, name), getattr(by_native.analysis, name)
        )
    assert again.engine == by_native.engine


def test_an_index_finds_all_of_few_images_and_engine_json_says_so(
    by_native: Measurement, dataset: tuple[pd.DataFrame, Path]
) -> None:
    table, folder = dataset
    found = analysis.analyze(table, folder, Analyze(neighbours=3, exact_images=1))
    for name in ("neighbours", "outliers", "components", "registrations"):
        expected = getattr(by_native.analysis, name)
        pd.testing.assert_frame_equal(getattr(found.analysis, name), expected)
    assert found.engine["neighbours"]["recall"] == 1
    assert "neighbours" not in by_native.engine


@pytest.fixture(scope="module")
def repaired(
    dataset: tuple[pd.DataFrame, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[str], Path]:
    """Three images of the dataset made darker, the others as they were."""
    table, before = dataset
    folder = tmp_path_factory.mktemp("repaired")
    shutil.copytree(before, folder, dirs_exist_ok=True)
    ids = [f"train/{name}" for name in ("0", "1", "dark")]
    for row in table[table["image_id"].isin(ids)].itertuples():
        (folder / row.path).write_bytes(codec.png_bytes(codec.decode(before / row.path) // 2))
    return ids, folder


def test_what_was_repaired_is_compared_as_if_all_were_looked_at_again(
    by_native: Measurement, dataset: tuple[pd.DataFrame, Path], repaired: tuple[list[str], Path]
) -> None:
    ids, folder = repaired
    params = Analyze(engine=Engine.native, neighbours=3)
    assert by_native.descriptors is not None
    table = dataset[0][dataset[0]["image_id"] != "train/4"]  # dropped
    before = by_native.analysis.metrics["image_id"].tolist(), by_native.descriptors
    found = again.compared_again(table, (folder, folder), params, ids, before)
    every = analyzed((table, folder), Engine.native, 1)
    rows = every.analysis.metrics[every.analysis.metrics["image_id"].isin(ids)].reset_index(
        drop=True
    )
    pd.testing.assert_frame_equal(found.metrics[rows.columns], rows, check_exact=True)
    for name in ("neighbours", "links", "outliers"):
        after = getattr(found, name)
        pd.testing.assert_frame_equal(after, getattr(every.analysis, name))
        assert not after.equals(getattr(by_native.analysis, name))  # the repair moved something


def test_the_descriptors_of_an_analysis_stay_as_they_were(
    by_native: Measurement, dataset: tuple[pd.DataFrame, Path], repaired: tuple[list[str], Path]
) -> None:
    assert by_native.descriptors is not None
    descriptors = by_native.descriptors.copy()
    params = Analyze(engine=Engine.native, neighbours=3)
    before = by_native.analysis.metrics["image_id"].tolist(), by_native.descriptors
    again.compared_again(dataset[0], (repaired[1], repaired[1]), params, repaired[0], before)
    assert np.array_equal(by_native.descriptors, descriptors)


def test_by_another_engine_what_was_repaired_is_measured_and_keeps_its_neighbours(
    by_native: Measurement, dataset: tuple[pd.DataFrame, Path], repaired: tuple[list[str], Path]
) -> None:
    ids, folder = repaired
    params = Analyze(engine=Engine.fastdup, neighbours=3)
    found = again.measured_again(dataset[0], (folder, folder), params, ids, by_native.analysis)
    assert found.metrics["image_id"].tolist() == sorted(ids)
    before = by_native.analysis.metrics.set_index("image_id").loc[sorted(ids), "mean"]
    assert (found.metrics["mean"].to_numpy() < before.to_numpy()).all()
    assert found.neighbours is by_native.analysis.neighbours


def test_every_readable_image_is_measured_and_no_other(
    measurement: Measurement, dataset: tuple[pd.DataFrame, Path]
) -> None:
    readable = [name for name in dataset[0]["image_id"] if name != "test/broken"]
    assert measurement.analysis.metrics["image_id"].tolist() == readable
    assert set(measurement.analysis.metrics.columns) == {
        "image_id",
        "stretched_mean",
        *STATISTICS,
        *METRICS,
    }
    assert set(measurement.analysis.neighbours["image_id"]) == set(readable)
    assert (measurement.analysis.neighbours.groupby("image_id").size() == 3).all()
    assert set(measurement.analysis.outliers["image_id"]) == set(readable)


def test_outliers_are_looked_for_within_a_split(measurement: Measurement) -> None:
    assert set(measurement.analysis.outliers["split"]) == {"train", "test"}
    assert (
        measurement.analysis.outliers["nearest_id"].str.split("/").str[0]
        == measurement.analysis.outliers["split"]
    ).all()


def test_the_planted_duplicate_is_a_component(measurement: Measurement) -> None:
    assert any(
        {"train/0", "train/again"} <= group for group in groups(measurement.analysis.components)
    )


def test_16_bits_are_measured_on_the_declared_range(measurement: Measurement) -> None:
    dark = measurement.analysis.metrics.set_index("image_id").loc["train/dark"]
    assert 7 < dark["mean"] < 9  # 12 of 16 bits, on 8
    assert dark["max"] == 16


def test_alpha_changes_nothing(measurement: Measurement) -> None:
    rows = measurement.analysis.metrics.set_index("image_id").loc[["test/colour", "test/alpha"]]
    np.testing.assert_array_equal(rows.iloc[0], rows.iloc[1])


def test_both_engines_measure_the_same(by_native: Measurement, by_record: Measurement) -> None:
    assert (by_native.engine["name"], by_record.engine["name"]) == ("native", "fastdup")
    own, theirs = (one.analysis.metrics[STATISTICS] for one in (by_native, by_record))
    six_digits = 5e-6 * theirs.abs()  # which ours are kept in, and theirs are not
    assert ((own - theirs).abs() < six_digits + pd.Series(ROUNDING)).all(axis=None)
    pd.testing.assert_frame_equal(
        by_native.analysis.metrics[[*METRICS]], by_record.analysis.metrics[[*METRICS]]
    )


def test_what_is_said_of_an_engine_is_json_with_its_settings(measurement: Measurement) -> None:
    said: dict[str, Any] = json.loads(json.dumps(measurement.engine))
    assert said["settings"]["engine"] == said["name"]
    assert said["settings"]["neighbours"] == 3
    assert said["version"]


def test_no_readable_image_is_an_error_that_says_where_to_look(tmp_path: Path) -> None:
    table = pd.DataFrame({"image_id": ["a"], "split": "all", "path": "a.png", "error": "empty"})
    with pytest.raises(ClearsetError, match=r"no readable image in .* error of images\.csv"):
        analysis.analyze(table, tmp_path, Analyze())


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An environment for fastdup in which nothing is installed yet."""
    monkeypatch.setenv("CLEARSET_FASTDUP", str(tmp_path / "fastdup"))
    yield tmp_path / "fastdup"


def program(environment: Path, script: str) -> None:
    """Put a shell script where fastdup's Python is looked for."""
    python = environment / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)


def failure(scratch: Path) -> str:
    """Run fastdup on two images; return why it failed, which must name the way out."""
    scratch.mkdir()
    with pytest.raises(ClearsetError, match=r"^fastdup ") as caught:
        fastdup.run([scratch / "0.png", scratch / "1.png"], scratch, 1)
    message, _, way_out = str(caught.value).partition(". Way out: ")
    assert "make setup" in way_out
    assert "analyze=native" in way_out
    return message


def test_not_installed(stand_in: Path, tmp_path: Path) -> None:
    said = failure(tmp_path / "scratch")
    assert said == f"fastdup is not installed: no {stand_in}/bin/python"


def test_not_installed_repeats_what_the_set_up_found(stand_in: Path, tmp_path: Path) -> None:
    stand_in.with_suffix(".txt").write_text("fastdup: not available here (Windows)\n")
    assert failure(tmp_path / "scratch").endswith("not available here (Windows)")


DEPRECATED = "echo 'This fastdup version is deprecated, please reinstall from pypi'"


def test_expired(stand_in: Path, tmp_path: Path) -> None:
    program(stand_in, f"{DEPRECATED}; echo more; exit 1")
    assert failure(tmp_path / "scratch").startswith("fastdup unknown has expired: ")


def test_expired_on_the_day_that_the_build_tells(stand_in: Path, tmp_path: Path) -> None:
    program(stand_in, f"{DEPRECATED}; exit 1")
    packages = stand_in / "lib" / "python3.11" / "site-packages"
    (packages / "fastdup").mkdir(parents=True)
    (packages / "fastdup-2.54.dist-info").mkdir()
    library = b"\x7fELF\x00Not a date\x00Aug 23 2026\x0012:00:00\x00"
    (packages / "fastdup" / "libfastdup_shared.so").write_bytes(library)
    assert fastdup.version() == "2.54"
    assert fastdup.expires() == datetime.date(2026, 12, 21)
    said = failure(tmp_path / "scratch")
    assert said == "fastdup 2.54 has expired: its build stopped working on 2026-12-21"


@pytest.mark.parametrize("days_left", [0, 1])
def test_a_build_whose_day_has_come_is_not_started(
    stand_in: Path, tmp_path: Path, days_left: int
) -> None:
    program(stand_in, "touch ../started")
    packages = stand_in / "lib/python3.11/site-packages/fastdup"
    packages.mkdir(parents=True)
    made = datetime.date.today() - fastdup.LIFETIME + datetime.timedelta(days_left)
    text = f"{made:%b} {made.day:2d} {made.year}".encode()
    (packages / "libfastdup_shared.so").write_bytes(b"\x7fELF\x00" + text + b"\x00")
    said = failure(tmp_path / "scratch")
    assert said.startswith("fastdup unknown has expired" if not days_left else "fastdup left no")
    assert (tmp_path / "started").exists() == bool(days_left)


@pytest.mark.parametrize("name", ["SEGV", "KILL"])
def test_killed(stand_in: Path, tmp_path: Path, name: str) -> None:
    program(stand_in, f"echo 'UserWarning: pkg_resources is deprecated'; kill -{name} $$")
    assert failure(tmp_path / "scratch").startswith(f"fastdup was killed: by SIG{name}")


def test_not_importable(stand_in: Path, tmp_path: Path) -> None:
    """The real worker, in an environment that has no fastdup."""
    program(stand_in, f'exec "{sys.executable}" "$@"')
    said = failure(tmp_path / "scratch")
    assert said.startswith("fastdup is installed but can not be imported: ModuleNotFoundError")


def test_failed_with_the_last_thing_it_said(stand_in: Path, tmp_path: Path) -> None:
    program(stand_in, r"printf 'start\n 10%%\r 20%%\rdisk quota exceeded.\n\n' >&2; exit 3")
    assert failure(tmp_path / "scratch") == "fastdup failed with status 3: disk quota exceeded"


def test_failed_without_a_word(stand_in: Path, tmp_path: Path) -> None:
    program(stand_in, "exit 1")
    assert failure(tmp_path / "scratch") == "fastdup failed with status 1: it printed nothing"


def test_not_executable(stand_in: Path, tmp_path: Path) -> None:
    program(stand_in, "exit 0")
    (stand_in / "bin/python").write_text("#!/no/such/interpreter\n")
    assert failure(tmp_path / "scratch").startswith("fastdup did not finish: ")


def test_no_results(stand_in: Path, tmp_path: Path) -> None:
    program(stand_in, "exit 0")
    assert failure(tmp_path / "scratch").startswith("fastdup left no results: ")


def results(stats: str, bad: str = "", floats: int = 2 * fastdup.LENGTH) -> str:
    """Return a script that leaves these lines, and so many floats, in the work folder."""
    header = "index," + ",".join(STATISTICS)
    return (
        'mkdir "$4" && cd "$4" && '
        f"printf 'index,filename,error_code,filesize\\n{bad}' > atrain_features.bad.csv && "
        f"printf '{header}\\n{stats}' > atrain_stats.csv && "
        f"head -c {4 * floats} /dev/zero > atrain_features.dat"
    )


ROWS = "0,1,2,3,4,5,6,7\\n1,1,2,3,4,5,6,8\\n"


def test_complete_results_are_taken(stand_in: Path, tmp_path: Path) -> None:
    program(stand_in, results(ROWS))
    statistics, descriptors = fastdup.run([tmp_path / "0.png", tmp_path / "1.png"], tmp_path, 1)
    assert statistics["unique"].tolist() == [7.0, 8.0]
    assert statistics.columns.tolist() == STATISTICS
    assert descriptors.shape == (2, fastdup.LENGTH)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (results(ROWS, bad="1,1.png,ERROR_CORRUPT_IMAGE,9\\n"), "refused 1 of 2 images: 1.png"),
        (results("0,1,2,3,4,5,6,7\\n", floats=576), "measured 1 of 2 images"),
        (results(""), "measured 0 of 2 images"),
        (results(ROWS, floats=576), "measured 2 of 2 images: it does not say why"),
        (results(ROWS, floats=600), "left results that can not be read: "),
        (results(ROWS.replace("8", "many")), "left results that can not be read: "),
        (results(ROWS) + "; rm atrain_features.dat", "left results that can not be read: "),
        (results(ROWS) + "; rm atrain_stats.csv", "left no results: atrain_stats.csv is missing"),
        (results(ROWS).replace("blur", "bluur"), "left results that can not be read: "),
    ],
)
def test_incomplete_results(stand_in: Path, tmp_path: Path, script: str, reason: str) -> None:
    program(stand_in, script)
    assert failure(tmp_path / "scratch").startswith(f"fastdup {reason}")


def test_it_runs_silenced_and_with_a_home_of_its_own(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEARSET_TOKEN", "secret")
    program(stand_in, "env; pwd; exit 1")
    failure(tmp_path / "scratch")
    said = (tmp_path / "scratch" / "log.txt").read_text().splitlines()
    assert {"SENTRY_OPT_OUT=1", "FASTDUP_PRODUCTION=1", "LC_ALL=C"} <= set(said)
    assert f"HOME={tmp_path / 'scratch' / 'home'}" in said
    assert said[-1] == str(tmp_path / "scratch")
    assert not [line for line in said if "secret" in line]


def test_it_is_told_the_files_in_order(stand_in: Path, tmp_path: Path) -> None:
    program(stand_in, 'cat "$3"; echo "$5"; exit 1')
    failure(tmp_path / "scratch")
    *names, options = (tmp_path / "scratch" / "log.txt").read_text().splitlines()
    assert names == ["0.png", "1.png"]
    assert json.loads(options) == fastdup.OPTIONS | {"num_threads": 1}


def test_its_scratch_folder_is_gone_after_a_failure(
    stand_in: Path,
    tmp_path: Path,
    dataset: tuple[pd.DataFrame, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    with pytest.raises(ClearsetError, match="fastdup is not installed"):
        analysis.analyze(dataset[0].head(3), dataset[1], Analyze(engine=Engine.fastdup))
    assert list(scratch.iterdir()) == []
