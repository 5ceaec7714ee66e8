"""The part of the schema that says where a dataset comes from and what is planted into it."""

from dataclasses import dataclass, field
from enum import Enum


class Source(Enum):
    """Where a dataset's files come from."""

    generated = "generated"
    archive = "archive"
    folder = "folder"


def require(condition: bool, message: str) -> None:
    """Raise `ValueError` with `message` unless `condition` holds."""
    if not condition:
        raise ValueError(message)


@dataclass
class Split:
    """Where one split lies in the source: a glob for images, a `{stem}` template for masks."""

    images: str = ""
    masks: str = ""


@dataclass
class Plant:
    """Faults of known kind and severity, planted into a dataset to measure detectors by.

    Numbers of images are capped by the number of eyes that can have them.
    """

    faults: list[str] = field(default_factory=list)  # of `faults.FAULTS`; empty: all
    in_place: int = 0  # eyes that get a fault in their clean image's stead
    per_eye: int = 0  # severities of each fault, of five, planted beside each clean image
    near_duplicates: int = 0  # eyes that get a near duplicate by each light edit
    duplicates: int = 0  # eyes that get an exact copy
    conflicts: int = 0  # eyes that get an exact copy with another mask
    leaks: int = 0  # eyes that are seen again in another split
    masks: int = 0  # eyes that get a swapped, an empty and an unknown mask
    broken: int = 0  # broken files, and masks of another size
    foreign: int = 0  # images of something else
    same_eye: list[list[str]] = field(default_factory=list)  # images known to show one eye
    held_out: float = 0.5  # share of the eyes that bounds are scored on, not chosen by
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the ranges."""
        for key, value in vars(self).items():
            require(not isinstance(value, int) or value >= 0, f"plant.{key} is {value}: at least 0")
        require(self.per_eye <= 5, f"plant.per_eye is {self.per_eye}: at most 5")
        require(0 < self.held_out < 1, f"plant.held_out is {self.held_out}: between 0 and 1")


@dataclass
class Fetch:
    """How the source becomes images/, masks/ and images.csv."""

    source: Source = Source.folder
    path: str = ""  # folder: where the images lie
    url: str = ""  # archive: a zip, Google Drive or any other address
    sha256: str = ""  # archive: of the downloaded zip
    homepage: str = ""  # archive: where a person gets it by hand
    checksums: str = ""  # archive: the list in conf/checksums/ that proves each file
    splits: dict[str, Split] = field(default_factory=dict)  # empty: found by sub-folder names
    count: int = 0  # generated: how many images
    size: int = 0  # generated: side in pixels
    seed: int = 0  # generated
    plant: Plant | None = None  # faults to plant; empty: the images stay as they are

    def __post_init__(self) -> None:
        """Check that what the source needs is there."""
        if self.source is Source.archive:
            for key in ("url", "sha256", "checksums", "splits"):
                require(bool(getattr(self, key)), f"fetch.{key} is empty: an archive needs it")
        if self.source is Source.generated:
            for key, least in (("count", 1), ("size", 64), ("seed", 0)):
                value = getattr(self, key)
                require(value >= least, f"fetch.{key} is {value}: at least {least}")
