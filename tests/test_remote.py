"""Sources and releases elsewhere: a real S3 protocol on loopback, by fsspec."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import yaml
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem  # type: ignore[import-untyped]

from clearset.commands import copy
from clearset.images import identity
from clearset.sources.places import MANIFEST
from clearset.store import checksums, remote
from clearset.store.errors import ClearsetError
from conftest import write_image
from stages import ROOT
from test_deposit import ABOUT, project_of

BUCKET = "s3://pictures"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    made = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    made.start()
    host, port = made.get_host_and_port()
    yield f"http://{host}:{port}"
    made.stop()


@pytest.fixture
def s3(server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "DEFAULT_REGION"):
        monkeypatch.setenv(f"AWS_{name}", "us-east-1")
    S3FileSystem.clear_instance_cache()
    system = S3FileSystem(use_listings_cache=False)
    if system.exists("pictures"):
        system.rm("pictures", recursive=True)
    system.mkdir("pictures")
    return system


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    for number in range(5):
        place = folder / ("a" if number % 2 else "b/c") / f"{number} é.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        write_image(place, picture(number))
    return folder


def picture(seed: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 255, (64, 64), np.uint8)


@pytest.fixture(scope="module")
def sample_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = project_of(tmp_path_factory, ABOUT)
    return next((folder / "data/release").glob("[!.]*"))


def upload(s3: Any, folder: Path, to: str = "pictures/set") -> None:
    for name in checksums.below(folder):
        s3.put_file(str(folder / name), f"{to}/{name}")


def tree(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in checksums.below(folder)}


def test_a_mirror_has_the_same_files(s3: Any, images: Path, tmp_path: Path) -> None:
    upload(s3, images)
    mirror = remote.mirrored(f"{BUCKET}/set", tmp_path / "mirror")
    assert tree(mirror) == tree(images)


def test_only_what_has_changed_is_brought_again(s3: Any, images: Path, tmp_path: Path) -> None:
    upload(s3, images)
    mirror = remote.mirrored(f"{BUCKET}/set", tmp_path / "mirror")
    for name in checksums.below(mirror):
        os.utime(mirror / name, (1, 1))
    changed, gone, *_ = sorted(checksums.below(mirror))
    (images / changed).write_bytes(b"another")
    (images / gone).unlink()
    s3.rm_file(f"pictures/set/{gone}")
    write_image(images / "new.png", picture(7))
    for name in (changed, "new.png"):
        s3.put_file(str(images / name), f"pictures/set/{name}")
    remote.mirrored(f"{BUCKET}/set", tmp_path / "mirror")
    assert tree(mirror) == tree(images)
    brought = {name for name in checksums.below(mirror) if (mirror / name).stat().st_mtime != 1}
    assert brought == {changed, "new.png"}


def test_marks_of_folders_are_no_files(s3: Any, images: Path, tmp_path: Path) -> None:
    upload(s3, images)
    for mark in ("", "a/", "empty/"):
        s3.pipe_file(f"pictures/set/{mark}" if mark else "pictures/set/", b"")
    assert tree(remote.mirrored(f"{BUCKET}/set", tmp_path / "mirror")) == tree(images)


def test_a_name_that_another_begins_with_is_brought_as_it_is(s3: Any, tmp_path: Path) -> None:
    for name in ("a.png", "a.png.part", "b"):
        s3.pipe_file(f"pictures/set/{name}", name.encode())
    remote.mirrored(f"{BUCKET}/set", tmp_path / "mirror")
    s3.pipe_file("pictures/set/a.png", b"another")
    s3.rm_file("pictures/set/b")
    s3.pipe_file("pictures/set/b/c.png", b"below")
    mirror = remote.mirrored(f"{BUCKET}/set", tmp_path / "mirror")
    assert tree(mirror) == {"a.png": b"another", "a.png.part": b"a.png.part", "b/c.png": b"below"}
    s3.rm("pictures/set/b", recursive=True)
    s3.pipe_file("pictures/set/b", b"a file again")
    assert tree(remote.mirrored(f"{BUCKET}/set", tmp_path / "mirror"))["b"] == b"a file again"


@pytest.mark.parametrize("name", ["x//a.png", "x/./a.png", "a/b"])
def test_names_that_are_one_here_are_refused_by_name(s3: Any, tmp_path: Path, name: str) -> None:
    for each in ("x/a.png", "a", name):
        s3.pipe_file(f"pictures/set/{each}", b"it")
    with pytest.raises(ClearsetError, match="names that no file can have"):
        remote.mirrored(f"{BUCKET}/set", tmp_path / "mirror")


def test_a_name_that_leads_out_is_refused(s3: Any, tmp_path: Path) -> None:
    s3.pipe_file("pictures/set/../../evil.png", b"no")
    with pytest.raises(ClearsetError, match="names that no file can have"):
        remote.mirrored(f"{BUCKET}/set", tmp_path / "mirror")
    assert not (tmp_path / "mirror").exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"{BUCKET}/nothing", "holds no file"),
        ("s3://no-such-bucket/set", "no-such-bucket"),
        ("nothing://set", "can not be reached"),
    ],
)
def test_what_can_not_be_reached_is_named(s3: Any, tmp_path: Path, url: str, said: str) -> None:
    with pytest.raises(ClearsetError, match=said):
        remote.mirrored(url, tmp_path / "mirror")


def test_a_chain_of_protocols_is_no_address() -> None:
    assert remote.is_elsewhere("s3://bucket/folder")
    assert not remote.is_elsewhere("zip://x.png::s3://bucket/x.zip")
    assert not remote.is_elsewhere("/a/folder") and not remote.is_elsewhere("C:/folder")


def test_a_source_elsewhere_gives_the_bytes_of_one_here(
    s3: Any, images: Path, tmp_path: Path
) -> None:
    upload(s3, images)
    found = []
    for number, path in enumerate((str(images), f"{BUCKET}/set")):
        home = tmp_path / f"home{number}"
        home.mkdir()
        section = yaml.safe_load((ROOT / "src/clearset/inspection/folder.yaml").read_text())
        section["fetch"]["path"] = path
        (home / "params.yaml").write_text(yaml.safe_dump({"mine": section}))
        command = [sys.executable, "-P", "-m", "clearset.stages", "mine"]
        env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
        done = subprocess.run(
            command, cwd=home, env=env, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout
        found.append({n: b for n, b in tree(home / "data").items() if not n.startswith("incoming")})
    assert found[0] == found[1]


def test_a_release_is_copied_and_comes_back_as_it_was(
    s3: Any, sample_release: Path, tmp_path: Path
) -> None:
    said = copy.copy(sample_release, f"{BUCKET}/released", private=False)
    assert f"{len(checksums.below(sample_release))} files" in said
    back = remote.mirrored(f"{BUCKET}/released", tmp_path / "back")
    assert tree(back) == tree(sample_release)
    assert not identity.verify(back).wrong
    copy.copy(sample_release, f"{BUCKET}/released", private=False)  # again is no harm
    s3.pipe_file("pictures/released/other.txt", b"mine")
    with pytest.raises(ClearsetError, match="holds other files"):
        copy.copy(sample_release, f"{BUCKET}/released", private=False)


def test_a_release_that_is_not_whole_is_not_copied(
    s3: Any, sample_release: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    for name, content in tree(sample_release).items():
        (broken / name).parent.mkdir(parents=True, exist_ok=True)
        (broken / name).write_bytes(content)
    (broken / MANIFEST).write_bytes(b"no")
    for private in (True, False):
        with pytest.raises(ClearsetError, match="not as released"):
            copy.copy(broken, f"{BUCKET}/broken", private)
    assert not s3.exists("pictures/broken")
