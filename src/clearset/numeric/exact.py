"""Arithmetic with one result on every machine: what the rest of the library computes with.

Pixels are whole numbers and stay so as long as they can: sums, differences and filters with whole
weights are exact, in whatever order or width a processor adds them, in integers or in doubles below
2^53. What needs real numbers is double, whose last digit may differ between processors (exp, log
and sin have several kernels; IEEE 754 fixes only + - * / and the square root), and is rounded once,
far above that: tables to six digits, pixels by `whole`. Nothing that is kept goes through single
precision, whose error of 1e-7 would show in every tenth number of six digits.

OpenCV picks its code by processor. Held to its plain code, which is fast enough, it has one.
"""

import threading
from functools import cache
from typing import TYPE_CHECKING, Any

import cv2 as opencv
import numpy as np
import numpy.typing as npt

__all__ = [
    "DECIMALS",
    "LENGTH",
    "UNIT",
    "box_mean",
    "correlated",
    "cv2",
    "gaussian",
    "quantile",
    "separated",
    "settled",
    "smoothed",
    "whole",
    "whole_size",
    "whole_sum",
]


class _Plain(threading.local):
    """OpenCV, held to its plain code in each thread that uses it.

    Whether IPP is used, whose sum of squares is not exact, is each thread's own setting.
    """

    def __init__(self) -> None:
        opencv.setUseOptimized(False)  # IPP too
        opencv.setNumThreads(1)  # images are shared out over processes

    def __getattr__(self, name: str) -> Any:
        return getattr(opencv, name)


cv2 = opencv if TYPE_CHECKING else _Plain()

DECIMALS = 9  # of a level: far above a double's error, far below what anyone could see
UNIT = 13  # decimals of a value from 0 to 1: of a level of 16 bits they leave eight

LENGTH = 2**22  # of a vector in whole numbers: products of two stay below 2^45

Values = npt.NDArray[np.float64]


def settled(values: npt.ArrayLike, decimals: int = DECIMALS) -> Values:
    """Return values rounded to so many decimals, so that what is nearly equal is equal.

    Exact halves, ones and zeros are frequent among pixels; without this one processor's 0.5 is
    another's 0.49999999999999994, and what is decided by it comes out differently.
    """
    return np.asarray(np.round(np.asarray(values, np.float64), decimals))


def whole(values: npt.ArrayLike, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return values as the nearest whole numbers of an integer type, exact halves to even ones.

    They are brought to nine decimals before, so that a half is one on every processor. Values
    must lie in the type's range and below 2^53 / 1e9, about nine million.
    """
    return np.rint(settled(values)).astype(dtype)


def whole_sum(values: npt.NDArray[Any], power: int = 1) -> int:
    """Return the exact sum of whole numbers, or with `power` 2 of their squares."""
    if values.dtype == np.int16:  # its sums in doubles are exact below 2^53
        return int(cv2.norm(values, cv2.NORM_L2SQR) if power == 2 else cv2.sumElems(values)[0])
    numbers = values.astype(np.int64)
    return int((numbers * numbers).sum() if power == 2 else numbers.sum())


def whole_size(values: npt.NDArray[Any]) -> int:
    """Return the exact sum of whole numbers without their signs."""
    if values.dtype == np.int16:
        return int(cv2.norm(values, cv2.NORM_L1))
    return int(np.abs(values.astype(np.int64)).sum())


def correlated(image: Values, weights: Values) -> Values:
    """Return an image, (h, w), correlated with the same weights down and across, edges mirrored.

    Exact where image and weights are whole numbers and no sum reaches 2^53.
    """
    return separated(image, weights, weights)


def separated(image: Values, down: Values, across: Values) -> Values:
    """Return an image, (h, w), correlated with weights down and others across, edges mirrored."""
    return np.asarray(
        cv2.sepFilter2D(image, -1, across, down, borderType=cv2.BORDER_REFLECT), np.float64
    )


@cache
def gaussian(sigma: float, reach: float) -> Values:
    """Return a Gaussian's weights as far as `reach` sigmas, of sum 1."""
    side = int(reach * sigma + 0.5)
    weights = np.exp(-(np.arange(-side, side + 1) ** 2) / (2 * sigma**2))
    return np.asarray(weights / weights.sum())


def smoothed(image: Values, sigma: float) -> Values:
    """Return an image, (h, w), smoothed by a Gaussian of `sigma` px, edges mirrored."""
    return correlated(image, gaussian(sigma, 4.0))


def box_mean(image: npt.NDArray[Any], side: int) -> Values:
    """Return the mean of the square around each pixel of an image, (h, w), edges mirrored.

    Of 16 bits, the sums are whole numbers of 32 bits: up to a `side` of 181 px.
    """
    values = image if image.dtype == np.uint16 else image.astype(np.float64, copy=False)
    square = (side, side)
    return np.asarray(
        cv2.boxFilter(values, cv2.CV_64F, square, borderType=cv2.BORDER_REFLECT), np.float64
    )


def quantile(values: Values, share: float) -> float:
    """Return what NumPy's `quantile` does of one share, in a third of the time; no value is NaN."""
    flat = values.ravel()
    place = (flat.size - 1) * share
    first = min(int(place), flat.size - 1)
    last = min(first + 1, flat.size - 1)
    ordered = np.partition(flat, (first, last))
    low, high, part = float(ordered[first]), float(ordered[last]), place - first
    rise = high - low
    return high - rise * (1 - part) if part >= 0.5 else low + rise * part
