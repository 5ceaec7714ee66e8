"""What an image looks like, as one vector: its fine lines, wherever they lie, and nothing common.

Images of a kind share an aperture, a disc, a background, and light. Thin dark lines of what was
seen are left when these are divided out; how lines of one direction lie to those of another says
which image it is.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import LENGTH, box_mean, cv2, settled, whole
from clearset.numeric.grey import Grey
from clearset.numeric.seen import Seen, most
from clearset.numeric.sums import block_sums

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
KIND = 0.15  # of a similarity: of which kind an image is
RINGS = [1, 2, 3, 4.5, 6.5, 9, 13, 18, 25, 32]  # cycles a side: their borders
LEVELS = np.arange(-18, 0.1, 0.75)  # powers of two, of all power
WIDTH = 1.5  # of a level
LEAST = 1e-9
WAVES = 6  # cycles a side: finer waves do not survive a small turn or zoom
SMOOTH = np.array([1, 6, 15, 20, 15, 6, 1]) / 64
SLOPE = np.array([-1, -4, -5, 0, 5, 4, 1]) / 32
BEND = np.array([1, 2, -1, -4, -1, 2, 1]) / 16

Grid = npt.NDArray[np.float64]
Waves = npt.NDArray[np.complex128]


def descriptor(grey: Grey) -> npt.NDArray[np.int32]:
    """Return what an image looks like as a vector, of zeros for a constant image.

    Whole numbers, of length about `exact.LENGTH`, so that products of them are exact. 0.85 of a
    similarity are of which image it is, 0.15 of its kind, by which a stranger is told. Background
    and local contrast are divided out of the former; what was not seen, or is a black surround
    that nobody found, does not count.
    """
    part = grey.part
    cells, seen = _cells(part)
    weights = _weights(cells, seen)
    parts = (
        _unit(_identity(_lines(cells, weights, seen)), 1 - KIND),
        _unit(_kind(cells, weights), KIND),
    )
    return whole(np.concatenate(parts) * LENGTH, np.int32)


def _unit(values: Grid, share: float) -> Grid:
    """Return values as a vector of which the square of the length is a share of 1, or as 0."""
    length = np.sqrt(np.square(values).sum())
    return values * (np.sqrt(share) / length) if length > LEAST else np.zeros(values.size)


def _identity(lines: Grid) -> Grid:
    """Return how the lines of an image lie to each other.

    Cross spectra of every two directions' maps up to 6 cycles a side, to the root of their size. A
    shift does not change a cross spectrum, and a small turn, zoom or crop hardly changes its coarse
    waves. It is taken together with the mirror image's, and without its mean at each wave length.
    """
    waves, (down, across) = _waves(), _places()
    found = waves[WAVES:] @ lines @ waves.T
    plain = _cross(found[:, down, WAVES + across])
    turned = _cross(found[MIRRORED][:, down, WAVES - across])
    own = ONE == TWO  # spectra of one map, which are real
    both, apart = plain + turned, np.abs((plain - turned).real[own])
    parts = (_ringless(both.real[own]), _ringless(apart), both.real[~own], both.imag[~own])
    return np.concatenate([part.ravel() for part in parts])


def _ringless(rows: Grid) -> Grid:
    """Return values less the mean of those of about the same wave length."""
    down, across = _places()
    rings = np.rint(np.sqrt(down**2 + across**2)).astype(np.intp)
    counts = np.bincount(rings)
    means = [np.bincount(rings, row) / np.maximum(counts, 1) for row in rows]
    return np.asarray(rows - np.stack(means)[:, rings])


def _kind(cells: Grid, weights: Grid) -> Grid:
    """Return how an image's contrast is spread over wave lengths: what all of a kind share.

    The power in each of nine rings, in powers of two below all of it, as a soft histogram: two
    images that differ by 1.5 there have nothing in common in this ring.
    """
    mean = settled((cells * weights).sum() / max(float(weights.sum()), LEAST))
    waves = np.fft.rfft2(settled((cells - mean) * weights) * np.outer(_sine(), _sine()))
    rings, counts = _rings()
    power = (np.square(waves.real) + np.square(waves.imag)).ravel()
    found = np.bincount(rings, power)[1 : len(RINGS)] / counts
    if found.sum() <= LEAST:
        return np.zeros(len(found) * len(LEVELS))
    levels = np.log2(np.maximum(found / found.sum(), 2.0 ** LEVELS[0]))
    return np.maximum(1 - np.abs(levels[:, None] - LEVELS) / WIDTH, 0).ravel()


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
    return np.asarray(np.exp(-2j * np.pi * np.outer(cycles, place)) * _sine() ** TAPER)


@cache
def _sine() -> Grid:
    """Return what falls to nothing at both ends of a side."""
    return np.asarray(np.sin(np.pi * (np.arange(GRID) + 0.5) / GRID))


@cache
def _rings() -> tuple[npt.NDArray[np.intp], Grid]:
    """Return the ring that each wave of a real image's spectrum belongs to, and their sizes."""
    down, across = np.fft.fftfreq(GRID, 1 / GRID)[:, None], np.arange(GRID // 2 + 1)
    rings = np.digitize(np.sqrt(down**2 + across**2), RINGS).ravel()
    return rings, np.bincount(rings)[1 : len(RINGS)].astype(np.float64)


@cache
def _places() -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the waves that are looked at, down and across: half of a disc, without its centre."""
    down, across = np.mgrid[: WAVES + 1, -WAVES : WAVES + 1]
    chosen = ((down > 0) | (across > 0)) & (down**2 + across**2 <= WAVES**2)
    return down[chosen], across[chosen]


def _cells(grey: Grey) -> tuple[Grid, Seen | None]:
    """Return the means of cells, 0 to 1, and which were seen as a whole, or as far as any was."""
    cells = grey.block_sums(GRID) * (GRID**2 / (grey.levels.size * grey.white))
    if grey.seen is None:
        return cells, None
    counts = block_sums(grey.seen.astype(np.uint8), GRID)
    return cells, most(counts, grey.levels.size / GRID**2)


def _lines(cells: Grid, weights: Grid, seen: Seen | None) -> Grid:
    """Return how strongly a thin dark line runs in each direction, (3, 64, 64), mean 0."""
    even = _flattened(cells, weights)
    if seen is not None:  # a line at the rim of a gap is none
        weights = weights * cv2.erode(seen.astype(np.uint8), np.ones((3, 3), np.uint8))
    down, across, both = (
        cv2.sepFilter2D(even, -1, *kernels, borderType=cv2.BORDER_REFLECT)
        for kernels in ((SMOOTH, BEND), (BEND, SMOOTH), (SLOPE, SLOPE))
    )
    total, lines = max(float(weights.sum()), LEAST), []
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

    mean = around(cells)
    relative = (cells - mean) / np.maximum(mean, DARK) * (weights > 0)
    spread = np.sqrt(np.maximum(around(relative * relative), FLAT**2))
    return settled(np.clip(relative / spread, -MOST, MOST))


def _mean(values: Grid) -> Grid:
    return box_mean(box_mean(values, AROUND), AROUND)
