"""Measure every image, and compare it with every other."""

from clearset.config import params
from clearset.config.schema import Engine
from clearset.config.stage import run
from clearset.engines import analysis
from clearset.sources import work_folder
from clearset.store import layout, tables


def main(dataset: str) -> str:
    """Write the tables of an analysis, the same whichever engine made them."""
    section = params.load(dataset)
    source, target = layout.stage_folder("fetch", dataset), layout.stage_folder("analyze", dataset)
    table = tables.read("images", source)
    if section.analyze.engine is Engine.work_folder:
        result = analysis.of_work_folder(work_folder.read(source / "work"), section.analyze)
    else:
        result = analysis.analyze(
            table,
            source / "images",
            section.analyze,
            masks=source / "masks",
            classes=section.classes.values(),
        )
    with layout.replacing(target) as begun:
        begun.mkdir()
        for name, frame in vars(result).items():
            if name not in ("engine", "descriptors"):
                tables.write(name, frame, begun)
        if result.descriptors is not None:
            tables.write_array("descriptors", result.descriptors, begun)
        tables.write_json(result.engine, begun / "engine.json")
    return (
        f"analyze: {len(result.metrics)} images by {result.engine['name']} "
        f"{result.engine['version']}, {result.components['component_id'].nunique()} components, "
        f"tables in {target}"
    )


if __name__ == "__main__":
    run(main)
