"""The shape of a dataset's section `accept`: when a repair may stand in its original's stead."""

import math
from dataclasses import dataclass
from enum import Enum

from clearset.config.schema_fetch import require


def finite(*bounds: float | None) -> None:
    """Raise `ValueError` for a bound that is no finite number: nothing lies beyond it."""
    for bound in bounds:
        require(bound is None or math.isfinite(bound), f"bound {bound}: give a finite number")


class Verdict(Enum):
    """What the evidence says of a repair; unless it is accepted, the original is kept."""

    accepted = "accepted"
    refused = "refused"
    not_told = "not_told"  # neither gain nor harm is to be told


@dataclass
class Bounds:
    """What a repair's evidence must lie within, or the original is kept (see `proof.evidence`)."""

    metric: str = ""
    min: float | None = None
    max: float | None = None
    otherwise: Verdict = Verdict.refused  # beyond it

    def __post_init__(self) -> None:
        """Check that something is asked for."""
        require(bool(self.metric), "metric is empty; or is the name of the bound misspelt?")
        require(self.min is not None or self.max is not None, "needs min, max or both")
        if self.min is not None and self.max is not None:
            require(self.min <= self.max, f"min {self.min} is above max {self.max}")
        finite(self.min, self.max)
        require(self.otherwise is not Verdict.accepted, "otherwise: refused or not_told")
