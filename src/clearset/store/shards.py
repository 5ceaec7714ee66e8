"""Records by key, in few files: what was computed of single images, kept for the next time.

A folder of shards, `a3.npz` and so on: each holds the records whose keys begin with its name,
sorted by key, so that one record more changes one file, and that the same records are the same
bytes. A record is a row of fixed length, and any number of details. Beside them lies a journal
while records come in: it grows at its end, and what is in it after a kill is not lost.
"""

import json
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from clearset.store import layout

KEY = "S64"  # a sha256 in hex
INDEX = np.dtype([("key", KEY), ("crc", "<u4"), ("details", "<i8")])
MOST = 2048  # records of a shard; where there are more, names have a digit more
UNREADABLE = (  # what NumPy and zipfile raise of files that are none of theirs
    *(OSError, ValueError, LookupError, EOFError, RuntimeError, AttributeError),
    zipfile.BadZipFile,
)
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Records:
    """Some records: their keys, a row each, and how many details each has, all in a row."""

    keys: Array  # (n,), bytes of 64 hex digits
    rows: Array  # (n,), structured
    counts: Array  # (n,), of the details of each
    details: Array  # (sum of counts,), structured

    def __len__(self) -> int:
        return len(self.keys)

    def chosen(self, places: Array) -> "Records":
        """Return the records at these places."""
        ends = np.cumsum(self.counts)
        parts = [self.details[ends[n] - self.counts[n] : ends[n]] for n in places]
        details = np.concatenate([self.details[:0], *parts])
        return Records(self.keys[places], self.rows[places], self.counts[places], details)


@dataclass(frozen=True)
class Shards:
    """A folder of records whose rows and details are of two types."""

    folder: Path
    row: np.dtype[Any]
    detail: np.dtype[Any]

    def names(self) -> list[str]:
        """Return the names of the shards, in order."""
        return sorted(path.stem for path in self.folder.glob("*.npz"))

    def read(self, name: str) -> Records | None:
        """Return a shard; None where it is none, or of other types: then it is made anew."""
        try:
            with (self.folder / f"{name}.npz").open("rb") as file:
                parts = np.load(file, allow_pickle=False)
                records = Records(*(parts[part] for part in Records.__annotations__))
                types = records.rows.dtype == self.row and records.details.dtype == self.detail
        except UNREADABLE:
            return None
        return records if types else None

    def _keys(self, name: str) -> list[bytes]:
        """Return the keys of a shard, and nothing else of it; none where it is no shard."""
        try:
            with (self.folder / f"{name}.npz").open("rb") as file:
                keys: list[bytes] = np.load(file, allow_pickle=False)["keys"].tolist()
        except UNREADABLE:
            return []
        return keys

    def each(self) -> Iterator[Records]:
        """Yield the records of each shard that can be read, one by one."""
        yield from (records for name in self.names() if (records := self.read(name)) is not None)

    def keys(self) -> set[bytes]:
        """Return the keys of all records, those of the journal too."""
        known = {key for records in self.each() for key in records.keys.tolist()}
        return known | set(self._index(proven=True)["key"].tolist())

    @contextmanager
    def journal(self) -> Iterator[Callable[[Records], None]]:
        """Yield what adds records to the journal, at whose end they are until they are settled."""
        self.folder.mkdir(parents=True, exist_ok=True)
        whole = self._index(proven=True)
        self._path("types").write_text(self._types(), encoding="utf-8")
        sizes = {
            "rows": len(whole) * self.row.itemsize,
            "details": int(whole["details"].sum()) * self.detail.itemsize,
            "index": whole.nbytes,
        }
        with ExitStack() as stack:
            files = {p: stack.enter_context(self._path(p).open("ab")) for p in sizes}
            for part, size in sizes.items():
                files[part].truncate(size)
            yield partial(_add, files)

    def settle(self, wanted: Collection[bytes], known: Collection[bytes]) -> None:
        """Bring just the wanted records, as far as they are there, into shards; end the journal.

        `known` are the `keys` before what is in the journal now. Each shard is replaced whole, and
        after an error or a kill all records are still there.
        """
        there = {name: self._keys(name) for name in self.names()}
        fresh = set(self._index()["key"].tolist())
        keys = np.array(sorted(set(wanted) & (fresh | set(known))), KEY)
        digits = 0
        while len(keys) > MOST * 16**digits:
            digits += 1
        groups: dict[str, list[bytes]] = {}
        for key in keys.tolist():
            groups.setdefault(key[:digits].decode() or "all", []).append(key)
        if any(len(name.replace("all", "")) != digits for name in self.names()):
            self._unshelve(set(keys.tolist()))
        index = self._index()
        places = {key: number for number, key in enumerate(index["key"].tolist())}
        for name, own in groups.items():
            if there.get(name) != own or not fresh.isdisjoint(own):
                self._settle(name, own, index, places)
        for name in set(self.names()) - set(groups):
            layout.remove(self.folder / f"{name}.npz")
        for unfinished in self.folder.glob(".*.npz.incomplete"):  # of a run that was killed
            layout.remove(unfinished)
        self._clear()

    def _settle(self, name: str, own: list[bytes], index: Array, places: dict[bytes, int]) -> None:
        """Write a shard of just its own keys, from what it had and what the journal has."""
        before = self.read(name)
        fresh = self._of_journal(index, np.array([places[k] for k in own if k in places], np.intp))
        every = fresh if before is None else _joined(before, fresh)
        at = {key: number for number, key in enumerate(every.keys.tolist())}
        whole = every.chosen(np.array([at[key] for key in own], np.intp))
        with layout.replacing(self.folder / f"{name}.npz") as place, place.open("wb") as file:
            np.savez(file, allow_pickle=False, **vars(whole))

    def _unshelve(self, wanted: set[bytes]) -> None:
        """Add what the shards hold of wanted records to the journal: their names will change."""
        known = set(self._index()["key"].tolist())
        with self.journal() as add:
            for records in self.each():
                keys = enumerate(records.keys.tolist())
                places = [n for n, key in keys if key in wanted and key not in known]
                add(records.chosen(np.array(places, np.intp)))

    def _path(self, part: str) -> Path:
        return self.folder / f"incoming.{part}"

    def _types(self) -> str:
        return json.dumps([str(self.row.descr), str(self.detail.descr)])

    def _clear(self) -> None:
        for part in ("index", "rows", "details", "types"):
            layout.remove(self._path(part))

    def _index(self, proven: bool = False) -> Array:
        """Return the journal's index, up to the first record that is not there as a whole.

        `proven`: nor what it was, as after a loss of power.
        """
        try:
            if self._path("types").read_text(encoding="utf-8") != self._types():
                return np.empty(0, INDEX)
            bare = self._path("index").stat().st_size // INDEX.itemsize
            index = np.fromfile(self._path("index"), INDEX, count=bare)
            sizes = [self._path(part).stat().st_size for part in ("rows", "details")]
        except (OSError, UnicodeDecodeError):
            return np.empty(0, INDEX)
        there = np.arange(1, len(index) + 1) * self.row.itemsize <= sizes[0]
        there &= np.cumsum(index["details"]) * self.detail.itemsize <= sizes[1]
        index = index[: int(np.logical_and.accumulate(there).sum())]
        for first in range(0, len(index), MOST if proven else len(index) or 1):
            places = np.arange(first, min(first + MOST, len(index)))
            wrong = _sums(self._of_journal(index, places)) != index["crc"][places] if proven else []
            if np.any(wrong):
                return index[: first + int(np.argmax(wrong))]
        return index

    def _of_journal(self, index: Array, places: Array) -> Records:
        """Return records of the journal, by their places in its index."""
        ends = np.cumsum(index["details"])
        rows = self._mapped("rows", self.row, len(index))
        details = self._mapped("details", self.detail, int(ends[-1]) if len(ends) else 0)
        counts = index["details"][places]
        parts = [details[ends[n] - index["details"][n] : ends[n]] for n in places]
        whole = np.concatenate([np.empty(0, self.detail), *parts])
        return Records(index["key"][places], np.array(rows[places]), counts, whole)

    def _mapped(self, part: str, kind: np.dtype[Any], count: int) -> Array:
        if not count:
            return np.empty(0, kind)
        return np.memmap(self._path(part), kind, "r", shape=(count,))


def _add(files: Mapping[str, IO[bytes]], records: Records) -> None:
    """Write records at the journal's end, the index last: it says which are whole."""
    index = np.zeros(len(records), INDEX)
    index["key"], index["details"], index["crc"] = records.keys, records.counts, _sums(records)
    for part, values in (("rows", records.rows), ("details", records.details), ("index", index)):
        files[part].write(np.ascontiguousarray(values).tobytes())
        files[part].flush()


def _sums(records: Records) -> Array:
    """Return a checksum of each record."""
    ends = np.cumsum(records.counts)
    sums = np.empty(len(records), "<u4")
    for number, end in enumerate(ends):
        own = records.details[end - records.counts[number] : end]
        sums[number] = zlib.crc32(own.tobytes(), zlib.crc32(records.rows[number].tobytes()))
    return sums


def _joined(first: Records, second: Records) -> Records:
    parts = zip(vars(first).values(), vars(second).values(), strict=True)
    return Records(*(np.concatenate(part) for part in parts))
