"""The open engine: fastdup's statistics by their formula, a descriptor without learnt weights."""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import cv2, whole, whole_sum
from clearset.numeric.grey import Grey, of_levels
from clearset.numeric.seen import Seen, box, chosen, inner
from clearset.similar import kinds, likeness

VERSION = "3"  # raise it when statistics or descriptor change
MODEL = "cross spectra of lines, mirror-invariant"
STATISTICS = ("blur", "mean", "min", "max", "stdv", "contrast", "unique")
EIGHT = 255  # white, of 8 bits
SIDE = 224  # fastdup measures on a thumbnail of this side


def statistics(pixels: npt.NDArray[np.uint8], seen: Seen | None = None) -> dict[str, float]:
    """Return fastdup's statistics of 8-bit pixels, (h, w) or (h, w, 3) in RGB order.

    As fastdup defines them: on the image itself when both sides are below 224 px, else on 224 x 224
    of its pixels, picked without smoothing. `blur` is the variance of the Laplacian of the grey or
    the blue channel and *grows with sharpness*; the others are over all channels. Checked against
    fastdup 2.54 on real images. Where there are gaps, only what is `seen` counts, within the part
    of the image that holds it.
    """
    small, seen = _small(pixels, seen)
    bands = np.moveaxis(np.atleast_3d(small), 2, 0)
    counts = np.stack([np.bincount(chosen(band, seen), minlength=256) for band in bands])
    levels, count = np.arange(256), int(counts[0].sum())
    sums, squares = (counts @ levels**power for power in (1, 2))
    levels_present = np.flatnonzero(counts.any(axis=0))
    low, high = float(levels_present[0]), float(levels_present[-1])
    edges = np.asarray(cv2.Laplacian(np.ascontiguousarray(bands[-1]), cv2.CV_16S))
    if seen is not None:
        edges = chosen(edges, inner(seen, 1))
    return {
        "blur": _variance(edges.size, whole_sum(edges), whole_sum(edges, power=2)),
        "mean": int(sums.sum()) / int(counts.sum()),
        "min": low,
        "max": high,
        "stdv": float(
            np.mean(
                [
                    _variance(count, *map(int, pair)) ** 0.5
                    for pair in zip(sums, squares, strict=True)
                ]
            )
        ),
        "contrast": (high - low) / (high + low) if high + low else 0.0,
        "unique": float(len(levels_present)),
    }


def _variance(count: int, total: int, squares: int) -> float:
    """Return the variance of so many whole numbers by their sum and that of their squares."""
    return (count * squares - total**2) / count**2


def stretched_mean(pixels: npt.NDArray[np.uint16], seen: Seen | None = None) -> float:
    """Return the mean that fastdup gives a 16-bit file, 0 to 255, (h, w) or (h, w, 3).

    It stretches each image from its own least to its own largest value: darkness disappears. A
    constant image gives 0. Checked against fastdup 2.54 on files of 16 bits. Of what is `seen`.
    """
    known = chosen(pixels, seen)
    low, high = float(known.min()), float(known.max())
    if high == low:
        return 0.0
    small, seen = _small(pixels, seen)
    return float(chosen(whole((small - low) / (high - low) * 255, np.uint8), seen).mean())


def _small(pixels: npt.NDArray[Any], seen: Seen | None) -> tuple[npt.NDArray[Any], Seen | None]:
    """Return the pixels that fastdup measures, and which of them are seen.

    Where it picks none of those that are, all that it picks count: gaps are filled.
    """
    if seen is not None:
        place = box(seen)
        pixels, seen = pixels[place], seen[place]
    if max(pixels.shape[:2]) >= SIDE:
        pixels, seen = _picked(pixels), None if seen is None else _picked(seen)
    return pixels, seen if seen is not None and seen.any() else None


def _picked(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    rows, columns = (
        np.floor((np.arange(SIDE) + 0.5) * side / SIDE).astype(int) for side in pixels.shape[:2]
    )
    return pixels[np.ix_(rows, columns)]


def descriptor(grey: Grey) -> npt.NDArray[np.int32]:
    """Return what an image looks like as a vector (see `likeness.descriptor`)."""
    return likeness.descriptor(grey)


def looks(grey: Grey) -> npt.NDArray[np.int32]:
    """Return an image's descriptor, and behind it its kind (see `kinds.kind`), as one vector."""
    return np.concatenate([descriptor(grey), kinds.kind(grey)])


@cache
def length() -> int:
    """Return how long the vector of `looks` is."""
    return len(looks(of_levels(np.zeros((kinds.GRID, kinds.GRID), np.uint8), EIGHT)))


def parted(vectors: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the descriptors and the kinds of the vectors of images, (images, length)."""
    return vectors[:, : -kinds.SIZE], vectors[:, -kinds.SIZE :]


def info() -> dict[str, Any]:
    """Return what identifies this engine in engine.json."""
    return {"name": "native", "version": VERSION, "model": MODEL}
