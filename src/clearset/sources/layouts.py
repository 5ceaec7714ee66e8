"""Layouts of data sets that many know by name, and patterns for what lies where."""

import re
from functools import lru_cache
from pathlib import PurePosixPath

from clearset.config.schema_fetch import Layout
from clearset.store.errors import ClearsetError

IMAGE, COMPANION = "image", "companion"
LAYOUTS = {
    "chase_db1": Layout(
        images=["**/Image_*.*"],
        annotations={"1stHO": "**/*_1stHO.*", "2ndHO": "**/*_2ndHO.*"},
        measured="1stHO",
    ),
    "coco": Layout(
        images=[f"**/{split}20*/*" for split in ("train", "val", "test", "unlabeled")],
        annotations={"panoptic": "**/panoptic_*/**", "stuff": "**/stuffthingmaps*/**"},
        companions=["**/annotations/*"],
    ),
    "drive": Layout(
        images=["**/images/*"],
        annotations={
            "1st_manual": "**/1st_manual/*",
            "2nd_manual": "**/2nd_manual/*",
            "mask": "**/mask/*",
        },
        measured="1st_manual",
        seen="mask",
    ),
    "hrf": Layout(
        images=["**/images/*"],
        annotations={"manual1": "**/manual1/*", "mask": "**/mask/*"},
        measured="manual1",
        seen="mask",
    ),
    "imagefolder": Layout(images=["**/*"]),
    "isic": Layout(
        images=["**/ISIC_*.*"],
        annotations={
            "segmentation": "**/*_segmentation.*",
            "attribute": "**/*_attribute_*.*",
            "superpixels": "**/*_superpixels.*",
        },
        measured="segmentation",
    ),
    "voc": Layout(
        images=["**/JPEGImages/*"],
        annotations={
            "SegmentationClass": "**/SegmentationClass/*",
            "SegmentationObject": "**/SegmentationObject/*",
        },
        companions=["**/ImageSets/**"],
        measured="SegmentationClass",
    ),
    "yolo": Layout(images=["**/images/**"], companions=["**/*.yaml", "**/*.yml", "**/*.cache"]),
}


def whole(layout: Layout) -> Layout:
    """Return a layout with the patterns of the one that it names behind its own.

    Raises `ClearsetError` for a name that is not known.
    """
    if not layout.name:
        return layout
    if layout.name not in LAYOUTS:
        raise ClearsetError(
            f"fetch.layout.name is {layout.name!a}. Known: {', '.join(LAYOUTS)}; or leave it out "
            "and say what lies where by fetch.layout.images and fetch.layout.annotations"
        )
    known = LAYOUTS[layout.name]
    return Layout(
        name=layout.name,
        images=[*layout.images, *known.images],
        annotations=layout.annotations | known.annotations,
        companions=[*layout.companions, *known.companions],
        measured=layout.measured or known.measured,
        seen=layout.seen or known.seen,
    )


def role(place: PurePosixPath, layout: Layout) -> tuple[str, str]:
    """Return what a layout says of a place: its role (empty: nothing) and an annotation's kind."""
    for kind, pattern in layout.annotations.items():
        if _fits(place, pattern):
            return "annotation", kind
    if any(_fits(place, pattern) for pattern in layout.companions):
        return COMPANION, ""
    return (IMAGE if any(_fits(place, p) for p in layout.images) else ""), ""


def _fits(place: PurePosixPath, pattern: str) -> bool:
    return bool(_compiled(pattern).fullmatch(str(place)))


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return a glob as an expression: `**/` any folders or none, `**` all, `*` in a name, `?`."""
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    tokens = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return re.compile("".join(parts.get(token, re.escape(token)) for token in tokens), re.DOTALL)
