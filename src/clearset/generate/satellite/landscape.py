"""What lies where on the ground of a generated satellite scene.

The ground reaches half a tile's side beyond the tile on each side, so that a window of it can be
moved by as much. Nothing here depends on how many pixels a tile has.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clearset.generate.satellite.lattices import REACH, Lattice, axis, grain, noise, slope
from clearset.generate.satellite.scenery import SETTINGS, Setting
from clearset.generate.satellite.settlement import blocks, details, houses, inks, streets, trees
from clearset.generate.satellite.shapes import Points, Shapes, rectangles, strip, turned

Random = np.random.Generator
CLOUDY = 0.12  # share of the scenes with clouds


@dataclass(frozen=True)
class Land:
    """The ground of one scene; a lattice that would show nothing is None."""

    setting: Setting
    sun: float  # radians, the way that shadows fall, from right to down
    fields: Shapes
    rows: npt.NDArray[np.float64]  # (fields, 3): rows a side across x and y, and their strength
    ways: Shapes  # courts, streets, roads
    trees: Shapes
    roofs: Shapes
    details: Shapes  # what stands on the roofs
    heights: npt.NDArray[np.float64]  # of the roofs: the lengths of their shadows
    light: Lattice  # how light slopes and soils are, about 1
    grain: Lattice  # rough, for all that is small
    clumps: Lattice  # the same in the light of the sun, over the whole ground
    wood: Lattice | None  # a wood where it is above 0
    wet: Lattice | None  # water where it is above 0, about the sides from the shore
    cloud: Lattice | None  # how much of the ground it hides, 0 to 1


def land(rng: Random) -> Land:
    """Draw the ground of one scene."""
    shares = np.array([setting.share for setting in SETTINGS])
    setting = SETTINGS[int(rng.choice(len(SETTINGS), p=shares / shares.sum()))]
    sun, turn = rng.uniform(0, 2 * np.pi), rng.uniform(0, np.pi)
    relief, patches = noise(rng, 2.0, 2.0)
    wet = _water(rng, setting, relief)
    fields, rows = _fields(rng, setting, turn)
    plan = blocks(rng, setting, turn, patches, wet)
    rough, lit = grain(rng), sun + np.pi
    ways = [_roads(rng, setting, turn), streets(rng, setting, plan)]
    roofs = houses(rng, setting, plan, wet)
    return Land(
        setting=setting,
        sun=sun,
        fields=fields,
        rows=rows,
        ways=Shapes(
            np.concatenate([w.corners for w in ways]), np.concatenate([w.inks for w in ways])
        ),
        trees=trees(rng, setting, wet),
        roofs=roofs,
        details=details(rng, roofs),
        heights=setting.height * setting.scale * rng.lognormal(0, 0.35, len(roofs.corners)),
        light=1 + setting.relief * slope(relief, lit) + 0.05 * relief,
        grain=rough,
        clumps=np.tile(slope(rough, lit), (2, 2)),
        wood=patches - setting.wood if setting.wood < 3 else None,
        wet=wet,
        cloud=_clouds(rng) if rng.random() < CLOUDY else None,
    )


def _water(rng: Random, setting: Setting, relief: Lattice) -> Lattice | None:
    """Return how far inside the water a place lies, about in sides; None: there is none."""
    angle, place, width = rng.uniform((0, -0.2, 0.02), (2 * np.pi, 0.15, 0.06))
    line = axis() - 0.5
    ramp = np.cos(angle) * line + np.sin(angle) * line[:, None]
    shore = ramp + 0.06 * relief
    if setting.water == "sea":
        return shore + place
    if setting.water == "river":
        return width - np.abs(shore + place)
    if setting.water == "lake":
        return 0.12 * (relief - 1.3)
    return None


def _clouds(rng: Random) -> Lattice:
    """Return small clouds: how much of the ground below each place they hide, 0 to 1."""
    puffs, _ = noise(rng, 5.0, 2.4)
    return np.clip((puffs - rng.uniform(1.3, 1.9)) * 0.8, 0, 0.8)


def _fields(rng: Random, setting: Setting, turn: float) -> tuple[Shapes, Points]:
    """Return fields that a hedge or a track parts, and the rows in each."""
    low, high = _cut(rng, setting.field)
    gap = rng.uniform(0.0015, 0.005)
    corners = rectangles((low + high) / 2, np.maximum((high - low) / 2 - gap, 0.002))
    corners = turned(corners + rng.normal(0, 0.3 * gap, corners.shape), turn) + 0.5
    near = (corners.max(axis=1) > -REACH) & (corners.min(axis=1) < 1 + REACH)
    corners = corners[near.all(axis=1)]
    count = len(corners)
    period = rng.uniform(0.007, 0.018, count)
    along = turn + np.where(rng.random(count) < 0.5, 0, np.pi / 2) + rng.normal(0, 0.02, count)
    strength = rng.uniform(0.02, 0.16, count) * (rng.random(count) < setting.rows)
    rows = np.stack([np.cos(along) / period, np.sin(along) / period, strength], axis=1)
    return Shapes(corners, inks(rng, setting.crops, count, 0.13)), rows


def _cut(rng: Random, least: float) -> tuple[Points, Points]:
    """Return rectangles that fill the ground: it is cut until none is much larger than `least`.

    At 0 there are none. They are given by their corners at the least and the most x and y.
    """
    waiting = [(-1.5, -1.5, 1.5, 1.5)] if least else []
    low, high = [], []
    while waiting:
        left, top, right, bottom = waiting.pop()
        wide, tall = right - left, bottom - top
        size, share = least * rng.uniform(0.7, 2.2), rng.uniform(0.3, 0.7)
        if max(wide, tall) < size or wide * tall < 0.6 * size * size:
            low.append((left, top))
            high.append((right, bottom))
        elif wide > tall:
            cut = left + share * wide
            waiting += [(left, top, cut, bottom), (cut, top, right, bottom)]
        else:
            cut = top + share * tall
            waiting += [(left, top, right, cut), (left, cut, right, bottom)]
    return np.array(low).reshape(-1, 2), np.array(high).reshape(-1, 2)


def _roads(rng: Random, setting: Setting, turn: float) -> Shapes:
    """Return the main roads: long gentle bends, each with its shoulders."""
    corners, colours = [np.empty((0, 4, 2))], [np.empty((0, 4))]
    along = np.linspace(-1.2, 1.2, 40)
    for number in range(int(rng.integers(*setting.roads))):
        bend, waves, phase, aside = rng.uniform((0, 1, 0, -0.6), (0.06, 3, 2 * np.pi, 0.6))
        line = np.stack([along, aside + bend * np.sin(waves * along * np.pi + phase)], axis=1)
        heading = turn + number * np.pi / 2 + rng.normal(0, 0.12)
        line = turned(line, heading) + 0.5
        width = rng.uniform(0.008, 0.022) * setting.scale
        for share, name in ((1.6, "verge"), (1.0, setting.paving)):
            band = strip(line, share * width)
            corners.append(band)
            colours.append(np.repeat(inks(rng, (name,), 1, 0.1), len(band), axis=0))
    return Shapes(np.concatenate(corners), np.concatenate(colours))
