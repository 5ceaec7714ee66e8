"""What was not seen has no say: laws over every metric, descriptor, evidence and repair."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from clearset.engines import native
from clearset.generate.retina.synthesis import eye as made_eye
from clearset.images import codec
from clearset.images.levels import Reading
from clearset.images.views import View, disc
from clearset.measure.masks import measure_mask
from clearset.measure.metrics import METRICS, measure
from clearset.measure.tallies import strongest_tenth
from clearset.measure.vessels import scores, vesselness
from clearset.numeric.grey import luminance, of_levels
from clearset.numeric.seen import box, chosen, filled, inner, most
from clearset.plant.faults import degrade
from clearset.proof.comparison import psnr, ssim
from clearset.proof.detected import connected, strongest
from clearset.proof.evidence import (
    EVIDENCE,
    Original,
    Repair,
    gathered,
)
from clearset.proof.phantoms import phantom
from clearset.repair import files
from clearset.repair.enhancements import ENHANCEMENTS
from clearset.repair.steps import enhance, options
from clearset.similar.registration import register, sight
from conftest import write_image

Pixels = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
READING = Reading(0.0, 255.0)
SIDE = 256
SHAPES = {
    "disc": disc(120, 130, 110, shape=(SIDE, SIDE)),
    "frame": np.pad(np.ones((160, 144), bool), ((48, 48), (40, 72))),
    "strip": np.arange(SIDE)[None] > np.full((SIDE, 1), 217),
    "specks": np.random.default_rng(0).random((SIDE, SIDE)) < 0.05,
    "pixel": np.arange(SIDE * SIDE).reshape(SIDE, SIDE) == 70 * SIDE + 200,
}
CONTENTS = ("noise", "white", "black", "stripes")
METHODS = sorted(ENHANCEMENTS)
RULED = {"vignetting": 2, "shadow_depth": 0.4, "uneven_light": 1.74}  # bounds for generated images


def drawn(seed: int = 0, bands: int = 0) -> npt.NDArray[np.uint8]:
    image = made_eye(np.random.default_rng(seed), SIDE)[0]
    shades = [image * (1 - 0.05 * band) for band in range(bands)]
    return np.rint(255 * (np.stack(shades, axis=2) if bands else image)).astype(np.uint8)


def holding(pixels: Pixels, seen: Mask, content: str) -> Pixels:
    """Return pixels with something else where nothing was seen."""
    rng, result = np.random.default_rng(1), pixels.copy()
    other = {
        "noise": rng.integers(0, 256, pixels.shape),
        "white": np.full(pixels.shape, 255),
        "black": np.zeros(pixels.shape),
        "stripes": np.indices(pixels.shape)[1] % 8 // 4 * 255,
    }[content]
    result[~seen] = other.astype(pixels.dtype)[~seen]
    return result


def view(pixels: Pixels, seen: Mask | None) -> View:
    return View(pixels, seen, READING)


def step(method: str) -> dict[str, Any]:
    low = {"rescale_intensity": {"low": 0.01, "high": 0.99}}
    return {"method": method} | dict.fromkeys(options(method), 1) | low.get(method, {})


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("bands", [0, 3])
def test_what_a_gap_holds_changes_nothing_that_is_measured(
    shape: str, content: str, bands: int
) -> None:
    seen, pixels = SHAPES[shape], drawn(bands=bands)
    plain, other = (view(p, seen) for p in (pixels, holding(pixels, seen, content)))
    mask = (drawn(1) > 128).astype(np.uint8)
    found = [measure(one.grey()) for one in (plain, other)]
    assert found[0] == found[1]
    assert np.isfinite(list(found[0].values())).all()
    statistics = [native.statistics(one.eight_bit(), seen) for one in (plain, other)]
    assert statistics[0] == statistics[1]
    deep = [native.stretched_mean(one.filled * np.uint16(257), seen) for one in (plain, other)]
    assert deep[0] == deep[1]
    first, second = (native.descriptor(one.grey()) for one in (plain, other))
    assert np.array_equal(first, second)
    covered = [measure_mask(one.grey(), mask, [1]) for one in (plain, other)]
    assert repr(covered[0]) == repr(covered[1])


@pytest.mark.parametrize("name", METRICS)
def test_a_frame_without_data_is_as_if_cut_off(name: str) -> None:
    pixels, seen = drawn(), SHAPES["frame"]
    framed = view(holding(pixels, seen, "white"), seen).grey()
    alone = of_levels(pixels[48:208, 40:184], 255)
    assert METRICS[name].function(framed) == METRICS[name].function(alone)
    cut = np.pad(np.ones((161, 142), bool), ((45, 50), (43, 71)))  # not on the grid of blocks
    near = METRICS[name].function(of_levels(pixels[45:206, 43:185], 255))
    found = METRICS[name].function(view(holding(pixels, cut, "white"), cut).grey())
    # Sharpness in dB is fitted to the few blocks that a small image has.
    assert found == pytest.approx(near, rel=0.15, abs=5 if name == "sharpness" else 0.3)


def test_statistics_and_descriptor_of_a_frame_are_those_of_what_it_frames() -> None:
    pixels, seen = drawn(), SHAPES["frame"]
    framed, alone = view(holding(pixels, seen, "white"), seen), pixels[48:208, 40:184]
    assert native.statistics(framed.eight_bit(), seen) == native.statistics(alone)
    expected = native.descriptor(of_levels(alone, 255))
    assert np.array_equal(native.descriptor(framed.grey()), expected)


def test_all_seen_is_as_if_no_one_had_asked() -> None:
    pixels = drawn()
    asked, plain = (view(pixels, seen).grey() for seen in (np.ones((SIDE, SIDE), bool), None))
    assert measure(asked) == measure(plain)
    assert np.array_equal(native.descriptor(asked), native.descriptor(plain))


def lopsided() -> tuple[npt.NDArray[np.uint8], Mask]:
    """Return a dark image with a bright seam, a sixteenth of what is seen, along a large gap."""
    pixels, seen = np.full((SIDE, SIDE), 60, np.uint8), np.zeros((SIDE, SIDE), bool)
    pixels[:, 120:] = 252
    seen[:, :128] = True
    seen[0, -1] = True  # so that the gap is no frame
    return pixels, seen


def test_shares_means_and_quantiles_are_of_what_was_seen() -> None:
    pixels, seen = lopsided()
    found = measure(view(pixels, seen).grey())
    assert found["dark_share"] == pytest.approx(15 / 16, abs=1e-3)
    assert found["white_share"] == pytest.approx(1 / 16, abs=1e-3)
    assert found["highlights"] == 60
    assert found["entropy"] == pytest.approx(-(15 * np.log2(15 / 16) + np.log2(1 / 16)) / 16, 0.01)
    statistics = native.statistics(view(pixels, seen).eight_bit(), seen)
    assert statistics["mean"] == pytest.approx(60 * 15 / 16 + 252 / 16, abs=1)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[:, 112:160] = 1
    covered = measure_mask(view(pixels, seen).grey(), mask, [])
    assert covered["mask_share"] == pytest.approx(1 / 8, abs=1e-3)
    few = seen.copy()  # mostly gap
    few[:, :110] = False
    assert measure(view(pixels, few).grey(), ["highlights"])["highlights"] > 200


def test_a_repair_stretches_by_what_was_seen() -> None:
    pixels, seen = lopsided()
    stretch = [{"method": "rescale_intensity", "low": 0, "high": 0.9}]
    assert np.allclose(enhance(pixels / 255, stretch, seen=seen)[0], pixels / 255)  # constant
    level = [{"method": "divide_background", "sigma": 4}]
    found, _ = enhance(pixels / 255, level, seen=seen)
    assert found[seen].mean() == pytest.approx((pixels / 255)[seen].mean(), rel=0.03)


@pytest.mark.parametrize(
    ("name", "far"),
    [
        ("noise_sigma", {"rel": 0.02}),
        ("laplacian_variance", {"rel": 0.03}),
        ("sharpness", {"abs": 8}),  # dB, of the few blocks of a small and noisy image
        ("blockiness", {"rel": 0.1}),
    ],
)
def test_what_gaps_are_filled_with_is_not_measured(name: str, far: dict[str, float]) -> None:
    grain = np.random.default_rng(0).normal(0, 12, (SIDE, SIDE))
    noisy = np.clip(drawn() * 0.5 + 60 + grain, 0, 255) / 255
    image = degrade(noisy, "jpeg", 3, np.random.default_rng(0)) if name == "blockiness" else noisy
    pixels, seen = np.rint(image * 255).astype(np.uint8), SHAPES["disc"]
    found, whole = (METRICS[name].function(view(pixels, s).grey()) for s in (seen, None))
    assert found == pytest.approx(whole, rel=far.get("rel"), abs=far.get("abs"))


def test_a_rim_that_is_half_lit_is_no_line() -> None:
    rows, columns = np.indices((SIDE, SIDE)) - np.array([120, 130])[:, None, None]
    rim = np.clip((112 - np.hypot(rows, columns)) / 4, 0.1, 1)  # dark within the last pixels
    seen, soft = SHAPES["disc"], (drawn() * rim).astype(np.uint8)
    found, sharp = (view(p, seen).grey() for p in (soft, drawn()))
    lines = [measure(one, ["vessel_visibility"])["vessel_visibility"] for one in (found, sharp)]
    assert lines[0] == pytest.approx(lines[1], rel=0.03)


def test_vesselness_at_a_rim_is_that_of_the_image_seen_whole() -> None:
    image, seen = drawn() / 255, SHAPES["disc"]
    inside = np.asarray(inner(seen, 6))
    near = inside & ~np.asarray(inner(seen, 30))
    found, whole = vesselness(filled(image, seen), seen), vesselness(image)
    assert np.corrcoef(found[near], whole[near])[0, 1] > 0.97
    assert found[near].mean() == pytest.approx(whole[near].mean(), rel=0.12)


def test_the_strongest_tenth_is_of_the_inside() -> None:
    strength, inside = np.random.default_rng(0).random((100, 100)), np.zeros((100, 100), bool)
    inside[:40] = True
    strength[40:] += 1
    found = strongest(strength, inside)
    assert found.sum() == 400
    assert not found[~inside].any()
    assert connected(np.indices((100, 100))[1] + strength, inside) == 1


@pytest.mark.parametrize("seed", range(3))
def test_an_aperture_is_neither_vignette_nor_shadow_nor_a_line(seed: int) -> None:
    pixels, seen = drawn(seed), SHAPES["disc"]
    black = holding(pixels, seen, "black")
    grey = view(black, seen).grey()
    found, blind = (measure(one) for one in (grey, view(black, None).grey()))
    assert all(found[name] < bound for name, bound in RULED.items())
    assert blind["vignetting"] > RULED["vignetting"]
    part = (
        view(pixels, None).grey().ridges[tuple(slice(s.start // 2, s.stop // 2) for s in grey.box)]
    )
    lines = strongest_tenth(chosen(part, grey.part.reached)).mean()
    assert found["vessel_visibility"] == pytest.approx(lines, rel=0.01)
    assert blind["vessel_visibility"] > 1.5 * lines


def test_a_vignette_within_an_aperture_is_still_one() -> None:
    pixels, seen = drawn(), SHAPES["disc"]
    y, x = np.indices((SIDE, SIDE)) - np.array([120, 130])[:, None, None]
    fall = 2.0 ** (-2.5 * (y * y + x * x) / 110**2)
    found = [view(p, seen).grey() for p in (pixels, (pixels * fall).astype(np.uint8))]
    before, after = (measure(one, ["vignetting"])["vignetting"] for one in found)
    assert after - before == pytest.approx(2.5, abs=0.3)  # from the centre to the rim


def test_a_common_aperture_makes_no_eyes_alike_known_or_not() -> None:
    seen = SHAPES["disc"]
    black = [holding(drawn(seed), seen, "black") for seed in range(4)]

    def likest(there: Mask | None) -> float:
        found = np.stack([native.descriptor(view(p, there).grey()) for p in black]) / 2.0**22
        return float((found @ found.T)[np.triu_indices(4, 1)].max())

    assert likest(seen) < 0.7
    assert likest(None) < 0.7


def test_keypoints_lie_away_from_the_rim_and_still_find_the_same_eye() -> None:
    seen = SHAPES["disc"]
    rows, columns = 120, 130
    one = sight(view(holding(drawn(), seen, "noise"), seen).grey())
    for points, width in ((one.plain, None), (one.mirrored, SIDE - 1)):
        across = points.positions[:, 0] if width is None else width - points.positions[:, 0]
        assert len(across) > 20
        assert np.hypot(points.positions[:, 1] - rows, across - columns).max() < 110 - 14
    again = sight(view(holding(drawn(), seen, "white"), seen).grey())
    assert np.array_equal(one.plain.positions, again.plain.positions)
    assert register(one, sight(view(drawn(), None).grey())).inliers > 12


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("bands", [0, 3, 4, 13])
@pytest.mark.parametrize("method", METHODS)
def test_a_repair_leaves_gaps_as_they_are_and_does_not_look_at_them(
    method: str, bands: int, content: str
) -> None:
    seen = SHAPES["disc"][100:148, 4:60]
    pixels = drawn(bands=bands)[100:148, 4:60] / 255
    other = holding(pixels, seen, content)
    assert 0.1 < seen.mean() < 0.9
    plain, cut = enhance(pixels, [step(method)], seen=seen)
    found, again = enhance(other, [step(method)], seen=seen)
    assert np.array_equal(found[~seen], other[~seen])
    assert np.array_equal(found[seen], plain[seen])
    assert cut == again


@pytest.mark.parametrize("method", ["gamma", "rescale_intensity"])
def test_all_bands_are_repaired_by_one_rule(method: str) -> None:
    """Equal values stay equal, whichever band they are in: an index of bands keeps its sense."""
    pixels = drawn(bands=13) / 255
    found, _ = enhance(
        pixels, [step(method) | {"gamma": 0.7} if method == "gamma" else step(method)]
    )
    order = np.argsort(pixels.ravel(), kind="stable")
    assert (np.diff(found.ravel()[order]) >= 0).all()
    assert (found != pixels).any(axis=(0, 1)).all()


def test_bands_keep_their_ratios_where_contrast_is_equalised() -> None:
    pixels = drawn(bands=13) / 255
    found, _ = enhance(pixels, [{"method": "clahe", "tiles": 4, "clip_limit": 0.02}])
    lit = pixels[..., 0] > 0.2
    ratios = found[..., 5][lit] / found[..., 0][lit]
    assert np.allclose(ratios, (pixels[..., 5] / pixels[..., 0])[lit])


def case(pixels: Pixels, seen: Mask, method: str) -> tuple[Original, Repair]:
    def stored(image: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return filled(np.rint(image * 255) / 255, seen)

    def redo(image: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return stored(enhance(image, [step(method)], seen=seen)[0])

    image = view(pixels, seen).unit()
    return Original(image, stored, seen), Repair(redo(image), redo, seen)


@pytest.mark.parametrize("content", CONTENTS)
def test_evidence_is_of_what_was_seen(content: str) -> None:
    pixels, seen = drawn(), SHAPES["disc"]
    plain = gathered(*case(pixels, seen, "unsharp_mask"), EVIDENCE)
    assert gathered(*case(holding(pixels, seen, content), seen, "unsharp_mask"), EVIDENCE) == plain
    assert np.isfinite(list(plain.values())).all()


def test_evidence_hardly_differs_from_that_of_the_image_seen_whole() -> None:
    pixels, seen = drawn(), SHAPES["disc"]
    whole = gathered(*case(pixels, np.ones_like(seen), "unsharp_mask"), EVIDENCE)
    part = gathered(*case(holding(pixels, seen, "black"), seen, "unsharp_mask"), EVIDENCE)
    for name in ("consensus", "noise_growth", "clipping"):
        assert part[name] == pytest.approx(whole[name], rel=0.15, abs=0.02)


def test_vessels_are_drawn_and_judged_within_what_was_seen() -> None:
    seen = SHAPES["disc"]
    image = view(drawn(), seen).unit()
    made = phantom(image, vesselness(image, seen), seen)
    assert np.array_equal(made.image[~seen], image[~seen])
    assert (made.image != image)[seen].any()
    assert not made.judged[~np.asarray(inner(seen, 5))].any()
    assert made.judged.any()


def test_the_rim_of_an_aperture_is_no_vessel() -> None:
    pixels, mask = made_eye(np.random.default_rng(0), SIDE)
    seen, inside = SHAPES["disc"], inner(SHAPES["disc"], 6)
    shown = view(holding(np.rint(pixels * 255).astype(np.uint8), seen, "black"), seen)
    known = scores(chosen(vesselness(luminance(shown.unit()), seen), inside), chosen(mask, inside))
    whole = scores(chosen(vesselness(pixels), inside), chosen(mask, inside))
    blind = scores(vesselness(holding(pixels, seen, "black")), mask * seen)
    assert known["ap"] == pytest.approx(whole["ap"], abs=0.03)
    assert blind["ap"] < known["ap"] - 0.1


@pytest.mark.parametrize("bands", [0, 3])
def test_likeness_is_that_of_what_was_seen(bands: int) -> None:
    pixels, seen = drawn(bands=bands) / 255, SHAPES["frame"]
    after = np.clip(pixels + np.random.default_rng(0).normal(0, 0.03, pixels.shape), 0, 1)
    alone = pixels[48:208, 40:184], after[48:208, 40:184]
    pair = holding(pixels, seen, "black"), holding(after, seen, "white")
    assert psnr(*pair, seen) == pytest.approx(psnr(*alone))
    assert ssim(*pair, seen) == pytest.approx(ssim(*alone), abs=1e-9)


@pytest.mark.parametrize("name", ["grey.png", "colour.png", "colour.tif"])
@pytest.mark.parametrize("method", METHODS)
def test_a_file_keeps_its_unseen_pixels_whatever_is_done_to_it(
    method: str, name: str, tmp_path: Path
) -> None:
    seen = SHAPES["disc"]
    pixels = holding(drawn(bands=0 if name.startswith("grey") else 3), seen, "noise")
    source, target = tmp_path / name, tmp_path / "out" / name
    write_image(source, pixels)
    reading = Reading(0.0, 255.0, seen="disc 120 130 110")
    files.repair(source, target, reading, [step(method)])
    assert np.array_equal(codec.decode(target)[~seen], pixels[~seen])


def test_a_repair_that_changes_no_pixel_is_none_and_copies_the_file(tmp_path: Path) -> None:
    source, target = write_image(tmp_path / "a.png", drawn()), tmp_path / "out/a.png"
    same = [{"method": "gamma", "gamma": 1.0}]
    assert files.repair(source, target, READING, same) is None
    assert target.read_bytes() == source.read_bytes()
    assert files.repair(source, target, READING, [{"method": "gamma", "gamma": 0.7}]) == 0
    assert target.read_bytes() != source.read_bytes()
    nothing = Reading(0.0, 255.0, seen="disc 4 4 3")  # all that is seen there is black
    nearby = disc(4, 4, 3, shape=(SIDE, SIDE))
    write_image(source, np.where(nearby, 0, 90).astype(np.uint8))
    assert files.repair(source, target, nothing, [{"method": "gamma", "gamma": 0.7}]) is None


def test_a_file_of_many_bands_is_tried_as_it_is_repaired() -> None:
    stored = drawn(bands=13)
    reading = Reading(0.0, 255.0, shown=(3, 2, 1))
    stretch = [{"method": "rescale_intensity", "low": 0.01, "high": 0.9}]
    again = files.beside(stored, None, reading)
    expected = enhance(stored / 255, stretch)[0][..., [3, 2, 1]]
    assert np.array_equal(again(stored[..., [3, 2, 1]] / 255, stretch), expected)
    alone = enhance(stored[..., [3, 2, 1]] / 255, stretch)[0]
    assert not np.allclose(alone, expected)


@pytest.mark.parametrize(("reach", "left"), [(0, 36), (1, 16), (2, 4), (3, 36)])
def test_the_inside_shrinks_by_its_reach_and_is_never_nothing(reach: int, left: int) -> None:
    seen = np.pad(np.ones((6, 6), bool), 5)
    found = inner(seen, reach)
    assert found is not None
    assert found.sum() == left
    assert inner(np.ones((6, 6), bool), 2).all()  # type: ignore[union-attr]
    assert inner(None, 2) is None


def test_a_gap_takes_the_nearest_value_that_is_seen() -> None:
    values = np.array([[1, 0, 0, 0, 5]])
    seen = np.array([[True, False, False, False, True]])
    found = filled(values, seen)[0]
    assert found[[0, 1, 3, 4]].tolist() == [1, 1, 5, 5]
    assert filled(values, None) is values


def test_a_part_holds_all_that_is_seen_and_begins_on_the_grid_of_blocks() -> None:
    for shape, seen in SHAPES.items():
        place = box(seen)
        assert seen[place].sum() == seen.sum(), shape
        assert all(one.start % 8 == 0 and one.stop - one.start >= 16 for one in place)
    assert box(np.zeros((20, 30), bool)) == (slice(0, 20), slice(0, 30))


def test_shares_that_are_all_small_count_where_they_are_largest() -> None:
    assert most(np.array([0.2, 0.6, 0.5]), 0.5).tolist() == [False, True, True]
    assert most(np.array([0.2, 0.3, 0.1]), 0.5).tolist() == [False, True, False]
