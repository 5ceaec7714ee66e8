"""What an image's file and its pixels say, for its row of the table `images`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from clearset.config.schema_fetch import Mapping, PixelRange
from clearset.images import codec, levels, ranges, views
from clearset.images.aperture import found
from clearset.store.errors import UnreadableImage


def description(file: Path, settings: PixelRange, *, aperture: bool) -> dict[str, Any]:
    """Return what an image's pixels say: size, hash, range, and counts of values if asked for.

    With `aperture`, an image that names no field of view may show one.
    """
    pixels = codec.decode(file)
    reading = codec.declaration(file, pixels)
    if settings.nodata is not None:
        reading = replace(reading, nodata=float(settings.nodata))
    if aperture and not reading.seen:
        reading = replace(reading, seen=found(pixels, reading))
    seen = views.seen(file, pixels, reading)
    if seen is not None and not seen.any():
        raise UnreadableImage("nothing of it is seen: every pixel is nodata or transparent")
    counts = None
    if settings.mapping in (Mapping.percentiles, Mapping.image):
        shown = levels.bands(pixels, reading)
        counts = np.unique(shown if seen is None else shown[seen], return_counts=True)
    if settings.mapping is Mapping.image and counts is not None:
        low, high = ranges.span([counts], settings)
        reading, counts = replace(reading, low=low, high=high), None
    return codec.describe(pixels) | levels.columns(reading) | {"counts": counts}
