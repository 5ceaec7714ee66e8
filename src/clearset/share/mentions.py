"""Lists of a source that name its images: which of them name images that a release has not."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

TEXT = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".xml", ".yaml", ".yml", ".lst", ""}
MOST = 2**26  # bytes of a list that is read
PARTS = re.compile(r"""["',;\t\r\n|<>\[\]{}=/\\]+""")


def named(text: str, places: Iterable[str]) -> list[str]:
    """Return which images a list names: by file name anywhere, or by stem alone in a line."""
    cells = {cell.strip() for cell in PARTS.split(text)}
    words = cells | set(text.split())
    words |= {PurePosixPath(word).name for word in text.split() if "/" in word}
    lines = {line.strip().rpartition("/")[2] for line in text.splitlines()}
    return [
        place
        for place in places
        if PurePosixPath(place).name in words or PurePosixPath(place).stem in lines
    ]
