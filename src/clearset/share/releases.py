"""Released folders on disk: described for people and machines, and rebuilt from a recipe."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
import yaml
from omegaconf import OmegaConf

from clearset.config import params
from clearset.config.schema import Action, Dataset
from clearset.config.schema_fetch import Source
from clearset.images import identity
from clearset.images.levels import declared
from clearset.repair.files import repair
from clearset.repair.steps import check_steps, describe, steps_for
from clearset.share import rows, soundness
from clearset.share.cards import Released, card, configs
from clearset.share.croissant import croissant
from clearset.share.manifest import DROPPED, REPAIRED
from clearset.sources import archives, intake, origin, places
from clearset.sources.roles import IMAGE
from clearset.store import checksums, copies, layout, tables
from clearset.store.errors import ClearsetError, listed
from clearset.store.parallel import mapped

PIXELS = "Use the versions of requirements.lock: another library may repair to other pixels"


@dataclass(frozen=True)
class Record:
    """What is released: params, what became of every image, and where every file went."""

    name: str
    section: Dataset
    manifest: pd.DataFrame
    inventory: pd.DataFrame


def write(record: Record, folder: Path, recipe: Path) -> None:
    """Describe a release whose files lie in `folder`, and write its recipe.

    The first gets manifest.csv, inventory.csv, params.yaml, README.md, croissant.json, a table of
    each split for `datasets`, identities.sha256 and checksums.sha256, by other names where the
    source has such files; the second the same of a folder without pictures (its identities are
    those of the first), and in release.sha256 the checksums of the first.
    """
    files = frozenset(checksums.below(folder))
    own = described(folder, record, files)
    checksums.write(folder, own[checksums.CHECKSUMS])
    recipe.mkdir()
    copies.copy(folder / own[checksums.CHECKSUMS], recipe / places.RELEASE)
    described(recipe, record, frozenset())
    checksums.write(recipe)


def described(folder: Path, record: Record, files: frozenset[str]) -> dict[str, str]:
    """Write the files that say what a folder holds; return what they are called there."""
    # which splits there are hangs on nothing that a file changes
    found = rows.splits(record.manifest) if files else []
    own = places.own(folder, [split.file for split in found])
    sha256 = checksums.sha256(
        tables.write("manifest", record.manifest, folder, own[places.MANIFEST])
    )
    tables.write("inventory", record.inventory, folder, own[places.INVENTORY])
    manifest, inventory = (tables.read(name, folder) for name in ("manifest", "inventory"))
    released = Released(
        record.name, record.section, manifest, inventory, sha256=sha256, files=files, own=own
    )
    content = OmegaConf.to_container(OmegaConf.structured(record.section), enum_to_str=True)
    texts = {
        places.PARAMS: yaml.safe_dump({record.name: content}, sort_keys=False, allow_unicode=True),
        places.README: card(released),
        places.CROISSANT: croissant(released),
    }
    if places.HUB in own:
        hub = {"configs": configs(released)}
        texts[places.HUB] = yaml.safe_dump(hub, sort_keys=False, allow_unicode=True)
    for split in rows.splits(manifest) if files else []:
        (folder / own[split.file]).write_bytes(split.content())
    for file, text in texts.items():
        (folder / own[file]).write_text(text, encoding="utf-8")
    checksums.write_list(identities(released.manifest), folder / own[checksums.IDENTITIES])
    return own


def identities(manifest: pd.DataFrame) -> dict[str, str]:
    """Return {path: identity} of the released images and masks that have one."""
    pairs = [
        (PurePosixPath(place).as_posix(), value)
        for kind in ("output", "mask")
        for place, value in zip(manifest[kind], manifest[f"{kind}_identity"], strict=True)
    ]
    return {place: value for place, value in pairs if value}


def rebuild(recipe: Path, source: Path, target: Path) -> tuple[pd.DataFrame, list[str]]:
    """Make the released folder `target` from a recipe and its source.

    Returns its manifest, and the repaired images that are the released ones in other bytes, as
    another build of a compressor writes them. Manifest and lists are those of the release, so its
    content is known by the same hash. Raises `ClearsetError` when the recipe was changed, the
    source is not the one it was made from (each file named), or what was made is not what was
    released; `target` is then as before.
    """
    refuse_different(checksums.verify(recipe), f"{recipe} was changed", "Get the recipe again")
    name, section = params.single(recipe / places.PARAMS)
    check_steps(section.enhance, f"{recipe / places.PARAMS}, enhance")
    if section.fetch.plant or section.fetch.source is Source.generated:
        raise ClearsetError(f"{name} is made by Clearset itself: dvc repro release@{name}")
    manifest, inventory = (tables.read(table, recipe) for table in ("manifest", "inventory"))
    soundness.refuse(manifest, str(recipe / places.MANIFEST))
    refuse_unsafe(manifest, inventory, recipe)
    if target.exists():
        raise ClearsetError(f"{target} is there already: name a folder that is not")
    with unpacked(source, manifest) as root, layout.replacing(target) as incomplete:
        prove(root, manifest, inventory)
        incomplete.mkdir()
        rows = [row for row in manifest.itertuples() if row.decision != DROPPED]
        jobs = [(row, steps(row, section)) for row in rows]
        mapped(partial(place, root, incomplete), jobs, "rebuild")
        for carried in along(inventory)["file"]:
            copies.copy(root / carried, incomplete / carried)
        files = frozenset(checksums.below(incomplete))
        own = described(incomplete, Record(name, section, manifest, inventory), files)
        differences = checksums.verify(incomplete, checksums.read(recipe / places.RELEASE))
        judgement = identity.judged(incomplete, differences, identities(manifest))
        refuse_different(judgement.wrong, "what was made is not what was released", PIXELS)
        copies.copy(recipe / places.RELEASE, incomplete / own[checksums.CHECKSUMS])
    return manifest, judgement.same


def steps(row: Any, section: Dataset) -> list[Mapping[str, Any]]:
    """Return the steps of a released image's repair; none where it is the source's own."""
    if row.decision != REPAIRED:
        return []
    asking = {name for name, rule in section.filter.items() if rule.action is not Action.keep}
    chain = steps_for(asking & set(row.flags.split()), section.enhance)
    if describe(chain) != row.steps:
        raise ClearsetError(
            f"{row.image_id} was repaired by {row.steps}, but the params say {describe(chain)}"
        )
    return chain


def place(root: Path, target: Path, job: tuple[Any, list[Mapping[str, Any]]]) -> None:
    """Write one released image, its mask and its label."""
    row, chain = job
    output = target / row.output
    output.parent.mkdir(parents=True, exist_ok=True)
    if chain:
        try:
            repair(root / row.source, output, declared(row, root), chain)
        except IndexError:
            raise ClearsetError(
                f"{row.image_id}: alpha or shown names a band that the image has not: the recipe "
                "does not fit its source"
            ) from None
    else:
        copies.copy(root / row.source, output)
    for beside in filter(None, (row.mask, row.label)):
        copies.copy(root / beside, target / beside)


def along(inventory: pd.DataFrame) -> pd.DataFrame:
    """Return the files that go along as they are, each once: neither images nor what they use."""
    used = inventory["role"].isin([IMAGE, intake.MASK])
    return inventory[~used & (inventory["output"] != "")].drop_duplicates("file")


def prove(root: Path, manifest: pd.DataFrame, inventory: pd.DataFrame) -> None:
    """Raise `ClearsetError` naming every file of the source that the recipe was not made from."""
    rows = manifest[manifest["decision"] != DROPPED]
    expected = dict(zip(rows["source"], rows["source_sha256"], strict=True))
    for kind in ("mask", "label"):
        annotated = rows[rows[kind] != ""]
        expected |= dict(zip(annotated[kind], annotated[f"{kind}_sha256"], strict=True))
    carried = along(inventory)
    expected |= dict(zip(carried["file"], carried["sha256"], strict=True))
    missing = [path for path in expected if not (root / path).is_file()]
    changed = [p for p in set(expected) - set(missing) if checksums.sha256(root / p) != expected[p]]
    if missing or changed:
        problems = [f"{len(missing)} missing ({listed(sorted(missing))})"] if missing else []
        problems += (
            [f"{len(changed)} with other bytes ({listed(sorted(changed))})"] if changed else []
        )
        raise ClearsetError(
            f"{root} is not the source of this recipe: of {len(expected)} files "
            f"{' and '.join(problems)}. Nothing was written; get the source again"
        )


def refuse_unsafe(manifest: pd.DataFrame, inventory: pd.DataFrame, recipe: Path) -> None:
    """Raise `ClearsetError` for a path that leads out of the folder."""
    present = manifest[manifest["decision"] != DROPPED]
    columns = [present[column] for column in ("source", "output", "mask", "label")]
    fields = present["seen"].str.removeprefix("file ").where(present["seen"].str[:5] == "file ", "")
    for path in pd.concat([*columns, fields, along(inventory)["file"]]):
        if path and not checksums.is_safe(path):
            raise ClearsetError(f"{recipe} names {path!a}, which lies elsewhere: do not use it")


def refuse_different(differences: list[checksums.Difference], what: str, then: str) -> None:
    """Raise `ClearsetError` naming the files that differ, if any do."""
    if differences:
        names = listed(f"{one.path} ({one.what})" for one in differences)
        raise ClearsetError(f"{what}: {names}. {then}")


@contextmanager
def unpacked(source: Path, manifest: pd.DataFrame) -> Iterator[Path]:
    """Yield the folder that a manifest's source paths start from, of a folder or a zip."""
    if not source.exists():
        raise ClearsetError(f"{source}: no such folder or zip. Say where the source lies")
    with tempfile.TemporaryDirectory(prefix="clearset-") as scratch:
        folder = source
        if source.is_file():
            folder = Path(scratch) / "source"
            archives.unpack(source, folder)
        yield origin.root(folder, manifest.loc[manifest["decision"] != DROPPED, "source"])
