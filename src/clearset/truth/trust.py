"""How far flags of a dataset can be trusted: leaks, and where the truth is known the detectors."""

from collections.abc import Mapping

import pandas as pd

from clearset.config.schema import Rule
from clearset.decide.rules import Judgement, outside
from clearset.store import columns
from clearset.store.stages import Survey
from clearset.truth import evaluation
from clearset.truth.calibration import adopted


def trust(
    survey: Survey, judgement: Judgement, calibration: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return the tables `leaks`, `detection`, `severities` and `crosstalk`.

    The last three have no row where the truth is not known.
    """
    bounds, values = judgement.bounds, judgement.values
    table = {"leaks": leaks(survey.registrations, bounds)}
    if survey.truth.empty:
        unknown = ("detection", "severities", "crosstalk")
        return table | {name: columns.empty(name) for name in unknown}
    sets = {"default": bounds, "calibrated": adopted(bounds, calibration)}
    return table | {
        "detection": evaluation.detection(values, survey, sets),
        "severities": evaluation.severities(values, survey, sets),
        "crosstalk": evaluation.crosstalk(values, survey.truth, bounds),
    }


def leaks(registrations: pd.DataFrame, bounds: Mapping[str, Rule]) -> pd.DataFrame:
    """Return the table `leaks`: the pairs of two splits that the rule on their inliers flags."""
    rules = [rule for rule in bounds.values() if rule.metric == "leak_inliers"]
    flagged = [outside(registrations["inliers"], rule) for rule in rules]
    pairs = registrations[flagged[0]] if flagged else registrations[:0]
    return pairs[["image_id", "other_id", "similarity", "inliers"]]
