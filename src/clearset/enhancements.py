"""Enhancements: image in, image out.

Each takes an image without alpha, float32 from 0 to 1, shaped (h, w) or (h, w, 3), and returns one
of the same shape that may leave that range: it is clipped once, at the end of a chain. Options are
keyword-only and have no defaults here, so that params.yaml always shows the values used.
"""

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.errors import ClearsetError

Image = npt.NDArray[np.float32]
ENHANCEMENTS: dict[str, Callable[..., Image]] = {}


def enhancement(function: Callable[..., Image]) -> Callable[..., Image]:
    """Register the decorated function under its own name."""
    ENHANCEMENTS[function.__name__] = function
    return function


def options(method: str) -> list[str]:
    """Return the names of a method's options."""
    parameters = inspect.signature(ENHANCEMENTS[method]).parameters.values()
    return [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]


def check_steps(steps: Iterable[Mapping[str, Any]], where: str = "enhance") -> None:
    """Raise `ClearsetError`, naming the place, for a step that could not be done.

    That is an unknown method, options that are not just its own, or a value out of its range: each
    step is tried on a tiny image.
    """
    for step in steps:
        method = step["method"]
        if method not in ENHANCEMENTS:
            known = ", ".join(sorted(ENHANCEMENTS))
            raise ClearsetError(f"{where}: unknown method '{method}'. Known: {known}")
        given, wanted = set(step) - {"rule", "method"}, set(options(method))
        if given != wanted:
            raise ClearsetError(
                f"{where}: {method} takes {', '.join(sorted(wanted))}; "
                f"unknown: {', '.join(sorted(given - wanted)) or 'none'}, "
                f"missing: {', '.join(sorted(wanted - given)) or 'none'}"
            )
        for name in sorted(wanted):
            value = step[name]
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not math.isfinite(value):
                raise ClearsetError(f"{where}: {method}.{name} is {value!r}: give a finite number")
        try:
            enhance(np.full((16, 16), 0.5, np.float32), [step])
        except ClearsetError as error:
            raise ClearsetError(f"{where}: {error}") from None


def describe_step(step: Mapping[str, Any]) -> str:
    """Return a step as a call: unsharp_mask(radius=1, amount=1)."""
    given = ", ".join(f"{name}={step[name]:g}" for name in options(step["method"]))
    return f"{step['method']}({given})"


def enhance(
    image: npt.NDArray[np.float32], steps: Iterable[Mapping[str, Any]]
) -> tuple[Image, float]:
    """Return the image after all steps, clipped once to 0 to 1, and the share of values clipped.

    A step is {method, ...options}; a `rule` in it is passed over. Alpha, the last of 2 or 4
    channels, is kept as it is.
    """
    alpha = image[..., -1:] if image.ndim == 3 and image.shape[2] in (2, 4) else None
    result = image if alpha is None else image[..., :-1]
    squeezed = result.ndim == 3 and result.shape[2] == 1
    result = result[..., 0] if squeezed else result
    for step in steps:
        chosen = {key: value for key, value in step.items() if key not in ("rule", "method")}
        result = ENHANCEMENTS[step["method"]](result, **chosen)
    clipped = float(np.mean((result < 0) | (result > 1)))
    result = np.clip(result, 0, 1).astype(np.float32)
    result = result[..., None] if squeezed else result
    return (result if alpha is None else np.concatenate([result, alpha], axis=2)), clipped


def _channels(image: Image) -> int | None:
    # Not -1: unsharp_mask then returns memory that nothing was written to (scikit-image #7264).
    return None if image.ndim == 2 else 2


@enhancement
def unsharp_mask(image: Image, *, radius: float, amount: float) -> Image:
    """Add `amount` times what a Gaussian blur of `radius` pixels takes away.

    `radius` is the Gaussian's sigma, above 0; `amount` from 0 (unchanged). Noise grows by nearly
    1 + amount: high amounts drown fine vessels.
    """
    if radius <= 0 or amount < 0:
        raise ClearsetError(
            f"unsharp_mask: radius {radius} must be above 0, amount {amount} from 0"
        )
    from skimage.filters import unsharp_mask as sharpen  # noqa: PLC0415

    return np.asarray(
        sharpen(image, radius, amount, preserve_range=True, channel_axis=_channels(image)),
        np.float32,
    )


@enhancement
def clahe(image: Image, *, tiles: int, clip_limit: float) -> Image:
    """Equalise the histogram in `tiles` x `tiles` tiles, limiting the contrast.

    Zuiderveld, 1994, doi:10.1016/B978-0-12-336156-1.50061-6. `tiles` from 1; `clip_limit` from 0
    (unlimited) to 1. Colour images change in their value (HSV) alone.
    """
    if int(tiles) != tiles or tiles < 1 or not 0 <= clip_limit <= 1:
        raise ClearsetError(
            f"clahe: tiles {tiles} must be whole and from 1, clip_limit {clip_limit} from 0 to 1"
        )
    from skimage.exposure import equalize_adapthist  # noqa: PLC0415

    size = tuple(max(side // int(tiles), 1) for side in image.shape[:2])
    image = np.clip(image, 0, 1)  # an earlier step may have left the range
    return np.asarray(
        equalize_adapthist(image, kernel_size=size, clip_limit=clip_limit), np.float32
    )


@enhancement
def gamma(image: Image, *, gamma: float) -> Image:
    """Raise each value to the power `gamma`, above 0: below 1 brightens, above 1 darkens."""
    if gamma <= 0:
        raise ClearsetError(f"gamma: {gamma} must be above 0")
    return np.power(np.clip(image, 0, None), np.float32(gamma))


@enhancement
def denoise(image: Image, *, strength: float, sigma: float) -> Image:
    """Average patches that look alike (non-local means, 5 px patches within 6 px).

    Buades et al., 2005, doi:10.1109/CVPR.2005.38. `sigma` is the noise's standard deviation in
    8-bit grey levels, above 0; `strength` the filter's width in units of sigma, above 0 (0.6 to
    1.2 is usual).
    """
    if strength <= 0 or sigma <= 0:
        raise ClearsetError(f"denoise: strength {strength} and sigma {sigma} must be above 0")
    from skimage.restoration import denoise_nl_means  # noqa: PLC0415

    level = sigma / 255
    return np.asarray(
        denoise_nl_means(
            image,
            patch_size=5,
            patch_distance=6,
            h=strength * level,
            sigma=level,
            fast_mode=True,
            preserve_range=True,
            channel_axis=_channels(image),
        ),
        np.float32,
    )
