"""How alike images are to their light edits, and to the other images of their set."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.similar.cosines import Descriptors, between
from clearset.trials.copies import Edits

SIMILARITIES = 5_000_000  # at once
OTHERS = 400  # images of the set that each of the sample is compared with, at most
COLUMNS = ["image_id", "other_id", "kind", "edit", "value", "positive"]


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
    for image_id, own, name, alike in _similarities(sample, place, descriptors):
        if not name:
            chosen = every[every != own]
            rows += [(image_id, image_ids[n], "different", "", float(alike[n]), 0) for n in chosen]
            continue
        rows.append((image_id, image_id, "planted", name, float(alike[own]), 1))
        alike[own] = -np.inf
        other = int(alike.argmax())
        if other != own:
            rows.append((image_id, image_ids[other], "beside", name, float(alike[other]), 0))
    return pd.DataFrame(rows, columns=COLUMNS)


def _similarities(
    sample: Mapping[str, Edits], place: Mapping[str, int], descriptors: Descriptors
) -> Iterator[tuple[str, int, str, npt.NDArray[np.float64]]]:
    """Yield each image of the sample, and each edit of it, with its similarities to all images.

    As image_id, place, edit (none: the image itself), similarities. Many at once, since all
    descriptors are gone through for them.
    """
    whole = [(i, place[i], "", descriptors[place[i]]) for i in sample]
    whole += [
        (i, place[i], name, own) for i, edits in sample.items() for name, own in edits.items()
    ]
    step = max(SIMILARITIES // max(len(place), 1), 1)
    for first in range(0, len(whole), step):
        some = whole[first : first + step]
        for one, alike in zip(
            some, between(np.stack([s[3] for s in some]), descriptors), strict=True
        ):
            yield *one[:3], alike
