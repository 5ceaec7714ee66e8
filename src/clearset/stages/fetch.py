"""Bring a dataset's files in, list them, and say what was read as what."""

import math
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pandas as pd

from clearset.config import params, provenance
from clearset.config.schema_fetch import Fetch, Source
from clearset.generate.satellite import tiles
from clearset.images import levels, ranges
from clearset.plant import planter
from clearset.sources import glances, intake, inventory, origin, places, plan, work_folder
from clearset.store import columns, dossiers, layout
from clearset.store.errors import ClearsetError, listed
from clearset.store.isolation import apart, isolated
from clearset.store.parallel import mapped
from clearset.store.stages import Catalogue


def main(dataset: str) -> str:
    """Fetch a dataset whole: what can not be used becomes a row with its reason, not a stop."""
    fetch = params.load(dataset).fetch
    target = layout.stage_folder("fetch", dataset)
    with layout.replacing(target) as incomplete, origin.source_folder(dataset, fetch) as source:
        if fetch.source is Source.work_folder:
            catalogue, lines = of_work_folder(source, incomplete)
        else:
            catalogue, lines = of_files(source, incomplete, fetch)
        dossiers.write(catalogue, incomplete)
        provenance.record("fetch", dataset, incomplete)
    images = catalogue.images
    broken = images[images["error"] != ""]
    reasons = [f"{row.path} ({row.error})" for row in broken.itertuples()]
    if len(broken) == len(images):
        raise ClearsetError(f"no image of {dataset} can be read: {listed(reasons)}")
    counts = {kind: int((images[kind] != "").sum()) for kind in ("mask", "label")}
    beside = ", ".join(f"{number} {kind}s" for kind, number in counts.items() if number)
    lines += [f"fetch: {len(images)} images, {beside or 'no masks'} in {target}"]
    lines += [f"  can not be read: {reason}" for reason in reasons]
    return "\n".join(lines + [f"  {note}" for note in catalogue.notes["note"]])


def of_files(source: Path, incomplete: Path, fetch: Fetch) -> tuple[Catalogue, list[str]]:
    """Bring in what lies in `source`; return the tables, and lines that say what is what."""
    look = lru_cache(maxsize=4096)(apart(partial(glances.glance, fetch.memory), glances.unseen))
    stock = inventory.inventory(source, fetch, look)
    items, truth = stock.items, columns.empty("truth")
    if fetch.plant is not None:
        options = (fetch.plant, incomplete / "planted", fetch.range, tiles.recropper(fetch))
        items, truth = planter.plant(items, *options)
    places.refuse_collisions(items)
    take, lost = (partial(function, incomplete, fetch) for function in (intake.image, intake.lost))
    images = listing(isolated(take, items, "fetch", lost), fetch)
    layout.remove(incomplete / "planted")
    files = intake.files(stock.parts, images)
    others = intake.carried(stock.parts, files, images)
    mapped(partial(intake.carry, incomplete), others, "carry")
    notes = [places.remark(files["file"].unique().tolist()), *intake.remarks(images)]
    if (images["error"] == "").any():
        notes += ranges.described(images, fetch.range.mapping)
    table = pd.DataFrame({"note": sorted(filter(None, set(notes)))}, dtype="str")
    return Catalogue(images, files, by_image_id(truth, images), table), plan.lines(stock)


def of_work_folder(source: Path, incomplete: Path) -> tuple[Catalogue, list[str]]:
    """Copy the tables of a fastdup work folder; return the same as `of_files`."""
    work_folder.copy(source, incomplete / "work")
    work = work_folder.read(source)
    texts = dict.fromkeys(("mask", "source_mask", "label", "source_label", "mask_error"), "")
    texts |= dict.fromkeys(("sha256", "pixels_sha256", "obstacle", *levels.WORDS), "")
    numbers: dict[str, float] = dict.fromkeys(("low", "high", "nodata"), math.nan)
    numbers |= dict.fromkeys(("channels", "bit_depth", "colours", "assumed"), 0)
    broken = (work.images["error"] != "").astype(int)
    images = work.images.assign(
        split="all", source=work.images["path"], **texts, **numbers, broken=broken
    )
    notes = pd.DataFrame({"note": sorted(set(work.notes))}, dtype="str")
    return Catalogue(images, columns.empty("files"), columns.empty("truth"), notes), []


def listing(rows: list[dict[str, Any]], fetch: Fetch) -> pd.DataFrame:
    """Return the table `images` of the rows that `intake` made, with the range of each image."""
    counts = [row.pop("counts") for row in rows]
    drawn = pd.Series([row.pop("drawn") for row in rows])
    table = ranges.ranged(pd.DataFrame(rows), fetch.range, counts)
    if not fetch.splits and fetch.plant is None:
        table = intake.doubted(table, drawn, fetch.layout)
    table["image_id"] = inventory.image_ids(table["path"].tolist())
    return table


def by_image_id(truth: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return the truth by image_id instead of by path."""
    if truth.empty:
        return truth
    return truth.merge(images[["path", "image_id"]], on="path", validate="1:1").drop(columns="path")
