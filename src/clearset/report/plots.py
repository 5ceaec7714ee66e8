"""Figures: data and Axes in, Axes out. Nothing here reads or writes a file."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from clearset.config.schema import Rule

KEPT, FLAGGED = "#4c78a8", "#e45756"
PALETTE = ["#4c78a8", "#f58518", "#54a24b", "#b279a2", "#9d755d", "#e45756"]
ARROW = "\N{RIGHTWARDS ARROW}"


def bounds(axes: Axes, values: pd.Series, name: str, rule: Rule) -> Axes:
    """Draw a metric's values, one point an image, sorted, with the rule's bounds dashed."""
    ordered = values.dropna().sort_values()
    low = -np.inf if rule.min is None else rule.min
    high = np.inf if rule.max is None else rule.max
    outside = (ordered < low) | (ordered > high)
    colours = [FLAGGED if flagged else KEPT for flagged in outside]
    axes.scatter(range(len(ordered)), ordered, c=colours, s=14)
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
    return figure


def paired(axes: Axes, rows: pd.DataFrame, colours: Mapping[str, str], title: str) -> Axes:
    """Draw one line an image from its value before to its value after, coloured by image_id."""
    for row in rows.itertuples():
        sides = [row.before, row.after]
        axes.plot([0, 1], sides, color=colours[row.image_id], marker="o", markersize=3, linewidth=1)
    axes.set_xticks([0, 1], ["before", "after"], fontsize=8)
    axes.set_xlim(-0.25, 1.25)
    axes.set_title(title, fontsize=9, parse_math=False)
    axes.tick_params(labelsize=7)
    return axes


def changes_figure(comparison: pd.DataFrame, rules_of: Mapping[str, str]) -> Figure:
    """Return one panel a metric: each repaired image before and after, coloured by its rules.

    `comparison` is the table of that name; `rules_of` maps an image_id to what called for repair.
    """
    metrics = sorted(comparison["metric"].unique())
    kinds = sorted(set(rules_of.values()))
    palette = dict(zip(kinds, cycle(PALETTE), strict=False))
    colours = {image_id: palette[kind] for image_id, kind in rules_of.items()}
    figure = Figure(figsize=(10.4, 2.5 * -(-len(metrics) // 4) + 0.4), layout="constrained")
    grid = figure.subplots(-(-len(metrics) // 4), 4, squeeze=False).ravel()
    for axes in grid[len(metrics) :]:
        axes.set_axis_off()
    for axes, name in zip(grid, metrics, strict=False):
        rows = comparison[comparison["metric"] == name]
        means = rows["before"].mean(), rows["after"].mean()
        paired(axes, rows, colours, f"{name}\nmean {means[0]:.3g} {ARROW} {means[1]:.3g}")
    handles = [Line2D([], [], color=palette[kind], marker="o", markersize=3) for kind in kinds]
    legend = figure.legend(handles, kinds, loc="outside lower center", ncols=len(kinds), fontsize=8)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure


def matrix(axes: Axes, values: pd.DataFrame, title: str, ringed: Sequence[tuple[int, int]]) -> Axes:
    """Draw shares from 0 to 1 as a grid of numbers, rows and columns named; some cells ringed."""
    if values.empty:
        axes.set_axis_off()
        return axes
    axes.imshow(values.to_numpy(float), cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
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
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=FLAGGED))
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
        for score, colour in (("precision", PALETTE[0]), ("recall", PALETTE[1])):
            axes.plot(points["bound"], points[score], color=colour, linewidth=1, label=score)
        axes.axvline(row["given"], color="grey", linestyle=":", linewidth=1, label="given")
        axes.axvline(row["bound"], color="black", linestyle="--", linewidth=0.8, label="chosen")
        axes.set_ylim(-0.03, 1.03)
        axes.set_title(f"{name}: {row['side']} {row['bound']:.4g}", fontsize=9, parse_math=False)
        axes.set_xlabel(row["metric"], fontsize=8, parse_math=False)
        axes.tick_params(labelsize=7)
    if names:
        grid[0].legend(fontsize=7)
    return figure
