"""Smooth random values over the ground of a generated scene, and how a window of it shows them."""

import math
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft

from clearset.generate.satellite.shapes import Points, Window
from clearset.numeric.exact import cv2

Lattice = npt.NDArray[np.float64]  # values over the whole ground
Image = npt.NDArray[np.float64]

REACH = 0.5  # how far the ground goes on beyond a tile on each side, in sides of a tile
CELLS = 216  # of a lattice along the ground, which is two sides long


def noise(rng: np.random.Generator, knee: float, slope: float) -> tuple[Lattice, Lattice]:
    """Return two lattices of mean 0 and spread 1 that go on at their ends as they begin.

    Their amplitude falls with the frequency to the power of `slope`, from `knee` waves on.
    """
    real, imaginary = rng.standard_normal((2, CELLS, CELLS))
    both = fft.ifft2((real + 1j * imaginary) * _amplitude(knee, slope))
    return both.real / both.real.std(), both.imag / both.imag.std()


@cache
def _amplitude(knee: float, slope: float) -> Lattice:
    waves = fft.fftfreq(CELLS, 1 / CELLS)
    amplitude = (knee**2 + waves**2 + waves[:, None] ** 2) ** (-slope / 2)
    amplitude[0, 0] = 0
    return np.asarray(amplitude)


def grain(rng: np.random.Generator) -> Lattice:
    """Return a lattice of clumps from one to a dozen cells wide, mean 0 and spread 1."""
    white = np.pad(rng.standard_normal((CELLS, CELLS)), 12, mode="wrap")
    finer, coarser = (cv2.GaussianBlur(white, (0, 0), sigma) for sigma in (1.0, 2.5))
    mixed = (0.35 * white + finer + 2 * coarser)[12:-12, 12:-12]
    return np.asarray((mixed - mixed.mean()) / mixed.std())


def slope(lattice: Lattice, angle: float) -> Lattice:
    """Return how a lattice rises towards an angle (radians, from x to y): mean 0 and spread 1."""
    rise = math.cos(angle) * (lattice - np.roll(lattice, 1, 1))
    rise += math.sin(angle) * (lattice - np.roll(lattice, 1, 0))
    return np.asarray(rise / rise.std())


def axis() -> Lattice:
    """Return the places of a lattice's cells along one side of the ground."""
    return np.asarray((np.arange(CELLS) + 0.5) * (2 / CELLS) - REACH)


def at(lattice: Lattice, places: Points) -> npt.NDArray[Any]:
    """Return a lattice's values at places (..., 2), by the nearest cell."""
    cells = np.clip((places + REACH) * (CELLS / 2), 0, CELLS - 1).astype(int)
    return np.asarray(lattice[cells[..., 1], cells[..., 0]])


def view(lattice: Lattice, window: Window) -> Image:
    """Return what a window shows of a lattice over the whole ground."""
    side = round((1 + 2 * REACH) * window.size)
    # The whole ground is enlarged: the same place has the same value in each window.
    whole = cv2.resize(lattice, (side, side), interpolation=cv2.INTER_LINEAR)
    rows, columns = (_pixels(window, first) for first in (window.top, window.left))
    return np.ascontiguousarray(whole[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def repeated(lattice: Lattice, window: Window) -> Image:
    """Return a window onto a lattice with one cell a pixel, again and again over the ground."""
    rows, columns = (_pixels(window, first) % len(lattice) for first in (window.top, window.left))
    return np.asarray(lattice[rows[:, None], columns])


def _pixels(window: Window, first: float) -> npt.NDArray[np.int_]:
    """Return the numbers of a window's rows or columns, counted from the ground's border."""
    start = math.floor((first + REACH) * window.size + 1e-6)  # the same part of a pixel each time
    return start + np.arange(window.size)
