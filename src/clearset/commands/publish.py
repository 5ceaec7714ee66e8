"""Release a dataset to others: push its data, a CHANGELOG entry and a tag."""

import re

import click

from clearset.config import params
from clearset.share.manifest import counts
from clearset.sources import places
from clearset.store import checksums, layout, locks
from clearset.store.errors import ClearsetError
from clearset.versions import changes, fates, publishing, pushing, revisions


@click.command
@click.argument("dataset")
@click.argument("version")
def command(dataset: str, version: str) -> str:
    """Release DATASET to others as DATASET-VERSION, where VERSION is like v1.0.

    What is committed must be what was reproduced. The data is pushed first; then an entry of
    CHANGELOG.md, its commit and the tag go out together, or none of them. It can be stopped at any
    moment and run again.
    """
    with locks.alone(f"clearset publish {dataset}"):
        return publish(dataset, version)


def publish(dataset: str, version: str) -> str:
    """Check, push, write the entry, commit, tag; returns how others get the release."""
    restricted = not params.load(dataset).about.redistributable
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", version):
        raise ClearsetError(f"VERSION is '{version}': letters, digits, dots, - and _, like v1.0")
    publishing.refuse_unready(dataset)
    to = pushing.remote()
    tag = publishing.tag(f"{dataset}-{version}")
    resumed = publishing.resumed(tag)
    publishing.refuse_behind(tag)
    pushing.refuse_corrupt(dataset)
    if restricted:
        pushing.refuse_pictures(dataset, to)
    pushed = pushing.push(dataset, to)
    made = (
        tag.here if resumed else publishing.commit(tag, entry(dataset, tag.name), message(tag.name))
    )
    publishing.announce(tag, made)
    address = publishing.git("remote", "get-url", publishing.ORIGIN)
    folder = layout.stage_folder("recipe" if restricted else "release", dataset)
    lines = [
        f"release: {tag.name} is out: {pushed} files pushed to '{to}', commit and tag to "
        f"{publishing.ORIGIN}, entry in {publishing.CHANGELOG}",
        f"  others get it: dvc get {address} {folder} --rev {tag.name}",
        f"  and check it: make verify FOLDER={dataset}",
    ]
    if restricted:
        lines[-1] = (
            f"  and, with the source, make the cleaned pictures, which may not be passed on: "
            f"make rebuild RECIPE={dataset} SOURCE=/path TARGET=cleaned"
        )
    return "\n".join(lines)


def message(name: str) -> str:
    """Return the message of a release's commit and tag."""
    return f"Release {name}"


def entry(dataset: str, name: str) -> str:
    """Return the entry of CHANGELOG.md for what lies in the working tree."""
    now = revisions.version(dataset, "")
    section = revisions.section(dataset, "")
    recipe = layout.stage_folder("recipe", dataset)
    tags = ["tag", "--list", f"{dataset}-*", "--merged", "HEAD", "--sort=-creatordate"]
    last = publishing.git(*tags).split("\n")[0]
    facts = changes.Facts(
        dataset=dataset,
        name=name,
        date=publishing.git("show", "--no-patch", "--format=%cs", "HEAD"),
        content=checksums.sha256(recipe / places.RELEASE),
        fates=counts(now.manifest),
        restricted=not section.about.redistributable,
    )
    if not last:
        return changes.entry(facts, "", [], None)
    moved = changes.params(revisions.section(dataset, last), section)
    return changes.entry(facts, last, moved, fates.changed(revisions.version(dataset, last), now))
