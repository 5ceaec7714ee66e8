"""The list of a source by which DVC tells whether it has changed: whole, and read once."""

from pathlib import Path

import pytest

from clearset.config.schema_fetch import Links
from clearset.sources import listing
from clearset.store import checksums


def test_the_list_has_every_file_and_a_reason_for_what_is_none(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.png").write_bytes(b"1")
    (source / "gone.png").symlink_to("nowhere")
    (source / "b\nc.png").write_bytes(b"2")
    lines = listing.write(source, Links.every, tmp_path / "list").read_text().splitlines()
    assert f"{checksums.sha256(source / 'a.png')}  a.png" in lines
    assert "a link to nowhere ('nowhere')  gone.png" in lines
    assert any(line.endswith("b\\nc.png") for line in lines)
    assert len(lines) == 3


def test_what_has_not_changed_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEARSET_WORKERS", "1")
    source, target = tmp_path / "source", tmp_path / "list"
    source.mkdir()
    for name in "ab":
        (source / name).write_bytes(name.encode())
    first = listing.write(source, Links.every, target).read_bytes()
    read: list[str] = []
    own = checksums.sha256

    def hashed(path: Path) -> str:
        read.append(path.name)
        return own(path)

    monkeypatch.setattr(checksums, "sha256", hashed)
    assert listing.write(source, Links.every, target).read_bytes() == first
    assert read == []
    (source / "b").write_bytes(b"other")
    assert listing.write(source, Links.every, target).read_bytes() != first
    assert read == ["b"]


def test_a_single_file_is_a_list_of_one(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"1")
    path = listing.write(tmp_path / "a.zip", Links.every, tmp_path / "list")
    assert path.read_text() == f"{checksums.sha256(tmp_path / 'a.zip')}  a.zip\n"
