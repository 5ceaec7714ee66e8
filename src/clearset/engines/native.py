"""The open engine: fastdup's statistics by their formula, a descriptor without learnt weights."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

VERSION = "1"  # raise it when statistics or descriptor change
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
    first = small if small.ndim == 2 else small[..., -1]
    values = small.reshape(-1, 1 if small.ndim == 2 else small.shape[2]).astype(np.float64)
    low, high = float(small.min()), float(small.max())
    return {
        "blur": float(np.var(ndimage.laplace(first.astype(np.float64), mode="mirror"))),
        "mean": float(values.mean()),
        "min": low,
        "max": high,
        "stdv": float(values.std(axis=0).mean()),
        "contrast": (high - low) / (high + low) if high + low else 0.0,
        "unique": float(len(np.unique(small))),
    }


def stretched_mean(pixels: npt.NDArray[np.uint16]) -> float:
    """Return the mean that fastdup gives a 16-bit file, 0 to 255, (h, w) or (h, w, 3).

    It stretches each image from its own least to its own largest value: darkness disappears. A
    constant image gives 0. Checked against fastdup 2.54 on files of 16 bits.
    """
    low, high = float(pixels.min()), float(pixels.max())
    if high == low:
        return 0.0
    small = pixels if max(pixels.shape[:2]) < SIDE else _picked(pixels)
    return float(np.rint((small - low) / (high - low) * 255).mean())


def _picked(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    rows, columns = (
        np.floor((np.arange(SIDE) + 0.5) * side / SIDE).astype(int) for side in pixels.shape[:2]
    )
    return pixels[np.ix_(rows, columns)]


def descriptor(grey: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return what an image looks like as a vector of length 1, or 0 for a constant image.

    Two halves of equal weight. A smoothed 32 x 32 thumbnail, split into its mirror-symmetric part
    and the magnitude of the rest: the same for a mirror image. The log magnitude of a 64 x 64
    thumbnail's spectrum, averaged with its mirror image's: hardly changed by a shift. Brightness
    and contrast cancel out.
    """
    cells = averaged(grey)
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
    return np.concatenate([_unit(parts[0]), _unit(parts[1] - parts[1].mean())]).astype(np.float32)


def averaged(grey: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the means of 64 x 64 equal cells of an image of any size; cells may split pixels."""
    height, width = grey.shape
    cells: npt.NDArray[np.float64] = _shares(height) @ grey.astype(np.float64) @ _shares(width).T
    return cells


def _shares(side: int) -> npt.NDArray[np.float64]:
    """Return, for each cell, the share of it that each pixel of a side covers."""
    edges, pixels = np.arange(GRID + 1)[:, None] * side / GRID, np.arange(side)
    overlap = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
    return np.clip(overlap, 0, None) * GRID / side


def _unit(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the values as a vector of length sqrt(1/2), or 0."""
    norm = np.linalg.norm(values)
    return values.ravel() / (norm * np.sqrt(2)) if norm > 1e-9 else np.zeros(values.size)


def info() -> dict[str, Any]:
    """Return what identifies this engine in engine.json."""
    return {"name": "native", "version": VERSION, "model": MODEL}
