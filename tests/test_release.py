"""A released dataset: every image has one fate, and what is there lies where the source has it."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clearset import load_release
from clearset.decide import rules
from clearset.sources import places
from clearset.stages import fetch, release
from clearset.store import checksums, columns, layout, tables
from clearset.store.errors import ClearsetError
from conftest import of_the_source, write_image

HOSTILE = "=cmd|'x'.png"  # at the top of the source, so that its whole path is what begins so
SHARP, DARK, BLURRED, COPY = (f"train/{stem}" for stem in "abcd")
TEST, BROKEN, CUT = "test/e", "test/broken", r"test/f\ng"
TOP = "top/=cmd|'x'"
Run = Callable[..., pd.DataFrame]


def made_source(folder: Path) -> Path:
    """Write images and masks laid out as RAVIR's, and what a source must be expected to hold."""
    draw = np.random.default_rng(0)
    train, test = folder / "A Set/train", folder / "A Set/test"
    for stem in "abcd":
        pixels = draw.integers(0, 256, (16, 16), dtype=np.uint8)
        write_image(train / f"training_images/{stem}.png", pixels)
        write_image(train / f"training_masks/{stem}.png", pixels // 128 * 128)
    for place in (test / "e.png", test / "f\ng.png", folder / HOSTILE):
        write_image(place, draw.integers(0, 256, (16, 16), dtype=np.uint8))
    (test / "broken.png").write_bytes(b"no image")
    (folder / "licence.txt").write_text("what is no image goes along")
    return folder


def write_params(update: str) -> None:
    Path("params.yaml").write_text(
        "tiny:\n"
        "  fetch:\n"
        "    path: source\n"
        "    splits:\n"
        '      train: {images: "A Set/train/training_images/*.*",'
        ' masks: "A Set/train/training_masks/{stem}.png"}\n'
        '      test: {images: "A Set/test/*.png"}\n'
        '      top: {images: "*.png"}\n'
        "  filter: {blur: {metric: blur, min: 1}}\n"
        f"  release: {{update: {update}}}\n"
    )


def write_stages(unreadable: str = "drop") -> None:
    """Write what the stages before would have found: two repairs, one of them refused."""
    folder = layout.stage_folder("fetch", "tiny")
    table = tables.read("images", folder)
    flagged = {
        (DARK, "dark"): "enhance",
        (BLURRED, "blur"): "enhance",
        (BLURRED, "soft"): "review",
        (COPY, "duplicate"): "drop",
        (TEST, "soft"): "review",
        (SHARP, "counted"): "keep",
        (BROKEN, "unreadable"): unreadable,
        (CUT, "unreadable"): unreadable,
    }
    flags = pd.DataFrame(
        [(i, rule, 1.0, 2.0, None, action) for (i, rule), action in flagged.items()],
        columns=["image_id", "rule", "value", "min", "max", "action"],
    )
    tables.write("flags", flags, made(layout.stage_folder("filter", "tiny")))
    stays = columns.empty("curation").astype(object)
    stays.loc[0] = [COPY, "train", SHARP, "train", "duplicate", 1.0, 9]
    tables.write("curation", stays, layout.stage_folder("filter", "tiny"))
    tables.write("own_bounds", columns.empty("own_bounds"), layout.stage_folder("filter", "tiny"))
    tables.write("decisions", rules.decide(table, flags), layout.stage_folder("filter", "tiny"))
    enhanced = layout.stage_folder("enhance", "tiny")
    repairs: list[tuple[object, ...]] = []
    for image_id, steps in ((DARK, "gamma(gamma=0.6)"), (BLURRED, "unsharp_mask(amount=1)")):
        file = enhanced / f"images/{image_id}.png"
        write_image(file, np.zeros((16, 16), np.uint8) + np.uint8(len(repairs)))
        repairs.append((image_id, "", steps, 0.0, checksums.sha256(file)))
    names = ["image_id", "rules", "steps", "clipped", "sha256"]
    tables.write("repairs", pd.DataFrame(repairs, columns=names), enhanced)
    verdicts = pd.DataFrame(
        {"image_id": [DARK, BLURRED], "accepted": [1, 0], "verdict": ["accepted", "refused"]}
        | {"refused_by": ["", "noise clipped"]}
    ).assign(noise_ratio=[1.25, 4.5])
    tables.write("verdicts", verdicts, made(layout.stage_folder("compare", "tiny")))


def made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def released(in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A function that releases the dataset of `made_source` and returns the manifest."""
    monkeypatch.setenv("CLEARSET_WORKERS", "1")
    made_source(in_folder / "source")

    def run(update: str = "accepted", review: str = "", unreadable: str = "drop") -> pd.DataFrame:
        write_params(update)
        fetch.main("tiny")
        write_stages(unreadable)
        if review:
            (made(layout.REVIEW) / "tiny.csv").write_text(f"image_id,decision,note\n{review}\n")
        release.main("tiny")
        return tables.read("manifest", target()).set_index("image_id")

    return run


def target() -> Path:
    return layout.stage_folder("release", "tiny")


def files(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file below a folder, by its path."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): checksums.sha256(path) for path in found}


UPDATES = ["never", "accepted", "all"]


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("review", ["", f"{SHARP},drop,\n{COPY},keep,\n{BLURRED},repair,"])
def test_every_image_of_the_source_has_one_fate(released: Run, update: str, review: str) -> None:
    manifest = released(update, review)
    images = tables.read("images", layout.stage_folder("fetch", "tiny")).set_index("image_id")
    assert list(manifest.index) == list(images.index)
    assert len(manifest) == 8
    assert set(manifest["decision"]) <= {"kept", "repaired", "dropped"}
    assert (manifest["reason"] != "").all()
    assert (manifest["source_sha256"] == images["sha256"]).all()
    gone = manifest["decision"] == "dropped"
    for column in ("output", "output_sha256"):
        assert ((manifest[column] == "") == gone).all()
    assert (manifest.loc[~gone, "output"] == manifest.loc[~gone, "source"]).all()
    assert ((manifest["steps"] != "") == (manifest["decision"] == "repaired")).all()
    numbers = json.loads((layout.REPORTS / "tiny/release.json").read_text())
    assert numbers == {"tiny.released": int((~gone).sum())}


@pytest.mark.parametrize("update", UPDATES)
def test_the_folder_holds_what_the_manifest_lists_and_nothing_else(
    released: Run, update: str
) -> None:
    manifest = released(update)
    listed = {
        Path(row[path]).as_posix(): row[f"{path}_sha256"]
        for _, row in manifest.iterrows()
        for path in ("output", "mask")
        if row[path]
    }
    listed |= {"licence.txt": files(Path("source"))["licence.txt"]}
    there = files(target())
    assert {name: there[name] for name in of_the_source(there)} == listed
    assert set(there) > places.OWN


def test_what_is_kept_and_every_mask_are_the_sources_own_bytes(released: Run) -> None:
    manifest = released()
    source, there = files(Path("source")), files(target())
    for image_id, row in manifest.iterrows():
        if row["decision"] == "dropped":
            continue
        place = Path(row["output"]).as_posix()
        assert (there[place] == source[place]) == (row["decision"] == "kept"), image_id
        if row["mask"]:
            assert there[row["mask"]] == source[row["mask"]] == row["mask_sha256"]
    kept = of_the_source(there)
    assert kept < set(source)  # the source's own layout, and no place beside it
    assert "A Set/train/training_masks/a.png" in kept
    assert not any("/d.png" in place for place in kept)  # dropped, its mask too


@pytest.mark.parametrize(
    ("update", "fates", "reasons"),
    [
        ("never", ["kept", "kept"], ["update: never", "update: never"]),
        ("accepted", ["repaired", "kept"], ["repair accepted", "repair refused by noise clipped"]),
        ("all", ["repaired", "repaired"], ["update: all", "update: all"]),
    ],
)
def test_update_says_which_repairs_enter(
    released: Run, update: str, fates: list[str], reasons: list[str]
) -> None:
    manifest = released(update).loc[[DARK, BLURRED]]
    assert manifest["decision"].tolist() == fates
    assert manifest["reason"].tolist() == reasons
    assert manifest["noise_ratio"].tolist() == [1.25, 4.5]  # evidence, of a refused one too
    assert manifest["flags"].tolist() == ["dark", "blur soft"]


def test_each_reason_is_told(released: Run) -> None:
    manifest = released()
    reasons = manifest["reason"].to_dict()
    assert reasons[TOP] == "no flag"
    assert reasons[SHARP] == "flagged by rules that only count"
    assert reasons[TEST] == "flagged for review only"
    assert reasons[COPY] == f"dropped by duplicate: {SHARP} stays in its stead"
    assert reasons[BROKEN].startswith("dropped by unreadable: ")
    assert reasons[CUT] == "dropped by unreadable: control characters in its name: rename it"
    assert manifest.loc[DARK, "steps"] == "gamma(gamma=0.6)"
    assert manifest.drop([DARK, BLURRED])["noise_ratio"].isna().all()


def test_a_broken_image_that_no_rule_drops_stays_as_it_is(released: Run) -> None:
    manifest = released(unreadable="review")
    assert BROKEN not in set(load_release(target()).frame["image_id"])
    assert manifest.loc[BROKEN, "decision"] == "kept"
    assert manifest.loc[BROKEN, "reason"].startswith("kept as it is: ")
    assert (target() / "A Set/test/broken.png").read_bytes() == b"no image"
    assert manifest.loc[CUT, "decision"] == "dropped"  # nowhere to put it
    assert (
        manifest.loc[CUT, "reason"] == "not to be copied: control characters in its name: rename it"
    )


@pytest.mark.parametrize("update", UPDATES)
def test_a_review_comes_before_every_rule(released: Run, update: str) -> None:
    review = f"{DARK},keep,as it is\n{BLURRED},repair,sharper\n{COPY},keep,\n{TOP},drop,no eye"
    manifest = released(update, review)
    assert manifest["decision"].reindex([DARK, BLURRED, COPY, TOP]).tolist() == [
        "kept",
        "repaired",
        "kept",
        "dropped",
    ]
    assert manifest["reason"].reindex([DARK, BLURRED, COPY, TOP]).tolist() == [
        "review file: as it is",
        "review file: sharper",
        "review file",
        "review file: no eye",
    ]
    there, source = files(target()), files(Path("source"))
    for stem, same in (("b", True), ("c", False), ("d", True)):
        place = f"A Set/train/training_images/{stem}.png"
        assert (there[place] == source[place]) == same
    assert HOSTILE not in there


NOTES = [
    "=cmd|'x'!A1",
    "a, b",
    'so, "quoted"',
    "one\ntwo\r\nthree\r=four",
    "NA",
    " \t spaced ",
    "ä \u202e 眼",
    "'",
    '"',
]


@pytest.mark.parametrize("note", NOTES)
def test_a_note_comes_through_whole_and_runs_nowhere(released: Run, note: str) -> None:
    quoted = note.replace('"', '""')
    layout.REVIEW.mkdir(parents=True)
    text = f'image_id,decision,note\n{SHARP},drop,"{quoted}"\n'
    (layout.REVIEW / "tiny.csv").write_bytes(text.encode())
    reason = released().loc[SHARP, "reason"]
    assert reason.removeprefix("review file: ") == note
    with (target() / "manifest.csv").open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_path_like_a_formula_still_leads_to_its_file(released: Run) -> None:
    row = released().loc[TOP]
    assert row["output"] == row["source"] == f"./{HOSTILE}"
    assert Path(row["output"]) == Path(HOSTILE)
    assert (target() / row["output"]).read_bytes() == (Path("source") / HOSTILE).read_bytes()


@pytest.mark.parametrize(
    ("review", "message"),
    [
        ("train/aa,keep,", r"tiny\.csv, line 2: no image is called 'train/aa'\. .*'train/a'"),
        ("zzz,drop,", "no image is called 'zzz'. Is it one of 'test/broken', .* and 3 more"),
        (f"{SHARP},repair,", rf"line 2: {SHARP} was not repaired \(repaired: train/b, train/c\)"),
        (f"{SHARP},keep,\n{CUT},keep,", "line 3: .* can not be kept"),
    ],
)
def test_a_review_without_ground_is_refused(released: Run, review: str, message: str) -> None:
    with pytest.raises(ClearsetError, match=message):
        released(review=review)
    assert not target().exists()


def test_a_dropped_image_leaves_a_mask_that_another_shares(in_folder: Path, released: Run) -> None:
    folder = in_folder / "source/A Set/train"
    shutil.copyfile(folder / "training_images/a.png", folder / "training_images/a.PNG")
    manifest = released(review="train/a.PNG,drop,")
    assert manifest.loc["train/a.png", "mask"] == "A Set/train/training_masks/a.png"
    assert manifest.loc["train/a.PNG", "mask"] == ""
    assert (target() / "A Set/train/training_masks/a.png").exists()


def test_the_same_inputs_give_the_same_bytes(released: Run) -> None:
    released()
    first = files(target())
    released()
    assert files(target()) == first


def test_a_repair_without_a_verdict_is_an_error(released: Run) -> None:
    released()
    folder = layout.stage_folder("compare", "tiny")
    tables.write("verdicts", tables.read("verdicts", folder)[:1], folder)
    with pytest.raises(ClearsetError, match="without a verdict: train/c"):
        release.main("tiny")


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("fetch/tiny/images/train/a.png", "a.png is"),
        ("enhance/tiny/images/train/b.png", "b.png is"),
    ],
)
def test_a_file_that_is_not_what_its_stage_wrote_is_not_released(
    released: Run, place: str, message: str
) -> None:
    released()
    before = files(target())
    file = layout.DATA / place
    file.write_bytes(b"other")
    with pytest.raises(ClearsetError, match=f"{message} not what its stage wrote"):
        release.main("tiny")
    file.unlink()
    with pytest.raises(ClearsetError, match=f"{message} missing"):
        release.main("tiny")
    assert files(target()) == before


def test_what_was_done_is_told_with_the_next_step(released: Run) -> None:
    released()
    told = release.main("tiny")
    assert (
        "8 images: 4 kept, 1 repaired, 3 dropped (repairs accepted 1, refused 1, not told 0)"
        in told
    )
    assert "data/release/tiny/manifest.csv" in told
    assert "conf/review/tiny.csv" in told
