"""Steps: named enhancements with their options, checked, described, and done in order."""

import inspect
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from clearset.config.schema import EVERY
from clearset.numeric.exact import UNIT, settled
from clearset.numeric.seen import Seen, filled
from clearset.repair.enhancements import ENHANCEMENTS, Image
from clearset.store.errors import ClearsetError


def options(method: str) -> list[str]:
    """Return the names of a method's options."""
    parameters = inspect.signature(ENHANCEMENTS[method]).parameters.values()
    return [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]


def check_steps(steps: Iterable[Mapping[str, Any]], where: str = "enhance") -> None:
    """Raise `ClearsetError`, naming the place, for a step that could not be done.

    That is an unknown method, options that are not just its own, or a value out of its range: each
    step is tried on a tiny image.
    """
    for step in steps:
        method = step.get("method", "")
        if method not in ENHANCEMENTS:
            methods = ", ".join(sorted(ENHANCEMENTS))
            raise ClearsetError(f"{where}: unknown method '{method}'. Known: {methods}")
        names, expected = set(step) - {"rule", "method"}, set(options(method))
        if names != expected:
            raise ClearsetError(
                f"{where}: {method} takes {', '.join(sorted(expected))}; "
                f"unknown: {', '.join(sorted(names - expected)) or 'none'}, "
                f"missing: {', '.join(sorted(expected - names)) or 'none'}"
            )
        for name in sorted(expected):
            value = step[name]
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not math.isfinite(value):
                raise ClearsetError(f"{where}: {method}.{name} is {value!r}: give a finite number")
        try:
            enhance(np.full((16, 16), 0.5), [step])
        except ClearsetError as error:
            raise ClearsetError(f"{where}: {error}") from None


def steps_for(rules: Iterable[str], steps: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return, in order, the steps of an image that these rules flagged.

    A step that several rules call for is done once.
    """
    callers = {*rules, EVERY}
    chain: dict[str, Mapping[str, Any]] = {}
    for step in steps:
        if step["rule"] in callers:
            chain.setdefault(describe_step(step), step)
    return list(chain.values())


def describe(steps: Iterable[Mapping[str, Any]]) -> str:
    """Return steps as a chain of calls: gamma(gamma=0.7) > unsharp_mask(radius=1, amount=1)."""
    return " > ".join(describe_step(step) for step in steps)


def describe_step(step: Mapping[str, Any]) -> str:
    """Return a step as a call: unsharp_mask(radius=1, amount=1)."""
    arguments = ", ".join(f"{name}={step[name]:g}" for name in options(step["method"]))
    return f"{step['method']}({arguments})"


def enhance(
    image: Image,
    steps: Iterable[Mapping[str, Any]],
    alpha: int | None = None,
    seen: Seen | None = None,
) -> tuple[Image, float]:
    """Return the image after all steps, clipped once to 0 to 1, and the share of values clipped.

    A step is {method, ...options}; a `rule` in it is passed over. Band `alpha`, the last one if
    there is one, is kept as it is, and so is what is not `seen`, (h, w): it may hold anything, and
    has no say. Each step's result is settled, so that the next one, and whether a value was
    clipped, do not hang on a double's last digit.
    """
    before = image if alpha is None else image[..., :alpha]
    squeezed = before.ndim == 3 and before.shape[2] == 1
    before = before[..., 0] if squeezed else before
    result = filled(before, seen)
    for step in steps:
        options = {key: value for key, value in step.items() if key not in ("rule", "method")}
        result = settled(ENHANCEMENTS[step["method"]](result, seen, **options), UNIT)
    cut = (result < 0) | (result > 1)
    clipped = float(np.mean(cut if seen is None else cut[seen]))
    result = np.clip(result, 0, 1)
    if seen is not None:
        result[~seen] = before[~seen]
    result = result[..., None] if squeezed else result
    if alpha is not None:
        result = np.concatenate([result, image[..., alpha:]], axis=2)
    return result, clipped
