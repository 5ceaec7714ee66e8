"""Metrics: numbers measured on one image without a reference.

Each takes an image in whole grey levels (`grey.Grey`), so that sums and differences are exact, and
looks at what of it was seen alone: a gap may hold anything. To add one, decorate a function:
tables, rules, figures and tests follow the registry. Each is meant to see its own fault alone;
planted faults measure how far that holds (`evaluation.py`).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from clearset.measure.spectra import structure
from clearset.measure.tallies import contrasts, steps, strongest_tenth
from clearset.numeric.exact import cv2, quantile, whole_size, whole_sum
from clearset.numeric.grey import Grey
from clearset.numeric.light import GREY
from clearset.numeric.seen import chosen, inner

FALL = 24.5  # dB from coarse to fine detail in a spectrum that falls as 1/f^3
LOSS = 5.0  # dB a square pixel: a Gaussian's loss at a sixth of a cycle per pixel
NOTHING = -300.0  # dB: the least sharpness, also of an image without any detail
SECOND = (1, -2, 1)  # differences of differences


@dataclass(frozen=True)
class Metric:
    """A metric's function, what a reader calls it, and which direction is the better one."""

    function: Callable[[Grey], float]
    title: str
    better: Literal["lower", "higher", "neither"]


METRICS: dict[str, Metric] = {}


def metric(
    title: str, *, better: Literal["lower", "higher", "neither"]
) -> Callable[[Callable[[Grey], float]], Callable[[Grey], float]]:
    """Register the decorated function under its own name; it is given what is seen of an image."""

    def register(function: Callable[[Grey], float]) -> Callable[[Grey], float]:
        @wraps(function)
        def of_part(image: Grey) -> float:
            return function(image.part)

        METRICS[function.__name__] = Metric(of_part, title, better)
        return of_part

    return register


def measure(image: Grey, names: Collection[str] = ()) -> dict[str, float]:
    """Return every registered metric of an image, or those of these names."""
    return {name: float(METRICS[name].function(image)) for name in names or METRICS}


@metric("Sharpness (dB that blur has left of fine detail)", better="higher")
def sharpness(image: Grey) -> float:
    """How much fine detail an image has kept, in dB: about 0 (sharp) and less, from -300 (none).

    The lower of two. What a blur leaves of detail of 6 px period, 5 dB less for each square pixel
    of its variance, in the two worst of four directions, so that motion shows: fitted to the
    spectrum of structure alone, as natural images have it (a power that falls as 1/f^3: Field,
    1987, doi:10.1364/JOSAA.4.002379). Noise is no structure, whatever its colour or its strength in
    light and dark: its spectrum is that of blocks with little else, and frequencies at which it
    prevails count little (`spectra.structure`). And how the finest detail, noise included, compares
    with that spectrum, in the worst direction: most blurs take noise away as well. Of an image in
    which no block was seen whole, the blocks are taken that were seen most.
    """
    spectrum = structure(image)
    if spectrum is None:
        return NOTHING
    finest = 10 * np.log10(spectrum.fine.min()) + FALL
    return float(max(min(finest, -LOSS * np.sort(spectrum.blur)[2:].mean()), NOTHING))


@metric("Laplacian variance, full resolution (grows with sharpness and noise)", better="higher")
def laplacian_variance(image: Grey) -> float:
    """Variance of the 4-neighbour Laplacian in squared 8-bit grey levels, from 0.

    Pech-Pacheco et al., 2000, doi:10.1109/ICPR.2000.903548. Noise raises it as sharpness does, and
    darkness and low contrast lower it: kept as what others measure.
    """
    edges = _laplacian(image)
    count, total, squares = edges.size, whole_sum(edges), whole_sum(edges, power=2)
    return (count * squares - total**2) / (count * image.grey) ** 2


def _laplacian(image: Grey) -> npt.NDArray[Any]:
    """Return the 4-neighbour Laplacian in levels, whole numbers; edges are mirrored."""
    depth = cv2.CV_16S if image.levels.dtype == np.uint8 else cv2.CV_64F
    return _within(np.asarray(cv2.Laplacian(image.levels, depth)), image)


def _within(responses: npt.NDArray[Any], image: Grey) -> npt.NDArray[Any]:
    """Return a filter's responses whose 3 x 3 pixels were seen; all where all pixels were."""
    return responses if image.seen is None else chosen(responses, inner(image.seen, 1))


@metric("Noise sigma (8-bit grey levels)", better="lower")
def noise_sigma(image: Grey) -> float:
    """Standard deviation of additive noise, in 8-bit grey levels, from 0; of the noisiest band.

    Immerkaer, 1996, doi:10.1006/cviu.1996.0060: the mean absolute response to a mask that
    constant and linear image structure does not excite.
    """
    return max(_noise(channel) for channel in image.channels)


def _noise(image: Grey) -> float:
    response = image.filtered(SECOND, SECOND)
    response = response[1:-1, 1:-1] if image.seen is None else _within(response, image)
    mean = whole_size(response) / response.size
    return float(np.sqrt(np.pi / 2) / 6 * mean / image.grey)


@metric("Brightness of the brightest tenth (8-bit grey levels)", better="neither")
def highlights(image: Grey) -> float:
    """The grey level that a tenth of the image reaches, 0 to 255; noise and specks averaged away.

    An under-exposed image has none that is bright; dark corners or a shadow leave it as it is
    (exposure as lost highlights: Guo et al., 2010, doi:10.1109/CVPR.2010.5540170).
    """
    return quantile(chosen(image.cells, image.known), 0.9) / GREY


@metric("Share of dark pixels (below 80 of 255)", better="neither")
def dark_share(image: Grey) -> float:
    """Share of pixels below 80 of 255, 0 to 1; exposure as doi:10.1109/CVPR.2010.5540170."""
    return int(image.tally[: image.least(80)].sum()) / int(image.tally.sum())


@metric("Share of white pixels (from 250 of 255)", better="lower")
def white_share(image: Grey) -> float:
    """Share of pixels that exposure has cut, 0 to 1; after doi:10.1109/CVPR.2010.5540170.

    Of a colour image in the middle one of its bands: one alone is cut by nature where all light is
    of one colour, as the red of a retina is (`burnt_share`), and luminance is white last of all.
    """
    shares = sorted(_white(channel) for channel in image.channels)
    return shares[len(shares) // 2]


@metric("Share of white pixels in the band that has most", better="lower")
def burnt_share(image: Grey) -> float:
    """Share of pixels that exposure has cut in the band where it has cut most, 0 to 1.

    As `white_share`; of a grey image 0, since that says it.
    """
    return 0.0 if image.bands is None else max(_white(channel) for channel in image.channels)


def _white(image: Grey) -> float:
    if image.levels.dtype == np.uint8:
        return int(image.tally[image.least(250) :].sum()) / int(image.tally.sum())
    levels = chosen(image.levels, image.seen)
    return np.count_nonzero(levels >= image.least(250)) / levels.size


@metric("Local contrast (relative to the local mean)", better="higher")
def local_contrast(image: Grey) -> float:
    """Standard deviation over mean in windows of a twelfth of the side: their 0.9 quantile.

    The root mean square contrast (Peli, 1990, doi:10.1364/JOSAA.7.002032), from 0 (constant), of
    windows that are not white; pixels are first averaged in cells, so that noise does not count.
    """
    mean, spread = contrasts(image)
    usable = mean < 0.95
    if not usable.any():
        return 0.0
    return quantile(spread[usable] / np.maximum(mean[usable], GREY), 0.9)


@metric("Unevenness of light (EV)", better="lower")
def uneven_light(image: Grey) -> float:
    """How far light differs from place to place, in exposure values, from 0.

    Of any shape but a lens's vignetting: from one side, from a spot off the centre, in bands,
    with shadows (`shading.unevenness`).
    """
    return image.unevenness


@metric("Light lost from centre to corners (EV)", better="neither")
def vignetting(image: Grey) -> float:
    """How much darker the corners are than the centre, in exposure values; below 0 if brighter.

    The fall of the fitted light with the square of the distance (Goldman, 2010,
    doi:10.1109/TPAMI.2010.55), as far as anything was seen: to the rim of a field of view.
    """
    return float(-image.light.farthest * image.light.terms[3] + 0.0)


@metric("Depth of shadows (EV)", better="lower")
def shadow_depth(image: Grey) -> float:
    """How far the darkest tenth lies below the fitted light, in exposure values, from 0.

    What is left of the light after slope and vignetting (doi:10.1046/j.1365-2818.2002.01079.x).
    """
    return max(-quantile(image.light.remains, 0.1), 0.0) + 0.0


@metric("Block edges of compression (relative)", better="lower")
def blockiness(image: Grey) -> float:
    """How much larger steps are across the edges of 8-pixel blocks than within, about 0 to 20.

    After Wang, Sheikh and Bovik, 2002, doi:10.1109/ICIP.2002.1038064: the lower of rows
    and columns.
    """
    phases = steps(image)
    if phases is None:
        return 0.0
    inside = [max(float(np.sort(phase[:7])[3]), GREY / 4) for phase in phases]
    excess = min((p[7] - i) / i for p, i in zip(phases, inside, strict=True))
    return float(max(excess, 0.0))


@metric("Visibility of vessels (relative)", better="higher")
def vessel_visibility(image: Grey) -> float:
    """Mean ridge strength of the tenth of the pixels where it is strongest, from 0.

    How much thin dark lines stand out against their surroundings (`ridges.ridges`, after
    Frangi et al., 1998, doi:10.1007/BFb0056195).
    """
    return float(strongest_tenth(chosen(image.ridges, image.reached)).mean())


@metric("Entropy of the histogram (bits)", better="neither")
def entropy(image: Grey) -> float:
    """Shannon entropy of the 256-bin histogram, from 0 (one grey level) to 8 bits.

    Shannon, 1948, doi:10.1002/j.1538-7305.1948.tb01338.x.
    """
    tally = image.tally
    if image.white != 255:
        places = (np.arange(len(tally)) * 255 + image.white // 2) // image.white
        tally = np.bincount(places, tally)
    shares = tally[tally > 0] / image.tally.sum()
    return float(-(shares * np.log2(shares)).sum() + 0.0)
