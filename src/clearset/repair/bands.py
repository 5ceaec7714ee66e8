"""Images of any number of bands: what repairs ask of them, whatever the bands are."""

import numpy as np
import numpy.typing as npt

from clearset.measure.metrics import noise_sigma
from clearset.numeric.grey import LUMA, luminance, of_unit
from clearset.numeric.seen import Seen

Image = npt.NDArray[np.float64]  # (h, w) or (h, w, bands), 0 to 1


def plain(image: Image) -> bool:
    """Return whether an image is grey, or red, green and blue."""
    return image.ndim == 2 or image.shape[2] == len(LUMA)


def axis(image: Image) -> int | None:
    """Return the axis of an image's bands; None where it has none."""
    # Not -1: unsharp_mask then returns memory that nothing was written to (scikit-image #7264).
    return None if image.ndim == 2 else 2


def sigmas(image: Image, sigma: float) -> tuple[float, ...]:
    """Return a Gaussian's sigma along each axis: none across bands."""
    return (sigma, sigma, 0.0)[: image.ndim]


def grey(image: Image) -> Image:
    """Return the luminance of an image, (h, w); of bands without colour their mean."""
    return luminance(image) if plain(image) else np.asarray(image.mean(axis=2))


def noise_level(image: Image, seen: Seen | None, sigma: float) -> float:
    """Return a noise's standard deviation, given in grey levels or (0) as what is `seen` shows.

    From 0, in parts of the range. Of bands without colour it is the median of theirs.
    """
    parts = [image] if plain(image) else np.moveaxis(image, 2, 0)
    return (sigma or float(np.median([noise_sigma(of_unit(part, seen)) for part in parts]))) / 255
