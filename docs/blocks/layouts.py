"""What docs/layouts.md shows: the plan of each small data set laid out as people keep theirs."""

import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def _plan(name: str) -> str:
    """Return the plan of a data set, as `clearset folder --plan` prints it."""
    sys.path.insert(0, str(ROOT / "tests"))
    from cases import CASES  # noqa: PLC0415 - with the path
    from clearset.config.schema_fetch import Fetch  # noqa: PLC0415
    from clearset.sources import inventory, plan  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / name
        CASES[name](source)
        lines = plan.lines(inventory.inventory(source, Fetch()))[:-1]  # how to say otherwise
        return "\n".join(line.replace(scratch, "/data") for line in lines)


def plans() -> str:
    """Return a heading, a sentence and the plan of each."""
    sys.path.insert(0, str(ROOT / "tests"))
    from cases import CASES  # noqa: PLC0415

    parts = []
    for name, function in CASES.items():
        what = (function.__doc__ or "").strip()
        parts.append(f"### `{name}`\n\n{what}\n\n```\n{_plan(name)}\n```")
    return "\n\n".join(parts)
