"""What two vessel detectors see, which share no filter: a gain is one where both say so."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from clearset.measure.tubes import tubeness
from clearset.measure.vessels import scores, vesselness
from clearset.numeric.grey import luminance
from clearset.numeric.seen import Seen, chosen

Image = npt.NDArray[np.float64]
Values = npt.NDArray[np.float64]
Maps = tuple[Image, Image]  # of vesselness and of tubeness
Pair = tuple[float, float]  # a number by each
STRONGEST = 0.1  # share of the pixels that are taken for the image's vessels
PIECE = 7e-4  # of the image's pixels: a piece of a vessel, not a speck (400 px of 768 x 768)
REST = 0.8  # share of the pixels that are taken for no vessel, of what lies beside the strongest
TOP = 0.95  # quantile of what lies there that vessels are set against
MOST = 3.0  # times what sets a vessel apart: a stronger place counts no more


def detected(image: Image, seen: Seen | None = None) -> Maps:
    """Return both maps of an image without alpha, (h, w) or (h, w, bands), 0 to 1."""
    grey = luminance(image)
    return vesselness(grey, seen), tubeness(grey)


def precisions(maps: Maps, vessels: Seen, inside: Seen | None) -> Pair:
    """Return the average precision with which each detector finds vessels, of what is inside.

    NaN where there are none, or nothing else.
    """
    where = chosen(vessels, inside)
    first, second = (scores(chosen(each, inside), where)["ap"] for each in maps)
    return first, second


def granted(first: npt.ArrayLike, second: npt.ArrayLike) -> Values:
    """Return the change that two detectors grant: the lesser where they agree in sign, else 0.

    What one finds and the other denies hangs on a filter, and not on the image. NaN where one is.
    """
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    lesser = np.where(np.abs(one) <= np.abs(other), one, other)
    return np.where(np.isnan(one + other), np.nan, np.where(one * other > 0, lesser, 0.0))


def common(before: Image, after: Image, inside: Seen | None = None) -> Seen:
    """Return where vesselness before and after a repair together sees vessels.

    No side has more of a say: the strongest tenth of the sum of both maps, each from its median, 0,
    to its ninth decile, 1. Only large pieces: vessels hang together. Tubeness has no say: it takes
    the image as it is, is strong where there is light, and so does not tell where vessels are.
    """
    total = _levelled(before, inside) + _levelled(after, inside)
    return pieces(strongest(total, inside), chosen(before, inside).size)


def prominence(strength: Image, maps: Maps, inside: Seen | None = None) -> float:
    """Return how many times stronger an image's own vessels are than the strongest of the rest.

    Where vessels are, and where none, both detectors' `maps` of the original say; `strength` is of
    the original or of its repair. NaN where there are none.
    """
    total = np.asarray(sum(_levelled(each, inside) for each in maps))
    looked = chosen(total, inside)
    own = chosen(pieces(strongest(total, inside), looked.size), inside)
    rest = looked <= np.quantile(looked, REST)
    if not own.any() or not rest.any():
        return float("nan")
    values = chosen(strength, inside)
    return float(values[own].mean() / max(float(np.quantile(values[rest], TOP)), 1e-6))


def _levelled(strength: Image, inside: Seen | None) -> Image:
    middle, high = np.quantile(chosen(strength, inside), [0.5, 1 - STRONGEST])
    return np.asarray(np.clip((strength - middle) / max(high - middle, 1e-9), 0, MOST))


def strongest(strength: Image, inside: Seen | None = None) -> Seen:
    """Return the strongest tenth of a map of vesselness (fewer where many are equal).

    Of what is `inside`; None: of all.
    """
    strong = strength > np.quantile(chosen(strength, inside), 1 - STRONGEST)
    return np.asarray(strong if inside is None else strong & inside, bool)


def pieces(mask: Seen, size: int) -> Seen:
    """Return what of a mask lies in large pieces, where `size` px are looked at."""
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    large = np.bincount(labels.ravel()) >= PIECE * size
    large[0] = False
    return np.asarray(large[labels])
