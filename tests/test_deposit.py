"""A release as a draft in an archive, which a server on loopback plays: whole, if it may be."""

import hashlib
import json
import subprocess
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from clearset.commands.deposit import deposit as deposited
from clearset.config.schema import About
from clearset.share import deposit as deposits
from clearset.share import zenodo
from clearset.store import checksums
from clearset.store.errors import ClearsetError
from conftest import ROOT, run
from releasing import PARAMS, made_source, make
from stand import Reply, Stand

TOKEN = "a-token-of-mine"  # noqa: S105 - known to the server of this file alone
ABOUT = {
    "title": "Tiny",
    "description": "Made <here>.",
    "creators": ["A. Person"],
    "licence": "CC BY-NC-SA 4.0",
    "licence_url": "https://creativecommons.org/licenses/by-nc-sa/4.0/",
    "citation": "Person, Tiny, 2026",
    "redistributable": True,
}


class Archive(Stand):
    """As Zenodo does: drafts, a bucket each, metadata checked."""

    def __init__(self) -> None:
        super().__init__()
        self.api = f"{self.address}/api"
        self.files: dict[str, bytes] = {}
        self.metadata: dict[str, Any] = {}
        self.drafts: set[str] = set()
        self.wrong = ""  # what goes wrong

    def reply(self, verb: str, path: str, body: bytes) -> Reply:
        """Answer a request that has the one token that is known."""
        if f"Bearer {TOKEN}" not in self.tokens or len(self.tokens) > 1:
            return 401, {"status": 401, "message": "Unauthorized"}
        if verb == "POST":
            self.drafts.add("7")
            bucket = "https://elsewhere.example.org" if self.wrong == "host" else self.address
            links = {"bucket": f"{bucket}/api/files/b-7", "html": f"{self.address}/deposit/7"}
            return 201, {"id": 7, "links": links}
        if verb == "DELETE":
            self.drafts.remove(path.rpartition("/")[2])
            return 204, {}
        if path.startswith("/api/files/b-7/"):
            kept = body[:-1] if self.wrong == "bytes" else body
            self.files[unquote(path.rpartition("/")[2])] = kept
            digest = hashlib.md5(kept, usedforsecurity=False).hexdigest()
            return 201, {"checksum": f"md5:{digest}", "size": len(kept)}
        self.metadata = json.loads(body)["metadata"]
        if self.wrong == "metadata":
            errors = [{"field": "metadata.license", "message": "Invalid licence"}]
            return 400, {"message": "Validation error", "errors": errors}
        return 200, {"id": 7}


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    monkeypatch.setenv("ZENODO_TOKEN", TOKEN)
    made = Archive()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a release that may be passed on, and its recipe."""
    return project_of(tmp_path_factory, ABOUT)


@pytest.fixture(scope="module")
def restricted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of a dataset whose pictures may not be passed on."""
    return project_of(tmp_path_factory, ABOUT | {"redistributable": False})


def project_of(factory: pytest.TempPathFactory, about: dict[str, Any]) -> Path:
    folder = factory.mktemp("project")
    made_source(folder / "source")
    with pytest.MonkeyPatch.context() as patch:
        make(folder, PARAMS | {"about": about}, patch)
    return folder


def test_a_release_becomes_a_draft_that_holds_all_of_it(
    project: Path, archive: Archive, tmp_path: Path
) -> None:
    folder = project / "data/release/tiny"
    said = deposited(str(folder), archive.api, "")
    assert f"publish it: {archive.address}/deposit/7" in said
    assert TOKEN not in said
    ((name, content),) = archive.files.items()
    assert name == "tiny.zip"
    zipfile.ZipFile(BytesIO(content)).extractall(tmp_path)
    assert checksums.verify(tmp_path / "tiny") == []
    assert not any("actions/publish" in line for line in archive.asked)
    told = archive.metadata
    assert (told["title"], told["license"]) == ("Tiny", "cc-by-nc-sa-4.0")
    assert told["creators"] == [{"name": "A. Person"}]
    assert told["description"] == "<p>Made &lt;here&gt;.</p>"
    assert told["references"] == ["Person, Tiny, 2026"]
    assert f"`{told['version']}`" in (folder / "README.md").read_text()


def test_the_same_release_is_the_same_file(project: Path) -> None:
    contents = []
    for _ in range(2):
        with deposits.packed(project / "data/release/tiny", "tiny") as file:
            contents.append(file.read_bytes())
    assert contents[0] == contents[1]
    assert not file.exists()


def test_restricted_pictures_are_not_sent_and_their_recipe_is(
    restricted: Path, archive: Archive
) -> None:
    with pytest.raises(ClearsetError, match=r"tiny may not be passed on .*Deposit its recipe inst"):
        deposited(str(restricted / "data/release/tiny"), archive.api, "")
    assert archive.asked == []
    assert "the recipe of tiny is a draft" in deposited(
        str(restricted / "data/recipe/tiny"), archive.api, ""
    )
    names = {Path(n).suffix for n in zipfile.ZipFile(BytesIO(archive.files["tiny.zip"])).namelist()}
    assert names == {".csv", ".json", ".md", ".sha256", ".yaml"}


def test_a_picture_that_was_put_into_a_recipe_is_not_sent(
    restricted: Path, archive: Archive, tmp_path: Path
) -> None:
    folder = tmp_path / "recipe"
    subprocess.run(["cp", "-r", restricted / "data/recipe/tiny", folder], check=True)
    (folder / "picture.data").write_bytes(b"whatever")
    with pytest.raises(ClearsetError, match=r"not as released: 'picture.data' \(not listed\)"):
        deposited(str(folder), archive.api, "")
    checksums.write(folder)
    with pytest.raises(ClearsetError, match=r"is no recipe: it holds 'picture.data'"):
        deposited(str(folder), archive.api, "")
    assert archive.asked == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("bytes", "has got other bytes of tiny.zip"),
        ("metadata", r"refused \(400\): Validation error; metadata.license: Invalid licence"),
        ("host", "asks for the file at another host"),
    ],
)
def test_what_goes_wrong_leaves_no_draft(
    project: Path, archive: Archive, wrong: str, message: str
) -> None:
    archive.wrong = wrong
    with pytest.raises(ClearsetError, match=message):
        deposited(str(project / "data/release/tiny"), archive.api, "")
    assert archive.drafts == set()


def test_a_token_that_is_missing_or_unknown_is_asked_for_and_never_shown(
    project: Path, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(project / "data/release/tiny")
    monkeypatch.setenv("ZENODO_TOKEN", "another-token")
    with pytest.raises(ClearsetError, match="does not take the token") as caught:
        deposited(folder, archive.api, "")
    assert "another-token" not in str(caught.value)
    monkeypatch.delenv("ZENODO_TOKEN")
    with pytest.raises(ClearsetError, match="ZENODO_TOKEN is not set"):
        deposited(folder, archive.api, "")


@pytest.mark.parametrize("api", ["http://zenodo.org/api", "zenodo.org", "ftp://zenodo.org/api"])
def test_no_token_goes_in_the_clear(project: Path, archive: Archive, api: str) -> None:
    with pytest.raises(ClearsetError, match="no address of an archive's API that begins with http"):
        deposited(str(project / "data/release/tiny"), api, "")


def test_an_address_without_an_archive_is_named(project: Path, archive: Archive) -> None:
    archive.shutdown()
    archive.server_close()
    with pytest.raises(ClearsetError, match=r"does not answer as an archive does: Connection"):
        deposited(str(project / "data/release/tiny"), archive.api, "")


@pytest.mark.parametrize(
    ("licence", "known"),
    [("CC0 1.0", "cc0-1.0"), ("CC BY 4.0", "cc-by-4.0"), ("CC BY-NC-ND 3.0", "cc-by-nc-nd-3.0")],
)
def test_licences_have_the_archives_names(licence: str, known: str) -> None:
    assert deposits.known_licence("tiny", licence) == known


@pytest.mark.parametrize("licence", ["", "Ours", "CC BY", "CC 4.0", "All rights reserved 4.0"])
def test_a_licence_that_is_not_known_is_named_by_a_person(licence: str) -> None:
    with pytest.raises(ClearsetError, match="--licence other-open"):
        deposits.known_licence("tiny", licence)


def test_what_an_archive_asks_for_is_asked_of_conf(project: Path) -> None:
    with pytest.raises(ClearsetError, match="does not say its title, description, creators"):
        deposits.metadata("tiny", About(), "1")


def test_the_program_sends_to_zenodo_unless_told_otherwise() -> None:
    done = run(ROOT, "clearset", "deposit", "--help")
    assert "[default: https://zenodo.org/api]" in " ".join(done.stdout.split())
    zenodo.refuse_unsafe("https://zenodo.org/api")
