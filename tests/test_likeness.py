"""What images look like: the same after a light edit, apart behind one aperture, kin by kind."""

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

from clearset.engines import native
from clearset.generate.retina import synthesis
from clearset.generate.satellite.tile import FULL, tile
from clearset.numeric.exact import LENGTH
from clearset.numeric.grey import Grey, of_unit
from clearset.plant.edits import EDITS, Edit, edited
from clearset.similar import cosines, likeness

SIZE = 384
NEAR = 0.7  # the sample's bound for near duplicates
KIND = len(likeness.LEVELS) * (len(likeness.RINGS) - 1)  # numbers, the last of a descriptor
Image = npt.NDArray[np.float64]
Seen = npt.NDArray[np.bool_]


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def between(one: Grey, other: Grey) -> float:
    pair = (likeness.descriptor(grey)[None] for grey in (one, other))
    return float(cosines.between(*pair)[0, 0])


def disc(size: int = SIZE, radius: float = 0.45, aside: int = 0) -> Seen:
    rows, columns = np.mgrid[:size, :size] - (size - 1) / 2
    return np.asarray(rows**2 + (columns - aside) ** 2 <= (radius * size) ** 2)


def behind(image: Image, seen: Seen) -> Image:
    """Return an image as a camera shows it through a round field of view: black around."""
    return np.where(seen, image, 0.01)


@pytest.fixture(scope="module")
def eyes() -> list[Image]:
    return [synthesis.eye(random(seed), SIZE)[0] for seed in range(8)]


@pytest.fixture(scope="module")
def tiles() -> list[Image]:
    made = [tile(number, count=8, size=SIZE, bands=1, seed=3) for number in range(8)]
    return [np.clip(one.pixels / FULL, 0, 1) for one in made]


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_image_stays_the_same_through_a_light_edit(
    eyes: list[Image], tiles: list[Image], number: int, name: str
) -> None:
    for image in (eyes[number], tiles[number]):
        again = edited(image, EDITS[name], random())
        assert between(of_unit(image), of_unit(again)) > NEAR


@pytest.mark.parametrize(
    "edit",
    [Edit(shift=(-0.04, 0.04)), Edit(degrees=-3), Edit(zoom=0.95), Edit(gamma=0.7), Edit(noise=5)],
    ids=["shift", "turn", "zoom", "gamma", "noise"],
)
def test_what_no_bound_was_chosen_by_changes_as_little(eyes: list[Image], edit: Edit) -> None:
    for image in eyes[:3]:
        assert between(of_unit(image), of_unit(edited(image, edit, random()))) > NEAR


@pytest.mark.parametrize("known", [True, False], ids=["known", "not known"])
def test_a_common_aperture_makes_no_two_images_alike(eyes: list[Image], known: bool) -> None:
    seen = disc()
    shown = [of_unit(behind(image, seen), seen if known else None) for image in eyes]
    alone = [between(of_unit(one), of_unit(two)) for one, two in combinations(eyes, 2)]
    found = [between(one, two) for one, two in combinations(shown, 2)]
    assert max(found) < NEAR
    assert np.median(found) < np.median(alone) + 0.1


def test_an_image_is_the_same_whether_its_aperture_was_found_or_not(eyes: list[Image]) -> None:
    for image in eyes:
        shown = behind(image, disc())
        known = of_unit(shown, disc())
        assert between(known, of_unit(shown)) > NEAR
        shifted = edited(shown, EDITS["shift"], random())  # in which a part of the rim comes twice
        assert between(known, of_unit(shifted)) > NEAR


def test_what_lies_in_a_gap_does_not_matter(eyes: list[Image]) -> None:
    seen = disc()
    levels = of_unit(eyes[0]).levels
    other = np.where(seen, levels, random().integers(0, 65536, levels.shape)).astype(np.uint16)
    plain = np.where(seen, levels, 30000).astype(np.uint16)
    one, two = (likeness.descriptor(Grey(pixels, 65535, seen)) for pixels in (other, plain))
    assert np.array_equal(one, two)


def test_a_common_background_makes_no_two_images_alike(eyes: list[Image]) -> None:
    down = np.linspace(-1, 1, SIZE)[:, None]
    light = np.exp(-2 * (down**2 + down.T**2))
    lit = [of_unit(image * light) for image in eyes]
    assert max(between(one, two) for one, two in combinations(lit, 2)) < NEAR
    assert all(between(of_unit(image), one) > NEAR for image, one in zip(eyes, lit, strict=True))


def test_different_images_are_not_alike(eyes: list[Image], tiles: list[Image]) -> None:
    for images in (eyes, tiles):
        assert max(between(of_unit(a), of_unit(b)) for a, b in combinations(images, 2)) < NEAR


def test_strangers_are_farther_from_all_than_most_of_a_kind(eyes: list[Image]) -> None:
    known = [of_unit(image) for image in eyes]
    strangers = [of_unit(synthesis.foreign(random(seed), SIZE)) for seed in range(8)]
    near = [max(between(one, two) for two in known if two is not one) for one in known]
    far = [max(between(one, two) for two in known) for one in strangers]
    assert np.median(far) < min(near)


def test_the_part_for_the_kind_is_shared_by_a_kind_and_not_by_strangers(eyes: list[Image]) -> None:
    def kinds(images: list[Image]) -> npt.NDArray[np.float64]:
        found = [likeness.descriptor(of_unit(image))[-KIND:] for image in images]
        return np.stack(found) / np.linalg.norm(found, axis=1, keepdims=True)

    own, others = kinds(eyes), kinds([synthesis.foreign(random(seed), SIZE) for seed in range(8)])
    among = (own @ own.T)[np.triu_indices(len(own), 1)]
    assert np.median(among) > np.median(own @ others.T) + 0.1


@pytest.mark.parametrize("seen", [None, disc()], ids=["whole", "disc"])
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_nothing_is_nothing(value: float, seen: Seen | None) -> None:
    assert not likeness.descriptor(of_unit(np.full((SIZE, SIZE), value), seen)).any()


def test_lines_and_kind_share_the_length_and_a_few_kilobytes(eyes: list[Image]) -> None:
    found = likeness.descriptor(of_unit(eyes[0]))
    assert found.dtype == np.int32
    assert found.nbytes <= 8192
    squares = np.square(found / LENGTH)
    assert 0.1 < squares[-KIND:].sum() < 0.3
    assert squares.sum() == pytest.approx(1, abs=1e-4)


def test_a_few_pixels_seen_are_described(eyes: list[Image]) -> None:
    seen = np.zeros((SIZE, SIZE), bool)
    seen[40:44, 90:95] = True
    assert np.isfinite(likeness.descriptor(of_unit(eyes[0], seen))).all()


def test_the_engine_describes_by_it(eyes: list[Image]) -> None:
    grey = of_unit(eyes[0])
    assert np.array_equal(native.descriptor(grey), likeness.descriptor(grey))
