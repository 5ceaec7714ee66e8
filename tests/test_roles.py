"""What is what in data sets as people keep them: by names and looks, each of a known kind."""

from collections import Counter
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from clearset.config.schema_fetch import Layout
from clearset.sources import kinds, layouts, names, roles
from clearset.sources.entries import Entry
from clearset.sources.glances import Glance
from clearset.sources.roles import Part
from clearset.store.errors import ClearsetError

PICTURES = {".png", ".jpg", ".tif", ".gif", ".ppm", ".bmp", ".jpeg"}
FULL = np.ones((64, 64), bool)
Looks = dict[str, str]  # by place: photo, grey (a photo without colour), drawn, field, text


def glance(look: str, number: int) -> Glance | None:
    """Return what a picture of a kind looks like; drawings differ, fields do not."""
    if look == "broken":
        return None
    marked = FULL.copy()
    if look == "drawn":
        marked = np.random.default_rng(number).random((64, 64)) < 0.2
    if look == "field":
        marked[:, :12] = marked[:, -12:] = False
    light = np.where(np.arange(64) < 12, 0.0, 100.0)[None] * np.ones((64, 1))
    light[:, -12:] = 0
    return Glance(64, 64, look in ("drawn", "field"), look == "photo", marked, light)


def assigned(looks: Looks, layout: Layout | None = None) -> list[Part]:
    seen = {Path(place): glance(look, n) for n, (place, look) in enumerate(looks.items())}
    entries = [Entry(PurePosixPath(place), Path(place)) for place in looks]
    return roles.assigned(
        entries, layout or Layout(), lambda e: e.place.suffix.lower() in PICTURES, seen.__getitem__
    )


def used(looks: Looks, layout: Layout | None = None) -> tuple[str, str]:
    """Return which kind is measured and which shows the field of view."""
    seen = {Path(place): glance(look, n) for n, (place, look) in enumerate(looks.items())}
    parts = assigned(looks, layout)
    return kinds.choice(parts, layouts.whole(layout or Layout()), seen.__getitem__)


def owners(parts: list[Part], role: str) -> dict[str, list[str]]:
    return {
        str(part.entry.place): [str(image) for image in part.images]
        for part in parts
        if part.role == role
    }


def both(folder: str, second: str, look: str = "drawn", stems: str = "ab") -> Looks:
    """Return photographs in a folder, and something that goes with each by a pattern."""
    photos = {f"{folder}/{name}.jpg": "photo" for name in stems}
    return photos | {second.replace("{}", name): look for name in stems}


PAIRED = {
    "beside": both("p", "p/{}_mask.tif"),
    "beside, in capitals": both("p", "p/{}_MASK.png"),
    "beside, by another word": both("p", "p/{}_Segmentation.png"),
    "beside, by an unknown word": both("p", "p/{}_drawnbyme.png"),
    "beside, by suffix alone": both("p", "p/{}.png"),
    "beside, word first": both("p", "p/mask_{}.png"),
    "with a dot": both("p", "p/{}.ah.ppm"),
    "numbered": both("p", "p/{}_mask_1.png"),
    "sibling": both("images", "masks/{}.png"),
    "sibling, marked too": both("images", "mask/{}_mask.gif"),
    "sibling of unknown name": both("Original", "Outcome/{}.png"),
    "sibling of two words": both("data/Original", "data/Ground Truth/{}.png"),
    "child": both("images", "images/masks/{}.png"),
    "split above": both("train/images", "train/labels/{}.png"),
    "split below": both("images/train", "annotations/train/{}.png"),
    "split in the name": both("train", "train_masks/{}_mask.gif"),
    "parallel trees": both("rgb/site/day", "gt/site/day/{}.png"),
    "grey annotations of photographs": both("images", "mask/{}.png", "grey"),
    "soft annotations by a sure word": both(
        "images", "p/{}_mask.png".replace("p/", "images/"), "grey"
    ),
    "broken annotations": both("images", "masks/{}.png", "broken"),
    "CHASE_DB1": both("c", "c/{}_1stHO.png"),
    "ISIC": both("ISIC_Training_Input", "ISIC_Training_GroundTruth/{}_segmentation.png"),
    "nnU-Net": {"imagesTr/a_0000.png": "photo", "imagesTr/b_0000.png": "photo"}
    | {"labelsTr/a.png": "drawn", "labelsTr/b.png": "drawn"},
    "DRIVE": {
        "training/images/21_training.tif": "photo",
        "training/images/22_training.tif": "photo",
    }
    | {
        "training/1st_manual/21_manual1.gif": "drawn",
        "training/1st_manual/22_manual1.gif": "drawn",
    },
    "Cityscapes": {f"leftImg8bit/train/aachen/{n}_leftImg8bit.png": "photo" for n in "ab"}
    | {f"gtFine/train/aachen/{n}_gtFine_labelIds.png": "drawn" for n in "ab"},
    "a name that says no more": {f"{n}/image.png": "photo" for n in "ab"}
    | {f"{n}/mask.png": "drawn" for n in "ab"},
    "numbers behind the words": both("p", "p/mask_{}.png", stems="01"),
    "a folder of many words": both("1. Original", "2. All Segmentation Groundtruths/x/{}_MA.tif"),
    "an unknown word behind, elsewhere": both("images", "finished/{}_kidney.png"),
    "a folder before": both("images/site", "tumour/site/{}.png"),
    "folders before": both("p1/2020", "results/final/p1/2020/{}.png"),
    "far away": both("images", "work/anna/done/{}.png"),
    "numbers with zeros": both("img", "mask-anno/0/0000{}_skin.png", stems="12"),
    "split and word in one": both("train", "trainannot/{}.png"),
    "VOC": both("VOC2012/JPEGImages", "VOC2012/SegmentationClass/{}.png"),
}


@pytest.mark.parametrize("name", PAIRED)
def test_annotations_go_with_the_image_of_their_name(name: str) -> None:
    looks = PAIRED[name]
    images = [place for place, look in looks.items() if look == "photo"]
    parts = assigned(looks)
    assert owners(parts, "image") == {image: [] for image in images}
    annotations = owners(parts, "annotation")
    assert sorted(annotations.values()) == [[image] for image in images]
    measured, seen = used(looks)
    assert measured
    assert seen == ""


ALL_IMAGES = {
    "classes that end in a word for masks": {
        f"{folder}/{n:03d}.png": "photo"
        for folder in ("with_mask", "without_mask")
        for n in range(3)
    },
    "classes that are a word for masks": {
        f"{folder}/{n:03d}.png": "photo" for folder in ("mask", "no mask") for n in range(3)
    },
    "bilevel scans": {f"scans/{n}.png": "drawn" for n in range(3)},
    "grey classes that are a word for masks": {
        f"{folder}/{n}.png": "grey" for folder in ("mask", "nomask") for n in range(3)
    },
    "two sets of drawings": {f"{folder}/{n}.png": "drawn" for folder in "ab" for n in range(3)},
    "left and right": {f"{n}_{side}.png": "photo" for n in range(3) for side in "lr"},
    "numbered in the same folder": {f"{name}.png": "photo" for name in ("p", "p_1", "p_2")},
    "a folder called labels around all": {f"labels/{n}.png": "photo" for n in range(3)},
}


@pytest.mark.parametrize("name", ALL_IMAGES)
def test_what_goes_with_no_image_and_looks_like_none_is_an_image(name: str) -> None:
    assert Counter(part.role for part in assigned(ALL_IMAGES[name])) == {
        "image": len(ALL_IMAGES[name])
    }


def test_what_looks_like_an_annotation_and_has_no_image_is_not_touched() -> None:
    looks = both("images", "masks/{}.png") | {"masks/c.png": "drawn", "images/d.jpg": "photo"}
    (stray,) = [part for part in assigned(looks) if part.entry.place.name == "c.png"]
    assert (stray.role, stray.reason) == (roles.COMPANION, roles.ALONE)


def test_several_annotations_of_one_image_in_a_folder_of_its_own() -> None:
    looks = {f"stage1_train/{one}/images/{one}.png": "photo" for one in ("x1", "x2")} | {
        f"stage1_train/{one}/masks/{n}.png": "drawn" for one in ("x1", "x2") for n in ("q", "r")
    }
    annotations = owners(assigned(looks), "annotation")
    assert {mask.split("/")[1] for mask in annotations} == {"x1", "x2"}
    assert all(image[0].split("/")[1] == mask.split("/")[1] for mask, image in annotations.items())


def drive(seen: str = "field") -> Looks:
    looks: Looks = {}
    for part, numbers in (("training", (21, 22, 23)), ("test", (1, 2, 3))):
        for n in numbers:
            looks[f"{part}/images/{n:02d}_{part}.tif"] = "photo"
            looks[f"{part}/1st_manual/{n:02d}_manual1.gif"] = "drawn"
            looks[f"{part}/mask/{n:02d}_{part}_mask.gif"] = seen
            if part == "test":
                looks[f"{part}/2nd_manual/{n:02d}_manual2.gif"] = "drawn"
    return looks


def test_the_kind_that_is_one_for_all_is_the_field_of_view_and_the_other_is_measured() -> None:
    assert used(drive()) == ("1st_manual", "mask")
    assert used(drive("drawn")) == ("1st_manual", "")  # differs: no field of view
    assert used(drive(), Layout(measured="2nd_manual")) == ("2nd_manual", "mask")
    assert used(drive(), Layout(name="drive")) == ("1st_manual", "mask")
    with pytest.raises(ClearsetError, match="Kinds found: 1st_manual, 2nd_manual, mask"):
        used(drive(), Layout(measured="vessels"))


def test_an_annotation_that_could_be_of_either_image_goes_along_with_both() -> None:
    looks = {"cat/1.jpg": "photo", "dog/1.jpg": "photo", "masks/1.png": "drawn"}
    (part,) = [part for part in assigned(looks) if part.role == "annotation"]
    assert [str(image) for image in part.images] == ["cat/1.jpg", "dog/1.jpg"]
    assert part.reason == roles.EITHER
    assert used(looks) == ("", "")  # and is measured against neither


def test_one_name_in_two_cases_is_of_its_own_case() -> None:
    looks = {f"images/{n}.jpg": "photo" for n in ("Ab", "aB")}
    looks |= {f"masks/{n}.png": "drawn" for n in ("Ab", "aB")}
    annotations = owners(assigned(looks), "annotation")
    assert annotations == {f"masks/{n}.png": [f"images/{n}.jpg"] for n in ("Ab", "aB")}


def test_predictions_beside_masks_are_annotations_too() -> None:
    looks = both("images", "masks/{}.png") | {f"mine/{n}.png": "drawn" for n in "ab"}
    assert set(owners(assigned(looks), "image")) == {"images/a.jpg", "images/b.jpg"}
    assert used(looks)[0] == "masks"  # what a usual word names comes first


def test_of_several_kinds_that_share_a_folder_each_is_its_own() -> None:
    looks = both("images", "masks/anna/{}.png") | {f"masks/bert/{n}.png": "drawn" for n in "ab"}
    assert {part.kind for part in assigned(looks)} == {"", "anna", "bert"}
    marked = both("images", "my masks/{}.png") | {f"my masks/{n}_old.png": "drawn" for n in "ab"}
    assert {part.kind for part in assigned(marked)} == {"", "my masks", "old"}


def test_one_kind_has_one_name_in_all_splits_and_of_all_images() -> None:
    looks = both("train", "train_labels/{}_L.png") | both("val", "val_labels/{}_L.png", stems="cd")
    assert {part.kind for part in assigned(looks)} == {"", "labels"}
    own = {f"IMD{n}/IMD{n}_Image/IMD{n}.bmp": "photo" for n in (1, 2)}
    own |= {f"IMD{n}/IMD{n}_lesion/IMD{n}_lesion.bmp": "drawn" for n in (1, 2)}
    assert {part.kind for part in assigned(own)} == {"", "lesion"}


@pytest.mark.parametrize(
    ("folder", "look"), [("gt", "photo"), ("depth", "grey"), ("gt_depth", "drawn")]
)
def test_what_is_no_classes_goes_along_and_is_not_measured(folder: str, look: str) -> None:
    looks = both("rgb", f"{folder}/{{}}.png", look)
    assert set(owners(assigned(looks), "annotation")) == {f"{folder}/{n}.png" for n in "ab"}
    assert used(looks) == ("", "")


def test_several_of_one_kind_an_image_are_not_measured() -> None:
    looks = {f"{one}/images/{one}.png": "photo" for one in ("x1", "x2")}
    looks |= {f"{one}/masks/{n}.png": "drawn" for one in ("x1", "x2") for n in ("q", "r")}
    assert used(looks) == ("", "")


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        ("train2017", "train"),
        ("imagesTs", "test"),
        ("BraTS20_001", "all"),
        ("images_dev", "val"),
        ("trainannot", "train"),
    ],
)
def test_a_split_is_a_word_of_its_own(folder: str, split: str) -> None:
    assert names.split([folder]) == split


def test_one_image_in_two_formats_shares_its_annotation() -> None:
    looks = {"images/1.jpg": "photo", "images/1.tif": "photo", "masks/1.png": "drawn"}
    assert owners(assigned(looks), "annotation") == {
        "masks/1.png": ["images/1.jpg", "images/1.tif"]
    }


def test_labels_go_with_their_image_and_lists_with_the_whole_set() -> None:
    looks = {f"images/train/{n:04d}.jpg": "photo" for n in range(3)}
    texts = [f"labels/train/{n:04d}.txt" for n in range(3)]
    lists = ["data.yaml", "classes.txt", "annotations/instances.json", "LICENSE", "metadata.csv"]
    beside = ["images/train/0000.jgw", "images/train/0001.jpg.aux.xml"]
    parts = assigned(looks | dict.fromkeys([*texts, *lists, *beside], "text"))
    assert set(owners(parts, "label")) == {*texts, *beside}
    assert all(len(own) == 1 for own in owners(parts, "label").values())
    assert set(owners(parts, "companion")) == set(lists)


def test_a_layout_has_the_last_word() -> None:
    looks = both("images", "masks/{}.png")
    every = Layout(images=["**/*"])
    assert len(owners(assigned(looks, every), "image")) == 4
    turned = Layout(images=["masks/*"], annotations={"photo": "images/*"})
    assert set(owners(assigned(looks, turned), "image")) == {"masks/a.png", "masks/b.png"}
    apart = Layout(companions=["masks/**"])
    assert set(owners(assigned(looks, apart), "companion")) == {"masks/a.png", "masks/b.png"}


def test_an_unknown_layout_names_the_known_ones() -> None:
    with pytest.raises(ClearsetError, match=r"'vok'. Known: chase_db1, coco, drive, hrf"):
        layouts.whole(Layout(name="vok"))


KNOWN: dict[str, tuple[Looks, int, set[str]]] = {
    "voc": (
        both("VOC/JPEGImages", "VOC/SegmentationClass/{}.png")
        | {"VOC/SegmentationObject/a.png": "drawn", "VOC/ImageSets/train.txt": "text"},
        2,
        {"SegmentationClass", "SegmentationObject"},
    ),
    "coco": (
        {f"train2017/{n}.jpg": "photo" for n in "ab"}
        | {"annotations/instances_train2017.json": "text"}
        | {f"stuffthingmaps/train2017/{n}.png": "drawn" for n in "ab"},
        2,
        {"stuff"},
    ),
    "yolo": (both("images/train", "labels/train/{}.txt", "text"), 2, set()),
    "drive": (drive(), 6, {"1st_manual", "2nd_manual", "mask"}),
    "hrf": (
        both("images", "manual1/{}.tif") | {f"mask/{n}_mask.tif": "field" for n in "ab"},
        2,
        {"manual1", "mask"},
    ),
    "chase_db1": (
        {f"Image_0{n}L.jpg": "photo" for n in (1, 2)}
        | {f"Image_0{n}L_{who}HO.png": "drawn" for n in (1, 2) for who in ("1st", "2nd")},
        2,
        {"1stHO", "2ndHO"},
    ),
    "isic": (
        {f"in/ISIC_{n}.jpg": "photo" for n in (1, 2)}
        | {f"in/ISIC_{n}_superpixels.png": "photo" for n in (1, 2)}
        | {f"truth/ISIC_{n}_segmentation.png": "drawn" for n in (1, 2)},
        2,
        {"superpixels", "segmentation"},
    ),
    "imagefolder": ({f"{c}/mask/{n}.png": "drawn" for c in "ab" for n in range(2)}, 4, set()),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_layouts_are_read_as_their_makers_keep_them(name: str) -> None:
    looks, images, annotated = KNOWN[name]
    parts = assigned(looks, layouts.whole(Layout(name=name)))
    assert len(owners(parts, "image")) == images
    found = {part.kind for part in parts if part.role == "annotation"}
    assert found == annotated
    assert all(part.images for part in parts if part.role == "annotation")
    assert len(parts) == len(looks)


@pytest.mark.parametrize("name", sorted(set(KNOWN) - {"imagefolder", "isic"}))
def test_most_known_layouts_need_no_name(name: str) -> None:
    looks, images, _ = KNOWN[name]
    assert len(owners(assigned(looks), "image")) == images
