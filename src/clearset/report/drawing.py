"""Which figures and pictures a dataset gets: curves in git, pixels only of what may be shared."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from clearset.config.schema import Dataset
from clearset.decide.rules import Judged
from clearset.report import pictures, plots, proof_plots
from clearset.report.pictures import Stored
from clearset.store import layout, tables

Tables = dict[str, pd.DataFrame]


def sides(table: pd.DataFrame, folders: Mapping[str, Path]) -> pictures.Sides:
    """Return what gives an image's file before and after; `table` is `images`."""
    before, after = (
        pictures.files(table, folders[stage] / "images") for stage in ("fetch", "enhance")
    )
    return partial(_both, before, after)


def _both(
    before: Mapping[str, Stored], after: Mapping[str, Stored], image_id: str
) -> tuple[Stored, Stored]:
    return before[image_id], after[image_id]


def local(
    section: Dataset,
    found: Tables,
    made: Judged,
    shown: pictures.Sides,
    folders: dict[str, Path],
) -> None:
    """Write what stays in data/: tables of single images, and pictures with their pixels."""
    source, count = folders["fetch"] / "images", section.compare.gallery
    with layout.replacing(folders["compare"]) as begun:
        begun.mkdir()
        for name in ("verdicts", "vessels"):
            tables.write(name, found[name], begun)
        pictures.galleries(made.values, found, source, begun / "galleries", count)
        pictures.pairs(found["outcomes"], shown, begun / "pairs", section.compare.pairs)
        fits = found["registrations"].merge(found["leaks"][["image_id", "other_id"]])
        pictures.leaks(fits, shown, begun / "leaks", count)


def figures(
    found: Tables, made: Judged, called: dict[str, str], shown: pictures.Sides | None, target: Path
) -> None:
    """Write the figures: curves, and with `shown` pixels too.

    `called` says, by image_id, which rules called for its repair.
    """
    with layout.replacing(target) as begun:
        pictures.save(plots.rules_figure(made.values, made.bounds), begun / "rules.png")
        _of_repairs(found, called, shown, begun)
        if not found["truth"].empty:
            _of_detectors(found, shown, begun)


def _of_repairs(
    found: Tables, called: dict[str, str], shown: pictures.Sides | None, target: Path
) -> None:
    if not found["gains"].empty:
        pictures.save(proof_plots.gains_figure(found["gains"]), target / "gains.png")
    if found["outcomes"].empty:
        return
    pictures.save(plots.changes_figure(found["comparison"], called), target / "changes.png")
    if shown:
        pictures.repaired(found["outcomes"], shown, target / "repaired.png")


def _of_detectors(found: Tables, shown: pictures.Sides | None, target: Path) -> None:
    drawn = plots.detection_figure(found["severities"], found["crosstalk"])
    pictures.save(drawn, target / "detection.png")
    pictures.save(plots.curves_figure(found["curves"], found["calibration"]), target / "curves.png")
    if shown and (found["truth"]["severity"] > 0).any():
        readable = found["images"].loc[found["images"]["error"] == "", "image_id"]
        truth = found["truth"][found["truth"]["image_id"].isin(readable)]
        pictures.faults(truth, shown, target / "faults.png")
