"""Renew the numbers in docs/*.md from the tables of reports/: `python docs/renew.py [--check]`.

A page marks what is measured: `<!-- numbers: NAME -->` and `<!-- /numbers -->` stand around a
table or a paragraph, `<!-- n: NAME -->` and `<!-- /n -->` around a number in a sentence. NAME is a
function of `blocks/<page>.py`, so that each number has one page. All pages are written, or none.
"""

import importlib
import importlib.util
import re
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

from blocks import Unsupported

PAGES = Path(__file__).parent
BLOCK = re.compile(r"(<!-- numbers: ([\w.-]+) -->\n)(.*?)(<!-- /numbers -->)", re.DOTALL)
INLINE = re.compile(r"(<!-- n: ([\w.-]+) -->)(.*?)(<!-- /n -->)", re.DOTALL)
MARK = re.compile(r"<!-- */?(?:n|numbers)\b.*?-->")


def module(page: str) -> ModuleType | None:
    """Return the module with a page's numbers; None where the page has none."""
    if importlib.util.find_spec(f"blocks.{page}") is None:
        return None
    return importlib.import_module(f"blocks.{page}")


def known(page: str) -> dict[str, str]:
    """Return the names of a page's numbers, each with what the tables give for it now."""
    if (source := module(page)) is None:
        return {}
    own = {
        name: function
        for name, function in vars(source).items()
        if getattr(function, "__module__", "") == source.__name__ and not name.startswith("_")
    }
    return {name: str(function()) for name, function in own.items()}


def filled(page: str, text: str) -> str:
    """Return a page's text with its numbers as the tables have them; raises `Unsupported`."""
    numbers = known(page)
    blocks, inline = BLOCK.findall(text), INLINE.findall(text)
    names = Counter(found[1] for found in (*blocks, *inline))
    if unknown := sorted(set(names) - set(numbers)):
        raise Unsupported(f"{page}.md: no number is called {unknown}. Known: {sorted(numbers)}")
    if unused := sorted(set(numbers) - set(names)):
        raise Unsupported(f"{page}.md shows no {unused}, which blocks/{page}.py has")
    if twice := sorted(name for name, count in names.items() if count > 1):
        raise Unsupported(f"{page}.md shows {twice} more than once")
    if len(MARK.findall(text)) != 2 * names.total():
        raise Unsupported(f"{page}.md: a mark of numbers is without its other half, or misspelt")
    text = BLOCK.sub(lambda m: f"{m[1]}{numbers[m[2]]}\n{m[4]}", text)
    return INLINE.sub(lambda m: f"{m[1]}{numbers[m[2]]}{m[4]}", text)


def outdated(folder: Path = PAGES) -> dict[Path, str]:
    """Return the pages that differ from the tables, each with the text that it should have."""
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))}
    renewed = {path: filled(path.stem, text) for path, text in pages.items()}
    return {path: text for path, text in renewed.items() if text != pages[path]}


def write(pages: dict[Path, str]) -> None:
    """Write pages: each beside its place first, then all of them moved there."""
    begun = {path: path.with_suffix(".md.new") for path in pages}
    try:
        for path, text in pages.items():
            begun[path].write_text(text, encoding="utf-8")
        for path, new in begun.items():
            new.replace(path)
    finally:
        for new in begun.values():
            new.unlink(missing_ok=True)


def main(arguments: list[str]) -> str:
    """Renew the pages, or with `--check` say which differ; returns what was done."""
    if set(arguments) - {"--check"}:
        raise Unsupported("usage: python docs/renew.py [--check]")
    found = outdated()
    names = ", ".join(path.name for path in found)
    if arguments and found:
        raise Unsupported(f"docs: {names} differ from the tables. To renew them: make docs")
    write(found)
    return f"docs: {names} renewed" if found else "docs: every number is what the tables give"


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]))
    except (Unsupported, OSError) as error:
        sys.exit(f"error: {error}")
