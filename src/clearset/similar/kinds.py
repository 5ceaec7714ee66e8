"""Of which kind an image is, as one vector: all that images of one kind share.

What makes images of one set alike, their aperture, disc, background and light, is what tells a
stranger among them. `likeness` leaves just that out.
"""

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import LENGTH, smoothed, whole
from clearset.numeric.grey import Grey
from clearset.numeric.sums import block_sums

GRID = 32  # cells a side that an image is averaged to before it is described
SIZE = GRID**2 // 4 + GRID // 2 * (GRID // 2 + 1)  # of a vector
LEAST = 1e-9

Grid = npt.NDArray[np.float64]


def kind(grey: Grey) -> npt.NDArray[np.int32]:
    """Return of which kind an image is, as a vector of 528 whole numbers; zeros for a constant one.

    Of length about `exact.LENGTH`, so that products of them are exact. Two halves of equal weight.
    A smoothed 16 x 16 thumbnail, split into its mirror-symmetric part and the magnitude of the
    rest: the same for a mirror image. The log magnitude of a 32 x 32 thumbnail's spectrum, averaged
    with its mirror image's: hardly changed by a shift. Brightness and contrast cancel out. Gaps are
    as bright as the mean of what was seen.
    """
    cells = _cells(grey.part)
    thumbnail = cells.reshape(GRID // 2, 2, GRID // 2, 2).mean(axis=(1, 3))
    thumbnail = smoothed(thumbnail - thumbnail.mean(), 1.0)
    mirrored = thumbnail[:, ::-1]
    half = GRID // 4
    even, odd = (thumbnail + mirrored)[:, :half], np.abs(thumbnail - mirrored)[:, :half]
    window = np.hanning(GRID)
    spectrum = np.abs(np.fft.fft2((cells - cells.mean()) * np.outer(window, window)))[: GRID // 2]
    symmetric = np.log1p(spectrum) + np.log1p(np.roll(spectrum[:, ::-1], 1, axis=1))
    parts = (
        np.concatenate([even.ravel(), (odd - odd.mean()).ravel()]),
        symmetric[:, : GRID // 2 + 1],
    )
    unit = np.concatenate([_unit(parts[0]), _unit(parts[1] - parts[1].mean())])
    return whole(unit * LENGTH, np.int32)


def _cells(grey: Grey) -> Grid:
    """Return an image's cells; of one with gaps, how far each lies above the mean of the seen."""
    full = grey.levels.size * grey.white / GRID**2
    if grey.seen is None:
        return grey.block_sums(GRID) / full
    sums = block_sums(np.where(grey.seen, grey.levels, 0), GRID)
    counts = block_sums(grey.seen.astype(np.uint8), GRID)
    return (sums - counts * (sums.sum() / counts.sum())) / full


def _unit(values: Grid) -> Grid:
    """Return the values as a vector of length sqrt(1/2), or 0."""
    norm = np.sqrt(np.square(values).sum())
    return values.ravel() / (norm * np.sqrt(2)) if norm > LEAST else np.zeros(values.size)
