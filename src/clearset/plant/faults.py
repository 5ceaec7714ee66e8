"""Planted faults: image degradations of known kind and severity, for measuring detectors.

Each takes an image, double from 0 to 1, shaped (height, width) or (height, width, 3), one of its
five levels, mildest first, and a random generator, and returns a new image of the same shape, not
yet cut to the range. The formulas are those of ImageNet-C (Hendrycks and Dietterich, 2019,
doi:10.48550/arXiv.1903.12261) and, for light and shadow on a retina, of cofe-Net's degradations
(Shen et al., 2021, doi:10.1109/TMI.2020.3043495); the levels are our own where nothing is said,
in pixels of the image as it is, chosen for sides of 768: from what leaves the range of good images
to what is plainly useless. Decorating a function is all it takes to add one: planting, truth and
evaluation follow the registry. Further shapes of these faults are in `shapes`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from clearset.numeric.exact import whole

Image = npt.NDArray[np.float64]
Random = np.random.Generator
Path = npt.NDArray[np.float64]
Function = Callable[[Image, Any, Random], Image]
SEVERITIES = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Fault:
    """A fault's function, the kinds that detectors look for, what its levels are, and they.

    `ladder` has levels from the just visible on, by which bounds of a dataset's own are chosen;
    empty: they do without this fault.
    """

    function: Function
    kinds: tuple[str, ...]
    unit: str
    levels: tuple[Any, Any, Any, Any, Any]
    ladder: tuple[Any, ...] = ()


FAULTS: dict[str, Fault] = {}


def fault(
    kinds: str, unit: str, levels: tuple[Any, ...], ladder: tuple[Any, ...] = ()
) -> Callable[[Function], Function]:
    """Register the decorated function under its own name; `kinds` are separated by spaces."""

    def register(function: Function) -> Function:
        one, two, three, four, five = levels
        entry = Fault(function, tuple(kinds.split()), unit, (one, two, three, four, five), ladder)
        FAULTS[function.__name__] = entry
        return function

    return register


def degrade(image: Image, name: str, severity: int, rng: Random) -> Image:
    """Return the image with a registered fault of severity 1 to 5, cut to 0 to 1."""
    if severity not in SEVERITIES:
        raise ValueError(f"severity is {severity}: from 1 to 5")
    return at_level(image, name, FAULTS[name].levels[severity - 1], rng)


def at_level(image: Image, name: str, level: Any, rng: Random) -> Image:
    """Return the image with a registered fault of any level, cut to 0 to 1."""
    return np.clip(FAULTS[name].function(image, level, rng), 0, 1)


def describe(name: str, severity: int) -> str:
    """Return a fault's parameters in words: `sigma in px: 0.8`."""
    entry = FAULTS[name]
    return f"{entry.unit}: {entry.levels[severity - 1]}"


@fault("blur", "sigma in px", (0.8, 1.2, 2.0, 3.0, 4.5), (0.6, 1, 1.5, 2.2, 3.3))
def gaussian_blur(image: Image, level: float, _: Random) -> Image:
    """Blur by a Gaussian, as ImageNet-C (whose sigmas, 1 to 6, are for images of 224 px)."""
    sigmas = (level, level, 0.0)[: image.ndim]
    return np.asarray(ndimage.gaussian_filter(image, sigmas))


@fault("blur", "radius in px", (1.5, 2.5, 4.0, 6.0, 8.0))
def defocus_blur(image: Image, level: float, _: Random) -> Image:
    """Blur by a disc, as an unfocused lens does (ImageNet-C: radii from 3 to 10)."""
    reach = int(np.ceil(level)) + 1
    fine = (np.arange(5 * (2 * reach + 1)) - 2) / 5 - reach  # five samples a pixel
    y, x = np.meshgrid(fine, fine, indexing="ij")
    disc = (y * y + x * x <= level * level).reshape(2 * reach + 1, 5, 2 * reach + 1, 5)
    return _convolved(image, disc.mean(axis=(1, 3)))


@fault("blur", "length in px", (5, 9, 13, 19, 27))
def motion_blur(image: Image, level: int, rng: Random) -> Image:
    """Blur along a straight line of random direction (ImageNet-C: radii from 10 to 20)."""
    angle = rng.uniform(0, np.pi)
    along = np.linspace(-(level - 1) / 2, (level - 1) / 2, 8 * level)
    return smeared(image, along * np.sin(angle), along * np.cos(angle), level // 2 + 1)


def smeared(image: Image, down: Path, across: Path, reach: int) -> Image:
    """Return the image blurred along a path of places, in px from the middle, `reach` at most."""
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    rows, columns = reach + down, reach + across
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    for y, x in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = (1 - np.abs(rows - top - y)) * (1 - np.abs(columns - left - x))
        np.add.at(kernel, (top + y, left + x), weight)
    return _convolved(image, kernel)


def _convolved(image: Image, kernel: npt.NDArray[np.float64]) -> Image:
    """Return the image convolved with a square kernel brought to sum 1; its edges are mirrored."""
    from scipy.signal import oaconvolve  # noqa: PLC0415

    reach = kernel.shape[0] // 2
    around = ((reach, reach), (reach, reach), (0, 0))[: image.ndim]
    padded = np.pad(image, around, mode="symmetric")
    weights = (kernel / kernel.sum()).reshape((*kernel.shape, 1)[: image.ndim])
    return np.asarray(oaconvolve(padded, weights, mode="valid", axes=(0, 1)))


@fault("blur", "scale", (0.5, 0.4, 0.33, 0.25, 0.2))
def downscale(image: Image, level: float, _: Random) -> Image:
    """Reduce the image and enlarge it again (ImageNet-C's pixelate: scales from 0.6 to 0.25)."""
    from skimage.transform import resize  # noqa: PLC0415

    small = [max(round(side * level), 1) for side in image.shape[:2]]
    reduced = resize(image, small, order=1, anti_aliasing=True, mode="reflect")
    return np.asarray(resize(reduced, image.shape[:2], order=3, mode="reflect"))


@fault("noise", "sigma in 8-bit grey levels", (8, 12, 18, 26, 38), (2, 4, 7, 12, 20))
def sensor_noise(image: Image, level: float, rng: Random) -> Image:
    """Add white Gaussian noise (ImageNet-C: 20 to 97 grey levels)."""
    return image + rng.normal(0, level / 255, image.shape)


@fault("blur noise", "sigma in px, sigma of noise", ((1.5, 5), (2, 8), (2.5, 10), (3, 14), (4, 18)))
def blur_noise(image: Image, level: tuple[float, float], rng: Random) -> Image:
    """Blur by a Gaussian, then add noise: the noise hides the blur from most measures."""
    return sensor_noise(gaussian_blur(image, level[0], rng), level[1], rng)


@fault("dark", "exposure in EV", (-1.25, -1.5, -2, -2.5, -3), (-0.5, -1, -1.5, -2, -3))
def under_exposure(image: Image, level: float, _: Random) -> Image:
    """Take light away: each exposure value halves the grey levels."""
    return image * 2.0**level


@fault("bright", "exposure in EV", (1, 1.25, 1.5, 1.75, 2), (0.5, 0.75, 1, 1.5, 2))
def over_exposure(image: Image, level: float, _: Random) -> Image:
    """Add light: each exposure value doubles the grey levels, and what exceeds white is lost."""
    return image * 2.0**level


@fault("bright", "share of white pixels", (0.02, 0.04, 0.08, 0.16, 0.32))
def saturation(image: Image, level: float, _: Random) -> Image:
    """Stretch the image until this share of its values has reached white."""
    white = max(float(np.quantile(image, 1 - level)), 1 / 255)
    return image / white


@fault("contrast", "factor", (0.4, 0.3, 0.2, 0.1, 0.05), (0.8, 0.6, 0.45, 0.3, 0.15))
def low_contrast(image: Image, level: float, _: Random) -> Image:
    """Draw the values towards their mean, by ImageNet-C's factors."""
    return (image - image.mean()) * level + image.mean()


@fault(
    "uneven",
    "light lost on the far side in EV",
    (2.5, 3, 3.5, 4, 4.5),
    (1, 1.5, 2, 3, 4),
)
def uneven_light(image: Image, level: float, rng: Random) -> Image:
    """Light from one side, in a random direction, that falls off evenly in exposure values."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = grid(image)
    ramp = y * np.sin(angle) + x * np.cos(angle)
    return lit(image, 2 ** (level * (ramp - 0.8) / 2))


@fault(
    "vignette",
    "light lost in the corners",
    (0.7, 0.8, 0.85, 0.9, 0.95),
    (0.4, 0.55, 0.7, 0.85, 0.95),
)
def vignette(image: Image, level: float, _: Random) -> Image:
    """Take light away with the square of the distance from the centre."""
    y, x = grid(image)
    return lit(image, 1 - level * (y * y + x * x) / 2)


@fault(
    "shadow uneven",
    "light lost in the shadow",
    (0.6, 0.7, 0.8, 0.85, 0.9),
    (0.3, 0.45, 0.6, 0.75, 0.9),
)
def shadow(image: Image, level: float, rng: Random) -> Image:
    """Take light away in a soft-edged disc of 0.4 to 0.7 of the width (cofe-Net's hole)."""
    radius, (row, column) = rng.uniform(0.4, 0.7), rng.uniform(-0.6, 0.6, 2)
    y, x = grid(image)
    distance = np.sqrt((y - row) ** 2 + (x - column) ** 2) - radius
    return lit(image, 1 - level / (1 + np.exp(distance / 0.08)))


def grid(image: Image) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return a column of rows and a row of columns, both from -1 to 1."""
    return (
        np.linspace(-1, 1, image.shape[0])[:, None],
        np.linspace(-1, 1, image.shape[1])[None, :],
    )


def lit(image: Image, light: npt.NDArray[np.float64]) -> Image:
    """Return the image under light, 1 where it is as before, (h, w)."""
    return image * light.reshape((*light.shape, 1)[: image.ndim])


@fault("compression", "JPEG quality", (25, 18, 15, 10, 7), (60, 45, 30, 18, 8))
def jpeg(image: Image, level: int, _: Random) -> Image:
    """Compress as JPEG, by ImageNet-C's qualities."""
    from imagecodecs import jpeg8_decode, jpeg8_encode  # noqa: PLC0415

    pixels = whole(np.clip(image, 0, 1) * 255, np.uint8)
    return np.asarray(jpeg8_decode(jpeg8_encode(pixels, level=level)) / 255)
