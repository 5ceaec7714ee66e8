"""The U-Net: shapes, learning, the same again. Skips where torch, an extra, is not installed."""

import numpy as np
import pytest

from clearset.config.schema_train import Augment, Unet
from clearset.train.segmentation import scores
from test_segmentation import CLASSES, lines

torch = pytest.importorskip("torch", reason="torch is an extra: make train installs it")
from clearset.train import unet  # noqa: E402

SMALL = Unet(width=8, steps=100, crop=64, batch=2, rate=0.01)


@pytest.fixture(scope="module")
def weights() -> unet.Weights:
    """Trained on one tiny image."""
    image, truth = lines(64, 0)
    return unet.fit([image], [truth], settings=SMALL, augment=None, seed=0, count=3)


def test_it_is_small() -> None:
    net = unet.Net(Unet().width, 3)
    assert sum(value.numel() for value in net.parameters()) <= 500_000


def test_it_learns_one_image_by_heart(weights: unet.Weights) -> None:
    image, truth = lines(64, 0)
    found = scores(truth, unet.predict(weights, image), list(CLASSES))
    assert min(float(row["dice"]) for row in found) > 0.85


@pytest.mark.parametrize("shape", [(64, 64), (65, 79), (33, 47), (10, 10)])
def test_every_size_gets_a_label_a_pixel(weights: unet.Weights, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).random(shape)
    found = unet.predict(weights, image)
    assert found.shape == shape
    assert found.dtype == np.uint8
    assert found.max() <= 2


def test_light_that_is_wrong_everywhere_alike_changes_nothing(weights: unet.Weights) -> None:
    image, _ = lines(64, 1)
    found, darker = (unet.predict(weights, image * gain) for gain in (1, 0.25))
    assert (found == darker).mean() > 0.999


def test_the_same_seed_gives_the_same_weights_and_another_gives_others() -> None:
    image, truth = lines(64, 0)
    settings = Unet(width=4, steps=3, crop=64, batch=2, rate=0.01)
    made = [
        unet.fit([image], [truth], settings=settings, augment=Augment(), seed=seed, count=3)
        for seed in (0, 0, 1)
    ]
    names = list(made[0])
    assert all(np.array_equal(made[0][name], made[1][name]) for name in names)
    assert not all(np.array_equal(made[0][name], made[2][name]) for name in names)


def test_training_leaves_torch_as_it_was() -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    with unet.repeatable(5):
        torch.rand(3)
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("augment", [None, Augment()])
def test_labels_stay_on_their_lines(augment: Augment | None) -> None:
    image, truth = lines(96, 0)
    settings = Unet(width=4, steps=1, crop=64, batch=6, rate=0.01)
    squares, truths = unet.batch([image], [truth], settings, augment, np.random.default_rng(2))
    assert squares.shape == (6, 1, 64, 64)
    assert truths.shape == (6, 64, 64)
    for square, labels in zip(squares[:, 0], truths, strict=True):
        means = [square[labels == label].mean() for label in range(3)]
        assert means[0] > means[1] > means[2]


def test_a_crop_larger_than_the_smallest_image_is_that_image() -> None:
    made = [lines(side, 0) for side in (90, 70)]
    settings = Unet(width=4, steps=1, crop=384, batch=3, rate=0.01)
    images, truths = zip(*made, strict=True)
    squares, _ = unet.batch(images, truths, settings, None, np.random.default_rng(0))
    assert squares.shape == (3, 1, 64, 64)
