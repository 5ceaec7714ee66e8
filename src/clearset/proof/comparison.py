"""Before and after to paired changes, with intervals."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.config.schema import Dataset
from clearset.decide.rules import names

Image = npt.NDArray[np.float64]
FEWEST = 5  # of fewer values a resampled interval says nothing


def psnr(before: Image, after: Image) -> float:
    """Peak signal-to-noise ratio of `after` against `before`, in dB; infinite when equal."""
    error = float(np.mean((before - after) ** 2))
    return float("inf") if error == 0 else float(-10 * np.log10(error))


def ssim(before: Image, after: Image) -> float:
    """Structural similarity of two images of range 1, from -1 to 1 (equal).

    Wang et al., 2004, doi:10.1109/TIP.2003.819861, with its Gaussian window of sigma 1.5.
    """
    from skimage.metrics import structural_similarity  # noqa: PLC0415

    channels = None if before.ndim == 2 else -1
    window = min(11, *(side - 1 + side % 2 for side in before.shape[:2]))
    return float(
        structural_similarity(
            before,
            after,
            data_range=1.0,
            channel_axis=channels,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            win_size=window,
        )
    )


def compare(before: pd.DataFrame, after: pd.DataFrame, image_ids: Sequence[str]) -> pd.DataFrame:
    """Return the table `comparison` of the named images from two tables `metrics`."""
    ids = sorted(image_ids)
    first = before.set_index("image_id").loc[ids]
    second = after.set_index("image_id").loc[ids, first.columns]
    long = first.melt(var_name="metric", value_name="before", ignore_index=False)
    long["after"] = second.melt(ignore_index=False)["value"].to_numpy()
    return long.assign(change=long["after"] - long["before"]).reset_index(names="image_id")


@dataclass(frozen=True)
class Repairs:
    """The repairs of a dataset, whether each may enter, and how like its original it is."""

    repairs: pd.DataFrame
    verdicts: pd.DataFrame
    likeness: pd.DataFrame


def outcomes(repairs: Repairs, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the table `outcomes`: each repair with the image's flags before and after."""
    table = repairs.repairs[["image_id", "steps", "clipped"]]
    table = table.assign(
        flags_before=[names(before, image_id) for image_id in table["image_id"]],
        flags_after=[names(after, image_id) for image_id in table["image_id"]],
    )
    return table.merge(repairs.likeness).merge(
        repairs.verdicts[["image_id", "accepted", "refused_by"]]
    )


def answers(section: Dataset) -> dict[str, str]:
    """Return the rules that the repairs answer, each with its metric."""
    rules = {step["rule"] for step in section.enhance}
    return {name: rule.metric for name, rule in section.filter.items() if name in rules}


def callers(repairs: pd.DataFrame, rules: Collection[str]) -> dict[str, set[str]]:
    """Return, by image_id, which of the rules called for an image's repair."""
    return {row.image_id: set(rules) & set(row.rules.split()) for row in repairs.itertuples()}


def changes(
    comparison: pd.DataFrame, rules_of: Mapping[str, Collection[str]], *, resamples: int, seed: int
) -> pd.DataFrame:
    """Return the table `changes`: each metric's mean paired change with its 95 % interval.

    Once over all repaired images (rule `all`) and once for each rule over the images it flagged:
    `rules_of` maps an image_id to its rules. The interval is a percentile bootstrap over images
    (Efron, 1979, doi:10.1214/aos/1176344552); empty for fewer than five images.
    """
    rules = sorted(set().union(*rules_of.values()))
    rows = []
    for rule in ("all", *rules):
        ids = [i for i, names in rules_of.items() if rule == "all" or rule in names]
        for name, group in comparison[comparison["image_id"].isin(ids)].groupby("metric"):
            change = group["change"].to_numpy(float)
            low, high = interval(change, resamples=resamples, seed=seed)
            means = group["before"].mean(), group["after"].mean(), change.mean()
            rows.append((rule, name, len(group), *means, low, high))
    columns = ["rule", "metric", "images", "before", "after", "change", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def interval(values: npt.NDArray[np.float64], *, resamples: int, seed: int) -> tuple[float, float]:
    """Return the bootstrap 95 % interval of the mean; NaN for fewer than five values."""
    if len(values) < FEWEST:
        return float("nan"), float("nan")
    rng, count = np.random.default_rng(seed), len(values)
    means = np.empty(resamples)
    step = max(1, 1_000_000 // count)  # memory stays flat as the dataset grows
    for start in range(0, resamples, step):
        part = means[start : start + step]
        part[:] = values[rng.integers(0, count, (len(part), count))].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def headline(outcomes: pd.DataFrame) -> dict[str, int]:
    """Return the few numbers by which experiments are compared, from the table `outcomes`.

    How many images were repaired, of how many the repair was accepted, and how many flags the
    repaired ones have before and after.
    """
    flags = {
        f"flags_{side}": int(outcomes[f"flags_{side}"].str.split().str.len().sum())
        for side in ("before", "after")
    }
    return {"repaired": len(outcomes), "accepted": int(outcomes["accepted"].sum())} | flags
