"""Archives and downloads whose content is not trusted: whole and proven, or not there at all."""

import hashlib
import io
import random
import stat
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clearset.sources import archives, packed
from clearset.store import checksums
from clearset.store.errors import ClearsetError

BODY = np.random.default_rng(0).bytes(2**22)  # does not compress, as images hardly do


def zipped(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return path


def content(folder: Path) -> dict[str, bytes]:
    """Return what lies below a folder, hidden files too."""
    files = (path for path in sorted(folder.rglob("*")) if not path.is_dir())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def refused(archive: Path, reason: str) -> None:
    """Unpacking fails for the reason, and nothing is left in the target or beside it."""
    place = archive.parent / "unpacked"
    place.mkdir()
    with pytest.raises(ClearsetError, match=reason) as caught:
        archives.unpack(archive, place / "target")
    assert str(archive) in str(caught.value)
    assert list(place.iterdir()) == []


def test_unpacked_files_are_those_packed(tmp_path: Path) -> None:
    members = {"a b/c.png": BODY, "ü.png": b"", "top.txt": b"text", "deep/er/x": b"1"}
    archives.unpack(zipped(tmp_path / "a.zip", members), tmp_path / "target")
    assert content(tmp_path / "target") == members


def test_unpacking_replaces_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "stale").touch()
    archives.unpack(zipped(tmp_path / "a.zip", {"new": b"1"}), tmp_path / "target")
    assert content(tmp_path / "target") == {"new": b"1"}


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/../../x",
        "/abs",
        "//host/x",
        "C:\\x",
        "C:/x",
        "a\\..\\x",
        "line\nbreak",
        "escape\x1b[2J",
        ".",
    ],
)
def test_a_name_that_could_leave_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    assert not checksums.is_safe(name)
    archive = zipped(tmp_path / "a.zip", {"good": b"1", name: b"2"})
    refused(archive, "holds unsafe names: .*Nothing was unpacked")


@pytest.mark.parametrize("name", ["a", "a/b c.png", "ü/é.png", "..a", "a..b/c...", "-rf"])
def test_a_name_below_the_folder_is_safe(name: str) -> None:
    assert checksums.is_safe(name)


def test_a_control_character_does_not_reach_the_terminal(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"\x1b[2J": b"1"})
    refused(archive, r"'\\x1b\[2J'")


def test_a_symlink_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("link/x", "1")
    refused(tmp_path / "a.zip", "holds links: 'link'")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("a.png", "a.png"), ("a.png", "A.PNG"), ("ß/x", "SS/x")])
def test_names_that_could_be_one_file_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(name, str(number))
    refused(tmp_path / "a.zip", "holds names twice: ")


def test_two_spellings_of_one_path_are_refused(tmp_path: Path) -> None:
    refused(zipped(tmp_path / "a.zip", {"a/b": b"1", "a//b": b"2"}), "holds names twice: 'a/b'")


def test_a_file_that_is_also_a_folder_is_refused(tmp_path: Path) -> None:
    refused(
        zipped(tmp_path / "a.zip", {"a": b"1", "a/b": b"2"}), "files that are folders, too: 'a'"
    )


def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    zeros = bytes(2**20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(packed.RATIO + 1):
            archive.writestr(f"{number}", zeros)
    assert (tmp_path / "a.zip").stat().st_size < 2**20
    refused(tmp_path / "a.zip", f"would unpack to {(packed.RATIO + 1) * 2**20} bytes: too many")


def test_a_member_larger_than_it_says_is_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"a": bytes(5000)})
    data = archive.read_bytes()
    size = (5000).to_bytes(4, "little")
    assert data.count(size) == 2
    archive.write_bytes(data.replace(size, (10).to_bytes(4, "little")))
    refused(archive, "can not be unpacked: Bad CRC-32 for file 'a'")


@pytest.mark.parametrize("share", [0, 0.3, 0.9, 0.999])
def test_a_truncated_zip_is_refused(tmp_path: Path, share: float) -> None:
    archive = zipped(tmp_path / "a.zip", {"a": BODY, "b": BODY})
    archive.write_bytes(archive.read_bytes()[: int(share * archive.stat().st_size)])
    refused(archive, "can not be unpacked: File is not a zip file. Get it again")


@pytest.mark.parametrize(
    "compression",
    [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA],
)
def test_a_corrupt_member_is_refused(tmp_path: Path, compression: int) -> None:
    body = np.random.default_rng(0).integers(0, 9, 20_000, np.uint8).tobytes()
    archive = zipped(tmp_path / "a.zip", {"good": b"1", "bad": body}, compression)
    data = bytearray(archive.read_bytes())
    data[3000:3010] = b"\xff" * 10
    archive.write_bytes(data)
    refused(archive, "can not be unpacked: .* Get it again")


def flagged(archive: Path, bit: int) -> Path:
    """Set a bit of the general purpose flags of a zip's one member."""
    data = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset + bit // 8] |= 1 << bit % 8
    archive.write_bytes(data)
    return archive


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    archive = flagged(zipped(tmp_path / "a.zip", {"secret": b"1"}), 0)
    refused(archive, "'secret'.* is encrypted, password required")


def test_a_name_in_no_known_encoding_is_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"name": b"1"})
    archive.write_bytes(archive.read_bytes().replace(b"name", b"\xff\xfe\xfd\xfc"))
    refused(flagged(archive, 11), "can not be unpacked: .*decode")


class Site(ThreadingHTTPServer):
    """A file server on the loopback that cuts its first `cuts` answers half-way."""

    cuts = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.ranges: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_port}/data.zip"


class Visit(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.ranges.append(self.headers["Range"])
        if self.path != "/data.zip":
            self.send_error(404)
            return
        start = int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(BODY) - start))
        self.send_header("Content-Range", f"bytes {start}-{len(BODY) - 1}/{len(BODY)}")
        self.end_headers()
        cut = self.server.cuts > 0
        self.server.cuts -= cut
        self.wfile.write(BODY[start : (start + len(BODY)) // 2 if cut else len(BODY)])

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(random, "uniform", lambda *_: 0.0)  # how long gdown waits to try again
    with Site() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def test_a_proven_download_arrives_alone(site: Site, tmp_path: Path) -> None:
    archives.download(site.url, digest(BODY), tmp_path / "new" / "a.zip")
    assert content(tmp_path) == {"new/a.zip": BODY}


def test_a_download_of_other_bytes_is_deleted(site: Site, tmp_path: Path) -> None:
    wanted = digest(b"what was published")
    with pytest.raises(ClearsetError, match=f"{site.url}: {len(BODY)} bytes came") as caught:
        archives.download(site.url, wanted, tmp_path / "a.zip")
    assert digest(BODY) in str(caught.value)
    assert wanted in str(caught.value)
    assert content(tmp_path) == {}


def test_a_bad_download_leaves_the_one_before(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"before")
    with pytest.raises(ClearsetError, match="was expected; they were deleted"):
        archives.download(site.url, digest(b""), tmp_path / "a.zip")
    assert content(tmp_path) == {"a.zip": b"before"}


def test_a_missing_page_is_an_error_that_names_it(site: Site, tmp_path: Path) -> None:
    url = site.url.replace("data", "gone")
    with pytest.raises(ClearsetError, match=f"^{url}: 404 .*Not Found"):
        archives.download(url, digest(BODY), tmp_path / "a.zip")
    assert content(tmp_path) == {}


def test_no_answer_is_an_error_that_names_the_address(site: Site, tmp_path: Path) -> None:
    site.shutdown()
    site.server_close()
    with pytest.raises(ClearsetError, match=f"^{site.url}: .*refused"):
        archives.download(site.url, digest(BODY), tmp_path / "a.zip")
    assert content(tmp_path) == {}


def test_an_interrupted_download_is_resumed_by_the_next_call(site: Site, tmp_path: Path) -> None:
    site.cuts = 3  # once, and at each of the two further attempts of the first call
    with pytest.raises(ClearsetError, match=f"received {7 * 2**19} bytes but the server"):
        archives.download(site.url, digest(BODY), tmp_path / "a.zip")
    assert list(content(tmp_path).values()) == [BODY[: 7 * 2**19]]
    assert not (tmp_path / "a.zip").exists()
    site.ranges.clear()
    archives.download(site.url, digest(BODY), tmp_path / "a.zip")
    assert f"bytes={7 * 2**19}-" in site.ranges
    assert content(tmp_path) == {"a.zip": BODY}


def test_a_short_interruption_is_mended_within_the_call(site: Site, tmp_path: Path) -> None:
    site.cuts = 1
    archives.download(site.url, digest(BODY), tmp_path / "a.zip")
    assert site.ranges == [None, f"bytes={2**21}-"]
    assert content(tmp_path) == {"a.zip": BODY}


def test_sha256_is_the_published_one_of_abc(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert checksums.sha256(tmp_path / "a").startswith("ba7816bf8f01cfea414140de5dae2223")


def test_checksums_keep_spaces_in_names(tmp_path: Path) -> None:
    listing = tmp_path / "SHA256SUMS"
    listing.write_text(f"{'0' * 64}  RAVIR Dataset/a b.png\n{'1' * 64} *binary  é.png\n", "utf-8")
    assert archives.read_checksums(listing) == {
        "RAVIR Dataset/a b.png": "0" * 64,
        "binary  é.png": "1" * 64,
    }


def test_prove_is_silent_about_the_published_bytes_and_files_more(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", {"a b/c": BODY, "more": b"1"})
    archives.unpack(tmp_path / "a.zip", tmp_path / "target")
    archives.prove(tmp_path / "target", {"a b/c": digest(BODY)})


def test_prove_names_missing_and_changed_files(tmp_path: Path) -> None:
    for name in ("good", "changed"):
        (tmp_path / name).write_bytes(name.encode())
    checksums = {"good": digest(b"good"), "changed": digest(b"other"), "gone": digest(b"")}
    expected = r"of 3 files 1 missing \(gone\) and 1 with other bytes \(changed\)$"
    with pytest.raises(ClearsetError, match=expected) as caught:
        archives.prove(tmp_path, checksums)
    assert str(caught.value).startswith(f"{tmp_path} is not the published dataset")


def test_prove_does_not_take_a_folder_for_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(ClearsetError, match=r"1 missing \(a\)$"):
        archives.prove(tmp_path, {"a": digest(b"")})


def test_names_parted_by_backslashes_are_folders(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"images\\1.png": b"1", "images\\": b"", "readme": b"2"})
    archives.unpack(archive, tmp_path / "unpacked")
    assert (tmp_path / "unpacked/images/1.png").read_bytes() == b"1"


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tgz", ".tar.xz"])
def test_a_tar_is_unpacked_too(tmp_path: Path, suffix: str) -> None:
    archive = tarred(tmp_path / f"a{suffix}", {"images/1.png": b"1", "readme": b"2"})
    archives.unpack(archive, tmp_path / "unpacked")
    assert (tmp_path / "unpacked/images/1.png").read_bytes() == b"1"
    assert (tmp_path / "unpacked/readme").read_bytes() == b"2"


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ({"name": "../out"}, "unsafe names"),
        ({"name": "/out"}, "unsafe names"),
        ({"name": "in", "type": tarfile.SYMTYPE, "linkname": "../secret"}, "links"),
        ({"name": "in", "type": tarfile.LNKTYPE, "linkname": "/etc/hosts"}, "links"),
        ({"name": "in", "type": tarfile.FIFOTYPE}, "devices or pipes"),
        ({"name": "GOOD"}, "names twice"),
    ],
)
def test_a_hostile_tar_is_refused(tmp_path: Path, member: dict[str, Any], reason: str) -> None:
    archive = tarred(tmp_path / "a.tar", {"good": b"1"}, [member])
    refused(archive, f"holds {reason}: .*Nothing was unpacked")


def tarred(path: Path, files: dict[str, bytes], others: Sequence[dict[str, Any]] = ()) -> Path:
    """Return a tar of files, and of members of other kinds."""
    mode = {".gz": "w:gz", ".tgz": "w:gz", ".xz": "w:xz"}.get(path.suffix, "w")
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for options in others:
            member = tarfile.TarInfo(options["name"])
            member.type = options.get("type", tarfile.REGTYPE)
            member.linkname = options.get("linkname", "")
            archive.addfile(member, io.BytesIO())
    return path
