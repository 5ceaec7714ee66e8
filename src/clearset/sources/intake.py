"""Files of a source brought in: images, masks and labels to their places, the others carried along.

`images/`, `masks/` and `labels/` hold what the stages look at; `carried/` what only goes along, and
masks as they came where the stages look at numbers of classes instead.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from clearset.config.schema_fetch import Fetch, Layout
from clearset.images import codec, levels, masks
from clearset.sources import description, places
from clearset.sources.inventory import Item
from clearset.sources.roles import IMAGE, LABEL, LEFT, Part
from clearset.store import cells, checksums, copies
from clearset.store.errors import BrokenImage, UnreadableImage, listed

CARRIED = "carried"
TAKEN = "a released dataset has a file of its own there"
DRAWN = "it looks drawn, as annotations do: call it an image by fetch.layout.images, if it is one"
REPLACED = "another image is planted in its stead"
MASK, FIELD = "mask", "field of view"


def image(target: Path, fetch: Fetch, item: Item) -> dict[str, Any]:
    """Copy an image, its mask and its label byte for byte, and return the image's row.

    Beside the table's columns it has `counts`, what is seen of the stored values.
    """
    row = _row(item)
    if row["error"]:
        return row
    path = PurePosixPath(row["path"])
    copies.copy(item.file, target / "images" / path)
    row |= _beside(target, fetch, item, path)
    try:
        row |= _description(fetch, item)
    except UnreadableImage as error:
        row |= {"error": str(error), "broken": int(isinstance(error, BrokenImage))}
    else:
        row["mask_error"] = row["mask_error"] or _misfit(target, row)
    return row


def lost(target: Path, fetch: Fetch, item: Item, reason: str) -> dict[str, Any]:
    """Return the row of an image whose reading was ended, which is kept and not understood.

    Its mask, which may be the cause, goes along as one that can not be used.
    """
    row = _row(item)
    if not row["error"]:
        copies.copy(item.file, target / "images" / row["path"])
    return row | {"error": row["error"] or f"reading it was given up: {reason}"}


def _row(item: Item) -> dict[str, Any]:
    """Return an image's row before anything of it is read."""
    path = PurePosixPath(item.split, item.name)
    row: dict[str, Any] = {"split": item.split, "path": str(path), "error": ""} | description.NONE
    row |= dict.fromkeys(("mask", "source_mask", "label", "source_label", "mask_error"), "")
    row |= dict.fromkeys(("pixels_sha256", *levels.WORDS), "")
    row |= dict.fromkeys(("width", "height", "channels", "bit_depth"), 0)
    row |= dict.fromkeys(("low", "high", "nodata"), math.nan)
    row |= {"source": cells.path(item.source), "bytes": item.file.stat().st_size}
    row["sha256"] = checksums.sha256(item.file)
    if wrong := places.unfit(str(path)) or places.unfit(item.source):
        row |= {key: legible(row[key]) for key in ("path", "source")} | {"error": wrong}
    return row


def _description(fetch: Fetch, item: Item) -> dict[str, Any]:
    """Return what an image's pixels say; a faulty field of view is none, and no fault of its."""
    try:
        return description.description(item.file, fetch, item.source_field, item.root)
    except UnreadableImage as error:
        if not item.source_field:
            raise
        return description.description(item.file, fetch) | {"mask_error": str(error)}


def legible(place: str) -> str:
    """Return a path that can be printed: what can not be is spelt out."""
    return ascii(place)[1:-1] if places.unfit(place) else place


def _beside(target: Path, fetch: Fetch, item: Item, path: PurePosixPath) -> dict[str, Any]:
    """Copy an image's mask and label; return what its row says of them."""
    row: dict[str, Any] = {}
    if item.label and not places.unfit(item.source_label):
        row["label"] = str(path.with_suffix(item.label.suffix))
        row["source_label"] = cells.path(item.source_label)
        copies.copy(item.label, target / "labels" / row["label"])
    if item.mask and places.unfit(item.source_mask):
        row["mask_error"] = f"its mask: {places.unfit(item.source_mask)}"
    elif item.mask:
        row["mask"] = str(path.with_suffix(item.mask.suffix))
        row["source_mask"] = cells.path(item.source_mask)
        row |= _mask(target, fetch, item.mask, row)
    return row


def _mask(target: Path, fetch: Fetch, mask: Path, row: Mapping[str, str]) -> dict[str, str]:
    """Copy a mask; one in colour goes along as it is, and its classes' numbers are looked at."""
    copies.copy(mask, target / "masks" / row["mask"])
    try:
        codec.check_memory(mask, fetch.memory)
        values = masks.decode(mask, fetch.layout.colours)
        codec.check(mask)
        if not masks.in_colour(mask):
            return {}
    except UnreadableImage as error:
        return {"mask_error": f"its mask: {error}"}
    copies.copy(mask, target / CARRIED / row["source_mask"])
    (target / "masks" / row["mask"]).unlink()
    numbers = str(PurePosixPath(row["mask"]).with_suffix(".png"))
    (target / "masks" / numbers).write_bytes(codec.png_bytes(values))
    return {"mask": numbers}


def _misfit(target: Path, row: Mapping[str, Any]) -> str:
    """Return why an image's mask does not lie on it; empty: it does, or there is none."""
    if not row["mask"]:
        return ""
    rows, columns = masks.decode(target / "masks" / row["mask"]).shape
    sides = {(row["width"], row["height"])}
    sides |= {(row["height"], row["width"])} if int(row["orientation"] or 1) >= 5 else set()
    fits = (columns, rows) in sides
    return "" if fits else f"its mask is {columns} x {rows} px: mend the mask or take it away"


def carry(target: Path, part: Part) -> None:
    """Copy a file that goes along."""
    copies.copy(part.entry.file, target / CARRIED / part.entry.place)


def files(parts: Sequence[Part], images: pd.DataFrame) -> pd.DataFrame:
    """Return the table `files`: a row for every file of the source, by `images` and `parts`."""
    rows = [row for image in images.itertuples() for row in _of_image(image)]
    present = {row[0] for row in rows}
    by_place = {written(str(part.entry.place)): part for part in parts}
    known = dict(zip(images["source"], images["image_id"], strict=True))
    for place, part in by_place.items():
        if place not in present:
            owners = [known[own] for own in map(written, map(str, part.images)) if own in known]
            role, reason = _role(part, bool(owners))
            rows += [(place, role, owner, reason) for owner in owners or [""]]
    table = pd.DataFrame(rows, columns=["file", "role", "image_id", "reason"])
    splits = dict(zip(images["image_id"], images["split"], strict=True))
    kinds = {place: part.kind for place, part in by_place.items()}
    table["kind"] = table["file"].map(kinds).fillna("")
    return table.assign(split=table["image_id"].map(splits).fillna(""))


def _of_image(image: Any) -> list[tuple[str, str, str, str]]:
    """Return the rows of an image, its mask, its label and its field of view."""
    field = cells.path(image.seen.removeprefix("file ")) if image.seen.startswith("file ") else ""
    used = (image.source_mask, MASK), (image.source_label, LABEL), (field, FIELD)
    why = {IMAGE: image.error, MASK: image.mask_error}
    own = [(image.source, IMAGE), *((place, role) for place, role in used if place)]
    return [(place, role, image.image_id, why.get(role, "")) for place, role in own]


def _role(part: Part, owned: bool) -> tuple[str, str]:
    """Return the role of a file that no image's row has, and why it is no other."""
    place = str(part.entry.place)
    why = places.unfit(place) or (TAKEN if places.reserved(place) else "")
    if part.role == LEFT or why:
        return LEFT, part.reason or why
    if part.role == IMAGE or (part.images and not owned):
        return LEFT, REPLACED
    return part.role, part.reason


def written(place: str) -> str:
    """Return a path as tables have it: legible, and no formula."""
    return cells.path(legible(place))


def carried(parts: Sequence[Part], files: pd.DataFrame, images: pd.DataFrame) -> list[Part]:
    """Return the parts that go along: no image, mask or label of `images`, and not left out."""
    roles = dict(zip(files["file"], files["role"], strict=True))
    places = [(part, written(str(part.entry.place))) for part in parts]
    labels = set(images["source_label"])
    return [p for p, at in places if roles[at] not in (IMAGE, MASK, LEFT) and at not in labels]


def remarks(images: pd.DataFrame) -> list[str]:
    """Return notes on masks that can not be used."""
    faulty = images[images["mask_error"] != ""]
    names = [f"{row.path} ({row.mask_error})" for row in faulty.itertuples()]
    return [f"masks carried along, and not measured: {listed(names)}"] if names else []


def doubted(table: pd.DataFrame, drawn: pd.Series, layout: Layout) -> pd.DataFrame:
    """Return the table with an obstacle to repairing what looks drawn, among photographs.

    It may be an annotation that no name tells. Not where a layout says which files are images.
    """
    readable = table["error"] == ""
    if layout.images or layout.name or 2 * drawn[readable].sum() > readable.sum():
        return table
    odd = readable & (drawn == 1) & (table["obstacle"] == "")
    return table.assign(obstacle=table["obstacle"].mask(odd, DRAWN))
