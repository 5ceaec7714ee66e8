"""A classifier of single pixels: multi-scale features, then boosted trees.

It sees grey levels as they are: an image that is darker or softer than those that it learnt from
is a stranger to it. So it is the model that a repair can help most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from clearset.config.schema_train import Augment, Classifier
from clearset.train.augmentation import varied

Image = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]  # half the memory, and all that boosted trees look at
Labels = npt.NDArray[np.uint8]
SIGMAS = (1.0, 2.0, 4.0, 8.0)  # px: lines of about 2 to 25 px
AROUND = 25.0  # px: sigma of what a place is compared with
NEAR = (4.0, 10.0)  # px: sigmas of what lies near a place
COPIES = 3  # of each image where augmentation is on: as it is, and varied in two ways


@dataclass(frozen=True)
class Fitted:
    """A trained classifier, and what each label's chance is to be multiplied by."""

    model: Any
    priors: npt.NDArray[np.float64]
    stride: int


def features(image: Image) -> Features:
    """Return what is known of each pixel, (h, w, features).

    Its value, its value by the mean and spread around it; at each scale the smoothed value, the
    gradient and both eigenvalues of the Hessian, scale-normalised (Lindeberg, 1998,
    doi:10.1023/A:1008097225773); and how strong and how dark the lines near it are, since veins
    are darker than arteries.
    """
    mean = ndimage.gaussian_filter(image, AROUND, truncate=2)
    square = ndimage.gaussian_filter(image * image, AROUND, truncate=2)
    spread = np.sqrt(np.maximum(square - mean * mean, 1e-6))
    relative = (image - mean) / spread
    planes, strongest = [image, mean, relative], np.zeros_like(image)
    for sigma in SIGMAS:
        smooth = ndimage.gaussian_filter(image, sigma, truncate=3)
        down, across = np.gradient(smooth)
        (rows, mixed), columns = np.gradient(down), np.gradient(across, axis=1)
        middle, half = (rows + columns) / 2, np.hypot((rows - columns) / 2, mixed)
        scale = sigma**2
        planes += [smooth, np.hypot(down, across) * sigma]
        planes += [(middle + half) * scale, (middle - half) * scale]
        strongest = np.maximum(strongest, planes[-2])
    for sigma in NEAR:
        weight = ndimage.gaussian_filter(strongest, sigma, truncate=2)
        dark = ndimage.gaussian_filter(strongest * relative, sigma, truncate=2)
        planes += [weight, dark / np.maximum(weight, 1e-6)]
    return np.stack(planes, axis=-1).astype(np.float32)


def fit(
    images: Sequence[Image],
    labels: Sequence[Labels],
    *,
    settings: Classifier,
    augment: Augment | None,
    seed: int,
) -> Fitted:
    """Return a classifier trained on images and their labels, varied where `augment` is given.

    It learns from as many pixels of each label; that vessels are rarer than that enters its answers
    afterwards, as a prior, by its root: Dice asks for more vessels than their true share would
    give, and for fewer than equal shares. One thread: the same inputs and seed, the same answers.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    rng = np.random.default_rng(seed)
    samples = [
        sampled_pixels(image, truth, settings.pixels, augment, rng)
        for image, truth in zip(images, labels, strict=True)
    ]
    inputs, targets = (np.concatenate(column) for column in zip(*samples, strict=True))
    model = HistGradientBoostingClassifier(
        learning_rate=settings.rate,
        max_iter=settings.trees,
        early_stopping=False,
        random_state=seed,
    )
    with threadpool_limits(limits=1):
        model.fit(inputs, targets)
    all_labels = np.concatenate([truth.ravel() for truth in labels])
    shares = [np.mean(all_labels == label) / np.mean(targets == label) for label in model.classes_]
    return Fitted(model, np.sqrt(shares), settings.stride)


def sampled_pixels(
    image: Image, truth: Labels, count: int, augment: Augment | None, rng: np.random.Generator
) -> tuple[Features, Labels]:
    """Return the features and labels of at most `count` pixels of each label, drawn at random."""
    copies = [image]
    if augment is not None:
        copies += [varied(image, augment, rng) for _ in range(COPIES - 1)]
    flat = truth.ravel()
    of_each = [np.flatnonzero(flat == label) for label in np.unique(flat)]
    positions = [rng.permutation(places)[:count] for places in of_each]
    inputs, targets = [], []
    for number, copy in enumerate(copies):  # each pixel is learnt from in one copy
        places = np.concatenate([some[number :: len(copies)] for some in positions])
        values = features(copy)
        inputs.append(values.reshape(-1, values.shape[-1])[places])
        targets.append(flat[places])
    return np.concatenate(inputs), np.concatenate(targets)


def predict(fitted: Fitted, values: Features) -> Labels:
    """Return the likeliest label of every n-th row and column, n being the classifier's stride.

    `values` are the image's `features`, computed once for any number of classifiers.
    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    thinned = values[:: fitted.stride, :: fitted.stride]
    with threadpool_limits(limits=1):
        chances = fitted.model.predict_proba(thinned.reshape(-1, thinned.shape[-1]))
    likeliest = fitted.model.classes_[np.argmax(chances * fitted.priors, axis=1)]
    return np.asarray(likeliest.reshape(thinned.shape[:2]), np.uint8)
