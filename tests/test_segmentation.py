"""Labels, eyes, folds and scores: who is held out, and how right an answer is."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clearset.config.schema_train import Augment, Classifier
from clearset.store.errors import ClearsetError
from clearset.train import augmentation, classifier, segmentation
from clearset.train.segmentation import Image, Labels

CLASSES = {"artery": 128, "vein": 255}


def listed(**changes: list[str]) -> pd.DataFrame:
    columns = {
        "image_id": ["a", "b", "c", "d"],
        "mask": ["a.png", "b.png", "c.png", ""],
        "pixels_sha256": ["1", "1", "2", "3"],
        "error": [""] * 4,
    }
    return pd.DataFrame(columns | changes)


def lines(side: int, seed: int) -> tuple[Image, Labels]:
    """A trivial task: two dark classes, the second darker, on noise."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((side, side), np.uint8)
    for row in range(4, side - 4, 16):
        labels[row : row + 3] = 1 + (row // 16) % 2
    return (0.7 - 0.2 * labels + rng.normal(0, 0.02, labels.shape)), labels


def test_a_mask_becomes_labels_in_the_order_of_the_classes() -> None:
    mask = np.array([[0, 128], [255, 7]], np.uint8)
    assert segmentation.labels(mask, CLASSES).tolist() == [[0, 1], [2, 0]]


def test_the_same_pixels_are_one_eye_and_are_taken_once() -> None:
    assert segmentation.eyes(listed(), []).to_dict() == {"a": "a", "b": "a", "c": "c"}
    assert segmentation.unique(listed()) == ["a", "c"]
    assert segmentation.unique(listed(error=["broken", "", "", ""])) == ["b", "c"]


def test_images_known_to_show_one_eye_are_one_eye_with_all_their_copies() -> None:
    assert set(segmentation.eyes(listed(), [["c", "b"]])) == {"a"}
    chained = segmentation.eyes(listed(), [["c", "d"], ["d", "a"]])
    assert chained.to_dict() == dict.fromkeys("abc", "a")


def test_an_unknown_name_of_an_eye_is_an_error() -> None:
    with pytest.raises(ClearsetError, match=r"same_eye names \['z'\]: no readable image"):
        segmentation.eyes(listed(), [["a", "z"]])


@pytest.mark.parametrize("count", [2, 3, 5])
def test_every_eye_is_held_out_once_and_folds_are_alike_in_size(count: int) -> None:
    names = [f"eye{number}" for number in range(22)]
    drawn = segmentation.folds(names * 2, count, 0)
    sizes = np.bincount(list(drawn.values()), minlength=count)
    assert sorted(drawn) == sorted(names)
    assert sizes.max() - sizes.min() <= 1
    assert drawn == segmentation.folds(names[::-1], count, 0)
    assert drawn != segmentation.folds(names, count, 1)


def test_more_folds_than_eyes_is_an_error() -> None:
    with pytest.raises(ClearsetError, match=r"folds is 3, but only 2 eyes have masks"):
        segmentation.folds(["a", "b"], 3, 0)


def test_scores_by_hand() -> None:
    truth = np.array([[1, 1, 2, 0]], np.uint8)
    found = np.array([[1, 2, 2, 0]], np.uint8)
    rows = {row["class"]: row for row in segmentation.scores(truth, found, list(CLASSES))}
    assert rows["artery"]["dice"] == pytest.approx(2 / 3)
    assert rows["artery"]["jaccard"] == pytest.approx(1 / 2)
    assert rows["vein"]["dice"] == pytest.approx(2 / 3)
    assert rows["vessel"]["dice"] == rows["vessel"]["jaccard"] == 1


def test_jaccard_is_what_dice_says_and_background_alone_counts_for_nothing() -> None:
    rng = np.random.default_rng(0)
    truth, found = (rng.integers(0, 3, (30, 30)).astype(np.uint8) for _ in range(2))
    for number, row in enumerate(segmentation.scores(truth, found, list(CLASSES)), start=1):
        one, two = ((plane == number if number < 3 else plane > 0) for plane in (truth, found))
        assert row["jaccard"] == pytest.approx((one & two).sum() / (one | two).sum())
    empty = np.zeros_like(truth)
    assert {row["dice"] for row in segmentation.scores(truth, empty, list(CLASSES))} == {0}
    assert {row["dice"] for row in segmentation.scores(empty, empty, list(CLASSES))} == {1}


def test_the_ceiling_is_one_annotation_by_the_other() -> None:
    _, truth = lines(64, 0)
    masks = {"a": truth, "b": np.roll(truth, 1, 0), "c": truth}
    table = segmentation.ceiling(listed(), masks, list(CLASSES)).set_index("class")
    assert set(table["image_id"] + table["other_id"]) == {"ab"}
    assert table["dice"].to_dict() == pytest.approx(dict.fromkeys(table.index, 2 / 3))
    assert segmentation.ceiling(listed(), {"c": truth}, list(CLASSES)).empty


def test_augmentation_moves_no_pixel_and_stays_in_range() -> None:
    image, labels = lines(96, 0)
    for seed in range(20):
        varied = augmentation.varied(image, Augment(), np.random.default_rng(seed))
        assert varied.shape == image.shape
        assert varied.dtype == np.float64
        assert 0 <= varied.min() <= varied.max() <= 1
        means = [varied[labels == label].mean() for label in range(3)]
        assert means[0] > means[1] > means[2]


def test_no_range_changes_nothing_and_the_same_draw_gives_the_same_change() -> None:
    image, _ = lines(64, 0)
    still = Augment(blur=0, exposure=0, contrast=1, gamma=1)
    first, again = (
        augmentation.varied(image, Augment(), np.random.default_rng(3)) for _ in range(2)
    )
    assert np.allclose(augmentation.varied(image, still, np.random.default_rng(0)), image)
    assert np.array_equal(first, again)


def test_every_second_image_is_blurred() -> None:
    image = np.random.default_rng(0).random((64, 64))
    only = Augment(blur=2, exposure=0, contrast=1, gamma=1)
    rng = np.random.default_rng(0)
    spread = np.array([augmentation.varied(image, only, rng).std() for _ in range(400)])
    # a sigma below 0.2 px, of the largest of 2, changes nothing that is seen
    assert 0.37 < np.mean(spread < 0.98 * image.std()) < 0.53


def test_an_image_and_its_labels_are_turned_alike() -> None:
    image, labels = lines(32, 0)
    ways = [augmentation.turned(image, way) for way in range(8)]
    for way, turned in enumerate(ways):
        assert np.array_equal(turned < 0.4, augmentation.turned(image < 0.4, way))
        assert (augmentation.turned(labels, way) == 2).sum() == (labels == 2).sum()
    assert len({way.tobytes() for way in ways}) == 8


def test_features_have_the_image_s_shape_and_move_with_it() -> None:
    image, _ = lines(160, 0)
    known = classifier.features(image)
    moved = classifier.features(np.roll(image, (6, 9), (0, 1)))
    assert known.shape[:2] == image.shape
    assert known.dtype == np.float32
    assert np.isfinite(known).all()
    inside = np.s_[75:85, 75:85]  # no edge is felt there
    assert np.allclose(known[inside], np.roll(moved, (-6, -9), (0, 1))[inside], atol=1e-4)
    assert np.isfinite(classifier.features(np.full((20, 30), 0.5))).all()


def least_dice(image: Image, truth: Labels, augment: Augment | None) -> float:
    """The lowest Dice of a class, of a classifier that learnt two other images."""
    images, labels = zip(*(lines(96, seed) for seed in range(2)), strict=True)
    settings = Classifier(pixels=300, trees=10, rate=0.3, stride=2)
    model = classifier.fit(images, labels, settings=settings, augment=augment, seed=1)
    found = classifier.predict(model, classifier.features(image))
    assert found.shape == (48, 48)
    scores = segmentation.scores(truth[::2, ::2], found, list(CLASSES))
    return min(float(row["dice"]) for row in scores)


def test_the_classifier_learns_what_is_plain_and_gives_the_same_again() -> None:
    image, truth = lines(96, 9)
    found = [least_dice(image, truth, None) for _ in range(2)]
    assert found[0] == found[1] > 0.9


def test_augmentation_teaches_the_classifier_to_bear_other_light() -> None:
    image, truth = lines(96, 9)
    dark = image * 0.6
    assert least_dice(image, truth, Augment()) > 0.8
    assert least_dice(dark, truth, Augment()) > least_dice(dark, truth, None) + 0.05


def test_what_can_not_be_told_is_taken_for_what_is_common() -> None:
    rng = np.random.default_rng(0)
    image, truth = rng.random((96, 96)), (rng.random((96, 96)) < 0.05).astype(np.uint8)
    settings = Classifier(pixels=400, trees=3, rate=0.1, stride=1)
    model = classifier.fit([image], [truth], settings=settings, augment=None, seed=0)
    found = classifier.predict(model, classifier.features(rng.random((96, 96))))
    assert (found > 0).mean() < 0.1


def test_a_label_that_no_pixel_has_is_no_answer_and_no_error() -> None:
    image, truth = lines(64, 0)
    truth = np.minimum(truth, 1)
    settings = replace(Classifier(), pixels=50, trees=3, stride=3)
    model = classifier.fit([image], [truth], settings=settings, augment=None, seed=0)
    found = classifier.predict(model, classifier.features(image))
    assert found.shape == (22, 22)
    assert set(np.unique(found)) <= {0, 1}
