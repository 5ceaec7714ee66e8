"""Masks: pictures whose values are numbers of classes, and drawings that become such."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clearset.images import codec
from clearset.images.levels import Pixels
from clearset.store.errors import UnreadableImage, listed

Colours = Mapping[str, Sequence[int]]  # red, green and blue of each class, numbered from 1
ALPHA = {2, 4}  # bands of which the last one says nothing of a class
DRAWN = 64  # colours up to which a mask is drawn by hand
NAMED = 6  # colours that an error names


def decode(path: Path, colours: Colours | None = None) -> Pixels:
    """Return a mask's values, (height, width): a palette's numbers, 0 and 1 if bilevel.

    Bands that are all alike are one number, alpha is none. What is in colour becomes the numbers of
    `colours`, black 0. Raises `UnreadableImage` as `codec.decode`, and for a colour of no class.
    """
    values = codec.decode(path, raw=True)
    if values.ndim == 3:
        bands = values[..., : values.shape[2] - (values.shape[2] in ALPHA)]
        values = (
            bands[..., 0] if (bands == bands[..., :1]).all() else _classes(bands, colours or {})
        )
    if values.dtype.kind == "f":
        raise UnreadableImage(f"real numbers ({values.dtype}): save it as 8 or 16 bits")
    return values.astype(np.uint8) if values.dtype == bool else values


def in_colour(path: Path) -> bool:
    """Whether a mask that can be read has bands that differ."""
    values = codec.decode(path, raw=True)
    if values.ndim == 2:
        return False
    bands = values[..., : values.shape[2] - (values.shape[2] in ALPHA)]
    return not bool((bands == bands[..., :1]).all())


def _classes(bands: Any, colours: Colours) -> Pixels:
    """Return the numbers of classes of a drawing in colour, (h, w, 3)."""
    if bands.shape[2] != 3:
        raise UnreadableImage(f"{bands.shape[2]} bands: save it with one number a class")
    known = [(0, 0, 0), *(tuple(colour) for colour in colours.values())]
    packed = _packed(bands)
    numbers = {int(_packed(np.array(colour))): number for number, colour in enumerate(known)}
    there = np.unique(packed)
    if unknown := [int(colour) for colour in there if int(colour) not in numbers]:
        raise UnreadableImage(_unknown(unknown, bool(colours)))
    table = np.array([numbers[int(colour)] for colour in there], np.uint8)
    return np.asarray(table[np.searchsorted(there, packed)])


def _unknown(colours: Sequence[int], some: bool) -> str:
    """Return what is wrong with colours of no class, and what to say; `some` others have one."""
    what = "in colour of no class" if some else "in colour"
    if len(colours) > DRAWN:
        return f"{what}, {len(colours)} of them: save it with one number a class"
    names = [f"[{colour >> 16}, {colour >> 8 & 255}, {colour & 255}]" for colour in colours]
    return (
        f"{what} ({listed(names, NAMED)}): say which is which class by "
        f"fetch.layout.colours={{vessel: {names[-1]}}}, or save it with one number a class"
    )


def _packed(bands: Any) -> Any:
    red, green, blue = (bands[..., band].astype(np.int64) for band in range(3))
    return red << 16 | green << 8 | blue
