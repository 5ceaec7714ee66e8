"""Masks measured by themselves, and against the image they belong to."""

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from clearset.measure.vessels import agreement
from clearset.numeric.grey import Grey
from clearset.numeric.seen import chosen

Mask = npt.NDArray[np.integer]


def measure_mask(image: Grey, mask: Mask, classes: Collection[int]) -> dict[str, float]:
    """Return what can be said of a mask, (h, w), of a grey image of the same shape.

    `mask_share` is the share of its pixels that are not 0, of those where the image was seen,
    `mask_unknown` the share of all that are not 0 whose value is none of `classes` (0 when no class
    is named), and `mask_agreement` how much more often than not its pixels lie on stronger dark
    lines than the others: about 0.5 for the mask of another image, NaN where it is empty or full
    (see `vessels.agreement`).
    """
    covered = mask != 0
    valid = np.isin(mask, list(classes)) if classes else covered
    count, inside = int(covered.sum()), chosen(covered, image.seen)
    return {
        "mask_share": int(inside.sum()) / inside.size,
        "mask_unknown": int((covered & ~valid).sum()) / count if count else 0.0,
        "mask_agreement": agreement(image.part, mask[image.box]),
    }
