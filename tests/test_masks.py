"""Masks: shares by hand, unknown values, agreement with the image."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from clearset.generate.retina import synthesis
from clearset.measure.masks import measure_mask
from clearset.measure.vessels import agreement
from clearset.numeric.grey import Grey, of_unit

CLASSES = (128, 255)


def noise(shape: tuple[int, int]) -> Grey:
    return of_unit(np.random.default_rng(0).random(shape))


def mask_of(*values: int, dtype: type = np.uint8) -> npt.NDArray[np.integer]:
    """Return a mask of 20 x 10 pixels that begins with these values and is 0 elsewhere."""
    mask: npt.NDArray[np.integer] = np.zeros((20, 10), dtype)
    mask.flat[: len(values)] = values
    return mask


@pytest.mark.parametrize(
    ("values", "classes", "share", "unknown"),
    [
        ((128, 255, 128, 255), CLASSES, 0.02, 0.0),
        ((128, 255, 7, 9), CLASSES, 0.02, 0.5),
        ((1, 1, 1, 128), CLASSES, 0.02, 0.75),
        ((255,), (128,), 0.005, 1.0),
        ((1, 2, 3, 4, 5), (), 0.025, 0.0),  # no class is named: every value is known
        ((128,) * 200, CLASSES, 1.0, 0.0),
    ],
)
def test_shares_by_hand(
    values: tuple[int, ...], classes: tuple[int, ...], share: float, unknown: float
) -> None:
    found = measure_mask(noise((20, 10)), mask_of(*values), classes)
    assert (found["mask_share"], found["mask_unknown"]) == (share, unknown)


@pytest.mark.parametrize("classes", [CLASSES, ()])
def test_an_empty_mask_covers_nothing_knows_all_and_agrees_with_nothing(
    classes: tuple[int, ...],
) -> None:
    found = measure_mask(noise((20, 10)), mask_of(), classes)
    assert (found["mask_share"], found["mask_unknown"]) == (0, 0)
    assert math.isnan(found["mask_agreement"])


def test_background_is_never_unknown() -> None:
    known = measure_mask(noise((20, 10)), mask_of(128), (0, 128))
    assert (
        known["mask_unknown"] == measure_mask(noise((20, 10)), mask_of(128), (128,))["mask_unknown"]
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64])
def test_the_type_of_the_mask_does_not_matter(dtype: type) -> None:
    found = measure_mask(noise((20, 10)), mask_of(128, 255, 3, dtype=dtype), CLASSES)
    assert found == measure_mask(noise((20, 10)), mask_of(128, 255, 3), CLASSES)


def test_every_kind_of_collection_names_classes() -> None:
    mask, image = mask_of(128, 255, 3), noise((20, 10))
    dictionary = {"artery": 128, "vein": 255}
    for classes in ([128, 255], {128, 255}, dictionary.values()):
        assert measure_mask(image, mask, classes) == measure_mask(image, mask, CLASSES)


def test_an_eyes_own_mask_is_measured_and_left_alone() -> None:
    shown, mask = synthesis.eye(np.random.default_rng(0), 128)
    image = of_unit(shown)
    mask.flags.writeable = image.levels.flags.writeable = False
    assert measure_mask(image, mask, CLASSES) == {
        "mask_share": (mask > 0).mean(),
        "mask_unknown": 0,
        "mask_agreement": agreement(image, mask),
    }


def test_the_mask_of_another_eye_agrees_less() -> None:
    (image, own), (_, other) = (synthesis.eye(np.random.default_rng(seed), 128) for seed in (0, 1))
    found = [measure_mask(of_unit(image), mask, CLASSES)["mask_agreement"] for mask in (own, other)]
    assert found[0] > 0.7 > found[1]
