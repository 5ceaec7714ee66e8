"""All images measured, and compared with each other; the repaired ones again."""

import tempfile
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clearset.config.schema import Analyze, Engine
from clearset.engines import native, recourse, work
from clearset.engines.look import Job, Look, Wishes, look
from clearset.images.levels import declared
from clearset.measure.metrics import METRICS
from clearset.similar import leaks, links, neighbours
from clearset.similar.neighbours import Descriptors
from clearset.similar.registration import Registration, Sight, register
from clearset.sources.work_folder import WorkFolder
from clearset.store.errors import ClearsetError, listed
from clearset.store.parallel import mapped, watched, workers
from clearset.store.stages import Analysis

Folders = tuple[Path, Path]  # of images, and of what is carried along with them
Measured = tuple[list[Look], pd.DataFrame, Descriptors, dict[str, Any]]


@dataclass(frozen=True)
class Measurement:
    """The tables of an analysis, and what made them."""

    analysis: Analysis
    engine: dict[str, Any]
    descriptors: Descriptors | None = None  # the open engine's, by which an image is compared again


@dataclass(frozen=True)
class Repaired:
    """What of an analysis changes with the images that were repaired."""

    metrics: pd.DataFrame  # of these images alone
    neighbours: pd.DataFrame
    links: pd.DataFrame
    outliers: pd.DataFrame


def analyze(
    table: pd.DataFrame,
    folder: Path,
    params: Analyze,
    *,
    masks: Path | None = None,
    carried: Path | None = None,
    classes: Collection[int] = (),
) -> Measurement:
    """Measure and compare the readable images of the table `images`, found below `folder`.

    Outliers are looked for within each split, leaks across splits, neighbours and components in the
    whole dataset. Masks are checked if their folder is given; below `carried` fields of view lie.
    """
    readable = table[table["error"] == ""]
    if readable.empty:
        raise ClearsetError(f"no readable image in {folder}: see the column error of images.csv")
    check_metrics(params.metrics)
    ids, splits = readable["image_id"].tolist(), readable["split"].tolist()
    jobs = [_job(row, folder, carried, masks) for row in readable.itertuples()]
    sighted = bool(params.leak_registered) and len(set(splits)) > 1
    wishes = Wishes(list(params.metrics), list(classes), sighted)
    engine = _fastdup if params.engine is Engine.fastdup else _native
    looks, statistics, descriptors, info = engine(jobs, wishes)
    numbers = pd.DataFrame([one.numbers for one in looks])
    compared = _compared(ids, splits, descriptors, params)
    near, joined = compared.nearest, compared.links
    analysis = Analysis(
        metrics=pd.concat([statistics, numbers], axis=1).assign(image_id=ids),
        masks=_masks(ids, looks),
        neighbours=near,
        links=joined,
        outliers=neighbours.outliers(ids, splits, compared.within, params.outlier_share),
        components=links.components(ids, joined, params.component_similarity),
        pairs=neighbours.pair_counts(compared.pairs, near, params.graph_neighbours),
        registrations=_registrations(ids, splits, descriptors, looks, params),
    )
    return Measurement(analysis, _about(info, params), descriptors if engine is _native else None)


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
    after[changed] = _descriptors(looks)
    compared = _compared(ids, splits, after, params)
    return Repaired(
        metrics=_metrics(readable[changed], looks),
        neighbours=compared.nearest,
        links=compared.links,
        outliers=neighbours.outliers(ids, splits, compared.within, params.outlier_share),
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


def _look_again(rows: pd.DataFrame, folders: Folders, params: Analyze) -> list[Look]:
    jobs = [_job(row, *folders, None) for row in rows.itertuples()]
    return mapped(partial(look, Wishes(list(params.metrics))), jobs, "measure")


def _descriptors(looks: Sequence[Look]) -> Descriptors:
    return np.stack([one.descriptor for one in looks if one.descriptor is not None])


def _metrics(rows: pd.DataFrame, looks: Sequence[Look]) -> pd.DataFrame:
    return pd.DataFrame([one.numbers for one in looks]).assign(image_id=rows["image_id"].tolist())


def _compared(
    ids: list[str], splits: list[str], descriptors: Descriptors, params: Analyze
) -> neighbours.Compared:
    return neighbours.compare(
        ids,
        splits,
        descriptors,
        count=params.neighbours,
        graph_neighbours=params.graph_neighbours,
        bounds=params.counted_similarities,
        watch=partial(watched, total=neighbours.blocks(len(ids)), what="compare"),
    )


def of_work_folder(tables: WorkFolder, params: Analyze) -> Measurement:
    """Return the analysis that a fastdup work folder's tables amount to."""
    ids = tables.metrics["image_id"].tolist()
    edges = tables.edges[tables.edges["image_id"].isin(ids) & tables.edges["other_id"].isin(ids)]
    near, link_table = work.nearest(edges, ids), links.of_edges(ids, edges)
    counts = work.pairs(edges, params.counted_similarities)
    counts["edges"] = [int((edges["similarity"] >= b).sum()) for b in counts["similarity"]]
    counts["edge_percentage"] = 100 * counts["edges"] / (params.graph_neighbours * len(ids))
    analysis = Analysis(
        metrics=tables.metrics,
        masks=_masks(ids, []),
        neighbours=near,
        links=link_table,
        outliers=work.outliers(tables.outliers, near, ids),
        components=work.components(tables, link_table, params.component_similarity),
        pairs=counts,
        registrations=leaks.table(ids, [], []),
    )
    return Measurement(analysis, _about(work.info(), params))


def _about(info: dict[str, Any], params: Analyze) -> dict[str, Any]:
    """Return what engine.json says: the engine, and the settings that it was given."""
    return info | {"settings": asdict(params) | {"engine": params.engine.value}}


def check_metrics(names: Collection[str]) -> None:
    """Raise `ClearsetError` for a metric that is not registered."""
    if unknown := sorted(set(names) - set(METRICS)):
        raise ClearsetError(
            f"analyze.metrics names {listed(unknown)}. Known: {', '.join(METRICS)}; "
            "an empty list measures every one"
        )


def _job(row: Any, folder: Path, carried: Path | None, masks: Path | None) -> Job:
    mask = masks / row.mask if masks and row.mask and not row.mask_error else None
    return Job(folder / row.path, declared(row, carried), mask)


def _native(jobs: Sequence[Job], wishes: Wishes) -> Measured:
    looks = mapped(partial(look, wishes), jobs, "measure")
    descriptors = _descriptors(looks)
    looks = [replace(one, descriptor=None) for one in looks]  # they are large
    return looks, pd.DataFrame(), descriptors, native.info()


def _fastdup(jobs: Sequence[Job], wishes: Wishes) -> Measured:
    plan = recourse.plan((job.file, job.reading) for job in jobs)
    with tempfile.TemporaryDirectory(prefix="clearset-") as name:
        scratch = Path(name)
        fed = [scratch / f"{number:08d}.png" for number in range(len(jobs))]
        feeding = [replace(job, fed=file) for job, file in zip(jobs, fed, strict=True)]
        looks = mapped(partial(look, replace(wishes, own=False)), feeding, "measure")
        numbers = plan.numbers(fed, scratch, workers())
    return looks, numbers.statistics, numbers.descriptors, numbers.info


def _masks(ids: Sequence[str], looks: Sequence[Look]) -> pd.DataFrame:
    rows = [{"image_id": i} | one.mask for i, one in zip(ids, looks, strict=False) if one.mask]
    return pd.DataFrame(rows, columns=["image_id", "mask_share", "mask_unknown", "mask_agreement"])


def _registrations(
    ids: Sequence[str],
    splits: Sequence[str],
    descriptors: Descriptors,
    looks: Sequence[Look],
    params: Analyze,
) -> pd.DataFrame:
    sights = [one.sight for one in looks if one.sight is not None]
    if len(sights) < len(ids):
        return leaks.table(ids, [], [])
    pairs = leaks.candidates(
        splits,
        descriptors,
        sights,
        looked_at=params.leak_candidates,
        per_image=params.leak_registered,
        each=partial(mapped, what="shortlist"),
    )
    sight_pairs = [(sights[first], sights[second]) for first, second, _ in pairs]
    return leaks.table(ids, pairs, mapped(_register, sight_pairs, "register"))


def _register(pair: tuple[Sight, Sight]) -> Registration:
    return register(*pair)
