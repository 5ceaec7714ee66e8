"""Files of a release to their places in the source's own layout, one by one."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from clearset.images.identity import identities
from clearset.share.manifest import DROPPED, REPAIRED
from clearset.store import checksums
from clearset.store.errors import ClearsetError
from clearset.store.parallel import watched


def uncopied(images: pd.DataFrame) -> set[str]:
    """Return the images that have no copy, since their path is none that can be written."""
    return {row.image_id for row in images.itertuples() if not checksums.is_safe(row.source)}


def deliver(
    manifest: pd.DataFrame, images: pd.DataFrame, folders: Mapping[str, Path], target: Path
) -> pd.DataFrame:
    """Write images, masks and labels below `target`; return the manifest with what files tell.

    `images` says where they lie in the `folders` of fetch and enhance. Raises `ClearsetError` for
    a file that is not what the table of its stage says.
    """
    target.mkdir(parents=True)
    places = images.set_index("image_id")[["path", "mask", "label"]]
    hashes: dict[str, list[str]] = {"mask": [], "label": []}
    for row in watched(manifest.itertuples(), len(manifest), "release"):
        path, mask, label = places.loc[row.image_id]
        if row.decision != DROPPED:
            stage = "enhance" if row.decision == REPAIRED else "fetch"
            file = folders[stage] / "images" / path
            if _copied(file, target / row.output) != row.output_sha256:
                raise ClearsetError(
                    f"{file} is not what its stage wrote. Run `dvc repro`, or `dvc checkout`"
                )
        for kind, place, output in (("mask", mask, row.mask), ("label", label, row.label)):
            file = folders["fetch"] / f"{kind}s" / place
            hashes[kind].append(_copied(file, target / output) if output else "")
    return manifest.assign(
        mask_sha256=hashes["mask"],
        label_sha256=hashes["label"],
        output_identity=identities(target, manifest["output"].tolist()),
        mask_identity=identities(target, manifest["mask"].tolist()),
    )


def _copied(source: Path, target: Path) -> str:
    """Copy a file's bytes and return the copy's sha256."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:
        raise ClearsetError(f"{source} is missing. Run `dvc repro`, or `dvc checkout`") from None
    return checksums.sha256(target)
