"""Figures: data and Axes in, Axes out. Nothing here reads or writes a file.

What a colour tells, a marker, a line or a frame tells too: they are read in grey as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from clearset.config.schema import Rule

KEPT, FLAGGED = "#4c78a8", "#e45756"
PALETTE = ["#4c78a8", "#f58518", "#54a24b", "#b279a2", "#9d755d", "#e45756"]
FATES = {"within its bounds": (KEPT, "o"), "crossed: flagged": ("black", "x")}
MARKERS = ["o", "s", "^", "D", "v", "X", "P"]
LINES = ["-", "--", ":", "-."]
ARROW = "\N{RIGHTWARDS ARROW}"


@dataclass(frozen=True)
class Look:
    """How a series is drawn: no two of a figure share both marker and line."""

    colour: str
    marker: str
    line: str

    def key(self) -> Line2D:
        """Return what stands for it in a legend."""
        return Line2D([], [], color=self.colour, marker=self.marker, markersize=4, ls=self.line)


def looks(names: Sequence[str]) -> dict[str, Look]:
    """Return how each of some series is drawn; of up to 28, each is told by itself in grey."""
    return {
        name: Look(*(choice[number % len(choice)] for choice in (PALETTE, MARKERS, LINES)))
        for number, name in enumerate(names)
    }


def bounds(axes: Axes, values: pd.Series, name: str, rule: Rule) -> Axes:
    """Draw a metric's values, one point an image, sorted, with the rule's bounds dashed.

    What it flags is crossed.
    """
    ordered = values.dropna().sort_values()
    low = -np.inf if rule.min is None else rule.min
    high = np.inf if rule.max is None else rule.max
    outside = (ordered < low) | (ordered > high)
    colours = [FLAGGED if flagged else KEPT for flagged in outside]
    places = np.arange(len(ordered))
    axes.scatter(places, ordered, c=colours, s=14)
    axes.scatter(places[outside], ordered[outside], c="black", marker="x", s=18, linewidths=0.7)
    for bound in (rule.min, rule.max):
        if bound is not None:
            axes.axhline(bound, color="black", linestyle="--", linewidth=0.8)
    axes.set_title(
        f"{name}: {int(outside.sum())} of {len(ordered)} flagged", fontsize=9, parse_math=False
    )
    axes.set_xlabel("images, sorted", fontsize=8)
    axes.set_ylabel(rule.metric, fontsize=8, parse_math=False)
    axes.tick_params(labelsize=7)
    return axes


def rules_figure(values: pd.DataFrame, rules: Mapping[str, Rule]) -> Figure:
    """Return one panel a rule: where its bounds cut the dataset's values.

    A metric of at most two values (unreadable or not, a copy or not) has no curve to show.
    """
    curves = {n: rule for n, rule in rules.items() if values[rule.metric].nunique() > 2}
    rules = curves or rules
    columns = min(3, len(rules))
    rows = -(-len(rules) // columns)
    figure = Figure(figsize=(3.6 * columns, 2.6 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[len(rules) :]:
        axes.set_axis_off()
    for axes, (name, rule) in zip(grid, rules.items(), strict=False):
        bounds(axes, values[rule.metric], name, rule)
    keys = [Line2D([], [], color=colour, marker=m, ls="") for colour, m in FATES.values()]
    figure.legend(keys, list(FATES), loc="outside lower center", ncols=len(keys), fontsize=8)
    return figure


def paired(axes: Axes, rows: pd.DataFrame, look_of: Mapping[str, Look], title: str) -> Axes:
    """Draw one line an image from its value before to its value after, as `look_of` it says."""
    for row in rows.itertuples():
        look = look_of[row.image_id]
        line = axes.plot([0, 1], [row.before, row.after], markersize=3, linewidth=1)[0]
        line.set(color=look.colour, marker=look.marker, linestyle=look.line)
    axes.set_xticks([0, 1], ["before", "after"], fontsize=8)
    axes.set_xlim(-0.25, 1.25)
    axes.set_title(title, fontsize=9, parse_math=False)
    axes.tick_params(labelsize=7)
    return axes


def changes_figure(comparison: pd.DataFrame, rules_of: Mapping[str, str]) -> Figure:
    """Return one panel a metric: each repaired image before and after, drawn by its rules.

    `comparison` is the table of that name; `rules_of` maps an image_id to what called for repair.
    """
    metrics = sorted(comparison["metric"].unique())
    kinds = sorted(set(rules_of.values()))
    look = looks(kinds)
    look_of = {image_id: look[kind] for image_id, kind in rules_of.items()}
    figure = Figure(figsize=(10.4, 2.5 * -(-len(metrics) // 4) + 0.4), layout="constrained")
    grid = figure.subplots(-(-len(metrics) // 4), 4, squeeze=False).ravel()
    for axes in grid[len(metrics) :]:
        axes.set_axis_off()
    for axes, name in zip(grid, metrics, strict=False):
        rows = comparison[comparison["metric"] == name]
        means = rows["before"].mean(), rows["after"].mean()
        paired(axes, rows, look_of, f"{name}\nmean {means[0]:.3g} {ARROW} {means[1]:.3g}")
    handles = [look[kind].key() for kind in kinds]
    legend = figure.legend(handles, kinds, loc="outside lower center", ncols=len(kinds), fontsize=8)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure


def matrix(axes: Axes, values: pd.DataFrame, title: str, ringed: Sequence[tuple[int, int]]) -> Axes:
    """Draw shares from 0 to 1 as a grid of numbers, rows and columns named; some cells ringed."""
    if values.empty:
        axes.set_axis_off()
        return axes
    edges = (np.arange(size + 1) - 0.5 for size in values.shape[::-1])
    axes.pcolormesh(*edges, values.to_numpy(float), cmap="Blues", vmin=0, vmax=1.15)
    axes.invert_yaxis()
    for row, column in np.ndindex(values.shape):
        share = values.iloc[row, column]
        if not np.isnan(share):
            axes.text(
                column,
                row,
                f"{share:.2f}".lstrip("0") if share < 0.995 else "1",
                fontsize=6.5,
                ha="center",
                va="center",
                color="white" if share > 0.6 else "black",
            )
    for row, column in ringed:
        ring = Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="black", zorder=3)
        ring.set_path_effects([withStroke(linewidth=2.6, foreground="white")])  # on dark cells too
        axes.add_patch(ring)
    axes.set_xticks(
        range(values.shape[1]), values.columns, rotation=90, fontsize=7, parse_math=False
    )
    axes.set_yticks(range(values.shape[0]), values.index, fontsize=7, parse_math=False)
    axes.set_title(title, fontsize=9, parse_math=False)
    return axes


def detection_figure(severities: pd.DataFrame, crosstalk: pd.DataFrame) -> Figure:
    """Return what each detector finds at each severity, and what each rule makes of each fault."""
    own = severities[(severities["part"] == "all") & (severities["severity"] > 0)]
    recall = own.assign(case=own["fault"] + " by " + own["rule"]).pivot(
        index="case", columns="severity", values="recall"
    )
    talk = crosstalk.pivot(index="fault", columns="rule", values="flagged")
    finds = crosstalk.drop_duplicates("rule").set_index("rule")["finds"]
    meant = {(row.fault, row.rule) for row in severities.itertuples() if finds.get(row.rule, "")}
    ringed = [
        (row, column)
        for row, fault in enumerate(talk.index)
        for column, rule in enumerate(talk.columns)
        if (fault, rule) in meant
    ]
    height = 1.8 + 0.2 * max(len(recall), len(talk))
    figure = Figure(figsize=(12.5, height), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 3])
    matrix(left, recall, "Share found, by severity, given bounds", [])
    matrix(
        right,
        talk,
        "Share of a fault's images that a rule flags, given bounds (ringed: meant to)",
        ringed,
    )
    return figure


def curves_figure(curves: pd.DataFrame, calibration: pd.DataFrame) -> Figure:
    """Return one panel a detector: precision and recall against its bound, given and chosen.

    A metric of two values (unreadable or not, a copy or not) has no curve to show.
    """
    points_of = curves.groupby("rule")["bound"].size()
    names = sorted(set(calibration["rule"]) & set(points_of.index[points_of > 2]))
    columns = 4
    figure = Figure(figsize=(12.5, 2.2 * -(-max(len(names), 1) // columns)), layout="constrained")
    grid = figure.subplots(-(-max(len(names), 1) // columns), columns, squeeze=False).ravel()
    for axes in grid[len(names) :]:
        axes.set_axis_off()
    for axes, name in zip(grid, names, strict=False):
        points, row = curves[curves["rule"] == name], calibration.set_index("rule").loc[name]
        for score, colour, line in (("precision", PALETTE[0], "-"), ("recall", PALETTE[1], "-.")):
            axes.plot(points["bound"], points[score], color=colour, ls=line, lw=1.2, label=score)
        axes.axvline(row["given"], color="grey", linestyle=":", linewidth=1, label="given")
        axes.axvline(row["bound"], color="black", linestyle="--", linewidth=0.8, label="chosen")
        axes.set_ylim(-0.03, 1.03)
        axes.set_title(f"{name}: {row['side']} {row['bound']:.4g}", fontsize=9, parse_math=False)
        axes.set_xlabel(row["metric"], fontsize=8, parse_math=False)
        axes.tick_params(labelsize=7)
    if names:
        grid[0].legend(fontsize=7)
    return figure
