"""Release a dataset to others: push its data, a CHANGELOG entry and a tag."""

import os
import shlex
from pathlib import Path

import click

from clearset.config import params
from clearset.share.manifest import counts
from clearset.sources import places
from clearset.store import checksums, layout, locks
from clearset.versions import changes, fates, publishing, pushing, revisions


@click.command
@click.argument("dataset")
@click.argument("version")
def command(dataset: str, version: str) -> str:
    """Release DATASET to others as DATASET-VERSION, where VERSION is like v1 or v1.2.0.

    What is committed must be what was reproduced. The data is pushed first; then an entry of
    CHANGELOG.md, its commit, the tag and that of DVC's registry (sample@v1.0.0) go out together, or
    none of them. It can be stopped at any moment and run again.
    """
    with locks.alone(f"clearset publish {dataset}"):
        return publish(dataset, version)


def publish(dataset: str, version: str) -> str:
    """Check, push, write the entry, commit, tag; returns how others get the release."""
    restricted = not params.load(dataset).about.redistributable
    semantic = publishing.registered(version)
    publishing.refuse_unready(dataset)
    to = pushing.remote()
    tag, known = (publishing.tag(n) for n in (f"{dataset}-{version}", f"{dataset}@{semantic}"))
    resumed = publishing.resumed(tag)
    publishing.refuse_registered(known, tag)
    publishing.refuse_behind(tag)
    pushing.refuse_corrupt(dataset)
    if restricted:
        pushing.refuse_pictures(dataset, to)
    pushed = pushing.push(dataset, to)
    made = (
        tag.here if resumed else publishing.commit(tag, entry(dataset, tag.name), message(tag.name))
    )
    publishing.announce(tag, known, made, message(tag.name))
    first = (
        f"release: {tag.name} is out: {pushed} files pushed to '{to}', commit and tags to "
        f"{publishing.ORIGIN}, entry in {publishing.CHANGELOG}"
    )
    return "\n".join([first, *how_to_get(dataset, (tag.name, semantic), to, restricted)])


def how_to_get(dataset: str, names: tuple[str, str], to: str, restricted: bool) -> list[str]:
    """Return the commands by which others get a release, as they can be run.

    `names` are its tag and its version in DVC's registry; `to` is the remote its data is in.
    """
    tag, semantic = names
    folder = layout.stage_folder("recipe" if restricted else "release", dataset)
    place = pushing.folder(to)
    # Data in a folder is found from this clone alone: its address may be relative to it.
    address = os.fspath(Path.cwd()) if place else publishing.git("remote", "get-url", "origin")
    where = "whoever reads this machine's disk gets it" if place else "others get it"
    quoted = shlex.quote(address)
    lines = [
        f"  {where}: dvc get {quoted} {folder} --rev {tag}",
        f"  or, as an artifact of DVC: dvc artifacts get {quoted} {dataset} --rev {semantic}",
        f"  and check it: clearset verify {dataset} (in a clone: make verify FOLDER={dataset})",
    ]
    if restricted:
        lines += [
            "  and, with the source, make the cleaned pictures, which may not be passed on: "
            f"clearset rebuild {dataset} /path/to/the/source {dataset}_cleaned"
        ]
    if place:
        lines += [
            f"  For others first name a remote that they reach: the data is in the folder {place}. "
            "dvc remote add --default team s3://bucket/path, commit .dvc/config, and release the "
            "next version (docs/sharing.md)"
        ]
    return lines


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
