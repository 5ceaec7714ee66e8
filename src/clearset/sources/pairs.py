"""Which pictures belong together: annotations and labels to the image of their name, near by."""

import operator
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from clearset.sources import names
from clearset.sources.entries import Entry
from clearset.sources.names import Name

ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
BETWEEN = 2  # folders by which two of one kind may differ
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
        self._plain: dict[tuple[str, ...], list[Named]] = defaultdict(list)  # by folders, unmarked
        for image in images:
            if image.name.core and not image.name.marker:
                self._plain[image.folders].append(image)
            for way in (("exact", image.stem), *_ways(image.stem, image.name)):
                self._by_name[way].append(image)

    def partners(self, file: Named, far: bool = False) -> list[Named]:
        """Return the images that a file may go with: of the fullest name, in the nearest folder.

        With `far`, in any folder where only one image of the whole set has that name. It surely
        goes with them if they are `one` image.
        """
        own, core = file.entry.place.stem, file.name.core
        if not core:  # its name says no more than what it is
            return self._unmarked(file)
        stems = [own.lower(), file.stem.lower(), core]
        ways = [("exact", own), *(("stem", stem) for stem in stems)]
        ways += _ways(file.stem, file.name)[1:]
        ends = [match.start() for match in names.BREAKS.finditer(own)] if far else []
        ways += [("stem", own[:end].lower()) for end in reversed(ends) if end]
        ways += [("number", _unpadded(own[:end].lower())) for end in reversed(ends) if end]
        found = (self._nearest(file, self._by_name.get(way, []), far) for way in ways)
        return next((near for near in found if near), [])

    def _unmarked(self, file: Named) -> list[Named]:
        """Return the only other picture of a file's folder that bears no mark, if there is one."""
        own = [image for image in self._plain.get(file.folders, []) if image.entry != file.entry]
        return own if len(own) == 1 else []

    def _nearest(self, file: Named, images: Iterable[Named], far: bool) -> list[Named]:
        by_distance: dict[tuple[bool, int], list[Named]] = defaultdict(list)
        for image in images:
            other = image.split != file.split  # fits only if one of them is of no split
            fits = not other or names.WHOLE in (image.split, file.split)
            if image.entry != file.entry and fits:
                by_distance[other, distance(file, image)].append(image)
        near = [key for key in by_distance if key[1] < FAR]
        if not near and far and len(by_distance) == 1:
            (own,) = by_distance.values()
            return own if one(own) else []
        return by_distance[min(near)] if near else []


def _ways(stem: str, name: Name) -> list[tuple[str, str]]:
    """Return the ways by which an image is known, the fullest first."""
    every = ("stem", stem.lower()), ("core", name.core), ("", name.reduced)
    return [*every, ("number", _unpadded(name.reduced))]


def _unpadded(text: str) -> str:
    """Return a name whose numbers have no zeros before them."""
    return ZEROS.sub("", text)


def one(images: Iterable[Named]) -> bool:
    """Whether images are one image, in several formats."""
    return len({image.entry.place.with_suffix("") for image in images}) == 1


def distance(first: Named, second: Named) -> int:
    """Return how near the folders of two files are: SAME to FAR."""
    if first.folders == second.folders:
        return SAME
    if first.place == second.place:
        return PARALLEL
    inner, outer = sorted((first.place.parts, second.place.parts), key=len, reverse=True)
    if len(inner) == len(outer):
        return BESIDE if sum(map(operator.ne, inner, outer)) == 1 else FAR
    rest = iter(inner)  # folders between, before or behind
    within = len(inner) - len(outer) <= BETWEEN and all(part in rest for part in outer)
    return WITHIN if within else FAR
