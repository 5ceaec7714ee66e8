"""Which figures a dataset gets: pixels only of what may be passed on, and nothing of nothing."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clearset.config.schema import About, Action, Dataset, Rule
from clearset.decide.rules import Judgement, flag
from clearset.report import drawing
from clearset.report.study import Study
from clearset.similar.duplicates import Surplus
from clearset.store import columns
from clearset.store.columns import STR, TABLES
from clearset.store.dossiers import Dossier
from clearset.store.stages import (
    Analysis,
    Catalogue,
    Cleaning,
    Comparison,
    Selection,
)
from conftest import tables_of, write_image

IDS = ["train/a", "test/b", "test/c"]
CURVES = {"rules.png", "changes.png", "detection.png", "curves.png"}
PIXELS = {"repaired.png", "faults.png"}
UNKNOWN = {"detection.png", "curves.png", "faults.png"}  # not drawn where there is no truth
SHARED, PRIVATE = True, False


def rows(name: str, **columns: object) -> pd.DataFrame:
    """Return a table with these columns, and zeros and empty texts in the others."""
    kinds = TABLES[name].columns
    blank = {column: "" if kind == STR else 0 for column, kind in kinds.items()}
    return pd.DataFrame(blank | columns).astype(kinds)


def section(shared: bool) -> Dataset:
    """Return the params of a dataset that may be passed on, or may not."""
    rules = {"dark": Rule("mean", min=50.0, action=Action.enhance)}
    steps = [{"rule": "dark", "method": "gamma", "gamma": 0.5}]
    return Dataset(about=About(redistributable=shared), filter=rules, enhance=steps)


@pytest.fixture
def dossier(tmp_path: Path) -> Dossier:
    """Three images, the first dark and repaired; it shows the subject of the second."""
    for number, name in enumerate(IDS):
        pixels = np.full((48, 48), 40 + 60 * number, np.uint8)
        pixels[:, 20:30] += 10
        write_image(tmp_path / f"fetch/images/{name}.png", pixels)
        write_image(tmp_path / f"enhance/images/{name}.png", pixels + 20)
    images = rows("images", image_id=IDS, path=[f"{name}.png" for name in IDS], high=255.0)
    images["nodata"] = np.nan
    faults = {"fault": ["under_exposure", "none", "none"], "severity": [2, 0, 0]}
    fits = rows("registrations", image_id=[IDS[0]], other_id=[IDS[1]], inliers=20, xx=1.0, yy=1.0)
    return Dossier(
        {name: tmp_path / name for name in ("fetch", "enhance")},
        tables_of(Catalogue, images=images, truth=rows("truth", image_id=IDS, **faults)),
        tables_of(Analysis, registrations=fits),
        tables_of(Selection),
        tables_of(Cleaning, images=images, repairs=rows("repairs", image_id=IDS[:1], rules="dark")),
        {},
    )


@pytest.fixture
def result() -> Comparison:
    """What compare says of them."""
    return tables_of(
        Comparison,
        outcomes=rows("outcomes", image_id=IDS[:1], steps="gamma(gamma=0.5)"),
        comparison=rows("comparison", image_id=IDS[:1], metric="mean", before=40.0, after=60.0),
        leaks=rows("leaks", image_id=[IDS[0]], other_id=[IDS[1]], inliers=20),
    )


def judgement(rules: dict[str, Rule]) -> Judgement:
    values = pd.DataFrame({"mean": [40.0, 100.0, 160.0], "blur": 9.0}, pd.Index(IDS))
    values = values.rename_axis("image_id")
    return Judgement(values, rules, flag(values, rules), Surplus(pd.DataFrame(), pd.DataFrame()))


def drawn(shared: bool, dossier: Dossier, result: Comparison, target: Path) -> Path:
    """Draw everything below a folder, and return it: figures, and report, the other pictures."""
    params = section(shared)
    made, images = judgement(params.filter), dossier.catalogue.images
    broken = made.values.index.isin(images.loc[images["error"] != "", "image_id"])
    made.values[broken] = float("nan")  # as nothing is measured of them
    study = Study("eyes", params, dossier, result, made)
    drawing.draw(study, target / "report", target / "figures")
    return target


def figures(shared: bool, dossier: Dossier, result: Comparison, target: Path) -> set[str]:
    """Draw the figures, and return their names."""
    return {path.name for path in (drawn(shared, dossier, result, target) / "figures").iterdir()}


def galleries(dossier: Dossier, result: Comparison, target: Path) -> set[str]:
    """Draw the pictures of single images, and return their paths."""
    report = drawn(PRIVATE, dossier, result, target) / "report"
    return {path.relative_to(report).as_posix() for path in report.rglob("*.png")}


@pytest.mark.parametrize("shared", [SHARED, PRIVATE])
def test_figures_show_pixels_only_of_what_may_be_passed_on(
    shared: bool, dossier: Dossier, result: Comparison, tmp_path: Path
) -> None:
    names = figures(shared, dossier, result, tmp_path)
    assert names == (CURVES | PIXELS if shared else CURVES)


def test_without_a_truth_no_figure_is_of_detectors_or_faults(
    dossier: Dossier, result: Comparison, tmp_path: Path
) -> None:
    catalogue = replace(dossier.catalogue, truth=columns.empty("truth"))
    names = figures(SHARED, replace(dossier, catalogue=catalogue), result, tmp_path)
    assert names == (CURVES | PIXELS) - UNKNOWN


def test_without_a_repair_no_figure_is_of_repairs(dossier: Dossier, tmp_path: Path) -> None:
    cleaning = replace(dossier.cleaning, repairs=columns.empty("repairs"))
    bare, nothing = replace(dossier, cleaning=cleaning), tables_of(Comparison)
    names = figures(SHARED, bare, nothing, tmp_path)
    assert names == (CURVES | PIXELS) - {"changes.png", "repaired.png"}


def test_faults_that_can_not_be_read_are_not_drawn(
    dossier: Dossier, result: Comparison, tmp_path: Path
) -> None:
    truth = rows("truth", image_id=IDS, fault=["jpeg", "none", "truncated"], severity=[2, 0, 3])
    images = dossier.catalogue.images.assign(error=["", "", "broken"])
    (tmp_path / f"fetch/images/{IDS[2]}.png").unlink()
    catalogue = replace(dossier.catalogue, images=images, truth=truth)
    whole = replace(dossier, catalogue=catalogue)
    assert "faults.png" in figures(SHARED, whole, result, tmp_path)


def test_figures_of_an_earlier_run_are_gone(
    dossier: Dossier, result: Comparison, tmp_path: Path
) -> None:
    figures(SHARED, dossier, result, tmp_path)
    assert figures(PRIVATE, dossier, result, tmp_path) == CURVES


def test_galleries_pairs_and_leaks_are_drawn_whatever_may_be_passed_on(
    dossier: Dossier, result: Comparison, tmp_path: Path
) -> None:
    assert galleries(dossier, result, tmp_path) == {
        *(f"galleries/{name}.png" for name in ("blur", "dark", "bright")),
        "pairs/train/a.png",
        "leaks/000.png",
    }


def test_a_pair_that_is_no_leak_is_not_shown_as_one(
    dossier: Dossier, result: Comparison, tmp_path: Path
) -> None:
    without = replace(result, leaks=columns.empty("leaks"))
    assert "leaks/000.png" not in galleries(dossier, without, tmp_path)


def test_where_tables_are_all_there_is_nothing_is_drawn(dossier: Dossier, tmp_path: Path) -> None:
    bare = replace(dossier, folders=dict.fromkeys(dossier.folders, tmp_path / "none"))
    assert galleries(bare, tables_of(Comparison), tmp_path) == set()
    assert (tmp_path / "report").is_dir()


def test_figures_for_papers_are_the_curves_as_pdf(
    dossier: Dossier, result: Comparison, tmp_path: Path
) -> None:
    galleries(dossier, result, tmp_path)
    names = {path.name for path in (tmp_path / "report/figures").iterdir()}
    assert names == {f"{Path(n).stem}.pdf" for n in CURVES}


def test_figures_for_papers_are_the_same_bytes_and_hold_no_date_and_no_picture(
    dossier: Dossier, result: Comparison, tmp_path: Path
) -> None:
    contents = []
    for number in range(2):
        galleries(dossier, result, tmp_path / f"{number}")
        files = sorted((tmp_path / f"{number}/report/figures").iterdir())
        contents.append([path.read_bytes() for path in files])
    assert contents[0] == contents[1]
    for content in contents[0]:
        assert not re.search(rb"Date|/Producer|/Creator|dc:creator|20[0-9]{2}-[0-9]{2}-", content)
        assert not re.search(rb"/Subtype /Image|FlateDecode|/Type3", content)
    pdfs = [content for content in contents[0] if content.startswith(b"%PDF")]
    assert len(pdfs) == len(CURVES)
    assert (
        b"/FontFile2" in (tmp_path / "0/report/figures/rules.pdf").read_bytes()
    )  # type is embedded
