"""Make an experiment the default: its values into conf/, its results into place."""

import click

from clearset.config import adoption, params
from clearset.store import documents, layout, locks
from clearset.store.errors import ClearsetError, listed
from clearset.versions import pipeline, publishing, revisions

STAGES = ("fetch", "analyze", "filter", "enhance", "compare", "report", "release")


@click.command
@click.argument("name")
def command(name: str) -> str:
    """Write the values of the experiment NAME into conf/, and put its results into place.

    params.yaml and conf/ never part, and nothing that the experiment ran runs again.
    """
    what = f"clearset adopt {name}"
    with locks.unread(params.PARAMS, what), locks.alone(what):
        return adopt(name)


def adopt(name: str) -> str:
    """Write the experiment's values into conf/, put its results into place; returns what is next.

    `dvc exp apply` would want the data of every dataset of the project at hand: here it is that of
    the datasets which the experiment changed.
    """
    publishing.refuse_dirty("so that nothing of yours is lost")
    commit = revisions.commit(name)
    if publishing.git("rev-parse", f"{commit}^") != publishing.git("rev-parse", "HEAD"):
        raise ClearsetError(
            f"{name} is no experiment on the commit that you are at. Known here: "
            f"{listed(pipeline.dvc('exp', 'list', '--name-only').split()) or 'none'}"
        )
    where = f"{params.PARAMS} at {name}"
    text = documents.decoded(revisions.content(params.PARAMS, name), where)
    values = documents.named(documents.parsed(text, where), where)
    datasets = sorted(set(adoption.differing(values)) - params.GROUPS)
    changed = adoption.adopt(values)
    try:
        publishing.git("restore", f"--source={commit}", "--worktree", "--", ".", ":!conf")
        targets = [f"{stage}@{dataset}" for dataset in datasets for stage in STAGES]
        if targets:
            pipeline.dvc("checkout", "--force", "--allow-missing", *targets)
        pipeline.dvc("repro", "--force", "--single-item", "config")
    except ClearsetError:
        publishing.git("reset", "--hard", "--quiet", "HEAD")
        raise
    files = listed(changed) if changed else "no file: conf/ says so already"
    further = " ".join(stage for dataset in datasets for stage in layout.last_stages(dataset))
    return (
        f"adopt: {name} is the default now, its values in {files}; its results are in place. Look "
        f"at git diff, run dvc repro {further} for what it did not run, then commit. To go back: "
        "git restore . and dvc checkout"
    )
