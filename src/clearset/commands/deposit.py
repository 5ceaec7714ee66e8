"""Put a released folder into an archive such as Zenodo, as a draft that a person publishes."""

import os
from pathlib import Path

import click

from clearset.share import deposit as deposits
from clearset.share import zenodo
from clearset.sources import places
from clearset.store.errors import ClearsetError

ZENODO = "https://zenodo.org/api"
TOKEN = "ZENODO_TOKEN"  # noqa: S105 - the name of a variable


@click.command
@click.argument("folder")
@click.option("--to", default=ZENODO, show_default=True, help="The address of the archive's API.")
@click.option("--licence", default="", help="How the archive calls a licence of another kind.")
def command(folder: str, to: str, licence: str) -> str:
    """Send the released FOLDER to Zenodo as a draft, one zip; a person publishes it there.

    Title, description, creators, licence and citation are what params.yaml in it says of the
    dataset. The environment variable ZENODO_TOKEN is a token of yours with the scope
    deposit:write. Pictures that may not be passed on are refused: of such a dataset, send the
    recipe.
    """
    return deposit(folder, to, licence)


def deposit(folder: str, to: str, licence: str) -> str:
    """Return where the draft is; raises `ClearsetError` before anything is sent, or why not."""
    place, token = Path(folder), os.environ.get(TOKEN, "")
    name, section = deposits.refuse_restricted(place)
    told = deposits.metadata(name, section.about, deposits.version(place), licence)
    if not token:
        raise ClearsetError(
            f"{TOKEN} is not set. Make a token with the scope deposit:write in your account of the "
            f"archive, then: export {TOKEN}=... (never into a file of the project)"
        )
    with deposits.packed(place, name) as file:
        size = file.stat().st_size
        address = zenodo.drafted(to, token, file, told)
    kind = "the recipe" if (place / places.RELEASE).exists() else "the release"
    return (
        f"deposit: {kind} of {name} is a draft, {size / 1e6:.1f} MB in {file.name}, licence "
        f"{told['license']}\n  look at it, then publish it: {address}\n"
        "  what is published there stays for good, with a DOI: add that to about.citation"
    )
