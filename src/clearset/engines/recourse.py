"""fastdup where it works, its record where it does not: decided before any work, and said."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from clearset.engines import fastdup, recorded
from clearset.engines.recorded import Numbers
from clearset.images.levels import Reading
from clearset.similar.cosines import in_wholes
from clearset.store import layout
from clearset.store.errors import ClearsetError


@dataclass(frozen=True)
class Plan:
    """Where the numbers of some images are to come from."""

    fallback: Numbers | Path  # what a record says of them, or the first image that none has
    obstacle: ClearsetError | None  # why fastdup is not even tried

    def numbers(self, files: Sequence[Path], scratch: Path, workers: int) -> Numbers:
        """Return the numbers of the PNG files that fastdup is shown, in the folder `scratch`."""
        if self.obstacle is not None and isinstance(self.fallback, Numbers):
            return self.fallback
        try:
            statistics, descriptors = fastdup.run(files, scratch, workers)
        except ClearsetError as error:
            return _instead(error, self.fallback)
        live = Numbers(statistics, in_wholes(descriptors), fastdup.info())
        return live if isinstance(self.fallback, Path) else recorded.held_to(live, self.fallback)


def plan(files: Iterable[tuple[Path, Reading]]) -> Plan:
    """Decide where the numbers of images come from; says so when it is not fastdup itself.

    Raises `ClearsetError`, with the way out, when fastdup can not work here and no record has every
    image.
    """
    fallback, obstacle = recorded.lookup(files), fastdup.obstacle()
    if obstacle is not None:
        _instead(obstacle, fallback)
    return Plan(fallback, obstacle)


def _instead(error: ClearsetError, fallback: Numbers | Path) -> Numbers:
    """Say that the record takes the place of fastdup, which failed, and return its numbers."""
    why = fastdup.reason(error)
    if isinstance(fallback, Path):
        raise ClearsetError(
            f"{why}; and what it gave on other images ({layout.RECORDED}) does not help, since "
            f"{fallback} is none of them. {fastdup.WAY_OUT}"
        )
    record = fallback.info["record"]
    sys.stdout.write(
        f"{why}; going on with what fastdup {record['version']} gave on these same images, "
        f"recorded on {record['made']} in {record['folder']}\n"
    )
    sys.stdout.flush()
    return fallback
