"""Apertures: discs on black are found as they lie, and nothing else is taken for one."""

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from clearset.config.schema_fetch import Fetch, Mapping, PixelRange
from clearset.generate.retina.synthesis import eye
from clearset.generate.satellite import tile
from clearset.images import codec
from clearset.images.aperture import aperture, found
from clearset.images.levels import Reading
from clearset.images.views import disc
from clearset.plant.faults import FAULTS, SEVERITIES, degrade
from clearset.sources.description import description
from conftest import write_image

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
READING = Reading(0.0, 255.0)
SHAPE = (600, 800)
ROWS, COLUMNS = np.indices(SHAPE)
DISCS = {
    "whole": (300, 400, 290),
    "off the centre": (280, 430, 270),
    "cut by the image above and below": (300, 400, 360),
    "cut by the image on all sides": (300, 400, 440),
    "cut straight above and below": (300, 400, 290, 60, 539),
    "cut straight above": (310, 400, 280, 80, 599),
    "at the left": (300, 0, 270),
}


def texture(shape: tuple[int, ...] = SHAPE, level: float = 140) -> Pixels:
    grain = np.random.default_rng(0).normal(level, level / 7, shape)
    return np.clip(grain, 0, 255).astype(np.uint8)


def on_black(seen: Mask, inside: Pixels) -> Pixels:
    """Return what is inside on a surround with the noise of compression."""
    noise = np.random.default_rng(1).integers(0, 10, inside.shape)
    there = seen if inside.ndim == 2 else seen[..., None]
    return np.where(there, inside, noise).astype(np.uint8)


def overlap(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / (one | other).sum())


def seen_of(text: str, shape: tuple[int, ...]) -> Mask:
    kind, *numbers = text.split()
    assert kind == "disc"
    return disc(*map(float, numbers), shape=shape)


@pytest.mark.parametrize("bands", [0, 3, 4])
@pytest.mark.parametrize("name", DISCS)
def test_a_disc_on_black_is_found_as_it_lies(name: str, bands: int) -> None:
    seen = disc(*DISCS[name], shape=SHAPE)
    pixels = on_black(seen, texture((*SHAPE, bands) if bands else SHAPE))
    text = found(pixels, READING)
    assert overlap(seen_of(text, SHAPE), seen) > 0.98
    assert len(text.split()) == 1 + (5 if "straight" in name else 3)
    assert len(text) < 32


@pytest.mark.parametrize("side", [200, 900, 3000])
def test_a_disc_is_found_at_any_size(side: int) -> None:
    seen = disc(side / 2, side / 2, 0.48 * side, shape=(side, side))
    text = found(on_black(seen, texture((side, side))), READING)
    assert overlap(seen_of(text, (side, side)), seen) > 0.98


def test_a_disc_is_found_in_16_bits_of_which_few_are_used() -> None:
    seen = disc(300, 400, 290, shape=SHAPE)
    pixels = on_black(seen, texture()).astype(np.uint16) * np.uint16(8)
    assert overlap(seen_of(found(pixels, Reading(0.0, 65535.0)), SHAPE), seen) > 0.98


@pytest.mark.parametrize("quality", [20, 60, 95])
def test_compression_does_not_hide_a_disc(quality: int) -> None:
    seen, encoded = disc(300, 400, 290, shape=SHAPE), io.BytesIO()
    Image.fromarray(on_black(seen, texture((*SHAPE, 3)))).save(encoded, "JPEG", quality=quality)
    pixels = np.asarray(Image.open(encoded))
    assert overlap(seen_of(found(pixels, READING), SHAPE), seen) > 0.98


def test_what_is_found_lies_in_the_image_as_it_is_stored() -> None:
    seen = disc(280, 430, 270, shape=SHAPE)
    text = found(on_black(seen, texture()), Reading(0.0, 255.0, orientation=6))
    assert overlap(seen_of(text, SHAPE), seen) > 0.98


def barred(rows: int, columns: int) -> Mask:
    return np.pad(np.ones((600 - 2 * rows, 800 - 2 * columns), bool), ((rows,) * 2, (columns,) * 2))


NO_DISCS = {
    "nothing around": np.ones(SHAPE, bool),
    "letterbox": barred(100, 0),
    "pillarbox": barred(0, 150),
    "wide frame": barred(220, 60),
    "frame": barred(60, 60),
    "ellipse": ((ROWS - 300) / 200) ** 2 + ((COLUMNS - 400) / 300) ** 2 < 1,
    "octagon": (abs(ROWS - 300) < 250)
    & (abs(COLUMNS - 400) < 250)
    & (abs(ROWS - 300) + abs(COLUMNS - 400) < 353),
    "diamond": abs(ROWS - 300) + abs(COLUMNS - 400) < 280,
    "rounded square": (ROWS - 300.0) ** 4 + (COLUMNS - 400.0) ** 4 < 250.0**4,
    "small": (ROWS - 300) ** 2 + (COLUMNS - 400) ** 2 < 100**2,
    "two": ((ROWS - 300) ** 2 + (COLUMNS - 200) ** 2 < 180**2)
    | ((ROWS - 300) ** 2 + (COLUMNS - 600) ** 2 < 180**2),
    "ring": abs(np.hypot(ROWS - 300, COLUMNS - 400) - 260) < 25,
    "a black wedge": COLUMNS > ROWS / 2 + 100,
}


NO_DISCS["slice"] = disc(300, 400, 290, 200, 399, shape=SHAPE)
NO_DISCS["notched"] = NO_DISCS["nothing around"] & disc(300, 400, 290, shape=SHAPE)
NO_DISCS["notched"][240:360, :330] = False


@pytest.mark.parametrize("name", NO_DISCS)
def test_what_is_no_disc_is_none(name: str) -> None:
    assert aperture(on_black(NO_DISCS[name], texture())) is None


@pytest.mark.parametrize(
    ("inside", "around"), [(5, 140), (140, 60), (200, 40), (30, 18), (6, 0), (0, 0), (255, 255)]
)
def test_only_a_bright_inside_on_black_is_a_disc(inside: int, around: int) -> None:
    seen = disc(300, 400, 290, shape=SHAPE)
    assert aperture(np.where(seen, inside, around).astype(np.uint8)) is None


@pytest.mark.parametrize(("radius", "level"), [(250, 35), (310, 27)])
def test_a_rim_within_which_it_is_dim_or_beyond_which_it_glows_is_none(
    radius: int, level: int
) -> None:
    distance = np.hypot(ROWS - 300, COLUMNS - 400)
    inner, outer = sorted((radius, 280))
    pixels = np.where(distance < inner, texture(), np.where(distance < outer, level, 4))
    assert aperture(pixels.astype(np.uint8)) is None


@pytest.mark.parametrize("fall", ["line", "bell"])
def test_light_that_falls_off_softly_is_no_aperture(fall: str) -> None:
    distance = np.hypot(ROWS - 300, COLUMNS - 400)
    light = {"line": 1.2 - distance / 300, "bell": np.exp(-((distance / 210) ** 2))}[fall]
    assert aperture((texture() * np.clip(light, 0, 1)).astype(np.uint8)) is None


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("severity", SEVERITIES)
def test_no_planted_fault_is_an_aperture(name: str, severity: int) -> None:
    for seed in range(2):
        image = eye(np.random.default_rng(seed), 256)[0]
        faulty = degrade(image, name, severity, np.random.default_rng(seed))
        assert aperture(np.rint(faulty * 255).astype(np.uint8)) is None


@pytest.mark.parametrize("number", range(6))
def test_no_generated_tile_shows_one(number: int) -> None:
    made = tile.tile(number, count=6, size=128, bands=3, seed=0)
    assert aperture(made.pixels) is None


@pytest.mark.parametrize("shape", [(10, 10), (10, 400), (11, 13, 3), (64, 64)], ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_noise_of_any_shape_is_none(shape: tuple[int, ...], seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    assert aperture(noise) is None


def test_an_image_is_described_with_its_aperture_unless_told_not_to(tmp_path: Path) -> None:
    seen = disc(300, 400, 290, shape=SHAPE)
    path = write_image(tmp_path / "a.png", on_black(seen, texture()))
    settings = PixelRange(Mapping.percentiles, 0, 100)
    row = description(path, Fetch(range=settings))
    assert overlap(seen_of(row["seen"], SHAPE), seen) > 0.98
    values, _ = row["counts"].counts
    assert values.min() > 20  # the surround is not counted
    whole = description(path, Fetch(range=settings, aperture=False))
    assert whole["seen"] == ""
    assert whole["counts"].counts[0].min() == 0


def test_none_is_found_on_ravir(ravir: Path) -> None:
    files = [p for p in ravir.rglob("IR_Case_*.png") if "mask" not in p.parent.name]
    assert len(files) == 42
    assert [file.name for file in files if found(codec.decode(file), READING)] == []
