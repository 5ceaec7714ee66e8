"""A page of the images whose fate changed, with pictures, that opens in any browser offline."""

import tempfile
from dataclasses import replace
from html import escape as escaped
from pathlib import Path
from typing import Any

import pandas as pd

from clearset.images import codec
from clearset.images.levels import declared
from clearset.report import pictures
from clearset.share.manifest import DROPPED
from clearset.store import layout
from clearset.store.cells import visible
from clearset.store.errors import ClearsetError, UnreadableImage
from clearset.versions import revisions
from clearset.versions.fates import Version

PICTURED = 100  # images that get pictures
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; color: #222 }
table { border-collapse: collapse; width: 100% } th { text-align: left }
td, th { border-top: 1px solid #ccc; padding: .6rem; vertical-align: top }
img { width: 12rem; display: block; background: #eee } .fate { font-weight: 600 }
small { display: block; max-width: 12rem; overflow-wrap: anywhere; color: #555 }
.none { width: 12rem; height: 4rem; color: #888 } .why { max-width: 28rem }
"""


def escape(text: str) -> str:
    """Return text as a page shows it: no markup, nothing that steers."""
    return escaped(visible(text))


def write(
    table: pd.DataFrame, versions: tuple[Version, Version], names: tuple[str, str, str], to: Path
) -> None:
    """Write index.html for the table `fates`, and the pictures of both versions beside it.

    `names` are the dataset and the two revisions. A picture that is not at hand is left out.
    """
    dataset, *revs = names
    manifests = [version.manifest.set_index("image_id") for version in versions]
    rows = []
    for number, row in enumerate(table.itertuples()):
        cells = []
        for side, (manifest, revision) in enumerate(zip(manifests, revs, strict=True)):
            file = to / f"pictures/{number}-{side}.png"
            pictured = number < PICTURED and row.image_id in manifest.index
            available = pictured and picture(dataset, manifest.loc[row.image_id], revision, file)
            cells.append((row.before, row.after)[side])
            cells.append(f"pictures/{file.name}" if available else "")
        rows.append(_row(row, cells))
    labels = [escape(revision or "the workspace") for revision in revs]
    title = f"{escape(dataset)}: {len(table)} images changed fate from {labels[0]} to {labels[1]}"
    head = f"<tr><th>image<th>{labels[0]}<th>{labels[1]}<th>why</tr>"
    (to / "index.html").write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style><h1>{title}</h1><table>{head}{''.join(rows)}</table></html>\n",
        encoding="utf-8",
    )


def _row(row: Any, cells: list[str]) -> str:
    sides = [
        f'<td><span class="fate">{escape(fate)}</span>'
        + (
            f'<img src="{place}" alt="{escape(row.image_id)}">'
            if place
            else '<div class="none">no picture</div>'
        )
        + f"<small>{escape(steps)}</small>"
        for fate, place, steps in (
            (cells[0], cells[1], row.steps_before),
            (cells[2], cells[3], row.steps_after),
        )
    ]
    return (
        f"<tr><td>{escape(row.image_id)}<br><small>{escape(row.split)}</small>"
        f'{"".join(sides)}<td class="why">{escape(row.why)}</tr>'
    )


def picture(dataset: str, row: Any, revision: str, target: Path) -> bool:
    """Write an image as it was released at a revision, or as fetched if dropped; say if it was."""
    source = layout.stage_folder("fetch" if row.decision == DROPPED else "release", dataset)
    place = f"images/{row.name}{Path(row.source).suffix}" if row.decision == DROPPED else row.output
    try:
        content = revisions.content(source / place, revision)
        with tempfile.TemporaryDirectory(prefix="clearset-") as scratch:
            file = Path(scratch) / f"image{Path(place).suffix}"
            file.write_bytes(content)
            reading = replace(declared(row), seen="")  # its field of view may be another file
            pixels = pictures.thumbnail(pictures.Stored(file, reading))
    except (ClearsetError, UnreadableImage):
        return False
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(codec.png_bytes(pixels))
    return True
