"""How far a number may lie from the one that was recorded and still be the same finding."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Tolerance:
    """The largest gap between two numbers that agree: a share of the first, or as it stands.

    The larger of the two counts. Text agrees with the same text alone.
    """

    relative: float = 0.0
    absolute: float = 0.0

    def holds(self, before: Any, after: Any) -> npt.NDArray[np.bool_]:
        """Whether each pair of numbers agrees; what is no number agrees with no number."""
        one, two = np.asarray(before, np.float64), np.asarray(after, np.float64)
        with np.errstate(invalid="ignore"):  # infinity less infinity
            near = np.abs(two - one) <= np.maximum(self.absolute, self.relative * np.abs(one))
        both_none = np.isnan(one) & np.isnan(two)
        return np.asarray((near & np.isfinite(one)) | (one == two) | both_none)


EXACT = Tolerance()
# Tables have six digits, of which the last may fall to the other side of a half: that is at most
# one part in a hundred thousand. Beside nothing at all, what `tables` writes as 0.
LAST_DIGIT = Tolerance(relative=1.001e-5, absolute=1e-12)
