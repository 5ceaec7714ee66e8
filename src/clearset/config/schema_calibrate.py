"""How bounds are chosen: the part of the params that `schema` reads as `calibrate`."""

from dataclasses import dataclass
from enum import Enum

from clearset.config.schema_fetch import require


class Side(Enum):
    """On which side of a metric's values a bound of the dataset's own lies."""

    min = "min"
    max = "max"


@dataclass
class Calibrate:
    """What bounds are chosen for: on faults planted into a dataset, or a sample of its images."""

    precision: float | None = None  # the least wanted; empty: the best F1 instead
    false_flags: float = 0.05  # share of typical images that a bound of one's own may flag
    resamples: int = 100  # of the bootstrap of such a bound
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the range."""
        fits = 0 < self.false_flags < 0.5
        require(fits, f"calibrate.false_flags is {self.false_flags}: above 0, below 0.5")
        fits = 1 <= self.resamples <= 10**5
        require(fits, f"calibrate.resamples is {self.resamples}: from 1 to 10**5")
        require(self.seed >= 0, f"calibrate.seed is {self.seed}: at least 0")
        if self.precision is not None:
            fits = 0 < self.precision <= 1
            require(fits, f"calibrate.precision is {self.precision}: above 0, at most 1")
