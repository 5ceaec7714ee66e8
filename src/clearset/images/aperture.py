"""The black surround of a fundus photograph, found by itself: the disc that its camera sees.

Careful: what is no disc, or is not surrounded by black in all corners, is left as it is. Whole
numbers and settled doubles decide, so that every machine finds the same.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from clearset.images import levels
from clearset.images.levels import Mask, Pixels, Reading
from clearset.numeric.exact import settled

Values = npt.NDArray[np.float64]
SIDE = 512  # px: a longer side is thinned to at most this, and to more than half of it
CORNER = 32  # a corner's side is this part of the shorter side
BRIGHT, CORNERS = 0.9, 0.9  # quantiles: of all pixels, the bright level; of a corner, its level
BLACK, EDGE = 0.14, 0.2  # of the bright level: the surround at most; the rim
LEAST = 8  # stored values from the surround to the rim
SMALLEST, LARGEST = 0.35, 0.9  # radius: of the shorter, of the longer side
HEIGHT = 1.2  # radii that a disc is high, where straight edges cut it off: its sides must bend
NEAR = 2.0  # px of the thinned image: a point of the rim, and what may lie beside the edge
SOLID, STEEP, FIT = 0.8, 0.9, 0.98  # shares: of the inside, of the rim, of disc and inside
ROUNDS = 4  # of the fit, each without what lies far from the last
RIM = 1.0  # px: the rim itself, half lit, does not belong to what is seen


class Disc(NamedTuple):
    """A disc, in px of the image as stored, and its first and last row where those cut it off."""

    row: float
    column: float
    radius: float
    top: float = -np.inf
    bottom: float = np.inf


def found(pixels: Pixels, reading: Reading) -> str:
    """Return the field of view of an image as stored, as `views` reads it; empty: it shows none."""
    disc = aperture(levels.bands(pixels, reading))
    if disc is None:
        return ""
    return " ".join(["disc", *(f"{number:g}" for number in disc if np.isfinite(number))])


def aperture(pixels: Pixels) -> Disc | None:
    """Return the disc that a photograph shows on black, of (h, w) or (h, w, bands); None: none.

    The surround lies in all four corners and is nearly black in every band. At the disc's rim it
    turns bright within a few pixels. It leaves a disc to 98 %, which the image's sides, and
    straight edges above and below, may cut off.
    """
    step = max(-(-max(pixels.shape[:2]) // SIDE), 1)
    thin = pixels[::step, ::step]
    values = thin if thin.ndim == 2 else thin.max(axis=2)
    edge = _edge(values)
    if edge is None:
        return None
    inside = _solid(values > edge)
    disc = _fitted(inside)
    if disc is None or not _clear(values, edge, inside, disc):
        return None
    row, column, radius = (round(2 * step * number) / 2 for number in disc[:3])
    if not np.isfinite(disc.top):
        return Disc(row, column, radius - RIM)
    ends = step * disc.top, min(step * disc.bottom, pixels.shape[0] - 1)
    return Disc(row, column, radius - RIM, *ends)


def _edge(values: Pixels) -> float | None:
    """Return the value between surround and inside; None where the corners are not black."""
    side = max(min(values.shape) // CORNER, 2)
    ends = np.r_[:side, -side:0]
    corners = values[np.ix_(ends, ends)].reshape(2, side, 2, side).swapaxes(1, 2)
    black = float(np.quantile(corners.reshape(4, -1), CORNERS, axis=1).max())
    bright = float(np.quantile(values, BRIGHT))
    edge = black + EDGE * (bright - black)
    return edge if black <= BLACK * bright and edge - black >= LEAST else None


def _solid(inside: Mask) -> Mask:
    """Return what lies inside, down and across, without holes and without specks outside."""
    spans = (
        np.logical_or.accumulate(inside, axis)
        & np.flip(np.logical_or.accumulate(np.flip(inside, axis), axis), axis)
        for axis in (0, 1)
    )
    return np.logical_and(*spans)


def _fitted(inside: Mask) -> Disc | None:
    """Return the disc whose rim most ends of rows and columns lie on; None: it can be no disc."""
    points = _rim(inside)
    rows = np.flatnonzero(inside.any(axis=1))
    row = column = radius = 0.0
    for _ in range(ROUNDS):
        if len(points) < CORNER:
            return None
        row, column, radius = _circle(points)
        away = np.sqrt(np.square(points - (row, column)).sum(axis=1)) - radius
        near = settled(np.abs(away)) <= max(NEAR, float(settled(np.median(np.abs(away)))))
        points = points[near]
    height, size = float(rows[-1] - rows[0]), inside.shape
    if not SMALLEST * min(size) <= radius <= LARGEST * max(size) or height < HEIGHT * radius:
        return None
    ends = float(rows[0]), float(rows[-1])
    cut = max(ends[0] - row, row - ends[1]) > NEAR + 1 - radius
    straight = cut and (ends[0] > 0 or ends[1] < size[0] - 1)
    return Disc(row, column, radius, *(ends if straight else ()))


def _rim(inside: Mask) -> Values:
    """Return where rows and columns of the inside begin and end within the image, (n, 2)."""
    points = []
    for mask, order in ((inside, 1), (inside.T, -1)):
        lines = np.flatnonzero(mask.any(axis=1))
        end = mask.shape[1] - 1
        first, last = mask[lines].argmax(axis=1), end - mask[lines, ::-1].argmax(axis=1)
        for ends, shift, side in ((first, -0.5, 0), (last, 0.5, end)):
            # A straight edge is the first or last line there is, from which ends lie no further.
            extreme = ends.min() if shift < 0 else ends.max()
            free = (ends != side) & (np.abs(ends - extreme) > 1)
            points.append(np.stack([lines, ends + shift], axis=1)[free][:, ::order])
    return np.concatenate(points).astype(np.float64)


def _circle(points: Values) -> tuple[float, float, float]:
    """Return row, column and radius of the circle that least squares fit to points.

    Kåsa, 1976, doi:10.1109/TIM.1976.6312298.
    """
    terms = np.column_stack([2 * points, np.ones(len(points))])
    products = terms.T @ terms + 1e-9 * np.eye(3)  # on one line, points have no circle
    row, column, rest = np.linalg.solve(products, terms.T @ np.square(points).sum(axis=1))
    return row, column, float(np.sqrt(max(rest + row**2 + column**2, 0.0)))


def _clear(values: Pixels, edge: float, inside: Mask, disc: Disc) -> bool:
    """Return whether an image is black outside a disc, bright inside, and steep at its rim."""
    rows, columns = (np.arange(side) for side in values.shape)
    distance = np.sqrt((rows - disc.row)[:, None] ** 2 + (columns - disc.column)[None] ** 2)
    beyond = settled(distance - disc.radius)
    within = ((rows >= disc.top) & (rows <= disc.bottom))[:, None]
    full, bright = (beyond <= 0) & within, values > edge
    outer = within & (beyond >= NEAR) & (beyond < 2 * NEAR)
    inner = within & (beyond <= -NEAR) & (beyond > -2 * NEAR)
    return all(
        part.any() and np.count_nonzero(holds & part) >= share * np.count_nonzero(part)
        for part, holds, share in (
            (full | inside, full & inside, FIT),
            (~full, ~bright, FIT),
            (full, bright, SOLID),
            (outer, values <= 0.75 * edge, STEEP),
            (inner, values >= 1.25 * edge, STEEP),
        )
    )
