"""The power spectrum of an image's blocks, and how much of it lies in which band."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import settled
from clearset.numeric.grey import Grey
from clearset.numeric.seen import most

BLOCK = 64  # px: side of the blocks
WHOLE = 0.95  # share of a block that was seen, from which it counts
TOGETHER = 48  # blocks that are in memory at once, or a row of them
COARSE, MEDIUM, FINE, FLOOR = (0.03, 0.1), (0.13, 0.24), (0.28, 0.5), (0.36, 0.5)  # cycles/px
Spectrum = npt.NDArray[np.float64]
Levels = npt.NDArray[Any]


def band_levels(image: Grey) -> Spectrum | None:
    """Return the power in the bands coarse, medium, fine and floor, (4, 4): four directions each.

    Each block is brought to the same coarse power, and the blocks are averaged in the logarithm.
    None for an image whose blocks are all constant.
    """
    spectrum = _spectrum(image)
    return None if spectrum is None else (_bands() @ spectrum).reshape(4, 4)


def _spectrum(image: Grey) -> Spectrum | None:
    """Return the mean power spectrum of an image's blocks, flat; None when all are constant."""
    total, count = np.zeros(BLOCK * (BLOCK // 2 + 1)), 0
    for blocks in _blocks(image):
        power = _powers(blocks)
        coarse = power @ _coarse()
        usable = coarse > (image.grey / 10) ** 2  # the others hold nothing but rounding
        total += _log_sum(power[usable] / coarse[usable, None] + 1e-6)
        count += int(usable.sum())
    return np.asarray(np.exp(total / count)) if count else None


def _blocks(image: Grey) -> Iterator[Levels]:
    """Yield an image's blocks, (n, 64, 64), of which nearly all was seen.

    Where there is none, those of which most was: what gaps are filled with counts then.
    """
    parts = _parts(_padded(image.levels))
    if image.seen is None:
        yield from parts
        return
    shares = [part.mean(axis=(1, 2)) for part in _parts(_padded(image.seen))]
    looked = most(np.concatenate(shares), WHOLE)
    ends = np.cumsum([len(share) for share in shares])[:-1]
    for blocks, wanted in zip(parts, np.split(looked, ends), strict=True):
        if wanted.any():
            yield blocks[wanted]


def _padded(levels: Levels) -> Levels:
    """Return an image with its mirror image beside it where it is smaller than a block."""
    more = [(0, max(BLOCK - side, 0)) for side in levels.shape]
    return np.pad(levels, more, mode="symmetric") if min(levels.shape) < BLOCK else levels


def _parts(levels: Levels) -> Iterator[Levels]:
    """Yield an image's blocks, (n, 64, 64), some rows of them at a time: memory stays flat."""
    rows, columns = levels.shape[0] // BLOCK, levels.shape[1] // BLOCK
    height = max(TOGETHER // columns, 1)
    for top in range(0, rows, height):
        strip = levels[top * BLOCK : (top + height) * BLOCK, : columns * BLOCK]
        strip = strip[: len(strip) // BLOCK * BLOCK]
        blocks = strip.reshape(-1, BLOCK, columns, BLOCK).swapaxes(1, 2)
        yield blocks.reshape(-1, BLOCK, BLOCK)


def _powers(blocks: Levels) -> Spectrum:
    """Return the power spectra of blocks of levels, (blocks, frequencies)."""
    centred = blocks.astype(np.float64, order="C")
    centred -= centred.mean(
        axis=(1, 2), keepdims=True
    )  # of whole numbers: exact but for one division
    centred *= _window()
    spectra = np.fft.fft(np.fft.rfft(centred), axis=1)  # rfft2 would copy more
    return (spectra.real**2 + spectra.imag**2).reshape(len(blocks), -1)


def _log_sum(ratios: Spectrum) -> Spectrum:
    """Return the sum of the logarithms of each column, of ratios from 1e-6 to about 1e6.

    Products of eight have the same logarithm, at an eighth of the cost.
    """
    even = len(ratios) // 8 * 8
    eights = np.multiply.reduce(ratios[:even].reshape(-1, 8, ratios.shape[1]), axis=1)
    return np.asarray(np.log(np.concatenate([eights, ratios[even:]])).sum(axis=0))


@cache
def _window() -> Spectrum:
    window = np.hanning(BLOCK)
    return np.outer(window, window)


@cache
def _coarse() -> Spectrum:
    """Return the weights that average a block's coarse detail."""
    return np.asarray(_bands()[:4].mean(axis=0))


@cache
def _bands() -> Spectrum:
    """Return the weights that average a block's spectrum: four bands, four directions each."""
    y, x = np.fft.fftfreq(BLOCK)[:, None], np.fft.rfftfreq(BLOCK)[None]
    frequency = settled(np.sqrt(y * y + x * x))
    # Many frequencies lie between two directions to the last digit: settled, all to one side.
    quarter = np.floor(settled((np.arctan2(y, x) / np.pi + 0.5) * 4)) % 4
    weights = np.stack(
        [
            ((frequency >= low) & (frequency < high) & (quarter == direction)).ravel()
            for low, high in (COARSE, MEDIUM, FINE, FLOOR)
            for direction in range(4)
        ]
    )
    return weights / weights.sum(axis=1, keepdims=True)
