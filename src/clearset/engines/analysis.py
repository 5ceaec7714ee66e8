"""All images measured, and compared with each other."""

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
from clearset.engines.look import Job, Look, Wishes, look, lost
from clearset.images.levels import declared
from clearset.measure.metrics import METRICS
from clearset.similar import leaks, links, neighbours
from clearset.similar.neighbours import Descriptors
from clearset.similar.registration import Registration, Sight, register
from clearset.sources.work_folder import WorkFolder
from clearset.store import columns
from clearset.store.errors import ClearsetError, listed
from clearset.store.isolation import isolated
from clearset.store.parallel import mapped, watched, workers
from clearset.store.stages import Analysis

Measured = tuple[list[Look], pd.DataFrame, Descriptors, dict[str, Any]]


@dataclass(frozen=True)
class Measurement:
    """The tables of an analysis, and what made them."""

    analysis: Analysis
    engine: dict[str, Any]
    descriptors: Descriptors | None = None  # the open engine's, by which an image is compared again


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
    jobs = [job(row, folder, carried, masks) for row in readable.itertuples()]
    sighted = bool(params.leak_registered) and len(set(splits)) > 1
    wishes = Wishes(list(params.metrics), list(classes), sighted)
    engine = _fastdup if params.engine is Engine.fastdup else _native
    looks, statistics, descriptors, info = engine(jobs, wishes)
    numbers = pd.DataFrame([one.numbers for one in looks])
    own = engine is _native
    likeness, kinds = native.parted(descriptors) if own else (descriptors, None)
    relations = compared(ids, splits, likeness, params)
    near, joined = relations.nearest, relations.links
    analysis = Analysis(
        metrics=pd.concat([statistics, numbers], axis=1).assign(image_id=ids),
        masks=_masks(ids, looks),
        neighbours=near,
        links=joined,
        outliers=outliers(ids, splits, relations, kinds, params),
        components=links.components(ids, joined, params.component_similarity),
        pairs=neighbours.pair_counts(relations.pairs, near, params.graph_neighbours),
        registrations=_registrations(ids, splits, likeness, looks, params),
        unmeasured=_unmeasured(ids, looks),
        trials=columns.empty("trials"),
        kin=columns.empty("kin"),
    )
    return Measurement(analysis, _about(info, params), descriptors if own else None)


def descriptors_of(looks: Sequence[Look]) -> Descriptors:
    """Return what images look like; one that could not be measured is like no other."""
    first = next((one.descriptor for one in looks if one.descriptor is not None), None)
    if first is None:
        raise ClearsetError(f"no image could be measured: {looks[0].lost}")
    none = np.zeros_like(first)
    return np.stack([none if one.descriptor is None else one.descriptor for one in looks])


def compared(
    ids: list[str], splits: list[str], descriptors: Descriptors, params: Analyze
) -> neighbours.Compared:
    """Return how images of a dataset lie to each other."""
    return neighbours.compare(
        ids,
        splits,
        descriptors,
        count=params.neighbours,
        graph_neighbours=params.graph_neighbours,
        bounds=params.counted_similarities,
        watch=partial(watched, total=neighbours.blocks(len(ids)), what="compare"),
    )


def outliers(
    ids: list[str],
    splits: list[str],
    relations: neighbours.Compared,
    kinds: Descriptors | None,
    params: Analyze,
) -> pd.DataFrame:
    """Return the table `outliers`, with how alike each image is to any other of its kind.

    Where an engine tells no `kinds`, its similarities stand in.
    """
    table = neighbours.outliers(ids, splits, relations.within, params.outlier_share)
    if kinds is None:
        alike = relations.nearest.groupby("image_id")["similarity"].max()
    else:
        alike = pd.Series(neighbours.kinship(kinds), ids)
    return table.assign(kind_similarity=table["image_id"].map(alike))


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
        unmeasured=_unmeasured(ids, []),
        trials=columns.empty("trials"),
        kin=columns.empty("kin"),
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


def job(row: Any, folder: Path, carried: Path | None, masks: Path | None) -> Job:
    """Return what is to be looked at of a row of the table `images`."""
    mask = masks / row.mask if masks and row.mask and not row.mask_error else None
    return Job(folder / row.path, declared(row, carried), mask)


def _native(jobs: Sequence[Job], wishes: Wishes) -> Measured:
    looks = isolated(partial(look, wishes), jobs, "measure", lost)
    descriptors = descriptors_of(looks)
    looks = [replace(one, descriptor=None) for one in looks]  # they are large
    return looks, pd.DataFrame(), descriptors, native.info()


def _missing(job: Job, reason: str) -> Look:
    raise ClearsetError(
        f"{job.file} can not be given to fastdup: {reason}. Take it out of the source, or measure "
        "with the open engine, which goes on without it: analyze.engine=native"
    )


def _fastdup(jobs: Sequence[Job], wishes: Wishes) -> Measured:
    plan = recourse.plan((job.file, job.reading) for job in jobs)
    with tempfile.TemporaryDirectory(prefix="clearset-") as name:
        scratch = Path(name)
        fed = [scratch / f"{number:08d}.png" for number in range(len(jobs))]
        feeding = [replace(job, fed=file) for job, file in zip(jobs, fed, strict=True)]
        looks = isolated(partial(look, replace(wishes, own=False)), feeding, "measure", _missing)
        numbers = plan.numbers(fed, scratch, workers())
    return looks, numbers.statistics, numbers.descriptors, numbers.info


def _masks(ids: Sequence[str], looks: Sequence[Look]) -> pd.DataFrame:
    rows = [{"image_id": i} | one.mask for i, one in zip(ids, looks, strict=False) if one.mask]
    return pd.DataFrame(rows, columns=["image_id", "mask_share", "mask_unknown", "mask_agreement"])


def _unmeasured(ids: Sequence[str], looks: Sequence[Look]) -> pd.DataFrame:
    rows = [(i, one.lost) for i, one in zip(ids, looks, strict=False) if one.lost]
    return pd.DataFrame(rows, columns=["image_id", "reason"], dtype="str")


def _registrations(
    ids: Sequence[str],
    splits: Sequence[str],
    descriptors: Descriptors,
    looks: Sequence[Look],
    params: Analyze,
) -> pd.DataFrame:
    sights = [one.sight for one in looks if one.sight is not None]
    seen = [place for place, one in enumerate(looks) if one.sight is not None]
    ids, splits = [ids[place] for place in seen], [splits[place] for place in seen]
    if not ids:
        return leaks.table(ids, [], [])
    pairs = leaks.candidates(
        splits,
        descriptors[seen],
        sights,
        looked_at=params.leak_candidates,
        per_image=params.leak_registered,
        small=params.leak_small,
        each=partial(mapped, what="shortlist"),
    )
    sight_pairs = [(sights[first], sights[second]) for first, second, _ in pairs]
    return leaks.table(ids, pairs, mapped(_register, sight_pairs, "register"))


def _register(pair: tuple[Sight, Sight]) -> Registration:
    return register(*pair)
