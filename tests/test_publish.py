"""Releases on real git, real DVC and a real S3 server: out whole or not at all, and taken whole."""

import hashlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from clearset.commands import publish
from clearset.store import checksums, tables
from clearset.store.errors import ClearsetError
from clearset.versions import publishing, pushing
from conftest import ENDS, run

KEY = "AKIAOURS"
BUCKET = "releases"
Answer = Iterable[bytes]
State = dict[str, str]


class Server:
    """moto's S3 server on loopback, which knows one key, and can be made to die or to hang."""

    def __init__(self) -> None:
        self.app = DomainDispatcherApplication(create_backend_app)
        self.http = make_server("127.0.0.1", 0, self.answer, threaded=True)
        self.address = f"http://127.0.0.1:{self.http.port}"
        self.heal()
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def heal(self) -> None:
        """Do as a sound server does."""
        self.left, self.then = -1, ""  # stored objects until what happens then
        self.hanging, self.release = threading.Event(), threading.Event()

    def fail(self, after: int, then: str) -> None:
        """Die or hang after so many stored objects."""
        self.heal()
        self.left, self.then = after, then

    def answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Answer:
        """Answer a request, unless it has another key or it is time to fail."""
        if f"Credential={KEY}/" not in environ.get("HTTP_AUTHORIZATION", ""):
            start("403 Forbidden", [("Content-Type", "application/xml")])
            return [b"<Error><Code>InvalidAccessKeyId</Code><Message>not known</Message></Error>"]
        if environ["REQUEST_METHOD"] == "PUT" and self.then:
            self.left -= 1
        if self.then == "hang" and self.left < 0:
            self.hanging.set()
            self.release.wait(60)
        if self.then == "die" and self.left < 0:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return []
        found: Answer = self.app(environ, start)
        return found


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.release.set()
    made.http.shutdown()


@pytest.fixture(scope="module", autouse=True)
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What botocore reads: a key, no waiting, and nothing of the machine it runs on."""
    empty = tmp_path_factory.mktemp("aws") / "config"
    empty.touch()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(empty),
            "AWS_SHARED_CREDENTIALS_FILE": str(empty),
        }.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def project(miniature: Path, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with the sample reproduced, an empty bucket for its data, a bare origin."""
    import boto3  # noqa: PLC0415 - where the keys are set

    boto3.client("s3", endpoint_url=server.address).create_bucket(Bucket=BUCKET)
    base = tmp_path_factory.mktemp("publish")
    folder = base / "clearset"
    shutil.copytree(miniature, folder, symlinks=True)
    for command in (
        f"git init --quiet --bare --initial-branch=main {base}/origin.git",
        f"git remote add origin {base}/origin.git",
        f"dvc remote add --default bucket s3://{BUCKET}/store",
        f"dvc remote modify bucket endpointurl {server.address}",
        "git commit --quiet --all --message remote",
        "git push --quiet --set-upstream origin main",
    ):
        done = run(folder, *command.split(" "))
        assert done.returncode == 0, command + done.stderr
    return folder


def released(folder: Path, version: str = "v1", **environment: str) -> tuple[int, str]:
    command = ["clearset", "publish", "sample", version]
    done = run(folder, *command, **environment)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def state(folder: Path) -> State:
    """Everything that a release changes, here and on origin."""
    asked = {
        "head": "git rev-parse HEAD",
        "tags": "git tag",
        "changed": "git status --porcelain",
        "origin": "git ls-remote origin",
    }
    return {name: run(folder, *command.split()).stdout for name, command in asked.items()}


def test_a_tree_that_is_not_clean_is_refused(project: Path) -> None:
    (project / "new.txt").write_text("")
    code, said = released(project)
    (project / "new.txt").unlink()
    assert code == 1
    assert "the working tree is not clean: new.txt" in said


def test_results_of_other_code_or_params_are_refused(project: Path) -> None:
    before = state(project)
    for name, change, message in (
        ("src/clearset/share/manifest.py", ("no flag", "none"), "sample is not reproduced"),
        ("conf/dataset/sample.yaml", ("seed: 7", "seed: 8"), "is not what conf/ composes to"),
    ):
        file = project / name
        file.write_text(file.read_text().replace(*change))
        run(project, "git", "commit", "--quiet", "--all", "--message", "changed")
        code, said = released(project)
        run(project, "git", "reset", "--quiet", "--hard", "HEAD~1")
        assert code == 1
        assert message in said
    assert state(project) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sample", "v 1"], "VERSION is 'v 1': v and one to three numbers, like v1 or v1.2.0"),
        (["sample", "final"], "VERSION is 'final'"),
        (["sample", ""], "VERSION is ''"),
        (["nobody", "v1"], "has no dataset 'nobody'"),
        (["mafat_labeled", "v1"], "'report@mafat_labeled' does not exist"),
    ],
)
def test_a_wrong_name_is_refused(project: Path, arguments: list[str], message: str) -> None:
    done = run(project, "clearset", "publish", *arguments)
    assert done.returncode == 1
    assert message in done.stderr


def test_without_a_place_for_git_or_data_it_says_how_to_name_one(project: Path) -> None:
    run(project, "git", "remote", "rename", "origin", "other")
    code, said = released(project)
    run(project, "git", "remote", "rename", "other", "origin")
    assert (code, "git has no remote 'origin'" in said) == (1, True)
    run(project, "dvc", "config", "--unset", "core.remote")
    run(project, "git", "commit", "--quiet", "--all", "--message", "no remote")
    code, said = released(project)
    run(project, "git", "reset", "--quiet", "--hard", "HEAD~1")
    assert (code, "DVC has no default remote" in said) == (1, True)


def rot(file: Path, content: bytes) -> None:
    """Give a file other bytes as a failing disk does: its times and its mode tell nothing."""
    before = file.stat()
    file.chmod(0o644)
    file.write_bytes(content)
    file.chmod(before.st_mode)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_rot_in_the_cache_or_the_folder_is_named(project: Path) -> None:
    before = state(project)
    image = next((project / "data/release/sample/train/images").iterdir())
    content = image.read_bytes()
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    cached = project / f".dvc/cache/files/md5/{digest[:2]}/{digest[2:]}"
    assert cached.read_bytes() == content
    for file, name in ((cached, digest[2:]), (image, f"train/images/{image.name} (changed)")):
        rot(file, content[:-9] + b"corrupted")
        code, said = released(project)
        rot(file, content)
        assert code == 1
        assert name in said
        assert "dvc repro --force" in said
    assert state(project) == before


@pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")  # DVC's, not ours
def test_a_restricted_picture_goes_to_no_remote_of_all(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    file = project / "dvc.yaml"
    before = file.read_text()
    with pytest.raises(ClearsetError, match=r"may not be passed on .*would go to 'bucket'"):
        pushing.refuse_pictures("sample", "bucket")
    file.write_text(before.replace("sample: {pixels: null}", "sample: {pixels: private}"))
    pushing.refuse_pictures("sample", "bucket")
    file.write_text(before)


def test_what_the_git_remote_has_is_seen_whoever_put_it_there(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    origin, head = str(project.parent / "origin.git"), publishing.git("rev-parse", "HEAD")
    other = publishing.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "of others")
    publishing.git("push", "--quiet", "origin", f"{head}:refs/tags/sample-light")
    assert publishing.tag("sample-light") == publishing.Tag("sample-light", "", head)
    publishing.refuse_behind(publishing.tag("sample-v1"))
    publishing.git("push", "--quiet", "origin", f"{other}:refs/heads/main")
    with pytest.raises(ClearsetError, match="has commits on main that are not here"):
        publishing.refuse_behind(publishing.tag("sample-v1"))
    publishing.git("push", "--quiet", "--force", "origin", f"{head}:refs/heads/main")
    publishing.git("push", "--quiet", "--delete", "origin", "sample-light")
    publishing.git("remote", "set-url", "origin", "/nowhere.git")
    with pytest.raises(ClearsetError, match="origin does not answer"):
        publishing.tag("sample-v1")
    publishing.git("remote", "set-url", "origin", origin)


def test_wrong_credentials_release_nothing(project: Path) -> None:
    before = state(project)
    code, said = released(project, AWS_ACCESS_KEY_ID="AKIAOTHER")
    assert code == 1
    assert "the remote 'bucket' did not take the data" in said
    assert "InvalidAccessKeyId" in said or "Forbidden" in said
    assert state(project) == before


def test_a_remote_that_dies_half_way_releases_nothing(project: Path, server: Server) -> None:
    before = state(project)
    server.fail(after=5, then="die")
    code, said = released(project)
    assert server.left < 0
    server.heal()
    assert code == 1
    assert "the remote 'bucket' did not take the data" in said
    assert state(project) == before


def test_a_kill_in_the_middle_releases_nothing(project: Path, server: Server) -> None:
    before = state(project)
    server.fail(after=9, then="hang")
    command = [str(Path(sys.executable).parent / "clearset"), "publish", "sample", "v1"]
    with subprocess.Popen(
        command, cwd=project, start_new_session=True, stderr=subprocess.DEVNULL
    ) as begun:
        assert server.hanging.wait(120)
        os.killpg(begun.pid, signal.SIGKILL)
    server.release.set()
    server.heal()
    assert state(project) == before


@pytest.fixture(scope="module")
def first(project: Path) -> str:
    """The first release, after one that was killed between its tag and its push."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        tag = publishing.Tag("sample-v1", "", "")
        before = state(project)
        publishing.commit(tag, publish.entry("sample", tag.name), publish.message(tag.name))
        assert state(project) == before | {"tags": "sample-v1\n"}
        begun = publishing.git("rev-parse", f"{tag.name}^{{commit}}")
    code, said = released(project)
    assert code == 0, said
    assert state(project)["head"].strip() == begun  # the release that was begun, no other
    return said


def test_a_release_is_tagged_told_and_pushed_at_once(project: Path, first: str) -> None:
    assert "release: sample-v1 is out" in first
    found = state(project)
    assert (found["tags"], found["changed"]) == ("sample-v1\nsample@v1.0.0\n", "")
    head = found["head"].strip()
    assert f"{head}\trefs/heads/main" in found["origin"]
    for tag in ("sample-v1", "sample@v1.0.0"):
        assert f"{head}\trefs/tags/{tag}^{{}}" in found["origin"]
    changed = run(project, "git", "show", "--stat", "--format=%s", "HEAD").stdout
    assert changed.startswith("Release sample-v1\n")
    assert "1 file changed" in changed
    text = (project / "CHANGELOG.md").read_text()
    assert text.index("## sample-v1") < text.index("## Unreleased")
    fates = tables.read("manifest", project / "data/recipe/sample")["decision"].value_counts()
    counts = ", ".join(f"{fates[fate]} {fate}" for fate in ("kept", "repaired", "dropped"))
    assert f"{fates.sum()} images: {counts}" in text
    assert "The first release." in text


def test_a_tag_that_is_there_is_never_moved(project: Path, first: str) -> None:
    before = state(project)
    code, said = released(project)
    assert code == 1
    assert "the tag sample-v1 exists on origin already" in said
    code, said = released(project, "v1.0")
    assert code == 1
    assert "the tag sample@v1.0.0 exists on origin already, so that to a registry sample" in said
    assert state(project) == before


def test_a_release_stopped_after_its_push_is_finished(project: Path, first: str) -> None:
    tip = state(project)["head"].strip()
    run(project, "git", "reset", "--quiet", "--hard", "HEAD~1")
    code, said = released(project)
    assert code == 0, said
    assert state(project)["head"].strip() == tip


def test_a_refused_push_leaves_no_tag(project: Path, first: str) -> None:
    origin = project.parent / "origin.git"
    hook = origin / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho protected >&2\nexit 1\n")
    hook.chmod(0o755)
    before = state(project)
    code, said = released(project, "v1.1")
    hook.unlink()
    assert code == 1
    assert "origin did not take the release" in said
    assert "protected" in said
    assert state(project) == before


@pytest.fixture(scope="module")
def stranger(project: Path, first: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone of origin elsewhere, its data pulled from the bucket."""
    folder = tmp_path_factory.mktemp("a stranger's") / "clone"
    origin = project.parent / "origin.git"
    subprocess.run(["git", "clone", "--quiet", origin, folder], check=True)
    done = run(folder, "dvc", "pull", "--with-deps", *ENDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_a_fresh_clone_pulls_everything_and_has_nothing_to_do(stranger: Path) -> None:
    done = run(stranger, "dvc", "status", "--with-deps", *ENDS)
    assert "Data and pipelines are up to date." in done.stdout
    again = run(stranger, "dvc", "repro", *ENDS)
    assert again.returncode == 0, again.stderr
    assert "Running stage" not in again.stdout
    assert run(stranger, "git", "status", "--porcelain").stdout == ""


def test_others_get_a_release_by_its_tag_and_verify_it(
    project: Path, first: str, tmp_path: Path
) -> None:
    origin = str(project.parent / "origin.git")
    run(tmp_path, "git", "init", "--quiet")
    run(tmp_path, "dvc", "init", "--quiet")
    for verb, name in (("get", "got"), ("import", "imported")):
        what = [origin, "data/release/sample", "--rev", "sample-v1", "-o", name]
        done = run(tmp_path, "dvc", verb, *what)
        assert done.returncode == 0, done.stdout + done.stderr
        assert checksums.verify(tmp_path / name) == []
    image = next((tmp_path / "got/train/images").iterdir())
    content = bytearray(image.read_bytes())
    content[len(content) // 2] ^= 1
    image.chmod(0o644)
    image.write_bytes(content)
    done = run(project, "clearset", "verify", str(tmp_path / "got"))
    assert done.returncode == 1
    assert f"changed: 'train/images/{image.name}'" in done.stderr
    assert "1 file is not as released" in done.stderr


def test_others_get_a_release_as_an_artifact_of_a_version(
    project: Path, first: str, tmp_path: Path
) -> None:
    origin = str(project.parent / "origin.git")
    for rev in (["--rev", "v1.0.0"], []):
        command = ["dvc", "artifacts", "get", origin, "sample", *rev, "--out", f"got{len(rev)}"]
        done = run(tmp_path, *command)
        assert done.returncode == 0, done.stdout + done.stderr
        assert checksums.verify(tmp_path / f"got{len(rev)}") == []
    done = run(tmp_path, "dvc", "artifacts", "get", origin, "sample", "--rev", "v9.0.0")
    assert done.returncode != 0


def printed(said: str, start: str) -> list[str]:
    """The words of the command that a line of what was said begins with, or names."""
    (line,) = [line for line in said.splitlines() if start in line]
    return shlex.split(line[line.index(start) :].partition(" (")[0])


@pytest.fixture(scope="module")
def beside(miniature: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A clone whose data goes to the folder beside it, as it is at first; what a release says."""
    base = tmp_path_factory.mktemp("a folder's remote")
    folder = base / "clearset"
    shutil.copytree(miniature, folder, symlinks=True)
    run(folder, "git", "init", "--quiet", "--bare", "--initial-branch=main", f"{base}/origin.git")
    run(folder, "git", "remote", "add", "origin", f"{base}/origin.git")
    code, said = released(folder, "v1.2.0")
    assert code == 0, said
    return folder, said


@pytest.mark.parametrize("start", ["dvc get", "dvc artifacts get"])
def test_what_a_release_prints_works_as_it_stands(
    beside: tuple[Path, str], tmp_path: Path, start: str
) -> None:
    folder, said = beside
    assert str(folder.parent / "clearset-remote") in said
    done = run(tmp_path, *printed(said, start))
    assert done.returncode == 0, done.stdout + done.stderr
    done = run(tmp_path, *printed(said, "clearset verify"))
    assert "is as released" in done.stdout, done.stderr
    assert re.search(r"its content is [0-9a-f]{64}\. Compare that with the content", done.stdout)


@pytest.fixture(scope="module")
def second(project: Path, first: str) -> pd.DataFrame:
    """A second release, of which two bounds were moved; the table of changed fates."""
    file = project / "conf/dataset/sample.yaml"
    for rule, bound in (("noise", 49.5), ("shadow", 0.6)):  # one repaired image lies between
        text, line = file.read_text(), f"  {rule}: {{action: enhance"
        assert line in text
        file.write_text(text.replace(line, f"{line}, max: {bound}"))
    done = run(project, "dvc", "repro", *ENDS)
    assert done.returncode == 0, done.stdout + done.stderr
    run(project, "git", "commit", "--quiet", "--all", "--message", "Repair less")
    code, said = released(project, "v2")
    assert code == 0, said
    done = run(project, "clearset", "diff", "sample", "sample-v1", "sample-v2")
    assert done.returncode == 0, done.stderr
    return tables.read("fates", project / "data/diff/sample")


def test_the_diff_names_exactly_the_images_whose_fate_changed(
    project: Path, second: pd.DataFrame, tmp_path: Path
) -> None:
    sides = []
    for tag in ("sample-v1", "sample-v2"):
        done = run(
            project,
            "dvc",
            "get",
            ".",
            "data/recipe/sample",
            "--rev",
            tag,
            "-o",
            str(tmp_path / tag),
        )
        assert done.returncode == 0, done.stderr
        sides.append(tables.read("manifest", tmp_path / tag).set_index("image_id"))
    columns = ["decision", "output_sha256"]
    other = (sides[0][columns] != sides[1][columns]).any(axis=1)
    assert 0 < other.sum() < 20
    assert second["image_id"].tolist() == sorted(other.index[other])
    assert second["why"].str.contains("no longer flagged by noise: noise_sigma").all()
    assert second["why"].str.contains("max 7.5 -> max 49.5", regex=False).all()


def test_the_entry_and_the_page_tell_the_same(project: Path, second: pd.DataFrame) -> None:
    text = (project / "CHANGELOG.md").read_text()
    entry = text[text.index("## sample-v2") : text.index("## sample-v1")]
    assert f"the fate of {len(second)} images changed" in entry
    assert "Since sample-v1: 2 params" in entry
    assert "| filter.noise.max | 7.5 | 49.5 |" in entry
    page = (project / "data/diff/sample/index.html").read_text()
    for row in second.itertuples():
        assert row.image_id.split("/")[-1] in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    pictures = list((project / "data/diff/sample/pictures").iterdir())
    assert len(pictures) == 2 * len(second)
