"""Open a dataset's page in the browser, where decisions are saved and a button releases."""

import subprocess
import sys
import webbrowser
from pathlib import PurePosixPath

import click

from clearset.config import params
from clearset.page.server import Server, Site
from clearset.page.writing import NAME
from clearset.store import layout
from clearset.store.cells import visible
from clearset.store.errors import ClearsetError
from clearset.versions import experiments


@click.command
@click.argument("name")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default="a free one",
    help="Where on this machine.",
)
@click.option("--browser/--no-browser", default=True, help="Whether to open the browser.")
def command(name: str, port: int, browser: bool) -> str:
    """Show the page of the dataset NAME, save what is decided on it, and release.

    Decisions go straight into the review file that `release` obeys. Only this machine can reach the
    page, by an address that holds a secret. Ctrl-C ends it.
    """
    params.load(name)
    folder = layout.stage_folder("report", name)
    if not (folder / NAME).is_file():
        raise ClearsetError(
            f"{folder / NAME} is not there: run the stages first, {' '.join(repro(name, 'report'))}"
        )
    with listening(site(name), port) as server:
        click.echo(visible(f"view: {server.address}\n  Ctrl-C ends it"))
        sys.stdout.flush()
        if browser:
            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return f"view: ended; decisions are in {layout.REVIEW / f'{name}.csv'}"
    return ""


def listening(site: Site, port: int) -> Server:
    """Return a server at a port; raises `ClearsetError` where that can not be had."""
    try:
        return Server(site, port)
    except OSError as error:
        raise ClearsetError(f"port {port}: {error.strerror}. Without --port one is free") from None


def site(name: str) -> Site:
    """Return what is served of a dataset."""
    folders = [layout.stage_folder(stage, name) / "images" for stage in ("fetch", "enhance")]
    folder = layout.stage_folder("release", name)
    folders += [layout.stage_folder("report", name), layout.REPORTS / name]
    return Site(
        page=PurePosixPath(layout.stage_folder("report", name).as_posix()) / NAME,
        folders=tuple(PurePosixPath(folder.as_posix()) for folder in folders),
        review=layout.REVIEW / f"{name}.csv",
        release=lambda: f"Released, into {folder}\n\n{ran(repro(name, 'release'))}",
        experiments=lambda: experiments.table(name),
    )


def repro(name: str, stage: str) -> list[str]:
    """Return the command that runs a dataset's stage, and what it stands on."""
    if params.place(name) != params.PARAMS:
        return ["clearset", "folder", name]
    return ["dvc", "repro", f"{stage}@{name}"]


def ran(words: list[str]) -> str:
    """Return what a command printed; raises `ClearsetError` with that where it failed."""
    try:
        done = subprocess.run(words, check=False, text=True, capture_output=True)
    except FileNotFoundError:
        raise ClearsetError(f"{words[0]} is not on the path: source .venv/bin/activate") from None
    if done.returncode:
        raise ClearsetError(f"{' '.join(words)} stopped:\n{done.stdout}{done.stderr}")
    return done.stdout
