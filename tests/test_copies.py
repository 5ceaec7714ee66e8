"""The same file twice: its bytes are one's own, but for what is linked on purpose."""

import errno
import os
from pathlib import Path

import pytest

from clearset.store import copies


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "source.bin"
    file.write_bytes(os.urandom(70_000))
    file.chmod(0o444)
    return file


def test_a_copy_is_another_file_of_the_same_bytes(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "a/b/copy.bin"
    copies.copy(source, target)
    before = source.read_bytes()
    assert target.read_bytes() == before
    target.write_bytes(b"another")
    assert source.read_bytes() == before


def test_a_link_takes_no_room(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "a/link.bin"
    copies.link(source, target)
    assert target.read_bytes() == source.read_bytes()
    shared = target.stat().st_ino == source.stat().st_ino
    assert shared or copies._cloned(source, tmp_path / "clone.bin")


def test_where_nothing_can_be_linked_it_is_copied(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "another disk")

    monkeypatch.setattr(os, "link", refuse)
    copies.link(source, tmp_path / "link.bin")
    assert (tmp_path / "link.bin").read_bytes() == source.read_bytes()
    assert (tmp_path / "link.bin").stat().st_ino != source.stat().st_ino


def test_a_link_to_a_link_is_one_to_its_file(source: Path, tmp_path: Path) -> None:
    (tmp_path / "soft").symlink_to(source)
    copies.link(tmp_path / "soft", tmp_path / "hard")
    assert not (tmp_path / "hard").is_symlink()
    assert (tmp_path / "hard").read_bytes() == source.read_bytes()


def test_a_source_that_is_not_there_leaves_nothing(tmp_path: Path) -> None:
    for function in (copies.copy, copies.link):
        with pytest.raises(FileNotFoundError):
            function(tmp_path / "none", tmp_path / "target")
        assert not (tmp_path / "target").exists()
