"""A figure of pictures side by side, for those who improve a few images by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def image(axes: Axes, pixels: Any, title: str) -> Axes:
    """Draw an image, grey from black to white without any stretch, under its title."""
    top = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=top, interpolation="nearest")
    axes.set_title(title, fontsize=8, parse_math=False)
    axes.set_axis_off()
    return axes


def gallery(pictures: Sequence[tuple[Any, str]], title: str, columns: int = 4) -> Figure:
    """Return a sheet of pictures with their captions, `columns` in a row."""
    columns = min(columns, len(pictures))
    figure, grid = sheet(-(-len(pictures) // columns), columns, title)
    for axes, (pixels, caption) in zip(grid, pictures, strict=False):
        image(axes, pixels, caption)
    return figure


def sheet(rows: int, columns: int, title: str, side: float = 2.6) -> tuple[Figure, Any]:
    """Return a figure of square places of `side` inches, each with room for a caption.

    Laid out by arithmetic: matplotlib's own layout takes half a second a sheet.
    """
    caption, top = 0.42, 0.3 + 0.17 * title.count("\n")
    height, width = rows * (side + caption) + top + 0.05, max(columns * (side + 0.05), 5.2)
    figure = Figure(figsize=(width, height))
    figure.suptitle(title, fontsize=10, y=1 - 0.06 / height, parse_math=False)
    edges = {"left": 0.005, "right": 0.995, "wspace": 0.02, "hspace": caption / side}
    edges |= {"bottom": 0.05 / height, "top": 1 - (top + caption) / height}
    grid = figure.subplots(rows, columns, squeeze=False, gridspec_kw=edges).ravel()
    for axes in grid:
        axes.set_axis_off()
    return figure, grid
