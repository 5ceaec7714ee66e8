"""Check images without a project: what is wrong, what was repaired, and a cleaned dataset."""

from pathlib import Path

import click

from clearset.inspection import settings
from clearset.inspection.check import check
from clearset.inspection.report import NAME
from clearset.store import layout

BESIDE = "-checked"  # behind a source's name: the folder that is made where nobody names one


@click.command
@click.argument("source", metavar="DIR")
@click.option(
    "--folder", metavar="FOLDER", help="Where to write; by default DIR's name with -checked, here."
)
@click.option("--name", default=NAME, show_default=True, help="What the dataset is called.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting to change, like filter.dark.min=40; may be given again.",
)
def command(source: str, folder: str | None, name: str, overrides: tuple[str, ...]) -> str:
    """Run all stages on DIR, a folder or an archive of images, outside of any project.

    FOLDER is one that is empty, not there yet, or that of a check before, which is done anew. What
    `clearset folder` finds is found; there is no pipeline, and nothing to commit.
    """
    place = folder or f"{Path(source).resolve().name}{BESIDE}"
    report = check(source, folder=place, settings=settings.of_words(overrides), name=name)
    released = Path(place) / layout.stage_folder("release", name)
    text = Path(place) / layout.REPORTS / name / "report.md"
    found = repr(report).splitlines()[:-1]  # what is next in Python is not next here
    where = f"cleaned dataset: {released}, where manifest.csv says what became of each image"
    return "\n".join([*found, f"report: {text}", where])
