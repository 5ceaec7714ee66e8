"""Metrics: numbers measured on one image without a reference.

Each takes an image as `io.images` gives it, reduced to its luminance: float32, 0 to 1, (height,
width). To add one, decorate a function: tables, rules, figures and tests follow the registry. Each
is meant to see its own fault alone; planted faults measure how far that holds (`evaluation.py`).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import fft

from clearset.light import GREY, cells, light, remembered
from clearset.vessels import ridges

Image = npt.NDArray[np.float32]
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)  # ITU-R BT.709, as scikit-image's rgb2gray

BLOCK = 64  # px: side of the blocks whose spectra make the sharpness
COARSE, MEDIUM, FINE, FLOOR = (0.03, 0.1), (0.13, 0.24), (0.28, 0.5), (0.36, 0.5)  # cycles/px
MEDIUM_LEAD = 10 * 3 * np.log10(0.39 / 0.185)  # dB: a power spectrum that falls as 1/f^3
BLURRED = -60.0  # dB: the least sharpness, also of an image without any detail


@dataclass(frozen=True)
class Metric:
    """A metric's function, what a reader calls it, and which direction is the better one."""

    function: Callable[[Image], float]
    title: str
    better: Literal["lower", "higher", "neither"]


METRICS: dict[str, Metric] = {}


def metric(
    title: str, *, better: Literal["lower", "higher", "neither"]
) -> Callable[[Callable[[Image], float]], Callable[[Image], float]]:
    """Register the decorated function under its own name."""

    def register(function: Callable[[Image], float]) -> Callable[[Image], float]:
        METRICS[function.__name__] = Metric(function, title, better)
        return function

    return register


def luminance(image: npt.NDArray[np.float32]) -> Image:
    """Return an image without alpha, (h, w) or (h, w, 3), as (h, w)."""
    return image if image.ndim == 2 else (image @ LUMA).astype(np.float32)


def measure(image: npt.NDArray[np.float32], names: Collection[str] = ()) -> dict[str, float]:
    """Return every registered metric of an image without alpha, or those of these names."""
    grey = luminance(image)
    with remembered():
        return {name: float(METRICS[name].function(grey)) for name in names or METRICS}


@metric("Sharpness (dB of fine against coarse detail, noise taken off)", better="higher")
def sharpness(image: Image) -> float:
    """Power of fine detail against coarse in dB, from -60 (nothing fine) to about -15 (sharp).

    Spectra of 64-pixel blocks are brought to the same coarse power, which takes brightness,
    contrast and uneven light out, and averaged in the logarithm. Two ratios are taken, in the worst
    of four directions, so that motion shows: fine detail, which the lightest blur lowers, and
    medium detail less the noise floor, by which a noisy sharp image differs from a noisy blurred
    one. The lower counts, the second brought to the first's scale by a spectrum that falls as 1/f^3
    (of natural images: Field, 1987, doi:10.1364/JOSAA.4.002379). A constant image gives -60.
    """
    spectrum = _spectrum(image)
    if spectrum is None:
        return BLURRED
    coarse, medium, fine, floor = (_bands() @ spectrum).reshape(4, 4)
    ratios = (medium - floor) / coarse, fine / coarse
    lead, direct = (10 * np.log10(np.maximum(ratio, 1e-9).min()) for ratio in ratios)
    return float(max(min(lead - MEDIUM_LEAD, direct), BLURRED))


def _spectrum(image: Image) -> npt.NDArray[np.float64] | None:
    """Return the mean power spectrum of an image's blocks, flat; None when all are constant."""
    height, width = image.shape
    if min(height, width) < BLOCK:
        more = ((0, max(BLOCK - height, 0)), (0, max(BLOCK - width, 0)))
        image = np.pad(image, more, mode="symmetric")
    rows, columns = image.shape[0] // BLOCK, image.shape[1] // BLOCK
    cut = image[: rows * BLOCK, : columns * BLOCK]
    blocks = cut.reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2).reshape(-1, BLOCK, BLOCK)
    window = np.hanning(BLOCK).astype(np.float32)
    blocks = (blocks - blocks.mean(axis=(1, 2), keepdims=True)) * np.outer(window, window)
    # in double precision, as sums of single ones differ in the sixth digit between processors
    power = (np.abs(fft.rfft2(blocks)) ** 2).reshape(len(blocks), -1).astype(np.float64)
    coarse = power @ _bands()[:4].mean(axis=0)
    told = coarse > GREY**2 / 100  # the others hold nothing but rounding
    if not told.any():
        return None
    return np.asarray(np.exp(np.log(power[told] / coarse[told, None] + 1e-6).mean(axis=0)))


@cache
def _bands() -> npt.NDArray[np.float64]:
    """Return the weights that average a block's spectrum: four bands, four directions each."""
    y, x = fft.fftfreq(BLOCK)[:, None], fft.rfftfreq(BLOCK)[None]
    frequency, quarter = np.hypot(y, x), np.floor((np.arctan2(y, x) / np.pi + 0.5) * 4) % 4
    weights = np.stack(
        [
            ((frequency >= low) & (frequency < high) & (quarter == direction)).ravel()
            for low, high in (COARSE, MEDIUM, FINE, FLOOR)
            for direction in range(4)
        ]
    )
    return weights / weights.sum(axis=1, keepdims=True)


@metric("Laplacian variance, full resolution (grows with sharpness and noise)", better="higher")
def laplacian_variance(image: Image) -> float:
    """Variance of the 4-neighbour Laplacian in squared 8-bit grey levels, from 0.

    Pech-Pacheco et al., 2000, doi:10.1109/ICPR.2000.903548. Noise raises it as sharpness does, and
    darkness and low contrast lower it: kept as what others measure.
    """
    edged = np.pad(image * np.float32(255), 1, mode="reflect")
    across = edged[1:-1, :-2] + edged[1:-1, 2:] - 4 * edged[1:-1, 1:-1]
    return float(np.var(across + edged[:-2, 1:-1] + edged[2:, 1:-1], dtype=np.float64))


@metric("Noise sigma (8-bit grey levels)", better="lower")
def noise_sigma(image: Image) -> float:
    """Standard deviation of additive noise, in 8-bit grey levels, from 0.

    Immerkaer, 1996, doi:10.1006/cviu.1996.0060: the mean absolute response to a mask that
    constant and linear image structure does not excite.
    """
    across = image[:, 2:] - 2 * image[:, 1:-1] + image[:, :-2]
    response = across[2:] - 2 * across[1:-1] + across[:-2]
    return float(np.sqrt(np.pi / 2) / 6 / GREY * np.abs(response).mean(dtype=np.float64))


@metric("Brightness of the brightest tenth (8-bit grey levels)", better="neither")
def highlights(image: Image) -> float:
    """The grey level that a tenth of the image reaches, 0 to 255; noise and specks averaged away.

    An under-exposed image has none that is bright; dark corners or a shadow leave it as it is
    (exposure as lost highlights: Guo et al., 2010, doi:10.1109/CVPR.2010.5540170).
    """
    return float(np.quantile(cells(image), 0.9) / GREY)


@metric("Share of dark pixels (below 80 of 255)", better="neither")
def dark_share(image: Image) -> float:
    """Share of pixels below 80 of 255, 0 to 1; exposure as doi:10.1109/CVPR.2010.5540170."""
    return float((image < 80 * GREY).mean())


@metric("Share of white pixels (from 250 of 255)", better="lower")
def white_share(image: Image) -> float:
    """Share of pixels that exposure has cut, 0 to 1; after doi:10.1109/CVPR.2010.5540170."""
    return float((image >= 250 * GREY).mean())


@metric("Local contrast (relative to the local mean)", better="higher")
def local_contrast(image: Image) -> float:
    """Standard deviation over mean in windows of a twelfth of the side: their 0.9 quantile.

    The root mean square contrast (Peli, 1990, doi:10.1364/JOSAA.7.002032), from 0 (constant), of
    windows that are not white; pixels are first averaged in cells, so that noise does not count.
    """
    grid = cells(image)
    height, width = (min(8, side) for side in grid.shape)
    rows, columns = grid.shape[0] // height, grid.shape[1] // width
    windows = grid[: rows * height, : columns * width].reshape(rows, height, columns, width)
    mean, spread = windows.mean(axis=(1, 3)), windows.std(axis=(1, 3))
    told = mean < 0.95
    if not told.any():
        return 0.0
    return float(np.quantile(spread[told] / np.maximum(mean[told], GREY), 0.9))


@metric("Difference of light between two sides (EV)", better="lower")
def uneven_light(image: Image) -> float:
    """How much darker one side is than the opposite one, in exposure values, from 0.

    The slope of the fitted light (retrospective shading: Tomaževič et al., 2002,
    doi:10.1046/j.1365-2818.2002.01079.x). Dark corners do not tilt it, and a shadow does little
    unless it lies at one side and is deep: then the light is uneven.
    """
    return float(2 * np.hypot(*light(image)[0][1:3]))


@metric("Light lost from centre to corners (EV)", better="neither")
def vignetting(image: Image) -> float:
    """How much darker the corners are than the centre, in exposure values; below 0 if brighter.

    The fall of the fitted light with the square of the distance (Goldman, 2010,
    doi:10.1109/TPAMI.2010.55).
    """
    return float(-2 * light(image)[0][3] + 0.0)


@metric("Depth of shadows (EV)", better="lower")
def shadow_depth(image: Image) -> float:
    """How far the darkest tenth lies below the fitted light, in exposure values, from 0.

    What is left of the light after slope and vignetting (doi:10.1046/j.1365-2818.2002.01079.x).
    """
    return float(max(-np.quantile(light(image)[1], 0.1), 0.0) + 0.0)


@metric("Block edges of compression (relative)", better="lower")
def blockiness(image: Image) -> float:
    """How much larger steps are across the edges of 8-pixel blocks than within, about 0 to 20.

    After Wang, Sheikh and Bovik, 2002, doi:10.1109/ICIP.2002.1038064: the lower of rows
    and columns.
    """
    steps = [np.abs(np.diff(image, axis=axis)).mean(axis=1 - axis) for axis in (0, 1)]
    if min(map(len, steps)) < 16:
        return 0.0
    phases = [step[: len(step) // 8 * 8].reshape(-1, 8).mean(axis=0) for step in steps]
    inside = [max(float(np.median(phase[:7])), GREY / 4) for phase in phases]
    found = min((p[7] - i) / i for p, i in zip(phases, inside, strict=True))
    return float(max(found, 0.0))


@metric("Visibility of vessels (relative)", better="higher")
def vessel_visibility(image: Image) -> float:
    """Mean ridge strength of the tenth of the pixels where it is strongest, from 0.

    How much thin dark lines stand out against their surroundings (`vessels.ridges`, after
    Frangi et al., 1998, doi:10.1007/BFb0056195).
    """
    strength = ridges(image).ravel()
    count = max(strength.size // 10, 1)
    return float(np.partition(strength, -count)[-count:].mean())


@metric("Entropy of the histogram (bits)", better="neither")
def entropy(image: Image) -> float:
    """Shannon entropy of the 256-bin histogram, from 0 (one grey level) to 8 bits.

    Shannon, 1948, doi:10.1002/j.1538-7305.1948.tb01338.x.
    """
    levels = np.bincount(np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8).ravel())
    shares = levels[levels > 0] / image.size
    return float(-(shares * np.log2(shares)).sum() + 0.0)
