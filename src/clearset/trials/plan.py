"""Which image of a sample gets which faults at which levels. Many processes import it."""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearset.plant.faults import FAULTS
from clearset.plant.shapes import SHAPES, SUITE

SHARES = 3  # of its levels an image gets each fault at a third
# Kinds of faults whose levels mean nothing where black, white and a grey level are not known.
RANGED = {"noise", "dark", "bright", "burnt", "compression"}


@dataclass(frozen=True)
class Trial:
    """One fault at one level, planted into one image: `step` counts its levels, mildest first."""

    fault: str
    step: int

    @property
    def level(self) -> Any:
        """The level, in the fault's unit."""
        return FAULTS[self.fault].ladder[self.step - 1]


def trials(place: int, *, assumed: bool = False) -> list[Trial]:
    """Return what is planted into the `place`-th image of a sample: of each fault a third.

    Into one whose range nobody has declared (`assumed`) only what hangs on no range.
    """
    faults = [name for name in (*SUITE, *SHAPES) if FAULTS[name].ladder]
    if assumed:
        faults = [name for name in faults if not RANGED & {*FAULTS[name].kinds}]
    return [
        Trial(name, step)
        for number, name in enumerate(faults)
        for step in range(1, len(FAULTS[name].ladder) + 1)
        if (step + place + number) % SHARES == 0
    ]


def generator(seed: int, image_id: str, trial: Trial) -> np.random.Generator:
    """Return the generator of one trial, which no other's depends on."""
    name = f"{image_id}-{trial.fault}-{trial.step}"
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def words(trial: Trial) -> str:
    """Return a trial's level in words: `sigma in px: 0.8`."""
    return f"{FAULTS[trial.fault].unit}: {trial.level:g}"
