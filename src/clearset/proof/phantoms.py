"""Phantom vessels: known vessels drawn into an image, to see what a repair does to such vessels.

A repair that makes drawn vessels, whose place is known, easier to find, between the image's own
noise, texture and light, is likely to do the same for those that nobody has marked. That needs no
mask. The drawn ones are given the contrast and the blur that the image shows by itself. Several
small eyes are drawn side by side, each another: what few vessels say hangs on where they happen to
lie, and thin ones are what a repair loses first.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from clearset.generate.retina.synthesis import vessels
from clearset.measure.metrics import sharpness, vessel_visibility
from clearset.measure.vessels import judged
from clearset.numeric.grey import of_unit
from clearset.numeric.seen import Seen, chosen

Image = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
SEED, LEAST = 1, 64  # of the first eye drawn; px: the smallest that can be drawn
SHARE = 0.4  # side of a drawn eye, of the shorter side of what was seen
TYPICAL = 0.072  # visibility of the drawn vessels as they are, and of RAVIR's
SLOPE = 5.0  # dB of sharpness that a blur of one pixel costs; it grows with the blur's square
CRISPEST, SOFTEST = 0.8, 4.0  # px: what the drawn vessels are blurred, at least and at most
OWN = 0.12  # share of the pixels that may be the image's own vessels


@dataclass(frozen=True)
class Phantom:
    """An image with vessels drawn into it, where they are, and where they can be judged."""

    image: Image  # as the original, alpha aside: (h, w) or (h, w, bands)
    vessels: Mask
    judged: Mask  # away from the image's own vessels, and from gaps


def phantom(image: Image, strength: Image, seen: Seen | None = None) -> Phantom:
    """Return `image` with vessels drawn into what of it was `seen` (None: all).

    `strength` is the vesselness of its luminance.
    """
    grey, inside = of_unit(image, seen), judged(seen)
    side = max(ceil(SHARE * min(grey.part.shape)), LEAST)
    light, vessels = _drawing(image.shape[0], image.shape[1], side)
    contrast = min(max(vessel_visibility(grey) / TYPICAL, 0.05), 1.5)
    blur = min(max(sqrt(max(-sharpness(grey), 0) / SLOPE), CRISPEST), SOFTEST)
    soft = 1 - ndimage.gaussian_filter(1 - light, blur) * contrast
    bound = np.quantile(chosen(strength, inside), 1 - OWN)
    free = ~ndimage.binary_dilation(strength > bound, iterations=2)
    if seen is not None:
        soft = np.where(seen, soft, 1)
    lit = image * soft.reshape((*soft.shape, 1)[: image.ndim])
    return Phantom(np.asarray(lit), vessels, free if inside is None else free & inside)


@lru_cache(maxsize=4)
def _drawing(height: int, width: int, side: int) -> tuple[Image, Mask]:
    """Return eyes of `side` px side by side: the light they let through, and their vessels."""
    across = ceil(width / side)
    drawn = [vessels(SEED + number, side) for number in range(ceil(height / side) * across)]
    light, mask = (
        np.block([parts[start : start + across] for start in range(0, len(parts), across)])
        for parts in ([one[0] for one in drawn], [one[1] for one in drawn])
    )
    return light[:height, :width], mask[:height, :width] > 0
