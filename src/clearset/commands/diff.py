"""Say which images changed fate between two versions of a dataset, and why.

`python src/diff.py DATASET ONE [TWO]`: tags, commits or experiments; without TWO the workspace.
"""

from pathlib import Path

from clearset.commands import tool
from clearset.report import diff_page
from clearset.store import layout, tables
from clearset.versions import fates, revisions

SHOWN = 20  # images named on the screen


def main(dataset: str, one: str, two: str = "") -> str:
    """Write fates.csv and a page to data/diff/<dataset>/, and return what changed."""
    before, after = (revisions.version(dataset, revision) for revision in (one, two))
    table = fates.changed(before, after)
    target = layout.stage_folder("diff", dataset)
    with layout.replacing(target) as begun:
        begun.mkdir()
        tables.write("fates", table, begun)
        diff_page.write(table, (before, after), (dataset, one, two), begun)
    named = (one, two or "the workspace")
    lines = [
        f"diff: {len(table)} of {len(after.manifest)} images of {dataset} changed fate from "
        f"{named[0]} to {named[1]}",
        *fates.summary(table, SHOWN),
        f"  the table: {target}/fates.csv; with pictures: {Path(target, 'index.html')}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    tool.run(main, "DATASET ONE", "TWO")
