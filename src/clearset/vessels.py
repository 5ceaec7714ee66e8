"""Thin dark lines in an image: where vessels are, and whether a mask lies on them."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Image = npt.NDArray[np.float32]
HALVED = 128  # px: from this side on, two by two pixels are averaged first
SIGMAS = (1.0, 2.0)  # px after halving: lines of about 4 to 10 px before


def ridges(image: Image) -> Image:
    """Return how strongly each place lies on a dark line, relative to the local brightness.

    The larger eigenvalue of the scale-normalised Hessian, the maximum over two scales, 0 where it
    is negative (Frangi et al., 1998, doi:10.1007/BFb0056195; Lindeberg, 1998,
    doi:10.1023/A:1008097225773). Images from 128 pixels a side on come out at half their size.
    """
    small = halved(image)
    strongest = np.zeros_like(small)
    for sigma in SIGMAS:
        rows, columns, both = (
            ndimage.gaussian_filter(small, sigma, order=order) for order in ((2, 0), (0, 2), (1, 1))
        )
        larger = (rows + columns) / 2 + np.hypot((rows - columns) / 2, both)
        strongest = np.maximum(strongest, larger * np.float32(sigma**2))
    around = ndimage.uniform_filter(small, 31)
    return strongest / np.maximum(around, np.float32(1 / 255))


def halved(image: Image) -> Image:
    """Return the means of two by two pixels, or a small image as it is."""
    if min(image.shape) < HALVED:
        return image
    rows, columns = (side // 2 for side in image.shape)
    cut = image[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2)
    return np.asarray(cut.mean(axis=(1, 3)), np.float32)


def agreement(image: Image, mask: npt.NDArray[np.integer]) -> float:
    """Return the chance that a pixel of the mask lies on a stronger line than one beside it.

    From 0 to 1: the area under the ROC curve of `ridges` against mask > 0, 0.5 for a mask that has
    nothing to do with the image; NaN for an empty or a full mask.
    """
    strength = ridges(image)
    covered = halved((mask > 0).astype(np.float32)) > 0.5
    return auroc(strength[covered], strength[~covered])


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
