"""A release in git: what may be released, and its commit and tags, out together or not at all.

It has two: `sample-v1`, and `sample@v1.0.0`, by which DVC's registry of artifacts knows it (the
convention of GTO, https://dvc.org/doc/gto).
"""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from clearset.config import composition, params
from clearset.store import checksums, layout
from clearset.store.errors import ClearsetError, listed
from clearset.versions.git import output
from clearset.versions.pushing import dvc_repository

ORIGIN = "origin"
CHANGELOG = Path("CHANGELOG.md")
NUMBER = r"(0|[1-9][0-9]*)"
LATER = r"[0-9A-Za-z-]*[A-Za-z-][0-9A-Za-z-]*"  # of a version before the one it leads to
VERSION = re.compile(
    rf"v(?P<numbers>{NUMBER}(\.{NUMBER}){{0,2}})(?P<before>-({NUMBER}|{LATER})(\.({NUMBER}|{LATER}))*)?"
)


@dataclass(frozen=True)
class Tag:
    """A release's tag, and the commit that it names here and on the git remote; empty: none."""

    name: str
    here: str
    there: str


def registered(version: str) -> str:
    """Return a version with all of its three numbers, as a registry has it: v1 is v1.0.0.

    Raises `ClearsetError` for what is no version.
    """
    match = VERSION.fullmatch(version)
    if match is None:
        raise ClearsetError(
            f"VERSION is {version!a}: v and one to three numbers, like v1 or v1.2.0; a release to "
            "try it is v2.0.0-rc1"
        )
    numbers = [*match["numbers"].split("."), "0", "0"][:3]
    return f"v{'.'.join(numbers)}{match['before'] or ''}"


def git(*arguments: str, stdin: str = "", index: str = "") -> str:
    """Return what a git command prints; raises `ClearsetError` with what it says."""
    return output(*arguments, stdin=stdin.encode(), index=index).decode().rstrip("\n")


def git_or_blank(*arguments: str) -> str:
    """Return what a git command prints, or nothing where it fails."""
    try:
        return git(*arguments)
    except ClearsetError:
        return ""


def refuse_dirty(why: str) -> None:
    """Raise `ClearsetError` for files that are not as committed, new ones too."""
    if dirty := git("status", "--porcelain").splitlines():
        raise ClearsetError(
            f"the working tree is not clean: {listed(line[3:] for line in dirty)}. Commit or "
            f"restore these first (git restore . and dvc checkout), {why}"
        )


def refuse_unready(dataset: str) -> None:
    """Raise `ClearsetError` unless what is committed is what was reproduced, byte for byte."""
    refuse_dirty("so that the tag names what was released")
    if params.PARAMS.read_text(encoding="utf-8") != composition.text(composition.composed()):
        raise ClearsetError(
            f"{params.PARAMS} is not what conf/ composes to: these results are of an experiment. "
            "make adopt NAME=... writes its values into conf/; dvc repro goes back to conf/"
        )
    with dvc_repository() as repo:
        if changed := repo.status(targets=layout.last_stages(dataset), with_deps=True):
            raise ClearsetError(
                f"{dataset} is not reproduced ({listed(changed)} changed). Run dvc repro "
                f"{' '.join(layout.last_stages(dataset))}, look at what it gives, and commit "
                "dvc.lock and reports/"
            )
    for stage in ("release", "recipe"):
        folder = layout.stage_folder(stage, dataset)
        if wrong := checksums.verify(folder):
            raise ClearsetError(
                f"{folder} is not what the stage wrote: "
                f"{listed(f'{one.path} ({one.what})' for one in wrong)}. Remove the folder and "
                f"run dvc repro --force release@{dataset}"
            )


def tag(name: str) -> Tag:
    """Return where a tag stands; raises `ClearsetError` without a git remote that answers."""
    if not git_or_blank("remote", "get-url", ORIGIN):
        raise ClearsetError(
            f"git has no remote '{ORIGIN}' to push the tag to: git remote add {ORIGIN} <address>"
        )
    here = git_or_blank("rev-parse", "--quiet", "--verify", f"{name}^{{commit}}")
    return Tag(name, here, _there(f"refs/tags/{name}"))


def _there(ref: str) -> str:
    """Return the commit that a ref names on the git remote, of a tag with or without a message."""
    try:
        answer = git("ls-remote", ORIGIN, ref, f"{ref}^{{}}")
    except ClearsetError as error:
        raise ClearsetError(
            f"{ORIGIN} does not answer: {error}. Look at its address (git remote get-url {ORIGIN}) "
            "and at your access, then run the same again"
        ) from None
    return answer.splitlines()[-1].split("\t")[0] if answer else ""  # the tag's commit comes last


def refuse_behind(tag: Tag) -> None:
    """Raise `ClearsetError` when the git remote's branch has commits that are not here."""
    branch = git_or_blank("symbolic-ref", "--quiet", "--short", "HEAD")
    there = _there(f"refs/heads/{branch}") if branch else ""
    if there and there != tag.here and git_or_blank("merge-base", there, "HEAD") != there:
        raise ClearsetError(
            f"{ORIGIN} has commits on {branch} that are not here, so it would refuse the release. "
            "git pull, dvc repro, then the same again"
        )


def resumed(tag: Tag) -> bool:
    """Whether a tag is of this very release, begun before and stopped.

    Raises `ClearsetError` for a tag of another one.
    """
    if not tag.here and not tag.there:
        return False
    head = git("rev-parse", "HEAD")
    ours = tag.here and head in (tag.here, git_or_blank("rev-parse", f"{tag.here}^1"))
    if ours and tag.there in ("", tag.here) and (tag.here != head or not tag.there):
        return True
    where = f"on {ORIGIN}" if tag.there else "here"
    raise ClearsetError(
        f"the tag {tag.name} exists {where} already. A release never changes: choose another "
        "VERSION" + ("" if tag.there else f", or remove it: git tag --delete {tag.name}")
    )


def refuse_registered(known: Tag, tag: Tag) -> None:
    """Raise `ClearsetError` when a registry's tag is of another release than `tag` is of.

    That is of this very version, written otherwise.
    """
    if others := {known.here, known.there} - {"", tag.here}:
        where = f"on {ORIGIN}" if known.there in others else "here"
        raise ClearsetError(
            f"the tag {known.name} exists {where} already, so that to a registry {tag.name} is "
            "released. A release never changes: choose another VERSION"
        )


def commit(tag: Tag, entry: str, message: str) -> str:
    """Make the release's commit and tag, and return the commit; no branch and no file changes."""
    before = CHANGELOG.read_text(encoding="utf-8")
    head, _, rest = before.partition("\n## ")
    text = f"{head.rstrip()}\n\n{entry}\n\n## {rest}" if rest else f"{head.rstrip()}\n\n{entry}\n"
    with tempfile.TemporaryDirectory(prefix="clearset-") as scratch:
        index = str(Path(scratch) / "index")
        git("read-tree", "HEAD", index=index)
        blob = git("hash-object", "-w", "--stdin", stdin=text)
        index_entry = f"100644,{blob},{CHANGELOG}"
        git("update-index", "--add", "--cacheinfo", index_entry, index=index)
        tree = git("write-tree", index=index)
    sha = git("commit-tree", tree, "-p", "HEAD", "-m", message)
    git("tag", "--annotate", tag.name, sha, "-m", message)
    return sha


def announce(tag: Tag, known: Tag, sha: str, message: str) -> None:
    """Push branch and both tags together, then move the branch here; on refusal nothing is left.

    The registry's tag `known` is made here, where a stopped release has not.
    """
    branch = git_or_blank("symbolic-ref", "--quiet", "--short", "HEAD")
    refs = [f"{sha}:refs/heads/{branch}"] if branch else []
    if not known.here:
        git("tag", "--annotate", known.name, sha, "-m", message)
    tags = [tag.name, known.name]
    try:
        git("push", "--atomic", "--quiet", ORIGIN, *refs, *(f"refs/tags/{name}" for name in tags))
    except ClearsetError as error:
        if _there(f"refs/tags/{tag.name}") != sha:  # it may have arrived, its answer not
            git("tag", "--delete", *tags)
            raise ClearsetError(
                f"{ORIGIN} did not take the release: {error}. Nothing was released. Mend that (git "
                "pull, if others pushed), then run the same again"
            ) from None
    if branch:
        git("merge", "--ff-only", "--quiet", sha)
