"""What fastdup gave on known images: its numbers go on when its last build has stopped working.

A record is a folder of tables that `make record` wrote of a run of fastdup, and record.json, which
says of which version, made when, and the hash of each table. An image is known by the pixels that
fastdup was shown, so that no record is ever taken for other pixels or another range of values.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.images import codec, views
from clearset.images.levels import Pixels, Reading
from clearset.sources.work_folder import STATISTICS
from clearset.store import layout, tables
from clearset.store.checksums import sha256
from clearset.store.errors import ClearsetError, listed

ABOUT = "record.json"
TABLES = ("statistics.csv", "descriptors.csv")  # the others are for the tests of parity
# What another processor may make of the same images: of statistics the digits that fastdup prints,
# of a descriptor's coordinates, whole numbers up to 2^22, what single precision leaves open.
LAST_DIGITS = {"blur": 0.01} | dict.fromkeys(STATISTICS[1:], 1e-3) | {"descriptors": 100}
IDENTITY = ("name", "version", "model", "options")  # of the engine, as engine.json has it


@dataclass(frozen=True)
class Numbers:
    """What fastdup says of images, in their order, and what is to be said of it in engine.json."""

    statistics: pd.DataFrame
    descriptors: npt.NDArray[np.int32]
    info: dict[str, Any]


@dataclass(frozen=True)
class Record:
    """The numbers of a record by the hash of pixels, and where it lies."""

    folder: Path
    about: dict[str, Any]
    statistics: pd.DataFrame
    descriptors: pd.DataFrame

    def numbers(self, hashes: Iterable[str]) -> Numbers:
        """Return the numbers of images, each of which must be known, in their order."""
        order = list(hashes)
        return Numbers(
            self.statistics.loc[order].reset_index(drop=True),
            self.descriptors.loc[order].to_numpy(np.int32),
            {key: self.about[key] for key in IDENTITY} | {"record": self.reference()},
        )

    def reference(self) -> dict[str, Any]:
        """Return what points to this record, for a run whose numbers are its numbers."""
        return {
            "folder": self.folder.as_posix(),
            "version": self.about["version"],
            "made": self.about["made"],
            "sha256": sha256(self.folder / ABOUT),
            "equal": True,
        }


def read(folder: Path) -> Record:
    """Return a record; raises `ClearsetError` if a file of it is not what was recorded."""
    try:
        about = tables.read_json(folder / ABOUT)
        if lacking := {*IDENTITY, "made", "sha256"} - set(about):
            raise ClearsetError(_damaged(folder, f"{ABOUT} lacks {listed(sorted(lacking))}"))
        for name in sorted({*TABLES} | set(about["sha256"])):
            if sha256(folder / name) != about["sha256"].get(name):
                raise ClearsetError(_damaged(folder, f"{name} is not what {ABOUT} says"))
        statistics = tables.read("statistics", folder).drop_duplicates("pixels_sha256")
        descriptors = tables.read("descriptors", folder).set_index("image_id")
        by_pixels = statistics.set_index("pixels_sha256")
        own = descriptors.loc[statistics["image_id"]].set_index(by_pixels.index)
        return Record(folder, about, by_pixels[STATISTICS].astype(float), own)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ClearsetError(_damaged(folder, f"{type(error).__name__}: {error}")) from None


def fastdup_pixels(file: Path, reading: Reading) -> npt.NDArray[np.uint8]:
    """Return the pixels of an image as fastdup is shown them."""
    return views.view(file, reading).eight_bit()


def key(pixels: Pixels) -> str:
    """Return what an image is known by in a record."""
    return str(codec.describe(pixels)["pixels_sha256"])


def lookup(files: Iterable[tuple[Path, Reading]]) -> Numbers | Path:
    """Return what a record says of all these images, or the first image that no record has."""
    records = [read(path.parent) for path in sorted(layout.RECORDED.glob(f"*/{ABOUT}"))]
    fitting, hashes = records, []
    for file, reading in files:
        hashes.append(key(fastdup_pixels(file, reading)) if fitting else "")
        fitting = [record for record in fitting if hashes[-1] in record.statistics.index]
        if not fitting:
            return file
    return fitting[0].numbers(hashes)


def held_to(live: Numbers, reference: Numbers) -> Numbers:
    """Return the numbers of a live run that a record has too: those to be taken.

    fastdup computes in single precision, whose last digits are another processor's other ones. A
    run that is the record's but for them takes the record's, which are then the same everywhere;
    any other keeps its own, and says by how much they differ.
    """
    gaps = {name: float(f"{gap:.6g}") for name, gap in _apart(live, reference).items() if gap}
    if all(gap <= LAST_DIGITS[name] for name, gap in gaps.items()):
        return reference
    record = reference.info["record"] | {"equal": False, "apart": gaps}
    return Numbers(live.statistics, live.descriptors, live.info | {"record": record})


def _apart(live: Numbers, reference: Numbers) -> dict[str, Any]:
    """Return how far two runs are apart at most in each statistic and in the descriptors."""
    descriptors = np.abs(live.descriptors.astype(np.int64) - reference.descriptors).max()
    statistics = (live.statistics - reference.statistics).abs().max()
    return {str(name): gap for name, gap in statistics.items()} | {"descriptors": descriptors}


def _damaged(folder: Path, why: str) -> str:
    return (
        f"{folder}, what fastdup gave on known images, is damaged: {why}. "
        f"Way out: `git checkout {folder}` brings it back"
    )
