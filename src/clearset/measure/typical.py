"""How far an image lies from what most of its set look like: whom a set's own bounds can go by."""

import math

import numpy as np
import pandas as pd

FEWEST = 12  # images: of fewer, nobody knows how far they reach
FAR = 6.0  # robust standard deviations: beyond, an image is not as others are
MAD_TO_SIGMA = 1.4826  # of a normal distribution; Iglewicz and Hoaglin, 1993, ISBN 087389247X
# The scale on which each metric's values spread evenly, and the least spread on it: less is nothing
# that anyone would see.
LOGARITHM, ROOT, PLAIN = "logarithm", "root", "plain"
SCALES = {
    "sharpness": (ROOT, 0.2),  # of what is lost, from 1 dB on
    "noise_sigma": (LOGARITHM, 0.15),
    "highlights": (LOGARITHM, 0.05),
    "local_contrast": (LOGARITHM, 0.1),
    "white_share": (ROOT, 0.05),
    "burnt_share": (ROOT, 0.05),
    "blockiness": (ROOT, 0.15),
    "uneven_light": (PLAIN, 0.15),
    "vignetting": (PLAIN, 0.15),
    "shadow_depth": (PLAIN, 0.05),
}


def scaled(name: str, column: pd.Series) -> pd.Series:
    """Return a metric on its scale of `SCALES`, so that its values spread evenly."""
    kind, _ = SCALES[name]
    if name == "sharpness":
        return -np.sqrt(np.maximum(-column, 1))
    if kind == LOGARITHM:
        return np.log(np.maximum(column, 1e-6))
    return np.sqrt(np.maximum(column, 0)) if kind == ROOT else column


def unscaled(name: str, value: float) -> float:
    """Return the value of a metric that `scaled` brings to this one."""
    kind, _ = SCALES[name]
    if kind == LOGARITHM:
        return math.exp(value)
    return value * abs(value) if kind == ROOT else value


def distances(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return how far each image lies from the median one, in robust standard deviations, signed.

    A column for each metric of `SCALES` that there is; by the median absolute deviation, which a
    third of the images may spoil without much effect.
    """
    return pd.DataFrame(
        {
            name: _distance(scaled(name, metrics[name]), least)
            for name, (_, least) in SCALES.items()
            if name in metrics
        },
        index=metrics.index,
    )


def _distance(column: pd.Series, least: float) -> pd.Series:
    away = column - column.median()
    return away / max(MAD_TO_SIGMA * float(away.abs().median()), least) if len(away) else away


def typical(metrics: pd.DataFrame) -> pd.Series:
    """Return, by the index of `metrics`, whether an image was measured and is far in no metric.

    Where fewer than half of the images are so, the half that lie nearest to the median ones.
    """
    furthest = distances(metrics).abs().max(axis=1, skipna=True)
    bound = max(FAR, float(furthest.median())) if furthest.notna().any() else FAR
    return pd.Series(furthest <= bound, metrics.index)
