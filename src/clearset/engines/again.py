"""The repaired images measured again, and compared again with all others."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from clearset.config.schema import Analyze
from clearset.engines import native
from clearset.engines.analysis import compared, job, outliers
from clearset.engines.look import Look, Wishes, look
from clearset.similar.cosines import Descriptors
from clearset.store.errors import ClearsetError
from clearset.store.parallel import mapped
from clearset.store.stages import Analysis

Folders = tuple[Path, Path]  # of images, and of what is carried along with them


@dataclass(frozen=True)
class Repaired:
    """What of an analysis changes with the images that were repaired."""

    metrics: pd.DataFrame  # of these images alone
    neighbours: pd.DataFrame
    links: pd.DataFrame
    outliers: pd.DataFrame


def compared_again(
    table: pd.DataFrame,
    folders: Folders,
    params: Analyze,
    repaired: Collection[str],
    before: tuple[Sequence[str], Descriptors],
) -> Repaired:
    """Measure the images that were repaired, and compare them with all others.

    `table` is `images` of the repaired dataset, which may have dropped some: its files lie below
    the first of `folders`, what is carried along below the second. `before` are the image_ids of
    the analysis before, and their descriptors. What is returned is what `analyze` would give for
    the repaired dataset.
    """
    readable = table[table["error"] == ""]
    ids, splits = readable["image_id"].tolist(), readable["split"].tolist()
    changed = readable["image_id"].isin(repaired).to_numpy()
    looks = _look_again(readable[changed], folders, params)
    place = {image_id: number for number, image_id in enumerate(before[0])}
    after = before[1][[place[image_id] for image_id in ids]]
    after[changed] = descriptors_of(looks)
    likeness, kinds = native.parted(after)
    relations = compared(ids, splits, likeness, params)
    return Repaired(
        metrics=_metrics(readable[changed], looks),
        neighbours=relations.nearest,
        links=relations.links,
        outliers=outliers(ids, splits, relations, kinds, params),
    )


def measured_again(
    table: pd.DataFrame,
    folders: Folders,
    params: Analyze,
    repaired: Collection[str],
    before: Analysis,
) -> Repaired:
    """Measure the images that were repaired, by the open engine; compare them with no other.

    For a dataset whose descriptors another engine gave: one that may be gone, and whose descriptors
    can not be set beside the open engine's. Its tables `neighbours`, `links` and `outliers` stay as
    they were before the repair.
    """
    rows = table[table["image_id"].isin(repaired)]
    metrics = _metrics(rows, _look_again(rows, folders, params))
    return Repaired(metrics, before.neighbours, before.links, before.outliers)


def descriptors_of(looks: Sequence[Look]) -> Descriptors:
    """Return what images look like; one that could not be measured is like no other."""
    first = next((one.descriptor for one in looks if one.descriptor is not None), None)
    if first is None:
        raise ClearsetError(f"no image could be measured: {looks[0].lost}")
    none = np.zeros_like(first)
    return np.stack([none if one.descriptor is None else one.descriptor for one in looks])


def _look_again(rows: pd.DataFrame, folders: Folders, params: Analyze) -> list[Look]:
    jobs = [job(row, *folders, None) for row in rows.itertuples()]
    return mapped(partial(look, Wishes(list(params.metrics))), jobs, "measure")


def _metrics(rows: pd.DataFrame, looks: Sequence[Look]) -> pd.DataFrame:
    return pd.DataFrame([one.numbers for one in looks]).assign(image_id=rows["image_id"].tolist())
