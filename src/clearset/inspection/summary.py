"""What a check came to, in a few lines: for a terminal, and escaped for a notebook."""

import html as web
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from clearset.config.schema import Action
from clearset.store.cells import visible

NEXT = 'next: .table, .gallery("blur"), .compare(image_id), .release("cleaned/")'


@dataclass(frozen=True)
class Numbers:
    """How many images there are, of each decision, flagged by each rule, and not to be read."""

    images: int
    decisions: dict[str, int]
    rules: dict[str, int]
    unreadable: int


def numbers(decisions: pd.DataFrame, flags: pd.DataFrame, images: pd.DataFrame) -> Numbers:
    """Return the numbers of the tables of these names."""
    said, rules = decisions["decision"].value_counts(), flags["rule"].value_counts()
    return Numbers(
        len(images),
        {action.value: int(said.get(action.value, 0)) for action in Action},
        {str(rule): int(rules[rule]) for rule in sorted(rules.index, key=lambda r: (-rules[r], r))},
        int((images["error"] != "").sum()),
    )


def headline(found: Numbers) -> str:
    """Return the first line: what is to become of how many images."""
    fates = ", ".join(f"{count} {decision}" for decision, count in found.decisions.items())
    unread = f"; {found.unreadable} can not be read" if found.unreadable else ""
    return f"{found.images} images: {fates}{unread}"


def lines(found: Numbers, page: str) -> Iterator[str]:
    """Yield the lines for a terminal."""
    yield headline(found)
    flagged = ", ".join(f"{rule} {count}" for rule, count in found.rules.items())
    yield visible(f"flagged: {flagged or 'by no rule'}")
    if page:
        yield visible(f"page: {page}")
    yield NEXT


def html(found: Numbers, page: str) -> str:
    """Return a short table for a notebook; every text in it is escaped."""
    rows = "".join(
        f"<tr><td>{web.escape(rule)}</td><td>{count}</td></tr>"
        for rule, count in found.rules.items()
    )
    place = f"<p>page: <code>{web.escape(page)}</code></p>" if page else ""
    return (
        f"<div><p><b>{web.escape(headline(found))}</b></p><table><thead><tr><th>rule</th>"
        f"<th>images flagged</th></tr></thead><tbody>{rows}</tbody></table>{place}"
        f"<p>{web.escape(NEXT)}</p></div>"
    )
