"""fastdup's numbers on record: the same as its own, taken when it fails, and never silently."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import recordings
from clearset.config.schema import Analyze, Engine
from clearset.decide.published import measured_by
from clearset.engines import analysis, fastdup, recorded, recording
from clearset.engines.analysis import Measurement
from clearset.engines.recording import Tables
from clearset.images import codec, levels
from clearset.sources import work_folder
from clearset.sources.work_folder import STATISTICS
from clearset.store import layout, tables
from clearset.store.errors import ClearsetError
from conftest import ROOT, run
from recordings import RAVIR, RECORDED

ENDS = ["image_id", "other_id"]
FOREVER = "2027-02-01 12:00:00"


@pytest.fixture
def project(in_folder: Path) -> Path:
    """The current folder, in which the generated images are on record."""
    shutil.copytree(RECORDED / "generated", in_folder / "conf/recorded/generated")
    return in_folder


@pytest.fixture
def no_fastdup(in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment in which there is no fastdup."""
    monkeypatch.setenv("CLEARSET_FASTDUP", str(in_folder / "none"))
    return in_folder / "none"


def listing(folder: Path, pixels: dict[str, levels.Pixels]) -> pd.DataFrame:
    """Write images as files, and return the table `images` of them."""
    for name, values in pixels.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.png").write_bytes(codec.png_bytes(values))
    table = pd.DataFrame({"image_id": list(pixels), "split": "all", "mask": "", "error": ""})
    tops = [float(np.iinfo(values.dtype).max) for values in pixels.values()]
    table = table.assign(path=table["image_id"] + ".png", low=0.0, high=tops, nodata=np.nan)
    return table.assign(**dict.fromkeys(levels.WORDS, ""))


def analyzed(pixels: dict[str, levels.Pixels], **others: float) -> Measurement:
    """Measure by fastdup images in the current folder, each with `others`."""
    folder = Path("images").absolute()  # processes of another test's folder may do the work
    given = Analyze(engine=Engine.fastdup, neighbours=3, metrics=["sharpness"])
    return analysis.analyze(listing(folder, pixels).assign(**others), folder, given)


def numbers_agree(live: Tables, known: Tables) -> None:
    """Hold numbers of images to those on record, last digits aside."""
    for name, most in (("statistics", 1e-3), ("descriptors", recorded.LAST_DIGITS["descriptors"])):
        other = known[name].set_index("image_id")
        other = other[other.index.isin(live[name]["image_id"])]
        one = live[name].set_index("image_id").loc[other.index, other.columns]
        assert len(one) > 0
        if name == "statistics":
            assert one.pop("pixels_sha256").tolist() == other.pop("pixels_sha256").tolist()
        assert (one.astype(float) - other.astype(float)).abs().max(axis=None) <= most


def agree(live: Tables, known: Tables) -> None:
    """Hold a call to what is on record of it, last digits aside."""
    numbers_agree(live, known)
    (call,) = live["graph"]["call"].unique()
    known = {name: rows[rows["call"] == call] for name, rows in known.items() if "call" in rows}
    for name in ("graph", "quota"):
        one, other = (r[name].set_index(ENDS)["similarity"] for r in (live, known))
        assert set(one.index) == set(other.index)
        np.testing.assert_allclose(one, other[one.index], atol=1e-5)
    ours, theirs = (
        {frozenset(ids) for _, ids in r["groups"].groupby("group")["image_id"]}
        for r in (live, known)
    )
    assert ours == theirs


def kept(folder: Path) -> Tables:
    return {name: tables.read(name, folder) for name in recording.LISTED}


def test_a_working_fastdup_gives_what_is_on_record_of_ravir(
    ravir: Path, working_fastdup: Path
) -> None:
    eyes = recordings.eyes_of_ravir(ravir)
    few = {name: pixels for name, pixels in eyes.items() if name.startswith("test")}
    agree(recording.call_fastdup("test", few), kept(RAVIR))
    whole = recording.call_fastdup("all", recordings.altered(eyes))
    agree(whole, kept(RECORDED / "altered"))
    numbers_agree(whole, kept(RAVIR))


def test_a_working_fastdup_gives_what_is_on_record_of_generated_images(
    working_fastdup: Path,
) -> None:
    for name, pixels in (("generated", recordings.shown()), ("deep", recordings.deep())):
        agree(recording.call_fastdup("all", pixels), kept(RECORDED / name))


def test_an_analysis_by_fastdup_is_the_one_by_its_record(
    project: Path, working_fastdup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = analyzed(recordings.generated())
    monkeypatch.setenv("CLEARSET_FASTDUP", str(project / "none"))
    again = analyzed(recordings.generated())
    assert again.engine.pop("record")["equal"]
    assert live.engine.pop("record")["equal"]
    assert live.engine == again.engine
    for name in ("metrics", "neighbours", "links", "outliers", "components", "pairs"):
        pd.testing.assert_frame_equal(
            *(getattr(one.analysis, name) for one in (live, again)), check_exact=True
        )


def test_without_fastdup_the_record_is_taken_and_says_so_in_one_line(
    project: Path, no_fastdup: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = analyzed(recordings.generated())
    about = tables.read_json(RECORDED / "generated/record.json")
    assert capsys.readouterr().out.splitlines() == [
        f"fastdup is not installed: no {no_fastdup}/bin/python; going on with what fastdup "
        f"{about['version']} gave on these same images, recorded on {about['made']} in "
        "conf/recorded/generated"
    ]
    assert {key: found.engine[key] for key in recorded.IDENTITY} == {
        key: about[key] for key in recorded.IDENTITY
    }
    given = tables.read("statistics", RECORDED / "generated").set_index("image_id")
    measured = found.analysis.metrics.set_index("image_id")[STATISTICS]
    assert (measured == given.loc[measured.index, STATISTICS].astype(float)).all(axis=None)


def test_a_build_that_fails_gives_way_to_the_record(
    project: Path, no_fastdup: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = no_fastdup / "bin/python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nkill -SEGV $$\n")
    python.chmod(0o755)
    analyzed(recordings.generated())
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("fastdup was killed: by SIGSEGV")
    assert "; going on with what fastdup" in line


@pytest.mark.parametrize("changed", ["pixel", "range"])
def test_an_image_that_is_not_on_record_stops_the_run_before_any_work(
    project: Path, no_fastdup: Path, changed: str
) -> None:
    pixels, others = recordings.generated(), {}
    first = next(iter(pixels))
    if changed == "pixel":
        pixels[first][0, 0] ^= 1
    else:
        others["high"] = 254.0
    with pytest.raises(ClearsetError) as caught:
        analyzed(pixels, **others)
    said, _, way_out = str(caught.value).partition(". Way out: ")
    assert said.startswith("fastdup is not installed: ")
    assert said.endswith(f"since {project}/images/{first}.png is none of them")
    assert "analyze: {engine: native}" in way_out


def test_some_of_the_images_on_record_are_enough(project: Path, no_fastdup: Path) -> None:
    few = dict(list(recordings.generated().items())[3:8])
    assert analyzed(few).analysis.metrics["image_id"].tolist() == list(few)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("descriptors.csv", None, "descriptors.csv"),
        ("statistics.csv", "image_id\n", "statistics.csv is not what record.json says"),
        ("record.json", "{", "JSONDecodeError"),
        ("record.json", "[]", "record.json lacks made, model, name, options, sha256 and 1 more"),
        ("record.json", '["made", "model", "name", "options", "sha256", "version"]', "TypeError"),
        ("record.json", '{"sha256": {}}', "record.json lacks made, model"),
        ("graph.csv", "", "graph.csv is not what record.json says"),
    ],
)
def test_a_damaged_record_is_named_with_the_way_out(
    project: Path, no_fastdup: Path, name: str, content: str | None, reason: str
) -> None:
    file = project / "conf/recorded/generated" / name
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    with pytest.raises(ClearsetError, match=reason) as caught:
        analyzed(recordings.generated())
    assert str(caught.value).startswith("conf/recorded/generated, what fastdup gave")
    assert "`git checkout conf/recorded/generated` brings it back" in str(caught.value)


def test_one_changed_digit_damages_a_record(project: Path, no_fastdup: Path) -> None:
    file = project / "conf/recorded/generated/statistics.csv"
    file.write_text(file.read_text().replace("117.1416", "117.1417"))
    with pytest.raises(ClearsetError, match=r"statistics\.csv is not what record.json says"):
        analyzed(recordings.generated())


def numbers(statistic: float = 0.0, coordinate: int = 0) -> recorded.Numbers:
    """Return the recorded numbers of two images, changed by so much."""
    record = recorded.read(RECORDED / "generated")
    found = record.numbers(record.statistics.index[:2])
    found.statistics.loc[1, "blur"] += statistic
    found.descriptors[1, 7] += coordinate
    return found


@pytest.mark.parametrize(("statistic", "coordinate"), [(0.0, 0), (0.01, 100), (-0.001, -3)])
def test_a_run_that_differs_in_last_digits_takes_the_record(
    statistic: float, coordinate: int
) -> None:
    kept = numbers()
    assert recorded.held_to(numbers(statistic, coordinate), kept) is kept
    assert kept.info["record"]["equal"]


@pytest.mark.parametrize(
    ("statistic", "coordinate", "apart"),
    [
        (0.25, -3, {"blur": 0.25, "descriptors": 3}),
        (0.0, 101, {"descriptors": 101}),
        (0.011, 0, {"blur": 0.011}),
    ],
)
def test_a_run_that_differs_by_more_keeps_its_own_and_says_by_how_much(
    statistic: float, coordinate: int, apart: dict[str, float]
) -> None:
    kept, live = numbers(), numbers(statistic, coordinate)
    result = recorded.held_to(live, kept)
    assert result.statistics is live.statistics
    assert result.descriptors is live.descriptors
    said = result.info["record"]
    assert said == kept.info["record"] | {"equal": False, "apart": apart}
    line = measured_by(result.info)
    assert f"differ by up to {next(iter(apart.values())):g} in {next(iter(apart))}" in line
    assert json.loads(json.dumps(said)) == said


def test_the_report_says_how_its_numbers_stand_to_the_record() -> None:
    line = measured_by(numbers().info)
    assert line.startswith("Measured by fastdup 2.54 (UndisclosedFastdupModel.ort). ")
    assert "are those that" in line
    native = {"name": "native", "version": "2", "model": "thumbnail"}
    assert measured_by(native) == "Measured by native 2 (thumbnail)."


def test_the_committed_record_of_ravir_is_of_its_42_images() -> None:
    record = recorded.read(RAVIR)
    assert len(tables.read("statistics", RAVIR)) == 42
    assert len(record.statistics) == len(record.descriptors) == 41  # two files are the same
    assert record.about["version"] == "2.54"


def test_the_one_stage_that_takes_the_record_declares_it() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    deps = {name: body["do"]["deps"] for name, body in stages.items() if "do" in body}
    assert [name for name in deps if str(layout.RECORDED) in deps[name]] == ["analyze"]


def test_a_record_is_only_made_by_a_fastdup_that_works(project: Path, no_fastdup: Path) -> None:
    with pytest.raises(ClearsetError, match="fastdup is not installed"):
        recording.call_fastdup("all", recordings.shown())


def test_a_record_made_again_with_the_same_numbers_keeps_its_day(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project / "conf/recorded/generated"
    about = tables.read_json(folder / "record.json")
    environment = project / "fastdup"
    (environment / f"lib/python3.11/site-packages/fastdup-{about['version']}.dist-info").mkdir(
        parents=True
    )
    monkeypatch.setenv("CLEARSET_FASTDUP", str(environment))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    later = pd.Timestamp("2027-01-01").date()
    assert "the same as on" in recording.write(kept(folder), folder, later)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    changed = kept(folder)
    changed["descriptors"].loc[0, "0"] += 1
    assert "made on 2027-01-01" in recording.write(changed, folder, later)
    recorded.read(folder)


def at(moment: str, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the project with a clock set to a moment."""
    if shutil.which("faketime") is None:
        pytest.skip("faketime is not installed: it sets the clock of one command")
    alone = ["env", "-u", "LD_PRELOAD", "-u", "FAKETIME"]  # whatever the clock of these tests
    return run(ROOT, *alone, "faketime", moment, *command, **environment)


ANALYSIS = """
import sys
from pathlib import Path
from test_recorded import analyzed
import recordings
if __name__ == "__main__":  # images are looked at in processes of their own
    print(analyzed(recordings.generated()).engine["record"]["equal"])
"""


def test_past_its_day_fastdup_is_not_started_and_the_record_goes_on(project: Path) -> None:
    if fastdup.expires() is None:
        pytest.skip("fastdup is not installed: no build whose day could pass")
    (project / "go.py").write_text(ANALYSIS)
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
    command = ["env", "--chdir", str(project), "python", "go.py"]
    done = at(FOREVER, *command, PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    line, equal = done.stdout.splitlines()
    assert line.startswith(f"fastdup {fastdup.version()} has expired: its build stopped working")
    assert equal == "True"


def test_what_an_expired_build_says_itself_is_understood(
    tmp_path: Path, working_fastdup: Path
) -> None:
    """The real build with a clock past its day, not stopped by ours: its own words."""
    files = [tmp_path / f"{n}.png" for n in range(3)]
    for file, pixels in zip(files, recordings.shown().values(), strict=False):
        file.write_bytes(codec.png_bytes(pixels))
    listed, options = tmp_path / "files.txt", json.dumps(fastdup.OPTIONS | {"num_threads": 1})
    listed.write_text("".join(f"{file.name}\n" for file in files))
    worker = ROOT / "src/clearset/engines/fastdup_worker.py"
    python = [str(fastdup.interpreter()), "-I", str(worker), "files.txt", "work", options]
    quiet = fastdup.QUIET | {"HOME": str(tmp_path)}
    done = at(FOREVER, "env", "--chdir", str(tmp_path), *python, **quiet)
    assert done.returncode != 0
    said = fastdup._failure(done.returncode, done.stdout + done.stderr)
    assert "has expired: its build stopped working on" in str(said)


def set_up(environment: Path) -> str:
    """Set fastdup up without a network; return the line that stays beside its environment."""
    alone = {"UV_OFFLINE": "1", "UV_CACHE_DIR": str(environment.parent / "cache")}
    alone |= {"CLEARSET_FASTDUP": str(environment)}
    done = run(ROOT, "clearset", "fastdup", **alone)
    assert done.returncode == 0, done.stderr
    (line,) = environment.with_suffix(".txt").read_text().splitlines()
    assert done.stdout.splitlines()[-1] == line
    return line


def test_a_set_up_that_can_not_install_says_why_and_does_not_fail(tmp_path: Path) -> None:
    line = set_up(tmp_path / "fastdup")
    assert line.startswith("fastdup: not available here (Python ")
    assert "network" in line or "offline" in line or "cache" in line


def test_a_set_up_that_finds_an_expired_build_alone_says_so_and_does_not_fail(
    tmp_path: Path,
) -> None:
    packages = tmp_path / "fastdup/lib/python3.11/site-packages"
    (packages / "fastdup").mkdir(parents=True)
    (packages / "fastdup-2.54.dist-info").mkdir()
    (packages / "fastdup/libfastdup_shared.so").write_bytes(b"\x00Aug 23 2020\x00")
    python = tmp_path / "fastdup/bin/python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    line = set_up(tmp_path / "fastdup")
    expired = "fastdup 2.54 has expired: its build stopped working on 2020-12-21"
    assert line.startswith(f"{expired} (no newer build could be looked for: ")


@pytest.mark.parametrize("kind", ["recorded", "live"])
def test_what_fastdup_itself_writes_reads_the_same_in_both_formats(
    kind: str, in_folder: Path, request: pytest.FixtureRequest
) -> None:
    place = RECORDED / "work_folders"
    if kind == "live":
        request.getfixturevalue("working_fastdup")
        recordings.work_folders(in_folder)
        place = in_folder
    older, current = (work_folder.read(place / name) for name in ("older", "current"))
    first = (place / "older/similarity.csv").read_text().splitlines()[1]
    assert first.startswith("images/")
    assert (place / "current/similarity.csv").read_text().splitlines()[1][0].isdecimal()
    for one in (older, current):
        assert one.notes == []
        assert len(one.images) == 16
        assert (one.images["error"] != "").sum() == 1
        exact = one.edges[one.edges["similarity"] > 0.999]
        ends = {tuple(sorted(pair)) for pair in exact[ENDS].to_numpy()}
        assert ends >= {(f"{n:02d}", f"{n:02d}_again") for n in range(3)}
    pd.testing.assert_frame_equal(
        older.metrics.sort_values("image_id", ignore_index=True),
        current.metrics.sort_values("image_id", ignore_index=True),
    )
