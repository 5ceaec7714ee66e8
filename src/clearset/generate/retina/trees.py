"""Vessels of a generated retina: trees that grow from the disc, and their drawing.

Lengths are shares of the image side, so that a tree looks the same at any size.
"""

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.float64]
Point = tuple[float, float]

PIXEL = 1 / 768  # of the measured images: one of their pixels as a share of the side
STEP = 5 * PIXEL  # along a vessel, between two points of its centre line
DEEPEST = 3  # branchings since the disc
THINNEST = 0.95 * PIXEL  # radius below which a vessel is no longer visible
TAPER = 12  # points over which a vessel that ends within the picture thins out
FAINTEST = 0.2  # radius in pixels below which a vessel is not drawn
CHUNK = 1 << 18  # pixels drawn at once: what fits into a processor's cache


@dataclass(frozen=True)
class Anatomy:
    """What one eye is built on: `side` is 1 where the macula lies right of the disc, else -1."""

    side: int
    disc: Point  # x, y
    radius: float  # of the disc
    fovea: Point  # from the disc, towards the macula and up
    tortuosity: float  # 1 is usual


@dataclass(frozen=True)
class Vessel:
    """The start of a vessel: place from the disc (towards the macula, up), heading in radians."""

    place: Point
    heading: float
    radius: float
    course: str  # arcade (around the macula), macular (to the fovea) or free (away from the disc)
    bend: float  # of an arcade's parabola, signed; of a macular one, how far it passes the fovea
    depth: int  # branchings since the disc


def anatomy_of(rng: np.random.Generator) -> Anatomy:
    """Return where the disc and the fovea of one eye lie."""
    side = int(rng.choice([-1, 1]))
    return Anatomy(
        side=side,
        disc=(0.5 - side * rng.uniform(0.05, 0.2), rng.triangular(0.2, 0.45, 0.7)),
        radius=rng.uniform(0.068, 0.09),
        fovea=(rng.uniform(0.44, 0.52), rng.uniform(-0.1, -0.02)),
        tortuosity=rng.uniform(0.6, 1.5),
    )


def tree(rng: np.random.Generator, anatomy: Anatomy, root: float) -> npt.NDArray[np.float64]:
    """Return the segments of one kind's vessels, (number, 5): x, y to x, y and the radius.

    `root` is the usual radius of the thickest where they leave the disc. Thick ones grow first.
    """
    growing, segments = _roots(rng, anatomy, root), []
    cells: set[tuple[int, int]] = set()
    while growing:
        growing.sort(key=lambda vessel: vessel.radius)
        points, branches = _grow(rng, growing.pop(), anatomy, cells)
        growing += branches
        cells |= {_cell(*point[:2]) for point in points}
        fade = TAPER if _seen(*points[-1][:2], anatomy) else 1
        for number, (a, b) in enumerate(pairwise(points)):
            share = min((len(points) - number) / fade, 1)  # of its radius, close to its end
            segments.append((*a[:2], *b[:2], max(b[2] * share, THINNEST)))
    (x, y), side = anatomy.disc, anatomy.side
    return np.array(segments) * (side, -1, side, -1, 1) + (x, y, x, y, 0)


def _roots(rng: np.random.Generator, anatomy: Anatomy, root: float) -> list[Vessel]:
    """Return the vessels of one kind that leave the disc."""
    width = root * rng.uniform(0.85, 1.15)
    plan = []
    for up in (1, -1):
        plan.append((up * rng.uniform(1.2, 1.8), 1.0, "arcade", up * rng.uniform(2.2, 5)))
        plan.append((up * rng.uniform(1.6, 2.2), rng.uniform(0.6, 0.95), "free", 0.0))
        plan.append((up * rng.uniform(2.2, 2.9), rng.uniform(0.45, 0.85), "free", 0.0))
        plan.append((up * rng.uniform(0.1, 0.8), rng.uniform(0.2, 0.35), "macular", up * 0.05))
    if rng.random() < 0.5:
        plan.append((rng.choice([-1.3, 1.3]), rng.uniform(0.3, 0.6), "free", 0.0))
    roots = []
    for angle, share, course, bend in plan:
        start = anatomy.radius * (0.8 if course == "macular" else rng.uniform(0.2, 0.5))
        place = (start * math.cos(angle) - 0.2 * anatomy.radius, start * math.sin(angle))
        upright = math.copysign(math.pi / 2, angle)  # they climb out of the disc, then turn
        heading = angle if course == "macular" else 0.6 * angle + 0.4 * upright
        roots.append(Vessel(place, heading, share * width, course, bend, 0))
    return roots


def _cell(across: float, up: float) -> tuple[int, int]:
    """Return the cell of a place, in a grid about as wide as the thickest vessels."""
    return math.floor(across * 62), math.floor(up * 62)


def _grow(
    rng: np.random.Generator, vessel: Vessel, anatomy: Anatomy, cells: set[tuple[int, int]]
) -> tuple[list[tuple[float, float, float]], list[Vessel]]:
    """Follow a vessel to its end: return its points (place, radius) and what branches off.

    A branch ends where another vessel of its kind lies: they hardly ever cross.
    """
    (across, up), heading, radius = vessel.place, vessel.heading, vessel.radius
    points, branches = [(across, up, radius)], []
    steps = int(rng.uniform(0.7, 1.5) * (0.03 + 1.4 * (radius / PIXEL / 4) ** 1.7) / STEP)
    thin = min(2 * PIXEL / radius, 1.5)
    turns = rng.normal(0, anatomy.tortuosity * (0.06 + 0.07 * thin), steps).tolist()
    wiggle, until = 0.0, rng.uniform(16, 34)
    for step in range(steps):
        wiggle = 0.86 * wiggle + turns[step]
        heading += 0.1 * _turn(vessel, across, up, heading, anatomy)
        across += STEP * math.cos(heading + wiggle)
        up += STEP * math.sin(heading + wiggle)
        points.append((across, up, radius))
        collision = vessel.depth > 0 and step > 7 and _cell(across, up) in cells
        if collision or _ended(across, up, vessel, anatomy):
            break
        if step > until and vessel.depth < DEEPEST:
            fork = replace(vessel, place=(across, up), heading=heading, radius=radius)
            branch = _branch(rng, fork)
            until = step + rng.exponential(18 + 14 * thin) + 9
            if branch.radius > THINNEST:
                branches.append(branch)
                radius = max((radius**3 - 0.7 * branch.radius**3) ** (1 / 3), THINNEST)
        radius = max(radius * (0.9985 if radius > 3 * PIXEL else 0.996), THINNEST)
    return points, branches


def _turn(vessel: Vessel, across: float, up: float, heading: float, anatomy: Anatomy) -> float:
    """Return the angle from a vessel's heading to where its course wants to go."""
    if vessel.course == "arcade":
        goal = math.atan2(math.copysign(1, vessel.bend), 2 * abs(vessel.bend * up))
    elif vessel.course == "macular":
        goal = math.atan2(anatomy.fovea[1] + vessel.bend - up, anatomy.fovea[0] - across)
    else:
        pull = 0.1 if vessel.depth else 0.3
        goal = heading + pull * math.sin(math.atan2(up, across) - heading)
    weight = 0.4 if vessel.course == "macular" else 1
    return weight * math.remainder(goal - heading, 2 * math.pi)


def _ended(across: float, up: float, vessel: Vessel, anatomy: Anatomy) -> bool:
    """Whether a vessel has left the picture or reached the fovea, where there are none."""
    bend = vessel.bend if vessel.course == "macular" else 0
    near = math.hypot(across - anatomy.fovea[0], up - anatomy.fovea[1] - bend)
    return near < 0.07 or not _seen(across, up, anatomy)


def _seen(across: float, up: float, anatomy: Anatomy) -> bool:
    """Whether a place lies in the picture, or just outside."""
    x, y = anatomy.disc[0] + anatomy.side * across, anatomy.disc[1] - up
    return -0.02 < x < 1.02 and -0.02 < y < 1.02


def _branch(rng: np.random.Generator, parent: Vessel) -> Vessel:
    """Return what branches off a vessel at its present place."""
    across, up = parent.place
    inwards = -1 if up * math.cos(parent.heading) > 0 else 1  # towards the level of the disc
    way = inwards if rng.random() < 0.6 else -inwards
    share = rng.uniform(0.28, 0.8)
    macular = way == inwards and across > 0.05 and share * parent.radius < 3 * PIXEL
    return Vessel(
        place=parent.place,
        heading=parent.heading + way * rng.uniform(0.5, 1.1),
        radius=share * parent.radius,
        course="macular" if macular else "free",
        bend=rng.uniform(-0.12, 0.12),
        depth=parent.depth + 1,
    )


def raster(segments: npt.NDArray[np.float64], size: int) -> tuple[Image, Image]:
    """Return each pixel's distance to the nearest centre line, in radii, and that radius in pixels.

    Outside the vessels the distance is 9 and the radius 0.
    """
    distances, wide = np.full(size * size, 9.0), np.zeros(size * size)
    scaled = segments * size
    scaled = scaled[scaled[:, 4] >= FAINTEST]
    length = np.abs(scaled[:, :2] - scaled[:, 2:4]).max(1)
    reach = np.ceil(np.maximum(scaled[:, 4], 0.5) + length / 2 + 0.5).astype(int)
    for pixels in np.unique(reach):  # thick ones last: theirs is the radius where two overlap
        group = scaled[reach == pixels]
        share = max(CHUNK // (2 * pixels + 1) ** 2, 1)
        for start in range(0, len(group), share):
            _stamp(distances, wide, group[start : start + share], pixels, size)
    return distances.reshape(size, size), wide.reshape(size, size)


def _stamp(distances: Image, wide: Image, group: Image, reach: int, size: int) -> None:
    """Lower distances and set radii in place, within `reach` pixels of the segments' middles."""
    x, y, dx, dy, radius = group.T[:, :, None, None]
    dx, dy = dx - x, dy - y
    offsets = np.arange(-reach, reach + 1)
    columns = np.floor(x + dx / 2).astype(int) + offsets
    rows = np.floor(y + dy / 2).astype(int) + offsets[:, None]
    u, v = (columns + 0.5) - x, (rows + 0.5) - y
    along = np.clip((u * dx + v * dy) / np.maximum(dx**2 + dy**2, 1e-9), 0, 1)
    thickness = np.maximum(radius, 0.55)  # a thinner line would have holes
    distance = np.sqrt((u - along * dx) ** 2 + (v - along * dy) ** 2) / thickness
    near = (distance <= 1) & (columns >= 0) & (columns < size) & (rows >= 0) & (rows < size)
    where = (rows * size + columns)[near]
    np.minimum.at(distances, where, distance[near])
    wide[where] = np.broadcast_to(radius, near.shape)[near]
