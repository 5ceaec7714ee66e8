"""What fastdup gives, written down while it works: the record that `recorded` reads."""

import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pandas as pd

from clearset.engines import fastdup
from clearset.engines.recorded import ABOUT, key
from clearset.images import codec
from clearset.images.levels import Pixels
from clearset.similar.cosines import in_wholes
from clearset.sources import work_folder
from clearset.store import layout, tables
from clearset.store.checksums import sha256
from clearset.store.parallel import workers

Tables = dict[str, pd.DataFrame]
LISTED = ("statistics", "descriptors", "graph", "quota", "groups")


def call_fastdup(name: str, pixels: Mapping[str, Pixels]) -> Tables:
    """Give fastdup images, by image_id, in one call of this name; return all that it says."""
    with tempfile.TemporaryDirectory(prefix="clearset-") as place:
        scratch = Path(place)
        files = {f"{number:08d}": image_id for number, image_id in enumerate(pixels)}
        for stem, image_id in files.items():
            (scratch / f"{stem}.png").write_bytes(codec.png_bytes(pixels[image_id], 1))
        paths = [scratch / f"{stem}.png" for stem in files]
        statistics, descriptors = fastdup.run(paths, scratch, workers())
        work = work_folder.read(scratch / "work")
    ids, ends = list(pixels), ["image_id", "other_id"]
    hashes = [key(pixels[image_id]) for image_id in ids]
    groups = work.components.rename(columns={"component_id": "group"}).astype({"group": int})
    groups = groups[groups.groupby("group")["image_id"].transform("count") > 1]
    whole = pd.DataFrame(in_wholes(descriptors)).rename(columns=str)
    return {
        "statistics": statistics.assign(image_id=ids, pixels_sha256=hashes),
        "descriptors": whole.assign(image_id=ids),
        "graph": work.edges.assign(**{end: work.edges[end].map(files) for end in ends}, call=name),
        "quota": work.outliers.assign(
            **{end: work.outliers[end].map(files) for end in ends}, call=name
        ),
        "groups": groups.assign(image_id=groups["image_id"].map(files), call=name),
    }


def joined(calls: list[Tables]) -> Tables:
    """Return the tables of several calls as one record: the first call's numbers of each image."""
    record = {name: pd.concat([call[name] for call in calls]) for name in LISTED}
    numbers = {n: record[n].drop_duplicates("image_id") for n in ("statistics", "descriptors")}
    return record | numbers


def write(record: Tables, folder: Path, today: date) -> str:
    """Write a record, whole or not at all, and return what was done.

    The day that it was made stays that of the first run that gave these numbers.
    """
    day = today.isoformat()
    with layout.replacing(folder) as incomplete:
        for name in LISTED:
            tables.write(name, record[name], incomplete)
        sums = {f"{name}.csv": sha256(incomplete / f"{name}.csv") for name in LISTED}
        about = fastdup.info() | {"made": day, "sha256": sums}
        before = tables.read_json(folder / ABOUT) if (folder / ABOUT).exists() else {}
        unchanged = about | {"made": before.get("made")} == before
        tables.write_json(before if unchanged else about, incomplete / ABOUT)
    status = f"the same as on {before['made']}" if unchanged else f"made on {day}"
    return f"record: {len(record['statistics'])} images in {folder}, {status}"
