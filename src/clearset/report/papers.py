"""Figures for papers: lines, dots and letters as PDF and as SVG, the same bytes from run to run."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from clearset.store import layout


@contextmanager
def quiet() -> Iterator[None]:
    """Draw a name in a script without a font as boxes, and say nothing of it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")
        yield


def save(figure: Figure, path: Path) -> tuple[Path, Path]:
    """Write a figure for papers as PDF and as SVG: the same figure gives the same bytes.

    `path` has no suffix. Type is outlines in the one, and embedded in the other, as journals ask.
    Nothing is compressed: that would hang on the build of a library.
    """
    settings: Any = {"svg.hashsalt": "clearset", "svg.fonttype": "path"}
    settings |= {"pdf.fonttype": 42, "pdf.compression": 0}
    nameless = {
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
        "svg": {"Date": None, "Creator": None},
    }
    paths = path.with_name(f"{path.name}.pdf"), path.with_name(f"{path.name}.svg")
    for target, (kind, metadata) in zip(paths, nameless.items(), strict=True):
        with layout.replacing(target) as incomplete, quiet(), rc_context(settings):
            figure.savefig(incomplete, format=kind, metadata=metadata)
    return paths
