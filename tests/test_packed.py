"""Archives that mean harm: each is refused by its own name and its member's, nothing unpacked."""

import bz2
import errno
import gzip
import io
import lzma
import os
import random
import shutil
import stat
import struct
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clearset.sources import archives, packed
from clearset.store.errors import ClearsetError
from test_archives import content, refused, tarred, zipped

OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def apart(folder: Path) -> Path:
    """Return a new folder for an archive: `refused` makes one beside it."""
    folder.mkdir()
    return folder


def entry(**facts: Any) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("placeholder")
    for name, value in facts.items():
        setattr(info, name, value)
    return info


def zip_of(path: Path, *infos: zipfile.ZipInfo) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for info in (zipfile.ZipInfo("good"), *infos):
            archive.writestr(info, "1")
    return path


def device(kind: int) -> zipfile.ZipInfo:
    return entry(filename="odd", external_attr=(kind | 0o600) << 16)


@pytest.mark.parametrize(
    ("info", "said"),
    [
        (entry(filename=""), "members without a name: ''"),
        (entry(filename="/"), "members without a name: '/'"),
        (entry(filename="a/.../b"), r"names of dots or spaces only: 'a/\.\.\./b'"),
        (entry(filename="a/ /b"), "names of dots or spaces only: 'a/ /b'"),
        (entry(filename="\u3000"), "names of dots or spaces only: '.u3000'"),
        (entry(filename="x" * 256), "names too long for a file system: 'xxx"),
        (entry(filename="x/" * 600 + "y"), "names too long for a file system: 'x/x"),
        (entry(filename="é" * 128), "names too long for a file system"),
        (entry(filename="a\\..\\..\\x"), r"unsafe names: 'a/\.\./\.\./x'"),
        (entry(filename="good/x"), "files that are folders, too: 'good'"),
        (entry(filename="Good/"), "files that are folders, too: 'good'"),
        (device(stat.S_IFCHR), "devices or pipes: 'odd'"),
        (device(stat.S_IFIFO), "devices or pipes: 'odd'"),
        (device(stat.S_IFLNK), "links: 'odd'"),
    ],
)
def test_a_zip_is_refused_by_its_member(tmp_path: Path, info: zipfile.ZipInfo, said: str) -> None:
    refused(zip_of(tmp_path / "a.zip", info), f"a.zip holds {said}.*Nothing was unpacked")


def test_what_stands_behind_a_nul_is_part_of_a_name(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"a.pngXzz": b"1"})
    archive.write_bytes(archive.read_bytes().replace(b"a.pngXzz", b"a.png\0zz"))
    refused(archive, r"holds unsafe names: 'a.png\\x00zz'")


@pytest.mark.parametrize(
    "names", [("é.png", "e\u0301.png"), ("É", "e\u0301"), ("ﬁ/a", "FI/a"), ("a/B/c", "A/b/C")]
)
def test_twins_by_case_and_by_accents_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    refused(zipped(tmp_path / "a.zip", dict.fromkeys(names, b"1")), "holds names twice: ")
    refused(
        tarred(apart(tmp_path / "b") / "a.tar", dict.fromkeys(names, b"1")), "holds names twice: "
    )


def test_more_members_than_a_machine_lists_are_refused_before_they_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = {f"{number}": b"" for number in range(30)}
    zip_file, tar_file = (
        zipped(tmp_path / "a.zip", many),
        tarred(apart(tmp_path / "b") / "a.tgz", many),
    )
    assert packed.entries(zip_file) == 30
    monkeypatch.setattr(packed, "MOST", 30)
    archives.unpack(zip_file, tmp_path / "zip")
    archives.unpack(tar_file, tmp_path / "tar")
    assert len(content(tmp_path / "zip")) == len(content(tmp_path / "tar")) == 30
    monkeypatch.setattr(packed, "MOST", 29)
    monkeypatch.setattr(zipfile, "ZipFile", pytest.fail)
    refused(zip_file, "holds more than 29 members. Nothing was unpacked")
    refused(tar_file, "holds more than 29 members. Nothing was unpacked")


def test_members_of_a_zip_of_64_bits_are_counted_too(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {f"{number}": b"" for number in range(7)})
    data = archive.read_bytes()
    place = data.rindex(b"PK\5\6")
    size, offset = struct.unpack_from("<II", data, place + 12)
    wide = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 7, 7, size, offset)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, place, 1)
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    archive.write_bytes(data[:place] + wide + locator + end)
    assert len(zipfile.ZipFile(archive).infolist()) == packed.entries(archive) == 7


def test_a_stream_of_zeros_is_refused_long_before_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "LIMIT", 2**24)
    member = tarfile.TarInfo("zeros")
    member.size = 2**40  # says so, at least
    for suffix, opener in OPENERS.items():
        archive = apart(tmp_path / suffix[1:]) / f"a.tar{suffix}"
        with opener(archive, "wb") as file:
            file.write(member.tobuf())
            for _ in range(32):
                file.write(bytes(2**20))
        refused(archive, f"would unpack to {2**40} bytes: too many")


def test_headers_that_grow_beyond_all_measure_are_refused(tmp_path: Path) -> None:
    for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XGLTYPE):
        member = tarfile.TarInfo("header")
        member.type, member.size = kind, 2**30
        archive = apart(tmp_path / kind.decode()) / "a.tar.gz"
        with gzip.open(archive, "wb") as file:
            file.write(member.tobuf() + bytes(2**16))
        refused(archive, f"can not be unpacked: a header of {2**30} bytes")


def pax(path: Path, headers: dict[str, str]) -> Path:
    member = tarfile.TarInfo("innocent.png")
    member.size, member.pax_headers = 3, headers
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member, io.BytesIO(b"abc"))
    return path


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"path": "../../out"}, r"holds unsafe names: '\.\./\.\./out'"),
        ({"path": "/etc/x"}, "holds unsafe names: '/etc/x'"),
        ({"path": "C:/x"}, "holds unsafe names: 'C:/x'"),
        ({"path": ""}, "holds members without a name"),
        ({"size": "99999999999999"}, "would unpack to 99999999999999 bytes"),
        ({"size": "-512"}, "(holds a size below 0|can not be unpacked)"),
        ({"size": "4"}, "can not be unpacked"),
        ({"GNU.sparse.realsize": "5", "GNU.sparse.map": "0,1"}, "holds sparse files: 'innocent"),
    ],
)
def test_a_header_that_overrides_another_is_judged_by_what_it_says(
    tmp_path: Path, headers: dict[str, str], said: str
) -> None:
    started = time.monotonic()
    archive = pax(tmp_path / "a.tar", headers)
    if headers.get("size") == "4":  # data that are not there
        archive.write_bytes(archive.read_bytes()[: 512 * 3 + 3])
    refused(archive, said)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"D", b"M", b"V"]
)
def test_a_device_in_a_tar_is_refused(tmp_path: Path, kind: bytes) -> None:
    archive = tarred(tmp_path / "a.tar", {"good": b"1"}, [{"name": "odd", "type": kind}])
    try:
        archives.unpack(archive, tmp_path / "target")
    except ClearsetError as error:
        assert "devices or pipes: 'odd'" in str(error)
    else:
        assert content(tmp_path / "target")["good"] == b"1"
        assert not (tmp_path / "target" / "odd").is_fifo()


def test_a_tar_that_breaks_off_is_no_shorter_tar(tmp_path: Path) -> None:
    archive = tarred(tmp_path / "a.tar", dict.fromkeys("abc", b"1" * 600))
    data = bytearray(archive.read_bytes())
    data[3 * 512 : 3 * 512 + 20] = b"\xff" * 20
    archive.write_bytes(data)
    refused(archive, "can not be unpacked: what follows 1 members is none. Get it again")
    short = apart(tmp_path / "again") / "a.tar"
    short.write_bytes(data[: 2 * 512])
    refused(short, "can not be unpacked")


def test_archives_in_archives_stay_as_they_are(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", {"../x": b"1"}).read_bytes()
    archives.unpack(zipped(tmp_path / "a.zip", {"inner.zip": inner}), tmp_path / "target")
    assert content(tmp_path / "target") == {"inner.zip": inner}


def test_folders_of_an_archive_are_no_members_to_refuse(tmp_path: Path) -> None:
    folder = {"name": "./images", "type": tarfile.DIRTYPE}
    archive = tarred(tmp_path / "a.tar", {"./images/1.png": b"1"}, [{"name": "."} | folder])
    archives.unpack(archive, tmp_path / "target")
    assert content(tmp_path / "target") == {"images/1.png": b"1"}


def test_a_full_disk_is_not_the_archives_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    archive = zipped(tmp_path / "a.zip", {"a": b"1"})
    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        archives.unpack(archive, tmp_path / "target")
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ".tar.xz", ".tar.bz2"])
def test_damage_anywhere_is_a_refusal_or_no_harm(tmp_path: Path, suffix: str) -> None:
    files = {"a/1.png": b"1" * 700, "b.txt": b"2"}
    made = zipped if suffix == ".zip" else tarred
    whole = made(tmp_path / f"whole{suffix}", files).read_bytes()
    dice = random.Random(suffix)  # noqa: S311
    for number in range(150):
        data = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        archive = tmp_path / f"{number}{suffix}"
        archive.write_bytes(data[: dice.choice([len(data), dice.randrange(len(data))])])
        try:
            archives.unpack(archive, tmp_path / "target")
        except ClearsetError as error:
            assert str(archive) in str(error)
