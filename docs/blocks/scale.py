"""The numbers of docs/scale.md: from what was measured, for sets that nobody here has."""

from functools import cache
from pathlib import Path

import pandas as pd

from blocks import Unsupported

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
MEASURED = 50_000  # images of the largest run
SETS = (100_000, 1_000_000, 10_000_000, 400_000_000)
CORES = 64
PRICE, STORAGE = 0.04, 0.023  # dollars a core hour, and a GB month, of a usual cloud
KEPT = 6.2e3  # bytes an image of measurements; keypoints of several splits take 48e3 more
STAGES = ("fetch", "analyze", "filter", "enhance", "compare", "report", "release")
ALL_PAIRS = ("compare", "kinship")  # what comparing all images is made of


@cache
def _measured(name: str) -> pd.DataFrame:
    """Return what a benchmark has measured."""
    path = BENCHMARKS / f"{name}.csv"
    if not path.exists():
        raise Unsupported(f"{path} is missing: benchmarks/{name}.py writes it")
    return pd.read_csv(path)


def _seconds() -> float:
    """Return CPU seconds an image of the largest run, without comparing all with each other."""
    growth, pairs = _measured("growth"), _measured("neighbours")
    own = growth[(growth["tool"] == "clearset") & (growth["n"] == MEASURED)]
    found = own[own["stage"].isin(STAGES)]
    exact = pairs[(pairs["images"] == MEASURED) & (pairs["how"] == "each with each")]
    both = exact[exact["what"].isin(ALL_PAIRS)]
    if len(found) != len(STAGES) or len(both) != len(ALL_PAIRS):
        raise Unsupported(f"{BENCHMARKS} has not all stages of {MEASURED} images")
    return float(found["cpu_s"].sum() - both["cpu_s"].sum()) / MEASURED


def costs() -> str:
    """Return the table of costs, by the number of images."""
    rows = ["| images | core hours | hours on 64 cores | measurements kept, GB | cost |"]
    rows.append("| --- | --- | --- | --- | --- |")
    for images in SETS:
        hours, kept = images * _seconds() / 3600, images * KEPT / 1e9
        cost = hours * PRICE + kept * STORAGE
        rows.append(
            f"| {images:,} | {hours:,.1f} | {hours / CORES:.2g} | {kept:,.1f} | ${cost:,.2f} |"
        )
    return "\n".join(rows) + "\n"
