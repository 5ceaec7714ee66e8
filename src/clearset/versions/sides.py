"""A recorded file and the one in its place now, set side by side by what kind of file it is."""

import tempfile
from pathlib import Path

from clearset.images import codec
from clearset.images.identity import identity
from clearset.store import tables
from clearset.store.columns import TABLES
from clearset.store.errors import ClearsetError
from clearset.versions import differences, record

BROKEN = (ClearsetError, ValueError, OSError)  # what a file of another kind than its name leads to


def compared(name: str, revision: str) -> list[str]:
    """Return how a file differs from a revision's beyond tolerance; no line where it does not.

    Tables by their declared columns, JSON by its values, pictures by their pixels, other text by
    its words and numbers, anything else by its bytes.
    """
    recorded, path = record.content(name, revision), Path(name)
    if recorded is None or not path.is_file():
        return ["not recorded, there now" if recorded is None else "recorded, not there now"]
    with tempfile.TemporaryDirectory(prefix="clearset-") as scratch:
        before = Path(scratch) / path.name
        before.write_bytes(recorded)
        try:
            return _compared(before, path)
        except BROKEN as error:
            return [f"other bytes, of which no more can be said: {' '.join(str(error).split())}"]


def _compared(before: Path, after: Path) -> list[str]:
    if after.suffix == ".csv" and after.stem in TABLES:
        return _tables(before, after)
    if after.suffix == ".json":
        return _objects(before, after)
    if after.suffix.lower() in codec.SUFFIXES:
        return _pictures(before, after)
    return differences.of_texts(*(p.read_text(encoding="utf-8") for p in (before, after)))


def _tables(before: Path, after: Path) -> list[str]:
    table = TABLES[after.stem]
    one, two = (tables.read(after.stem, path.parent) for path in (before, after))
    columns = [str(column) for column in one]
    tolerances = {column: table.tolerance(column) for column in columns}
    return differences.of_tables(one, two, table.key, tolerances)


def _objects(before: Path, after: Path) -> list[str]:
    one, two = tables.read_json(before), tables.read_json(after)
    if not isinstance(one, dict) or not isinstance(two, dict):
        raise ClearsetError("one of them is no JSON object")
    return differences.of_objects(one, two)


def _pictures(before: Path, after: Path) -> list[str]:
    if identity(before) == identity(after):
        return []
    return differences.of_pixels(codec.decode(before), codec.decode(after))
