"""One image in memory, of whatever library, to the bytes of a file that holds the same pixels.

Nothing is scaled or cut: what has no lossless file of 8 or 16 bits is refused, with what to do.
Libraries are recognised by what their objects can do, and none is imported for it.
"""

import io
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image as Pillow

from clearset.images import codec
from clearset.store.errors import ClearsetError

Array = npt.NDArray[Any]
LOSSLESS = {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}  # Pillow's modes that PNG has
SIGNATURES = {  # of files that say by their name what they are; what is in them decides anyway
    b"\xff\xd8\xff": ".jpg",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    b"RIFF": ".webp",
}
MOST_BANDS = 16  # of an array whose first axis is shorter: bands come first there
NEAR = 1e-3  # grey levels: how far n/255 in single precision is from n


class Encoded(NamedTuple):
    """A file's bytes, and the suffix of its name."""

    content: bytes
    suffix: str


def is_image(value: Any) -> bool:
    """Whether a value is an image in memory: Pillow's, an array or a tensor, or a file's bytes."""
    if isinstance(value, Mapping):
        return {"bytes", "path"} <= set(value)
    several = np.ndim(value) >= 2 if _is_array(value) else False
    return several or isinstance(value, Pillow.Image | bytes | bytearray)


def encoded(value: Any, what: str) -> Encoded:
    """Return an image as a file's bytes; raises `ClearsetError`, which begins with `what`."""
    if isinstance(value, bytes | bytearray):
        found = (suffix for start, suffix in SIGNATURES.items() if value.startswith(start))
        return Encoded(bytes(value), next(found, ".png"))
    if isinstance(value, Pillow.Image):
        return Encoded(_of_pillow(value, what), ".png")
    if not _is_array(value):
        raise ClearsetError(
            f"{what} is of type {type(value).__name__}, no image: give paths, Pillow images, "
            "arrays (height x width, or x bands) or tensors (bands x height x width)"
        )
    return _of_array(whole(array(value), what), what)


def mask(value: Any, what: str) -> Encoded:
    """Return a mask as a PNG's bytes; what is true or false becomes 255 and 0."""
    if not _is_array(value):
        return encoded(value, what)
    pixels = array(value)
    if pixels.dtype == bool:
        return Encoded(codec.png_bytes(pixels.astype(np.uint8) * 255), ".png")
    if pixels.dtype.kind in "iu" and pixels.size and 0 <= pixels.min() <= pixels.max() < 2**16:
        pixels = pixels.astype(np.uint8 if pixels.max() < 2**8 else np.uint16)
    return encoded(pixels, what)


def _is_array(value: Any) -> bool:
    return hasattr(value, "__array__") and hasattr(value, "shape")


def array(value: Any) -> Array:
    """Return an array or a tensor as an array, height x width or height x width x bands.

    A tensor's bands come first, as its library has them.
    """
    if not hasattr(value, "detach"):
        return np.asarray(value)
    pixels = np.asarray(value.detach().cpu())
    return np.moveaxis(pixels, 0, -1) if pixels.ndim == 3 else pixels


def whole(pixels: Array, what: str) -> Array:
    """Return pixels as they are, or n where they are n/255; raises `ClearsetError` for others."""
    if pixels.dtype.kind == "u" and pixels.dtype.itemsize <= 2:
        return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if pixels.dtype.kind == "f" and pixels.size and np.isfinite(pixels).all():
        levels = pixels.astype(np.float64) * 255
        near = np.rint(levels)
        if near.min() >= 0 and near.max() <= 255 and np.abs(levels - near).max() <= NEAR:
            return near.astype(np.uint8)
    raise ClearsetError(
        f"{what} is of type {pixels.dtype}: give uint8 or uint16, or floats from 0 to 1 that are "
        "n/255, as ToTensor makes them, before they are normalised"
    )


def _of_array(pixels: Array, what: str) -> Encoded:
    shape = " x ".join(map(str, pixels.shape))
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim not in (2, 3) or 0 in pixels.shape:
        raise ClearsetError(f"{what} is {shape}: give height x width, or height x width x bands")
    if pixels.ndim == 3 and pixels.shape[0] <= MOST_BANDS < pixels.shape[2]:
        raise ClearsetError(
            f"{what} is {shape}: bands seem to come first. Give height x width x bands: "
            "np.moveaxis(image, 0, -1)"
        )
    pixels = np.ascontiguousarray(pixels)
    if pixels.ndim == 2 or (pixels.dtype == np.uint8 and pixels.shape[2] <= 4):
        return Encoded(codec.png_bytes(pixels), ".png")
    stored = io.BytesIO()
    colours = "rgb" if pixels.shape[2] == 3 else "minisblack"  # a fourth band of 16 bits: no alpha
    tifffile.imwrite(stored, pixels, photometric=colours, planarconfig="contig", metadata=None)
    return Encoded(stored.getvalue(), ".tif")


def _of_pillow(image: Pillow.Image, what: str) -> bytes:
    if image.mode not in LOSSLESS:
        raise ClearsetError(
            f"{what} is a Pillow image of mode {image.mode}, which no PNG has: "
            'convert it, say .convert("RGB"), or give the path of its file'
        )
    stored = io.BytesIO()
    try:
        image.save(stored, format="PNG")
    except (OSError, ValueError, SyntaxError) as error:  # it is decoded only now
        raise ClearsetError(
            f"{what} can not be decoded ({error}): give the path of its file, and it is listed as "
            "broken, or leave it out"
        ) from None
    return stored.getvalue()
