"""What differs beyond tolerance between what was recorded and what is there now, in words.

Every function returns lines; none at all says that both sides agree.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.store.errors import listed
from clearset.store.tolerance import EXACT, LAST_DIGIT, Tolerance

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w])")
LINES = 5  # lines of a text, or keys of an object


def of_tables(
    before: pd.DataFrame,
    after: pd.DataFrame,
    key: Sequence[str],
    tolerances: Mapping[str, Tolerance],
) -> list[str]:
    """Return which columns and rows of a table differ, each column with its worst pair of values.

    Rows are the same by the exact columns of their key, and among those of one key by their order:
    a key that is a real number may itself be off by its tolerance.
    """
    lines = _names("columns", list(before), list(after))
    exact = [column for column in key if tolerances[column] == EXACT]
    one, two = (_placed(frame, exact) for frame in (before, after))
    lines += _names("rows", list(one.index), list(two.index))
    common = one.index.intersection(two.index, sort=False)
    one, two = one.loc[common], two.loc[common]
    for column in [name for name in before if name in after and name not in exact]:
        gaps = _gaps(one[column], two[column], tolerances[column])
        if gaps.any():
            worst = int(np.argmax(gaps))
            values = _value(one[column].iloc[worst]), _value(two[column].iloc[worst])
            lines.append(
                f"{column}: {int((gaps > 0).sum())} of {len(common)} rows, most in "
                f"{common[worst]}: {values[0]} recorded, {values[1]} now"
            )
    return lines


def of_objects(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return which values of a JSON object differ: whole numbers and text at all."""
    lines = _names("keys", list(before), list(after))
    keys = [key for key in before if key in after and not _agree(before[key], after[key])]
    lines += [f"{key}: {before[key]!r} recorded, {after[key]!r} now" for key in keys[:LINES]]
    return lines + ([f"and {len(keys) - LINES} more values"] if len(keys) > LINES else [])


def of_texts(before: str, after: str) -> list[str]:
    """Return which lines of a text differ by more than one in the last digit of a fraction."""
    one, two = before.splitlines(), after.splitlines()
    if len(one) != len(two):
        return [f"{len(one)} lines recorded, {len(two)} now"]
    pairs = zip(one, two, strict=True)
    numbers = [number for number, pair in enumerate(pairs, 1) if not _same_line(*pair)]
    return [f"lines that differ: {listed(numbers)}"] if numbers else []


def of_pixels(before: npt.NDArray[Any], after: npt.NDArray[Any]) -> list[str]:
    """Return how many pixels of a picture differ, and by how much at most."""
    if (before.shape, before.dtype) != (after.shape, after.dtype):
        return [f"{before.shape} {before.dtype} recorded, {after.shape} {after.dtype} now"]
    gaps = np.abs(after.astype(np.int64) - before.astype(np.int64))
    if not gaps.any():
        return ["the same pixels, declared otherwise"]
    places = gaps.reshape(*gaps.shape[:2], -1).any(axis=2)
    return [f"{int(places.sum())} of {places.size} pixels, by at most {int(gaps.max())} levels"]


def _names(what: str, before: list[str], after: list[str]) -> list[str]:
    """Return lines on names that one side has alone."""
    gone, new = (
        [name for name in side if name not in other]
        for side, other in ((before, set(after)), (after, set(before)))
    )
    lines = [f"{len(gone)} {what} no longer there: {listed(map(ascii, gone))}"] if gone else []
    return lines + ([f"{len(new)} {what} new: {listed(map(ascii, new))}"] if new else [])


def _placed(frame: pd.DataFrame, exact: list[str]) -> pd.DataFrame:
    """Return a table by the names of its rows: the exact key, and its place among those of one."""
    turns = frame.groupby(exact).cumcount() if exact else pd.Series(range(len(frame)))
    names = [
        " ".join([*map(str, values), *([f"({turn + 1})"] if turn or not exact else [])])
        for *values, turn in zip(*(frame[column] for column in exact), turns, strict=True)
    ]
    return frame.set_axis(names, axis=0)


def _gaps(before: pd.Series, after: pd.Series, tolerance: Tolerance) -> npt.NDArray[np.float64]:
    """Return how far apart each pair of values is, 0 where it agrees."""
    if not pd.api.types.is_numeric_dtype(before) or not pd.api.types.is_numeric_dtype(after):
        return (before != after).to_numpy(np.float64)
    one, two = before.to_numpy(np.float64), after.to_numpy(np.float64)
    with np.errstate(invalid="ignore"):
        gaps = np.nan_to_num(np.abs(two - one), nan=np.inf)
    return np.where(tolerance.holds(one, two), 0.0, gaps)


def _value(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value) or "nothing"


def _agree(before: Any, after: Any) -> bool:
    real = isinstance(before, float) or isinstance(after, float)
    if real and all(isinstance(value, int | float) for value in (before, after)):
        return bool(LAST_DIGIT.holds(before, after))
    return bool(before == after)


def _same_line(before: str, after: str) -> bool:
    one, two = NUMBER.findall(before), NUMBER.findall(after)
    same_words = NUMBER.split(before) == NUMBER.split(after)
    return same_words and all(_near(*pair) for pair in zip(one, two, strict=True))


def _near(before: str, after: str) -> bool:
    """Whether two numbers as printed are one apart in their last digit; whole ones: the same."""
    if before == after:
        return True
    units = list(_units(before, after))
    return min(units) < 1 and abs(float(before) - float(after)) <= max(units) * 1.001


def _units(*numbers: str) -> Iterator[float]:
    for number in numbers:
        mantissa, _, exponent = number.partition("e")
        yield 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
