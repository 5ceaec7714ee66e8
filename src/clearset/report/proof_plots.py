"""Figures of what repairs did to vessels: data in, Figure out."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from clearset.proof.verdicts import INDIFFERENT, part_of
from clearset.report.plots import FLAGGED, KEPT, Look

LINEAR = 0.01  # a change up to which the axis is linear, beyond it logarithmic
TICKS = [-0.3, -0.1, -0.03, -0.01, 0, 0.01, 0.03, 0.1, 0.3]
LOOKS = {"all": (Look(FLAGGED, "D", ":"), -0.17), "accepted": (Look(KEPT, "o", "-"), 0.17)}
TITLES = {
    "both": "Average precision of vessels, as both detectors grant",
    "ap": "by the first detector",
    "sato": "by the second, Sato's",
}


def gains_figure(gains: pd.DataFrame) -> Figure:
    """Return the change of three scores by repair and group, if all repairs enter and if accepted.

    `gains` is the table of that name; bars are 95 % intervals, the grey band what is too small to
    tell, in parentheses the number of eyes. Of eyes held out, where there are any.
    """
    rows = gains[(gains["part"] == part_of(gains)) & gains["score"].isin(TITLES)]
    eyes = " (" + rows["eyes"].astype(str) + ")"
    labels = (rows["repair"] + ": " + rows["group"] + eyes).tolist()
    rows = rows.assign(label=labels)
    names = list(dict.fromkeys(labels))
    figure = Figure(figsize=(14, 1.5 + 0.26 * max(len(names), 2)), layout="constrained")
    panels = figure.subplots(1, len(TITLES), sharey=True)
    for axes, (score, title) in zip(panels, TITLES.items(), strict=True):
        forest(axes, rows[rows["score"] == score], names, title)
    panels[0].set_yticks(range(len(names)), names, fontsize=8, parse_math=False)
    panels[0].invert_yaxis()
    handles, words = panels[0].get_legend_handles_labels()
    figure.legend(handles, words, loc="outside lower center", ncols=2, fontsize=8)
    return figure


def forest(axes: Axes, rows: pd.DataFrame, names: list[str], title: str) -> Axes:
    """Draw mean changes with their intervals, one line a name, on a scale that shows small ones."""
    axes.axvspan(-INDIFFERENT, INDIFFERENT, color="0.9")
    axes.axvline(0, color="0.4", linewidth=0.8)
    for update, (look, shift) in LOOKS.items():
        own = rows[rows["update"] == update]
        places = [names.index(label) + shift for label in own["label"]]
        lines = axes.hlines(places, own["low"], own["high"], linewidth=1.2)
        lines.set(color=look.colour, linestyle=look.line)
        points = axes.plot(own["change"], places, look.marker, markersize=4, color=look.colour)
        points[0].set_label(f"{update} repairs")
    axes.set_xscale("symlog", linthresh=LINEAR, linscale=0.8)
    reach = max(0.02, float(rows[["low", "high", "change"]].abs().max(axis=None)))
    ticks = [tick for tick in TICKS if abs(tick) <= reach * 1.1]
    axes.set_xticks(ticks)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+g}" if value else "0"))
    axes.minorticks_off()
    axes.set_xlim(-reach * 1.2, reach * 1.2)
    axes.tick_params(labelsize=8)
    axes.set_title(title, fontsize=9)
    axes.set_xlabel("change, mean over eyes", fontsize=8)
    return axes
