"""Which pictures belong together: annotations and labels to the image of their name, near by."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from clearset.sources import names
from clearset.sources.entries import Entry
from clearset.sources.names import Name

SAME, PARALLEL, WITHIN, BESIDE, FAR = range(5)  # how near two folders are


@dataclass(frozen=True)
class Named:
    """A file by what its name and its folders say.

    `kind` is an annotation's, if a layout names it; `mark` what follows another picture's name in
    its own, if no known word does.
    """

    entry: Entry
    kind: str = ""
    mark: str = ""

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """Its folders below the source, outermost first."""
        return self.entry.place.parts[:-1]

    @cached_property
    def split(self) -> str:
        """The split that its folders say."""
        return names.split(self.folders)

    @cached_property
    def place(self) -> PurePosixPath:
        """Its folders without those that only say split, images or annotations."""
        return names.place(self.folders)

    @cached_property
    def stem(self) -> str:
        """Its name without suffix and unknown mark."""
        return self.entry.place.stem.removesuffix(self.mark)

    @cached_property
    def name(self) -> Name:
        """Its stem taken apart."""
        return names.name(self.stem)


class Index:
    """Images by the names that annotations may share with them."""

    def __init__(self, images: Iterable[Named]) -> None:
        self._by_name: dict[tuple[str, str], list[Named]] = defaultdict(list)
        for image in images:
            ways = ("stem", image.stem.lower()), ("core", image.name.core), ("", image.name.reduced)
            for way in ways:
                self._by_name[way].append(image)

    def partners(self, file: Named) -> list[Named]:
        """Return the images that a file goes with: of the fullest name, in the nearest folder.

        Several only if they are one image in several formats; none where it could be of either of
        two.
        """
        core, own = file.name.core, file.entry.place.stem.lower()
        stems = [("stem", stem) for stem in (own, file.stem.lower(), core)]
        ways = [*stems, ("core", core), ("", file.name.reduced)]
        for way in ways:
            if near := self._nearest(file, self._by_name.get(way, [])):
                one = len({image.entry.place.with_suffix("") for image in near}) == 1
                return near if one else []
        return []

    def _nearest(self, file: Named, images: Iterable[Named]) -> list[Named]:
        by_distance: dict[tuple[bool, int], list[Named]] = defaultdict(list)
        for image in images:
            other = image.split != file.split  # fits only if one of them is of no split
            fits = not other or names.WHOLE in (image.split, file.split)
            if image.entry != file.entry and fits:
                by_distance[other, distance(file, image)].append(image)
        near = [key for key in by_distance if key[1] < FAR]
        return by_distance[min(near)] if near else []


def distance(one: Named, other: Named) -> int:
    """Return how near the folders of two files are: SAME to FAR."""
    if one.folders == other.folders:
        return SAME
    if one.place == other.place:
        return PARALLEL
    inner, outer = sorted((one.place.parts, other.place.parts), key=len, reverse=True)
    if len(inner) == len(outer) + 1 and inner[: len(outer)] == outer:
        return WITHIN
    differing = sum(a != b for a, b in zip(inner, outer, strict=False))
    return BESIDE if len(inner) == len(outer) and differing == 1 else FAR
