"""Figures of what training says about repairs: tables in, figures out."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clearset.config.schema_train import RAW
from clearset.plant.planting import CLEAN
from clearset.report.plots import PALETTE
from clearset.train.segmentation import MEAN, VESSEL
from clearset.train.summary import raw_first

TITLES = {VESSEL: "vessel against background", MEAN: "mean of the classes"}


@dataclass(frozen=True)
class Look:
    """How a series is drawn: its colour, its marker, how far below its name's height."""

    colour: str
    shape: str
    lower: float = 0.0


PAIRED = Look(PALETTE[0], "o")
FAULTED = {
    "repair": (Look(PALETTE[0], "o", -0.15), "repair"),
    "augmentation": (Look(PALETTE[1], "s", 0.15), "augmentation instead"),
}


def arm(row: pd.Series) -> str:
    """Return in words what a model learnt from and what it is given."""
    varied = ", augmented" if row["augment"] else ""
    return f"{row['model']}: {row['trained_on']}{varied}, given {row['repair']}"


def forest(axes: Axes, rows: pd.DataFrame, names: list[str], look: Look) -> Axes:
    """Draw each row's change and its interval at the height of its name; full where it is told."""
    heights = np.array([names.index(name) + look.lower for name in rows["name"]])
    axes.hlines(heights, rows["low"], rows["high"], color=look.colour, linewidth=1.2)
    for significant, fill in ((True, look.colour), (False, "white")):
        some = ((rows["told"] != 0) == significant).to_numpy()
        lines = axes.plot(rows.loc[some, "change"], heights[some], look.shape, markersize=4)
        lines[0].set(color=look.colour, markerfacecolor=fill)
    return axes


def panel(axes: Axes, names: list[str], title: str) -> Axes:
    """Prepare a panel: its names from top to bottom, and where nothing changes."""
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(names)), names, fontsize=7, parse_math=False)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_title(title, fontsize=9, parse_math=False)
    axes.set_xlabel("change of Dice, 95 % interval; filled: told from 0", fontsize=8)
    axes.tick_params(axis="x", labelsize=7)
    axes.grid(axis="x", linewidth=0.3)
    return axes


def changes_figure(changes: pd.DataFrame) -> Figure:
    """Return the paired differences of table `training_changes`, vessel left, classes right.

    Above: every arm and what it is given, against raw images throughout. Below: models trained on
    raw images without augmentation, given faulted images that are repaired, or augmented instead.
    """
    paired = raw_first(changes[changes["question"] == "pairing"])
    paired = paired.assign(name=paired.apply(arm, axis=1))
    own = (changes["question"] == "repair") & (changes["augment"] == 0)
    rival = (changes["question"] == "augmentation") & (changes["augment"] == 1)
    faults = changes[(own | rival) & (changes["fault"] != CLEAN) & (changes["trained_on"] == RAW)]
    faults = faults.assign(name=faults["model"] + ": " + faults["fault"])
    above, below = (rows["name"].drop_duplicates().tolist() for rows in (paired, faults))
    sizes = [max(len(above), 2), max(len(below), 2)]
    figure = Figure(figsize=(11.5, 0.17 * sum(sizes) + 2.2), layout="constrained")
    grid = figure.subplots(2, 2, height_ratios=sizes, sharey="row")
    for column, (label, title) in enumerate(TITLES.items()):
        upper = panel(grid[0, column], above, f"Against raw images throughout: {title}")
        forest(upper, paired[paired["class"] == label], above, PAIRED)
        lower = panel(grid[1, column], below, f"Faulted images: {title}")
        for question, (look, _) in FAULTED.items():
            rows = faults[(faults["class"] == label) & (faults["question"] == question)]
            forest(lower, rows, below, look)
    for look, words in FAULTED.values():
        grid[1, 1].plot([], [], look.shape, color=look.colour, markersize=4, label=words)
    grid[1, 1].legend(fontsize=7)
    return figure
