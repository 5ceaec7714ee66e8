"""A released folder as a sequence of images with masks, each decoded when asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
import pandas as pd

from clearset.images import codec, identity, levels, masks
from clearset.share import soundness
from clearset.share.manifest import DROPPED, unread
from clearset.sources import places
from clearset.store import checksums, documents, layout, tables
from clearset.store.errors import ClearsetError

PLACES = ("output", "mask", "label")  # columns of files


@dataclass(frozen=True)
class Release(Sequence[dict[str, Any]]):
    """The released images of a folder, a sequence that a PyTorch `DataLoader` takes as it is.

    `frame` is the manifest of the images in this release as a pandas table, its columns output,
    mask and label absolute paths (empty: none). An item is decoded when it is asked for:

    - image: float32, 0 to 1 of the dataset's declared range, (height, width) or (height, width,
      channels)
    - mask: integers, (height, width); None where there is none that can be used
    - image_id, split, decision: text; decision is kept or repaired
    """

    frame: pd.DataFrame
    colours: masks.Colours | None = None  # of masks' classes

    def __len__(self) -> int:
        return len(self.frame)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> "Release": ...
    def __getitem__(self, index: int | slice) -> "dict[str, Any] | Release":
        if isinstance(index, slice):
            return Release(self.frame.iloc[index].reset_index(drop=True), self.colours)
        if not -len(self) <= index < len(self):
            raise IndexError(f"image {index} of {len(self)}")
        row: Any = self.frame.iloc[index]
        try:
            pixels = codec.decode(Path(row.output))
        except FileNotFoundError:
            raise ClearsetError(
                f"{row.output} is missing. clearset verify names all such"
            ) from None
        return {
            "image": levels.unit(pixels, levels.declared(row)).astype(np.float32),
            "mask": self._mask(row),
            "image_id": row.image_id,
            "split": row.split,
            "decision": row.decision,
        }

    def _mask(self, row: Any) -> levels.Pixels | None:
        usable = row["mask"] and not row.mask_error
        return masks.decode(Path(row["mask"]), self.colours) if usable else None

    def select(
        self, split: str | None = None, decision: str | None = None, masked: bool = False
    ) -> "Release":
        """Return the images of a split, of a decision, or only those with a mask."""
        rows = pd.Series(True, self.frame.index)
        for column, value in (("split", split), ("decision", decision)):
            if value is None:
                continue
            if value not in (values := sorted(set(self.frame[column]))):
                raise ClearsetError(f"no {column} is called {value!a}. Known: {', '.join(values)}")
            rows &= self.frame[column] == value
        if masked:
            rows &= self.frame["mask"] != ""
        return Release(self.frame[rows].reset_index(drop=True), self.colours)


def load_release(path: str | Path) -> Release:
    """Return the released images of a folder, of which nothing is decoded yet.

    Images that can not be read, which a release may keep as they were, are not among them. Raises
    `ClearsetError` for a folder without a manifest, a recipe, a manifest that makes no sense or
    leads elsewhere, and links that do.
    """
    folder = Path(path).absolute()
    if (folder / places.RELEASE).exists():
        raise ClearsetError(
            f"{folder} is a recipe, without pictures. With the source at hand: "
            f"clearset rebuild {folder} SOURCE TARGET; then load TARGET"
        )
    if not layout.own(folder, places.MANIFEST).exists():
        raise ClearsetError(f"{folder} is no released folder: it has no {places.MANIFEST}")
    own = [layout.own(folder, name) for name in (places.MANIFEST, places.PARAMS)]
    checksums.refuse_outside(folder, own)
    manifest = tables.read("manifest", folder)
    soundness.refuse(manifest, str(own[0]))
    rows = manifest[(manifest["decision"] != DROPPED) & ~unread(manifest)]
    used = [place for column in PLACES for place in rows[column] if place]
    checksums.refuse_outside(folder, [folder / place for place in used])
    for column in PLACES:
        absolute = rows[column].map(lambda place: str(folder / place) if place else "")
        rows = rows.assign(**{column: absolute})
    return Release(rows.reset_index(drop=True), _colours(own[1]))


def _colours(path: Path) -> masks.Colours:
    """Return the colours of masks' classes that a release was made with, by whichever version."""
    content = documents.mapping(path)
    try:
        ((_, section),) = content.items()
        colours = dict(section["fetch"]["layout"]["colours"])
    except (KeyError, TypeError, ValueError):
        return {}
    for name, colour in colours.items():
        if not (isinstance(colour, list) and len(colour) == 3 and all(map(_level, colour))):
            raise ClearsetError(
                f"{path}, fetch.layout.colours.{name}: {str(colour)[:80]} is not [red, green, "
                "blue], 0 to 255. Do not trust it"
            )
    return colours


def _level(value: object) -> bool:
    return type(value) is int and 0 <= value <= 255


def verify(path: str | Path) -> identity.Differences:
    """Return how a folder differs from what was released; nothing differs: two empty lists.

    Each file is hashed again. `wrong` names those that are changed, missing or not listed; `same`
    those that are the very image in other bytes, compressed anew. Raises `ClearsetError` for a
    folder without a list of its files, or one that names what lies elsewhere.
    """
    return identity.verify(Path(path))
