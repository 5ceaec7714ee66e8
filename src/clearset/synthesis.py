"""The sample dataset: seeded, retina-like images with exact masks and a few known faults.

A small set for trying the pipeline without any download: what it shows about detectors or repairs
says nothing about real images.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

ARTERY, VEIN = 128, 255  # mask values, as RAVIR's
Image = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
BRANCHINGS = 2  # of a vessel on its way from the disc
TRAIN = 0.6  # share of the images that are for training, and so have a mask


@dataclass(frozen=True)
class Made:
    """One generated file: its split, name and content, its mask, and the fault planted in it."""

    split: str
    name: str
    pixels: Pixels
    mask: Pixels | None
    fault: str


def sample(*, count: int, size: int, seed: int) -> Iterator[Made]:
    """Yield `count` images of `size` x `size` pixels: the same bytes for the same arguments.

    Of each eight one is blurred, one dark and one bright; the last training image is a copy of the
    first with a mask drawn by another hand.
    """
    first: Made | None = None
    training = max(round(TRAIN * count), 1)
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        image, mask = retina(rng, size)
        fault = {2: "blurred", 4: "dark", 6: "bright"}.get(number % 8, "")
        made = Made(
            split="train" if number < training else "test",
            name=f"eye_{number:03d}",
            pixels=noisy(faulty(image, fault), rng),
            mask=mask if number < training else None,
            fault=fault,
        )
        if first is not None and number == training - 1:
            other = ndimage.grey_dilation(first.mask, size=3) if first.mask is not None else None
            made = Made(made.split, made.name, first.pixels, other, "duplicate")
        first = first or made
        yield made


def faulty(image: Image, fault: str) -> Image:
    """Return the image with a fault; an empty name leaves it as it is."""
    if fault == "blurred":
        return ndimage.gaussian_filter(image, 3.0)
    return image * {"dark": 0.3, "bright": 1.0}.get(fault, 1.0) + (0.38 if fault == "bright" else 0)


def noisy(image: Image, rng: np.random.Generator) -> Pixels:
    """Return the image with sensor noise, as 8 bits."""
    noise = rng.normal(0, 0.008, image.shape)
    return np.rint(np.clip(image + noise, 0, 1) * 255).astype(np.uint8)


def retina(rng: np.random.Generator, size: int) -> tuple[Image, Pixels]:
    """Return one eye, float32 0 to 1, and its mask of arteries and veins."""
    y, x = np.mgrid[:size, :size] / size
    disc = np.array([rng.uniform(0.42, 0.58), rng.choice([0.2, 0.8]) + rng.uniform(-0.05, 0.05)])
    tilt = rng.uniform(-0.12, 0.12, 2)
    image = 0.45 + tilt[0] * (y - 0.5) + tilt[1] * (x - 0.5)
    texture = ndimage.gaussian_filter(rng.normal(0, 1, (size, size)), size / 256)
    image += 0.02 * texture / texture.std()
    macula = np.array([disc[0], 1 - disc[1]])
    image -= 0.12 * np.exp(-((y - macula[0]) ** 2 + (x - macula[1]) ** 2) / 0.01)
    image += 0.25 * np.exp(-(((y - disc[0]) ** 2 + (x - disc[1]) ** 2) / 0.004))
    mask = np.zeros((size, size), np.uint8)
    for kind, contrast, width in ((VEIN, 0.20, 0.0105), (ARTERY, 0.14, 0.0075)):
        distance = _vessels(rng, disc, size, width)
        image -= contrast * np.clip(1 - distance, 0, 1) ** 0.5
        mask[distance < 1] = kind
    return np.clip(image, 0, 1).astype(np.float32), mask


def _vessels(
    rng: np.random.Generator, disc: npt.NDArray[np.float64], size: int, width: float
) -> npt.NDArray[np.float64]:
    """Return the distance to the nearest of one kind's vessels, in units of its half width."""
    away = np.ones((BRANCHINGS + 1, size, size), bool)  # by number of branchings since the disc
    starts = np.linspace(0, 2 * np.pi, 6, endpoint=False) + rng.uniform(0, 2 * np.pi)
    branches = [(disc, float(angle), 0) for angle in starts]
    while branches:
        place, angle, depth = branches.pop()
        length = int(size * rng.uniform(0.2, 0.35))
        for step in range(1, length):
            angle += rng.normal(0, 0.9 / np.sqrt(size))
            place = place + np.array([np.sin(angle), np.cos(angle)]) / size
            row, column = np.floor(place * size).astype(int)
            if not (0 <= row < size and 0 <= column < size):
                break
            away[depth, row, column] = False
            if step % (size // 10) == 0 and depth < BRANCHINGS:
                turn = rng.choice([-1, 1]) * rng.uniform(0.4, 0.8)
                branches.append((place, angle + turn, depth + 1))
    halves = [max(0.75**depth * width * size / 2, 0.8) for depth in range(BRANCHINGS + 1)]
    distances = [
        ndimage.distance_transform_edt(pixels) / half
        if not pixels.all()
        else np.full_like(pixels, np.inf, float)
        for pixels, half in zip(away, halves, strict=True)
    ]
    return np.min(distances, axis=0)
