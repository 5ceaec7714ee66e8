"""params.yaml's section `execution` to where work runs."""

import os

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from clearset.config import params
from clearset.config.schema_execution import Execution
from clearset.store import documents
from clearset.store.errors import ClearsetError
from clearset.store.execution import LOCAL, Place

SCHEDULER = "CLEARSET_SCHEDULER"  # in the environment: a cluster's address


def place() -> Place:
    """Return where work runs by the project's params.yaml: on this machine, where it has no say.

    Raises `ClearsetError` for a misspelt key, a wrong type, or a cluster without an address.
    """
    content = documents.mapping(params.PARAMS) if params.PARAMS.exists() else {}
    section = content.get("execution") or {}
    try:
        merged = OmegaConf.merge(OmegaConf.structured(Execution), OmegaConf.create(section))
        chosen: Execution = OmegaConf.to_object(merged)  # type: ignore[assignment]
    except (OmegaConfBaseException, TypeError, ValueError) as error:
        key = getattr(error, "full_key", None)  # OmegaConf's, apart from its reason
        reason = (f"{key}: " if key else "") + str(error).split("\n")[0]
        raise ClearsetError(f"{params.PARAMS}, execution: {reason}. Mend it in conf/") from None
    engine, address = chosen.engine.value, chosen.address or os.environ.get(SCHEDULER, "")
    if engine != LOCAL and not address:
        raise ClearsetError(
            f"execution.engine is {engine}, and no scheduler's address is given: set "
            f"execution.address, or {SCHEDULER} in the environment (docs/scale.md)"
        )
    return Place(engine, address, chosen.partition, chosen.retries)
