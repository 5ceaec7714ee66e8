"""Views: fields of view from files and discs, images upright, gaps filled or shown in grey."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from clearset.images import views
from clearset.images.levels import Reading
from clearset.images.views import GAP, View, disc, upright, view
from clearset.store.errors import UnreadableImage
from conftest import write_image

READING = Reading(0.0, 255.0)
TURNS = range(1, 9)


def ramp(*shape: int) -> npt.NDArray[np.uint8]:
    return (np.arange(np.prod(shape)) % 251).reshape(shape).astype(np.uint8)


def half(shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
    mask = np.zeros(shape, np.uint8)
    mask[: shape[0] // 2] = 7
    return mask


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_image(tmp_path / "images/a.png", ramp(20, 30))


@pytest.mark.parametrize(
    ("orientation", "way"),
    [(turn, "as stored") for turn in TURNS] + [(turn, "upright") for turn in TURNS if turn >= 5],
)
def test_a_field_of_view_is_read_from_its_file_as_stored_or_upright(
    source: Path, tmp_path: Path, orientation: int, way: str
) -> None:
    mask = half((20, 30))
    lies = mask if way == "as stored" else upright(mask, orientation)
    write_image(tmp_path / "masks/a.png", lies)
    reading = Reading(0.0, 255.0, orientation=orientation, seen="file masks/a.png", root=tmp_path)
    looked = view(source, reading)
    assert looked.seen is not None
    assert np.array_equal(looked.seen, upright(mask, orientation) > 0)
    assert looked.seen.shape == looked.pixels.shape


@pytest.mark.parametrize("suffix", ["gif", "png", "tif"])
def test_any_value_but_0_is_seen_in_any_format(source: Path, tmp_path: Path, suffix: str) -> None:
    write_image(tmp_path / f"m.{suffix}", half((20, 30)))
    looked = view(source, Reading(0.0, 255.0, seen=f"file m.{suffix}", root=tmp_path))
    assert looked.seen is not None
    assert looked.seen.mean() == 0.5


@pytest.mark.parametrize(
    ("reading", "message"),
    [
        (Reading(0.0, 255.0, seen="file gone.png", root=Path("nowhere")), "missing: gone.png"),
        (Reading(0.0, 255.0, seen="file a.png"), "is not known: 'file a.png'"),
        (Reading(0.0, 255.0, seen="square 3"), "is not known: 'square 3'"),
    ],
)
def test_a_field_of_view_that_is_not_there_is_named(
    source: Path, reading: Reading, message: str
) -> None:
    with pytest.raises(UnreadableImage, match=message):
        view(source, reading)


def test_a_field_of_view_of_another_size_is_an_error_that_says_so(
    source: Path, tmp_path: Path
) -> None:
    write_image(tmp_path / "m.png", half((20, 31)))
    with pytest.raises(UnreadableImage, match=r"m\.png, is 31 x 20 px"):
        view(source, Reading(0.0, 255.0, seen="file m.png", root=tmp_path))


def test_a_disc_may_be_cut_off_above_and_below() -> None:
    whole, cut = (disc(10, 12, 8, *ends, shape=(20, 24)) for ends in ((), (6, 13)))
    assert whole.any(axis=1).tolist() == [False] * 2 + [True] * 17 + [False]
    assert cut.any(axis=1).tolist() == [False] * 6 + [True] * 8 + [False] * 6
    assert np.array_equal(cut[6:14], whole[6:14])


@pytest.mark.parametrize("bands", [0, 3])
def test_gaps_are_filled_for_measures_and_grey_for_eyes(bands: int) -> None:
    pixels = ramp(20, 30, bands) if bands else ramp(20, 30)
    seen = half((20, 30)) > 0
    looked = View(pixels, seen, READING)
    before = pixels.copy()
    assert (looked.shown()[~seen] == GAP).all()
    assert np.array_equal(looked.shown()[seen], pixels[seen])
    last = np.broadcast_to(pixels[9], pixels[10:].shape)
    for filled in (looked.filled, looked.eight_bit(), np.rint(looked.unit() * 255)):
        assert np.array_equal(filled[10:], last)
        assert np.array_equal(filled[:10], pixels[:10])
    assert looked.grey().seen is seen
    assert np.array_equal(pixels, before)


def test_an_image_seen_whole_is_shown_as_it_is() -> None:
    looked = View(ramp(20, 30), None, READING)
    for shown in (looked.shown(), looked.filled, looked.eight_bit()):
        assert np.array_equal(shown, looked.pixels)


@pytest.mark.parametrize("orientation", TURNS)
def test_a_view_is_upright_with_the_bands_that_are_shown(orientation: int) -> None:
    stored: Any = ramp(20, 30, 5)
    reading = replace(READING, shown=(4, 2, 0), orientation=orientation)
    looked = views.of(stored, half((20, 30)) > 0, reading)
    assert np.array_equal(looked.pixels, upright(stored[..., [4, 2, 0]], orientation))
    assert looked.seen is not None
    assert np.array_equal(looked.seen, upright(half((20, 30)) > 0, orientation))
