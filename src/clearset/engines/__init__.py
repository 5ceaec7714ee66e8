"""Engines measure images and describe them; both give the same tables."""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset import neighbours
from clearset.engines import fastdup, native
from clearset.errors import ClearsetError
from clearset.io import images
from clearset.io.parallel import mapped, workers
from clearset.metrics import measure
from clearset.schema import Analyze, Engine


@dataclass(frozen=True)
class Analysis:
    """The tables of an analysis, and what made them."""

    metrics: pd.DataFrame
    neighbours: pd.DataFrame
    outliers: pd.DataFrame
    components: pd.DataFrame
    pairs: pd.DataFrame
    engine: dict[str, Any]


def analyze(table: pd.DataFrame, folder: Path, params: Analyze) -> Analysis:
    """Measure and compare the readable images of the table `images`, found below `folder`.

    Outliers are looked for within each split, neighbours and components in the whole dataset.
    """
    readable = table[table["error"] == ""]
    if readable.empty:
        raise ClearsetError(f"no readable image in {folder}: see the column error of images.csv")
    ids, files = readable["image_id"].tolist(), [folder / path for path in readable["path"]]
    engine = _fastdup if params.engine is Engine.fastdup else _native
    metrics, descriptors, info = engine(files)
    near = neighbours.nearest(ids, descriptors, params.neighbours)
    counted = params.counted_similarities
    return Analysis(
        metrics=metrics.assign(image_id=ids),
        neighbours=near,
        outliers=neighbours.outliers(
            ids,
            readable["split"].tolist(),
            descriptors,
            graph_neighbours=params.graph_neighbours,
            outlier_share=params.outlier_share,
        ),
        components=neighbours.components(ids, descriptors, params.component_similarity),
        pairs=neighbours.pair_counts(descriptors, near, counted, params.graph_neighbours),
        engine=info | {"settings": asdict(params) | {"engine": params.engine.value}},
    )


Measured = tuple[pd.DataFrame, npt.NDArray[np.float32], dict[str, Any]]


def _native(files: Sequence[Path]) -> Measured:
    measured = mapped(native.describe_file, files, "measure")
    numbers, descriptors = zip(*measured, strict=True)
    return pd.DataFrame(list(numbers)), np.stack(descriptors), native.info()


def _fastdup(files: Sequence[Path]) -> Measured:
    with tempfile.TemporaryDirectory(prefix="clearset-") as name:
        scratch = Path(name)
        fed = [scratch / f"{number:08d}.png" for number in range(len(files))]
        own = mapped(_measure_and_feed, list(zip(files, fed, strict=True)), "measure")
        statistics, descriptors = fastdup.run(fed, scratch, workers())
    return pd.concat([statistics, pd.DataFrame(own)], axis=1), descriptors, fastdup.info()


def _measure_and_feed(pair: tuple[Path, Path]) -> dict[str, float]:
    """Return a file's registered metrics and write what fastdup is to see: 8 bits, no alpha."""
    file, fed = pair
    pixels = images.colour(images.decode(file))
    fed.write_bytes(images.png_bytes(images.eight_bit(pixels), compress_level=1))
    return measure(images.unit(pixels))
