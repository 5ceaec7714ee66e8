"""Text in tables that a spreadsheet may open: nothing that it would run as a formula.

A cell that begins with one of `FORMULA` is a formula to a spreadsheet, quoted or not. In a file it
gets an apostrophe before it, by which spreadsheets know text; whoever reads the file takes that
away, so that in memory every value is the true one. A path must stay one for those who read a
released table by other means: it gets `./`, after which it names the same file.
"""

import unicodedata

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")
HIDDEN = {"Cc", "Cs", "Zl", "Zp"}  # control characters, halves of others, ends of lines
TURNS = {*map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))}  # of the line, to its end


def guarded(content: str) -> str:
    """Return a cell as a file has it: text that no spreadsheet runs.

    What begins with apostrophes and then like a formula gets one more, so that `true` gives back
    every text.
    """
    return f"'{content}" if content.lstrip("'").startswith(FORMULA) else content


def true(cell: str) -> str:
    """Return the text that a cell of a file stands for: what `guarded` was given."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell


def path(content: str) -> str:
    """Return a relative path to the same file that no spreadsheet runs."""
    return f"./{content}" if content.startswith(FORMULA) else content


def visible(text: str) -> str:
    """Return text fit for a terminal and a page: what would steer either is spelt out.

    That is control characters but ends of lines and tabs, and what turns the direction of writing.
    """
    if text.isprintable() and not TURNS & set(text):
        return text
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    steers = unicodedata.category(character) in HIDDEN or character in TURNS
    return ascii(character)[1:-1] if steers and character not in "\n\t" else character
