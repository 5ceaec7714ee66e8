"""Make a cleaned dataset from its recipe and its source: its bytes, or at least its pixels."""

from pathlib import Path

import click

from clearset.images import identity
from clearset.share import releases
from clearset.store import checksums, layout


@click.command
@click.argument("recipe")
@click.argument("source")
@click.argument("target")
def command(recipe: str, source: str, target: str) -> str:
    """Make the cleaned dataset TARGET from the folder RECIPE and its SOURCE, a folder or a zip.

    Every hash is compared with what was released. No stage is run, and no fastdup is needed.
    """
    return rebuild(recipe, source, target)


def rebuild(recipe: str, source: str, target: str) -> str:
    """Return that every hash matches; raises `ClearsetError` saying what does not."""
    manifest, same = releases.rebuild(Path(recipe), Path(source), Path(target))
    path = layout.own(Path(target), checksums.CHECKSUMS)
    files = len(checksums.read(path))
    fates = manifest["decision"].value_counts()
    became = ", ".join(f"{count} {fate}" for fate, count in fates.sort_index().items())
    hashes = "every pixel is the same" if same else "every hash matches"
    return (
        f"rebuild: {len(manifest)} images ({became}); each of {files} files is what was released, "
        f"{hashes}\n{identity.remark(same)}  {target}, content {checksums.sha256(path)}\n"
        f"  from Python: clearset.load_release({target!r})"
    )
