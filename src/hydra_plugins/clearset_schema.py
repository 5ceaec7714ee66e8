"""Registers the typed schema with Hydra, for `dvc exp run -S` and for the config stage alike."""

import sys
from pathlib import Path

# DVC appends this tree to the import path: go first, so that no other installed copy answers.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hydra.core.config_store import ConfigStore

from clearset.config.schema import Dataset, EngineChoice
from clearset.config.schema_execution import Execution

STORE = ConfigStore.instance()
STORE.store(group="dataset", name="schema", node=Dataset)
STORE.store(group="analyze", name="schema", node=EngineChoice)
STORE.store(group="execution", name="schema", node=Execution)
