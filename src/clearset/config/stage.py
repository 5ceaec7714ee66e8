"""A stage as a command: one argument, one clear line when something is wrong."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from clearset.config import execution, params, provenance
from clearset.store import defects, locks
from clearset.store.execution import on


def certified(main: Callable[[str], str], stage: str, dataset: str) -> str:
    """Return what a stage returns, whose params are the same from its beginning to its end.

    Raises `ClearsetError` where they were changed, or where it would build on what was made under
    others: DVC then records nothing.
    """
    with locks.shared(f"{stage}@{dataset}"):
        with params.frozen(dataset), on(execution.place()):
            inputs = provenance.inputs(stage)
            provenance.refuse_others(inputs.stages, dataset)
            before = provenance.sections(dataset, inputs.sections)
            text = main(dataset)
        provenance.refuse_changed(stage, dataset, before)
    return text


def run(main: Callable[[str], str]) -> None:
    """Call `main(dataset)` with the command line's dataset and print what it returns.

    Any error ends the process with status 1 and one line (see `defects`).
    """
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} DATASET")
    if os.environ.get("DVC_STAGE"):  # DVC has started this
        locks.end_with_parent()
    with defects.told():
        defects.say(f"{certified(main, Path(sys.argv[0]).stem, sys.argv[1])}\n")
