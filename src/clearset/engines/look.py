"""One image, decoded once: everything that an analysis takes from its pixels.

Many processes run this. It imports no more than it needs, since each of them imports it anew.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from clearset.engines import native
from clearset.images import codec, masks, views
from clearset.images.levels import Reading
from clearset.measure.masks import measure_mask
from clearset.measure.metrics import measure
from clearset.similar.registration import Sight, sight


@dataclass(frozen=True)
class Job:
    """One image to look at: its file, its mask if it is to be checked, what an engine is fed."""

    file: Path
    reading: Reading
    mask: Path | None = None
    fed: Path | None = None
    sha256: str = ""  # of the file, where it is known


@dataclass(frozen=True)
class Wishes:
    """What is asked of every image."""

    metrics: Collection[str]  # every registered one where it is empty
    classes: Collection[int] = ()  # of masks
    keypoints: bool = False
    own: bool = True  # statistics and descriptor of the open engine


@dataclass(frozen=True)
class Look:
    """All that one decoding of an image gives; numbers in six digits, as tables hold them."""

    numbers: dict[str, float]
    mask: dict[str, float]
    descriptor: npt.NDArray[np.int32] | None  # the open engine's, and the kind
    sight: Sight | None
    lost: str = ""  # why there is none of all this; empty: there is


def lost(_: Job, reason: str) -> Look:
    """Return what is known of an image whose process was ended."""
    return Look({}, {}, None, None, reason)


def look(wishes: Wishes, job: Job) -> Look:
    """Decode an image and measure it; write what an engine is to be fed with, if it is.

    An engine is fed gaps filled: it knows of none, and would measure whatever lies in them.
    """
    view = views.view(job.file, job.reading)
    eight_bits, grey = view.eight_bit(), view.grey()
    numbers = native.statistics(eight_bits, view.seen) if wishes.own else {}
    numbers |= measure(grey, wishes.metrics)
    if view.pixels.dtype == np.uint16:
        numbers["stretched_mean"] = native.stretched_mean(view.filled, view.seen)
    if job.reading.nodata is not None:
        numbers["nodata_share"] = float(view.unseen.mean())
    if job.fed is not None:
        job.fed.write_bytes(codec.png_bytes(eight_bits, compress_level=1))
    mask = {}
    if job.mask is not None:
        mask = measure_mask(grey, view.mask(masks.decode(job.mask)), wishes.classes)
    return Look(
        six_digits(numbers),
        six_digits(mask),
        native.looks(grey) if wishes.own else None,
        sight(grey) if wishes.keypoints else None,
    )


def six_digits(numbers: Mapping[str, float]) -> dict[str, float]:
    """Return numbers as tables hold them: the same on every processor."""
    return {name: float(f"{number:.6g}") for name, number in numbers.items()}
