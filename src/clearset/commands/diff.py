"""Say which images changed fate between two versions of a dataset, and why."""

from pathlib import Path

import click

from clearset.report import diff_page
from clearset.store import layout, tables
from clearset.versions import fates, revisions

NAMED = 20  # images named on the screen


@click.command
@click.argument("dataset")
@click.argument("one")
@click.argument("two", default="")
def command(dataset: str, one: str, two: str) -> str:
    """Set version ONE of DATASET beside version TWO: which images changed fate, and why.

    A version is a tag, a commit or an experiment; without TWO it is what lies in the workspace.
    Writes a table and a page with pictures to data/diff/DATASET.
    """
    return diff(dataset, one, two)


def diff(dataset: str, one: str, two: str = "") -> str:
    """Write fates.csv and a page to data/diff/<dataset>/, and return what changed."""
    before, after = (revisions.version(dataset, revision) for revision in (one, two))
    table = fates.changed(before, after)
    target = layout.stage_folder("diff", dataset)
    with layout.replacing(target) as incomplete:
        incomplete.mkdir()
        tables.write("fates", table, incomplete)
        diff_page.write(table, (before, after), (dataset, one, two), incomplete)
    named = (one, two or "the workspace")
    lines = [
        f"diff: {len(table)} of {len(after.manifest)} images of {dataset} changed fate from "
        f"{named[0]} to {named[1]}",
        *fates.summary(table, NAMED),
        f"  the table: {target}/fates.csv; with pictures: {Path(target, 'index.html')}",
    ]
    return "\n".join(lines)
