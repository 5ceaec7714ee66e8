"""Text in tables that a spreadsheet may open: nothing that it would run as a formula.

A cell that begins with one of `FORMULA` is a formula to a spreadsheet, quoted or not. Text gets an
apostrophe before it, by which spreadsheets know text. A path must stay one: it gets `./`, after
which it names the same file.
"""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def text(content: str) -> str:
    """Return text that no spreadsheet runs; what begins harmlessly stays as it is."""
    return f"'{content}" if content.startswith(FORMULA) else content


def path(content: str) -> str:
    """Return a relative path to the same file that no spreadsheet runs."""
    return f"./{content}" if content.startswith(FORMULA) else content
