"""Image files repaired: read as declared, all bands alike, written as they were stored."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clearset.images import codec, levels, views
from clearset.images.levels import Image, Mask, Pixels, Reading
from clearset.repair.steps import enhance
from clearset.store import copies

Step = Mapping[str, Any]


def repair(source: Path, target: Path, reading: Reading, steps: Iterable[Step]) -> float | None:
    """Write a file after all steps, in its own format; return the share of values clipped.

    What is not seen, and alpha, stay as they are. None, where no stored value would change: that is
    no repair, and the file is copied byte for byte.
    """
    stored = codec.decode(source)
    seen = views.seen(source, stored, reading)
    image, clipped = enhance(levels.unit(stored, reading), steps, reading.alpha, seen)
    pixels = levels.repaired(stored, image, reading, seen)
    if pixels.tobytes() == stored.tobytes():
        copies.copy(source, target)
        return None
    codec.write_stored(source, pixels, target)
    return clipped


def repaired(source: Path, reading: Reading, steps: Iterable[Step]) -> views.View:
    """Return a file after all steps, as it is looked at."""
    stored = codec.decode(source)
    seen = views.seen(source, stored, reading)
    image, _ = enhance(levels.unit(stored, reading), steps, reading.alpha, seen)
    return views.of(levels.repaired(stored, image, reading, seen), seen, reading)


def beside(
    stored: Pixels, seen: Mask | None, reading: Reading
) -> Callable[[Image, Sequence[Step]], Image]:
    """Return what repairs another image in the stead of a file's shown bands, from 0 to 1.

    It is repaired with the other bands of the file beside it, as the file is.
    """
    count = 1 if stored.ndim == 2 else stored.shape[2]
    data = [band for band in range(count) if band != reading.alpha]
    turned = None if seen is None else views.upright(seen, reading.orientation)
    shown = levels.bands(np.arange(count)[None, None], reading).ravel().tolist()
    if shown == data or stored.ndim == 2:
        return lambda image, steps: enhance(image, steps, seen=turned)[0]
    whole = views.upright(levels.unit(stored, reading), reading.orientation)[..., data]
    places = [data.index(band) for band in shown]

    def again(image: Image, steps: Sequence[Step]) -> Image:
        every = whole.copy()
        every[..., places] = image if image.ndim == 3 else image[..., None]
        return np.asarray(enhance(every, steps, seen=turned)[0][..., places].reshape(image.shape))

    return again
