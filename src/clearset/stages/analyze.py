"""Measure every image, compare it with every other, and measure faults planted into some."""

from dataclasses import replace
from pathlib import Path

from clearset.config import params, provenance
from clearset.config.schema import Engine
from clearset.engines import analysis
from clearset.sources import work_folder
from clearset.store import dossiers, layout, tables
from clearset.trials import planted

ABOUT = """# What single images were measured to be

Records by the sha256 of all that they hang on: an image's bytes, how it is read, the code that
measures. The stage analyze looks here before it measures, and keeps just what the dataset has. It
can be removed at any time: then all images are measured again, to the same bytes.
"""


def main(dataset: str) -> str:
    """Write the tables of an analysis, the same whichever engine made them."""
    section = params.load(dataset)
    source, target = layout.stage_folder("fetch", dataset), layout.stage_folder("analyze", dataset)
    table, kept = tables.read("images", source), keep(layout.measurements(target))
    if section.analyze.engine is Engine.work_folder:
        work = work_folder.read(source / "work", copied=True)
        result = analysis.of_work_folder(work, section.analyze)
    else:
        result = analysis.analyze(
            table,
            source / "images",
            section.analyze,
            masks=source / "masks",
            carried=source / "carried",
            classes=section.classes.values(),
            kept=kept,
        )
    copies = planted.tried(
        table,
        result.analysis.metrics,
        result.descriptors,
        source,
        section.analyze,
        kept=kept / "trials",
    )
    with layout.replacing(target) as incomplete:
        dossiers.write(replace(result.analysis, **vars(copies)), incomplete)
        tables.write_json(result.engine, incomplete / "engine.json")
        provenance.record("analyze", dataset, incomplete)
    return summary(result, target)


def keep(folder: Path) -> Path:
    """Return the folder of measurements, there, and with a word on what it is."""
    folder.mkdir(parents=True, exist_ok=True)
    with layout.replacing(folder / "README.md") as readme:
        readme.write_text(ABOUT, encoding="utf-8")
    return folder


def summary(result: analysis.Measurement, target: Path) -> str:
    """Return what was measured, for a person."""
    components = result.analysis.components["component_id"].nunique()
    lost = result.analysis.unmeasured
    measured = len(result.analysis.metrics) - len(lost)
    line = (
        f"analyze: {measured} images by {result.engine['name']} {result.engine['version']} "
        f"({result.fresh} measured now), {components} components, tables in {target}"
    )
    reasons = [f"  can not be measured: {row.image_id} ({row.reason})" for row in lost.itertuples()]
    return "\n".join([line, *reasons])
