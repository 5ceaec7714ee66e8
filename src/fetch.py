"""Bring a dataset's files into images/ and masks/, and list them in images.csv."""

import shutil
from collections import Counter
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from clearset import cells
from clearset.errors import ClearsetError, listed
from clearset.io import archives, images, layout, params, places, planter, sources, tables
from clearset.io.command import run
from clearset.io.parallel import mapped


def main(dataset: str) -> str:
    """Fetch a dataset whole: a broken image becomes a row with its error, not a stop."""
    fetch = params.load(dataset).fetch
    target = layout.stage_folder("fetch", dataset)
    with layout.replacing(target) as begun, sources.opened(dataset, fetch) as folder:
        found = sources.items(folder, fetch.splits)
        passed_over = sources.passed_over(folder, found)
        truth = tables.empty("truth")
        if fetch.plant is not None:
            found, truth = planter.plant(found, fetch.plant, begun / "planted")
        places.refuse_collisions(found)
        table = pd.DataFrame(mapped(partial(take, begun), found, "fetch"))
        table["image_id"] = image_ids(table["path"].tolist())
        layout.remove(begun / "planted")
        tables.write("images", table, begun)
        tables.write("truth", known(truth, table), begun)
    broken = table[table["error"] != ""]
    reasons = [
        f"{path} ({error})" for path, error in zip(broken["path"], broken["error"], strict=True)
    ]
    if len(broken) == len(table):
        raise ClearsetError(f"no image of {dataset} can be read: {listed(reasons)}")
    lines = [f"fetch: {len(table)} images, {int((table['mask'] != '').sum())} masks in {target}"]
    lines += [f"  can not be read: {reason}" for reason in reasons]
    return "\n".join(lines + [f"  {line}" for line in passed_over])


def known(truth: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return the truth by image_id instead of by path."""
    if truth.empty:
        return truth
    return truth.merge(images[["path", "image_id"]], on="path", validate="1:1").drop(columns="path")


def take(target: Path, item: sources.Item) -> dict[str, Any]:
    """Copy an image and its mask byte for byte and return the image's row."""
    path, mask = PurePosixPath(item.split, item.name), item.mask
    row: dict[str, Any] = {"split": item.split, "path": str(path), "mask": "", "error": ""}
    row |= {"width": 0, "height": 0, "channels": 0, "bit_depth": 0, "pixels_sha256": ""}
    row |= {"source": cells.path(item.source), "source_mask": ""}
    row["sha256"] = archives.sha256(item.file)
    if wrong := places.unfit(str(path)) or places.unfit(item.source):
        shown = {key: ascii(row[key])[1:-1] for key in ("path", "source")}
        return row | shown | {"error": wrong}
    copy(item.file, target / "images" / path)
    if mask and not places.unfit(item.source_mask):
        row["mask"] = str(path.with_suffix(mask.suffix))
        row["source_mask"] = cells.path(item.source_mask)
        copy(mask, target / "masks" / row["mask"])
    try:
        row |= images.describe(images.decode(item.file))
        row["error"] = mask_error(item, row["width"], row["height"])
    except images.UnreadableImage as error:
        row["error"] = str(error)
    return row


def mask_error(item: sources.Item, width: int, height: int) -> str:
    """Return why an image's mask can not be used; empty: it can, or there is none."""
    if not item.mask:
        return ""
    if wrong := places.unfit(item.source_mask):
        return f"its mask: {wrong}"
    try:
        rows, columns = images.decode_mask(item.mask).shape
    except images.UnreadableImage as error:
        return f"its mask: {error}"
    same = (columns, rows) == (width, height)
    return "" if same else f"its mask is {columns} x {rows} px: mend the mask or take it away"


def copy(source: Path, target: Path) -> None:
    """Copy a file's bytes alone: dates and permissions of a source are no part of a dataset."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def image_ids(paths: list[str]) -> list[str]:
    """Return each path without its suffix, or with it where two would be the same."""
    stems = [str(PurePosixPath(path).with_suffix("")) for path in paths]
    counts = Counter(stems)
    return [stem if counts[stem] == 1 else path for stem, path in zip(stems, paths, strict=True)]


if __name__ == "__main__":
    run(main)
