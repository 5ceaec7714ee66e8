"""Bounds of a dataset's own: chosen by what faults planted into its own images look like there.

No bound travels: what is blurred among one camera's images is usual among another's. So a rule may
leave its bound to the dataset. It then lies beyond what the dataset's typical images reach, where
it finds most of the faults that were planted, and each fault's levels say how much that is.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtrit

from clearset.config.bounds import undecided
from clearset.config.schema import Rule
from clearset.config.schema_calibrate import Calibrate, Side
from clearset.measure.typical import FAR, FEWEST, MAD_TO_SIGMA, SCALES, distances, scaled, unscaled
from clearset.plant.shapes import SUITE
from clearset.store.errors import ClearsetError
from clearset.truth.calibration import between
from clearset.truth.evaluation import detectors
from clearset.truth.recalls import RECALLS, recalls

Values = npt.NDArray[np.float64]
SIMILARITY, INLIERS = PAIRED = "nearest_similarity", "leak_inliers"  # metrics of pairs of images
# By how many values of a normal distribution its median and its median absolute deviation say as
# much as so many do by mean and standard deviation (Rousseeuw and Croux, 1993,
# doi:10.1080/01621459.1993.10476408).
BY_MEDIAN, BY_MAD = 2 / math.pi, 0.37
INTERVAL = (5, 95)  # %
FEW = "too few images that look alike: the bound is the one to begin with"
NONE = "no such fault could be planted: the bound is the one to begin with"
UNMEASURED = "not to be told without a declared range: the bound is the one to begin with"
OWN = ["rule", "metric", "finds", "side", "start", "bound", "low", "high"]
OWN += ["typical", "flagged", "planted", "recall", "precision", "reason"]


@dataclass(frozen=True)
class Cases:
    """What a bound is chosen on, as far as each lies towards the bad: larger is worse."""

    reach: float  # that hardly any typical image exceeds
    typical: Values  # of the dataset's typical images
    planted: Values  # of images with faults planted
    positive: npt.NDArray[np.bool_]  # which of these have the kind that the rule finds
    original: Values  # of the same images before that


def own_bounds(
    rules: Mapping[str, Rule], values: pd.DataFrame, trials: pd.DataFrame, aim: Calibrate
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables `own_bounds` and `recalls` of the rules that leave their bound open.

    `values` are the rules' measures, by image_id; `trials` the table of this name. With too few
    images that are alike, a rule gets the bound to begin with. Rules on pairs of images are left to
    `kin.own_bounds`.
    """
    check(rules, values)
    away = distances(values)
    rows, levels = [], []
    for name, rule in rules.items():
        if not undecided(rule) or rule.metric in PAIRED:
            continue
        likely = values[_sign(rule) * away[rule.metric] <= FAR]
        about = {"rule": name, "metric": rule.metric, "finds": rule.finds, "start": rule.start}
        about |= {"side": str(rule.own and rule.own.value), "typical": len(likely)}
        if reason := unable(rule, values, likely, trials):
            rows.append(about | {"bound": rule.start, "reason": reason})
            continue
        cases = cases_of(rule, likely, trials, aim.false_flags)
        bound = chosen(cases, aim)
        sign = _sign(rule)
        ends = sign * spread(rule, likely, trials, aim)
        interval = {"bound": sign * bound, "low": ends.min(), "high": ends.max()}
        rows.append(about | interval | _scores(cases, bound) | {"reason": ""})
        levels.append(recalls(name, copies(rule, judged(rule, trials), cases, bound)))
    table = pd.DataFrame(rows, columns=OWN).fillna({"flagged": 0, "planted": 0})
    return table, pd.concat(levels) if levels else pd.DataFrame(columns=RECALLS)


def check(rules: Mapping[str, Rule], values: pd.DataFrame) -> None:
    """Raise `ClearsetError` for an open bound on what no trial measures, or an unknown kind."""
    detectors(rules)
    known = [name for name in SCALES if name in values] + list(PAIRED)
    for name, rule in rules.items():
        if undecided(rule) and rule.metric not in known:
            raise ClearsetError(
                f"filter.{name}: no bound of the dataset's own can be chosen on '{rule.metric}', "
                f"only on {', '.join(known)}. Give the rule a min or a max, or have the metric "
                "measured (analyze.metrics)"
            )


def unable(rule: Rule, values: pd.DataFrame, likely: pd.DataFrame, trials: pd.DataFrame) -> str:
    """Return why a rule's bound can not be chosen; nothing where it can."""
    if values[rule.metric].isna().all():
        return UNMEASURED
    if len(likely) < FEWEST:
        return FEW
    return "" if len(trials) and finds(rule, trials).any() else NONE


def _sign(rule: Rule) -> int:
    """Return 1 where larger values are worse, -1 where smaller ones are."""
    return 1 if rule.own is Side.max else -1


def cases_of(rule: Rule, likely: pd.DataFrame, trials: pd.DataFrame, false_flags: float) -> Cases:
    """Return what a rule's bound is chosen on; what could not be measured is left out.

    Shapes beside the suite of faults count for the rules that find them alone.
    """
    sign, measured = _sign(rule), judged(rule, trials)
    positive = finds(rule, measured)
    own = likely[rule.metric].dropna().to_numpy(float)
    planted = measured[rule.metric].to_numpy(float)
    original = likely[rule.metric].reindex(measured["image_id"]).to_numpy(float)
    least = reach(rule, likely, false_flags)
    return Cases(least, sign * own, sign * planted, positive.to_numpy(bool), sign * original)


def finds(rule: Rule, trials: pd.DataFrame) -> pd.Series:
    """Return which trials have the kind of fault that a rule finds."""
    return trials["kinds"].str.split().map(lambda kinds: rule.finds in kinds).astype(bool)


def judged(rule: Rule, trials: pd.DataFrame) -> pd.DataFrame:
    """Return the trials that are right or wrong of a rule to flag."""
    return trials[trials[rule.metric].notna() & (finds(rule, trials) | trials["fault"].isin(SUITE))]


def chosen(cases: Cases, aim: Calibrate) -> float:
    """Return the bound, towards the bad: what exceeds it is flagged.

    Of the bounds beyond the reach of typical images: the best F1 among the planted images, or the
    most recall at the wanted precision, where there is any. Of equals the middle one. A flag of
    another fault's copy is wrong where the fault has carried the image over the bound: what lay
    beyond it by itself is one typical image, not as many as it has copies.
    """
    least = cases.reach
    values = np.unique(np.concatenate([cases.typical, cases.planted]))
    below = max(int(np.searchsorted(values, least)) - 1, 0)  # what lies lower bounds nothing
    bounds = between(values[below:][::-1])
    bounds = np.append(bounds[bounds >= least], max(least, float(values[-1])))
    calls = cases.planted[None] > bounds[:, None]
    right = (calls & cases.positive).sum(axis=1)
    carried = ~(cases.original[None] > bounds[:, None])
    total = right + (calls & ~cases.positive & carried).sum(axis=1)
    f1 = 2 * right / np.maximum(total + cases.positive.sum(), 1)
    score = f1
    if aim.precision is not None:
        precise = right >= aim.precision * np.maximum(total, 1)
        score = np.where(precise, right, -1.0) if precise.any() else f1
    best = np.flatnonzero(score == score.max())
    return float(bounds[best[len(best) // 2]])


def reach(rule: Rule, likely: pd.DataFrame, false_flags: float) -> float:
    """Return what typical images do not exceed, but for the allowed share, towards the bad.

    And no less than another image exceeds with that probability, if they are normally distributed
    on the metric's own scale (Student's t, by median and median absolute deviation): few images may
    not show how far others reach.
    """
    sign = _sign(rule)
    ordered = np.sort(_scaled(rule, sign * likely[rule.metric].dropna().to_numpy(float)))[::-1]
    edge, count = float(ordered[int(false_flags * len(ordered))]), len(ordered)
    middle = float(np.median(ordered))
    deviation = MAD_TO_SIGMA * float(np.median(np.abs(ordered - middle)))
    quantile = float(stdtrit(BY_MAD * count, 1 - false_flags))
    another = math.sqrt(1 + 1 / (BY_MEDIAN * count))
    least = max(edge, middle + quantile * another * deviation)
    return sign * unscaled(rule.metric, sign * least)


def _scaled(rule: Rule, values: Values) -> Values:
    """Return values, larger being worse, on the scale of the rule's metric, larger being worse."""
    sign = _sign(rule)
    return np.asarray(sign * scaled(rule.metric, pd.Series(sign * values)).to_numpy(float))


def spread(rule: Rule, likely: pd.DataFrame, trials: pd.DataFrame, aim: Calibrate) -> Values:
    """Return the ends of a bootstrap interval of a bound, over typical and planted images."""
    rng, bounds = np.random.default_rng(aim.seed), []
    own, whole = likely[[rule.metric]], cases_of(rule, likely, trials, aim.false_flags)
    images = judged(rule, trials)["image_id"].to_numpy()
    groups = [np.flatnonzero(images == name) for name in sorted(set(trials["image_id"]))]
    for _ in range(aim.resamples):
        typical = own.iloc[rng.integers(0, len(own), len(own))]
        drawn = [groups[place] for place in rng.integers(0, len(groups), len(groups))]
        rows = np.concatenate(drawn)
        cases = Cases(
            reach(rule, typical, aim.false_flags),
            _sign(rule) * typical[rule.metric].dropna().to_numpy(float),
            whole.planted[rows],
            whole.positive[rows],
            whole.original[rows],
        )
        bounds.append(chosen(cases, aim))
    return np.percentile(bounds, INTERVAL)


def _scores(cases: Cases, bound: float) -> dict[str, float]:
    """Return how many typical images a bound flags, and how well it finds what was planted."""
    calls = cases.planted > bound
    right, total = int((calls & cases.positive).sum()), int(cases.positive.sum())
    return {
        "flagged": int((cases.typical > bound).sum()),
        "planted": total,
        "recall": right / total if total else float("nan"),
        "precision": right / calls.sum() if calls.any() else float("nan"),
    }


def copies(rule: Rule, trials: pd.DataFrame, cases: Cases, bound: float) -> pd.DataFrame:
    """Return the trials with a fault that a rule finds, and how far each lies beyond its bound."""
    planted = cases.planted[cases.positive]
    beyond = _scaled(rule, planted) - _scaled(rule, np.array([bound]))
    return trials[cases.positive].assign(found=planted > bound, beyond=beyond)
