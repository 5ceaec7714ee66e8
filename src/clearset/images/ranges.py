"""The stored values that stand for 0 and 1, for a dataset or for an image, and what does not fit.

Sensors of 11 or 12 bits store small numbers in 16 bits. What stretches each image by itself makes
a dark one as bright as any other; so the range is one for the dataset unless it says otherwise.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from clearset.config.schema_fetch import Mapping, PixelRange
from clearset.images import census
from clearset.images.census import Census, Counts
from clearset.numeric.exact import settled
from clearset.store.errors import ClearsetError, listed

ONE_FOR_ALL = {Mapping.fixed, Mapping.percentiles}  # mappings in the units of one type
DEPTH = 16  # bits that a sensor of fewer is stored in
FILLED, FILL = 99.9, 2**14  # of all values, this percentage lies below that: so they are few bits
HELD = 99.999  # percentage that an assumed range holds: a broken pixel is no range


def span(counts: Iterable[Counts], pixel_range: PixelRange) -> tuple[float, float]:
    """Return the values at the percentiles `low` and `high` of all counted values, never equal.

    The value at a percentile is the least that this share of all values does not exceed.
    """
    low, high = census.at(census.together(counts), pixel_range.low, pixel_range.high)
    return low, high if high > low else low + 1


def ranged(
    table: pd.DataFrame, pixel_range: PixelRange, found: Sequence[Census | None]
) -> pd.DataFrame:
    """Return the table `images` with the range of each image; an error where it can have none.

    `found` is what was seen of each row's image. With one range for all, images of another type
    than most can not be measured beside them. Raises `ClearsetError` for a fixed range that the
    dataset's type does not have.
    """
    if pixel_range.mapping is Mapping.type:
        return _assumed(_bare(table, found), found)
    if pixel_range.mapping not in ONE_FOR_ALL or not (table["error"] == "").any():
        return table
    types = _types(table, found)
    depths = table.loc[table["error"] == "", "bit_depth"]
    wanted = str(usual(types[depths.index[depths == usual(depths)]]))
    low, high = pixel_range.low, pixel_range.high
    if pixel_range.mapping is Mapping.fixed:
        _check(low, high, wanted)
    else:
        pairs = zip(types, found, strict=True)
        counts = [one.counts for name, one in pairs if one and one.counts and name == wanted]
        low, high = span(counts, pixel_range)
    table = table.assign(low=low, high=high).astype({"error": object})
    for row in types.index[(types != "") & (types != wanted)]:
        table.loc[row, "error"] = (
            f"{types[row]} where most have {wanted}: fetch.range is in their values. Convert it, "
            "or say fetch.range.mapping=type"
        )
    return table


def _types(table: pd.DataFrame, found: Sequence[Census | None]) -> pd.Series:
    """Return what kind of values each row's image has, in words; empty where it has none."""
    words = [
        "" if one is None or row.error else _type(one.kind, row.bit_depth)
        for one, row in zip(found, table.itertuples(), strict=True)
    ]
    return pd.Series(words, table.index, dtype="str")


def _type(kind: str, bits: int) -> str:
    return f"{bits} bits" if kind in ("uint8", "uint16") else kind


def _check(low: float, high: float, kind: str) -> None:
    """Raise `ClearsetError` for a range beyond the values of most images' type."""
    if kind.startswith("float"):
        return
    bits = kind.removesuffix(" bits")
    least, most = 0, 2 ** int(bits) - 1 if bits.isdigit() else 0
    if not most:
        least, most = np.iinfo(kind).min, np.iinfo(kind).max
    if low < least or high > most:
        end, key, value = ("down", "low", low) if low < least else ("up", "high", high)
        raise ClearsetError(
            f"fetch.range goes {end} to {value:g}, but the images have {kind}, "
            f"{'up to' if least == 0 else f'{least} to'} {most}. Set fetch.range.{key} in the "
            "dataset's file in conf/dataset/"
        )


def _assumed(table: pd.DataFrame, found: Sequence[Census | None]) -> pd.DataFrame:
    """Return the table with a smaller range where all 16-bit images together fill few of the bits.

    A dark image among others that fill them is dark; where none does, nobody said what is white.
    """
    deep = (table["error"] == "") & (table["bit_depth"] == DEPTH)
    deep &= np.array([one is not None and one.kind == "uint16" for one in found])
    counts = [one.counts for one, is_deep in zip(found, deep, strict=True) if is_deep and one]
    every = census.together([pair for pair in counts if pair is not None])
    if not len(every[0]):
        return table
    most, held = census.at(every, FILLED, HELD)
    bits = max(int(held).bit_length(), 8)
    if most >= FILL or bits >= DEPTH:
        return table
    table = table.astype({"obstacle": object})
    table.loc[deep, ["low", "high", "assumed"]] = 0.0, 2.0**bits - 1, 1
    table.loc[deep & (table["obstacle"] == ""), "obstacle"] = (
        f"no range was declared, and its values fill {bits} of {DEPTH} bits: say "
        f"{settings(0, 2**bits - 1)}"
    )
    return table


def _bare(table: pd.DataFrame, found: Sequence[Census | None]) -> pd.DataFrame:
    """Return the table with the ends of their own values where a type has no range of its own."""
    bare = (table["error"] == "") & table["high"].isna()
    kinds = pd.Series([one.kind if one else "" for one in found], table.index)[bare]
    if kinds.empty:
        return table
    table = table.astype({"obstacle": object})
    for kind in sorted(set(kinds)):
        rows = kinds.index[kinds == kind]
        own = [one for one, row in zip(found, table.index, strict=True) if one and row in rows]
        low, high = min(one.least for one in own), max(one.most for one in own)
        table.loc[rows, ["low", "high", "assumed"]] = low, high if high > low else low + 1, 1
        table.loc[rows, "obstacle"] = (
            f"no range was declared, and {kind} has none of its own: say {settings(low, high)}, "
            "or what white is"
        )
    return table


def settings(low: float, high: float) -> str:
    """Return what to say for a fixed range."""
    return f"fetch.range.mapping=fixed fetch.range.low={low:g} fetch.range.high={high:g}"


def usual(column: pd.Series) -> Any:
    """Return the most frequent value of a column, of equals the largest."""
    counts = column.value_counts()
    return max(counts.index[counts == counts.max()])


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
    # Twice as large is an octave on every machine, whatever its logarithm's last digit.
    return pd.DataFrame(
        {name: settled((own - own.median()).abs()) for name, own in both.items()}, readable.index
    )


def described(table: pd.DataFrame, mapping: Mapping) -> list[str]:
    """Return, for the log, the range in use, what is not measured, and images of another format."""
    readable = table[table["error"] == ""]
    lines = []
    if mapping in ONE_FOR_ALL:
        row = readable.iloc[0]
        lines.append(f"stored values from {row['low']:g} to {row['high']:g} are measured")
    lines += _on_assumption(readable) + _beyond_three(readable)
    odd = odd_formats(table)
    names = [
        f"{row.path} ({row.channels} bands, {row.bit_depth} bits)"
        for row in readable.set_index("image_id").loc[odd.index[odd > 0]].itertuples()
    ]
    return lines + ([f"of another format than most: {listed(names)}"] if names else [])


def _on_assumption(readable: pd.DataFrame) -> list[str]:
    rows = readable[readable["assumed"] == 1]
    return [
        f"no range was declared for {len(own)} images whose values fill few bits, or have no range "
        f"of their own: measured from {low:g} to {high:g}, and not repaired. Say "
        f"{settings(low, high)}, or what white is"
        for (low, high), own in rows.groupby(["low", "high"])
    ]


def _beyond_three(readable: pd.DataFrame) -> list[str]:
    """Return what to say of images with bands that are not looked at."""
    bands = readable["channels"] - (readable["alpha"] != "")
    more = bands[(readable["shown"] == "") & ~bands.isin([1, 3])]
    lines = []
    for number, rows in more.groupby(more):
        first = "three" if number > 3 else "one"
        example = "[3,2,1]" if number > 3 else "[2]"
        lines.append(
            f"{len(rows)} images have {number} bands, of which the first {first} are measured: "
            f"name others by fetch.bands.shown, such as 'fetch.bands.shown={example}'"
        )
    return lines
