"""The one exception that a person is meant to read."""

from collections.abc import Iterable


class ClearsetError(Exception):
    """What was wrong, where, what is known, and what to do next; shown without a traceback."""


class UnreadableImage(ClearsetError):
    """The file is no image that can be measured; the message is the reason alone."""


class BrokenImage(UnreadableImage):
    """The file is damaged, empty, or no image at all: nobody could use it as one."""


def listed(names: Iterable[object], limit: int = 5) -> str:
    """Return the first names, comma-separated, and how many more there are."""
    every = [str(name) for name in names]
    more = f" and {len(every) - limit} more" if len(every) > limit else ""
    return ", ".join(every[:limit]) + more
