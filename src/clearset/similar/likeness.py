"""What an image looks like, as one vector: its fine lines, wherever they lie, and nothing common.

Images of a kind share an aperture, a disc, a background, and light. Thin dark lines of what was
seen are left when these are divided out; how lines of one direction lie to those of another says
which image it is.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import LENGTH, box_mean, cv2, settled, whole
from clearset.numeric.grey import Grey, block_sums

GRID = 64  # cells a side that an image is averaged to before it is described
AROUND = 5  # cells, twice: what is larger is background
DARK = 0.02  # of white: of darker backgrounds contrast is not a share of their own brightness
FLAT = 0.01  # contrast below which nothing is raised to the others'
MOST = 3.0  # of local contrasts: what stands out further counts as much
BLACK = 0.4  # of the way from darkest to mean: what lies lower over a whole surface is a surround
SURFACE, RIM = 5, 11  # cells: the least side of a surface, and what is left out with it
FAINT = 0.03  # weight of a surround, so that an image that is all surround is still described
ANGLES = 3  # directions of lines, 60 degrees apart
MIRRORED = [0, 2, 1]  # of the mirror image
ONE, TWO = np.triu_indices(ANGLES)  # every two directions
TAPER = 1.5  # power of a sine
WAVES = 6  # cycles a side: finer waves do not survive a small turn or zoom
SMOOTH = np.array([1, 6, 15, 20, 15, 6, 1]) / 64
SLOPE = np.array([-1, -4, -5, 0, 5, 4, 1]) / 32
BEND = np.array([1, 2, -1, -4, -1, 2, 1]) / 16

Grid = npt.NDArray[np.float64]
Seen = npt.NDArray[np.bool_]
Waves = npt.NDArray[np.complex128]


def descriptor(grey: Grey) -> npt.NDArray[np.int32]:
    """Return what an image looks like as a vector, of zeros for one without structure.

    Whole numbers, of length about `exact.LENGTH`, so that products of them are exact. How strongly
    thin dark lines run in each of three directions, as cross spectra of every two of these maps up
    to 6 cycles a side, to the root of their size. A shift does not change a cross spectrum (Kuglin
    and Hines, 1975: the phase correlation image alignment method), and a small turn, zoom or crop
    hardly changes its coarse waves. It is taken together with the mirror image's. Background and
    local contrast are divided out first; what was not seen, or is a black surround that nobody
    found, does not count.
    """
    waves, (down, across) = _waves(), _places()
    found = waves[WAVES:] @ _lines(grey.part) @ waves.T
    plain = _cross(found[:, down, WAVES + across])
    turned = _cross(found[MIRRORED][:, down, WAVES - across])
    own = ONE == TWO  # spectra of one map, which are real
    power, apart = (side.real[own] for side in (plain + turned, plain - turned))
    both = (plain + turned)[~own]
    parts = (_centred(power), _centred(np.abs(apart)), both.real, both.imag)
    vector = np.concatenate([part.ravel() for part in parts])
    length = np.sqrt(np.square(vector).sum())
    return whole(vector * (LENGTH / length if length else 0.0), np.int32)


def _centred(rows: Grid) -> Grid:
    return np.asarray(rows - rows.mean(axis=1, keepdims=True))


def _cross(found: Waves) -> Waves:
    """Return the cross spectra of every two maps, each value to the root of its size.

    Last digits differ between processors, and the root of nothing but these would be seen.
    """
    real, imaginary = settled(found.real), settled(found.imag)
    level = real[ONE] * real[TWO] + imaginary[ONE] * imaginary[TWO]
    aside = imaginary[ONE] * real[TWO] - real[ONE] * imaginary[TWO]
    root = np.sqrt(np.sqrt(level * level + aside * aside))
    root[root == 0] = 1
    return np.asarray(level / root + 1j * (aside / root))


@cache
def _waves() -> Waves:
    """Return the waves from -6 to 6 cycles a side, (13, 64), smaller towards both ends.

    What comes in at an edge, or goes out, when an image is shifted then matters less.
    """
    place, cycles = (np.arange(GRID) + 0.5) / GRID, np.arange(-WAVES, WAVES + 1)
    return np.asarray(np.exp(-2j * np.pi * np.outer(cycles, place)) * np.sin(np.pi * place) ** TAPER)


@cache
def _places() -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the waves that are looked at, down and across: half of a disc, without its centre."""
    down, across = np.mgrid[: WAVES + 1, -WAVES : WAVES + 1]
    chosen = ((down > 0) | (across > 0)) & (down**2 + across**2 <= WAVES**2)
    return down[chosen], across[chosen]


def _lines(grey: Grey) -> Grid:
    """Return how strongly a thin dark line runs in each direction, (3, 64, 64), mean 0."""
    cells = block_sums(grey.levels, GRID) * (GRID**2 / (grey.levels.size * grey.white))
    seen = None
    if grey.seen is not None:
        counts = block_sums(grey.seen.astype(np.uint8), GRID)
        seen = counts >= min(grey.levels.size / GRID**2, float(counts.max()))
    weights = _weights(cells, seen)
    even = _flattened(cells, weights)
    if seen is not None:
        weights = weights * cv2.erode(seen.astype(np.uint8), np.ones((3, 3), np.uint8))
    down, across, both = (
        cv2.sepFilter2D(even, -1, *kernels, borderType=cv2.BORDER_REFLECT)
        for kernels in ((SMOOTH, BEND), (BEND, SMOOTH), (SLOPE, SLOPE))
    )
    total, lines = max(float(weights.sum()), 1e-9), []
    for angle in np.arange(ANGLES) * np.pi / ANGLES:
        along, aside = settled(np.cos(2 * angle)), settled(np.sin(2 * angle))
        line = np.maximum((across + down + along * (across - down)) / 2 + aside * both, 0)
        lines.append((line - settled((line * weights).sum() / total)) * weights)
    return np.stack(lines)


def _weights(cells: Grid, seen: Seen | None) -> Grid:
    """Return how much each cell counts: 0 not seen, little on a black surround, else 1."""
    known = cells.ravel() if seen is None else cells[seen]
    darkest, mean = np.partition(known, known.size // 100)[known.size // 100], known.mean()
    if seen is not None:
        cells = np.where(seen, cells, mean)
    surface = cv2.erode(_around(cells), np.ones((RIM, RIM), np.uint8))
    bright = (surface - darkest) / max(BLACK * (mean - darkest), 1e-9)
    weights = np.clip(settled(bright), FAINT, 1)
    return weights if seen is None else weights * seen


def _around(cells: Grid) -> Grid:
    """Return the brightest of what lies around each cell."""
    return np.asarray(cv2.dilate(cells, np.ones((SURFACE, SURFACE), np.uint8)), np.float64)


def _flattened(cells: Grid, weights: Grid) -> Grid:
    """Return how far each cell lies above its surroundings, in their own contrasts, -3 to 3."""
    if weights.all() and weights.min() == 1:
        around = _mean
    else:
        shares = np.maximum(_mean(weights), 1e-6)

        def around(values: Grid) -> Grid:
            return np.asarray(_mean(values * weights) / shares)

    relative = (cells / np.maximum(around(cells), DARK) - 1) * (weights > 0)
    spread = np.sqrt(np.maximum(around(relative * relative), FLAT**2))
    return settled(np.clip(relative / spread, -MOST, MOST))


def _mean(values: Grid) -> Grid:
    return box_mean(box_mean(values, AROUND), AROUND)
