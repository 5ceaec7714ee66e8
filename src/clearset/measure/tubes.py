"""A second vessel detector, of other filters than `vessels`: what both see hangs on neither.

`vessels.vesselness` takes second differences of an image whose light and contrast were made even,
and adds four scales. `tubeness` takes derivatives of Gaussians of the image as it is, and the
strongest of three finer scales.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import separated

Image = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float64]
SCALES = (1.0, 2.0, 3.0)  # px: lines of about 2 to 8 px
REACH = 4.0  # sigmas, as far as weights go


def tubeness(image: Image) -> Image:
    """Return how much each pixel lies on a dark tube, from 0, in parts of the image's range.

    Sato's filter in two dimensions (Sato et al., 1998, doi:10.1016/S1361-8415(98)80009-1), as
    scikit-image's `sato` has it, in a fifth of its time: the larger eigenvalue of the Hessian times
    sigma squared, 0 where it is negative, the maximum over three scales. Takes an image, (h, w),
    gaps filled with the nearest values that were seen.
    """
    strongest = np.zeros_like(image)
    for sigma in SCALES:
        none, first, second = derivatives(sigma)
        across, down = separated(image, none, second), separated(image, second, none)
        mixed = separated(image, first, first)
        half = (across - down) / 2
        across += down
        # A root of a sum of squares is the same everywhere, where `hypot` is not.
        across /= 2
        across += np.sqrt(mixed * mixed + half * half)
        np.maximum(strongest, across * sigma**2, out=strongest)
    return strongest


@cache
def derivatives(sigma: float) -> tuple[Weights, Weights, Weights]:
    """Return the weights of a Gaussian of `sigma` px and of its first and second derivative.

    Each is twice a half of it in turn, as scikit-image's Hessian: sampled derivatives are truer so.
    The second one's sum is 0, so that an even image has none.
    """
    part = sigma / np.sqrt(2)
    places = np.arange(-np.ceil(8 * part), np.ceil(8 * part) + 1)
    half = np.exp(-(places**2) / (2 * part**2))
    half /= half.sum()
    slope = -places / part**2 * half
    side = int(REACH * sigma + 0.5)
    middle = len(places) - 1
    once, twice, mixed = (
        np.convolve(one, other)[middle - side : middle + side + 1]
        for one, other in ((half, half), (slope, slope), (half, slope))
    )
    return once, mixed, twice - twice.mean()
