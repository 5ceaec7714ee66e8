"""The open engine: fastdup's statistics by their formula, a descriptor without learnt weights."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from clearset.exact import cv2, whole, whole_sum
from clearset.grey import Grey, block_sums
from clearset.neighbours import SCALE

VERSION = "2"  # raise it when statistics or descriptor change
MODEL = "mirror-invariant thumbnail and spectrum"
SIDE = 224  # fastdup measures on a thumbnail of this side
GRID = 64  # cells a side that an image is averaged to before it is described


def statistics(pixels: npt.NDArray[np.uint8]) -> dict[str, float]:
    """Return fastdup's statistics of 8-bit pixels, (h, w) or (h, w, 3) in RGB order.

    As fastdup defines them: on the image itself when both sides are below 224 px, else on 224 x 224
    of its pixels, picked without smoothing. `blur` is the variance of the Laplacian of the grey or
    the blue channel and *grows with sharpness*; the others are over all channels. Checked against
    fastdup 2.54 on real images.
    """
    small = pixels if max(pixels.shape[:2]) < SIDE else _picked(pixels)
    first = np.ascontiguousarray(small if small.ndim == 2 else small[..., -1])
    bands = np.atleast_3d(small)
    low, high = float(small.min()), float(small.max())
    return {
        "blur": _variance(np.asarray(cv2.Laplacian(first, cv2.CV_16S), np.int16)),
        "mean": whole_sum(small) / small.size,
        "min": low,
        "max": high,
        "stdv": float(
            np.mean([_variance(bands[..., band]) ** 0.5 for band in range(bands.shape[2])])
        ),
        "contrast": (high - low) / (high + low) if high + low else 0.0,
        "unique": float(np.count_nonzero(np.bincount(small.ravel(), minlength=256))),
    }


def _variance(values: npt.NDArray[np.integer]) -> float:
    """Return the variance of whole numbers, rounded once."""
    count, total = values.size, whole_sum(values)
    return (count * whole_sum(values, power=2) - total**2) / count**2


def stretched_mean(pixels: npt.NDArray[np.uint16]) -> float:
    """Return the mean that fastdup gives a 16-bit file, 0 to 255, (h, w) or (h, w, 3).

    It stretches each image from its own least to its own largest value: darkness disappears. A
    constant image gives 0. Checked against fastdup 2.54 on files of 16 bits.
    """
    low, high = float(pixels.min()), float(pixels.max())
    if high == low:
        return 0.0
    small = pixels if max(pixels.shape[:2]) < SIDE else _picked(pixels)
    return float(whole((small - low) / (high - low) * 255, np.uint8).mean())


def _picked(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    rows, columns = (
        np.floor((np.arange(SIDE) + 0.5) * side / SIDE).astype(int) for side in pixels.shape[:2]
    )
    return pixels[np.ix_(rows, columns)]


def descriptor(grey: Grey) -> npt.NDArray[np.int32]:
    """Return what an image looks like as a vector, of zeros for a constant image.

    Whole numbers, of length about `neighbours.SCALE`, so that products of them are exact. Two
    halves of equal weight. A smoothed 32 x 32 thumbnail, split into its mirror-symmetric part
    and the magnitude of the rest: the same for a mirror image. The log magnitude of a 64 x 64
    thumbnail's spectrum, averaged with its mirror image's: hardly changed by a shift. Brightness
    and contrast cancel out.
    """
    sums = block_sums(grey.levels, GRID)
    cells = sums / (grey.levels.size * grey.white / GRID**2)
    thumbnail = cells.reshape(GRID // 2, 2, GRID // 2, 2).mean(axis=(1, 3))
    thumbnail = ndimage.gaussian_filter(thumbnail - thumbnail.mean(), 1)
    mirrored = thumbnail[:, ::-1]
    half = GRID // 4
    even, odd = (thumbnail + mirrored)[:, :half], np.abs(thumbnail - mirrored)[:, :half]
    window = np.hanning(GRID)
    spectrum = np.abs(fft.fft2((cells - cells.mean()) * np.outer(window, window)))[: GRID // 2]
    symmetric = np.log1p(spectrum) + np.log1p(np.roll(spectrum[:, ::-1], 1, axis=1))
    parts = (
        np.concatenate([even.ravel(), (odd - odd.mean()).ravel()]),
        symmetric[:, : GRID // 2 + 1],
    )
    unit = np.concatenate([_unit(parts[0]), _unit(parts[1] - parts[1].mean())])
    return whole(unit * SCALE, np.int32)


def _unit(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the values as a vector of length sqrt(1/2), or 0."""
    norm = np.sqrt(np.square(values).sum())
    return values.ravel() / (norm * np.sqrt(2)) if norm > 1e-9 else np.zeros(values.size)


def info() -> dict[str, Any]:
    """Return what identifies this engine in engine.json."""
    return {"name": "native", "version": VERSION, "model": MODEL}
