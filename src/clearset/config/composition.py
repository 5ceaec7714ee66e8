"""conf/ to the text of params.yaml, just as `dvc exp run` composes it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from clearset.store import defects, documents
from clearset.store.errors import ClearsetError

CONF = Path("conf")
UNFIT = (  # what Hydra and OmegaConf raise for files that are none of theirs
    HydraException,
    OmegaConfBaseException,
    yaml.YAMLError,
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    RecursionError,
)


def composed(overrides: Sequence[str] = ()) -> DictConfig:
    """Return conf/ composed with overrides, every interpolation resolved.

    Raises `ClearsetError` with Hydra's reason: a misspelt key, a wrong type, an unknown option.
    """
    try:
        with initialize_config_dir(str(CONF.absolute()), version_base=None):
            config = compose("config", overrides=list(overrides))
        OmegaConf.resolve(config)
    except UNFIT as error:
        for path in sorted(CONF.rglob("*.yaml")) if isinstance(error, UnicodeDecodeError) else []:
            documents.text(path)  # says which
        reason = defects.sentence(error) or " ".join(f"{error} {error.__cause__ or ''}".split())
        raise ClearsetError(f"conf/ does not compose: {reason}") from None
    return config


def section(name: str, kind: str) -> dict[str, Any]:
    """Return the section `name` as conf/dataset/<kind>.yaml composes it; raises as `composed`."""
    config = composed([f"+dataset@{name}={kind}"])
    content: dict[str, Any] = OmegaConf.to_container(config[name], enum_to_str=True)  # type: ignore[assignment]
    return content


def text(config: DictConfig) -> str:
    """Return a composed config as YAML, byte for byte as DVC writes it."""
    return OmegaConf.to_yaml(config)
