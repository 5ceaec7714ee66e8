"""Files of a release to their places in the source's own layout, one by one."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from clearset.images.identity import identities
from clearset.share.manifest import DROPPED, REPAIRED
from clearset.share.mentions import MOST, TEXT, named
from clearset.sources.intake import CARRIED
from clearset.sources.roles import COMPANION, IMAGE, LEFT
from clearset.store import checksums, copies
from clearset.store.errors import ClearsetError, listed
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
            own = folders["fetch"] / CARRIED / output  # a mask in colour, as it came
            file = own if output and own.is_file() else folders["fetch"] / f"{kind}s" / place
            hashes[kind].append(_copied(file, target / output) if output else "")
    return manifest.assign(
        mask_sha256=hashes["mask"],
        label_sha256=hashes["label"],
        output_identity=identities(target, manifest["output"].tolist()),
        mask_identity=identities(target, manifest["mask"].tolist()),
    )


def carry(files: pd.DataFrame, manifest: pd.DataFrame, carried: Path, target: Path) -> pd.DataFrame:
    """Write what goes along below `target`; return the table `inventory`, of all files.

    What belongs to images alone goes along with any of them that is there; lists go along as they
    are, and it is said of each which dropped images it still names.
    """
    rows = manifest.set_index("image_id")
    dropped = set(rows.index[rows["decision"] == DROPPED])
    gone = manifest.loc[manifest["decision"] == DROPPED, "source"].tolist()
    owners = files.groupby("file")["image_id"].agg(set)
    entries = []
    for row in watched(files.itertuples(), len(files), "carry"):
        output, reason = row.file, row.reason
        if row.role == LEFT:
            output = ""
        elif row.image_id and owners[row.file] <= dropped:
            output, reason = "", reason or "its image was dropped"
        elif row.role == IMAGE:
            output = rows.loc[row.image_id, "output"]
        source = carried / row.file
        if output and source.is_file():
            _copied(source, target / output)
        if row.role == COMPANION and output:
            reason = _outdated(target / output, gone) or reason
        entries.append((row.file, row.role, row.kind, row.image_id, output, reason))
    names = ["file", "role", "kind", "image_id", "output", "reason"]
    table = pd.DataFrame(entries, columns=names)
    hashes = {place: checksums.sha256(target / place) for place in {*table["output"]} if place}
    return table.assign(sha256=table["output"].map(hashes).fillna(""))


def _outdated(file: Path, gone: Sequence[str]) -> str:
    """Return which dropped images a list still names; empty: none, or it is no list."""
    if not gone or file.suffix.lower() not in TEXT or file.stat().st_size > MOST:
        return ""
    names = named(file.read_text(encoding="utf-8", errors="replace"), gone)
    return f"still names what was dropped: {listed(names)}" if names else ""


def _copied(source: Path, target: Path) -> str:
    """Copy a file's bytes and return the copy's sha256."""
    try:
        copies.copy(source, target)
    except FileNotFoundError:
        raise ClearsetError(f"{source} is missing. Run `dvc repro`, or `dvc checkout`") from None
    return checksums.sha256(target)
