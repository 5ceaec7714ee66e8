"""Metrics: numbers measured on one image without a reference.

Each takes an image as `io.images` gives it, reduced to its luminance: float32 from 0 to 1, shaped
(height, width). Decorating a function is all it takes to add one: tables, rules, figures and tests
follow the registry.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Image = npt.NDArray[np.float32]
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)  # ITU-R BT.709, as scikit-image's rgb2gray


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


def measure(image: npt.NDArray[np.float32]) -> dict[str, float]:
    """Return every registered metric of an image without alpha."""
    grey = luminance(image)
    return {name: float(entry.function(grey)) for name, entry in METRICS.items()}


@metric("Laplacian variance, full resolution (grows with sharpness and noise)", better="higher")
def laplacian_variance(image: Image) -> float:
    """Variance of the 4-neighbour Laplacian in squared 8-bit grey levels, from 0.

    Pech-Pacheco et al., 2000, doi:10.1109/ICPR.2000.903548. Noise raises it as sharpness does, and
    darkness and low contrast lower it.
    """
    return float(np.var(ndimage.laplace(image.astype(np.float64) * 255, mode="mirror")))


@metric("Blur effect (0 sharp, 1 blurred)", better="lower")
def blur_effect(image: Image) -> float:
    """How little a second blur changes the image, from 0 (sharp) to 1 (blurred).

    Crete et al., 2007, doi:10.1117/12.702790.
    """
    from skimage.measure import blur_effect as crete  # noqa: PLC0415

    return float(crete(image, h_size=11))


@metric("Noise sigma (8-bit grey levels)", better="lower")
def noise_sigma(image: Image) -> float:
    """Standard deviation of additive noise, in 8-bit grey levels, from 0.

    Immerkaer, 1996, doi:10.1006/cviu.1996.0060: the mean absolute response to a mask that
    constant and linear image structure does not excite.
    """
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float64)
    height, width = image.shape
    response = ndimage.convolve(image.astype(np.float64) * 255, mask)[1:-1, 1:-1]
    return float(np.sqrt(np.pi / 2) * np.abs(response).sum() / (6 * (width - 2) * (height - 2)))


@metric("Entropy of the histogram (bits)", better="neither")
def entropy(image: Image) -> float:
    """Shannon entropy of the 256-bin histogram, from 0 (one grey level) to 8 bits.

    Shannon, 1948, doi:10.1002/j.1538-7305.1948.tb01338.x.
    """
    levels = np.bincount(
        np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8).ravel(), minlength=256
    )
    shares = levels[levels > 0] / image.size
    return float(-(shares * np.log2(shares)).sum() + 0.0)
