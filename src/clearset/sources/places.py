"""Where an image lies in its source's own layout: on any system below any folder, and alone."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from clearset.sources.inventory import Item
from clearset.store import checksums, layout
from clearset.store.checksums import CHECKSUMS, IDENTITIES
from clearset.store.errors import ClearsetError, listed

MANIFEST, README, CROISSANT, PARAMS = "manifest.csv", "README.md", "croissant.json", "params.yaml"
INVENTORY = "inventory.csv"
ROWS = "rows-"  # and a split's name: its table for `datasets`
HUB = ".huggingface.yaml"  # in a card's stead where README.md is the source's
RELEASE = "release.sha256"  # in a recipe: the checksums of the whole release
TABLE = re.compile(rf"{ROWS}\w+\.parquet", re.ASCII)
FOREIGN = re.compile(r'[<>:"|?*]')  # in no name on Windows
RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{p}{n}" for p in ("COM", "LPT") for n in range(1, 10))}
# Beside the source's own folders:
OWN = {
    MANIFEST,
    INVENTORY,
    README,
    CROISSANT,
    PARAMS,
    CHECKSUMS,
    IDENTITIES,
}


def own(folder: Path, tables: Iterable[str] = ()) -> dict[str, str]:
    """Return what a released folder calls its own files, the source's being there already.

    `tables` are those of its splits. What the Hub reads beside a card is there only without one.
    """
    taken = {path.name.casefold() for path in folder.iterdir()}
    names = sorted({*OWN, *tables})
    called = {n: f"{layout.OWN}{n}" if n.casefold() in taken else n for n in names}
    instead = {HUB} if called[README] != README and HUB not in taken else set()
    return called | {name: name for name in instead}


def reserved(path: str) -> bool:
    """Whether a released folder may have a file of its own at a source's path."""
    top = _top(path).casefold()
    own = {name.casefold() for name in OWN}
    prefixed = top.startswith(layout.OWN)
    name = top.removeprefix(layout.OWN)
    return prefixed and (name in own or bool(TABLE.fullmatch(name)))


def unfit(path: str) -> str:
    """Return why a path below the source can be no path of a released dataset; empty: it can.

    Such a file is a finding, not a stop: the source is someone's folder, and the others go on.
    """
    kinds = {unicodedata.category(character) for character in path}
    if "Cs" in kinds:
        return "its name is not UTF-8: rename it"
    if kinds & checksums.UNWRITTEN:
        return "control characters in its name: rename it"
    if not checksums.is_safe(path):
        return "a backslash, a drive or .. in its path, which is no path on every system: rename it"
    return ""


def remark(paths: Sequence[str]) -> str:
    """Return a note on names that some systems can not hold; empty: all can."""
    odd = [p for p in paths if FOREIGN.search(p) or any(_reserved(q) for q in p.split("/"))]
    counts = Counter(path.casefold() for path in paths)
    odd += [path for path in paths if counts[path.casefold()] > 1 and path not in odd]
    if not odd:
        return ""
    return f"names that other systems can not hold, kept as they are: {listed(map(ascii, odd))}"


def _reserved(part: str) -> bool:
    return part.rstrip(" .") != part or part.split(".", maxsplit=1)[0].upper() in RESERVED


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
        "lies where a released dataset has a file of its own": [p for p in paths if reserved(p)],
    }
    for what, places in problems.items():
        if places:
            raise ClearsetError(
                f"fetch: what the source has at {listed(map(ascii, places))} {what}. A released "
                "dataset has one place for each: mend the patterns in fetch.splits, or rename it"
            )


def _top(place: str) -> str:
    return place.split("/", maxsplit=1)[0]
