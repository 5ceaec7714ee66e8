"""The settings of a check: a folder's own, as conf/ composes them, with a person's changes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from clearset.config import params
from clearset.config.schema import Dataset, Engine
from clearset.proof.evidence import check_bounds
from clearset.repair.steps import check_steps
from clearset.store import documents
from clearset.store.errors import ClearsetError

DEFAULTS = Path(__file__).with_name("folder.yaml")  # src/config.py writes it
OURS = ("fetch.path", "fetch.source")  # what a person says by the source
WHERE = "settings"
EXAMPLE = '{"filter.blur.min": -12}'
NAMED = "metric"  # a rule, or a bound on evidence, that has this may be a new one
Section = dict[str, Any]


def section(name: str, fetch: Mapping[str, Any], settings: Mapping[str, Any]) -> Section:
    """Return the section of params.yaml for a check, whole and checked.

    `fetch` says where and what the source is, `settings` are the changes, by dotted keys. Raises
    `ClearsetError` for a key that is not known, a wrong type or an impossible value.
    """
    config = OmegaConf.create(documents.mapping(DEFAULTS))
    tree = changes(settings)
    refuse_unknown(OmegaConf.to_container(tree), OmegaConf.to_container(config))
    try:
        merged = OmegaConf.merge(config, {"fetch": dict(fetch)}, tree)
    except (OmegaConfBaseException, ValueError, TypeError) as error:
        reason = str(error).split("\n")[0]
        raise ClearsetError(f"{WHERE}: they do not fit what can be set ({reason})") from None
    content: Section = OmegaConf.to_container(merged)  # type: ignore[assignment]
    refuse(checked(name, content))
    return content


def changes(settings: Mapping[str, Any]) -> Any:
    """Return changes as a tree; raises `ClearsetError` for what is none."""
    tree = OmegaConf.create({})
    for key, value in settings.items():
        if not isinstance(key, str) or not key.strip(". "):
            raise ClearsetError(f"{WHERE}: the key {key!r} is no name; such as {EXAMPLE}")
        try:
            OmegaConf.update(tree, key, value, force_add=True)
        except (OmegaConfBaseException, ValueError, TypeError) as error:
            reason = str(error).split("\n")[0]
            raise ClearsetError(f"{WHERE}: {key} can not be {value!r:.80} ({reason})") from None
    for key in OURS:
        if OmegaConf.select(tree, key) is not None:
            raise ClearsetError(f"{WHERE}: {key} is what the source says; leave it out")
    return tree


def refuse_unknown(tree: Any, known: Any, key: str = "") -> None:
    """Raise `ClearsetError` for a name that no setting has, with those that are known there."""
    if not (isinstance(tree, dict) and isinstance(known, dict) and known):
        return  # the schema has the word
    for name, value in tree.items():
        inner = f"{key}.{name}" if key else str(name)
        new = isinstance(value, dict) and NAMED in value
        if name not in known and not new:
            raise ClearsetError(
                f"{WHERE}: {inner} is not known. Known{f' in {key}' if key else ''}: "
                f"{', '.join(map(str, known))}"
            )
        refuse_unknown(value, known.get(name), inner)


def of_words(words: tuple[str, ...]) -> dict[str, Any]:
    """Return settings of KEY=VALUE words; raises `ClearsetError` for what is no such word."""
    for word in words:
        if not word.partition("=")[0].strip() or "=" not in word:
            raise ClearsetError(f"--set {word}: no KEY=VALUE, such as filter.dark.min=40")
    try:
        settings: dict[str, Any] = OmegaConf.to_container(OmegaConf.from_dotlist([*words]))  # type: ignore[assignment]
    except (yaml.YAMLError, OmegaConfBaseException, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ClearsetError(f"--set {' '.join(words)}: no KEY=VALUE ({reason})") from None
    return settings


def checked(name: str, content: Section) -> Dataset:
    """Return settings as the schema has them; raises `ClearsetError` for what does not fit it."""
    return params.check(name, content, WHERE, mend=f"{WHERE}, such as {EXAMPLE}")


def refuse(section: Dataset) -> None:
    """Raise `ClearsetError` for what a check can not do: an unknown repair, another engine."""
    if section.analyze.engine is not Engine.native:
        raise ClearsetError(
            f"{WHERE}: analyze.engine is {section.analyze.engine.value}; a check has native alone. "
            "In a clone of Clearset: clearset folder SOURCE NAME"
        )
    check_steps(section.enhance, f"{WHERE}, enhance")
    check_bounds(section.accept, f"{WHERE}, accept")
