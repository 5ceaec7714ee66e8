"""What a file's header says of the values in it."""

from dataclasses import dataclass

PALETTE = "a palette holds no new colours: convert it to RGB"
BILEVEL = "black and white alone hold no new levels: convert it to grey"


@dataclass(frozen=True)
class Facts:
    """What a file says of its values beside the values themselves.

    `bits` are those that it stores a value in (None: all that the type of the decoded values has)
    and `white` the value that is white (None: the greatest of so many bits). `nodata`, `alpha` and
    `orientation` are as in `Reading`; `page` is whether a mask page says what is seen. `obstacle`
    is why a version with other values could not be written back truly; empty: it could.
    """

    bits: int | None = None
    white: int | None = None
    nodata: float | None = None
    alpha: int | None = None
    orientation: int = 1
    page: bool = False
    obstacle: str = ""


def upright(value: object) -> int:
    """Return an orientation as EXIF has it, 1 to 8; 1 for anything else."""
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
