"""Streets, houses and single trees of a generated satellite scene."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clearset.generate.satellite.lattices import REACH, Lattice, at
from clearset.generate.satellite.scenery import COLOURS, Setting
from clearset.generate.satellite.shapes import Points, Shapes, discs, rectangles, turned

Random = np.random.Generator


@dataclass(frozen=True)
class Plan:
    """The blocks of a town before it is turned: their corners at the least and most x and y."""

    low: Points  # (n, 2)
    high: Points
    turn: float  # radians, about the middle of the tile


def inks(rng: Random, names: Sequence[str], count: int, spread: float) -> Points:
    """Return inks of materials drawn by name, (count, 4), `spread` apart in brightness."""
    colours = np.array([COLOURS[name] for name in names])[rng.integers(len(names), size=count)]
    colours[:, :3] *= np.exp(rng.normal(0, spread, (count, 1)))
    return np.clip(colours, 0, 1)


def blocks(
    rng: Random, setting: Setting, turn: float, patches: Lattice, wet: Lattice | None
) -> Plan:
    """Return the blocks that are built: where the patches allow it, and on dry ground."""
    step = np.array(setting.block) * setting.scale
    x, y = _edges(rng, step[0]), _edges(rng, step[1])
    low = np.stack(np.meshgrid(x[:-1], y[:-1]), axis=-1).reshape(-1, 2)
    high = np.stack(np.meshgrid(x[1:], y[1:]), axis=-1).reshape(-1, 2)
    centre = turned((low + high) / 2, turn) + 0.5
    built = (at(patches, centre) < setting.town) & _near(centre) & _dry(wet, centre)
    return Plan(low[built], high[built], turn)


def _edges(rng: Random, step: float) -> npt.NDArray[np.float64]:
    """Return where streets lie, about `step` apart, from one end of the ground to the other."""
    return np.cumsum(step * rng.uniform(0.7, 1.35, int(3 / step) + 2)) - 1.5


def _near(places: Points) -> npt.NDArray[np.bool_]:
    return np.asarray((np.abs(places - 0.5) < 0.6 + REACH).all(axis=-1))


def _dry(wet: Lattice | None, places: Points) -> npt.NDArray[np.bool_]:
    """Return which places lie well away from the water."""
    return np.ones(places.shape[:-1], bool) if wet is None else at(wet, places) < -0.025


def streets(rng: Random, setting: Setting, plan: Plan) -> Shapes:
    """Return what fills the blocks, if anything does, and the streets around them."""
    half, centre = (plan.high - plan.low) / 2, (plan.high + plan.low) / 2
    count = len(centre)
    corners, colours = [], []
    if setting.court:
        corners.append(rectangles(centre, half))
        colours.append(inks(rng, (setting.court, "meadow", "court"), count, 0.12))
    width = setting.street * setting.scale
    paving = np.repeat(inks(rng, (setting.paving,), 1, 0.1), count, axis=0)
    for side in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        lying = np.abs(np.array(side))
        corners.append(rectangles(centre + side * half, half * (1 - lying) + width / 2))
        colours.append(paving)
    corners.append(_cars(rng, width, centre, half))
    colours.append(inks(rng, ("light", "slate", "metal", "tile"), len(corners[-1]), 0.3))
    return Shapes(turned(np.concatenate(corners), plan.turn) + 0.5, np.concatenate(colours))


def _cars(rng: Random, width: float, centre: Points, half: Points) -> Points:
    """Return cars along two sides of each block, (n, 4, 2)."""
    count = len(centre)
    place = rng.uniform(-0.95, 0.95, (6, count))
    lane = rng.choice([-1, 1], (6, count)) * 0.28 * width
    side = np.repeat([0, 1], 3)[:, None]
    offset = half[:, 0] * (1 - side) + half[:, 1] * side + lane
    along = place * (half[:, 1] * (1 - side) + half[:, 0] * side)
    x, y = np.where(side == 0, offset, along), np.where(side == 0, along, offset)
    size = np.where(side[..., None] == 0, (0.0028, 0.0062), (0.0062, 0.0028)) * (width / 0.02)
    sizes = np.broadcast_to(size, (6, count, 2)).reshape(-1, 2)
    return rectangles((centre + np.stack([x, y], axis=-1)).reshape(-1, 2), sizes)


def houses(rng: Random, setting: Setting, plan: Plan, wet: Lattice | None) -> Shapes:
    """Return the roofs: in rows along each block, some of another size, some left out."""
    along, across = setting.lots
    grid = np.stack(np.meshgrid(np.arange(along), np.arange(across)), axis=-1).reshape(-1, 2)
    inner = (plan.high - plan.low) - setting.street * setting.scale * 1.5
    lot = inner[:, None] / (along, across)
    place = (plan.low + plan.high)[:, None] / 2 - inner[:, None] / 2 + (grid + 0.5) * lot
    place, lot = place.reshape(-1, 2), np.broadcast_to(lot, place.shape).reshape(-1, 2)
    count = len(place)
    share = np.clip(rng.normal(0.66, 0.13, (count, 2)), 0.35, 0.9)
    place = place + rng.uniform(-0.5, 0.5, (count, 2)) * (1 - share) * lot
    angle = rng.normal(0, 0.04, count)
    corners = turned(rectangles(place, share * lot / 2, angle), plan.turn) + 0.5
    standing = (
        (rng.random(count) < 0.88) & _near(corners).all(axis=1) & _dry(wet, corners).all(axis=1)
    )
    standing &= (share * lot).min(axis=1) > 0.008  # anything smaller is a shed
    return Shapes(corners, inks(rng, setting.roofs, count, 0.14)).subset(standing)


def details(rng: Random, roofs: Shapes) -> Shapes:
    """Return what stands on about half of the roofs: stairs, vents, tanks."""
    some = roofs.subset(rng.random(len(roofs.inks)) < 0.5)
    count = len(some.inks)
    across, down = rng.uniform(0.08, 0.65, (2, count, 1, 1))
    size = rng.uniform(0.12, 0.28, (count, 1, 1))
    first, second, _, last = np.split(some.corners, 4, axis=1)
    corners = first + across * (second - first) + down * (last - first)
    corners = corners + size * (some.corners - first)
    light = rng.choice([0.5, 1.35], (count, 1))
    return Shapes(corners, np.clip(some.inks * light, 0, 1))


def trees(rng: Random, setting: Setting, wet: Lattice | None) -> Shapes:
    """Return the crowns of single trees; they stand in groups."""
    groups = max(setting.trees // 4, 1)
    middle = rng.uniform(-REACH, 1 + REACH, (groups, 2))
    count = setting.trees * 4
    place = middle[rng.integers(groups, size=count)] + rng.normal(0, 0.035, (count, 2))
    radius = rng.uniform(0.004, 0.0115, count) * setting.scale
    return Shapes(discs(place, radius), inks(rng, ("tree",), count, 0.25)).subset(_dry(wet, place))
