"""Records by key: the same records are the same files, whatever came before; a kill loses none."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from clearset.store import shards
from clearset.store.shards import Records, Shards

ROW = np.dtype([("value", "<f8"), ("vector", "<i4", (5,))])
DETAIL = np.dtype([("bits", "u1", (4,))])


def key(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).hexdigest().encode()


def records(*numbers: int) -> Records:
    rows = np.zeros(len(numbers), ROW)
    rows["value"] = numbers
    rows["vector"] = np.array(numbers)[:, None] * np.arange(5) if numbers else 0
    counts = np.array([number % 3 for number in numbers], np.int64)
    details = np.zeros(counts.sum(), DETAIL)
    details["bits"] = np.repeat(np.array(numbers, np.uint8), counts)[:, None]
    return Records(np.array([key(n) for n in numbers], shards.KEY), rows, counts, details)


@pytest.fixture
def folder(tmp_path: Path) -> Shards:
    return Shards(tmp_path / "kept", ROW, DETAIL)


def keep(folder: Shards, *numbers: int) -> None:
    """Add those that are not there yet, and settle on these alone."""
    known = folder.keys()
    fresh = [number for number in numbers if key(number) not in known]
    with folder.journal() as add:
        for start in range(0, len(fresh), 7):
            add(records(*fresh[start : start + 7]))
    folder.settle([key(number) for number in numbers], known)


def content(folder: Shards) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.folder.iterdir()}


def held(folder: Shards) -> dict[bytes, tuple[float, list[int], list[int]]]:
    result = {}
    for shard in folder.each():
        for place, name in enumerate(shard.keys.tolist()):
            one = shard.chosen(np.array([place]))
            bits = one.details["bits"][:, 0].tolist()
            result[name] = (float(one.rows["value"][0]), one.rows["vector"][0].tolist(), bits)
    return result


def expected(*numbers: int) -> dict[bytes, tuple[float, list[int], list[int]]]:
    return {key(n): (float(n), (n * np.arange(5)).tolist(), [n % 256] * (n % 3)) for n in numbers}


def test_what_is_kept_is_what_was_added(folder: Shards) -> None:
    keep(folder, *range(40))
    assert held(folder) == expected(*range(40))
    assert folder.names() == ["all"]


@pytest.mark.parametrize("most", [1, 4, 512])
def test_the_same_records_are_the_same_files_whatever_came_before(
    folder: Shards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(shards, "MOST", most)
    for numbers in ([*range(50)], [*range(3)], [*range(2, 60)], [7], [*range(0, 90, 2)]):
        keep(folder, *numbers)
        anew = Shards(tmp_path / f"anew{len(numbers)}-{numbers[0]}", ROW, DETAIL)
        keep(anew, *reversed(numbers))
        assert content(folder) == content(anew)
        assert held(folder) == expected(*numbers)


def test_one_more_record_changes_one_file(folder: Shards, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "MOST", 8)
    keep(folder, *range(100))
    before = content(folder)
    assert len(before) == 16
    keep(folder, *range(101))
    after = content(folder)
    assert [name for name in after if after[name] != before.get(name)] == [
        f"{key(100)[:1].decode()}.npz"
    ]


def test_what_a_kill_leaves_in_the_journal_is_there_the_next_time(folder: Shards) -> None:
    with folder.journal() as add:
        add(records(1, 2, 3))
        add(records(4, 5))
    rows = folder.folder / "incoming.rows"
    rows.write_bytes(rows.read_bytes()[:-3])  # the last one was on its way
    assert folder.keys() == {key(number) for number in (1, 2, 3, 4)}
    keep(folder, *range(1, 9))
    assert held(folder) == expected(*range(1, 9))
    assert not list(folder.folder.glob("incoming.*"))


def test_a_record_that_is_not_what_was_written_is_made_anew(folder: Shards) -> None:
    with folder.journal() as add:
        add(records(1, 2, 3, 4))
    rows = folder.folder / "incoming.rows"
    damaged = bytearray(rows.read_bytes())
    damaged[2 * ROW.itemsize + 4] ^= 1
    rows.write_bytes(bytes(damaged))
    assert folder.keys() == {key(1), key(2)}


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "text"])
def test_a_shard_that_is_damaged_is_made_anew(folder: Shards, damage: str) -> None:
    keep(folder, *range(9))
    path = folder.folder / "all.npz"
    whole = content(folder)
    changed = bytearray(path.read_bytes())
    changed[len(changed) // 2] ^= 255
    path.write_bytes(
        {"cut": bytes(changed[:-99]), "flip": bytes(changed), "empty": b"", "text": b"no"}[damage]
    )
    assert not folder.keys()
    keep(folder, *range(9))
    assert content(folder) == whole


def test_records_of_other_types_are_made_anew(folder: Shards) -> None:
    keep(folder, *range(9))
    with folder.journal() as add:
        add(records(20))
    other = Shards(folder.folder, np.dtype([("value", "<f8")]), DETAIL)
    assert not other.keys()
    other.settle([key(1)], set())
    assert not list(folder.folder.iterdir())


def test_what_a_kill_leaves_of_a_shard_goes(folder: Shards) -> None:
    keep(folder, *range(5))
    (folder.folder / ".b.npz.incomplete").write_bytes(b"half of it")
    keep(folder, *range(6))
    assert list(content(folder)) == ["all.npz"]
