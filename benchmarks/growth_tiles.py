"""Small grey tiles by the thousand, each by its own seed, some of them near copies of another."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import cv2

SIDE, SEED = 64, 7
COPIED, BLURRED = 50, 97  # how many tiles to one that copies the tile before it, or is blurred
LINES = 4


def pixels(number: int) -> npt.NDArray[np.uint8]:
    """Return a tile: large and small structure, a few lines, and noise of none."""
    copy = number % COPIED == COPIED - 1
    rng = np.random.default_rng([SEED, number - copy])
    coarse, fine = (rng.normal(size=(SIDE // step, SIDE // step)) for step in (8, 2))
    whole = SIDE, SIDE
    large = np.asarray(cv2.resize(coarse, whole, interpolation=cv2.INTER_CUBIC), np.float64)
    tile = 120 + 40 * large + 14 * np.asarray(cv2.resize(fine, whole), np.float64)
    for _ in range(LINES):
        ends, level, width = rng.integers(0, SIDE, 4), rng.integers(40, 220), rng.integers(1, 3)
        cv2.line(tile, ends[:2].tolist(), ends[2:].tolist(), float(level), int(width))
    tile += 3 * copy
    if number % BLURRED == 0:
        tile = np.asarray(cv2.GaussianBlur(tile, (0, 0), 2), np.float64)
    return np.clip(np.rint(tile), 0, 255).astype(np.uint8)


def write(folder: Path, number: int) -> None:
    """Write one tile, if it is not there."""
    file = folder / f"tile_{number:06d}.png"
    if not file.exists():
        _, encoded = cv2.imencode(".png", pixels(number))
        file.write_bytes(encoded.tobytes())


def made(folder: Path, count: int) -> Path:
    """Return a folder of so many tiles."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):  # in this process: others would count as those of a tool
        write(folder, number)
    return folder
