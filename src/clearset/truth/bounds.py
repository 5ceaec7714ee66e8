"""What every bound of every rule would do to the dataset: curves from tables, no image decoded."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.config.schema import SURPLUS, Action, Rule
from clearset.decide.rules import ORDER, Judgement, outside
from clearset.similar.duplicates import copy_links, surplus
from clearset.store.stages import Survey
from clearset.truth.calibration import between
from clearset.truth.evaluation import examples

Flags = npt.NDArray[np.bool_]  # one row a bound, one column an image or an example
Fates = npt.NDArray[np.intp]  # the same: the place of an image's strongest action in `ORDER`
SIDES = ("min", "max")
LIMIT = 200  # bounds of a rule's side that are kept, at most
FATE = {"kept": ("keep", "review"), "repaired": ("enhance",), "dropped": ("drop",)}
SCORES = ["precision", "recall", "f1"]
COLUMNS = ["rule", "side", "bound", "metric", "present", "flagged", *FATE, *SCORES]


def swept(judgement: Judgement, survey: Survey) -> pd.DataFrame:
    """Return the table `bounds`: each rule at each bound that tells two images apart.

    How many images the rule flags there, what becomes of all images with the other rules as they
    are, and its scores as a detector where the truth is known. `present` is 1 at its own bound.
    Just what `rules.judge` and `rules.decide` make of the dataset at that bound.
    """
    parts = [
        curve(name, side, judgement, survey)
        for name, rule in judgement.bounds.items()
        for side in SIDES
        if getattr(rule, side) is not None
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def curve(name: str, side: str, judgement: Judgement, survey: Survey) -> pd.DataFrame:
    """Return the rows of one side of a rule."""
    rule = judgement.bounds[name]
    column = judgement.values[rule.metric]
    bounds = candidate_bounds(column, rule, side)
    flagged = outside_each(column, rule, side, bounds)
    fate = fates(name, flagged, judgement, survey)
    table = pd.DataFrame({"rule": name, "side": side, "bound": bounds, "metric": rule.metric})
    table["present"] = (bounds == getattr(rule, side)).astype(int)
    table["flagged"] = flagged.sum(axis=1)
    for became, actions in FATE.items():
        table[became] = np.isin(fate, [ORDER.index(action) for action in actions]).sum(axis=1)
    if not rule.finds or survey.truth.empty:
        return table.assign(**dict.fromkeys(SCORES, np.nan))
    cases = examples(rule, judgement.values, survey)
    calls = outside_each(cases["value"], rule, side, bounds)
    return table.assign(**scores(calls, cases["positive"].to_numpy(bool)))


def candidate_bounds(column: pd.Series, rule: Rule, side: str) -> npt.NDArray[np.float64]:
    """Return a side's bounds, ascending: between all values, thinned evenly, and the present one.

    One beyond the rule's other bound could not be set.
    """
    values = np.unique(column.dropna().to_numpy(float))
    bounds = np.sort(between(values if side == "min" else values[::-1]))
    low = -np.inf if side == "min" or rule.min is None else rule.min
    high = np.inf if side == "max" or rule.max is None else rule.max
    bounds = bounds[np.isfinite(bounds) & (low <= bounds) & (bounds <= high)]
    if len(bounds) >= LIMIT:
        bounds = bounds[np.linspace(0, len(bounds) - 1, LIMIT - 1).round().astype(int)]
    return np.unique(np.append(bounds, getattr(rule, side)))


def outside_each(
    column: pd.Series, rule: Rule, side: str, bounds: npt.NDArray[np.float64]
) -> Flags:
    """Return what a rule flags with each of the bounds on a side (see `rules.outside`)."""
    limits = {"min": -np.inf if rule.min is None else rule.min}
    limits |= {"max": np.inf if rule.max is None else rule.max}
    ends = {end: np.atleast_1d(bounds if end == side else limits[end])[:, None] for end in SIDES}
    values = column.to_numpy(float)
    return np.asarray((values < ends["min"]) | (values > ends["max"]), bool)


def fates(name: str, flagged: Flags, judgement: Judgement, survey: Survey) -> Fates:
    """Return what becomes of every image when a rule flags what each row of `flagged` says."""
    rule = judgement.bounds[name]
    strongest = np.where(flagged, ORDER.index(rule.action.value), 0)
    # An image that is dropped stands for no other: who is surplus then depends on this bound.
    ties = {n: r for n, r in judgement.bounds.items() if r.metric in SURPLUS}
    surplus_moves = bool(ties) and rule.action is Action.drop and name not in ties
    for other, other_rule in judgement.bounds.items():
        if other != name and not (surplus_moves and other in ties):
            out = outside(judgement.values[other_rule.metric], other_rule)
            strongest = np.maximum(
                strongest, np.where(out, ORDER.index(other_rule.action.value), 0)
            )
    if not surplus_moves:
        return strongest
    return np.maximum(strongest, surplus_fates(strongest == ORDER.index("drop"), ties, survey))


def surplus_fates(unfit: Flags, ties: Mapping[str, Rule], survey: Survey) -> Fates:
    """Return what the rules on surplus images make of every image, for each row of unfit ones.

    Only images that a link joins above a bound can be surplus or stand for others, so that rows
    that differ elsewhere are worked out once.
    """
    images = survey.images.sort_values("image_id", ignore_index=True)
    links, copied = deciding(survey, ties), copy_links(survey.images)[["image_id", "other_id"]]
    linked = images["image_id"].isin([*links["image_id"], *links["other_id"]])
    linked |= images["image_id"].isin(copied.to_numpy().ravel())
    members = images[linked]
    rows, place = np.unique(unfit[:, linked.to_numpy()], axis=0, return_inverse=True)
    readable, result = images["error"] == "", []
    for row in rows:
        measured = surplus(members, survey.metrics, links, set(members["image_id"][row])).measures()
        strongest = np.zeros(len(images), np.intp)
        for rule in ties.values():
            column = measured[rule.metric].reindex(images["image_id"]).fillna(0.0).to_numpy()
            out = outside(pd.Series(column).where(readable), rule)
            strongest = np.maximum(strongest, np.where(out, ORDER.index(rule.action.value), 0))
        result.append(strongest)
    return np.asarray(np.array(result)[place.ravel()], np.intp)


def deciding(survey: Survey, ties: Mapping[str, Rule]) -> pd.DataFrame:
    """Return the links above the loosest bound of the rules.

    A link below every bound makes no image surplus; a lower bound, or one below that of an image
    without any link (0), lets each link speak.
    """
    links = survey.links
    highest = [
        -1.0 if rule.max is None or rule.min is not None else rule.max for rule in ties.values()
    ]
    if min(highest) >= 0:
        links = links[links["similarity"] > min(highest)]
    return links


def scores(flagged: Flags, positive: Flags) -> dict[str, npt.NDArray[np.float64]]:
    """Return precision, recall and F1 of each row of flags, as `evaluation.scores` tells them."""
    right, calls, total = (flagged & positive).sum(1), flagged.sum(1), int(positive.sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = (right / calls, right / np.float64(total), 2 * right / (calls + total))
    defined = (calls > 0, total > 0, total > 0)
    values = [np.where(k, each, np.nan) for k, each in zip(defined, ratios, strict=True)]
    return dict(zip(SCORES, values, strict=True))
