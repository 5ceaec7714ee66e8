"""Thin dark lines in an image: where vessels are, and how well that agrees with a mask.

`ridges` is small and fast, for metrics of every image. `vesselness` is a vessel detector that needs
no training, at full resolution: scored against a mask (`scores`), it is the probe that tells
whether a repair makes vessels easier to find.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import box_mean, correlated, gaussian
from clearset.numeric.grey import Grey
from clearset.numeric.ridges import curvature
from clearset.numeric.seen import Seen, chosen, inner
from clearset.numeric.sums import halved

Counts = npt.NDArray[np.integer]
Image = npt.NDArray[np.float64]
SCALES = (1.5, 2.5, 4.0, 6.5)  # px: lines of about 3 to 16 px, as RAVIR's vessels are
AROUND = 97  # px: the window in which light and contrast are made even
RIM = 6  # px: about the sigma of the widest lines
LEVELS = 2**16  # that vesselness is sorted into to be scored
FIXED = 1.0  # vesselness from which a pixel counts as vessel where the threshold is fixed


def vesselness(image: Image, seen: Seen | None = None) -> Image:
    """Return how much each pixel looks like a dark vessel, 0 (not at all) to about 5, (h, w).

    Brightness and contrast are first made even in windows of 97 px, so that light and its fall-off
    do not matter by themselves (`evened`). Then `lines` of about 3 to 16 px. Gaps are to be filled
    with the nearest values that were `seen`; what lies at their rim is not to be `judged`.
    """
    return lines(evened(image, seen))


def judged(seen: Seen | None) -> Seen | None:
    """Return where vesselness tells of what was seen, and not of its rim; None: everywhere."""
    return inner(seen, RIM)


def lines(image: Image) -> Image:
    """Return the strength of dark lines, (h, w), summed over four scales, at full resolution.

    At each scale the larger eigenvalue of the Hessian, times sigma squared, less the size of the
    other one: a line bends in one direction only (Frangi et al., 1998, doi:10.1007/BFb0056195;
    Lindeberg, 1998, doi:10.1023/A:1008097225773). Grows in proportion to the image's contrast.
    """
    total = np.zeros_like(image)
    for sigma in SCALES:
        for rows, sums, gap in curvature(correlated(image, gaussian(sigma, 3.0))):
            # The lesser of the two is the larger eigenvalue less the size of the other one.
            total[rows] += np.maximum(np.minimum(sums, gap), 0) * sigma**2
    return total


def evened(image: Image, seen: Seen | None = None) -> Image:
    """Return an image with mean 0 and standard deviation 1 in the window around each pixel.

    Of what was `seen` in the window.
    """
    contrast = image - _around(image, seen)
    spread = np.sqrt(_around(np.square(contrast), seen) + 1e-6)  # a quarter of a grey level
    return np.asarray(contrast / spread)


def _around(image: Image, seen: Seen | None) -> Image:
    """Return local means: two box filters, which cost the same whatever their size."""
    size = min(AROUND, *(2 * side - 1 for side in image.shape))
    if seen is None:
        return box_mean(box_mean(image, size), size)
    sums, shares = (box_mean(box_mean(i, size), size) for i in (image * seen, seen.astype(float)))
    return np.asarray(sums / np.maximum(shares, 1e-9))  # nothing seen around: of no account


def scores(strength: Image, mask: npt.NDArray[Any]) -> dict[str, float]:
    """Return how well a map of vessel strength finds the mask (> 0, same shape), each from 0 to 1.

    `ap`: average precision, the mean precision over the mask's pixels in falling order of strength
    (0 to 1; a map that knows nothing has the mask's share). `auroc`: the area under the ROC curve.
    `f1`: the best F1 of any threshold. `dice`: the Dice coefficient at the fixed threshold FIXED.
    NaN for an empty or a full mask. Strengths are sorted into 65,536 levels up to their maximum.
    """
    vessel = mask > 0
    total, rest = int(vessel.sum()), int((~vessel).sum())
    if not total or not rest:
        return dict.fromkeys(("ap", "auroc", "f1", "dice"), float("nan"))
    right, wrong = _counted(strength, vessel)
    hits, flagged = right.cumsum(), (right + wrong).cumsum()
    return {
        "ap": float((right * (hits / np.maximum(flagged, 1))).sum() / total),
        "auroc": _auroc(right, wrong),
        "f1": float((2 * hits / (flagged + total)).max()),
        "dice": dice(strength >= FIXED, vessel),
    }


def _counted(strength: Image, vessel: npt.NDArray[np.bool_]) -> tuple[Counts, Counts]:
    """Return how many places on and beside vessels have each level of strength, strongest first."""
    levels = (strength * ((LEVELS - 1) / max(float(strength.max()), 1e-9))).astype(np.uint16)
    right = np.bincount(levels[vessel], minlength=LEVELS)
    return right[::-1], (np.bincount(levels.ravel(), minlength=LEVELS) - right)[::-1]


def _auroc(right: Counts, wrong: Counts) -> float:
    """Return the area under the ROC curve of counts by level, strongest first."""
    exceeding = wrong * (right.cumsum() - right / 2)
    return float(exceeding.sum() / right.sum() / wrong.sum())


def dice(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    """Return the Dice overlap of two boolean masks, 0 to 1; 1 when both are empty.

    Dice, 1945, doi:10.2307/1932409.
    """
    total = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / total if total else 1.0


def agreement(image: Grey, mask: npt.NDArray[np.integer]) -> float:
    """Return the chance that a pixel of the mask lies on a stronger line than one beside it.

    From 0 to 1: the area under the ROC curve of `ridges` against mask > 0, 0.5 for a mask that has
    nothing to do with the image; NaN for an empty or a full mask. Strengths are sorted as for
    `scores`. What lies at the rim of what was seen does not count.
    """
    covered = chosen(halved(mask > 0) > 2, image.reached)
    if covered.all() or not covered.any():
        return float("nan")
    return _auroc(*_counted(chosen(image.ridges, image.reached), covered))


def auroc(positive: npt.NDArray[np.floating], negative: npt.NDArray[np.floating]) -> float:
    """Return the chance that a positive value exceeds a negative one, ties counted half.

    Hanley and McNeil, 1982, doi:10.1148/radiology.143.1.7063747; NaN when either is empty.
    """
    if not positive.size or not negative.size:
        return float("nan")
    from scipy.stats import rankdata  # noqa: PLC0415

    ranks = rankdata(np.concatenate([positive, negative]))[: positive.size]
    least = positive.size * (positive.size + 1) / 2
    return float((ranks.sum() - least) / positive.size / negative.size)
