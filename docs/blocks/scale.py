"""The numbers of docs/scale.md: from what was measured, for sets that nobody here has."""

from functools import cache
from pathlib import Path

import pandas as pd

from blocks import Unsupported

GROWTH = Path(__file__).parents[2] / "benchmarks/growth.csv"
MEASURED = 50_000  # images of the largest run
SETS = (100_000, 10_000_000, 400_000_000)
CORES = 64
PRICE, STORAGE = (
    0.04,
    0.023,
)  # dollars a core hour, and a GB month: a usual cloud's, in round numbers
KEPT = 6.5e3  # bytes an image of measurements; keypoints of several splits take 48e3 more
BY_IMAGE = ("fetch", "analyze", "filter", "enhance", "compare", "report", "release")


@cache
def growth() -> pd.DataFrame:
    """Return what the benchmark of growth has measured."""
    if not GROWTH.exists():
        raise Unsupported(f"{GROWTH} is missing: benchmarks/growth.py writes it")
    return pd.read_csv(GROWTH)


def seconds(stages: tuple[str, ...] = BY_IMAGE) -> float:
    """Return CPU seconds an image that stages take, of the largest run."""
    table = growth()
    own = table[(table["tool"] == "clearset") & (table["n"] == MEASURED)]
    found = own[own["stage"].isin(stages)]
    if len(found) != len(stages):
        raise Unsupported(f"{GROWTH} has not all of {stages} for {MEASURED} images")
    return float(found["cpu_s"].sum()) / MEASURED


def costs() -> str:
    """Return the table of costs, by the number of images."""
    rows = [
        "| images | core hours | hours on 64 cores | measurements kept | cost |",
        "| --- " * 5 + "|",
    ]
    for images in SETS:
        hours, kept = images * seconds() / 3600, images * KEPT / 1e9
        cost = hours * PRICE + kept * STORAGE
        rows.append(
            f"| {images:,} | {hours:,.0f} | {hours / CORES:,.1f} | {kept:,.1f} GB | ${cost:,.0f} |"
        )
    return "\n".join(["", *rows, ""])
