"""What the page knows of a dataset, as the one JSON document that is written into it.

The document's shape is declared by the dataclasses below, names and order. Columns are lists of one
length, an entry an image, in the order of image_id; images are told by their place in that order
everywhere else.
"""

from dataclasses import dataclass, field
from typing import Any

Numbers = list[float | None]  # None: not measured
VERSION = 1


@dataclass(frozen=True)
class Images:
    """Every image: what it is, what became of it and why, and where its pictures lie.

    Paths start from the page's folder of pictures; an empty one says that there is no picture.
    """

    id: list[str]
    split: list[str]
    decision: list[str]  # what the rules ask for: keep, review, enhance, drop
    fate: list[str]  # in the release where nobody rules otherwise: kept, repaired, dropped
    reason: list[str]
    rank: list[int]  # of a group of the same, the one with the least stays
    width: list[int]
    height: list[int]
    bits: list[int]
    bytes: list[int]
    error: list[str]
    steps: list[str]  # of the repair that was tried
    verdict: list[str]  # on it
    refused_by: list[str]
    keepable: list[int]  # 0: there is no copy of it to release
    copies: list[int]  # number of the group with the same pixels; -1: in none
    thumb: list[int]  # 1: there is a small picture
    before: list[str]
    after: list[str]
    mask: list[str]


@dataclass(frozen=True)
class Cases:
    """What a rule is scored on in the page: images, or pairs of images by values of their own."""

    what: str  # what they are, in words
    value: Numbers  # of pairs; empty: the images by the rule's metric
    positive: list[int]  # the places, among these, of those that have the fault
    left_out: list[int]  # images that are neither right nor wrong to flag


@dataclass(frozen=True)
class Trial:
    """Copies of the dataset's images with a level of a fault planted, as a rule measures them."""

    fault: str
    level: str
    value: Numbers


@dataclass(frozen=True)
class RuleFacts:
    """A rule, its bounds, and how far to trust it on these images."""

    name: str
    metric: str
    one: str  # what it says of one image: `is blurred`
    many: str
    action: str
    min: float | None
    max: float | None
    trust: str  # a sentence
    settings: str  # what stands before `min=` or `max=` in the command that adopts a bound
    reset: list[str]  # further settings that go along
    cases: Cases | None = None
    trials: list[Trial] = field(default_factory=list)
    atypical: list[int] = field(default_factory=list)  # images that its own bound was not chosen by
    chosen: int = 0  # 1: the bound was chosen by faults planted into these images


@dataclass(frozen=True)
class Relations:
    """Images that belong together."""

    links: list[tuple[int, int, float]]  # two images and how alike they are
    leaks: list[tuple[int, int, int, str]]  # of two splits: inliers, picture of both registered
    conflicts: list[tuple[int, int, str, float]]  # the same pixels: class, Dice of the masks
    nearest: list[list[tuple[int, float]]]  # of each image, the most similar ones


@dataclass(frozen=True)
class Adoption:
    """The commands of a dataset's home.

    A bound is made the default by `before`, each setting after an `each`, and `after`.
    """

    before: str
    each: str
    after: str
    release: str


@dataclass(frozen=True)
class Facts:
    """The whole document."""

    version: int
    name: str
    title: str
    review: str  # the file that rulings are written to
    releases: bool  # whether this dataset can be released
    adoption: Adoption
    images: Images
    metrics: dict[str, Numbers]
    rules: list[RuleFacts]
    relations: Relations
    classes: dict[str, str]  # colours of a mask's values, as `#rrggbb`


def plain(value: Any) -> float | None:
    """Return a number as JSON has it: None for none, the largest in place of infinity."""
    number = float(value)
    if number != number:  # noqa: PLR0124 - not a number
        return None
    largest = 1.7976931348623157e308
    return max(-largest, min(largest, number))
