"""The part of the schema that says where a dataset comes from and what is planted into it."""

import math
from dataclasses import dataclass, field
from enum import Enum


class Source(Enum):
    """Where a dataset's files come from."""

    generated = "generated"
    archive = "archive"
    incoming = "incoming"  # put by hand into data/incoming/, since it lies behind a registration
    folder = "folder"
    work_folder = "work_folder"  # tables that fastdup has left, without any image


class Mapping(Enum):
    """How stored values become 0 to 1; the same for every image, but for `image`."""

    type = "type"  # the whole range of the file's integer type
    fixed = "fixed"  # from `low` to `high`, stored values
    percentiles = "percentiles"  # from percentile `low` to percentile `high` of the whole dataset
    image = "image"  # the same of each image by itself: hides darkness and low contrast


class Scene(Enum):
    """What generated images show."""

    retina = "retina"  # 8 bits, with masks
    satellite = "satellite"  # 16 bits, with label texts of buildings


class Links(Enum):
    """Which links of a source are followed; an archive's lead nowhere but inside."""

    every = "every"
    inside = "inside"  # those that lead out are left out: for a set that is not trusted


# Least and most of what is generated: more than a million images, or larger ones, fill any disk.
GENERATED = {"count": (1, 10**6), "size": (64, 2**14), "seed": (0, 2**63 - 1)}


def require(condition: bool, message: str) -> None:
    """Raise `ValueError` with `message` unless `condition` holds."""
    if not condition:
        raise ValueError(message)


@dataclass
class Split:
    """Where one split lies in the source: a glob for images, `{stem}` templates for the others."""

    images: str = ""
    masks: str = ""
    labels: str = ""  # files of any other kind that belong to an image: they travel along


@dataclass
class Layout:
    """What lies where in a source, where names and contents say it wrongly or not at all.

    Patterns are globs below the source, `**` for any folders. The first of `images`, `annotations`
    and `companions` that fits has the word; what fits none is looked at as ever.
    """

    name: str = ""  # one of `layouts.LAYOUTS`, whose patterns stand behind one's own; empty: none
    images: list[str] = field(default_factory=list)
    annotations: dict[str, str] = field(default_factory=dict)  # kind: pattern
    companions: list[str] = field(default_factory=list)  # carried along, never looked at
    measured: str = ""  # the kind of annotation that is measured; empty: the one that differs most
    seen: str = ""  # the kind that shows the field of view; empty: found by its looks
    colours: dict[str, list[int]] = field(default_factory=dict)  # of masks' classes, from 1 on

    def __post_init__(self) -> None:
        """Check the colours."""
        for name, colour in self.colours.items():
            fits = len(colour) == 3 and all(0 <= level <= 255 for level in colour)
            require(fits, f"fetch.layout.colours.{name} is {colour}: [red, green, blue], 0 to 255")


@dataclass
class PixelRange:
    """The range of the stored values that is measured, shown, and fed to an engine."""

    mapping: Mapping = Mapping.type
    low: float = 0.0  # a stored value, or a percentile
    high: float = 0.0
    nodata: int | None = None  # value of pixels without data; empty: as a TIFF's own tag says

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.mapping is Mapping.type:
            bound = self.low or self.high
            require(not bound, "fetch.range has low or high, which mapping: type does not take")
            return
        given = f"fetch.range is from {self.low:g} to {self.high:g}"
        if self.mapping is Mapping.fixed:
            finite = -math.inf < self.low < self.high < math.inf
            require(finite, f"{given}: give low < high, both stored values")
        else:
            require(0 <= self.low < self.high <= 100, f"{given}: give 0 <= low < high <= 100")


@dataclass
class Bands:
    """The bands of an image that are looked at and measured; a repair changes all alike."""

    shown: list[int] = field(default_factory=list)  # numbers, from 1, of one or of red, green, blue

    def __post_init__(self) -> None:
        """Check the numbers."""
        wanted = len(self.shown) in (0, 1, 3) and all(band >= 1 for band in self.shown)
        require(
            wanted and len(set(self.shown)) == len(self.shown),
            f"fetch.bands.shown is {list(self.shown)}: give the numbers, from 1, of one band or "
            "three, such as [4,3,2]; empty: the first three",
        )


@dataclass
class Plant:
    """Faults of known kind and severity, planted into a dataset to measure detectors by.

    Numbers of images are capped by the number of eyes that can have them.
    """

    faults: list[str] = field(default_factory=list)  # of `faults.FAULTS`; empty: its suite of 14
    in_place: int = 0  # eyes that get a fault in their clean image's stead
    per_eye: int = 0  # severities of each fault, of five, planted beside each clean image
    near_duplicates: int = 0  # eyes that get a near duplicate by each light edit
    duplicates: int = 0  # eyes that get an exact copy
    conflicts: int = 0  # eyes that get an exact copy with another mask
    leaks: int = 0  # eyes that are seen again in another split
    overlaps: int = 0  # generated satellite tiles of whose ground another split shows a part
    masks: int = 0  # eyes that get a swapped, an empty and an unknown mask
    broken: int = 0  # broken files, and masks of another size
    foreign: int = 0  # images of something else
    empty: int = 0  # eyes whose image is shown again, with no data (0) for most of it
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
    path: str = ""  # folder, work_folder: where it lies
    url: str = ""  # archive: a zip, Google Drive or any other address
    sha256: str = ""  # archive: of the downloaded zip
    homepage: str = ""  # archive, incoming: where a person gets it by hand
    expected: str = ""  # incoming: what lies there, in words
    layout: Layout = field(default_factory=Layout)  # what is what, where that is not found
    links: Links = Links.every  # which are followed
    checksums: str = ""  # archive: the list in conf/checksums/ that proves each file
    splits: dict[str, Split] = field(default_factory=dict)  # empty: found by sub-folder names
    range: PixelRange = field(default_factory=PixelRange)
    bands: Bands = field(default_factory=Bands)
    aperture: bool = True  # whether the black around a photograph's disc is looked for, as unseen
    memory: float = 4.0  # GB that measuring one image may take, in each process: past it, refused
    count: int = 0  # generated: how many images
    size: int = 0  # generated: side in pixels
    scene: Scene = Scene.retina  # generated: what the images show
    channels: int = 1  # generated: 1 for grey, or 3 for colour, which satellite tiles alone have
    seed: int = 0  # generated
    plant: Plant | None = None  # faults to plant; empty: the images stay as they are

    def __post_init__(self) -> None:
        """Check that what the source needs is there."""
        if self.source is Source.archive:
            for key in ("url", "sha256", "checksums", "splits"):
                require(bool(getattr(self, key)), f"fetch.{key} is empty: an archive needs it")
        if self.source is Source.incoming:
            for key in ("homepage", "expected"):
                require(bool(getattr(self, key)), f"fetch.{key} is empty: say where it comes from")
        if self.source is Source.generated:
            for key, (least, most) in GENERATED.items():
                value = getattr(self, key)
                require(value >= least, f"fetch.{key} is {value}: at least {least}")
                require(value <= most, f"fetch.{key} is {value}: at most {most}")
        require(self.memory > 0, f"fetch.memory is {self.memory:g}: more than 0, in gigabytes")
        satellite = self.scene is Scene.satellite
        allowed = (1, 3) if satellite else (1,)
        number = f"fetch.channels is {self.channels}: 1, or 3 of a satellite"
        require(self.channels in allowed, number)
        has_crops = satellite and self.source is Source.generated
        overlaps = self.plant.overlaps if self.plant else 0
        require(
            has_crops or not overlaps,
            f"plant.overlaps is {overlaps}: only generated satellite tiles can overlap",
        )
