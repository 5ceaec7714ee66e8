"""What names of files and folders say: split, image or annotation, and who belongs together.

Data sets are named by people: `21_training.tif`, `21_manual1.gif`, `im0001.ah.ppm`,
`ISIC_01_segmentation.png`, `masks/0001.png`. A name is read as words; words that mark an annotation
or an image, at its ends, are taken off, and what is left is what images and annotations share.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


SPLITS = {
    "train": "train",
    "training": "train",
    "tr": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
    "ts": "test",
}
SHORT = {"tr", "ts", "dev"}  # splits only beside a word for images or annotations: imagesTr
WHOLE = "all"  # the split of a dataset that has none
PLURAL = _set("""
    masks labels annotations annots annotation anno annos gt gts groundtruth groundtruths
    segmentation segmentations seg segs manual truth truths targets gtfine gtcoarse trimaps
    segmentationclass segmentationobject labeltxt labelids polygons mattes outlines contours
    prediction predictions pred preds overlay overlays disparity dsm depth heatmap heatmaps
""")  # of a folder: annotations, whatever they look like
SINGLE = _set("""
    mask label annot segmented target trimap matte outline contour map fov roi vessel vessels av
    lesion lesions tumour tumor superpixels stuff panoptic instance instances semantic alpha
""")  # of a folder: annotations if they look like it
SURE = _set("""
    mask masks label labels annotation annotations annot anno seg segm segmentation manual gt
    groundtruth trimap matte labelids labeltrainids instanceids trainids gtfine gtcoarse
    polygons superpixels pred prediction overlay viz vis depth disparity dsm heatmap
""")  # at an end of a file's name: an annotation, whatever it looks like
LIKELY = _set("""
    segmented truth target outline contour fov roi av vessel vessels ho ah vk panoptic semantic
    instance instances annotated observer expert reader grader bin binary color colour l tumour
    tumor lesion alpha
""")  # at an end of a file's name: an annotation if it looks like one
NO_CLASSES = _set("""
    depth disparity dsm heatmap heatmaps alpha matte mattes overlay overlays viz vis
""")  # annotations whose values are no classes
IMAGES = _set("""
    image images img imgs input inputs original originals orig raw photo photos picture pictures
    pic pics rgb sat jpegimages leftimg8bit stills scan scans frame frames im data dataset jpg
    jpeg png tif
""")
ORDINALS = re.compile(r"\d*(1st|2nd|3rd|\dth|first|second|third)(ho|manual|observer|expert)?")
NUMBERED = re.compile(
    r"(mask|label|annot|seg|gt|manual|ho|observer|expert|reader|grader|annotator|av)\d{1,2}"
)
Means = Callable[[str], bool]
BREAKS = re.compile(r"[\s_\-.()]+")
HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])")
TRUTH = re.compile(r"ground[\s_-]*truth", re.IGNORECASE)
CHANNEL = re.compile(r"0\d{3}")  # x_0000.png: a channel's number


@dataclass(frozen=True)
class Name:
    """A picture's name taken apart: what is shared, and the words that mark an annotation."""

    core: str  # without words that mark an annotation; empty: it has no other
    reduced: str  # without words that mark an image or a split either
    marker: str  # the words taken off that mark an annotation, as they are; empty: none


def words(text: str) -> list[str]:
    """Return a name's words in lower case: imagesTr -> images, tr; trainannot -> train, annot."""
    parts = [part for part in BREAKS.split(TRUTH.sub("groundtruth", text)) if part]
    own = [word.lower() for part in parts for word in HUMPS.split(part)]
    return [word for one in own for word in _split_off(one)]


def _split_off(word: str) -> list[str]:
    """Return a word without the split that it begins with, if what follows says what lies there."""
    for start in SPLITS:
        rest = word.removeprefix(start)
        if rest != word and start not in SHORT and rest in PLURAL | SINGLE | IMAGES:
            return [start, rest]
    return [word]


def marks(word: str) -> bool:
    """Whether a word at the end of a file's name marks an annotation."""
    return word in SURE | LIKELY or bool(ORDINALS.fullmatch(word) or NUMBERED.fullmatch(word))


def sure(marker: str) -> bool:
    """Whether a name's marker means an annotation by itself."""
    return any(word in SURE or NUMBERED.fullmatch(word) for word in words(marker))


@lru_cache(maxsize=2**18)
def name(stem: str) -> Name:
    """Return a stem taken apart: 21_training_mask -> core 21_training, reduced 21, marker mask."""
    parts = [part for part in BREAKS.split(stem) if part]
    first, last = _without(parts, marks)
    core, marker = parts[first:last], "_".join(parts[:first] + parts[last:])
    if not core and not sure(marker):  # a likely word alone is a name like others
        core, marker = parts, ""
    start, end = _without(core, lambda word: word in IMAGES or word in SPLITS)
    reduced = core[start:end] or core
    if len(reduced) > 1 and CHANNEL.fullmatch(reduced[-1]):
        reduced = reduced[:-1]
    return Name("_".join(core).lower(), "_".join(reduced).lower(), marker.lower())


def _without(parts: Sequence[str], means: Means) -> tuple[int, int]:
    """Return where the parts begin and end without words that mean something at either end."""
    first, last = 0, len(parts)
    while last > first and _end(parts, last, means):
        last -= _end(parts, last, means)
    while first < last and means(parts[first].lower()):
        first += 1
    return first, last


def _end(parts: Sequence[str], last: int, means: Means) -> int:
    """Return how many parts before `last` are a word that means something, and its number."""
    if means(parts[last - 1].lower()):
        return 1
    numbered = last > 2 and parts[last - 1].isdecimal() and len(parts[last - 1]) < 3
    return 2 if numbered and means(parts[last - 2].lower()) else 0


def split(folders: Sequence[str]) -> str:
    """Return the split that folders say, the outermost first; WHOLE where none does."""
    for folder in folders:
        own = words(folder)
        kind = any(word in IMAGES | PLURAL | SINGLE for word in own)
        for word in map(_unnumbered, own):
            if word in SPLITS and (word not in SHORT or kind):
                return SPLITS[word]
    return WHOLE


def place(folders: Sequence[str]) -> PurePosixPath:
    """Return folders without those that only say split, images or annotations."""
    return PurePosixPath(*(folder for folder in folders if not _generic(folder)))


def _generic(folder: str) -> bool:
    own = words(folder)
    telling = [_telling(word) for word in own]
    known = all(told or word.isdecimal() for told, word in zip(telling, own, strict=True))
    return folder.lower() in IMAGES or (known and any(telling))


def _telling(word: str) -> bool:
    return word in PLURAL | SINGLE or _plain(word) or marks(word)


def _plain(word: str) -> bool:
    return word in IMAGES or _unnumbered(word) in SPLITS


def _unnumbered(word: str) -> str:
    return word.rstrip("0123456789") or word


def annotation_folder(folders: Sequence[str]) -> str:
    """Return the innermost folder that means annotations; empty: none, or one of images in it."""
    for folder in reversed(folders):
        if strength(folder):
            return folder
        if any(word in IMAGES for word in words(folder)):
            return ""
    return ""


def strength(folder: str) -> int:
    """Return how surely a folder's name means annotations: 2 by itself, 1 if they look so, 0.

    By itself only if its other words are of splits, images or numbers: with_mask is a class.
    """
    own = words(folder)
    if "".join(own) in PLURAL:
        return 2
    others = [word for word in own if word not in PLURAL | SINGLE and not marks(word)]
    if len(others) == len(own):
        return 0
    known = all(_plain(word) or not word.isalpha() for word in others)
    telling = any(word in PLURAL or NUMBERED.fullmatch(word) for word in own)
    return 2 if known and telling else 1


def kind(folder: str, core: str) -> str:
    """Return a folder of annotations as their kind: without split, and an image's own name."""
    own = [word for word in words(core) if not word.isdecimal()]
    parts = [part for part in BREAKS.split(folder) if part]
    kept = [word for part in parts for word in _split_off(part.lower()) if not _named(word, own)]
    whole = len(kept) == len(parts) or not kept
    return folder if whole else "_".join(kept)


def _named(word: str, own: Sequence[str]) -> bool:
    return word in own or _unnumbered(word) in SPLITS
