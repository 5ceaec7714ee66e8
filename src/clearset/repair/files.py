"""Image files repaired: read as declared, all bands alike, written as they were stored."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from clearset.images import codec, levels, views
from clearset.images.levels import Image, Reading
from clearset.repair.steps import enhance


def repair(
    source: Path, target: Path, reading: Reading, steps: Iterable[Mapping[str, Any]]
) -> float:
    """Write a file after all steps, in its own format; return the share of values clipped.

    What is not seen, and alpha, stay as they are.
    """
    stored = codec.decode(source)
    seen = views.seen(source, stored, reading)
    image, clipped = enhance(levels.unit(stored, reading, seen), steps, reading.alpha)
    codec.write_like(source, image, target, reading, seen)
    return clipped


def repaired(source: Path, reading: Reading, steps: Iterable[Mapping[str, Any]]) -> Image:
    """Return a file's image after all steps, from 0 to 1, all its bands."""
    stored = codec.decode(source)
    seen = views.seen(source, stored, reading)
    return enhance(levels.unit(stored, reading, seen), steps, reading.alpha)[0]
