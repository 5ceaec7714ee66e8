"""What two vessel detectors see, which share no filter: a gain is one where both say so."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from clearset.measure.tubes import tubeness
from clearset.measure.vessels import scores, vesselness
from clearset.numeric.exact import quantile
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


@dataclass(frozen=True, eq=False)
class Own:
    """An image's own vessels, by both detectors' maps of it; of what is `inside`, None: of all.

    Each of its repairs is held against them.
    """

    maps: Maps
    inside: Seen | None = None

    @cached_property
    def levels(self) -> Maps:
        """Both maps, each from its median, 0, to its ninth decile, 1."""
        first, second = (_levelled(each, self.inside) for each in self.maps)
        return first, second

    @cached_property
    def parts(self) -> tuple[Seen, Seen]:
        """Which of the places inside, flat, are vessels for both, and which are none."""
        total = self.levels[0] + self.levels[1]
        looked = chosen(total, self.inside)
        own = pieces(strongest(total, self.inside), looked.size)
        return chosen(own, self.inside), looked <= quantile(looked, REST)

    @cached_property
    def lines(self) -> Seen:
        """The strongest tenth of vesselness."""
        return strongest(self.maps[0], self.inside)

    @cached_property
    def connected(self) -> float:
        """Which share of these lies in large pieces."""
        return connected(self.maps[0], self.inside)

    @cached_property
    def prominence(self) -> float:
        """How far the vessels stand out of the rest, before any repair."""
        return prominence(self.maps[0], self)


def common(before: Own, after: Image) -> Seen:
    """Return where vesselness before and after a repair together sees vessels.

    No side has more of a say: the strongest tenth of the sum of both maps, each from its median, 0,
    to its ninth decile, 1. Only large pieces: vessels hang together. Tubeness has no say: it takes
    the image as it is, is strong where there is light, and so does not tell where vessels are.
    """
    total = before.levels[0] + _levelled(after, before.inside)
    return pieces(strongest(total, before.inside), chosen(total, before.inside).size)


def prominence(strength: Image, vessels: Own) -> float:
    """Return how many times stronger an image's own vessels are than the strongest of the rest.

    `strength` is of the original or of its repair. NaN where there are none.
    """
    own, rest = vessels.parts
    if not own.any() or not rest.any():
        return float("nan")
    values = chosen(strength, vessels.inside)
    return float(values[own].mean() / max(quantile(values[rest], TOP), 1e-6))


def _levelled(strength: Image, inside: Seen | None) -> Image:
    looked = chosen(strength, inside)
    middle, high = quantile(looked, 0.5), quantile(looked, 1 - STRONGEST)
    return np.asarray(np.clip((strength - middle) / max(high - middle, 1e-9), 0, MOST))


def strongest(strength: Image, inside: Seen | None = None) -> Seen:
    """Return the strongest tenth of a map of vesselness (fewer where many are equal).

    Of what is `inside`; None: of all.
    """
    strong = strength > quantile(chosen(strength, inside), 1 - STRONGEST)
    return np.asarray(strong if inside is None else strong & inside, bool)


def pieces(mask: Seen, size: int) -> Seen:
    """Return what of a mask lies in large pieces, where `size` px are looked at."""
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    large = np.bincount(labels.ravel()) >= PIECE * size
    large[0] = False
    return np.asarray(large[labels])


def connected(strength: Image, inside: Seen | None = None) -> float:
    """Return which share of the strongest tenth of what is inside lies in large pieces, 0 to 1."""
    mask = strongest(strength, inside)
    large = pieces(mask, chosen(strength, inside).size)
    return float(large.sum() / max(int(mask.sum()), 1))
