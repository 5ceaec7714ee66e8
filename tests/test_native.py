"""The open engine: fastdup's statistics by hand, and what the descriptor does not see."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from PIL import Image

from clearset.config.schema import Analyze
from clearset.engines import analysis, native
from clearset.engines.native import info, statistics
from clearset.generate.retina import synthesis
from clearset.images.levels import WORDS
from clearset.measure.metrics import METRICS
from clearset.numeric.exact import LENGTH
from clearset.numeric.grey import of_unit
from clearset.numeric.sums import block_sums
from clearset.store.stages import Analysis

Grey = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]
NEAR = 0.7  # the sample's bound for near duplicates
SIZES = [(64, 64), (96, 96), (100, 130), (65, 201), (384, 384), (40, 20)]


def eye(size: int = 128, seed: int = 0) -> Grey:
    return synthesis.eye(np.random.default_rng(seed), size)[0]


def cut(height: int, width: int) -> Grey:
    return eye(max(height, width, 64))[:height, :width]


def descriptor(image: Grey) -> npt.NDArray[np.float64]:
    """Return an image's descriptor, of length 1."""
    return native.descriptor(of_unit(image)) / LENGTH


def similarity(first: Grey, second: Grey) -> float:
    return float(descriptor(first) @ descriptor(second))


def texture(shape: tuple[int, ...]) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def in_channel(grey: Pixels, channel: int) -> Pixels:
    colour = np.full((*grey.shape, 3), 100, np.uint8)
    colour[..., channel] = grey
    return colour


def striped(height: int, width: int, *, odd: int, even: int) -> Pixels:
    """Return columns of two values, by whether their number is odd or even."""
    return np.tile(np.where(np.arange(width) % 2, odd, even).astype(np.uint8), (height, 1))


def written(path: Path, pixels: npt.NDArray[np.generic]) -> Path:
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("shape", SIZES, ids=str)
def test_a_descriptor_has_length_one(shape: tuple[int, int]) -> None:
    assert np.linalg.norm(descriptor(cut(*shape))) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("shape", SIZES, ids=str)
def test_a_mirror_image_is_the_same(shape: tuple[int, int]) -> None:
    image = cut(*shape)
    assert similarity(image, image[:, ::-1]) > 0.99


def test_an_upside_down_image_is_not_the_same() -> None:
    assert similarity(eye(), eye()[::-1]) < 0.6


@pytest.mark.parametrize("seed", range(1, 6))
def test_another_eye_is_not_the_same(seed: int) -> None:
    assert similarity(eye(), eye(seed=seed)) < NEAR


def test_an_image_made_symmetric_is_not_the_same() -> None:
    assert similarity(eye(), (eye() + eye()[:, ::-1]) / 2) < NEAR


@pytest.mark.parametrize("shift", [(0, 2), (2, 0), (1, -1)])
def test_a_small_shift_hardly_matters(shift: tuple[int, int]) -> None:
    assert similarity(eye(256), np.roll(eye(256), shift, axis=(0, 1))) > 0.9


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.2), (0.6, 0.0), (0.8, 0.1)])
def test_brightness_and_contrast_hardly_matter(scale: float, offset: float) -> None:
    changed = eye() * scale + offset
    assert similarity(eye(), changed) > 0.99


def test_resolution_does_not_matter() -> None:
    larger = eye().repeat(3, axis=0).repeat(3, axis=1)
    assert similarity(eye(), larger) == pytest.approx(1, abs=1e-5)


def test_noise_matters_little() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, (256, 256))
    assert similarity(eye(256), eye(256) + noise) > 0.95


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("shape", [(10, 10), (100, 130), (256, 256)], ids=str)
def test_a_constant_image_has_the_zero_descriptor(shape: tuple[int, int], value: float) -> None:
    assert not descriptor(np.full(shape, value)).any()


def test_every_size_has_a_descriptor_of_the_same_length() -> None:
    assert len({descriptor(cut(*shape)).shape for shape in [*SIZES, (10, 300)]}) == 1


@pytest.mark.parametrize("shape", SIZES, ids=str)
def test_averaging_keeps_the_mean(shape: tuple[int, int]) -> None:
    levels = of_unit(cut(*shape)).levels
    sums = block_sums(levels, 64)
    assert sums.shape == (64, 64)
    assert sums.sum() == levels.sum(dtype=int)  # exact: shares of pixels are sixty-fourths


def test_blocks_that_split_pixels_take_shares_of_them() -> None:
    levels = np.array([[1, 2, 3]] * 3, np.uint8)
    # Two blocks of one and a half pixels a side.
    assert block_sums(levels, 2).tolist() == [[3.0, 6.0], [3.0, 6.0]]


def test_statistics_of_one_bright_pixel_by_hand() -> None:
    pixels = np.zeros((3, 3), np.uint8)
    pixels[1, 1] = 9
    # The Laplacian is -36 in the middle, 0 in the corners, and 18 at the sides, where the border
    # mirrors the middle: mean 36 / 9, mean square (36**2 + 4 * 18**2) / 9.
    assert statistics(pixels) == pytest.approx(
        {
            "blur": 288 - 4**2,
            "mean": 1,
            "min": 0,
            "max": 9,
            "stdv": 8**0.5,
            "contrast": 1,
            "unique": 2,
        }
    )


def test_contrast_is_of_the_extremes() -> None:
    assert statistics(striped(20, 20, odd=150, even=50))["contrast"] == pytest.approx(0.5)


@pytest.mark.parametrize("value", [0, 7, 255])
def test_a_constant_image_has_no_blur_deviation_or_contrast(value: int) -> None:
    found = statistics(np.full((12, 12), value, np.uint8))
    assert [found[name] for name in ("blur", "stdv", "contrast")] == [0, 0, 0]
    assert (found["mean"], found["unique"]) == (value, 1)


def test_the_whole_image_is_measured_below_224_px() -> None:
    found = statistics(striped(223, 222, odd=0, even=255))
    assert (found["mean"], found["unique"]) == (127.5, 2)


@pytest.mark.parametrize("shape", [(672, 672), (10, 672), (672, 672, 3)], ids=str)
def test_from_224_px_on_the_pixels_in_the_middle_of_each_cell_are_picked(
    shape: tuple[int, ...],
) -> None:
    pixels = texture(shape)
    pixels[:, 1::3] = 40  # of 672 px the columns floor((i + 0.5) * 3): 1, 4, 7
    found = statistics(pixels)
    assert (found["mean"], found["unique"], found["blur"]) == (40, 1, 0)


def test_picked_pixels_keep_their_order() -> None:
    pixels = np.zeros((672, 672), np.uint8)
    pixels[:, 1] = 9  # the first column of the thumbnail: its Laplacian is -18, its neighbour's 9
    assert statistics(pixels)["blur"] == pytest.approx((18**2 + 9**2) / 224 - (9 / 224) ** 2)


def test_rows_are_picked_as_columns_are() -> None:
    pixels = texture((672, 300))
    turned = np.ascontiguousarray(pixels.T)
    assert statistics(pixels) == pytest.approx(statistics(turned))


def test_at_224_px_nothing_is_left_out() -> None:
    pixels = texture((224, 224))
    assert statistics(pixels)["mean"] == pytest.approx(pixels.mean())


def test_blur_of_a_colour_image_is_of_its_blue_channel() -> None:
    grey = texture((40, 40))
    blurs = [statistics(in_channel(grey, channel))["blur"] for channel in range(3)]
    assert blurs == [0, 0, statistics(grey)["blur"]]


@pytest.mark.parametrize("channel", range(3))
def test_the_other_statistics_are_over_all_channels(channel: int) -> None:
    grey = texture((40, 40))
    alone, found = statistics(grey), statistics(in_channel(grey, channel))
    assert found["mean"] == pytest.approx((alone["mean"] + 200) / 3)
    assert found["stdv"] == pytest.approx(alone["stdv"] / 3)
    assert (found["min"], found["max"]) == (alone["min"], alone["max"])


def test_blur_grows_with_sharpness() -> None:
    sharp = texture((100, 100))
    smooth = sharp // 4 + 96
    assert statistics(sharp)["blur"] > statistics(smooth)["blur"] > 0


def analyzed(folder: Path, **pixels: npt.NDArray[np.unsignedinteger[Any]]) -> Analysis:
    """Return the analysis of these images, written to files first."""
    paths = [written(folder / f"{name}.png", values).name for name, values in pixels.items()]
    table = pd.DataFrame({"image_id": list(pixels), "split": "all", "path": paths})
    tops = [float(np.iinfo(values.dtype).max) for values in pixels.values()]
    unsaid = dict.fromkeys(WORDS, "")
    return analysis.analyze(
        table.assign(error="", mask="", low=0.0, high=tops, nodata=np.nan, **unsaid),
        folder,
        Analyze(neighbours=1, graph_neighbours=1),
    ).analysis


def test_a_file_has_every_statistic_and_every_metric(tmp_path: Path) -> None:
    numbers = analyzed(tmp_path, a=texture((30, 30)), b=texture((40, 30))).metrics
    assert set(numbers) == {"image_id"} | set(statistics(texture((3, 3)))) | set(METRICS)
    assert numbers.drop(columns="image_id").notna().all(axis=None)


def test_alpha_does_not_matter(tmp_path: Path) -> None:
    rgba = texture((30, 30, 4))
    found = analyzed(tmp_path, a=rgba, b=rgba[..., :3].copy())
    with_alpha, without = found.metrics.drop(columns="image_id").to_numpy()
    np.testing.assert_array_equal(with_alpha, without)
    assert found.neighbours["similarity"].tolist() == [1, 1]


def test_16_bits_measure_as_8_without_being_stretched(tmp_path: Path) -> None:
    eight = (texture((30, 30)) // 8).astype(np.uint8)
    found = analyzed(tmp_path, deep=eight.astype(np.uint16) * 257, flat=eight)
    deep, flat = found.metrics.drop(columns=["image_id", "stretched_mean"]).to_numpy()
    assert deep == pytest.approx(flat)
    assert found.neighbours["similarity"].tolist() == [1, 1]


def test_the_engine_says_what_it_is() -> None:
    assert info()["name"] == "native"
    assert set(info()) == {"name", "version", "model"}
