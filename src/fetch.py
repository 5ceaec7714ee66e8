"""Bring a dataset's files into images/ and masks/, and list them in images.csv."""

import math
import shutil
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from clearset.config import params
from clearset.config.schema_fetch import Fetch, PixelRange, Source
from clearset.config.stage import run
from clearset.generate.satellite import tiles
from clearset.images import codec, levels, ranges
from clearset.plant import planter
from clearset.sources import description, inventory, origin, places, work_folder
from clearset.store import cells, checksums, columns, layout, tables
from clearset.store.errors import ClearsetError, UnreadableImage, listed
from clearset.store.parallel import mapped


def main(dataset: str) -> str:
    """Fetch a dataset whole: a broken image becomes a row with its error, not a stop."""
    fetch = params.load(dataset).fetch
    target = layout.stage_folder("fetch", dataset)
    with layout.replacing(target) as incomplete, origin.source_folder(dataset, fetch) as folder:
        if fetch.source is Source.work_folder:
            table, truth, notes = of_work_folder(folder, incomplete)
        else:
            table, truth, notes = of_files(folder, incomplete, fetch)
        tables.write("images", table, incomplete)
        tables.write("truth", truth, incomplete)
        tables.write("notes", pd.DataFrame({"note": sorted(set(notes))}, dtype="str"), incomplete)
    broken = table[table["error"] != ""]
    reasons = [
        f"{path} ({error})" for path, error in zip(broken["path"], broken["error"], strict=True)
    ]
    if len(broken) == len(table):
        raise ClearsetError(f"no image of {dataset} can be read: {listed(reasons)}")
    counts = {kind: int((table[kind] != "").sum()) for kind in ("mask", "label")}
    beside = ", ".join(f"{number} {kind}s" for kind, number in counts.items() if number)
    lines = [f"fetch: {len(table)} images, {beside or 'no masks'} in {target}"]
    lines += [f"  can not be read: {reason}" for reason in reasons]
    return "\n".join(lines + [f"  {note}" for note in notes])


def of_files(
    folder: Path, incomplete: Path, fetch: Fetch
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Copy the images below `folder`; return the tables `images` and `truth`, and what to note."""
    items = inventory.items(folder, fetch.splits)
    notes = inventory.passed_over(folder, items)
    truth = columns.empty("truth")
    if fetch.plant is not None:
        options = (fetch.plant, incomplete / "planted", fetch.range, tiles.recropper(fetch))
        items, truth = planter.plant(items, *options)
    places.refuse_collisions(items)
    taking = partial(take, incomplete, fetch.range, aperture=fetch.aperture)
    table = listing(mapped(taking, items, "fetch"), fetch.range)
    layout.remove(incomplete / "planted")
    if (table["error"] == "").any():
        notes = ranges.described(table, fetch.range.mapping) + notes
    return table, by_image_id(truth, table), notes


def of_work_folder(folder: Path, incomplete: Path) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Copy the tables of a fastdup work folder; return the same as `of_files`."""
    for name in work_folder.FILES:
        if (folder / name).is_file():
            copy(folder / name, incomplete / "work" / name)
    work = work_folder.read(folder)
    texts = dict.fromkeys(("mask", "source_mask", "label", "source_label"), "")
    texts |= dict.fromkeys(("sha256", "pixels_sha256", *levels.WORDS), "")
    numbers: dict[str, float] = dict.fromkeys(("low", "high", "nodata"), math.nan)
    numbers |= {"channels": 0, "bit_depth": 0}
    table = work.images.assign(split="all", source=work.images["path"], **texts, **numbers)
    return table, columns.empty("truth"), work.notes


def listing(rows: list[dict[str, Any]], settings: PixelRange) -> pd.DataFrame:
    """Return the table `images` of the rows that `take` made, with the range of each image."""
    counts = [row.pop("counts") for row in rows]
    values = [pair for pair in counts if pair is not None]
    span = ranges.span(values, settings) if values else (0.0, 0.0)
    table = ranges.ranged(pd.DataFrame(rows), settings, span)
    table["image_id"] = inventory.image_ids(table["path"].tolist())
    return table


def by_image_id(truth: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return the truth by image_id instead of by path."""
    if truth.empty:
        return truth
    return truth.merge(images[["path", "image_id"]], on="path", validate="1:1").drop(columns="path")


def take(
    target: Path, settings: PixelRange, item: inventory.Item, *, aperture: bool = True
) -> dict[str, Any]:
    """Copy an image, its mask and its label byte for byte, and return the image's row.

    Beside the table's columns it has `counts`, of the stored values where the range hangs on them.
    """
    path = PurePosixPath(item.split, item.name)
    row: dict[str, Any] = {"split": item.split, "path": str(path), "error": "", "counts": None}
    row |= dict.fromkeys(("mask", "source_mask", "label", "source_label", "pixels_sha256"), "")
    row |= dict.fromkeys(levels.WORDS, "")
    row |= dict.fromkeys(("width", "height", "channels", "bit_depth"), 0)
    row |= dict.fromkeys(("low", "high", "nodata"), math.nan)
    row |= {"source": cells.path(item.source), "bytes": item.file.stat().st_size}
    row["sha256"] = checksums.sha256(item.file)
    if wrong := places.unfit(str(path)) or places.unfit(item.source):
        readable = {key: ascii(row[key])[1:-1] for key in ("path", "source")}
        return row | readable | {"error": wrong}
    copy(item.file, target / "images" / path)
    for kind, file, place in (
        ("mask", item.mask, item.source_mask),
        ("label", item.label, item.source_label),
    ):
        if file and not places.unfit(place):
            row[kind] = str(path.with_suffix(file.suffix))
            row[f"source_{kind}"] = cells.path(place)
            copy(file, target / f"{kind}s" / row[kind])
    try:
        row |= description.description(item.file, settings, aperture=aperture)
        row["error"] = mask_error(item, row["width"], row["height"])
    except UnreadableImage as error:
        row["error"] = str(error)
    return row


def mask_error(item: inventory.Item, width: int, height: int) -> str:
    """Return why an image's mask can not be used; empty: it can, or there is none."""
    if not item.mask:
        return ""
    if wrong := places.unfit(item.source_mask):
        return f"its mask: {wrong}"
    try:
        rows, columns = codec.decode_mask(item.mask).shape
    except UnreadableImage as error:
        return f"its mask: {error}"
    same = (columns, rows) == (width, height)
    return "" if same else f"its mask is {columns} x {rows} px: mend the mask or take it away"


def copy(source: Path, target: Path) -> None:
    """Copy a file's bytes alone: dates and permissions of a source are no part of a dataset."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


if __name__ == "__main__":
    run(main)
