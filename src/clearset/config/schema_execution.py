"""Where work on single images runs: no part of a dataset, since it changes no result."""

from dataclasses import dataclass
from enum import Enum

from clearset.config.schema_fetch import require


class Where(Enum):
    """What shares the work out."""

    local = "local"  # processes of this machine
    dask = "dask"
    ray = "ray"


@dataclass
class Execution:
    """The group `execution`: an engine, and how it is reached."""

    engine: Where = Where.local
    address: str = ""  # of a cluster's scheduler; empty: the environment's CLEARSET_SCHEDULER
    partition: int = 64  # items that go to a worker together
    retries: int = 2  # of a partition whose worker was lost, before its items go one by one

    def __post_init__(self) -> None:
        """Check the ranges."""
        require(self.partition >= 1, f"execution.partition is {self.partition}: at least 1")
        require(self.retries >= 0, f"execution.retries is {self.retries}: at least 0")
