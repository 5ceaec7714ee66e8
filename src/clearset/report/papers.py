"""Figures for papers: lines, dots and letters as PDF, the same bytes from run to run."""

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


def save(figure: Figure, path: Path) -> Path:
    """Write a figure for papers as PDF: the same figure gives the same bytes.

    Type is embedded, as journals ask. Nothing is compressed: that would hang on the build of a
    library.
    """
    settings: Any = {"pdf.fonttype": 42, "pdf.compression": 0}
    nameless: Any = {"CreationDate": None, "Creator": None, "Producer": None}
    with layout.replacing(path) as incomplete, quiet(), rc_context(settings):
        figure.savefig(incomplete, format="pdf", metadata=nameless)
    return path
