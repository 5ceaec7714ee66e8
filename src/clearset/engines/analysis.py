"""All images measured, and compared with each other."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from clearset.config.schema import Analyze, Engine
from clearset.engines import crossings, measurements, native, recourse, work
from clearset.engines.look import Job, Look, Wishes
from clearset.engines.measurements import Measurements
from clearset.images.levels import declared
from clearset.measure.metrics import METRICS
from clearset.similar import leaks, links, neighbours
from clearset.similar.cosines import Descriptors
from clearset.sources.work_folder import WorkFolder
from clearset.store import columns, layout
from clearset.store.errors import ClearsetError, listed
from clearset.store.parallel import watched, workers
from clearset.store.stages import Analysis

Measured = tuple[Measurements, pd.DataFrame, Descriptors, dict[str, Any]]


@dataclass(frozen=True)
class Measurement:
    """The tables of an analysis, and what made them."""

    analysis: Analysis
    engine: dict[str, Any]
    descriptors: Descriptors | None = None  # the open engine's, by which an image is compared again
    fresh: int = 0  # images that were measured now, and not before


def analyze(
    table: pd.DataFrame,
    folder: Path,
    params: Analyze,
    *,
    masks: Path | None = None,
    carried: Path | None = None,
    classes: Collection[int] = (),
    kept: Path | None = None,
) -> Measurement:
    """Measure and compare the readable images of the table `images`, found below `folder`.

    Outliers are looked for within each split, leaks across splits, neighbours and components in the
    whole dataset. Masks are checked if their folder is given; below `carried` fields of view lie.
    What the open engine measures is kept in the folder `kept`, and not measured again.
    """
    ids, splits, jobs, wishes = _asked(
        table, folder, params, masks=masks, carried=carried, classes=classes
    )
    check_metrics(params.metrics)
    own = params.engine is not Engine.fastdup
    with layout.scratch(kept) as scratch:
        engine = partial(_native, kept or scratch / "kept") if own else _fastdup
        measured, statistics, descriptors, info = engine(jobs, wishes, scratch)
        likeness, kinds = native.parted(descriptors) if own else (descriptors, None)
        relations = compared(ids, splits, likeness, params)
        registrations = crossings.registrations(ids, splits, likeness, measured, params)
        outlying = outliers(ids, splits, relations, kinds, params)
    near, joined = relations.nearest, relations.links
    analysis = Analysis(
        metrics=pd.concat([statistics, measured.numbers], axis=1).assign(image_id=ids),
        masks=_masks(ids, measured.masks),
        neighbours=near,
        links=joined,
        outliers=outlying,
        components=links.components(ids, joined, params.component_similarity),
        pairs=neighbours.pair_counts(relations.pairs, near, params.graph_neighbours),
        registrations=registrations,
        unmeasured=_unmeasured(ids, measured.reasons),
        trials=columns.empty("trials"),
        kin=columns.empty("kin"),
    )
    about = _about(info | relations.said(), params)
    return Measurement(analysis, about, descriptors if own else None, measured.fresh)


def _asked(
    table: pd.DataFrame,
    folder: Path,
    params: Analyze,
    *,
    masks: Path | None,
    carried: Path | None,
    classes: Collection[int],
) -> tuple[list[str], list[str], list[Job], Wishes]:
    """Return ids and splits of the readable images, what to look at, and what for."""
    readable = table[table["error"] == ""]
    if readable.empty:
        raise ClearsetError(f"no readable image in {folder}: see the column error of images.csv")
    ids, splits = readable["image_id"].tolist(), readable["split"].tolist()
    jobs = [job(row, folder, carried, masks) for row in readable.itertuples()]
    sighted = bool(params.leak_registered) and len(set(splits)) > 1
    return ids, splits, jobs, Wishes(list(params.metrics), list(classes), sighted)


def descriptors(
    table: pd.DataFrame,
    folder: Path,
    params: Analyze,
    kept: Path,
    *,
    masks: Path,
    carried: Path,
    classes: Collection[int],
    unmeasured: Collection[str],
) -> tuple[list[str], Descriptors]:
    """Return image_ids and descriptors of an analysis before, which the folder `kept` has.

    `unmeasured` are the image_ids of those that could not be measured.
    """
    ids, _, jobs, wishes = _asked(
        table, folder, params, masks=masks, carried=carried, classes=classes
    )
    with layout.scratch(kept) as scratch:
        never = [place for place, image_id in enumerate(ids) if image_id in set(unmeasured)]
        return ids, measurements.vectors(jobs, wishes, kept, scratch, never)


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
        exact_images=params.exact_images,
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
        watch = partial(watched, total=neighbours.blocks(len(ids)), what="kinds")
        alike = pd.Series(
            neighbours.kinship(kinds, exact_images=params.exact_images, watch=watch), ids
        )
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
        masks=columns.empty("masks"),
        neighbours=near,
        links=link_table,
        outliers=work.outliers(tables.outliers, near, ids),
        components=work.components(tables, link_table, params.component_similarity),
        pairs=counts,
        registrations=leaks.table(ids, [], []),
        unmeasured=columns.empty("unmeasured"),
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
    return Job(folder / row.path, declared(row, carried), mask, sha256=getattr(row, "sha256", ""))


def _native(kept: Path, jobs: Sequence[Job], wishes: Wishes, scratch: Path) -> Measured:
    result = measurements.measured(jobs, wishes, kept, scratch)
    return result, pd.DataFrame(), result.vectors, native.info()


def _missing(job: Job, reason: str) -> Look:
    raise ClearsetError(
        f"{job.file} can not be given to fastdup: {reason}. Take it out of the source, or measure "
        "with the open engine, which goes on without it: analyze.engine=native"
    )


def _fastdup(jobs: Sequence[Job], wishes: Wishes, scratch: Path) -> Measured:
    plan = recourse.plan((job.file, job.reading) for job in jobs)
    fed = [scratch / f"{number:08d}.png" for number in range(len(jobs))]
    feeding = [replace(job, fed=file) for job, file in zip(jobs, fed, strict=True)]
    asked = replace(wishes, own=False)
    result = measurements.measured(feeding, asked, scratch / "kept", scratch, _missing)
    numbers = plan.numbers(fed, scratch, workers())
    return result, numbers.statistics, numbers.descriptors, numbers.info


def _masks(ids: Sequence[str], masks: pd.DataFrame) -> pd.DataFrame:
    table = masks.reindex(columns=list(measurements.MASK)).assign(image_id=ids)
    return table.dropna(how="all", subset=list(measurements.MASK))


def _unmeasured(ids: Sequence[str], reasons: Mapping[int, str]) -> pd.DataFrame:
    rows = [(ids[place], reason) for place, reason in reasons.items()]
    return pd.DataFrame(rows, columns=["image_id", "reason"], dtype="str")
