"""The benchmark of growth as Markdown and as a figure."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, NullLocator, StrMethodFormatter

NAMES = {
    "clearset": "Clearset, seven stages",
    "fastdup": "fastdup",
    "cleanvision": "CleanVision",
    "imagededup": "imagededup, PHash",
}
# Told apart by whoever sees no red or green, and in grey by marker and line: Okabe and Ito, 2008.
LOOKS = {
    "clearset": ("#0072B2", "o", "-"),
    "fastdup": ("#D55E00", "s", "--"),
    "cleanvision": ("#009E73", "^", "-."),
    "imagededup": ("#555555", "D", ":"),
}
COLUMNS = ["tool", "stage", "images", "wall s", "CPU s", "images/s", "CPU ms an image", "MB"]
NOTHING = "\N{EN DASH}"


def exponents(table: pd.DataFrame, column: str) -> list[float]:
    """Return the slopes of log cost against log n, from each size to the next; then of all."""
    logs = np.log(table[["n", column]].to_numpy(np.float64))
    steps = [(b - a)[1] / (b - a)[0] for a, b in pairwise(logs)]
    return [*map(float, steps), float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])]


def markdown(columns: list[str], rows: list[list[str]]) -> str:
    """Return a table of Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def costs(table: pd.DataFrame) -> str:
    """Return what each tool and stage costs at each size."""
    lines = []
    for row in table.itertuples():
        name = [NAMES[str(row.tool)].partition(",")[0], str(row.stage), f"{row.n:,}"]
        if row.failure:
            lines.append([*name, str(row.failure), *[NOTHING] * 4])
            continue
        each = [f"{row.n / row.wall_s:.0f}", f"{1000 * row.cpu_s / row.n:.2f}"]
        lines.append([*name, f"{row.wall_s:.1f}", f"{row.cpu_s:.1f}", *each, f"{row.peak_mb:.0f}"])
    return markdown(COLUMNS, lines)


def growth(table: pd.DataFrame) -> str:
    """Return by which power of n CPU and wall seconds grow."""
    sizes = sorted(table["n"].unique())
    spans = [f"{a:,} to {b:,}" for a, b in pairwise(sizes)]
    lines = []
    for (tool, stage), group in table.groupby(["tool", "stage"], sort=False):
        known = group[group["failure"] == ""].sort_values("n")
        if len(known) < 2:
            continue
        found = [exponents(known, column) for column in ("cpu_s", "wall_s")]
        cells = {
            f"{a:,} to {b:,}": f"{cpu:.2f} / {wall:.2f}"
            for (a, b), cpu, wall in zip(pairwise(known["n"]), *found, strict=False)
        }
        whole = " / ".join(f"{one[-1]:.2f}" for one in found)
        name = NAMES[str(tool)].partition(",")[0]
        lines.append([name, str(stage), *[cells.get(span, NOTHING) for span in spans], whole])
    return markdown(["power of n, CPU / wall", "stage", *spans, "all"], lines)


def tables(table: pd.DataFrame, whole: str, added: str) -> str:
    """Return all tables; of other tools there is the `whole` alone."""
    again = table["stage"].str.startswith(added)
    first = table[~again].sort_values(["tool", "n"], key=_ordered, kind="stable")
    parts = [costs(first), growth(first)]
    if again.any():
        both = table[table["n"].isin(table[again]["n"]) & (table["tool"] == "clearset")]
        parts.append(costs(both.sort_values("n", kind="stable")))
    return "\n\n".join(parts)


def _ordered(column: pd.Series) -> pd.Series:
    return column.map(list(NAMES).index) if column.name == "tool" else column


def figure(table: pd.DataFrame, target: Path) -> None:
    """Draw CPU seconds and memory against the number of images, one line a tool."""
    drawing = Figure(figsize=(9, 3.6), layout="constrained")
    panels = drawing.subplots(1, 2)
    labels = {"cpu_s": "CPU seconds", "peak_mb": "memory at most, MB"}
    for panel, (column, label) in zip(panels, labels.items(), strict=True):
        _drawn(panel, table[table["failure"] == ""], column)
        panel.set(xscale="log", yscale="log", xlabel="images", ylabel=label)
        sizes, tens = FixedLocator(sorted(table["n"].unique())), LogLocator(subs=(1, 2, 5))
        for axis, places in ((panel.xaxis, sizes), (panel.yaxis, tens)):
            axis.set(major_locator=places, minor_locator=NullLocator())
            axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].legend(frameon=False, fontsize=9)
    drawing.savefig(target, dpi=150, metadata={"Software": None})


def _drawn(panel: Axes, table: pd.DataFrame, column: str) -> None:
    for tool, name in NAMES.items():
        known = table[table["tool"] == tool].sort_values("n")
        colour, marker, line = LOOKS[tool]
        if len(known):
            panel.plot(
                known["n"], known[column], color=colour, marker=marker, ls=line, ms=5, label=name
            )
