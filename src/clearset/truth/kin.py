"""From when on two images are one: bounds that a dataset's own images choose.

What two different images of the set reach by chance says where a bound must not lie lower, and
copies that are planted into the set say what is then found. Nobody has to know which images of the
set are the same: pairs that stand far out of the others do not move the bound.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri, pdtrc

from clearset.config.bounds import undecided
from clearset.config.schema import Analyze, Rule
from clearset.config.schema_calibrate import Calibrate
from clearset.numeric.exact import settled
from clearset.store.stages import Survey
from clearset.truth.own import INLIERS, OWN, PAIRED, SIMILARITY
from clearset.truth.recalls import RECALLS

Values = npt.NDArray[np.float64]
UPPER = 0.95  # quantile of different pairs up to which they are taken to be different indeed
KEPT = 0.05  # quantile of planted copies that a floor must not exceed
BULK = 0.75  # the same of inliers: a shortlist holds more true pairs
MEDIAN = 1 / 3  # of a Poisson distribution below its mean, about
FEWEST = 20  # pairs of different images from which on anything is told of them
HIGHEST = 100  # inliers: far more than chance gives
INTERVAL = (0.025, 0.975)
FALSE_PAIRS = 0.05  # different pairs of the whole set that are expected above a bound
FOUND = 0.9  # share of planted copies that a bound must find to be told
LEAST = 0.63  # similarity: other sets have borne out that a bound lies no lower
PLANTED, DIFFERENT = "planted", "different"  # kinds of rows of the table `kin`
UNSURE = "{}: the bound is the one to begin with"


@dataclass(frozen=True)
class Bound:
    """A bound above which two images are one, and how sure it is; NaN where it is not told."""

    value: float
    low: float  # of its 95 % bootstrap interval, over pairs of different images
    high: float
    recall: float  # share of planted pairs above it; NaN without any
    pairs: int  # of different images, that it was chosen by
    reason: str = ""  # why none is told; empty: one is

    @property
    def told(self) -> bool:
        """Whether there is a bound."""
        return not self.reason


def similarity_bound(
    true: npt.ArrayLike,
    different: npt.ArrayLike,
    *,
    pairs: int,
    false_pairs: float,
    recall: float,
    least: float,
    resamples: int,
    seed: int,
) -> Bound:
    """Return the least similarity that hardly any two different images of a set reach.

    `true` are similarities of images to their planted copies, `different` those of pairs of the
    set's images, of which it has `pairs` in all; among these `false_pairs` are expected above the
    bound. A normal distribution with the median of `different` and their spread between it and the
    95th percentile: what lies above, duplicates that the set holds among them, moves little. From
    few images these are guessed roughly: the bound is no lower than `least`, which other sets have
    borne out, unless a twentieth of the planted copies would be lost by that. None is told where
    less than `recall` of the planted copies lie above, or of too few pairs.
    """
    values, found = np.asarray(different, np.float64), np.asarray(true, np.float64)

    def chosen(sample: Values) -> float:
        middle, upper = np.quantile(sample, [0.5, UPPER])
        reach = ndtri(1 - min(false_pairs / pairs, 0.5)) / ndtri(UPPER)
        return float(np.round(min(middle + reach * (upper - middle), 1), 4))

    if len(values) < FEWEST:
        return _untold(values, f"{len(values)} pairs of different images, of at least {FEWEST}")
    floor = min(least, float(np.quantile(found, KEPT))) if len(found) else least
    value = max(chosen(values), float(np.round(floor, 4)))
    share = float((found > value).mean()) if len(found) else float("nan")
    if len(found) and share < recall:
        why = f"{share:.0%} of planted copies are more alike than different images may be, {value}"
        return _untold(values, why, share)
    resampled = [max(chosen(sample), floor) for sample in _resamples(values, resamples, seed)]
    low, high = _interval(resampled, value)
    return Bound(value, low, high, share, len(values))


def inlier_bound(
    different: npt.ArrayLike,
    true: npt.ArrayLike = (),
    *,
    pairs: int,
    false_pairs: float,
    resamples: int,
    seed: int,
) -> Bound:
    """Return the most inliers that any two different images of a set have by chance.

    `different` are the inliers of the pairs that were registered, of which nearly all are different
    (column `inliers` of the table `registrations`); `pairs` were tried. `true`, where there are
    any, are those of planted visits. Inliers by chance are taken as a Poisson's of their median,
    spread out as far as their 75th percentile is farther from it; of `pairs`, `false_pairs` are
    then expected above. What lies above that percentile, true pairs among it, moves little.
    """
    values, found = np.asarray(different, np.float64), np.asarray(true, np.float64)

    def chosen(sample: Values) -> float:
        middle, upper = _between_counts(sample, [0.5, BULK])
        mean = max(middle + MEDIAN, 1.0)
        counts = np.arange(HIGHEST)
        most = int(np.argmax(pdtrc(counts, mean) * pairs <= false_pairs))
        spread = max(float((upper - middle) / ndtri(BULK)) / mean**0.5, 1.0)
        return float(np.ceil(settled(mean + (most - mean) * spread)))

    if len(values) < FEWEST:
        return _untold(values, f"{len(values)} pairs of different images, of at least {FEWEST}")
    value = chosen(values)
    resampled = [chosen(sample) for sample in _resamples(values, resamples, seed)]
    low, high = _interval(resampled, value)
    share = float((found > value).mean()) if len(found) else float("nan")
    return Bound(value, low, high, share, len(values))


def _between_counts(counts: Values, shares: Sequence[float]) -> list[float]:
    """Return quantiles of counts, each count spread evenly from half below it to half above."""
    levels, sizes = np.unique(counts, return_counts=True)
    edges = np.stack([levels - 0.5, levels + 0.5], axis=1).ravel()
    ends = np.cumsum(sizes) / len(counts)
    reached = np.stack([ends - sizes / len(counts), ends], axis=1).ravel()
    return [float(value) for value in np.interp(shares, reached, edges)]


def _untold(values: Values, reason: str, recall: float = float("nan")) -> Bound:
    none = float("nan")
    return Bound(none, none, none, recall, len(values), reason)


def _resamples(values: Values, count: int, seed: int) -> list[Values]:
    rng = np.random.default_rng(seed)
    return [values[rng.integers(0, len(values), len(values))] for _ in range(count)]


def _interval(resampled: Sequence[float], value: float) -> tuple[float, float]:
    if not resampled:
        return value, value
    low, high = np.quantile(resampled, INTERVAL)
    return float(np.round(low, 4)), float(np.round(high, 4))


def own_bounds(
    rules: Mapping[str, Rule], kin: pd.DataFrame, survey: Survey, settings: Analyze, aim: Calibrate
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of `own_bounds` and `recalls` of rules on pairs that leave their bound open.

    `kin` is the table of this name. A rule that nothing is told for gets the bound to begin with.
    """
    rows, recalls = [], []
    for name, rule in rules.items():
        if not undecided(rule) or rule.metric not in PAIRED:
            continue
        if rule.metric == INLIERS and survey.images["split"].nunique() < 2:
            continue  # no pair lies across splits
        if rule.metric == SIMILARITY:
            copies, others = kin[kin["kind"] == PLANTED], kin.loc[kin["kind"] == DIFFERENT, "value"]
            bound = _similarity(copies["value"], others, survey, aim)
        else:  # no visit is planted
            copies, others = kin[:0], survey.registrations["inliers"]
            bound = _inliers(others, survey, settings, aim)
        about = {"rule": name, "metric": rule.metric, "finds": rule.finds, "start": rule.start}
        about |= {"side": "max", "planted": len(copies)}
        rows.append(about | _row(bound, others, rule.start))
        if bound.told:
            recalls.append(_recalls(name, copies, bound.value))
    table = pd.DataFrame(rows, columns=OWN)
    return table, pd.concat(recalls) if recalls else pd.DataFrame(columns=RECALLS)


def _row(bound: Bound, others: pd.Series, start: float | None) -> dict[str, object]:
    """Return what a row of `own_bounds` says of a bound, or of the one to begin with."""
    value = bound.value if bound.told else start
    return {
        "bound": value,
        "low": bound.low,
        "high": bound.high,
        "typical": bound.pairs,  # of different images, or of what is taken for them
        "flagged": int((others > value).sum()),
        "recall": bound.recall,
        "reason": UNSURE.format(bound.reason) if bound.reason else "",
    }


def _similarity(copies: pd.Series, others: pd.Series, survey: Survey, aim: Calibrate) -> Bound:
    count = int((survey.images["error"] == "").sum())
    return similarity_bound(
        copies,
        others,
        pairs=max(count * (count - 1) // 2, 1),
        false_pairs=FALSE_PAIRS,
        recall=FOUND,
        least=LEAST,
        resamples=aim.resamples,
        seed=aim.seed,
    )


def _inliers(others: pd.Series, survey: Survey, settings: Analyze, aim: Calibrate) -> Bound:
    sizes = survey.images.loc[survey.images["error"] == "", "split"].value_counts()
    count = int(sizes.sum())
    across = (count**2 - int((sizes**2).sum())) // 2
    tried = across if across <= settings.leak_small else count * settings.leak_registered
    return inlier_bound(
        others,
        pairs=max(tried, 1),
        false_pairs=FALSE_PAIRS,
        resamples=aim.resamples,
        seed=aim.seed,
    )


def _recalls(name: str, copies: pd.DataFrame, bound: float) -> pd.DataFrame:
    """Return the rows of `recalls`: which light edits of an image still count as the image.

    Edits have one level, which is step 0.
    """
    found = copies.assign(rule=name, fault=copies["edit"], found=copies["value"] > bound)
    table = found.groupby(["rule", "fault"], as_index=False)["found"].agg(
        images="size", recall="mean"
    )
    told = (table["recall"] >= FOUND).astype(int)
    return table.assign(step=0, parameters="", told=told)[RECALLS]
