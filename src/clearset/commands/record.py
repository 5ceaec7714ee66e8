"""Write down what a working fastdup gives on a dataset, for when it works no more."""

from datetime import date

import click

from clearset.engines import recorded, recording
from clearset.engines.recording import Tables
from clearset.images.levels import declared
from clearset.store import layout, tables

FEWEST = 3  # images that fastdup compares


@click.command
@click.argument("dataset")
def command(dataset: str) -> str:
    """Record in conf/recorded what fastdup gives on the images of DATASET, known by their pixels.

    After `dvc repro fetch@DATASET`. Stops where fastdup fails.
    """
    return record(dataset)


def record(dataset: str) -> str:
    """Record all images in one call, and each split in one of its own."""
    source = layout.stage_folder("fetch", dataset)
    table = tables.read("images", source)
    rows = list(table[table["error"] == ""].itertuples())
    carried = source / "carried"
    images_of = {
        row.image_id: recorded.fastdup_pixels(source / "images" / row.path, declared(row, carried))
        for row in rows
    }
    calls: dict[str, list[str]] = {"all": list(images_of)}
    for row in rows:
        calls.setdefault(row.split, []).append(row.image_id)
    answers: list[Tables] = [
        recording.call_fastdup(name, {image_id: images_of[image_id] for image_id in ids})
        for name, ids in calls.items()
        if len(ids) >= FEWEST
    ]
    return recording.write(recording.joined(answers), layout.RECORDED / dataset, date.today())
