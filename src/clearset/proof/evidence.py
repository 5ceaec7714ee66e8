"""What speaks for and against a repair, without masks: so that it may be refused.

Measures of sharpness rise with any sharpening, noise included, and so have no vote. What counts is
whether lines like vessels become easier to find: those drawn into the image (`phantoms`), and the
image's own as far as they hang together. Decorating a function is all it takes to add evidence; a
dataset's section `accept` bounds it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from clearset.config.schema import Bounds
from clearset.measure.metrics import noise_sigma
from clearset.measure.vessels import judged, scores, vesselness
from clearset.numeric.grey import Grey, luminance, of_unit
from clearset.numeric.seen import Seen, chosen
from clearset.proof.phantoms import Phantom, phantom
from clearset.store.errors import ClearsetError

Image = npt.NDArray[np.float64]
STRONGEST = 0.1  # share of the pixels that are taken for the image's vessels
PIECE = 7e-4  # of the image's pixels: a piece of a vessel, not a speck (400 px of 768 x 768)
LEAST_NOISE = 0.2  # 8-bit grey levels: less is not to be told from rounding
WEIGHT = 0.3  # of connectivity beside the drawn vessels, chosen on the eyes that bounds are


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
    def strength(self) -> Image:
        """Vesselness of the luminance."""
        return vesselness(luminance(self.image), self.seen)

    @cached_property
    def judged(self) -> Seen | None:
        """Where vesselness is evidence; None: everywhere."""
        return judged(self.seen)

    @cached_property
    def phantom(self) -> Phantom:
        """The image with vessels drawn into it."""
        return phantom(self.image, self.strength, self.seen)

    @cached_property
    def phantom_ap(self) -> float:
        """How well the drawn vessels are found before any repair: average precision."""
        return drawn_ap(self.stored(self.phantom.image), self.phantom, self.seen)


@dataclass(frozen=True, eq=False)
class Repair:
    """What became of an original, and how to do the same to another image."""

    image: Image
    redo: Callable[[Image], Image]
    seen: Seen | None = None  # as of the original

    @cached_property
    def strength(self) -> Image:
        """Vesselness of the luminance."""
        return vesselness(luminance(self.image), self.seen)


Witness = Callable[[Original, Repair], float]
EVIDENCE: dict[str, Witness] = {}


def witness(function: Witness) -> Witness:
    """Register the decorated function under its own name."""
    EVIDENCE[function.__name__] = function
    return function


def drawn_ap(image: Image, phantom: Phantom, seen: Seen | None = None) -> float:
    """Return the average precision with which drawn vessels are found; NaN where none is judged."""
    strength = vesselness(luminance(image), seen)
    return scores(strength[phantom.judged], phantom.vessels[phantom.judged])["ap"]


@witness
def phantom_gain(original: Original, repair: Repair) -> float:
    """Change of the average precision with which vessels drawn into the image are found, -1 to 1.

    The drawing is repaired in the same way as the image. 0 where no place is left to judge.
    """
    return _phantom_gain(original, repair)


@lru_cache(maxsize=1)  # asked twice of one repair: by itself, and in `expected_gain`
def _phantom_gain(original: Original, repair: Repair) -> float:
    phantom = original.phantom
    image = repair.redo(original.stored(phantom.image))
    gain = drawn_ap(image, phantom, original.seen) - original.phantom_ap
    return 0.0 if np.isnan(gain) else gain


@witness
def connectivity(original: Original, repair: Repair) -> float:
    """Change of the share of the strongest tenth of vesselness that lies in large pieces, -1 to 1.

    Vessels hang together, noise does not.
    """
    before, after = (connected(s.strength, original.judged) for s in (original, repair))
    return after - before


@witness
def expected_gain(original: Original, repair: Repair) -> float:
    """What the repair is expected to add to the average precision of the vessels, about -1 to 1.

    `phantom_gain`, and three tenths of `connectivity`.
    """
    return phantom_gain(original, repair) + WEIGHT * connectivity(original, repair)


@witness
def consensus(original: Original, repair: Repair) -> float:
    """How well the repaired image shows the original's strongest lines: average precision, 0 to 1.

    Low where a repair has drawn lines of its own, or lost some.
    """
    inside = original.judged
    lines = strongest(original.strength, inside)
    return scores(chosen(repair.strength, inside), chosen(lines, inside))["ap"]


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


def strongest(strength: Image, inside: Seen | None = None) -> Seen:
    """Return the strongest tenth of a map of vesselness (fewer where many are equal).

    Of what is `inside`; None: of all.
    """
    strong = strength > np.quantile(chosen(strength, inside), 1 - STRONGEST)
    return np.asarray(strong if inside is None else strong & inside, bool)


def connected(strength: Image, inside: Seen | None = None) -> float:
    """Return which share of the strongest tenth of what is inside lies in large pieces, 0 to 1."""
    mask, size = strongest(strength, inside), chosen(strength, inside).size
    pieces, _ = ndimage.label(mask, np.ones((3, 3)))
    sizes = np.bincount(pieces.ravel())[1:]
    return float(sizes[sizes >= PIECE * size].sum() / max(sizes.sum(), 1))


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
