"""The same subject taken again: light edits that make near duplicates, and another visit."""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from clearset.plant.faults import FAULTS

Image = npt.NDArray[np.float64]
Random = np.random.Generator


@dataclass(frozen=True)
class Edit:
    """A way to take the same eye again: where it lies, and how its light differs."""

    shift: tuple[float, float] = (0.0, 0.0)  # down and right, as shares of the side
    degrees: float = 0.0  # of a turn about the centre
    zoom: float = 1.0
    mirrored: bool = False
    gain: float = 1.0
    offset: float = 0.0  # 8-bit grey levels
    gamma: float = 1.0
    noise: float = 0.0  # sigma, 8-bit grey levels
    quality: int = 0  # of JPEG; 0: not compressed


# Light edits after which an image is still the same to anyone's eye.
EDITS = {
    "shift": Edit(shift=(0.026, 0.039)),
    "crop": Edit(zoom=1 / 0.95),
    "rotation": Edit(degrees=3),
    "flip": Edit(mirrored=True),
    "recompression": Edit(quality=75),
    "re_exposure": Edit(gain=1.05, offset=10),
}


def another_visit(rng: Random) -> Edit:
    """Draw how the same eye may look another day: field, turn, exposure and noise differ."""
    sign = rng.choice([-1, 1], 3)
    shift = rng.uniform(0.03, 0.1, 2) * sign[:2]
    return Edit(
        shift=(float(shift[0]), float(shift[1])),
        degrees=float(rng.uniform(2, 8) * sign[2]),
        zoom=float(rng.uniform(0.95, 1.05)),
        gain=float(rng.uniform(0.75, 1.1)),
        gamma=float(rng.uniform(0.7, 1.4)),
        noise=float(rng.uniform(2, 6)),
    )


def edited(image: Image, edit: Edit, rng: Random) -> Image:
    """Return the image after an edit, of the same shape, 0 to 1."""
    result = moved(image, edit, order=3).clip(0, 1) ** edit.gamma
    result = result * edit.gain + edit.offset / 255
    result = result + rng.normal(0, 1, image.shape) * (edit.noise / 255)
    if edit.quality:
        result = FAULTS["jpeg"].function(result, edit.quality, rng)
    return np.clip(result, 0, 1)


def moved(pixels: Any, edit: Edit, *, order: int) -> Any:
    """Return an image (`order` 3) or a mask (0) mirrored, turned, enlarged and shifted."""
    result = pixels[:, ::-1] if edit.mirrored else pixels
    if (edit.shift, edit.degrees, edit.zoom) == ((0.0, 0.0), 0.0, 1.0):
        return result
    turn, sides = np.deg2rad(edit.degrees), np.array(pixels.shape[:2])
    back = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) / edit.zoom
    centre = (sides - 1) / 2
    offset = centre - back @ (centre + np.array(edit.shift) * sides)
    planes = result[..., None] if result.ndim == 2 else result
    warped = np.stack(
        [
            ndimage.affine_transform(planes[..., band], back, offset, order=order, mode="mirror")
            for band in range(planes.shape[2])
        ],
        axis=-1,
    )
    return warped[..., 0] if result.ndim == 2 else warped


def random_for(seed: int, name: str) -> np.random.Generator:
    """Return the generator of one planted image, which no other image's depends on."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])
