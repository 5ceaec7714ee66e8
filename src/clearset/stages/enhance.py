"""Repair the images whose flags call for it; copy the others, leave out the dropped ones."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from clearset.config import params, provenance
from clearset.config.schema import EVERY, Action
from clearset.images import codec, levels
from clearset.repair import files
from clearset.repair.steps import check_steps, describe, steps_for
from clearset.store import checksums, columns, copies, layout, tables
from clearset.store.errors import listed
from clearset.store.parallel import mapped

Steps = Sequence[Mapping[str, Any]]


def main(dataset: str) -> str:
    """Write the cleaned images in full, their table, and what was done to which."""
    steps = params.load(dataset).enhance
    check_steps(steps)
    source, target = layout.stage_folder("fetch", dataset), layout.stage_folder("enhance", dataset)
    decisions = tables.read("decisions", layout.stage_folder("filter", dataset))
    table = tables.read("images", source).merge(decisions[["image_id", "decision", "rules"]])
    table = table[table["decision"] != Action.drop.value]
    called = table[to_repair(table, steps)]
    jobs = [(row, steps_for(row.rules.split(), steps)) for row in called.itertuples()]
    with layout.replacing(target) as incomplete:
        incomplete.mkdir()
        for path in table.loc[~table["image_id"].isin(called["image_id"]), "path"]:
            if (source / "images" / path).exists():
                copies.link(source / "images" / path, incomplete / "images" / path)
        done = mapped(partial(repair, source, incomplete / "images"), jobs, "enhance")
        rows = [row for row in done if row is not None]
        result = table.drop(columns=["decision", "rules"]).set_index("image_id")
        for row in rows:
            for name in ("sha256", "pixels_sha256"):
                result.loc[row["image_id"], name] = row[name]
        tables.write("images", result.reset_index(), incomplete)
        repairs = (
            pd.DataFrame(rows).drop(columns="pixels_sha256") if rows else columns.empty("repairs")
        )
        tables.write("repairs", repairs, incomplete)
        provenance.record("enhance", dataset, incomplete)
    where = f"all of them in {target}/images" if (target / "images").exists() else "no file copied"
    message = f"enhance: {len(rows)} of {len(table)} images repaired, {where}"
    return "\n".join([message, *unchanged(called, rows)])


def unchanged(called: pd.DataFrame, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return, for the log, which images a repair was called for and would have left as they are."""
    repaired = {row["image_id"] for row in rows}
    names = [image_id for image_id in called["image_id"] if image_id not in repaired]
    return [f"  kept, their repair changes no pixel: {listed(names)}"] if names else []


def to_repair(table: pd.DataFrame, steps: Steps) -> pd.Series:
    """Return which images are to be repaired: those flagged for it, or every readable one."""
    everyone = any(step["rule"] == EVERY for step in steps)
    able = (table["error"] == "") & (table["obstacle"] == "")
    return (table["decision"] == Action.enhance.value) | (everyone & able)


def repair(source: Path, target: Path, job: tuple[Any, Steps]) -> dict[str, Any] | None:
    """Write one repaired image and return its row; a job is a row of images.csv and the steps.

    None where the repair changes no pixel: the file is then a copy, byte for byte.
    """
    row, steps = job
    path = row.path
    reading = levels.declared(row, source / "carried")
    clipped = files.repair(source / "images" / path, target / path, reading, steps)
    if clipped is None:
        return None
    return {
        "image_id": row.image_id,
        "rules": row.rules,
        "steps": describe(steps),
        "clipped": clipped,
        "sha256": checksums.sha256(target / path),
        "pixels_sha256": codec.describe(codec.decode(target / path))["pixels_sha256"],
    }
