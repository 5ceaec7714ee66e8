"""Where an image lies in its source's own layout: on any system below any folder, and alone."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from clearset.sources.inventory import Item
from clearset.store import checksums
from clearset.store.checksums import CHECKSUMS, IDENTITIES
from clearset.store.errors import ClearsetError, listed

MANIFEST, README, CROISSANT, PARAMS = "manifest.csv", "README.md", "croissant.json", "params.yaml"
RELEASE = "release.sha256"  # in a recipe: the checksums of the whole release
# Beside the source's own folders:
OWN = {
    MANIFEST,
    README,
    CROISSANT,
    PARAMS,
    CHECKSUMS,
    IDENTITIES,
}


def unfit(path: str) -> str:
    """Return why a path below the source can be no path of a released dataset; empty: it can.

    Such an image is a finding, not a stop: the source is someone's folder, and the others go on.
    """
    if not path.isprintable():
        return "control characters in its name"
    if not checksums.is_safe(path):
        return "a colon, a backslash or .. in its path, which is no path on every system: rename it"
    return ""


def refuse_collisions(items: Sequence[Item]) -> None:
    """Raise `ClearsetError` unless each place in the source is one image's, or only masks'.

    Images may share one mask file, as `eye.png` and `eye.tif` do.
    """
    images = Counter(item.source for item in items)
    masks: dict[str, set[Path]] = defaultdict(set)
    for item in items:
        if item.mask is not None:
            masks[item.source_mask].add(item.mask)
    paths = [*images, *masks, *(item.source_label for item in items if item.label is not None)]
    problems = {
        "is more than one image": [place for place, count in images.items() if count > 1],
        "is more than one mask": [place for place, files in masks.items() if len(files) > 1],
        "is both an image and a mask": sorted(set(images) & set(masks)),
        "lies where a released dataset has a file of its own": [p for p in paths if _top(p) in OWN],
    }
    for what, places in problems.items():
        if places:
            raise ClearsetError(
                f"fetch: what the source has at {listed(map(ascii, places))} {what}. A released "
                "dataset has one place for each: mend the patterns in fetch.splits, or rename it"
            )


def _top(place: str) -> str:
    return place.split("/", maxsplit=1)[0]
