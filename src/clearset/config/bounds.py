"""Rules whose bound is the dataset's own, and the rules that they come to."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from clearset.config.schema import Dataset, Rule
from clearset.config.schema_calibrate import Side

Bounds = Mapping[str, Iterable[Any]]  # a table's columns, by name


def undecided(rule: Rule) -> bool:
    """Whether a rule leaves its bound to the dataset: nobody has set it."""
    return rule.own is not None and (rule.min, rule.max, rule.quantile) == (None, None, None)


def with_bounds(section: Dataset, own_bounds: Bounds) -> Dataset:
    """Return a dataset's params in which every rule has a bound.

    `own_bounds` is the table of this name; a rule that leaves its bound open and has no row there
    gets its start.
    """
    chosen = dict(zip(own_bounds["rule"], own_bounds["bound"], strict=True))
    rules = {
        name: _bounded(rule, chosen.get(name, rule.start)) if undecided(rule) else rule
        for name, rule in section.filter.items()
    }
    return replace(section, filter=rules)


def _bounded(rule: Rule, bound: Any) -> Rule:
    return replace(rule, max=bound) if rule.own is Side.max else replace(rule, min=bound)
