"""A released folder says what it is, is proven file by file, loads, is rebuilt from a recipe."""

import csv
import fnmatch
import json
import logging
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlcroissant
import numpy as np
import pytest
import tifffile
import yaml
from PIL import Image

import clearset
from clearset.commands.rebuild import rebuild
from clearset.commands.verify import verify
from clearset.config import params
from clearset.images.identity import identity
from clearset.share import croissant, releases
from clearset.share.cards import Released, card
from clearset.sources import places
from clearset.stages import enhance, fetch, release
from clearset.stages import filter as filter_stage
from clearset.store import checksums, layout, tables
from clearset.store.errors import ClearsetError
from conftest import write_image

DATASET = "tiny"
STEPS = [{"rule": "dark", "method": "gamma", "gamma": 0.5}]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the stages have released six images, one dark one of them repaired.

    16-bit tiles with a declared range, all but one with a mask; a broken one, dropped; a label.
    """
    folder = tmp_path_factory.mktemp("released here")
    draw = np.random.default_rng(0)
    for number in range(5):
        light = 200 if number == 0 else 1500
        pixels = draw.integers(light // 2, light, (32, 32), dtype=np.uint16)
        place = folder / f"source/train/images/tile {number}.tif"
        place.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(place, pixels)
        mask = (pixels > light * 3 // 4).astype(np.uint8)
        if number < 4:
            write_image(folder / f"source/train/masks/tile {number}.png", mask)
    (folder / "source/train/images/tile 1.txt").write_text("0 1 2 3 car")
    (folder / "source/train/images/cut.tif").write_bytes(b"II*\0")
    section = {
        "about": {"title": "Tiny <b>", "licence": "CC BY-NC-SA 4.0", "known_issues": ["too few"]},
        "fetch": {
            "path": "source",
            "range": {"mapping": "fixed", "low": 0, "high": 2047, "nodata": 0},
        },
        "filter": {
            "dark": {"metric": "mean", "min": 40, "action": "enhance"},
            "counted": {"metric": "mean", "min": 30, "action": "keep"},
            "seen": {"metric": "mean", "max": 120, "action": "review"},
            "unreadable": {"metric": "unreadable", "max": 0, "action": "drop"},
        },
        "enhance": [*STEPS, {"rule": "counted", "method": "gamma", "gamma": 0.1}],
        "compare": {"resamples": 100},
    }
    (folder / "params.yaml").write_text(yaml.safe_dump({DATASET: section}))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("CLEARSET_WORKERS", "1")
        fetch.main(DATASET)
        __import__("analyze").main(DATASET)
        filter_stage.main(DATASET)
        enhance.main(DATASET)
        repairs = tables.read("repairs", layout.stage_folder("enhance", DATASET))
        verdicts = repairs[["image_id"]].assign(accepted=1, verdict="accepted")
        verdicts = verdicts.assign(refused_by="", gain=0.5)
        layout.stage_folder("compare", DATASET).mkdir(parents=True)
        tables.write("verdicts", verdicts, layout.stage_folder("compare", DATASET))
        release.main(DATASET)
    return folder


Place = Callable[[str], Path]
# mlcroissant's reader of JSON-LD, rdflib, uses a class of its own that it deprecates
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A function that gives a copy of `release`, `recipe` or `source`, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLEARSET_WORKERS", "1")

    def copied(what: str) -> Path:
        origin = made / what if what == "source" else made / "data" / what / DATASET
        shutil.copytree(origin, tmp_path / what)
        return Path(what)

    return copied


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_the_dark_image_alone_was_repaired_and_the_broken_one_dropped(made: Path) -> None:
    manifest = tables.read("manifest", made / "data/release/tiny").set_index("image_id")
    assert manifest["decision"].value_counts().to_dict() == {
        "kept": 4,
        "repaired": 1,
        "dropped": 1,
    }
    assert manifest.loc["train/tile 0", "steps"] == "gamma(gamma=0.5)"
    assert manifest.loc["train/tile 0", "flags"] == "counted dark"
    assert manifest.loc["train/tile 0", ["low", "high", "nodata"]].tolist() == [0, 2047, 0]


def test_a_release_is_as_it_was(place: Place) -> None:
    assert checksums.verify(place("release")) == []
    done = verify("release")
    assert "each of 17 files in release is as released" in done
    assert checksums.sha256(Path("release") / checksums.CHECKSUMS) in done


def test_sha256sum_reads_the_same_list(place: Place) -> None:
    command = ["sha256sum", "--check", "--strict", "--quiet", checksums.CHECKSUMS]
    assert subprocess.run(command, cwd=place("release"), check=False).returncode == 0


def every_file() -> list[str]:
    kinds = ["train/images/tile 0.tif", "train/masks/tile 3.png", "train/images/tile 1.txt"]
    return [*kinds, "rows-train.parquet", *sorted(places.OWN - {checksums.CHECKSUMS})]


@pytest.mark.parametrize("name", every_file())
def test_one_flipped_bit_is_named(place: Place, name: str) -> None:
    file = place("release") / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ClearsetError) as caught:
        verify("release")
    assert f"\n  changed: {name!a}\n" in str(caught.value)
    assert "1 file is not as released" in str(caught.value)


def test_what_is_missing_and_what_is_added_is_named(place: Place) -> None:
    folder = place("release")
    (folder / "train/masks/tile 2.png").unlink()
    (folder / "train/masks/new.png").write_bytes(b"")
    found = [(one.path, one.what) for one in checksums.verify(folder)]
    assert found == [
        ("train/masks/new.png", "not listed"),
        ("train/masks/tile 2.png", "missing"),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0" * 64 + "  ../outside", r"names '\.\./outside', which lies elsewhere"),
        ("0" * 64 + "  /etc/passwd", "names '/etc/passwd', which lies elsewhere"),
        ("0" * 63 + "  short", "line 1: no checksum and path"),
        ("\0", "line 1: no checksum and path"),
    ],
)
def test_a_list_that_is_not_to_be_trusted_is_refused(
    in_folder: Path, line: str, message: str
) -> None:
    (in_folder / checksums.CHECKSUMS).write_text(line + "\n")
    with pytest.raises(ClearsetError, match=message):
        checksums.verify(in_folder)


def test_a_link_in_a_files_stead_counts_as_missing(place: Place, tmp_path: Path) -> None:
    folder = place("release")
    file = folder / "train/masks/tile 2.png"
    other = file.rename(tmp_path / "elsewhere.png")
    file.symlink_to(other)
    assert [(one.path, one.what) for one in checksums.verify(folder)] == [
        ("train/masks/tile 2.png", "missing")
    ]


def test_a_folder_without_a_list_can_not_be_checked(in_folder: Path) -> None:
    with pytest.raises(ClearsetError, match=r"is missing, so \. can not be checked"):
        verify(".")


def test_a_recipe_and_the_source_make_the_very_bytes(place: Place, made: Path) -> None:
    recipe, source = place("recipe"), place("source")
    assert not any(Path(name).suffix in (".tif", ".png") for name in contents(recipe))
    said = rebuild(str(recipe), str(source), "made")
    assert "6 images (1 dropped, 4 kept, 1 repaired)" in said
    assert "every hash matches" in said
    assert contents(Path("made")) == contents(made / "data/release/tiny")


def test_a_zip_of_the_source_will_do(place: Place, made: Path) -> None:
    source = place("source")
    with zipfile.ZipFile("source.zip", "w") as archive:
        for name, content in contents(source).items():
            archive.writestr(f"one folder above/{name}", content)
    rebuild(str(place("recipe")), "source.zip", "made")
    assert contents(Path("made")) == contents(made / "data/release/tiny")


def test_sources_that_are_not_the_recipes_are_named_and_nothing_is_made(place: Place) -> None:
    recipe, source = place("recipe"), place("source")
    (source / "train/images/tile 2.tif").write_bytes(b"changed")
    (source / "train/masks/tile 3.png").write_bytes(b"changed")
    (source / "train/images/tile 4.tif").unlink()
    with pytest.raises(ClearsetError) as caught:
        rebuild(str(recipe), str(source), "made")
    assert "1 missing (train/images/tile 4.tif)" in str(caught.value)
    assert "2 with other bytes (train/images/tile 2.tif, train/masks/tile 3.png)" in str(
        caught.value
    )
    assert not Path("made").exists()
    assert not Path(".made.incomplete").exists()


def test_one_source_of_other_bytes_is_enough(place: Place) -> None:
    recipe, source = place("recipe"), place("source")
    (source / "train/images/tile 2.tif").write_bytes(b"changed")
    with pytest.raises(ClearsetError, match="1 with other bytes"):
        rebuild(str(recipe), str(source), "made")


def test_a_changed_recipe_is_not_followed(place: Place) -> None:
    recipe, source = place("recipe"), place("source")
    file = recipe / places.PARAMS
    file.write_text(file.read_text().replace("gamma: 0.5", "gamma: 0.4"))
    with pytest.raises(ClearsetError, match=r"was changed: params\.yaml \(changed\)"):
        rebuild(str(recipe), str(source), "made")


def relisted(recipe: Path, name: str, change: tuple[str, str]) -> None:
    """Change a file of a recipe and make its list fit, as someone hostile would."""
    file = recipe / name
    assert change[0] in file.read_text()
    file.write_text(file.read_text().replace(*change))
    checksums.write(recipe)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (places.MANIFEST, ("train/masks/tile 3.png", "../../stolen"), "lies elsewhere"),
        (places.MANIFEST, ("gamma(gamma=0.5)", "gamma(gamma=0.7)"), "but the params say gamma"),
        (places.PARAMS, ("source: folder", "source: generated"), "fetch.count is 0"),
        (places.RELEASE, ("  train/masks/tile 3.png", "  train/masks/tile 9.png"), "not what was"),
    ],
)
def test_a_recipe_that_does_not_fit_itself_makes_nothing(
    place: Place, name: str, change: tuple[str, str], message: str
) -> None:
    recipe, source = place("recipe"), place("source")
    relisted(recipe, name, change)
    with pytest.raises(ClearsetError, match=message):
        rebuild(str(recipe), str(source), "made")
    assert not Path("made").exists()


def test_a_target_that_is_there_is_left_alone(place: Place) -> None:
    recipe, source = place("recipe"), place("source")
    Path("made").mkdir()
    with pytest.raises(ClearsetError, match="is there already"):
        rebuild(str(recipe), str(source), "made")
    with pytest.raises(ClearsetError, match="no such folder or zip"):
        rebuild(str(recipe), "nowhere", "other")


def test_a_release_loads_image_by_image(place: Place) -> None:
    loaded = clearset.load_release(place("release"))
    assert len(loaded) == 5
    first = loaded[0]
    assert (first["image_id"], first["split"], first["decision"]) == (
        "train/tile 0",
        "train",
        "repaired",
    )
    assert first["image"].dtype == np.float32
    assert first["image"].shape == first["mask"].shape == (32, 32)
    stored = tifffile.imread("release/train/images/tile 1.tif")
    np.testing.assert_allclose(loaded[1]["image"], stored / 2047, atol=1e-6)
    assert set(np.unique(loaded[1]["mask"])) == {0, 1}
    Path("release/train/images/tile 4.tif").unlink()
    assert len(loaded[:4]) == 4  # nothing was decoded yet
    with pytest.raises(ClearsetError, match=r"tile 4\.tif is missing"):
        loaded[-1]
    with pytest.raises(IndexError):
        loaded[5]


def test_parts_of_a_release_are_chosen_by_name(place: Place) -> None:
    loaded = clearset.load_release(str(place("release")))
    assert len(loaded.select(decision="kept")) == 4
    assert len(loaded.select(split="train", masked=True)) == 4
    assert len(loaded.select(split="train", decision="repaired")) == 1
    with pytest.raises(ClearsetError, match=r"no split is called 'tset'\. Known: train"):
        loaded.select(split="tset")
    frame = loaded.frame
    assert frame.loc[1, "label"].endswith("release/train/images/tile 1.txt")
    assert all(Path(path).is_absolute() for path in frame["output"])


def test_a_pytorch_loader_takes_a_release_as_it_is(place: Place) -> None:
    torch = pytest.importorskip("torch")
    loaded = clearset.load_release(place("release")).select(masked=True)
    (batch,) = torch.utils.data.DataLoader(loaded, batch_size=4)
    assert batch["image"].shape == batch["mask"].shape == (4, 32, 32)
    assert batch["image_id"][0] == "train/tile 0"


def test_what_is_no_release_says_what_it_is(place: Place) -> None:
    with pytest.raises(ClearsetError, match="is a recipe, without pictures"):
        clearset.load_release(place("recipe"))
    with pytest.raises(ClearsetError, match="is no released folder"):
        clearset.load_release(".")
    folder = place("release")
    file = folder / places.MANIFEST
    file.write_text(file.read_text().replace("train/masks/tile 3.png", "../../stolen"))
    with pytest.raises(ClearsetError, match="lies elsewhere"):
        clearset.load_release(folder)


def edited(folder: Path, column: str, cell: str, decision: str = "kept") -> Path:
    """Write a cell into the first row of a manifest that has a decision."""
    file = folder / places.MANIFEST
    with file.open(newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    next(row for row in rows if row["decision"] == decision)[column] = cell
    with file.open("w", newline="", encoding="utf-8") as text:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return file


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("low", "", "column low: .* no range of finite numbers"),
        ("high", "nan", "column low: .* no range of finite numbers"),
        ("high", "inf", "column low: .* no range of finite numbers"),
        ("low", "2047", "column low: 2047.0 is not below high"),
        ("low", "9999", "column low: 9999.0 is not below high"),
        ("high", "wide", r"row \d, column high: 'wide' is no number"),
        ("nodata", "0x", r"row \d, column nodata: '0x' is no number"),
        ("gain", "lots", r"row \d, column gain: 'lots' is no number"),
        ("alpha", "0", "column alpha: '0' is not the number of a band"),
        ("alpha", "-1", "column alpha: '-1' is not"),
        ("shown", "1 2", "column shown: '1 2' is not the numbers of one band or three"),
        ("shown", "1 2 x", "column shown: '1 2 x' is not"),
        ("orientation", "9", "column orientation: '9' is not a number from 1 to 8"),
        ("seen", "disc 1 2", "column seen: 'disc 1 2' is not page, file PATH, or disc"),
        ("seen", "disc 1 2 nan", "column seen: 'disc 1 2 nan' is not"),
        ("seen", "file ../../x", r"column seen: 'file \.\./\.\./x' is not a path below"),
        ("decision", "keep", "column decision: 'keep' is not one of kept, repaired, dropped"),
        ("split", "", "column split: '' is not a name"),
        ("image_id", "", "column image_id: '' is not a name"),
        ("output", "", "column output: .*is empty"),
        ("output", "/etc/hostname", "column output: '/etc/hostname' is not a path below"),
        ("output", "a/../../x", "lies elsewhere"),
        ("output", "a\\x", "lies elsewhere"),
        ("mask", "C:/x", "lies elsewhere"),
        ("label", "../x", "lies elsewhere"),
        ("image_id", "train/tile 0", r"the key \['train/tile 0'\] stands twice"),
        ("reason", "x" * 200_000, "column reason: 'xxx.*' is not below 131072 characters"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused_by_image_and_column(
    place: Place, column: str, cell: str, said: str
) -> None:
    file = edited(place("release"), column, cell)
    with pytest.raises(ClearsetError, match=said) as caught:
        clearset.load_release(file.parent)
    assert str(file) in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\0\1\2\xff" * 99, b"a,b\n1,2\n", b'"', b"image_id" + b",x" * 99]
)
def test_a_manifest_that_is_no_table_is_refused(place: Place, content: bytes) -> None:
    folder = place("release")
    (folder / places.MANIFEST).write_bytes(content)
    with pytest.raises(ClearsetError, match=r"manifest\.csv"):
        clearset.load_release(folder)


def test_an_image_that_a_person_kept_unread_is_not_among_those_loaded(place: Place) -> None:
    folder = place("release")
    count = len(clearset.load_release(folder))
    edited(folder, "reason", "review file: as it is")
    edited(folder, "low", "")
    edited(folder, "high", "")
    assert len(clearset.load_release(folder)) == count - 1


@pytest.mark.parametrize(
    "name",
    [
        "train/images/tile 2.tif",
        "train/masks/tile 2.png",
        "train/images",
        places.MANIFEST,
        places.PARAMS,
        "train/images/tile 1.txt",
    ],
)
def test_a_link_out_of_a_release_is_refused(place: Place, tmp_path: Path, name: str) -> None:
    folder = place("release")
    way = folder / name
    way.rename(tmp_path / "elsewhere")
    way.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ClearsetError, match="is a link that leads out of") as caught:
        clearset.load_release(folder)
    assert name in str(caught.value)
    with pytest.raises(ClearsetError, match=r"missing"):
        verify(str(folder))


def test_a_list_that_is_a_link_is_not_read(place: Place, tmp_path: Path) -> None:
    folder = place("release")
    (folder / checksums.CHECKSUMS).rename(tmp_path / "list")
    (folder / checksums.CHECKSUMS).symlink_to(tmp_path / "list")
    with pytest.raises(ClearsetError, match="is missing, so"):
        verify(str(folder))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", r"params\.yaml is no YAML: while parsing"),
        ("- 1", r"params\.yaml holds a list"),
        ("tiny", r"params\.yaml holds a single value"),
        (
            "a: !!python/object/apply:os.system [id]",
            r"params\.yaml is no YAML: could not determine",
        ),
        ("[" * 9999, r"params\.yaml nests too deep"),
        ("a: &a [*a]", r"params\.yaml stands for more than"),
        ("tiny: {fetch: {layout: {colours: {a: red}}}}", r"colours\.a: red is not \[red, green"),
        ("tiny: {fetch: {layout: {colours: {a: [0, 1, 999]}}}}", r"colours\.a: \[0, 1, 999\]"),
    ],
)
def test_params_that_are_none_are_refused(place: Place, text: str, said: str) -> None:
    folder = place("release")
    (folder / places.PARAMS).write_text(text)
    with pytest.raises(ClearsetError, match=said):
        clearset.load_release(folder)


def test_a_recipe_can_not_ask_for_this_machines_values(place: Place) -> None:
    recipe, source = place("recipe"), place("source")
    relisted(recipe, places.PARAMS, ("Tiny <b>", "${oc.env:HOME}"))
    with pytest.raises(ClearsetError, match=r"asks for values of this machine"):
        rebuild(str(recipe), str(source), "made")
    assert not Path("made").exists()


def records(folder: Path, kind: str) -> list[dict[str, Any]]:
    dataset = mlcroissant.Dataset(folder / places.CROISSANT)
    return [{key.split("/")[-1]: v for key, v in row.items()} for row in dataset.records(kind)]


@pytest.fixture(autouse=True)
def quiet() -> None:
    logging.getLogger("absl").setLevel(logging.ERROR)


def test_croissant_holds_every_row_image_and_mask(place: Place) -> None:
    folder = place("release")
    manifest = tables.read("manifest", folder)
    rows = records(folder, "manifest")
    assert [row["image_id"].decode() for row in rows] == manifest["image_id"].tolist()
    assert list(rows[0]) == list(manifest.columns)
    for kind, column in croissant.KINDS.items():
        found = records(folder, kind)
        present = manifest[manifest[column] != ""].set_index("image_id")
        assert {row["image_id"].decode() for row in found} == set(present.index)
        for row in found:
            path = present.loc[row["image_id"].decode(), column]
            assert row["path"].decode() == path
            assert row[f"{column}_sha256"].decode() == checksums.sha256(folder / path)
            assert row["content"].size == (32, 32)


def test_croissant_is_of_version_1_1_and_of_the_content(place: Place) -> None:
    text = json.loads((place("release") / places.CROISSANT).read_text())
    assert text["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert text["version"].endswith(checksums.sha256(Path("release/manifest.csv"))[:12])
    recipe = json.loads((place("recipe") / places.CROISSANT).read_text())
    assert [file["@id"] for file in recipe["distribution"]] == ["manifest.csv"]
    assert len(records(Path("recipe"), "manifest")) == 6


def test_croissant_refuses_a_manifest_that_was_changed(place: Place) -> None:
    folder = place("release")
    file = folder / places.MANIFEST
    file.write_text(file.read_text().replace("repaired", "kept"))
    with pytest.raises(mlcroissant.GenerationError):
        records(folder, "manifest")


@pytest.mark.parametrize(
    "names",
    [
        (["a/1.png", "a/2.png"], ["b/1.png"]),
        (["1.png", "2.png"], ["masks/1.png"]),
        (["a/1.png"], ["a/1_mask.png"]),
        (["a[b]/1.png", "a[b]/2.png"], ["ab/1.png"]),
        (["a/*.png"], ["a/x.png"]),
    ],
)
def test_patterns_match_the_images_and_no_other_file(names: tuple[list[str], list[str]]) -> None:
    wanted, others = names
    found = croissant.patterns(sorted(wanted), frozenset(wanted + others))
    matching = {path for pattern in found for path in fnmatch.filter(wanted + others, pattern)}
    assert matching == set(wanted)


def test_the_card_tells_the_hub_and_people(place: Place) -> None:
    text = (place("release") / places.README).read_text()
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["license"] == "cc-by-nc-sa-4.0"
    assert front["size_categories"] == ["n<1K"]
    assert front["task_categories"] == ["image-segmentation"]
    assert "# Tiny &#60;b&#62;" in text  # a title is text, not HTML
    assert "| train | 6 | 4 | 1 | 1 | 4 |" in text
    assert "| dark | mean &#60; 40 | enhance | 1 |" in text
    assert "- dark: `gamma(gamma=0.5)`" in text
    assert "- too few" in text
    assert "This is a recipe" not in text
    assert "This is a recipe: it holds no picture" in (place("recipe") / "README.md").read_text()


def test_no_place_of_this_machine_is_released(place: Place, made: Path) -> None:
    for what in ("release", "recipe"):
        folder = place(what)
        for name in places.OWN:
            assert str(made) not in (folder / name).read_text()
        content = yaml.safe_load((folder / places.PARAMS).read_text())
        assert content[DATASET]["fetch"]["path"] == ""
        params.check(DATASET, content[DATASET], "params.yaml")


def test_a_licence_that_the_hub_does_not_know_is_named(made: Path) -> None:
    section = params.check(
        DATASET,
        {"about": {"licence": "Ours"}, "filter": {"dark": {"metric": "mean", "min": 1}}},
        "here",
    )
    manifest, inventory = (
        tables.read(name, made / "data/recipe/tiny") for name in ("manifest", "inventory")
    )
    own = dict(zip(places.OWN, places.OWN, strict=True))
    released = Released(DATASET, section, manifest, inventory, "0" * 64, frozenset(), own)
    text = card(released)
    front = yaml.safe_load(text.split("---\n")[1])
    assert (front["license"], front["license_name"]) == ("other", "Ours")


REPAIRED = "train/images/tile 0.tif"


def compressed_anew(file: Path, change: int = 0, **options: Any) -> None:
    """Write a TIFF with another compression, and its first pixel by `change` levels otherwise."""
    with tifffile.TiffFile(file) as tiff:
        page: Any = tiff.pages.first
        pixels, description = page.asarray(), page.description
    pixels.flat[0] += change
    own: dict[str, Any] = {"metadata": None, "compression": "adobe_deflate"}
    tifffile.imwrite(file, pixels, description=description, **own, **options)


def made_elsewhere(made: Path, change: int = 0) -> None:
    """Make `there` and `recipe` as a machine would that compresses repaired images otherwise."""
    there, recipe = Path("there"), Path("recipe")
    shutil.copytree(made / "data/release/tiny", there)
    manifest, inventory = (tables.read(name, there) for name in ("manifest", "inventory"))
    compressed_anew(there / REPAIRED, change)
    row = manifest["output"] == REPAIRED
    manifest.loc[row, "output_sha256"] = checksums.sha256(there / REPAIRED)
    manifest.loc[row, "output_identity"] = identity(there / REPAIRED)
    inventory.loc[inventory["output"] == REPAIRED, "sha256"] = checksums.sha256(there / REPAIRED)
    for name in (*places.OWN, "rows-train.parquet"):
        (there / name).unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        section = release.provenance(params.load(DATASET))
    releases.write(releases.Record(DATASET, section, manifest, inventory), there, recipe)


def test_the_identities_of_a_release_are_in_its_manifest_its_lists_and_its_recipe(
    place: Place,
) -> None:
    folder, recipe = place("release"), place("recipe")
    listed = checksums.read(folder / checksums.IDENTITIES)
    assert listed == {name: identity(folder / name) for name in listed}
    manifest = tables.read("manifest", folder)
    for kind, names in (("output", 5), ("mask", 4)):
        rows = manifest[manifest[kind] != ""]
        assert rows[f"{kind}_identity"].tolist() == [listed[name] for name in rows[kind]]
        assert len(rows) == names
    assert set(checksums.read(recipe / places.RELEASE)) > {*listed, checksums.IDENTITIES}
    assert checksums.read(recipe / checksums.IDENTITIES) == listed


@pytest.mark.parametrize("name", [REPAIRED, "train/images/tile 1.tif"])
def test_an_image_compressed_anew_is_remarked_and_passes(place: Place, name: str) -> None:
    folder = place("release")
    compressed_anew(folder / name)
    done = verify("release")
    assert "each of 17 files in release is as released\n" in done
    assert f"\n  same pixels, other bytes: 1 file, compressed anew ({name!a})\n" in done
    assert checksums.sha256(folder / checksums.CHECKSUMS) in done


def test_a_mask_compressed_anew_is_remarked_and_passes(place: Place) -> None:
    file = place("release") / "train/masks/tile 3.png"
    Image.open(file).save(file, compress_level=1)
    assert "1 file, compressed anew ('train/masks/tile 3.png')" in verify("release")


@pytest.mark.parametrize(
    "options", [{"change": 1}, {"extratags": [(42113, "s", 0, "7", True)]}, {"resolution": (3, 3)}]
)
def test_one_level_of_one_pixel_or_one_tag_does_not_pass(
    place: Place, options: dict[str, Any]
) -> None:
    folder = place("release")
    compressed_anew(folder / REPAIRED, **options)
    compressed_anew(folder / "train/images/tile 1.tif")
    with pytest.raises(ClearsetError) as caught:
        verify("release")
    assert f"1 file is not as released (changed):\n  changed: {REPAIRED!a}\n" in str(caught.value)
    assert "other bytes: 1 file, compressed anew ('train/images/tile 1.tif')" in str(caught.value)


def test_a_rebuild_to_the_same_pixels_in_other_bytes_is_the_release_with_a_remark(
    place: Place, made: Path
) -> None:
    made_elsewhere(made)
    said = rebuild("recipe", str(place("source")), "made")
    assert "each of 17 files is what was released, every pixel is the same\n" in said
    assert f"  same pixels, other bytes: 1 file, compressed anew ({REPAIRED!a})\n" in said
    before, after = contents(Path("there")), contents(Path("made"))
    assert {name for name in before if before[name] != after[name]} == {REPAIRED}
    assert set(before) == set(after)
    assert f"content {checksums.sha256(Path('there') / checksums.CHECKSUMS)}" in said
    assert f"1 file, compressed anew ({REPAIRED!a})" in verify("made")


def test_a_rebuild_to_one_other_pixel_is_none(place: Place, made: Path) -> None:
    made_elsewhere(made, change=1)
    with pytest.raises(ClearsetError, match=r"not what was released: .*tile 0.tif \(changed\)\."):
        rebuild("recipe", str(place("source")), "made")
    assert not Path("made").exists()


def test_originals_are_copied_byte_for_byte_from_the_source_alone(place: Place) -> None:
    source = place("source")
    compressed_anew(source / "train/images/tile 1.tif")
    with pytest.raises(ClearsetError, match=r"1 with other bytes \(train/images/tile 1\.tif\)"):
        rebuild(str(place("recipe")), str(source), "made")
