"""What git has of a dataset's results, and which of it lies otherwise in the working tree.

Only git is asked, so that a run in which nothing differs is known to be the same at once.
"""

from dataclasses import dataclass
from pathlib import Path

import yaml

from clearset.store import layout
from clearset.store.errors import ClearsetError
from clearset.versions import git

LOCKS = ("dvc.lock", "training/dvc.lock")  # the hashes of what DVC keeps
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a lock is long


@dataclass(frozen=True)
class Record:
    """A dataset's results at a revision and in the working tree, and what is not the same."""

    files: frozenset[str]  # below reports/, on either side
    changed: frozenset[str]  # of these: on one side alone, or of other bytes
    folders: tuple[str, ...]  # in data/, whose hash is another one


def record(dataset: str, revision: str) -> Record:
    """Return what a revision records of a dataset, beside what is there now.

    Raises `ClearsetError` without git, such a revision, or anything that it records.
    """
    if not dataset or dataset != Path(dataset).name:
        raise ClearsetError(f"{dataset!a} is no dataset's name")
    place = f"{(layout.REPORTS / dataset).as_posix()}/"
    sha = commit(revision)
    recorded = _names("ls-tree", "-r", "-z", "--name-only", sha, "--", place)
    if not recorded:
        raise ClearsetError(f"{revision} records nothing of {dataset}: there is no {place} in it")
    present = _names("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", place)
    diff = ("diff", "--name-only", "-z", "--no-renames", "--relative", sha, "--")
    changed = _names(*diff, place, *LOCKS) | (present - recorded)
    changed = {name for name in changed if name in (recorded | {*LOCKS}) or Path(name).exists()}
    folders = [name for lock in LOCKS if lock in changed for name in _moved(lock, dataset, sha)]
    files = recorded | {name for name in present if Path(name).exists()}
    return Record(frozenset(files), frozenset(changed - {*LOCKS}), tuple(sorted(folders)))


def commit(revision: str) -> str:
    """Return the commit that a revision names; raises `ClearsetError` where it names none."""
    if revision.startswith("-"):
        raise ClearsetError(f"{revision!a} is no revision: give a tag or a commit")
    return git.output("rev-parse", "--verify", f"{revision}^{{commit}}").decode().strip()


def content(path: str, revision: str) -> bytes | None:
    """Return a file's bytes at a revision; None where it has no such file."""
    try:
        return git.output("cat-file", "blob", f"{revision}:./{path}")
    except ClearsetError:
        return None


def _names(*arguments: str) -> set[str]:
    return {
        name for name in git.output(*arguments).decode(errors="surrogateescape").split("\0") if name
    }


def _moved(lock: str, dataset: str, revision: str) -> list[str]:
    """Return the folders of a dataset that a lock has another hash of than at a revision."""
    path = Path(lock)
    before = _hashes(content(lock, revision) or b"", dataset)
    after = _hashes(path.read_bytes() if path.exists() else b"", dataset)
    return [name for name in {*before, *after} if before.get(name) != after.get(name)]


def _hashes(lock: bytes, dataset: str) -> dict[str, str]:
    """Return {path: hash} of what a dataset's stages wrote below data/."""
    try:
        stages = (yaml.load(lock, Loader=LOADER) or {}).get("stages", {})  # noqa: S506 - safe ones
        own = [stage for name, stage in stages.items() if name.partition("@")[2] == dataset]
        outs = {out["path"]: str(out["md5"]) for stage in own for out in stage.get("outs", [])}
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ClearsetError(f"dvc.lock is not as DVC writes it: {reason}. Restore it") from None
    return {path: md5 for path, md5 in outs.items() if Path(path).is_relative_to(layout.DATA)}
