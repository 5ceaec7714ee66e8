"""A fastdup work folder says the same whichever version wrote it; what misfits is named."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from clearset.config import params
from clearset.config.schema import Analyze, Dataset
from clearset.decide.published import published
from clearset.engines import analysis
from clearset.sources import work_folder, work_names
from clearset.stages import analyze, compare, enhance, fetch, filter, report
from clearset.store import cells, columns, dossiers, layout, tables
from clearset.store.errors import ClearsetError
from clearset.store.stages import Analysis
from conftest import run, write_image

NAME = "given"
STAGES = [fetch, analyze, filter, enhance, compare, report]
RULES = {
    "blur": {"metric": "blur", "min": 150, "action": "review"},
    "duplicate": {"metric": "surplus_similarity", "max": 0.98, "action": "drop"},
    "outlier": {"metric": "published_outlier", "max": 0, "action": "review"},
    "unreadable": {"metric": "unreadable", "max": 0, "action": "drop"},
}
STYLES = [(numbered, root) for numbered in (True, False) for root in ("", "tiles/", "/data/tiles/")]


def write(path: Path, header: str, rows: list[tuple[Any, ...]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header.split(","), *rows])


def made(
    folder: Path,
    *,
    images: int,
    identical: int,
    outliers: int,
    numbered: bool = True,
    root: str = "tiles/",
) -> Path:
    """Write a work folder of so many images, directed rows above 0.99, and outlier rows.

    `numbered` as current versions name images, else by path; the last file was refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [f"{root}a/tile_{n:05d}.tif" for n in range(images)]
    ends_of: list[Any] = list(range(images)) if numbered else paths
    refused = (images, f"{root}a/broken.tif", "ERROR_CORRUPT_IMAGE", 12)
    write(folder / work_names.LISTING, "index,filename", list(enumerate(paths)))
    write(folder / work_names.REFUSED, "index,filename,error_code,filesize", [refused])
    header = "width,height,unique,blur,mean,min,max,stdv,file_size,contrast"
    numbers = [(640, 640, 256, 140 + n, 120.5, 0, 255, 40.25, 819200, 1) for n in range(images)]
    if numbered:
        rows = [(n, *row) for n, row in enumerate(numbers)]
        write(folder / work_names.STATS, f"index,{header}", rows)
    else:
        named = [(n, paths[n], *row) for n, row in enumerate(numbers)]
        write(folder / work_names.STATS, f"index,filename,{header}", named)
    both = [(2 * n, 2 * n + 1) for n in range(identical // 2)]
    pairs = [
        (ends_of[i], ends_of[j], 0.995) for one, two in both for i, j in ((one, two), (two, one))
    ]
    pairs += [(ends_of[-2], ends_of[-1], 0.95)]
    write(folder / work_names.SIMILAR, "from,to,distance", pairs)
    ends = "from,to,distance" if numbered else "outlier,nearest,distance"
    far = [(ends_of[images - 1 - n], ends_of[0], 0.4 + n / 1e4) for n in range(outliers)]
    write(folder / work_names.OUTLYING, ends, far)
    groups = [(n, n // 2 if n < identical else n, 4 if n < identical else 0) for n in range(images)]
    write(folder / work_folder.COMPONENTS, "__id,component_id,count", groups)
    return folder


def configured(source: Path, **changes: Any) -> None:
    section: dict[str, Any] = {
        "fetch": {"source": "work_folder", "path": str(source)},
        "analyze": {"engine": "work_folder", "component_similarity": 0.96},
        "filter": RULES,
    }
    Path(params.PARAMS).write_text(yaml.safe_dump({NAME: section | changes}), encoding="utf-8")


def small(folder: Path) -> Path:
    return made(folder / "work", images=40, identical=6, outliers=3)


def published_of(source: Path) -> pd.DataFrame:
    """Run fetch and analyze on a work folder, and return the table `published`."""
    configured(source)
    fetch.main(NAME)
    analyze.main(NAME)
    images = tables.read("images", layout.stage_folder("fetch", NAME))
    own = dossiers.read(Analysis, layout.stage_folder("analyze", NAME))
    return published(images, own, columns.empty("flags"), Analyze()).set_index("finding")


@pytest.mark.parametrize(("numbered", "root"), [STYLES[1], STYLES[5]], ids=str)
def test_the_published_counts_of_the_labelled_tiles(
    in_folder: Path, numbered: bool, root: str
) -> None:
    source = made(
        in_folder / "work", images=1457, identical=12, outliers=145, numbered=numbered, root=root
    )
    table = published_of(source)
    same, far = table.loc["fully identical"], table.loc["outliers"]
    assert (same["edges"], round(same["published_percentage"], 2)) == (12, 0.27)
    assert (same["pairs"], same["groups"], same["images"]) == (6, 6, 12)
    assert round(same["image_percentage"], 2) == 0.82
    assert (far["edges"], round(far["published_percentage"], 2)) == (145, 3.32)
    assert far["images"] == 145


def test_the_published_counts_of_the_unlabelled_tiles(in_folder: Path) -> None:
    source = made(in_folder / "work", images=8258, identical=914, outliers=825)
    row = published_of(source).loc["fully identical"]
    assert (row["edges"], round(row["published_percentage"], 2)) == (914, 3.69)
    assert (row["pairs"], row["images"], round(row["image_percentage"], 2)) == (457, 914, 11.07)


def test_both_formats_and_all_roots_give_the_same_bytes(in_folder: Path) -> None:
    seen = []
    for number, (numbered, root) in enumerate(STYLES):
        place = in_folder / str(number)
        source = made(place, images=40, identical=6, outliers=3, numbered=numbered, root=root)
        configured(source)
        fetch.main(NAME)
        analyze.main(NAME)
        folder = layout.stage_folder("analyze", NAME)
        images = layout.stage_folder("fetch", NAME) / "images.csv"
        seen.append([file.read_bytes() for file in [*sorted(folder.iterdir()), images]])
    assert all(one == seen[0] for one in seen[1:])


def test_image_ids_are_paths_below_what_all_share(in_folder: Path) -> None:
    found = work_folder.read(small(in_folder))
    assert found.images["image_id"].tolist()[:2] == ["tile_00000", "tile_00001"]
    assert found.images["image_id"].tolist()[-1] == "broken"
    assert found.images["error"].tolist()[-1] == "ERROR_CORRUPT_IMAGE"
    assert found.notes == []


def test_windows_paths_are_paths(in_folder: Path) -> None:
    source = made(
        in_folder / "w", images=6, identical=2, outliers=1, numbered=False, root="C:\\t\\"
    )
    found = work_folder.read(source)
    assert found.images["image_id"].tolist()[:2] == ["tile_00000", "tile_00001"]
    assert len(found.edges) == 3


def test_rules_sweeps_and_the_report_need_no_image(in_folder: Path) -> None:
    configured(small(in_folder))
    for stage in STAGES:
        said = stage.main(NAME)
        assert said
    flags = tables.read("flags", layout.stage_folder("filter", NAME))
    counts = {"blur": 10, "duplicate": 3, "outlier": 3, "unreadable": 1}
    assert flags["rule"].value_counts().to_dict() == counts
    curation = tables.read("curation", layout.stage_folder("filter", NAME))
    # the sharper one of each pair stays
    assert curation["image_id"].tolist() == [f"tile_{n:05d}" for n in (0, 2, 4)]
    assert curation["keeper_id"].tolist() == [f"tile_{n:05d}" for n in (1, 3, 5)]
    page = (layout.REPORTS / NAME / "report.md").read_text()
    assert "fastdup work folder" in page
    assert "fully identical" in page
    assert not (layout.stage_folder("enhance", NAME) / "images").exists()


def test_nothing_can_be_enhanced_without_pixels() -> None:
    rules = RULES | {"blur": RULES["blur"] | {"action": "enhance"}}
    section = {
        "fetch": {"source": "work_folder", "path": "w"},
        "analyze": {"engine": "work_folder"},
        "filter": rules,
        "enhance": [{"rule": "blur", "method": "gamma", "gamma": 0.5}],
    }
    with pytest.raises(ClearsetError, match=r"filter\.blur asks to enhance.*holds no image"):
        params.check(NAME, section, "params.yaml")


@pytest.mark.parametrize("part", ["fetch", "analyze"])
def test_source_and_engine_go_together(part: str) -> None:
    own = {"fetch": {"source": "work_folder", "path": "w"}, "analyze": {"engine": "work_folder"}}
    with pytest.raises(ClearsetError, match="goes with work_folder"):
        params.check(NAME, {part: own[part], "filter": RULES}, "params.yaml")
    whole = params.check(NAME, own | {"filter": RULES}, "params.yaml")
    assert isinstance(whole, Dataset)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (work_names.SIMILAR, None, r"similarity.csv is missing: what it would tell is left out"),
        (work_names.OUTLYING, None, r"outliers.csv is missing"),
        (work_folder.COMPONENTS, None, r"connected_components.csv is missing"),
        (work_names.STATS, None, r"atrain_stats.csv is missing"),
        (work_names.SIMILAR, "", r"similarity.csv has no row"),
        (work_names.SIMILAR, "from,to,distance\n0,1\n", r"1 rows are cut short or too long"),
        (
            work_names.SIMILAR,
            "from,to,distance\n0,1,x\n2,3,0.9\n",
            r"1 rows pair an image",
        ),
        (
            work_names.SIMILAR,
            "from,to,distance\n0,1,7\n2,2,0.9\n",
            r"2 rows pair an image",
        ),
        (
            work_names.SIMILAR,
            "from,to,distance\n0,99,1\n0,no/such.tif,1\n",
            r"2 rows name images that are not there \(as '99'\): is it of another run\?",
        ),
        (work_names.OUTLYING, "from,to,distance\n77,0,0.1\n", r"outliers.csv: 1 rows name images"),
        (
            work_names.STATS,
            "index,blur\n" + "0,5\n" * 3,
            r"atrain_stats.csv: 2 rows are of an image that has one already",
        ),
        (work_names.STATS, "index,blur\n0,5\n", r"atrain_stats.csv: 39 images have no statistics"),
        (work_names.STATS, "index,blur\n0,\x00nan\n1,inf\n", r"40 images have no statistics"),
    ],
)
def test_what_does_not_fit_is_named_and_stops_nothing(
    in_folder: Path, name: str, content: str | None, said: str
) -> None:
    source = small(in_folder)
    if content is None:
        (source / name).unlink()
    else:
        (source / name).write_text(content)
    rules = {key: rule for key, rule in RULES.items() if key != "blur"}
    configured(source, filter=rules)
    told = fetch.main(NAME)
    analyze.main(NAME)
    assert "images flagged" in filter.main(NAME)
    notes = tables.read("notes", layout.stage_folder("fetch", NAME))["note"]
    assert notes.str.contains(said).any(), notes.tolist()
    assert all(note in told for note in notes)
    images = tables.read("images", layout.stage_folder("fetch", NAME))
    assert len(images) == 41


def test_a_report_has_the_notes_and_what_is_left(in_folder: Path) -> None:
    source = small(in_folder)
    for name in (work_names.SIMILAR, work_names.OUTLYING, work_folder.COMPONENTS):
        (source / name).unlink()
    configured(source)
    for stage in STAGES:
        stage.main(NAME)
    page = (layout.REPORTS / NAME / "report.md").read_text()
    assert "## Notes on the source" in page
    assert "similarity.csv is missing" in page.replace("\\", "")
    assert "| blur |" in page


def test_without_any_name_there_is_nothing_to_say(in_folder: Path) -> None:
    source = small(in_folder)
    (source / work_names.LISTING).unlink()
    (source / work_names.REFUSED).unlink()
    with pytest.raises(ClearsetError, match="no table says which images there are: atrain_feat"):
        work_folder.read(source)


def test_paths_in_the_tables_stand_in_for_a_missing_listing(in_folder: Path) -> None:
    source = made(in_folder / "w", images=40, identical=6, outliers=3, numbered=False)
    for name in (work_names.LISTING, work_names.REFUSED, work_folder.COMPONENTS):
        (source / name).unlink()
    found = work_folder.read(source)
    assert len(found.images) == 40
    assert len(found.edges) == 7


def listing(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    write(folder / work_names.LISTING, "index,filename", list(enumerate(names)))
    return folder


def test_hostile_names_stay_text_that_leads_nowhere(in_folder: Path) -> None:
    names = ["../../etc/passwd", "=cmd|'x'.png", "a\nb.png", "/etc/hosts", "x/../../y", "..", ""]
    found = work_folder.read(listing(in_folder / "work", *names)).images
    assert len(found) == 6
    for path in found["path"]:
        assert path.isprintable()
        assert not path.startswith(("=", "/"))
        assert ".." not in path.split("/")


HOSTILE = [
    "=cmd|'/C calc'!A0.png",
    "'=quoted.png",
    "+1.png",
    "@x.png",
    "\x1b[31mred.png",
    "<img src=x onerror=alert(1)>.png",
    "\u202ertl.png",
    "two\nlines.png",
    "a|b`c.png",
    "x" * 5000 + ".png",
    "ok.png",
]


def hostile(folder: Path) -> Path:
    """Write a work folder whose every name and number is meant to harm."""
    source = listing(folder, *HOSTILE)
    header = "index,img_w,img_h,file_size,blur,mean,min,max,stdv,contrast,unique,mean"
    sizes = ["1e300", "-5", "99999999999999999999", "nan", "inf", "=1+1", "", "1e9", "x", "7", "7"]
    rows = [
        (n, s, s, s, 10.0 ** (30 * n), "nan", s, "-inf", n, n, n, n) for n, s in enumerate(sizes)
    ]
    write(source / work_names.STATS, header, rows)
    write(source / work_names.REFUSED, "filename,error_code", [("b\x1bad.png", "=ERR")])
    ends = [(0, 1, 0.99), (1, 0, -0.25), ("=1+1", "x", 0.9), (2, 3, "=0.99"), (4, 10**400, 1)]
    write(source / work_names.SIMILAR, "from,to,distance", ends)
    write(source / work_names.OUTLYING, "from,to,distance", [(5, 6, 0.1), ("-zzz", 6, 0.1)])
    groups = [(0, "=1"), (1, "=1"), (2, "1e30"), (3, 10**50), (4, "nan")]
    write(source / work_folder.COMPONENTS, "__id,component_id", groups)
    return source


def test_a_hostile_work_folder_goes_to_a_report_and_no_cell_of_a_table_runs(
    in_folder: Path,
) -> None:
    configured(hostile(in_folder / "work"))
    said = "".join(stage.main(NAME) for stage in STAGES)
    assert "sizes are none, and left out: '1e300' of" in said
    assert "statistics are none, and left out: blur '1e+30' of" in said
    assert "names longer than 200 bytes, which few systems can hold, are cut: 'xxxx" in said
    assert "atrain_stats.csv, row 1: 'mean' stands twice: the last counts" in said
    every = [*Path("data").rglob("*.csv"), *Path("reports").rglob("*.csv")]
    assert len(every) > 20
    for path in every:
        with path.open(newline="", encoding="utf-8") as file:
            strings = [cell for row in csv.reader(file) for cell in row]
        assert not [s for s in strings if s.startswith(cells.FORMULA) and not number(s)], path
    page = (layout.REPORTS / NAME / "report.md").read_text()
    assert page.replace("\n", "").isprintable()
    assert "<img" not in page


def number(cell: str) -> bool:
    try:
        return bool(float(cell) or True)
    except ValueError:
        return False


def test_a_copy_says_what_the_tables_say(in_folder: Path) -> None:
    source = hostile(in_folder / "work")
    work_folder.copy(source, in_folder / "copy")
    one, two = work_folder.read(source), work_folder.read(in_folder / "copy", copied=True)
    for name in ("images", "metrics", "edges", "outliers", "components"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name))
    assert one.notes == two.notes


def test_tables_without_a_formula_are_copied_byte_for_byte(in_folder: Path) -> None:
    source = small(in_folder)
    with (source / work_names.SIMILAR).open("a") as file:
        file.write("0,5,-0.25\n0,6,-1e-05\n")
    work_folder.copy(source, in_folder / "copy")
    for path in source.iterdir():
        assert (in_folder / "copy" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("tail", [b"x" * 200_000 + b",=1,2\n", b"\xff\xfe,=1,2\n", b"\0=1,2,3\n"])
def test_a_copy_of_a_broken_table_runs_nothing(in_folder: Path, tail: bytes) -> None:
    source = small(in_folder)
    path = source / work_names.SIMILAR
    path.write_bytes(path.read_bytes() + tail)
    work_folder.copy(source, in_folder / "copy")
    text = (in_folder / "copy" / path.name).read_text()
    assert ",=" not in text and "\n=" not in text
    one, two = work_folder.read(source), work_folder.read(in_folder / "copy", copied=True)
    pd.testing.assert_frame_equal(one.edges, two.edges)


def test_a_path_that_exists_is_not_touched(in_folder: Path) -> None:
    outside = write_image(in_folder / "outside/a.png", np.zeros((12, 12), np.uint8))
    source = listing(in_folder / "work", str(outside), "b.png", "c.png")
    rows = [(n, 12, 12, 3, 500 + n, 9, 0, 9, 1, 99, 1) for n in range(3)]
    header = "index,width,height,unique,blur,mean,min,max,stdv,file_size,contrast"
    write(source / work_names.STATS, header, rows)
    configured(source)
    for stage in STAGES:
        stage.main(NAME)
    assert not (layout.stage_folder("enhance", NAME) / "images").exists()
    assert outside.is_file()


@pytest.mark.parametrize("said", ["./a/1.png", "a//1.png", "a\\1.png", "/a/1.png"])
def test_one_file_said_in_another_way_is_the_same(in_folder: Path, said: str) -> None:
    source = listing(in_folder / "work", "a/1.png", "a/2.png")
    write(source / work_names.SIMILAR, "from,to,distance", [(said, "a/2.png", 0.97)])
    assert work_folder.read(source).edges["image_id"].tolist() == ["1"]


def test_a_listing_without_numbers_is_in_their_order(in_folder: Path) -> None:
    source = in_folder / "work"
    source.mkdir()
    write(source / work_names.LISTING, "filename", [("a.png",), ("b.png",), ("c.png",)])
    write(source / work_names.REFUSED, "filename,error_code", [("d.png", "ERROR_\x1b[2J")])
    write(source / work_names.SIMILAR, "from,to,distance", [(2, 0, 0.97)])
    found = work_folder.read(source)
    assert found.edges.to_numpy().tolist() == [["c", "a", 0.97]]
    errors = found.images.set_index("image_id")["error"].to_dict()
    assert errors == {"a": "", "b": "", "c": "", "d": r"ERROR_\x1b[2J"}


def test_a_byte_order_mark_is_no_part_of_a_column(in_folder: Path) -> None:
    source = small(in_folder)
    whole = (source / work_names.LISTING).read_text()
    (source / work_names.LISTING).write_text(whole, encoding="utf-8-sig")
    assert work_folder.read(source).notes == []


def test_an_edge_listed_twice_counts_once(in_folder: Path) -> None:
    source = small(in_folder)
    before = work_folder.read(source)
    with (source / work_names.SIMILAR).open("a") as file:
        file.write("0,1,0.995\n")
    after = work_folder.read(source)
    pd.testing.assert_frame_equal(before.edges, after.edges)
    assert after.notes == ["similarity.csv: 1 rows are there twice, and count once"]


def test_what_stands_before_a_row_that_can_not_be_read_is_kept(in_folder: Path) -> None:
    source = small(in_folder)
    before = work_folder.read(source)
    with (source / work_names.SIMILAR).open("a") as file:
        file.write("x" * 200_000 + ",1,0.9\n")
    after = work_folder.read(source)
    pd.testing.assert_frame_equal(before.edges, after.edges)
    assert after.notes[0].startswith("similarity.csv can not be read beyond row 7")


def test_isolation_is_told_only_where_every_image_has_a_nearest_one(in_folder: Path) -> None:
    source = listing(in_folder / "work", *(f"{n}.png" for n in range(6)))
    rows = [(n, (n + 1) % 6, 0.9 + n / 100) for n in range(6)]
    write(source / work_names.SIMILAR, "from,to,distance", rows)
    work = work_folder.read(source)
    whole = analysis.of_work_folder(work, Analyze(component_similarity=0.96))
    assert whole.analysis.outliers["isolation_z"].notna().all()
    assert whole.analysis.outliers["nearest_id"].tolist() == ["5", "2", "3", "4", "5", "0"]
    write(source / work_names.SIMILAR, "from,to,distance", rows[:3])
    less = analysis.of_work_folder(work_folder.read(source), Analyze(component_similarity=0.96))
    assert less.analysis.outliers["isolation_z"].isna().all()


def test_a_work_folder_is_recognised(in_folder: Path) -> None:
    source = small(in_folder)
    assert work_folder.recognised(source)
    (source / work_names.LISTING).unlink()
    assert work_folder.recognised(source)  # by statistics and similarities
    (source / work_names.SIMILAR).unlink()
    assert not work_folder.recognised(source)
    assert not work_folder.recognised(in_folder / "nowhere")


def test_make_folder_takes_a_work_folder(project: Path, tmp_path: Path) -> None:
    source = small(tmp_path)
    command = ["clearset", "folder", str(source), "mine"]
    done = run(project, *command)
    assert done.returncode == 0, done.stderr
    assert "there is no image to repair or release" in done.stdout
    assert (project / "reports/mine/report.md").is_file()
    assert not (project / "data/release/mine").exists()
    again = run(project, *command, "--set", "mine.filter.blur.min=145")
    assert "Running stage 'folders/mine/dvc.yaml:filter@mine'" in again.stdout
    assert "Running stage 'folders/mine/dvc.yaml:analyze@mine'" not in again.stdout
