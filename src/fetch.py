"""Bring a dataset's files into images/ and masks/, and list them in images.csv."""

import shutil
from collections import Counter
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from clearset.errors import ClearsetError, listed
from clearset.io import archives, images, layout, params, planter, sources, tables
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
    path = PurePosixPath(item.split, item.name)
    row: dict[str, Any] = {"split": item.split, "path": str(path), "mask": "", "error": ""}
    row |= {"width": 0, "height": 0, "channels": 0, "bit_depth": 0, "pixels_sha256": ""}
    row["sha256"] = archives.sha256(item.file)
    if not str(path).isprintable():
        return row | {"path": ascii(str(path))[1:-1], "error": "control characters in its name"}
    copy(item.file, target / "images" / path)
    try:
        row |= images.describe(images.decode(item.file))
        if item.mask:
            row["mask"] = str(path.with_suffix(item.mask.suffix))
            copy(item.mask, target / "masks" / row["mask"])
            height, width = images.decode_mask(item.mask).shape
            if (width, height) != (row["width"], row["height"]):
                row["error"] = f"its mask is {width} x {height} px: mend the mask or take it away"
    except images.UnreadableImage as error:
        row["error"] = f"{'its mask: ' if row['mask'] else ''}{error}"
    return row


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
