"""Lay the cleaned dataset out as its source, and say of every image what became of it and why."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from clearset.config import params
from clearset.config.bounds import with_bounds
from clearset.config.schema import Dataset
from clearset.config.schema_accept import Verdict
from clearset.share import delivery, manifest, releases, reviews
from clearset.sources.places import MANIFEST, README
from clearset.sources.roles import COMPANION
from clearset.store import layout, tables

READ = {
    "fetch": ["images", "files"],
    "filter": ["flags", "decisions", "curation"],
    "enhance": ["repairs"],
    "compare": ["verdicts"],
}


def main(dataset: str) -> str:
    """Write images, masks and manifest.csv to the released folder, and the counts."""
    section = params.load(dataset)
    folders = {stage: layout.stage_folder(stage, dataset) for stage in READ}
    grounds = manifest.Grounds(
        **{name: tables.read(name, folders[stage]) for stage in READ for name in READ[stage]}
    )
    section = with_bounds(section, tables.read("own_bounds", folders["filter"]))
    reviewed = layout.REVIEW / f"{dataset}.csv"
    uncopied = delivery.uncopied(grounds.images)
    words = reviews.read(reviewed)
    plan = manifest.manifest(grounds, words, section.release.update, uncopied)
    target, recipe = layout.stage_folder("release", dataset), layout.stage_folder("recipe", dataset)
    with layout.replacing(target) as incomplete, layout.replacing(recipe) as incomplete_recipe:
        table = delivery.deliver(plan, grounds.images, folders, incomplete)
        carried = folders["fetch"] / "carried"
        inventory = delivery.carry(grounds.files, table, carried, incomplete)
        record = releases.Record(dataset, provenance(section), table, inventory)
        releases.write(record, incomplete, incomplete_recipe)
    fates = manifest.counts(table)
    released = {"released": fates[manifest.KEPT] + fates[manifest.REPAIRED]}
    tables.write_metrics(released, dataset, layout.REPORTS / dataset / "release.json")
    lines = summary(fates, grounds.verdicts, (target, recipe), reviewed)
    return "\n".join([*lines, *outdated(inventory)])


def outdated(inventory: pd.DataFrame) -> list[str]:
    """Return, for a person, the lists that name images which the release has not."""
    lists = inventory[(inventory["role"] == COMPANION) & (inventory["output"] != "")]
    return [f"  {row.file} {row.reason}" for row in lists[lists["reason"] != ""].itertuples()]


def provenance(section: Dataset) -> Dataset:
    """Return the params that decided what is released; where the source lay is left out."""
    return Dataset(
        about=section.about,
        classes=section.classes,
        fetch=replace(section.fetch, path=""),
        analyze=section.analyze,
        filter=section.filter,
        enhance=section.enhance,
        accept=section.accept,
        release=section.release,
    )


def summary(
    fates: dict[str, int], verdicts: pd.DataFrame, places: tuple[Path, Path], reviewed: Path
) -> list[str]:
    """Return what was released and what a person can do next."""
    became = ", ".join(f"{number} {name}" for name, number in fates.items())
    said = verdicts["verdict"].value_counts()
    judged = ", ".join(f"{v.value.replace('_', ' ')} {said.get(v.value, 0)}" for v in Verdict)
    target, recipe = places
    return [
        f"release: {sum(fates.values())} images: {became} (repairs {judged}); laid out "
        f"as the source in {target}",
        f"  what it is: {layout.own(target, README)}; why, for each image: "
        f"{layout.own(target, MANIFEST)}; the same without a picture, for those who have "
        f"the source: {recipe}",
        f"  to decide yourself: a line in {reviewed} (image_id,decision,note; keep, repair or "
        "drop), then the same command again",
    ]
