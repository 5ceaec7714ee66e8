"""Figures with pixels of the dataset: galleries, and each repaired image beside its original."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import fill, shorten
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from clearset.images import codec, views
from clearset.images.levels import Pixels, Reading, declared
from clearset.report import sheets
from clearset.report.papers import quiet
from clearset.similar import registration
from clearset.store import layout
from clearset.store.dossiers import Dossier
from clearset.store.parallel import mapped

DPI = 100
SMALL = 220  # px: side of a picture in the sheets that are kept in git
CAPTION = 38  # characters in a line over a picture
THUMBNAIL = 320  # px: a gallery's pictures are thinned to at most twice this


@dataclass(frozen=True)
class Stored:
    """An image file and how its values are read."""

    path: Path
    reading: Reading


Sides = Callable[[str], tuple[Stored, Stored]]


def files(table: pd.DataFrame, folder: Path, carried: Path) -> dict[str, Stored]:
    """Return, by image_id, the readable files of the table `images` below a folder.

    Below `carried` lie files that images' fields of view are given by.
    """
    readable = table[table["error"] == ""]
    return {
        row.image_id: Stored(folder / row.path, declared(row, carried))
        for row in readable.itertuples()
    }


def laid_out(figure: Figure, dpi: int = DPI) -> Figure:
    """Return the figure with its parts in their places, for good.

    One that has a way to be laid out is drawn twice each time it is saved, once for that alone.
    """
    engine = figure.get_layout_engine()
    if engine is not None:
        figure.set_dpi(dpi)
        with quiet():
            engine.execute(figure)
        figure.set_layout_engine(None)
    return figure


def save(figure: Figure, path: Path, dpi: int = DPI) -> Path:
    """Write a figure as PNG: the same figure gives the same bytes."""
    with layout.replacing(path) as incomplete, quiet():
        figure.savefig(incomplete, format="png", dpi=dpi, metadata={"Software": None})
    return path


def write(pixels: Pixels, path: Path) -> Path:
    """Write a sheet of pictures as PNG."""
    with layout.replacing(path) as incomplete:
        incomplete.write_bytes(codec.png_bytes(pixels))
    return path


def full_size(file: Stored) -> Pixels:
    """Return a file's pixels as a figure takes them: upright, 8 bits of the declared range."""
    return views.view(file.path, file.reading).shown()


def thumbnail(file: Stored) -> Pixels:
    """Return a file's pixels as a figure takes them, every n-th of a large image."""
    pixels = full_size(file)
    step = max(1, min(pixels.shape[:2]) // THUMBNAIL)
    return pixels[::step, ::step]


def galleries(values: pd.DataFrame, dossier: Dossier, target: Path, count: int) -> list[Path]:
    """Write the galleries of the published studies and return their paths.

    Blurred (ascending), dark, bright, outliers beside their nearest image, the most similar pairs,
    components. `values` are the rules' measures; at most `count` entries in each gallery.
    """
    fetched = dossier.folders["fetch"]
    stored_files = files(dossier.catalogue.images, fetched / "images", fetched / "carried")
    analysis, curation = dossier.analysis, dossier.selection.curation
    outliers = analysis.outliers
    once = cache(lambda image_id: thumbnail(stored_files[image_id]))  # in several galleries

    def with_captions(entries: Iterable[tuple[str, str]]) -> list[sheets.Picture]:
        return [(once(i), f"{i}\n{caption}") for i, caption in entries]

    pages: list[tuple[str, str, list[tuple[str, str]]]] = [
        ("blur", "Lowest blur statistic (least sharp first)", _ends(values["blur"], count, True)),
        ("dark", "Darkest (lowest mean)", _ends(values["mean"], count, True)),
        ("bright", "Brightest (highest mean)", _ends(values["mean"], count, False)),
        ("outliers", "Most isolated, each beside its nearest image", _isolated(outliers, count)),
        ("duplicates", "Most similar pairs", _pairs(analysis.neighbours, count)),
        ("components", "Components", _components(analysis.components, count)),
        ("dropped", "Dropped, each beside what stays", _dropped(curation, count)),
    ]
    return [
        write(sheets.sheet(with_captions(entries), title), target / f"{name}.png")
        for name, title, entries in pages
        if entries
    ]


def _ends(column: pd.Series, count: int, ascending: bool) -> list[tuple[str, str]]:
    ordered = column.dropna().sort_values(ascending=ascending, kind="stable").head(count)
    return [(str(i), f"{column.name} {value:.6g}") for i, value in ordered.items()]


def _isolated(outliers: pd.DataFrame, count: int) -> list[tuple[str, str]]:
    far = outliers.sort_values(["isolation_z", "image_id"]).head(count)
    return [
        entry
        for row in far.itertuples()
        for entry in (
            (
                row.image_id,
                f"z {row.isolation_z:.2f}"
                + (", published outlier" if row.published_outlier else ""),
            ),
            (row.nearest_id, f"nearest, similarity {row.nearest_similarity:.4f}"),
        )
    ]


def _pairs(neighbours: pd.DataFrame, count: int) -> list[tuple[str, str]]:
    once = neighbours[neighbours["image_id"] < neighbours["neighbour_id"]]
    top = once.sort_values(["similarity", "image_id"], ascending=[False, True], kind="stable").head(
        count
    )
    return [
        entry
        for row in top.itertuples()
        for entry in ((row.image_id, f"similarity {row.similarity:.4f}"), (row.neighbour_id, ""))
    ]


def _dropped(curation: pd.DataFrame, count: int) -> list[tuple[str, str]]:
    return [
        entry
        for row in curation.head(count).itertuples()
        for entry in ((row.image_id, f"dropped by {row.rules}"), (row.keeper_id, "stays"))
    ]


def _components(components: pd.DataFrame, count: int) -> list[tuple[str, str]]:
    first = components[components["component_id"] < count].head(4 * count)
    return [
        (row.image_id, f"component {row.component_id} of {row.images}")
        for row in first.itertuples()
    ]


def pairs(outcomes: pd.DataFrame, sides: Sides, target: Path, count: int) -> list[Path]:
    """Write each repaired image beside its original, at most `count`, as `<image_id>.png`.

    `sides` gives the two files of an image_id.
    """
    jobs = [
        (
            sides(row.image_id),
            f"{row.image_id}: {row.steps}\nPSNR {row.psnr:.1f} dB, SSIM {row.ssim:.3f}",
            target / f"{row.image_id}.png",
        )
        for row in outcomes.head(count).itertuples()
    ]
    return mapped(_pair, jobs, "draw")


def _pair(job: tuple[tuple[Stored, Stored], str, Path]) -> Path:
    files, title, path = job
    before, after = (full_size(file) for file in files)
    return write(sheets.pair(before, after, title), path)


def repaired(outcomes: pd.DataFrame, sides: Sides, path: Path) -> Path:
    """Write one sheet: for each way of repair its first image, before and after."""
    entries = []
    for row in outcomes.drop_duplicates("steps").itertuples():
        before, after = (thumbnail(file) for file in sides(row.image_id))
        flags = shorten(f"flagged: {row.flags_before}", CAPTION, placeholder=" ...")
        chain = " > ".join(step.partition("(")[0] for step in row.steps.split(" > "))
        verdict = fill(f"{row.verdict.replace('_', ' ')}: {chain}", CAPTION)
        entries += [(before, f"{row.image_id}\n{flags}"), (after, verdict)]
    return write(sheets.sheet(entries, "Before and after repair", 6, SMALL), path)


def leaks(fits: pd.DataFrame, sides: Sides, target: Path, count: int) -> list[Path]:
    """Write the surest pairs of one subject in two splits, at most `count`, registered.

    `fits` are rows of the table `registrations`.
    """
    best = fits.sort_values(["inliers", "image_id"], ascending=[False, True], kind="stable")
    return [
        _leak(row, sides, target / f"{number:03d}.png")
        for number, row in enumerate(best.head(count).itertuples())
    ]


def _leak(row: Any, sides: Sides, path: Path) -> Path:
    first, second = (full_size(sides(i)[0]) for i in (row.image_id, row.other_id))
    if first.ndim != second.ndim:  # one in colour: both then
        first, second = (p if p.ndim == 3 else np.dstack([p] * 3) for p in (first, second))
    matrix = np.array([[row.xx, row.xy, row.x0], [row.yx, row.yy, row.y0]])
    moved = registration.onto(first, matrix, second.shape[:2])
    title = f"{row.image_id} and {row.other_id}: {row.inliers} inliers"
    return write(sheets.registered(first, second, moved, title), path)


def faults(truth: pd.DataFrame, sides: Sides, path: Path) -> Path:
    """Write one sheet: an image of each fault that has severities, the most severe one."""
    worst = truth[truth["severity"] > 0]
    worst = worst.sort_values(["severity", "image_id"], ascending=[False, True], kind="stable")
    rows = worst.drop_duplicates("fault").sort_values(["fault"], kind="stable")
    entries = [
        (thumbnail(sides(row.image_id)[0]), f"{row.fault} {row.severity}\n{row.parameters}")
        for row in rows.itertuples()
    ]
    return write(sheets.sheet(entries, "Planted faults", 5, SMALL), path)
