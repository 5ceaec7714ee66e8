"""What speaks for and against a repair, without masks: so that it may be refused.

Measures of sharpness rise with any sharpening, noise included, and so have no vote. What counts is
whether lines like vessels become easier to find, for two detectors (`detected`): those drawn into
the image (`phantoms`), and the image's own where the first sees them. Decorating a function adds
evidence; a dataset's section `accept` bounds it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from clearset.config.schema_accept import Bounds, Verdict
from clearset.measure.metrics import noise_sigma
from clearset.measure.vessels import judged, scores
from clearset.numeric.grey import Grey, of_unit
from clearset.numeric.seen import Seen, chosen
from clearset.proof.detected import (
    Maps,
    Own,
    Pair,
    common,
    connected,
    detected,
    granted,
    precisions,
    prominence,
)
from clearset.proof.phantoms import Phantom, phantom
from clearset.store.errors import ClearsetError

Image = npt.NDArray[np.float64]
LEAST_NOISE = 0.2  # 8-bit grey levels: less is not to be told from rounding


@dataclass(frozen=True, eq=False)
class Original:
    """An image before its repair, without alpha: (h, w) or (h, w, bands), 0 to 1.

    `stored` rounds an image as its file does. `seen` is where something was seen, (h, w), and None
    everywhere: nothing else is evidence. There both fill with the nearest values that were seen.
    """

    image: Image
    stored: Callable[[Image], Image]
    seen: Seen | None = None

    @cached_property
    def maps(self) -> Maps:
        """What both detectors see."""
        return detected(self.image, self.seen)

    @cached_property
    def judged(self) -> Seen | None:
        """Where vesselness is evidence; None: everywhere."""
        return judged(self.seen)

    @cached_property
    def own(self) -> Own:
        """The image's own vessels."""
        return Own(self.maps, self.judged)

    @cached_property
    def phantom(self) -> Phantom:
        """The image with vessels drawn into it."""
        return phantom(self.image, self.maps[0], self.seen)

    @cached_property
    def drawn(self) -> Pair:
        """How well the drawn vessels are found before any repair."""
        return drawn(self.stored(self.phantom.image), self.phantom, self.seen)


@dataclass(frozen=True, eq=False)
class Repair:
    """What became of an original, and how to do the same to another image."""

    image: Image
    redo: Callable[[Image], Image]
    seen: Seen | None = None  # as of the original

    @cached_property
    def maps(self) -> Maps:
        """What both detectors see."""
        return detected(self.image, self.seen)


Witness = Callable[[Original, Repair], float]
EVIDENCE: dict[str, Witness] = {}


def witness(function: Witness) -> Witness:
    """Register the decorated function under its own name."""
    EVIDENCE[function.__name__] = function
    return function


def drawn(image: Image, phantom: Phantom, seen: Seen | None = None) -> Pair:
    """Return the average precisions with which drawn vessels are found; NaN: none is judged."""
    return precisions(detected(image, seen), phantom.vessels, phantom.judged)


@witness
def phantom_gain(original: Original, repair: Repair) -> float:
    """Change of the average precision with which vessels drawn into the image are found, -1 to 1.

    The drawing is repaired as the image is. What both detectors grant; 0 where no place is judged.
    """
    return float(granted(*_drawn_gains(original, repair)))


@witness
def own_gain(original: Original, repair: Repair) -> float:
    """Change of the average precision with which the image's own vessels are found, -1 to 1.

    They are where the first detector sees them before and after. What both grant.
    """
    return float(granted(*_own_gains(original, repair)))


@witness
def expected_gain(original: Original, repair: Repair) -> float:
    """What the repair is expected to add to the average precision of the vessels, about -1 to 1.

    For each detector the mean of the changes for drawn and for own vessels; then what both grant: 0
    where one expects a gain and the other harm.
    """
    gains = _drawn_gains(original, repair), _own_gains(original, repair)
    return float(granted(*np.mean(gains, axis=0)))


@lru_cache(maxsize=1)  # asked twice of one repair: by themselves, and in `expected_gain`
def _drawn_gains(original: Original, repair: Repair) -> Pair:
    phantom = original.phantom
    after = drawn(repair.redo(original.stored(phantom.image)), phantom, original.seen)
    return _changes(original.drawn, after)


@lru_cache(maxsize=1)
def _own_gains(original: Original, repair: Repair) -> Pair:
    own = common(original.own, repair.maps[0])
    sides = (precisions(side.maps, own, original.judged) for side in (original, repair))
    return _changes(*sides)


def _changes(before: Pair, after: Pair) -> Pair:
    first, second = (b - a for a, b in zip(before, after, strict=True))
    return 0.0 if np.isnan(first) else first, 0.0 if np.isnan(second) else second


@witness
def connectivity(original: Original, repair: Repair) -> float:
    """Change of the share of the strongest tenth of vesselness that lies in large pieces, -1 to 1.

    Vessels hang together, noise does not.
    """
    return connected(repair.maps[0], original.judged) - original.own.connected


@witness
def standing_out(original: Original, repair: Repair) -> float:
    """How many times more the own vessels stand out of the rest than before, from 0; 1: as before.

    Below 1 where what lies beside them was brought up to them, as local equalisation does. 1 where
    there are none.
    """
    before, after = original.own.prominence, prominence(repair.maps[0], original.own)
    return 1.0 if np.isnan(before) else after / max(before, 1e-6)


@witness
def consensus(original: Original, repair: Repair) -> float:
    """How well the repaired image shows the original's strongest lines: average precision, 0 to 1.

    Low where a repair has drawn lines of its own, or lost some.
    """
    inside = original.judged
    return scores(chosen(repair.maps[0], inside), chosen(original.own.lines, inside))["ap"]


@witness
def noise_growth(original: Original, repair: Repair) -> float:
    """How many times noise has grown against the image's contrast, from 0; 1 leaves both alone.

    A strong sharpening multiplies it by nearly 1 + amount, light and stretching by about 1.
    """
    before, after = (of_unit(side.image, original.seen) for side in (original, repair))
    least = max(noise_sigma(before), LEAST_NOISE) / _contrast(before)
    return noise_sigma(after) / _contrast(after) / least


def _contrast(image: Grey) -> float:
    """Return the standard deviation of an image, 0 to 1 of its range; at least a millionth."""
    return max(float(chosen(image.levels, image.seen).std()) / image.white, 1e-6)


@witness
def clipping(original: Original, repair: Repair) -> float:
    """Share of values that the repair has made black or white, -1 to 1; below 0: brought back."""
    where = slice(None) if original.seen is None else original.seen
    images = (original.image[where], repair.image[where])
    before, after = (np.mean((image <= 0) | (image >= 1)) for image in images)
    return float(after - before)


def check_bounds(bounds: Mapping[str, Bounds], where: str = "accept") -> None:
    """Raise `ClearsetError`, naming the place, for a bound on evidence that is not known."""
    for name, bound in bounds.items():
        if bound.metric not in EVIDENCE:
            raise ClearsetError(
                f"{where}.{name}: unknown evidence '{bound.metric}'. "
                f"Known: {', '.join(sorted(EVIDENCE))}"
            )


def gathered(original: Original, repair: Repair, names: Collection[str]) -> dict[str, float]:
    """Return the named evidence on one repair."""
    return {name: EVIDENCE[name](original, repair) for name in sorted(names)}


def verdict(refused_by: Collection[str], bounds: Mapping[str, Bounds]) -> Verdict:
    """Return what is said of a repair whose evidence breaks these bounds.

    It is refused if one of them says so; else, if there is any, nothing is told.
    """
    if not refused_by:
        return Verdict.accepted
    said = {bounds[name].otherwise for name in refused_by}
    return Verdict.refused if Verdict.refused in said else Verdict.not_told


def broken(evidence: Mapping[str, float], bounds: Mapping[str, Bounds]) -> list[str]:
    """Return the names of the bounds that evidence lies outside; what is not a number breaks."""
    return [
        name
        for name, bound in sorted(bounds.items())
        if not (
            (bound.min is None or evidence[bound.metric] >= bound.min)
            and (bound.max is None or evidence[bound.metric] <= bound.max)
        )
    ]
