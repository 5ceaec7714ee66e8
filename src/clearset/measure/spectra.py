"""The power spectrum of an image's blocks: what of it is structure, and how far that is blurred."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import settled
from clearset.numeric.grey import Grey
from clearset.numeric.seen import most

BLOCK = 64  # px: side of the blocks
WHOLE = 0.95  # share of a block that was seen, from which it counts
SMALL = 32  # blocks' areas: those of a smaller image overlap
TOGETHER = 48  # blocks that are in memory at once, or a row of them
COARSE, FINE = (0.03, 0.1), (0.28, 0.5)  # cycles/px
DIRECTIONS, RINGS = 4, 12
EDGES = np.geomspace(COARSE[0], FINE[1], RINGS + 1)  # cycles/px, of the rings
LOWEST = 4  # rings by which blocks are told quiet from structured, and that always count a little
STRATA = 3  # of brightness, within each of which noise is looked for: it may grow with the light
QUIET, STRUCTURED = 0.25, 0.5  # shares of a stratum's blocks
FEWEST = 8  # blocks of a stratum
LEARNT = 9  # blocks from which noise is told from structure at all
GRAIN, STEEPEST = 7, 2.0  # ring below which the power of noise falls by this exponent at most
FALL = 3.0  # exponent of the frequency by which the power of natural images falls
NOISY = 0.2  # structure against noise, below which a ring tells nothing,
FAINT = 0.1  # and the least that is assumed of it
LEAST = 1e-2  # power of coarse detail in 8-bit grey levels: what has less holds but rounding
LITTLE = 0.02  # weight of the lowest rings, at least
ROUNDING = 1 / 12  # variance of 8-bit grey levels by rounding: less is no structure
DOUBT = 0.005  # px^-4: where noise leaves so little to go by, half the blur is believed,
LIKELY = 0.3  # and of so little in one direction, half that it is as in the others
Spectrum = npt.NDArray[np.float64]
Levels = npt.NDArray[Any]


@dataclass(frozen=True)
class Structure:
    """What an image's spectrum says of its structure, in four directions."""

    fine: Spectrum  # power of fine against coarse detail, noise included, (4,)
    blur: Spectrum  # px^2: variance of the Gaussian blur that fits; below 0 for crisp texture, (4,)


def structure(image: Grey) -> Structure | None:
    """Return what the spectra of an image's blocks say; None when all blocks are constant."""
    bands, light = [], []
    for blocks in _blocks(image):
        sums = blocks.reshape(len(blocks), -1).sum(axis=1, dtype=np.uint32)  # of 2^12 levels each
        bands.append(_powers(blocks, sums) @ _weights().T / image.grey**2)
        light.append(sums.astype(np.int64))
    fine, rings = np.split(np.concatenate(bands), [2 * DIRECTIONS], axis=1)
    coarse = fine[:, :DIRECTIONS].mean(axis=1)
    usable = coarse > LEAST
    if not usable.any():
        return None
    ratios = fine[usable] / coarse[usable, None] + 1e-9
    mean = np.exp(np.log(ratios).mean(axis=0))  # so that a few strong edges do not speak for all
    signal, noise = _parted(rings, np.concatenate(light))
    return Structure(mean[DIRECTIONS:] / mean[:DIRECTIONS], _blur(signal, noise))


def _parted(rings: Spectrum, light: npt.NDArray[np.int64]) -> tuple[Spectrum, Spectrum]:
    """Return the power of structure and of noise, (4, 12), from that of blocks, (n, 48).

    Within blocks of like `light`, (n,), those with the least coarse detail show the noise, and
    those with much of it structure on top of as much noise. Of fewer than nine blocks all counts as
    structure.
    """
    coarse = rings.reshape(len(rings), DIRECTIONS, RINGS)[..., :LOWEST].sum(axis=(1, 2))
    strata = np.array_split(
        np.argsort(light, kind="stable"), max(min(STRATA, len(rings) // FEWEST), 1)
    )
    signal, noise = np.zeros(rings.shape[1]), np.zeros(rings.shape[1])
    for stratum in strata:
        ordered = stratum[np.argsort(settled(coarse[stratum]), kind="stable")]
        quiet = rings[ordered[: int(QUIET * len(ordered))]]
        level = _noise(quiet.mean(axis=0)) if len(rings) >= LEARNT else np.zeros(rings.shape[1])
        signal += rings[ordered[int(STRUCTURED * len(ordered)) :]].mean(axis=0) - level
        noise += level
    shape = DIRECTIONS, RINGS
    return signal.reshape(shape) / len(strata), noise.reshape(shape) / len(strata)


def _noise(quiet: Spectrum) -> Spectrum:
    """Return what of the power of quiet blocks, (48,), may be noise; the rest is texture.

    Below a fifth of a cycle per pixel noise, however coarse its grain, grows no faster than 1/f^2.
    """
    rings, frequencies = quiet.reshape(DIRECTIONS, RINGS), _frequencies()
    growth = np.maximum(frequencies[:, GRAIN : GRAIN + 1] / frequencies, 1) ** STEEPEST
    most = np.where(growth > 1, rings[:, GRAIN : GRAIN + 1] * growth, rings)
    return np.minimum(rings, most).reshape(quiet.shape)


def _blur(signal: Spectrum, noise: Spectrum) -> Spectrum:
    """Return the variance of the blur, in px^2, that fits the power of structure, (4,).

    The logarithm of a natural image's power, 1/f^3, less what a Gaussian takes of it, weighted by
    how far structure stands above noise (as a Wiener filter does). What little is seen through
    strong noise is drawn towards the blur in all directions, and that towards 0.
    """
    noise = noise + ROUNDING * np.square(_window()).sum()
    clear = np.maximum(signal, 0) / noise
    weights = np.where(clear > NOISY, (clear / (1 + clear)) ** 2, 0)
    weights[:, :LOWEST] = np.maximum(weights[:, :LOWEST], LITTLE)
    frequencies = _frequencies()
    power = np.log(np.maximum(signal, FAINT * noise)) + FALL * np.log(frequencies)
    lost = -4 * np.pi**2 * frequencies**2
    total = weights.sum(axis=1, keepdims=True)
    centred = lost - (weights * lost).sum(axis=1, keepdims=True) / total
    slope, sure = (weights * centred * power).sum(axis=1), (weights * centred**2).sum(axis=1)
    alike = slope.sum() / (sure.sum() + DOUBT)
    return np.asarray((slope + LIKELY * alike) / (sure + LIKELY))


def _blocks(image: Grey) -> Iterator[Levels]:
    """Yield an image's blocks, (n, 64, 64), of which nearly all was seen.

    Those of a small image overlap by half, so that there are enough of them.

    Where there is none, those of which most was: what gaps are filled with counts then.
    """
    padded = _padded(image.levels)
    step = BLOCK if padded.size >= SMALL * BLOCK**2 else BLOCK // 2
    parts = _parts(padded, step)
    if image.seen is None:
        yield from parts
        return
    shares = [part.mean(axis=(1, 2)) for part in _parts(_padded(image.seen), step)]
    looked = most(np.concatenate(shares), WHOLE)
    ends = np.cumsum([len(share) for share in shares])[:-1]
    for blocks, wanted in zip(parts, np.split(looked, ends), strict=True):
        if wanted.any():
            yield blocks[wanted]


def _padded(levels: Levels) -> Levels:
    """Return an image with its mirror image beside it where it is smaller than a block."""
    more = [(0, max(BLOCK - side, 0)) for side in levels.shape]
    return np.pad(levels, more, mode="symmetric") if min(levels.shape) < BLOCK else levels


def _parts(levels: Levels, step: int) -> Iterator[Levels]:
    """Yield an image's blocks, (n, 64, 64), some rows of them at a time: memory stays flat."""
    windows = np.lib.stride_tricks.sliding_window_view(levels, (BLOCK, BLOCK))[::step, ::step]
    height = max(TOGETHER // windows.shape[1], 1)
    for top in range(0, len(windows), height):
        yield windows[top : top + height].reshape(-1, BLOCK, BLOCK)


def _powers(blocks: Levels, sums: Levels) -> Spectrum:
    """Return the power spectra of blocks of levels with these sums, (blocks, frequencies)."""
    centred = np.subtract(blocks, (sums / BLOCK**2)[:, None, None])
    centred *= _window()
    spectra = np.fft.rfft(centred)  # rfft2 would copy more
    np.fft.fft(spectra, axis=1, out=spectra)
    powers = np.square(spectra.real)
    powers += np.square(spectra.imag)
    return powers.reshape(len(blocks), -1)


@cache
def _window() -> Spectrum:
    window = np.hanning(BLOCK)
    return np.outer(window, window)


@cache
def _plane() -> tuple[Spectrum, Spectrum]:
    """Return the frequency of each place of a block's spectrum, and its direction, 0 to 3."""
    y, x = np.fft.fftfreq(BLOCK)[:, None], np.fft.rfftfreq(BLOCK)[None]
    # Many frequencies lie between two directions to the last digit: settled, all to one side.
    quarter = np.floor(settled((np.arctan2(y, x) / np.pi + 0.5) * DIRECTIONS)) % DIRECTIONS
    return settled(np.sqrt(y * y + x * x)).ravel(), quarter.ravel()


def _averages(bands: list[tuple[float, float]]) -> Spectrum:
    """Return the weights that average a block's spectrum in bands, by direction within each."""
    frequency, quarter = _plane()
    weights = np.stack(
        [
            (frequency >= low) & (frequency < high) & (quarter == direction)
            for low, high in bands
            for direction in range(DIRECTIONS)
        ]
    )
    return weights / weights.sum(axis=1, keepdims=True)


@cache
def _weights() -> Spectrum:
    """Return the weights that average a block's spectrum: coarse, fine, then the rings' directions.

    (4 + 4 + 4 * 12, frequencies).
    """
    edges = settled(EDGES).tolist()
    rings = _averages(list(pairwise(edges)))
    rings = rings.reshape(RINGS, DIRECTIONS, -1).swapaxes(0, 1).reshape(RINGS * DIRECTIONS, -1)
    return np.concatenate([_averages([COARSE, FINE]), rings])


@cache
def _frequencies() -> Spectrum:
    """Return the mean frequency of each ring, in cycles/px, (4, 12)."""
    means = _weights()[2 * DIRECTIONS :] @ _plane()[0]
    return np.asarray(means.reshape(DIRECTIONS, RINGS))
