"""`clearset.check`: what `clearset folder` finds, without a project; what it gives and refuses."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clearset import Report, check, verify
from clearset.commands.check import command
from clearset.generate.retina.synthesis import sample
from clearset.inspection import settings
from clearset.store import documents
from clearset.store.errors import ClearsetError
from conftest import MINIATURE, ROOT, clone, run, write_image

COUNT, NAME = 26, "mine"
FILES = ["data/*/mine/*.csv", "data/*/mine/*.json", "data/*/mine/*.npy", "data/recipe/mine/*"]
FILES += ["data/release/mine/**/*", "reports/mine/**/*.[!h]*"]  # a page names its own command


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of eyes in two splits: one dark, one there twice, one broken."""
    folder = tmp_path_factory.mktemp("my images")
    for number in range(COUNT):
        eye = sample(number, count=COUNT, size=96, seed=3)
        pixels = (eye.pixels * 0.15).astype(np.uint8) if number == 4 else eye.pixels
        write_image(folder / eye.split / "images" / f"{eye.name}.png", pixels)
        if number == 5:
            write_image(folder / "test/images/copy.png", pixels)
    (folder / "test/images/cut.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    return folder


@pytest.fixture(scope="module")
def report(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return check(source, folder=tmp_path_factory.mktemp("checked"), name=NAME)


def test_the_tables_and_the_release_are_those_of_a_project_byte_for_byte(
    report: Report, source: Path, tmp_path: Path
) -> None:
    project = clone(tmp_path / "clone", edits=MINIATURE)
    done = run(project, "clearset", "folder", str(source), NAME)
    assert done.returncode == 0, done.stdout + done.stderr
    ours, theirs = (
        {str(path.relative_to(root)) for pattern in FILES for path in root.glob(pattern)}
        for root in (report.folder, project)
    )
    assert ours == theirs
    assert len(ours) > 60
    for name in ours:
        path = report.folder / name
        assert path.is_dir() or path.read_bytes() == (project / name).read_bytes(), name


def test_what_is_found_is_handed_out_as_tables(report: Report) -> None:
    table = report.table.set_index("image_id")
    assert len(table) == COUNT + 2
    assert list(report.table)[:5] == ["image_id", "path", "split", "decision", "rules"]
    assert table.loc["train/eye_004", ["decision", "rules"]].tolist() == ["enhance", "dark"]
    assert table.loc["test/cut", ["path", "decision"]].tolist() == ["test/images/cut.png", "drop"]
    assert np.isnan(table.loc["test/cut", "sharpness"])
    flags = report.flags.set_index(["rule", "image_id"])
    assert flags.loc[("dark", "train/eye_004"), "value"] == table.loc["train/eye_004", "highlights"]
    (pair,) = report.duplicates.to_dict("records")
    assert (pair["image_id"], pair["other_id"]) == ("test/copy", "train/eye_005")
    assert (pair["similarity"], pair["same_pixels"]) == (1.0, 1)


def test_pictures_show_what_was_found_and_repaired(report: Report) -> None:
    assert {"blur", "dark", "bright", "duplicates", "outliers"} <= set(report.galleries)
    gallery, pair = report.gallery("blur"), report.compare("train/eye_004")
    assert gallery.width > 500
    before, after = (np.asarray(pair)[80:400, left : left + 300] for left in (20, 420))
    assert after.mean() > before.mean() + 5


def test_the_release_is_copied_and_whole(report: Report, tmp_path: Path) -> None:
    target = report.release(tmp_path / "deep/cleaned")
    assert verify(target).wrong == []
    manifest = pd.read_csv(target / "manifest.csv").set_index("image_id")
    assert manifest.loc["test/cut", "decision"] == "dropped"
    with pytest.raises(ClearsetError, match="cleaned is there already: name a folder"):
        report.release(target)


def test_it_says_what_was_found_and_what_is_next(report: Report) -> None:
    lines = repr(report).splitlines()
    assert lines[0].startswith(f"{COUNT + 2} images: ")
    assert lines[0].endswith("1 enhance, 1 drop; 1 can not be read")
    assert "dark 1" in lines[1]
    assert lines[-1].startswith("next: .table, ")
    shown = report._repr_html_()
    assert "<td>dark</td><td>1</td>" in shown
    assert "&quot;blur&quot;" in shown and '"blur"' not in shown


def test_the_page_is_named_and_one_that_is_not_there_is_an_error(
    report: Report, tmp_path: Path
) -> None:
    page = report.folder / f"data/report/{NAME}/index.html"
    assert report.page() == page
    assert f"page: {page}" in repr(report)
    (tmp_path / "data/release/images").mkdir(parents=True)
    with pytest.raises(ClearsetError, match=r"there is no page index\.html in .*: see reports/ima"):
        Report(tmp_path).page()


def test_what_is_not_known_is_refused_with_what_is(report: Report) -> None:
    with pytest.raises(ClearsetError, match="no image 'train/eye_04'; the nearest: train/eye_0"):
        report.compare("train/eye_04")
    with pytest.raises(ClearsetError, match=r"cut was not repaired: .* drop \(unreadable\)\. Rep"):
        report.compare("test/cut")
    with pytest.raises(ClearsetError, match="no gallery 'sharp'; known: blur, bright, "):
        report.gallery("sharp")
    with pytest.raises(ClearsetError, match="has no check called yours"):
        Report(report.folder, "yours")


def test_an_earlier_check_is_opened_by_its_folder(report: Report) -> None:
    again = Report(report.folder, NAME)
    assert again == report
    pd.testing.assert_frame_equal(again.table, report.table)


SCRIPT = """
import os, sys
import clearset
report = clearset.check(sys.argv[1], settings={"analyze.trials": 0, "filter.dark.min": 500})
assert report.flags["rule"].eq("dark").sum() == 12, report.flags
assert os.listdir() == []
print(report.folder)
"""


def test_a_script_needs_no_guard_and_leaves_nothing_behind(tmp_path: Path) -> None:
    source, here = tmp_path / "source", tmp_path / "here"
    for number in range(12):
        eye = sample(number, count=12, size=64, seed=3)
        write_image(source / f"{eye.name}.png", eye.pixels)
    here.mkdir()
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {"PYTHONPATH": str(ROOT / "src"), "CLEARSET_WORKERS": "2"}
    done = run(here, sys.executable, str(script), str(source), **environment)
    assert done.returncode == 0, done.stderr
    assert not Path(done.stdout.strip()).exists()  # it has gone with the report
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"filter.blurr.min": 3}, "filter.blurr is not known. Known in filter: blur, noise, "),
        ({"filter.blur.minimum": 3}, "filter.blur.minimum is not known. Known in filter.blur: met"),
        ({"analyse.trials": 3}, "analyse is not known. Known: about, classes, fetch, analyze"),
        ({"filter.blur.min": "much"}, "filter.blur.min: Value 'much' .* Mend it in settings, such"),
        ({"analyze.trials": -1}, "analyze.trials is -1: at least 0"),
        ({"filter.blur.min": object()}, "filter.blur.min can not be <object"),
        ({3: 4}, "the key 3 is no name"),
        ({"fetch.path": "elsewhere"}, "fetch.path is what the source says; leave it out"),
        ({"analyze.engine": "fastdup"}, "a check has native alone"),
        ({"enhance": [{"rule": "dark", "method": "magic"}]}, "unknown method 'magic'. Known: "),
    ],
)
def test_a_setting_that_does_not_fit_is_refused_by_name_before_anything_is_written(
    in_folder: Path, changed: dict[str, object], message: str
) -> None:
    write_image(in_folder / "images/a.png", np.zeros((64, 64), np.uint8))
    with pytest.raises(ClearsetError, match=message):
        check("images", folder="out", settings=changed)
    assert [path.name for path in in_folder.iterdir()] == ["images"]


def test_settings_take_what_the_schema_takes() -> None:
    changed = {"filter.new": {"metric": "mean", "min": 3}, "filter.dark.min": None, "classes.a": 1}
    section = settings.section("mine", {"path": "x"}, changed)
    assert section["filter"]["new"] == {"metric": "mean", "min": 3}
    words = settings.of_words(("filter.blur.min=1e-3", "fetch.bands.shown=[4,3,2]"))
    assert words == {"filter": {"blur": {"min": 0.001}}, "fetch": {"bands": {"shown": [4, 3, 2]}}}
    with pytest.raises(ClearsetError, match="--set blur: no KEY=VALUE"):
        settings.of_words(("blur",))


@pytest.mark.parametrize(
    ("source", "folder", "message"),
    [
        ("nowhere", "out", "nowhere: no such folder or archive"),
        ("empty", "out", "empty is empty: there is no image"),
        ("texts", "out", "no image in .*texts"),
        ("images", "images/out", "lies in .*images, and is read with it: name another"),
        ("images", "texts", "texts holds other files: name a folder that is empty"),
        ("images", "images/a.png", "a.png is a file: name a folder"),
    ],
)
def test_a_source_or_a_folder_that_can_not_be_is_refused(
    in_folder: Path, source: str, folder: str, message: str
) -> None:
    write_image(in_folder / "images/a.png", np.zeros((64, 64), np.uint8))
    (in_folder / "empty").mkdir()
    (in_folder / "texts").mkdir()
    (in_folder / "texts/a.txt").write_text("a")
    with pytest.raises(ClearsetError, match=message):
        check(source, folder=folder)
    assert not {"data", "reports", "conf"} & {path.name for path in in_folder.iterdir()}


def test_a_name_that_can_not_be_is_refused() -> None:
    with pytest.raises(ClearsetError, match="name is 'a/b': letters, digits"):
        check("images", name="a/b")


def test_a_folder_in_use_is_left_alone(in_folder: Path) -> None:
    write_image(in_folder / "images/a.png", np.zeros((64, 64), np.uint8))
    code = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX)\n"
    code += "print('held', flush=True); sys.stdin.read()"
    lock = in_folder / "out/clearset.lock"
    lock.parent.mkdir()
    holder = [sys.executable, "-c", code, str(lock)]
    with subprocess.Popen(holder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == b"held\n"
        with pytest.raises(ClearsetError, match=r"busy: another check is at work in .*out"):
            check("images", folder="out")
        process.communicate()


def test_what_a_check_begins_with_is_what_conf_composes_to(monkeypatch: pytest.MonkeyPatch) -> None:
    import config  # noqa: PLC0415 - the stage, which composes where the project is

    monkeypatch.chdir(ROOT)
    assert config.FOLDER.read_text(encoding="utf-8") == config.of_folder()
    assert documents.mapping(settings.DEFAULTS)["fetch"]["path"] == ""


def test_the_command_checks_a_folder_and_says_where_things_are(in_folder: Path) -> None:
    for number in range(3):
        pixels = np.full((64, 64), 60 * number, np.uint8)
        write_image(in_folder / f"some/{number}.png", pixels)
    done = run(in_folder, "clearset", "check", "some", "--set", "compare.resamples=100")
    assert done.returncode == 0, done.stderr
    assert "3 images: " in done.stdout
    assert "report: some-checked/reports/images/report.md" in done.stdout
    assert (in_folder / "some-checked/data/release/images/manifest.csv").exists()
    assert "some-checked" in done.stdout and "next" not in done.stdout
    again = run(in_folder, "clearset", "check", "some", "--set", "filter.darker.min=3")
    assert again.returncode == 1
    assert again.stderr.startswith("error: settings: filter.darker is not known. Known in filter: ")
    assert command.params[0].human_readable_name == "DIR"
