"""A release on the Hugging Face Hub, which a server on loopback plays: sent, and loaded."""

import base64
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from clearset.images import codec
from clearset.store import tables
from conftest import ROOT, run
from releasing import PARAMS, made_source, make
from stand import Reply, Stand

NAME, COMMIT = "me/tiny", "c" * 40
LOAD = """
import json, datasets, numpy
datasets.disable_progress_bars()
whole = datasets.load_dataset("me/tiny")
def told(row):
    pixels = [*row["image"].size, int(numpy.asarray(row["image"]).sum(dtype=int))]
    return [row["image_id"], row["fate"], row["mask"] is not None, pixels]
print(json.dumps({split: [told(row) for row in whole[split]] for split in whole}))
"""


class Hub(Stand):
    """As the Hub does: a repository of files that come in commits."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}

    def reply(self, verb: str, path: str, body: bytes) -> Reply:
        """Answer what `hf upload` and `datasets` ask."""
        parts, query = urlsplit(path), parse_qs(urlsplit(path).query)
        place = unquote(parts.path)
        if place == "/api/repos/create":
            return 200, {"url": f"{self.address}/datasets/{NAME}", "name": NAME}
        if place == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if "/preupload/" in place:
            mode = {"uploadMode": "regular", "shouldIgnore": False}
            return 200, {"files": [{"path": f["path"], **mode} for f in json.loads(body)["files"]]}
        if "/commit/" in place:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            url = f"{self.address}/datasets/{NAME}/commit/{COMMIT}"
            return 200, {"success": True, "commitOid": COMMIT, "commitUrl": url, "hookOutput": ""}
        return self.read(place, query, body)

    def read(self, place: str, query: dict[str, list[str]], body: bytes) -> Reply:
        """Answer what is asked of files that are there."""
        tree = f"/api/datasets/{NAME}/tree/{COMMIT}"
        if place.startswith(tree):
            return 200, self.below(
                place.removeprefix(tree).strip("/"),
                "true" in query.get("recursive", [""])[0].lower(),
            )
        if place.startswith(f"/api/datasets/{NAME}/paths-info/"):
            asked = parse_qs(body.decode()).get("paths") or json.loads(body or b"{}").get(
                "paths", []
            )
            return 200, [one for one in self.below("", True) if one["path"] in asked]
        if place.startswith(f"/api/datasets/{NAME}"):
            siblings = [{"rfilename": name} for name in self.files]
            told = {"id": NAME, "sha": COMMIT, "private": False, "siblings": siblings}
            return 200, told | {"tags": [], "downloads": 0, "likes": 0, "gated": False}
        name = place.removeprefix(f"/datasets/{NAME}/resolve/{COMMIT}/")
        if name not in self.files:
            return (
                404,
                {"error": "none"},
                {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT},
            )
        digest = hashlib.sha256(self.files[name]).hexdigest()
        return 200, self.files[name], {"ETag": f'"{digest}"', "X-Repo-Commit": COMMIT}

    def below(self, folder: str, deep: bool) -> list[dict[str, Any]]:
        """Return files and folders below a folder."""
        start = f"{folder}/" if folder else ""
        inside = {name: data for name, data in self.files.items() if name.startswith(start)}
        found: dict[str, dict[str, Any]] = {}
        for name, data in inside.items():
            steps = name.removeprefix(start).split("/")
            for depth in range(1, len(steps) if deep else 2):
                if depth < len(steps):
                    path = start + "/".join(steps[:depth])
                    found[path] = {"type": "directory", "path": path, "oid": "d" * 40, "size": 0}
            if deep or len(steps) == 1:
                oid = hashlib.sha1(data, usedforsecurity=False).hexdigest()
                found[name] = {"type": "file", "path": name, "oid": oid, "size": len(data)}
        return list(found.values())


@pytest.fixture
def hub() -> Iterator[Hub]:
    made = Hub()
    yield made
    made.shutdown()
    made.server_close()


def test_a_release_is_sent_by_one_command_and_loads_from_there(hub: Hub, tmp_path: Path) -> None:
    made_source(tmp_path / "source")
    with pytest.MonkeyPatch.context() as patch:
        folder = make(tmp_path, PARAMS, patch)
    environment = {
        "HF_ENDPOINT": hub.address,
        "HF_HOME": str(tmp_path / "home"),
        "HF_TOKEN": "hf_mine",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
    }
    text = (ROOT / "docs/sharing.md").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("hf upload ")]
    words = line.partition("  #")[0].split()
    assert words == [
        "hf",
        "upload",
        "me/sample",
        "data/release/sample",
        ".",
        "--repo-type",
        "dataset",
    ]
    done = run(tmp_path, *words[:2], NAME, str(folder), *words[4:], **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(hub.files) == there
    assert {name: (folder / name).read_bytes() for name in there} == hub.files
    done = run(tmp_path, sys.executable, "-c", LOAD, **environment)
    assert done.returncode == 0, "\n".join(hub.asked) + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    manifest = tables.read("manifest", folder)
    rows = manifest[(manifest["decision"] != "dropped") & (manifest["reason"].str[:4] != "kept")]
    for split, records in found.items():
        own = rows[rows["split"].str.replace("-", "_") == split]
        fates = [[row.image_id, row.decision, row.mask != ""] for row in own.itertuples()]
        assert [record[:3] for record in records] == fates
        for place, record in zip(own["output"], records, strict=True):
            pixels = codec.decode(folder / place)
            assert record[3] == [*pixels.shape[::-1], int(pixels.sum(dtype=int))]
    assert len(rows) == sum(map(len, found.values())) > 0
