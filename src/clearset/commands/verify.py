"""Check a released folder by its hashes and its pixels, and name what differs."""

from pathlib import Path

import click

from clearset.images import identity
from clearset.store import checksums, layout
from clearset.store.errors import ClearsetError, listed


@click.command
@click.argument("folder")
def command(folder: str) -> str:
    """Hash every file of the released FOLDER again, and name each that differs.

    A file whose bytes differ passes, with a remark, if it is the same image: the same pixels with
    the same declarations, compressed anew.
    """
    return verify(folder)


def verify(folder: str) -> str:
    """Return that every file is as released; raises `ClearsetError` naming those that are not."""
    differences = identity.verify(Path(folder))
    if wrong := differences.wrong:
        lines = "".join(f"\n  {one.what}: {one.path!a}" for one in wrong)
        kinds = listed(sorted({one.what for one in wrong}))
        count = "1 file is" if len(wrong) == 1 else f"{len(wrong)} files are"
        raise ClearsetError(
            f"{folder}: {count} not as released ({kinds}):{lines}\n"
            f"{identity.remark(differences.same)}Get these again from where the release came from"
        )
    path = layout.own(Path(folder), checksums.CHECKSUMS)
    return (
        f"verify: each of {len(checksums.read(path))} files in {folder} is as released\n"
        f"{identity.remark(differences.same)}"
        f"  its content is {checksums.sha256(path)}. Compare that with the content which "
        "CHANGELOG.md names for the release's tag: only if they are the same is this that release"
    )
