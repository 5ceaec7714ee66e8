"""All that a report and a page are made of."""

from dataclasses import dataclass

from clearset.config.schema import Dataset
from clearset.decide.rules import Judgement
from clearset.store.dossiers import Dossier
from clearset.store.stages import Comparison


@dataclass(frozen=True)
class Study:
    """A dataset with everything that the stages have made of it.

    Of `section`, its params, no bound is open (see `bounds.with_bounds`).
    """

    name: str
    section: Dataset
    dossier: Dossier
    result: Comparison
    judgement: Judgement
