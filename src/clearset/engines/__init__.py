"""Engines measure images and describe them; both give the same tables."""

import tempfile
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset import leaks, links, neighbours
from clearset.engines import given, native, recourse
from clearset.errors import ClearsetError, listed
from clearset.io import images
from clearset.io.parallel import mapped, watched, workers
from clearset.io.work_folder import WorkFolder
from clearset.masks import measure_mask
from clearset.metrics import METRICS, measure
from clearset.registration import Registration, Sight, register, sight
from clearset.schema import Analyze, Engine


@dataclass(frozen=True)
class Analysis:
    """The tables of an analysis, and what made them."""

    metrics: pd.DataFrame
    masks: pd.DataFrame
    neighbours: pd.DataFrame
    links: pd.DataFrame
    outliers: pd.DataFrame
    components: pd.DataFrame
    pairs: pd.DataFrame
    registrations: pd.DataFrame
    engine: dict[str, Any]


@dataclass(frozen=True)
class Job:
    """One image to look at: its file, its mask if it is to be checked, what an engine is fed."""

    file: Path
    span: images.Range
    mask: Path | None
    fed: Path | None


@dataclass(frozen=True)
class Seen:
    """All that one decoding of an image gives."""

    numbers: dict[str, float]
    mask: dict[str, float]
    descriptor: npt.NDArray[np.int32] | None  # the open engine's
    sight: Sight | None


def analyze(
    table: pd.DataFrame,
    folder: Path,
    params: Analyze,
    *,
    masks: Path | None = None,
    classes: Collection[int] = (),
) -> Analysis:
    """Measure and compare the readable images of the table `images`, found below `folder`.

    Outliers are looked for within each split, leaks across splits, neighbours and components in the
    whole dataset. Masks are checked where their folder is given.
    """
    readable = table[table["error"] == ""]
    if readable.empty:
        raise ClearsetError(f"no readable image in {folder}: see the column error of images.csv")
    check_metrics(params.metrics)
    ids, splits = readable["image_id"].tolist(), readable["split"].tolist()
    jobs = [_job(row, folder, masks) for row in readable.itertuples()]
    sighted = bool(params.leak_registered) and len(set(splits)) > 1
    look = partial(_look, list(classes), sighted, params.metrics)
    engine = _fastdup if params.engine is Engine.fastdup else _native
    seen, statistics, descriptors, info = engine(jobs, look)
    numbers = pd.DataFrame([one.numbers for one in seen])
    compared = _compared(ids, splits, descriptors, params)
    near, joined = compared.nearest, compared.links
    return Analysis(
        metrics=pd.concat([statistics, numbers], axis=1).assign(image_id=ids),
        masks=_masks(ids, seen),
        neighbours=near,
        links=joined,
        outliers=neighbours.outliers(ids, splits, compared.within, params.outlier_share),
        components=links.components(ids, joined, params.component_similarity),
        pairs=neighbours.pair_counts(compared.pairs, near, params.graph_neighbours),
        registrations=_registrations(ids, splits, descriptors, seen, params),
        engine=info | {"settings": asdict(params) | {"engine": params.engine.value}},
    )


def _compared(
    ids: list[str], splits: list[str], descriptors: npt.NDArray[Any], params: Analyze
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


def of_work_folder(work: WorkFolder, params: Analyze) -> Analysis:
    """Return the analysis that a fastdup work folder's tables amount to."""
    ids = work.metrics["image_id"].tolist()
    known = work.edges[work.edges["image_id"].isin(ids) & work.edges["other_id"].isin(ids)]
    near, joined = given.nearest(known, ids), links.of_edges(ids, known)
    counted = given.pairs(known, params.counted_similarities)
    counted["edges"] = [int((known["similarity"] >= b).sum()) for b in counted["similarity"]]
    counted["edge_percentage"] = 100 * counted["edges"] / (params.graph_neighbours * len(ids))
    return Analysis(
        metrics=work.metrics,
        masks=_masks(ids, []),
        neighbours=near,
        links=joined,
        outliers=given.outliers(work.outliers, near, ids),
        components=given.components(work, joined, params.component_similarity),
        pairs=counted,
        registrations=leaks.table(ids, [], []),
        engine=given.info() | {"settings": asdict(params) | {"engine": params.engine.value}},
    )


def check_metrics(names: Collection[str]) -> None:
    """Raise `ClearsetError` for a metric that is not registered."""
    if unknown := sorted(set(names) - set(METRICS)):
        raise ClearsetError(
            f"analyze.metrics names {listed(unknown)}. Known: {', '.join(METRICS)}; "
            "an empty list measures every one"
        )


def _job(row: Any, folder: Path, masks: Path | None) -> Job:
    mask = masks / row.mask if masks and row.mask else None
    return Job(folder / row.path, images.declared(row), mask, None)


Looked = tuple[list[Seen], pd.DataFrame, npt.NDArray[Any], dict[str, Any]]
Look = Any  # a function from Job to Seen that can be sent to another process


def _native(jobs: Sequence[Job], look: Look) -> Looked:
    seen = mapped(look, jobs, "measure")
    descriptors = np.stack([one.descriptor for one in seen])
    seen = [replace(one, descriptor=None) for one in seen]  # they are large
    return seen, pd.DataFrame(), descriptors, native.info()


def _fastdup(jobs: Sequence[Job], look: Look) -> Looked:
    plan = recourse.plan((job.file, job.span) for job in jobs)
    with tempfile.TemporaryDirectory(prefix="clearset-") as name:
        scratch = Path(name)
        fed = [scratch / f"{number:08d}.png" for number in range(len(jobs))]
        wanted = [replace(job, fed=file) for job, file in zip(jobs, fed, strict=True)]
        seen = mapped(look, wanted, "measure")
        numbers = plan.numbers(fed, scratch, workers())
    return seen, numbers.statistics, numbers.descriptors, numbers.info


def _look(classes: list[int], sighted: bool, names: list[str], job: Job) -> Seen:
    """Decode an image once and return its metrics; write what fastdup is to see, if it is to."""
    pixels = images.colour(images.decode(job.file))
    shown = images.eight_bit(pixels, job.span)
    grey = images.grey(pixels, job.span)
    numbers, descriptor = measure(grey, names), None
    if pixels.dtype == np.uint16:
        numbers["stretched_mean"] = native.stretched_mean(pixels)
    if job.span.nodata is not None:
        numbers["nodata_share"] = float(images.missing(pixels, job.span).mean())
    if job.fed is None:  # the open engine
        numbers, descriptor = native.statistics(shown) | numbers, native.descriptor(grey)
    else:
        job.fed.write_bytes(images.png_bytes(shown, compress_level=1))
    mask = {}
    if job.mask is not None:
        mask = measure_mask(grey, images.decode_mask(job.mask), classes)
    return Seen(numbers, mask, descriptor, sight(grey) if sighted else None)


def _masks(ids: Sequence[str], seen: Sequence[Seen]) -> pd.DataFrame:
    rows = [{"image_id": i} | one.mask for i, one in zip(ids, seen, strict=False) if one.mask]
    return pd.DataFrame(rows, columns=["image_id", "mask_share", "mask_unknown", "mask_agreement"])


def _registrations(
    ids: Sequence[str],
    splits: Sequence[str],
    descriptors: npt.NDArray[Any],
    seen: Sequence[Seen],
    params: Analyze,
) -> pd.DataFrame:
    sights = [one.sight for one in seen if one.sight is not None]
    if len(sights) < len(ids):
        return leaks.table(ids, [], [])
    pairs = leaks.candidates(
        splits,
        descriptors,
        sights,
        looked_at=params.leak_candidates,
        kept=params.leak_registered,
        each=partial(mapped, what="shortlist"),
    )
    both = [(sights[first], sights[second]) for first, second, _ in pairs]
    return leaks.table(ids, pairs, mapped(_register, both, "register"))


def _register(pair: tuple[Sight, Sight]) -> Registration:
    return register(*pair)
