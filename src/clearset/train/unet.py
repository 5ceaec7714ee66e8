"""A small U-Net (Ronneberger et al., 2015, doi:10.1007/978-3-319-24574-4_28) for one GPU or CPU.

It is given each image brought to mean 0 and spread 1, as is usual, so light and contrast that are
wrong everywhere alike reach it mended. The same seed gives the same answers on one machine; other
machines, and a GPU, round otherwise, and training makes their digits differ. The only module that
needs torch.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from clearset.config.schema_train import Augment, Unet
from clearset.train.augmentation import turned, varied

Image = npt.NDArray[np.float64]
Squares = npt.NDArray[np.float32]  # what a network computes in
Labels = npt.NDArray[np.uint8]
Weights = dict[str, npt.NDArray[Any]]
DEPTHS = (1, 2, 4, 4, 4)  # channels of each level, as multiples of the width
CELL = 32  # px: sides must be multiples of it: unshuffled by 2, then halved four times
RARE = 4.0  # times as much as the background, a class weighs
THIN = 8  # every n-th pixel is enough for a mean


class Net(nn.Module):  # type: ignore[misc] # mypy does not follow torch
    """Grey image (n, 1, h, w) to one plane a label (n, labels, h, w); sides multiples of 32.

    Two by two pixels become four channels at the door, and back at the exit: four times as fast.
    """

    def __init__(self, width: int, labels: int) -> None:
        super().__init__()
        sizes = [width * depth for depth in DEPTHS]
        self.down = nn.ModuleList(map(block, [4, *sizes[:-1]], sizes))
        wide = [large + small for large, small in zip(sizes[1:], sizes[:-1], strict=True)]
        self.up = nn.ModuleList(map(block, wide, sizes[:-1]))
        self.head = nn.Conv2d(width, 4 * labels, 1)

    def forward(self, images: Any) -> Any:
        """Return the planes, before any softmax."""
        flow, levels = F.pixel_unshuffle(images, 2), []
        for level, convolve in enumerate(self.down):
            flow = convolve(F.max_pool2d(flow, 2) if level else flow)
            levels.append(flow)
        for convolve, fine in zip(reversed(self.up), reversed(levels[:-1]), strict=True):
            larger = F.interpolate(flow, scale_factor=2.0, mode="nearest")
            flow = convolve(torch.cat([larger, fine], 1))
        return F.pixel_shuffle(self.head(flow), 2)


def block(before: int, after: int) -> Any:
    """Return two convolutions, each normalised over the batch.

    Normalised in groups, as small batches would suggest, arteries were learnt late or not at all.
    """
    layers: list[Any] = []
    for first in (before, after):
        layers += [nn.Conv2d(first, after, 3, padding=1, bias=False), nn.BatchNorm2d(after)]
        layers += [nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def device() -> Any:
    """Return the GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Seed torch and hold it to one thread and, where it can, repeatable sums while the block runs.

    Where a GPU can not, torch would warn; the module says so already.
    """
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with torch.random.fork_rng(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*deterministic.*")
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(strict)


def fit(
    images: Sequence[Image],
    labels: Sequence[Labels],
    *,
    settings: Unet,
    augment: Augment | None,
    seed: int,
    count: int,
) -> Weights:
    """Return the weights of a network trained to tell `count` labels, background included.

    Squares are turned and mirrored always, and varied where `augment` is given. AdamW with cosine
    decay (Loshchilov and Hutter, 2019, doi:10.48550/arXiv.1711.05101).
    """
    rng = np.random.default_rng(seed)
    with repeatable(seed):
        net = Net(settings.width, count).to(device(), memory_format=torch.channels_last)
        steps = torch.optim.AdamW(net.parameters(), settings.rate)
        pace = torch.optim.lr_scheduler.CosineAnnealingLR(steps, settings.steps)
        for _ in range(settings.steps):
            inputs, truth = batch(images, labels, settings, augment, rng)
            lost = loss(net(torch.from_numpy(inputs).to(device())), torch.from_numpy(truth))
            steps.zero_grad()
            lost.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            steps.step()
            pace.step()
        return {name: value.cpu().numpy() for name, value in net.state_dict().items()}


def batch(
    images: Sequence[Image],
    labels: Sequence[Labels],
    settings: Unet,
    augment: Augment | None,
    rng: np.random.Generator,
) -> tuple[Squares, npt.NDArray[np.int64]]:
    """Return squares (n, 1, side, side) from images drawn at random, and their labels."""
    side = min(settings.crop, *(min(image.shape) for image in images)) // CELL * CELL
    squares, truths = [], []
    for number in rng.integers(len(images), size=settings.batch):
        image, truth = images[number], labels[number]
        top, left = (int(rng.integers(length - side + 1)) for length in image.shape)
        place = np.s_[top : top + side, left : left + side]
        square, whole, way = image[place], image[::THIN, ::THIN], int(rng.integers(8))
        if augment is not None:  # the whole image's light counts, changed just as the square's
            change = int(rng.integers(2**31))
            square = varied(square, augment, np.random.default_rng(change))
            whole = varied(whole, replace(augment, blur=0.0), np.random.default_rng(change))
        squares.append(turned(standard(square, whole), way))
        truths.append(turned(truth[place], way))
    return np.stack(squares)[:, None], np.stack(truths).astype(np.int64)


def standard(image: Image, whole: Image) -> Squares:
    """Return the image with `whole`'s mean taken off, by its spread."""
    return np.asarray((image - whole.mean()) / max(float(whole.std()), 1 / 255), np.float32)


def loss(planes: Any, truth: Any) -> Any:
    """Return cross-entropy plus one minus the classes' mean soft Dice, over the batch.

    Milletari et al., 2016, doi:10.1109/3DV.2016.79; the background has no Dice. Classes weigh more
    than the background: they are rare, and without that the rarest may never be learnt.
    """
    truth = truth.to(planes.device)
    chances = planes.softmax(1)[:, 1:]
    targets = F.one_hot(truth, planes.shape[1]).movedim(3, 1)[:, 1:].to(chances.dtype)
    shared = (chances * targets).sum((0, 2, 3))
    total = chances.sum((0, 2, 3)) + targets.sum((0, 2, 3))
    weights = torch.full((planes.shape[1],), RARE, device=planes.device)
    weights[0] = 1
    return F.cross_entropy(planes, truth, weights) + 1 - ((2 * shared + 1) / (total + 1)).mean()


def predict(weights: Mapping[str, npt.NDArray[Any]], image: Image) -> Labels:
    """Return the likeliest label of every pixel, of an image of any size."""
    rows, columns = ((-side) % CELL for side in image.shape)
    ready = standard(image, image[::THIN, ::THIN])
    padded = np.pad(ready, ((0, rows), (0, columns)), mode="symmetric")
    net = Net(weights["head.weight"].shape[1], weights["head.weight"].shape[0] // 4)
    net.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    with repeatable(0), torch.inference_mode():
        net = net.eval().to(device(), memory_format=torch.channels_last)
        planes = net(torch.from_numpy(padded[None, None]).to(device()))
    labels = planes[0].argmax(0).cpu().numpy().astype(np.uint8)
    return np.asarray(labels[: image.shape[0], : image.shape[1]])
