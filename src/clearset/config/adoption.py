"""An experiment's params into conf/, as leaf values or as another option of a group.

Comments stay. What conf/ then composes to must be the experiment's params to the last key, or else
conf/ is as it was.
"""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from ruamel.yaml import YAML

from clearset.config import composition
from clearset.store import layout
from clearset.store.errors import ClearsetError, listed

CONF = composition.CONF
# Each group whose options a dataset chooses from, and where its section has what they say.
GROUPS: dict[str, tuple[str, ...]] = {name: (name,) for name in ("filter", "enhance", "accept")}
GROUPS["trials"] = ("compare", "trials")
NAMED = "experiment"  # the group that a plain composition has an empty section of: it says nothing
Tree = dict[str, Any]


def adopt(experiment: Tree) -> list[Path]:
    """Write what an experiment's params differ by from conf/ into it; return the files changed.

    Raises `ClearsetError` naming the keys that can not be written so; nothing is changed then.
    """
    before = {path: path.read_bytes() for path in CONF.rglob("*.yaml")}
    try:
        now = _now()
        if experiment["analyze"] != now["analyze"]:
            _choose("config", "analyze", _option("analyze", experiment, ("analyze",)))
        for dataset in sorted(set(differing(experiment)) - {"analyze"}):
            for group, place in GROUPS.items():
                inner = (dataset, *place)
                if removed(_at(experiment, inner), _at(now, inner)):
                    option = _option(f"{group}@{dataset}", experiment, inner)
                    _choose(f"dataset/{dataset}", group, option)
            now = _now()
            _write_leaves(dataset, experiment[dataset], now[dataset])
        if sections := differing(experiment):
            now = _now()
            keys = [f"{n}.{key}" for n in sections for key in differing(experiment[n], now[n])]
            raise ClearsetError(
                f"these can not be written into conf/ by themselves: {listed(keys)}. Set them in "
                "conf/ by hand, or choose the option of their group in a defaults list"
            )
    except BaseException:
        for path, content in before.items():
            path.write_bytes(content)
        raise
    return [path for path, content in before.items() if path.read_bytes() != content]


def _now() -> Tree:
    """Return what conf/ composes to."""
    tree: Tree = yaml.safe_load(composition.text(composition.composed()))
    return tree


def differing(experiment: Tree, now: Tree | None = None) -> list[str]:
    """Return the keys under which two trees differ; the second is conf/ without one."""
    current = _now() if now is None else now
    keys = {**current, **experiment}.keys() - {NAMED}
    return sorted(key for key in keys if current.get(key) != experiment.get(key))


def removed(experiment: Any, now: Any) -> bool:
    """Whether a key of `now` is not in `experiment`, at any depth: no override says that."""
    if not isinstance(experiment, Mapping) or not isinstance(now, Mapping):
        return False
    return any(key not in experiment or removed(experiment[key], now[key]) for key in now)


def _at(tree: Tree, place: tuple[str, ...]) -> Any:
    value: Any = tree
    for key in place:
        value = value[key]
    return value


def _option(group: str, experiment: Tree, place: tuple[str, ...]) -> str:
    """Return the option of a group that gives what is wanted at a place, or has no key too many."""
    folder = CONF / group.partition("@")[0]
    options = []
    for option in sorted(path.stem for path in folder.glob("*.yaml")):
        tree = yaml.safe_load(composition.text(composition.composed([f"{group}={option}"])))
        if _at(tree, place) == _at(experiment, place):
            return option
        options += [] if removed(_at(experiment, place), _at(tree, place)) else [option]
    if not options:
        raise ClearsetError(
            f"no option in {folder} gives {'.'.join(place)} of the experiment. Write one there, or "
            "choose another by hand"
        )
    return options[0]


def _choose(file: str, group: str, option: str) -> None:
    """Put another option of a group into a file's defaults list."""
    path = CONF / f"{file}.yaml"
    text = path.read_text(encoding="utf-8")
    for line in text.splitlines():
        key, _, rest = line.strip().removeprefix("- ").partition(": ")
        if key in (group, f"/{group}@_here_"):
            new_line = line.replace(f"{key}: {rest.split()[0]}", f"{key}: {option}", 1)
            path.write_text(text.replace(line, new_line, 1), encoding="utf-8")
            return
    raise ClearsetError(f"{path} has no {group} in its defaults list: set it there by hand")


def _write_leaves(dataset: str, experiment: Tree, now: Tree) -> None:
    """Write each value that differs into the dataset's own file, where it overrides the others."""
    path = CONF / f"dataset/{dataset}.yaml"
    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 4096  # no line is broken anew
    editor.indent(mapping=2, sequence=4, offset=2)
    tree = editor.load(path.read_text(encoding="utf-8"))
    for place, value in _leaves(experiment, now):
        inner = tree
        for key in place[:-1]:
            inner = inner.setdefault(key, {})
        inner[place[-1]] = value
    buffer = io.StringIO()
    editor.dump(tree, buffer)
    if OmegaConf.create(buffer.getvalue()) == OmegaConf.create(path.read_text(encoding="utf-8")):
        return  # nothing differs: the file keeps its very bytes
    with layout.replacing(path) as incomplete:
        incomplete.write_text(buffer.getvalue(), encoding="utf-8")


def _leaves(experiment: Any, now: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in experiment.items():
        if key in now and value == now[key]:
            continue
        if isinstance(value, Mapping) and isinstance(now.get(key), Mapping):
            for place, leaf in _leaves(value, now[key]):
                yield (key, *place), leaf
        else:
            yield (key,), value
