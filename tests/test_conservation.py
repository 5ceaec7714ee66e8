"""The law of conservation, on random trees: a row for every file, and bytes that stay."""

import hashlib
import io
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from clearset.config.schema import Update
from clearset.config.schema_fetch import Fetch, Links
from clearset.share import delivery
from clearset.share import manifest as manifests
from clearset.share.manifest import DROPPED, Grounds
from clearset.sources import intake
from clearset.sources.entries import entries
from clearset.stages import fetch
from clearset.store import tables
from clearset.store.errors import ClearsetError
from conftest import tables_of

RNG = np.random.default_rng(0)
Tree = dict[str, str]  # by place: what lies there


def png(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


PHOTO = RNG.integers(0, 255, (16, 16, 3), dtype=np.uint8)
DRAWN = np.zeros((16, 16), np.uint8)
DRAWN[4:9, 3:12] = 1
CONTENTS = {
    "photo": png(PHOTO),
    "other photo": png(PHOTO[::-1]),
    "grey": png(PHOTO[..., 0]),
    "drawn": png(DRAWN),
    "painted": png(np.stack([DRAWN * 255, DRAWN * 0, DRAWN * 0], -1)),
    "small": png(DRAWN[:12]),
    "jpeg": png(PHOTO, "JPEG"),
    "broken": png(PHOTO)[:60],
    "empty": b"",
    "text": b"0001.png,1\na,b\n",
}
FOLDERS = "images masks mask labels train val test a b with_mask annotations gt 1st_manual =x .h"
STEMS = "0001 0002 p p_mask p_1 p_1_mask 21_training 21_manual1 README data clearset-manifest é -a"
SUFFIXES = ".png .jpg .tif .txt .json .csv .md .yaml .PNG .npy"
TREES = st.dictionaries(
    st.builds(
        lambda folders, stem, suffix: "/".join([*folders, stem + suffix]),
        st.lists(st.sampled_from(FOLDERS.split()), max_size=3),
        st.sampled_from([*STEMS.split(), "with space", "checksums.sha256"]),
        st.sampled_from([*SUFFIXES.split(), ""]),
    ),
    st.sampled_from([*CONTENTS, "link to nowhere", "pipe"]),
    min_size=1,
    max_size=9,
)


def planted(tree: Tree, root: Path) -> Path:
    """Write a tree, what can not be written beside the rest left out; return its root."""
    for number, (place, what) in enumerate(sorted(tree.items())):
        path = root / place
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if what == "link to nowhere":
                path.symlink_to(f"nowhere{number}")
            elif what == "pipe":
                os.mkfifo(path)
            else:
                path.write_bytes(CONTENTS[what])
        except OSError:  # a file lies where a folder should, or the other way round
            continue
    return root


def released(source: Path, work: Path, gone: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return manifest and inventory of a source, of which every `gone`-th image is dropped."""
    catalogue, _ = fetch.of_files(source, work / "fetch", Fetch())
    images = catalogue.images
    text = [c for c in ("image_id", "split") if c in images]
    decisions = images[text].assign(decision="keep", rules="")
    decisions.loc[decisions.index % gone == gone - 1, "decision"] = "drop"
    grounds = tables_of(Grounds, images=images, files=catalogue.files, decisions=decisions)
    uncopied = delivery.uncopied(images)
    plan = manifests.manifest(grounds, {}, Update.accepted, uncopied)
    folders = {"fetch": work / "fetch"}
    table = delivery.deliver(plan, images, folders, work / "release")
    carried = work / "fetch" / intake.CARRIED
    return table, delivery.carry(grounds.files, table, carried, work / "release")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    derandomize=True,
)
@given(tree=TREES, gone=st.integers(2, 4))
def test_every_file_has_a_row_and_what_is_there_is_as_it_was(tree: Tree, gone: int) -> None:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLEARSET_WORKERS", "1")
        source, work = planted(tree, Path(name) / "source"), Path(name) / "work"
        (source / "always.png").write_bytes(CONTENTS["photo"])
        try:
            manifest, inventory_table = released(source, work, gone)
        except ClearsetError as error:
            assert "no image" in str(error)
            return
        every = {intake.written(str(e.place)): e for e in entries(source, Links.every)}
        assert set(inventory_table["file"]) == set(every)
        tables.checked("inventory", inventory_table)
        assert set(manifest["source"]) == set(
            inventory_table.loc[inventory_table["role"] == "image", "file"]
        )
        for row in inventory_table.itertuples():
            if row.output:
                assert digest(work / "release" / row.output) == digest(every[row.file].file)
            else:
                assert row.reason or row.image_id in set(
                    manifest.loc[manifest["decision"] == DROPPED, "image_id"]
                )
        there = {
            path.relative_to(work / "release").as_posix()
            for path in (work / "release").rglob("*")
            if path.is_file()
        }
        assert there == {Path(output).as_posix() for output in inventory_table["output"]} - {"."}
