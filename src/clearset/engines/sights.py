"""Keypoints of a set's images in one file, of which each is read when it is asked for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clearset.similar.registration import Keypoints, Sight
from clearset.store.shards import Records

DETAIL = np.dtype([("position", "<f4", (2,)), ("bits", "u1", (32,))])  # a keypoint
NOWHERE = np.dtype([("plain", "<i4"), ("mirrored", "<i4"), ("width", "<i4"), ("scale", "<f8")])
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Stored:
    """Where one image's keypoints lie in the file, and how many of each side."""

    file: Path
    start: int
    plain: int
    mirrored: int
    width: int
    scale: float

    def sight(self) -> Sight:
        """Return the keypoints."""
        count = self.plain + self.mirrored
        points = np.fromfile(self.file, DETAIL, count, offset=self.start * DETAIL.itemsize)
        sides = points[: self.plain], points[self.plain :]
        return Sight(*(self._side(side) for side in sides))

    def _side(self, points: Array) -> Keypoints:
        positions, bits = (np.ascontiguousarray(points[name]) for name in DETAIL.names or ())
        return Keypoints(positions, bits, self.width, self.scale)


@dataclass(frozen=True)
class Sights:
    """Keypoints of images, in their order; an image has none where none were sought."""

    file: Path
    rows: Array  # (images,), of NOWHERE
    starts: Array  # (images,), in the file
    sought: Array  # (images,), bool

    @staticmethod
    @contextmanager
    def written(file: Path, count: int) -> Iterator[tuple["Sights", Callable[..., None]]]:
        """Yield keypoints without any, and what adds those of a shard's records to the file."""
        own = Sights(
            file, np.zeros(count, NOWHERE), np.zeros(count, np.int64), np.zeros(count, bool)
        )
        total = 0
        with file.open("wb") as stream:

            def append(shard: Records, at: Array, of: Array) -> None:
                """Add the keypoints of a shard's images `at`, which are its records `of`."""
                nonlocal total
                for name in NOWHERE.names or ():
                    own.rows[name][at] = shard.rows[name][of]
                own.starts[at] = (total + np.cumsum(shard.counts) - shard.counts)[of]
                own.sought[at] = shard.rows["scale"][of] > 0
                stream.write(shard.details.tobytes())
                total += len(shard.details)

            yield own, append

    def of(self, place: int) -> Stored:
        """Return where an image's keypoints lie."""
        row = self.rows[place]
        return Stored(self.file, int(self.starts[place]), *(value.item() for value in row))


def details(sight: Sight | None, row: Any) -> Array:
    """Return keypoints as details of a record, and write into its row how many there are."""
    if sight is None:
        return np.empty(0, DETAIL)
    sides = sight.plain, sight.mirrored
    row["plain"], row["mirrored"] = (len(side.positions) for side in sides)
    row["width"], row["scale"] = sight.plain.width, sight.plain.scale
    points = np.empty(sum(len(side.positions) for side in sides), DETAIL)
    points["position"] = np.concatenate([side.positions for side in sides])
    points["bits"] = np.concatenate([side.descriptors for side in sides])
    return points
