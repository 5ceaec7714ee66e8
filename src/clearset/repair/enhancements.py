"""Enhancements: image in, image out.

Each takes an image without alpha, double from 0 to 1, shaped (h, w) or (h, w, bands), and returns
one of the same shape that may leave that range: it is clipped once, at the end of a chain. All
bands are treated alike. What it estimates, it estimates where the image was `seen`, (h, w); None:
everywhere. Gaps are filled with the nearest values that were seen. Options are keyword-only and
have no defaults here, so that params.yaml always shows the values used. Decorating a function is
all it takes to add one.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from clearset.numeric.exact import cv2
from clearset.numeric.seen import Seen
from clearset.repair import bands
from clearset.store.errors import ClearsetError

Image = npt.NDArray[np.float64]
ENHANCEMENTS: dict[str, Callable[..., Image]] = {}


def enhancement(function: Callable[..., Image]) -> Callable[..., Image]:
    """Register the decorated function under its own name."""
    ENHANCEMENTS[function.__name__] = function
    return function


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ClearsetError(message)


@enhancement
def unsharp_mask(image: Image, seen: Seen | None, *, radius: float, amount: float) -> Image:
    """Add `amount` times what a Gaussian blur of `radius` pixels takes away.

    `radius` is the Gaussian's sigma, above 0; `amount` from 0 (unchanged). Noise grows by nearly
    1 + amount: high amounts drown fine vessels.
    """
    _require(
        radius > 0 and amount >= 0,
        f"unsharp_mask: radius {radius} must be above 0, amount {amount} from 0",
    )
    from skimage.filters import unsharp_mask as sharpen  # noqa: PLC0415

    return np.asarray(
        sharpen(image, radius, amount, preserve_range=True, channel_axis=bands.axis(image))
    )


@enhancement
def cored_unsharp_mask(
    image: Image, seen: Seen | None, *, radius: float, amount: float, core: float
) -> Image:
    """Sharpen what stands out of the noise: `unsharp_mask` with the noise taken off the detail.

    The detail is drawn towards 0 by `core` times its own noise's standard deviation (soft
    thresholding: Donoho, 1995, doi:10.1109/18.382009), so that flat places are not sharpened. The
    noise is estimated from the image. `radius` above 0, `amount` and `core` from 0.
    """
    _require(
        radius > 0 and min(amount, core) >= 0,
        f"cored_unsharp_mask: radius {radius} must be above 0, amount {amount} and core {core} "
        "from 0",
    )
    detail = image - ndimage.gaussian_filter(image, bands.sigmas(image, radius))
    noise = core * bands.noise_level(image, seen, 0)
    cored = np.sign(detail) * np.maximum(np.abs(detail) - noise, 0)
    return np.asarray(image + amount * cored)


@enhancement
def clahe(image: Image, seen: Seen | None, *, tiles: int, clip_limit: float) -> Image:
    """Equalise the histogram in `tiles` x `tiles` tiles, limiting the contrast.

    Zuiderveld, 1994, doi:10.1016/B978-0-12-336156-1.50061-6. `tiles` from 1; `clip_limit` from 0
    (unlimited) to 1. Colour images change in their value (HSV) alone: the largest band, with which
    the others keep their ratios. So do images of other bands.
    """
    _require(
        int(tiles) == tiles and tiles >= 1 and 0 <= clip_limit <= 1,
        f"clahe: tiles {tiles} must be whole and from 1, clip_limit {clip_limit} from 0 to 1",
    )
    from skimage.exposure import equalize_adapthist  # noqa: PLC0415

    size = tuple(max(side // int(tiles), 1) for side in image.shape[:2])
    image = np.clip(image, 0, 1)  # an earlier step may have left the range
    if bands.plain(image):
        return np.asarray(equalize_adapthist(image, kernel_size=size, clip_limit=clip_limit))
    value = image.max(axis=2)
    after = equalize_adapthist(value, kernel_size=size, clip_limit=clip_limit)
    return image * (after / np.maximum(value, 1e-9))[..., None]


@enhancement
def gamma(image: Image, seen: Seen | None, *, gamma: float) -> Image:
    """Raise each value to the power `gamma`, above 0: below 1 brightens, above 1 darkens."""
    _require(gamma > 0, f"gamma: {gamma} must be above 0")
    return np.asarray(np.power(np.clip(image, 0, None), gamma))


@enhancement
def rescale_intensity(image: Image, seen: Seen | None, *, low: float, high: float) -> Image:
    """Stretch the image until its quantiles `low` and `high` lie at a twentieth and at 0.8.

    Undoes lost light and lost contrast, which are linear, and leaves room for what is brighter. 0
    <= `low` < `high` <= 1; a constant image stays as it is.
    """
    _require(
        0 <= low < high <= 1, f"rescale_intensity: low {low} and high {high}: 0 <= low < high <= 1"
    )
    first, last = np.quantile(image if seen is None else image[seen], [low, high])
    if last - first < 1 / 510:  # half a grey level
        return image.copy()
    return np.asarray((image - first) * (0.75 / (last - first)) + 0.05)


@enhancement
def divide_background(image: Image, seen: Seen | None, *, sigma: float) -> Image:
    """Divide by the light at large scale, a Gaussian of `sigma` pixels, above 0; the mean is kept.

    Retrospective shading correction (Tomaževič et al., 2002, doi:10.1046/j.1365-2818.2002.01079.x).
    """
    _require(sigma > 0, f"divide_background: sigma {sigma} must be above 0")
    light = ndimage.gaussian_filter(bands.grey(image), sigma, mode="reflect", truncate=3)
    light = np.maximum(light, 1 / 255).reshape((*image.shape[:2], 1)[: image.ndim])
    mean = (image if seen is None else image[seen]).mean()
    return np.asarray(image * (mean / light))


@enhancement
def denoise(image: Image, seen: Seen | None, *, strength: float, sigma: float) -> Image:
    """Average patches that look alike (non-local means, 5 px patches within 6 px).

    Buades et al., 2005, doi:10.1109/CVPR.2005.38. `sigma` is the noise's standard deviation in
    8-bit grey levels, 0: as estimated from the image; `strength` the filter's width in units of
    sigma, above 0 (0.6 to 1.2 is usual).
    """
    _require(
        strength > 0 and sigma >= 0,
        f"denoise: strength {strength} must be above 0, sigma {sigma} from 0",
    )
    from skimage.restoration import denoise_nl_means  # noqa: PLC0415

    # Of an image without noise: all but unchanged.
    level = max(bands.noise_level(image, seen, sigma), 1e-6)
    return np.asarray(
        denoise_nl_means(
            image,
            patch_size=5,
            patch_distance=6,
            h=strength * level,
            sigma=level,
            fast_mode=True,
            preserve_range=True,
            channel_axis=bands.axis(image),
        )
    )


@enhancement
def denoise_tv(image: Image, seen: Seen | None, *, weight: float) -> Image:
    """Flatten what is not an edge: total variation, by `weight` times the image's noise, above 0.

    Chambolle, 2004, doi:10.1023/B:JMIV.0000011325.36760.1e; noise in 0 to 1 as estimated.
    """
    _require(weight > 0, f"denoise_tv: weight {weight} must be above 0")
    from skimage.restoration import denoise_tv_chambolle  # noqa: PLC0415

    level = max(weight * bands.noise_level(image, seen, 0), 1e-6)
    return np.asarray(denoise_tv_chambolle(image, weight=level, channel_axis=bands.axis(image)))


@enhancement
def denoise_bilateral(
    image: Image, seen: Seen | None, *, strength: float, sigma_spatial: float
) -> Image:
    """Average near pixels of like value: within `sigma_spatial` px and `strength` times the noise.

    Tomasi and Manduchi, 1998, doi:10.1109/ICCV.1998.710815. Both above 0; the noise as estimated.
    """
    _require(
        min(strength, sigma_spatial) > 0,
        f"denoise_bilateral: strength {strength} and sigma_spatial {sigma_spatial} must be above 0",
    )
    level = max(strength * bands.noise_level(image, seen, 0), 1e-6)
    # OpenCV has it for single precision alone (scikit-image's takes seconds). Held to its plain
    # code it adds in one order, by IEEE's own operations: its error is the same everywhere.
    single = np.ascontiguousarray(image, np.float32)
    if bands.plain(image):
        return np.asarray(cv2.bilateralFilter(single, -1, level, sigma_spatial), np.float64)
    parts = [cv2.bilateralFilter(part, -1, level, sigma_spatial) for part in cv2.split(single)]
    return np.stack(parts, axis=2).astype(np.float64)


@enhancement
def richardson_lucy(image: Image, seen: Seen | None, *, sigma: float, iterations: int) -> Image:
    """Undo a Gaussian blur of `sigma` pixels, above 0, in `iterations` steps, whole and from 1.

    Richardson, 1972, doi:10.1364/JOSA.62.000055; Lucy, 1974, doi:10.1086/111605. More steps
    bring out noise.
    """
    _require(
        sigma > 0 and int(iterations) == iterations and iterations >= 1,
        f"richardson_lucy: sigma {sigma} must be above 0, iterations {iterations} whole and from 1",
    )
    observed = np.maximum(image, 1e-4)
    widths, estimate = bands.sigmas(image, sigma), observed
    for _ in range(int(iterations)):
        ratio = observed / np.maximum(ndimage.gaussian_filter(estimate, widths), 1e-4)
        estimate = estimate * ndimage.gaussian_filter(ratio, widths)
    return estimate


@enhancement
def wiener(image: Image, seen: Seen | None, *, sigma: float, balance: float) -> Image:
    """Undo a Gaussian blur of `sigma` pixels, by the spectrum, damped by `balance`; both above 0.

    Orieux et al., 2010, doi:10.1364/JOSAA.27.001593. A lower balance sharpens more, noise too.
    """
    _require(
        min(sigma, balance) > 0,
        f"wiener: sigma {sigma} and balance {balance} must be above 0",
    )
    from skimage.restoration import wiener as deconvolved  # noqa: PLC0415

    reach = int(np.ceil(4 * sigma))
    across = np.exp(-(np.arange(-reach, reach + 1.0) ** 2) / (2 * sigma**2))
    psf = np.outer(across, across) / across.sum() ** 2
    around = ((reach, reach), (reach, reach), (0, 0))
    parts = np.moveaxis(np.pad(np.atleast_3d(image), around, mode="symmetric"), 2, 0)
    estimates = [deconvolved(part, psf, balance, clip=False) for part in parts]
    inside = np.stack(estimates, axis=2)[reach:-reach, reach:-reach]
    return np.asarray(inside.reshape(image.shape))
