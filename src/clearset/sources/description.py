"""What an image's file and its pixels say, for its row of the table `images`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from clearset.config.schema_fetch import Bands, Fetch, Mapping
from clearset.images import census, codec, levels, ranges, views
from clearset.images.aperture import found
from clearset.images.census import Census
from clearset.images.levels import Mask, Pixels, Reading
from clearset.sources import glances
from clearset.store.errors import UnreadableImage

NONE = {"obstacle": "", "assumed": 0, "colours": 0, "broken": 0, "drawn": 0, "counts": None}


def description(
    file: Path, fetch: Fetch, field: str = "", root: Path | None = None
) -> dict[str, Any]:
    """Return what an image's pixels say: size, hash, reading, and what is seen of its values.

    `field` is a mask of its field of view, below `root`, if there is one. Beside the table's
    columns it has `counts`, the `Census`, and `drawn`, 1 where it looks so. Raises
    `UnreadableImage` for what can not be measured as the settings say.
    """
    settings = fetch.range
    codec.check_memory(file, fetch.memory)
    pixels, said = codec.decode(file), codec.facts(file)
    codec.check(file)  # last, so that a decoder's own reason goes first
    reading = _shown(codec.reading(said, pixels), pixels, fetch.bands)
    if field and root is not None:
        codec.check(root / field, fetch.memory)
        reading = replace(reading, seen=f"file {field}", root=root)
    if settings.nodata is not None:
        reading = replace(reading, nodata=float(settings.nodata))
    if fetch.aperture and not reading.seen:
        reading = replace(reading, seen=found(pixels, reading))
    seen = views.seen(file, pixels, reading)
    if seen is not None and not seen.any():
        raise UnreadableImage("nothing of it is seen: every pixel is nodata or transparent")
    counts = _census(pixels, reading, seen, settings.mapping)
    if settings.mapping is Mapping.image and counts.counts is not None:
        low, high = ranges.span([counts.counts], settings)
        reading = replace(reading, low=low, high=high)
    shown = _seen(levels.bands(pixels, reading), seen)
    row = codec.describe(pixels) | levels.columns(reading) | {"counts": counts}
    row |= {"obstacle": said.obstacle, "assumed": 0, "bit_depth": said.bits or row["bit_depth"]}
    row |= {"colours": int(shown.ndim == 2 and census.coloured(shown))}
    return row | {"drawn": int(glances.drawn(pixels))}


def _shown(reading: Reading, pixels: Pixels, bands: Bands) -> Reading:
    """Return a reading with the bands that a dataset shows; an error where an image lacks one."""
    data = levels.data(pixels, reading)
    number = 1 if data.ndim == 2 else data.shape[2]
    if bands.shown and max(bands.shown) > number:
        raise UnreadableImage(
            f"fetch.bands.shown names band {max(bands.shown)}, and it has {number} of data"
        )
    return replace(reading, shown=tuple(band - 1 for band in bands.shown))


def _census(pixels: Pixels, reading: Reading, seen: Mask | None, mapping: Mapping) -> Census:
    """Return what is seen of an image, with its values where a range hangs on them."""
    shown = _seen(levels.bands(pixels, reading), seen)
    if mapping in (Mapping.percentiles, Mapping.image):
        return census.of(shown, census.counted(shown))
    data = _seen(levels.data(pixels, reading), seen)
    deep = mapping is Mapping.type and pixels.dtype == np.uint16
    return census.of(data, census.counted(data) if deep else None)


def _seen(values: Pixels, seen: Mask | None) -> Pixels:
    """Return the pixels that are seen, (number,) or (number, bands)."""
    flat = values.reshape(-1, *values.shape[2:])
    return flat if seen is None else flat[seen.ravel()]
