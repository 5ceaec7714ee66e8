"""Measure every image, and compare it with every other."""

from clearset import engines
from clearset.io import layout, params, tables, work_folder
from clearset.io.command import run
from clearset.schema import Engine


def main(dataset: str) -> str:
    """Write the tables of an analysis, the same whichever engine made them."""
    section = params.load(dataset)
    source, target = layout.stage_folder("fetch", dataset), layout.stage_folder("analyze", dataset)
    table = tables.read("images", source)
    if section.analyze.engine is Engine.work_folder:
        found = engines.of_work_folder(work_folder.read(source / "work"), section.analyze)
    else:
        found = engines.analyze(
            table,
            source / "images",
            section.analyze,
            masks=source / "masks",
            classes=section.classes.values(),
        )
    with layout.replacing(target) as begun:
        begun.mkdir()
        for name, frame in vars(found).items():
            if name != "engine":
                tables.write(name, frame, begun)
        tables.write_json(found.engine, begun / "engine.json")
    return (
        f"analyze: {len(found.metrics)} images by {found.engine['name']} "
        f"{found.engine['version']}, {found.components['component_id'].nunique()} components, "
        f"tables in {target}"
    )


if __name__ == "__main__":
    run(main)
