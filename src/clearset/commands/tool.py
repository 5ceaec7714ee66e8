"""A tool that is no stage, as a command: its own arguments, and other commands that it runs."""

import subprocess
import sys
from collections.abc import Callable

from clearset.store.errors import ClearsetError


def run(main: Callable[..., str], needed: str, further: str = "") -> None:
    """Call `main` with the command line's arguments and print what it returns.

    `needed` and `further` name the arguments, separated by spaces. A `ClearsetError`, or a file
    that the system refuses, ends the process with status 1 and its message.
    """
    least, most = len(needed.split()), len(f"{needed} {further}".split())
    if not least <= len(sys.argv) - 1 <= most:
        optional = f" [{further}]" if further else ""
        sys.exit(f"usage: python {sys.argv[0]} {needed}{optional}")
    try:
        print(main(*sys.argv[1:]))
    except (ClearsetError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped")


def call(*command: str, shown: bool = False) -> str:
    """Run a command and return what it printed, unless that was `shown` at once.

    Raises `ClearsetError` when it fails.
    """
    done = subprocess.run(command, check=False, text=True, capture_output=not shown)
    if done.returncode:
        said = "see above" if shown else " ".join(done.stderr.split())
        raise ClearsetError(f"{' '.join(command[:4])} stopped: {said}")
    return "" if shown else done.stdout
