"""Lay the cleaned dataset out as its source, and say of every image what became of it and why."""

from pathlib import Path

import pandas as pd

from clearset import releasing
from clearset.io import delivery, layout, params, reviews, tables
from clearset.io.command import run

READ = {
    "fetch": ["images"],
    "filter": ["flags", "decisions", "curation"],
    "enhance": ["repairs"],
    "compare": ["verdicts"],
}


def main(dataset: str) -> str:
    """Write images, masks and manifest.csv to the released folder, and the counts."""
    section = params.load(dataset)
    folders = {stage: layout.stage_folder(stage, dataset) for stage in READ}
    found = {name: tables.read(name, folders[stage]) for stage in READ for name in READ[stage]}
    reviewed = layout.REVIEW / f"{dataset}.csv"
    said = reviews.read(reviewed)
    uncopied = delivery.uncopied(found["images"])
    plan = releasing.manifest(found, said, section.release.update, uncopied)
    target = layout.stage_folder("release", dataset)
    with layout.replacing(target) as begun:
        table = delivery.deliver(plan, found["images"], folders, begun)
        tables.write("manifest", table, begun)
    counts = releasing.counts(table)
    tables.write_metrics(counts, dataset, layout.REPORTS / dataset / "release.json")
    return "\n".join(summary(counts, found["verdicts"], target, reviewed))


def summary(
    counts: dict[str, int], verdicts: pd.DataFrame, target: Path, reviewed: Path
) -> list[str]:
    """Return what was released and what a person can do next."""
    images, *fates = counts.items()
    became = ", ".join(f"{number} {name.removeprefix('release_')}" for name, number in fates)
    accepted = int(verdicts["accepted"].sum())
    return [
        f"release: {images[1]} images: {became} (repairs accepted {accepted}, refused "
        f"{len(verdicts) - accepted}); laid out as the source in {target}",
        f"  why, for each image: {target}/manifest.csv. To decide yourself: a line in {reviewed} "
        "(image_id,decision,note; keep, repair or drop), then the same command again",
    ]


if __name__ == "__main__":
    run(main)
