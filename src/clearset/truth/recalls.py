"""From which level on a fault is told: what a bound finds of copies with it, level by level."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtr

Values = npt.NDArray[np.float64]
TOLD = 0.9  # recall from which a level counts as told
RECALLS = ["rule", "fault", "step", "parameters", "images", "recall", "told"]


def recalls(name: str, copies: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the table `recalls` of a rule: each fault it finds, level by level.

    `copies` are the trials with a fault that it is there for, how far each lies `beyond` its bound
    on the metric's own scale, and whether it is `found`. Told is a level from which on, up to the
    worst, at least nine of ten are found, and as many are expected of other images.
    """
    keys = ["fault", "step", "parameters"]
    table = copies.groupby(keys, as_index=False)["found"].agg(images="size", recall="mean")
    table["sure"] = np.minimum(table["recall"], expected(copies, table)) >= TOLD
    worst_first = table.sort_values(["fault", "step"], ascending=[True, False])
    told = worst_first.groupby("fault")["sure"].cummin()
    return table.assign(rule=name, told=told.astype(int).sort_index())[RECALLS]


def expected(copies: pd.DataFrame, table: pd.DataFrame) -> Values:
    """Return the probability that another image's copy lies beyond the bound, for each level.

    Student's t, since a level has few copies: by their mean, and by the spread of the fault's
    copies about their levels' means, or of the level's own where that is larger.
    """
    levels = copies.groupby(["fault", "step"])["beyond"]
    squares = (copies["beyond"] - levels.transform("mean")) ** 2
    mean, count = levels.mean().to_numpy(), levels.size().to_numpy()
    freedom = table.groupby("fault")["images"].transform(lambda sizes: sizes.sum() - len(sizes))
    pooled = squares.groupby(copies["fault"]).sum().reindex(table["fault"]).to_numpy()
    freedom = np.maximum(freedom.to_numpy(float), 1)
    spread = np.fmax(np.sqrt(pooled / freedom), levels.std().to_numpy())
    return np.asarray(stdtr(freedom, mean / np.maximum(spread * np.sqrt(1 + 1 / count), 1e-9)))
