"""Before and after to paired changes, with intervals."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.numeric.seen import Seen, inner

Image = npt.NDArray[np.float64]
FEWEST = 5  # of fewer values a resampled interval says nothing


def psnr(before: Image, after: Image, seen: Seen | None = None) -> float:
    """Peak signal-to-noise ratio of `after` against `before`, in dB; infinite when equal.

    Of the pixels that were `seen`, (h, w); None: of all.
    """
    difference = before - after
    error = float(np.mean((difference if seen is None else difference[seen]) ** 2))
    return float("inf") if error == 0 else float(-10 * np.log10(error))


def ssim(before: Image, after: Image, seen: Seen | None = None) -> float:
    """Structural similarity of two images of range 1, from -1 to 1 (equal).

    Wang et al., 2004, doi:10.1109/TIP.2003.819861, with its Gaussian window of sigma 1.5. Of the
    windows whose pixels were all `seen`, (h, w), if there are any; None: of all.
    """
    from skimage.metrics import structural_similarity  # noqa: PLC0415

    window = min(11, *(side - 1 + side % 2 for side in before.shape[:2]))
    mean, each = structural_similarity(
        before,
        after,
        data_range=1.0,
        channel_axis=None if before.ndim == 2 else -1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        win_size=window,
        full=True,
    )
    if seen is None:
        return float(mean)
    # Beyond an image's edges nothing was seen: their windows count for no one.
    inside = inner(np.pad(seen, 1), window // 2)
    return float(each[np.asarray(inside)[1:-1, 1:-1]].mean())


def compare(before: pd.DataFrame, after: pd.DataFrame, image_ids: Sequence[str]) -> pd.DataFrame:
    """Return the table `comparison` of the named images from two tables `metrics`."""
    ids = sorted(image_ids)
    first = before.set_index("image_id").loc[ids]
    second = after.set_index("image_id").loc[ids, first.columns]
    long = first.melt(var_name="metric", value_name="before", ignore_index=False)
    long["after"] = second.melt(ignore_index=False)["value"].to_numpy()
    return long.assign(change=long["after"] - long["before"]).reset_index(names="image_id")


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
