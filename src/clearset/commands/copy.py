"""Copy a released folder to wherever people keep their data."""

from pathlib import Path

import click

from clearset.config import params
from clearset.images import identity
from clearset.share import deposit as deposits
from clearset.sources import places
from clearset.store import layout, remote
from clearset.store.errors import ClearsetError, listed


@click.command
@click.argument("folder")
@click.argument("url")
@click.option("--private", is_flag=True, help="Only those who may have its pictures can read URL.")
def command(folder: str, url: str, private: bool) -> str:
    """Copy the released FOLDER to URL, such as s3://bucket/folder: any place that fsspec reaches.

    FOLDER is checked before, file by file. Pictures that may not be passed on are refused, unless
    you say that the place is --private. What lies there already stays, and other files are refused.
    """
    return copy(Path(folder), url, private)


def copy(folder: Path, url: str, private: bool) -> str:
    """Return what was copied where; raises `ClearsetError` before anything is, or why not."""
    if not remote.is_elsewhere(url):
        raise ClearsetError(f"URL is '{url}': an address like s3://bucket/folder")
    if private:
        name, _ = params.single(layout.own(folder, places.PARAMS))
        if differences := identity.verify(folder).wrong:
            names = listed(f"{one.path!a} ({one.what})" for one in differences)
            raise ClearsetError(
                f"{folder} is not as released: {names}. Get it again, then the same"
            )
    else:
        name, _ = deposits.refuse_restricted(folder)
    count = remote.put(folder, url)
    return (
        f"copy: {count} files of {name} at {url}\n  to check them there: bring them to a folder "
        "again, then clearset verify FOLDER; to measure them: clearset folder URL NAME"
    )
