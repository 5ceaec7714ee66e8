"""What a dataset was at a revision: a tag, a commit, an experiment, or the workspace."""

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
from dvc import api
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.scm import SCMError, resolve_rev
from dvc_data.index import DataIndexDirError

from clearset.config import params
from clearset.config.schema import Dataset
from clearset.sources import places
from clearset.store import documents, layout, tables
from clearset.store.errors import ClearsetError
from clearset.versions.fates import Version


def content(path: Path, revision: str) -> bytes:
    """Return a file's bytes at a revision, of git or kept by DVC; an empty name: the workspace.

    Raises `ClearsetError` when there is no such revision or file, or its bytes are not at hand.
    """
    try:
        data: bytes = _file_system(revision).read_bytes(path.as_posix())
    except (DvcException, SCMError, DataIndexDirError, OSError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ClearsetError(
            f"{path} at {revision or 'the workspace'}: {reason}. Is it a tag, commit or experiment "
            f"in which the dataset was released (dvc exp run ... release@{path.parts[-2]})? "
            "`dvc fetch --all-tags` gets what a remote has"
        ) from None
    return data


def commit(revision: str) -> str:
    """Return the commit that a tag, a commit's short name or an experiment stands for."""
    with Repo() as repo:
        try:
            sha: str = resolve_rev(repo.scm, revision)
        except SCMError as error:
            raise ClearsetError(f"{error}. Is it a tag, a commit or an experiment?") from None
    return sha


@lru_cache(maxsize=8)
def _file_system(revision: str) -> Any:
    return api.DVCFileSystem(rev=revision) if revision else api.DVCFileSystem()


def table(name: str, folder: Path, revision: str) -> pd.DataFrame:
    """Return a table at a revision."""
    text = content(folder / f"{name}.csv", revision)
    with tempfile.TemporaryDirectory(prefix="clearset-") as scratch:
        (Path(scratch) / f"{name}.csv").write_bytes(text)
        return tables.read(name, Path(scratch))


def section(dataset: str, revision: str) -> Dataset:
    """Return a dataset's params at a revision."""
    where = f"{params.PARAMS} at {revision or 'the workspace'}"
    text = documents.decoded(content(params.PARAMS, revision), where)
    sections = documents.named(documents.parsed(text, where), where)
    if dataset not in sections:
        raise ClearsetError(f"{where} has no dataset {dataset}")
    return params.check(dataset, sections[dataset], where)


def version(dataset: str, revision: str) -> Version:
    """Return what decided every fate at a revision."""
    recipe = layout.stage_folder("recipe", dataset)
    manifest = table(places.MANIFEST.removesuffix(".csv"), recipe, revision)
    flags = table("flags", layout.stage_folder("filter", dataset), revision)
    return Version(manifest, flags, section(dataset, revision).filter)
