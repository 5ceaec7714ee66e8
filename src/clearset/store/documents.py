"""YAML and text that people and strangers write: read within bounds, refused by file and place.

YAML is read by its safe loader in Python. The one in C, quicker, is killed by brackets in brackets.
"""

import math
from pathlib import Path
from typing import Any

import yaml

from clearset.store import defects
from clearset.store.errors import ClearsetError

LARGEST = 2**21  # bytes of YAML; params.yaml of all datasets has 2^16
MOST = 10**6  # values in it, those that an alias stands for counted each time
DEEPEST = 64  # values in values
UTF = "no UTF-8: save it as UTF-8"


def text(path: Path, largest: int = LARGEST) -> str:
    """Return a file's text; raises `ClearsetError` for what can not be read, or is no text."""
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except OSError as error:
        raise ClearsetError(defects.sentence(error)) from None
    if len(content) > largest:
        raise ClearsetError(f"{path} is larger than {largest} bytes: it is no such file")
    return decoded(content, str(path))


def decoded(content: bytes, where: str) -> str:
    """Return text of bytes; raises `ClearsetError` naming the first line that is no UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ClearsetError(f"{where}, line {line}: {UTF}") from None


def read(path: Path) -> Any:
    """Return what a file of YAML holds; raises `ClearsetError` as `text` and `parsed`."""
    return parsed(text(path), str(path))


def mapping(path: Path) -> dict[str, Any]:
    """Return what a file of YAML holds by name; raises `ClearsetError` for what has no names."""
    return named(read(path), str(path))


def named(content: Any, where: str) -> dict[str, Any]:
    """Return what YAML holds by name, nothing of none; raises `ClearsetError` for anything else."""
    if not isinstance(content, dict | None):
        kind = "a list" if isinstance(content, list) else "a single value"
        raise ClearsetError(f"{where} holds {kind}: lines of `name: value` are expected in it")
    return {str(key): value for key, value in (content or {}).items()}


def parsed(content: str, where: str) -> Any:
    """Return what YAML says: names, lists, text and numbers, and nothing that runs.

    Raises `ClearsetError` for what is none, asks for objects, or grows beyond all measure.
    """
    try:
        loader = yaml.SafeLoader(content)
        try:
            node = loader.get_single_node()
            if node is not None and _values(node, {}) > MOST:
                raise ClearsetError(f"{where} stands for more than {MOST} values: do not trust it")
            return None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except RecursionError:
        raise ClearsetError(f"{where} nests too deep: do not trust it") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ClearsetError(f"{where} is no YAML: {' '.join(str(error).split())}") from None


def _values(node: Any, known: dict[int, float], depth: int = 0) -> float:
    """Return how many values a node stands for; those in itself are without end.

    Raises `RecursionError` where values lie too deep in values.
    """
    if depth > DEEPEST:
        raise RecursionError
    if id(node) not in known:
        known[id(node)] = math.inf
        inner = node.value if isinstance(node, yaml.CollectionNode) else []
        nodes = [one for item in inner for one in (item if isinstance(item, tuple) else (item,))]
        known[id(node)] = 1 + sum(_values(one, known, depth + 1) for one in nodes)
    return known[id(node)]
