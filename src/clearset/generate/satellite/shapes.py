"""Polygons on the ground: made as arrays in the ground's own units, drawn into a window of it.

The unit is the side of a tile, so that a scene looks the same at any size; x is right, y is down.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import cv2, whole

Points = npt.NDArray[np.float64]  # (..., 2): x, y
Canvas = npt.NDArray[np.uint8]

FRACTION = 4  # bits of a pixel that corners are drawn to
LEAST = 1.5  # pixels: what is smaller would be drawn too large
LEFT_BEHIND = 1e-12  # keeps a division from failing where a shadow has no length


@dataclass(frozen=True)
class Window:
    """What of the ground is seen: the corner at the upper left, and the side in pixels."""

    left: float
    top: float
    size: int


@dataclass(frozen=True)
class Shapes:
    """Convex polygons with the same number of corners, (n, corners, 2), and their inks, (n, 4).

    An ink is red, green, blue and how much texture shows, all from 0 to 1. Later shapes lie on top.
    """

    corners: Points
    inks: npt.NDArray[np.float64]

    @cached_property
    def bounds(self) -> tuple[Points, Points]:
        """The least and the most x and y of each shape, (n, 2) both."""
        ring = self.corners.transpose(1, 0, 2)
        return reduce(np.minimum, ring), reduce(np.maximum, ring)

    def in_view(self, window: Window) -> npt.NDArray[np.bool_]:
        """Return which shapes may show in a window: in part inside, and not much below a pixel."""
        low, high = self.bounds
        origin = np.array([window.left, window.top])
        large = ((high - low) * window.size > LEAST).any(axis=1)
        return np.asarray(large & ((high > origin) & (low < origin + 1)).all(axis=1))

    def subset(self, which: npt.NDArray[np.bool_]) -> "Shapes":
        """Return those shapes for which `which` is true."""
        return Shapes(self.corners[which], self.inks[which])


def rectangles(centre: Points, half: Points, turn: npt.NDArray[np.float64] | float = 0.0) -> Points:
    """Return the corners of rectangles, (n, 4, 2): `half` their sides, turned by `turn` radians."""
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return centre[:, None] + turned(signs * half[:, None], np.asarray(turn)[..., None])


def discs(centre: Points, radius: npt.NDArray[np.float64], corners: int = 9) -> Points:
    """Return the corners of regular polygons that stand for discs, (n, corners, 2)."""
    angle = np.arange(corners) * (2 * np.pi / corners)
    around = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return np.asarray(centre[:, None] + radius[:, None, None] * around)


def turned(points: Points, angle: npt.NDArray[np.float64] | float) -> Points:
    """Return points turned about the origin by `angle` radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = points[..., 0], points[..., 1]
    return np.stack([x * cos - y * sin, x * sin + y * cos], axis=-1)


def shadows(corners: Points, cast: Points) -> Points:
    """Return the ground that rectangles and their shadows cover together, (n, 6, 2).

    `cast` is where the shadow of each roof's corner falls, from the corner, (n, 2).
    """
    arms = corners - corners.mean(1, keepdims=True)
    across = cast[:, None, 0] * arms[..., 1] - cast[:, None, 1] * arms[..., 0]
    start = np.argmin(across, axis=1)  # the corner furthest to one side; its opposite lies across
    order = (start[:, None] + np.arange(4)) % 4
    ring = np.take_along_axis(corners, order[..., None], axis=1)
    ahead = np.einsum("nkd,nd->nk", ring[:, [1, 3]], cast)
    first = (ahead[:, 0] > ahead[:, 1])[:, None]
    front, back = (
        np.where(first, ring[:, 1], ring[:, 3]),
        np.where(first, ring[:, 3], ring[:, 1]),
    )
    left, right = ring[:, 0], ring[:, 2]
    return np.stack([left, back, right, right + cast, front + cast, left + cast], axis=1)


def strip(line: Points, width: float) -> Points:
    """Return the quadrilaterals along a line of points (n, 2) that make a band, (n - 1, 4, 2)."""
    way = np.gradient(line, axis=0)
    way /= np.linalg.norm(way, axis=1, keepdims=True) + LEFT_BEHIND
    aside = np.stack([-way[:, 1], way[:, 0]], axis=1) * width / 2
    left, right = line - aside, line + aside
    return np.stack([left[:-1], left[1:], right[1:], right[:-1]], axis=1)


def pixels(points: Points, window: Window) -> Points:
    """Return points of the ground in pixels of a window; a pixel's centre is a whole number."""
    return (points - (window.left, window.top)) * window.size - 0.5


def draw(
    canvas: Canvas,
    corners: Points,
    inks: Sequence[Sequence[float]],
    window: Window,
    *,
    smooth: bool = True,
) -> None:
    """Draw convex polygons into a canvas in place; inks are 0 to 255 a channel."""
    edge = cv2.LINE_AA if smooth else cv2.LINE_8
    scaled = whole(pixels(corners, window) * (1 << FRACTION), np.int32)
    for polygon, ink in zip(scaled, inks, strict=True):
        cv2.fillConvexPoly(canvas, polygon, ink, edge, FRACTION)
