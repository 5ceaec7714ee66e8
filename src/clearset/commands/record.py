"""Write down what a working fastdup gives on a dataset's images, for when it works no more.

`python src/record.py DATASET` after `dvc repro fetch@DATASET`. It stops where fastdup fails.
"""

from datetime import date

from clearset.config.stage import run
from clearset.engines import recorded, recording
from clearset.engines.recording import Tables
from clearset.images import codec
from clearset.store import layout, tables

FEWEST = 3  # images that fastdup compares


def main(dataset: str) -> str:
    """Record all images in one call, and each split in one of its own."""
    source = layout.stage_folder("fetch", dataset)
    table = tables.read("images", source)
    rows = list(table[table["error"] == ""].itertuples())
    shown = {
        row.image_id: recorded.fastdup_pixels(source / "images" / row.path, codec.declared(row))
        for row in rows
    }
    calls: dict[str, list[str]] = {"all": list(shown)}
    for row in rows:
        calls.setdefault(row.split, []).append(row.image_id)
    given: list[Tables] = [
        recording.call_fastdup(name, {image_id: shown[image_id] for image_id in ids})
        for name, ids in calls.items()
        if len(ids) >= FEWEST
    ]
    return recording.write(recording.joined(given), layout.RECORDED / dataset, date.today())


if __name__ == "__main__":
    run(main)
