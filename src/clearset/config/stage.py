"""A stage as a command: one argument, one clear line when something is wrong."""

import sys
from collections.abc import Callable

from clearset.store.errors import ClearsetError


def run(main: Callable[[str], str]) -> None:
    """Call `main(dataset)` with the command line's dataset and print what it returns.

    A `ClearsetError` ends the process with status 1 and its message; anything else is a defect
    and keeps its traceback.
    """
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} DATASET")
    try:
        sys.stdout.write(f"{main(sys.argv[1])}\n")
    except ClearsetError as error:
        sys.exit(f"error: {error}")
