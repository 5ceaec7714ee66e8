"""The stored values that stand for 0 and 1, for a dataset or for an image, and what does not fit.

Sensors of 11 or 12 bits store small numbers in 16 bits. What stretches each image by itself makes
a dark one as bright as any other; so the range is one for the dataset unless it says otherwise.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.config.schema_fetch import Mapping, PixelRange
from clearset.store.errors import ClearsetError, listed

Counts = tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]  # stored values, how many of each
ONE_FOR_ALL = {Mapping.fixed, Mapping.percentiles}  # mappings in the units of one bit depth


def span(counts: Iterable[Counts], pixel_range: PixelRange) -> tuple[float, float]:
    """Return the values at the percentiles `low` and `high` of all counted values, never equal.

    The value at a percentile is the least that this share of all values does not exceed.
    """
    total = np.zeros(2**16, np.int64)
    for values, numbers in counts:
        total[values] += numbers
    reached = total.cumsum()
    low, high = (
        int(np.searchsorted(reached, share / 100 * reached[-1]))
        for share in (pixel_range.low, pixel_range.high)
    )
    low = max(low, int(np.flatnonzero(total)[0]))  # percentile 0: the least value there is
    return float(low), float(max(high, low + 1))


def ranged(
    table: pd.DataFrame, pixel_range: PixelRange, percentiles: tuple[float, float]
) -> pd.DataFrame:
    """Return the table `images` with the range of each image; an error where it can have none.

    `percentiles` are those of the dataset. With one range for all, images of another bit depth
    than most can not be measured beside them. Raises `ClearsetError` for a fixed range that the
    dataset's bit depth does not have.
    """
    if pixel_range.mapping not in ONE_FOR_ALL or not (readable := table["error"] == "").any():
        return table
    low, high = (
        (pixel_range.low, pixel_range.high) if pixel_range.mapping is Mapping.fixed else percentiles
    )
    depth = usual(table.loc[readable, "bit_depth"])
    if high > 2**depth - 1:
        raise ClearsetError(
            f"fetch.range goes up to {high:g}, but the images have {depth} bits, up to "
            f"{2**depth - 1}. Set fetch.range.high in the dataset's file in conf/dataset/"
        )
    other = readable & (table["bit_depth"] != depth)
    reasons = [
        f"{bits} bits where most have {depth}: fetch.range is in their values. Convert it, or "
        "say fetch.range.mapping=type"
        for bits in table.loc[other, "bit_depth"]
    ]
    table = table.assign(low=low, high=high).astype({"error": object})
    table.loc[other, "error"] = reasons
    return table


def usual(column: pd.Series) -> int:
    """Return the most frequent value of a column, of equals the largest."""
    counts = column.value_counts()
    return int(max(counts.index[counts == counts.max()]))


def odd_formats(images: pd.DataFrame) -> pd.Series:
    """Return, by image_id, 1 where bands or bit depth are not most readable images', else 0."""
    readable = images[images["error"] == ""].set_index("image_id")
    odd = pd.Series(0.0, readable.index)
    for column in ("channels", "bit_depth"):
        if not readable.empty:
            odd[readable[column] != usual(readable[column])] = 1.0
    return odd


def formats(images: pd.DataFrame) -> pd.DataFrame:
    """Return, by image_id, how far an image's size and shape are from the set's, in octaves.

    `size_deviation` is of the geometric mean of its sides, `aspect_deviation` of width by height,
    each from the median: 0 as usual, 1 twice or half.
    """
    readable = images[(images["error"] == "") & (images["width"] > 0)].set_index("image_id")
    width, height = np.log2(readable["width"]), np.log2(readable["height"])
    both = {"size_deviation": (width + height) / 2, "aspect_deviation": width - height}
    return pd.DataFrame({name: (own - own.median()).abs() for name, own in both.items()})


def described(table: pd.DataFrame, mapping: Mapping) -> list[str]:
    """Return, for the log, the range in use and the images of another format than most."""
    readable = table[table["error"] == ""]
    lines = []
    if mapping in ONE_FOR_ALL:
        row = readable.iloc[0]
        lines.append(f"stored values from {row['low']:g} to {row['high']:g} are measured")
    odd = odd_formats(table)
    names = [
        f"{row.path} ({row.channels} bands, {row.bit_depth} bits)"
        for row in readable.set_index("image_id").loc[odd.index[odd > 0]].itertuples()
    ]
    return lines + ([f"of another format than most: {listed(names)}"] if names else [])
