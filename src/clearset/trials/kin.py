"""How alike images are to their light edits, and to the other images of their set."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.engines import native
from clearset.numeric.exact import settled, whole
from clearset.numeric.grey import Grey
from clearset.plant.edits import EDITS, Edit, edited, moved
from clearset.plant.planting import random_for
from clearset.similar.neighbours import Descriptors, between

Edits = Mapping[str, npt.NDArray[np.int32]]  # the descriptor of an image after each edit
SIDE = 256  # px: the shorter side of a reduced image, at least
OTHERS = 400  # images of the set that each of the sample is compared with, at most
COLUMNS = ["image_id", "other_id", "kind", "edit", "value", "positive"]


def described(grey: Grey, image_id: str, seed: int) -> dict[str, npt.NDArray[np.int32]]:
    """Return what an image looks like after each edit, by the edit's name.

    The image is reduced first, to no less than four pixels along each cell that is described.
    """
    grey = reduced(grey)
    return {
        name: native.descriptor(planted(grey, edit, random_for(seed, f"{image_id}-{name}")))
        for name, edit in EDITS.items()
    }


def planted_pairs(
    sample: Mapping[str, Edits],
    image_ids: Sequence[str],
    descriptors: Descriptors,
    others: int = OTHERS,
) -> pd.DataFrame:
    """Return the table `kin`: how alike the images of a sample are to copies and to others.

    `sample` are edits of some images of the set by image_id, `descriptors` those of all `image_ids`
    in this order. Of each image and edit a row `planted` (positive; other_id is itself) and a row
    `beside` (the most similar other image); rows `different` of each image and up to `others` of
    the set, evenly chosen.
    """
    place = {image_id: number for number, image_id in enumerate(image_ids)}
    every = np.unique(np.linspace(0, len(place) - 1, min(others + 1, len(place))).astype(int))
    rows: list[tuple[str, str, str, str, float, int]] = []
    for image_id, edits in sample.items():
        own = place[image_id]
        alike = between(descriptors[[own]], descriptors)[0]
        chosen = every[every != own]
        rows += [(image_id, image_ids[n], "different", "", float(alike[n]), 0) for n in chosen]
        for name, again in edits.items():
            alike = between(again[None], descriptors)[0]
            rows.append((image_id, image_id, "planted", name, float(alike[own]), 1))
            alike[own] = -np.inf
            other = int(alike.argmax())
            if other != own:
                rows.append((image_id, image_ids[other], "beside", name, float(alike[other]), 0))
    return pd.DataFrame(rows, columns=COLUMNS)


def reduced(grey: Grey) -> Grey:
    """Return an image by means of whole pixels, with at least 256 along its shorter side."""
    step = min(grey.shape) // SIDE
    if step < 2:
        return grey
    rows, columns = (side // step * step for side in grey.shape)

    def parts(plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return plane[:rows, :columns].reshape(rows // step, step, columns // step, step)

    sums = parts(grey.levels).sum(axis=(1, 3), dtype=np.int64)
    levels = ((sums + step**2 // 2) // step**2).astype(grey.levels.dtype)
    seen = None if grey.seen is None else np.asarray(parts(grey.seen).all(axis=(1, 3)))
    return Grey(levels, grey.white, seen)


def planted(grey: Grey, edit: Edit, rng: np.random.Generator) -> Grey:
    """Return an image after an edit, in levels as before; what was seen moves with it."""
    image = edited(grey.levels / grey.white, edit, rng)
    levels = whole(settled(image) * grey.white, grey.levels.dtype)
    seen = None if grey.seen is None else moved(grey.seen.astype(np.uint8), edit, order=0) > 0
    return Grey(levels, grey.white, seen)
