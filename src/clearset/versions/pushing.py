"""A release's files on their way to DVC's remote: whole, and only those that may go there."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from dvc.exceptions import DvcException
from dvc.repo import Repo

from clearset.images import codec
from clearset.store import layout
from clearset.store.errors import ClearsetError, listed


@contextmanager
def dvc_repository() -> Iterator[Repo]:
    """Yield the project's DVC repository; what DVC refuses is a `ClearsetError`, with its reason.

    Such as a dataset that dvc.yaml does not list, or another DVC command that runs at the moment.
    """
    try:
        with Repo() as repo:
            yield repo
    except DvcException as error:
        reason = " ".join(f"{error} {error.__cause__ or ''}".split())
        raise ClearsetError(f"DVC: {reason}. Nothing was released: mend that, then again") from None


def remote() -> str:
    """Return the name of DVC's default remote; raises `ClearsetError` where there is none."""
    with dvc_repository() as repo:
        name = str(repo.config["core"].get("remote", ""))
        if name not in repo.config["remote"]:
            raise ClearsetError(
                "DVC has no default remote, so there is no place for the data. Name one: dvc "
                "remote add --default mine s3://bucket/path (or a folder), then commit .dvc/config"
            )
    return name


def folder(name: str) -> str:
    """Return the folder that a remote is on this machine; empty: it is elsewhere."""
    with dvc_repository() as repo:
        url = str(repo.config["remote"][name]["url"])
    return "" if "://" in url else str(Path(url).absolute())


def refuse_corrupt(dataset: str) -> None:
    """Raise `ClearsetError` for a file of DVC's cache that others would get and that is broken."""
    with dvc_repository() as repo:
        shared = repo.used_objs(targets=layout.last_stages(dataset), with_deps=True).get(
            None, set()
        )
        for item in sorted(shared, key=lambda item: str(item.value)):
            path = Path(repo.cache.local.oid_to_path(item.value))
            expected = item.value.removesuffix(".dir")
            if not path.exists():
                raise ClearsetError(f"{_relative(path)} is missing. Run dvc fetch, or dvc repro")
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
            if digest.hexdigest() != expected:
                raise ClearsetError(
                    f"{_relative(path)} of DVC's cache is corrupted. Remove it, then get it back: "
                    f"dvc fetch release@{dataset} where a remote has it, or dvc repro --force"
                )


def refuse_pictures(dataset: str, to: str) -> None:
    """Raise `ClearsetError` for a picture that a push to the remote `to` would take there.

    For datasets whose pictures may not be passed on: what dvc.yaml says of them is not trusted.
    """
    with dvc_repository() as repo:
        stages = [
            stage
            for last in layout.last_stages(dataset)
            for stage in repo.stage.collect(last, with_deps=True)
        ]
        outs = [out for stage in stages for out in stage.outs if out.use_cache and out.can_push]
        for out in outs:
            names = [key[-1] for key, _, _ in out.get_obj() or ()] if out.is_dir_checksum else []
            suffixes = {PurePosixPath(name).suffix.lower() for name in names} & codec.SUFFIXES
            if suffixes and out.remote in (None, to):
                raise ClearsetError(
                    f"{dataset} may not be passed on (about.redistributable in conf/dataset/), but "
                    f"{out} with its {listed(sorted(suffixes))} files would go to '{to}'. Name "
                    "another remote for its pixels on top of dvc.yaml, such as private"
                )


def _relative(path: Path) -> str:
    return os.path.relpath(path)


def push(dataset: str, to: str) -> int:
    """Push everything that a clone needs to have the dataset reproduced; return how many files.

    Pictures of a restricted dataset have a remote of their own, and are not among it. Raises
    `ClearsetError` with the remote's reason; what came there stays, and the next try goes on.
    """
    try:
        with Repo() as repo:
            return int(repo.push(targets=layout.last_stages(dataset), with_deps=True, remote=to))
    except Exception as error:  # each kind of remote raises what its library does
        reason = " ".join(f"{error} {error.__cause__ or ''}".split()) or type(error).__name__
        raise ClearsetError(
            f"the remote '{to}' did not take the data: {reason}. Nothing was released. Look at its "
            "address and credentials (dvc remote list; docs/sharing.md), then run "
            "the same again: what arrived is kept"
        ) from None
