"""Figures with pixels: the right images, in order, without a stretch, and the same bytes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image
from scipy import ndimage

from clearset.images import codec, levels, views
from clearset.report import papers, pictures
from clearset.report.pictures import Stored
from clearset.store.dossiers import Dossier
from clearset.store.stages import Analysis, Catalogue, Cleaning, Selection
from conftest import tables_of

LEVELS = {"a/dim": 40, "b": 80, "c": 120, "d": 160, "e": 200}  # a grey level tells an image
IDS = list(LEVELS)


def whole(path: Path) -> Stored:
    """Return an 8-bit file that is shown as it is."""
    return Stored(path, levels.Reading(0, 255))


def flat(path: Path, level: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (48, 48), level).save(path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source") / "images"
    for name, level in LEVELS.items():
        flat(folder / f"{name}.png", level)
    return folder


VALUES = pd.DataFrame(  # blur falls as the mean rises; one image has no blur
    {"mean": LEVELS, "blur": {i: 900.0 - v for i, v in LEVELS.items() if i != "e"}}
)
NEAR = [("b", "c", 0.5), ("c", "b", 0.5), ("d", "e", 0.9), ("e", "d", 0.9), ("a/dim", "b", 0.1)]
IMAGES = pd.DataFrame(
    {"image_id": IDS, "path": [f"{name}.png" for name in IDS], "error": ""}
    | levels.columns(levels.Reading(0.0, 255.0))
)
SELECTION = tables_of(
    Selection,
    curation=pd.DataFrame({"image_id": ["c"], "keeper_id": ["b"], "rules": ["near"]}),
)
ANALYSIS = tables_of(
    Analysis,
    neighbours=pd.DataFrame(NEAR, columns=["image_id", "neighbour_id", "similarity"]),
    outliers=pd.DataFrame(
        {
            "image_id": IDS,
            "nearest_id": ["b", "c", "b", "e", "d"],
            "nearest_similarity": [0.1, 0.5, 0.5, 0.9, 0.9],
            "isolation_z": [-4.0, 0.0, 0.0, 1.0, -5.0],
            "published_outlier": [1, 0, 0, 0, 0],
        }
    ),
    components=pd.DataFrame(
        {"component_id": [0, 0, 1, 1], "image_id": ["b", "e", "c", "d"], "images": 2}
    ),
)


def dossier(folder: Path, analysis: Analysis, selection: Selection) -> Dossier:
    """Return what the stages have written of the images of a folder."""
    catalogue = tables_of(Catalogue, images=IMAGES)
    folders = {"fetch": folder.parent}
    return Dossier(folders, catalogue, analysis, selection, tables_of(Cleaning), {})


def seen(path: Path) -> list[int]:
    """Return the grey levels of the pictures in a sheet, in reading order."""
    with Image.open(path) as opened:
        sheet = np.asarray(opened.convert("L")).astype(int)
    solid = ndimage.maximum_filter(sheet, 9) == ndimage.minimum_filter(sheet, 9)  # is no text
    levels = 20 * np.rint(sheet / 20).astype(int)  # a colour map may be off by one
    places = []
    for level in np.unique(levels[solid & (sheet < 255)]):
        rows, columns = np.nonzero(solid & (levels == level))
        places.append((int(rows.min()) // 200, int(columns.min()), int(level)))
    return [level for _, _, level in sorted(places)]


@pytest.fixture(scope="module", params=[1, 2])
def sheets(request: pytest.FixtureRequest, folder: Path) -> tuple[int, Path]:
    """The galleries of at most one and at most two entries."""
    target = folder.parent / f"galleries {request.param}"
    whole = dossier(folder, ANALYSIS, SELECTION)
    written = pictures.galleries(VALUES, whole, target, request.param)
    assert sorted(written) == sorted(target.iterdir())
    return request.param, target


@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("dark", [[40], [80]]),
        ("bright", [[200], [160]]),
        ("blur", [[160], [120]]),
        ("outliers", [[200, 160], [40, 80]]),
        ("duplicates", [[160, 200], [80, 120]]),
        ("components", [[80, 200], [120, 160]]),
        ("dropped", [[120, 80]]),
    ],
)
def test_a_gallery_shows_the_ends_it_promises(
    sheets: tuple[int, Path], name: str, entries: list[list[int]]
) -> None:
    count, target = sheets
    assert seen(target / f"{name}.png") == [level for entry in entries[:count] for level in entry]


def test_a_gallery_with_nothing_to_show_is_not_written(folder: Path, tmp_path: Path) -> None:
    nothing = dossier(folder, tables_of(Analysis), tables_of(Selection))
    written = pictures.galleries(VALUES, nothing, tmp_path, 3)
    assert sorted(path.stem for path in written) == ["blur", "bright", "dark"]


def test_the_same_figure_gives_the_same_bytes(tmp_path: Path) -> None:
    def drawn(name: str) -> bytes:
        figure = Figure(figsize=(2, 2))
        figure.subplots().plot([1, 3, 2])
        return pictures.save(figure, tmp_path / name).read_bytes()

    assert drawn("1.png") == drawn("2.png")


def test_a_figure_tells_nothing_of_what_made_it(tmp_path: Path) -> None:
    with Image.open(pictures.save(Figure(figsize=(2, 1)), tmp_path / "a.png")) as opened:
        assert opened.format == "PNG"
        assert opened.size == (2 * pictures.DPI, pictures.DPI)
        assert "Software" not in opened.info


def test_a_figure_laid_out_once_is_saved_as_one_laid_out_each_time(tmp_path: Path) -> None:
    def made() -> Figure:
        figure = Figure(figsize=(5, 4), layout="constrained")
        for number, axes in enumerate(figure.subplots(2, 2).ravel()):
            axes.plot([0, 10**number], [1, 2], label=f"to {number}")
            axes.set_title("long " * number, fontsize=9)
            axes.legend()
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center")
        return figure

    once, each, loose = pictures.laid_out(made()), made(), made()
    first = pictures.save(once, tmp_path / "once.png").read_bytes()
    assert first == pictures.save(each, tmp_path / "each.png").read_bytes()
    for figure in (each, loose):
        figure.set_layout_engine("none")  # as it lies now
    paper = papers.save(once, tmp_path / "once.pdf").read_bytes()
    assert paper == papers.save(each, tmp_path / "each.pdf").read_bytes()
    assert first != pictures.save(loose, tmp_path / "loose.png").read_bytes()


def test_a_small_image_is_its_own_thumbnail(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (100, 639), dtype=np.uint8)
    (tmp_path / "a.png").write_bytes(codec.png_bytes(pixels))
    np.testing.assert_array_equal(pictures.thumbnail(whole(tmp_path / "a.png")), pixels)


@pytest.mark.parametrize("shape", [(640, 700), (1000, 1900), (2000, 1700)])
def test_a_large_image_is_thinned_evenly(tmp_path: Path, shape: tuple[int, int]) -> None:
    pixels = np.add.outer(np.arange(shape[0]), np.arange(shape[1])).astype(np.uint16)
    (tmp_path / "a.png").write_bytes(codec.png_bytes(pixels, compress_level=1))
    span = levels.Reading(0, 4080)  # 16 stored values to a grey level
    small = pictures.thumbnail(Stored(tmp_path / "a.png", span))
    assert pictures.THUMBNAIL <= min(small.shape) <= 2 * pictures.THUMBNAIL
    (step,) = {-(-side // length) for side, length in zip(shape, small.shape, strict=True)}
    np.testing.assert_array_equal(small, levels.eight_bit(pixels, span)[::step, ::step])


def test_what_was_not_seen_is_grey_and_the_rest_upright(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 90, 4), dtype=np.uint8)
    pixels[:20, :, 3], pixels[20:, :, 3] = 0, 255
    (tmp_path / "a.png").write_bytes(codec.png_bytes(pixels))
    reading = levels.Reading(0.0, 255.0, alpha=3, shown=(2, 1, 0), orientation=6)
    shown = pictures.full_size(Stored(tmp_path / "a.png", reading))
    assert shown.shape == (90, 60, 3)
    assert (shown[:, 40:] == views.GAP).all()
    np.testing.assert_array_equal(shown[:, :40], np.rot90(pixels[..., 2::-1], -1)[:, :40])


def outcomes(*rows: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["image_id", "steps"]).assign(
        psnr=30.123, ssim=0.91234, flags_before="dark blur", flags_after="", verdict="not_told"
    )


def sides(folder: Path) -> pictures.Sides:
    """Give each image's original, and as its repair an image twenty levels brighter."""

    def files(image_id: str) -> tuple[Stored, Stored]:
        after = flat(folder.parent / "after" / f"{image_id}.png", LEVELS[image_id] + 20)
        return whole(folder / f"{image_id}.png"), whole(after)

    return files


def test_a_pair_shows_before_left_of_after(folder: Path, tmp_path: Path) -> None:
    rows = outcomes(("c", "gamma(gamma=0.7)"), ("a/dim", "$no$ _math_"))
    written = pictures.pairs(rows, sides(folder), tmp_path / "out", 5)
    assert written == [tmp_path / "out/c.png", tmp_path / "out/a/dim.png"]
    assert [seen(path) for path in written] == [[120, 140], [40, 60]]


def test_no_more_pairs_are_drawn_than_asked_for(folder: Path, tmp_path: Path) -> None:
    rows = outcomes(*((name, "gamma(gamma=0.7)") for name in IDS))
    assert len(pictures.pairs(rows, sides(folder), tmp_path / "out", 2)) == 2
    assert pictures.pairs(rows, sides(folder), tmp_path / "none", 0) == []
    assert not (tmp_path / "none").exists()


def test_the_sheet_of_repairs_shows_each_way_once(folder: Path, tmp_path: Path) -> None:
    rows = outcomes(("b", "gamma"), ("c", "gamma"), ("d", "unsharp_mask"))
    path = pictures.repaired(rows, sides(folder), tmp_path / "repaired.png")
    assert seen(path) == [80, 100, 160, 180]


def fits(*rows: tuple[str, str, int], shift: float = 0.0) -> pd.DataFrame:
    """Return rows of the table `registrations`: the first lies on the second, shifted right."""
    table = pd.DataFrame(rows, columns=["image_id", "other_id", "inliers"])
    return table.assign(xx=1.0, xy=0.0, x0=shift, yx=0.0, yy=1.0, y0=0.0)


def test_the_surest_leaks_are_shown_registered_in_order(folder: Path, tmp_path: Path) -> None:
    rows = fits(("b", "c", 20), ("d", "e", 14), ("a/dim", "c", 20), ("c", "d", 30))
    written = pictures.leaks(rows, sides(folder), tmp_path / "leaks", 3)
    assert [path.name for path in written] == ["000.png", "001.png", "002.png"]
    assert sorted(written) == sorted((tmp_path / "leaks").iterdir())
    assert [seen(path)[:2] for path in written] == [[120, 160], [40, 120], [80, 120]]


def test_no_leak_is_no_picture(folder: Path, tmp_path: Path) -> None:
    assert pictures.leaks(fits(), sides(folder), tmp_path / "leaks", 3) == []
    assert not (tmp_path / "leaks").exists()


def striped(path: Path, *shape: int, dtype: type = np.uint8) -> Path:
    """Write an image whose columns, but for the first eight, differ from their neighbours."""
    pixels: levels.Pixels = np.zeros(shape, dtype)
    pixels[:, 8:] = np.iinfo(dtype).max // 2
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(codec.png_bytes(pixels))
    return path


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((40, 40), (40, 40)),
        ((40, 40), (60, 50)),
        ((40, 40, 3), (60, 50, 3)),
        ((40, 40, 2), (40, 40)),
        ((40, 40), (40, 40, 3)),
        ((40, 40, 3), (40, 40)),
        ((40, 40, 4), (40, 40, 3)),
    ],
    ids=str,
)
def test_a_leak_is_drawn_whatever_the_sizes_and_bands(
    first: tuple[int, ...], second: tuple[int, ...], tmp_path: Path
) -> None:
    files = {
        "one": striped(tmp_path / "one.png", *first),
        "two": striped(tmp_path / "two.png", *second),
    }
    rows = fits(("one", "two", 20), shift=3.0)
    written = pictures.leaks(
        rows, lambda i: (whole(files[i]), whole(files[i])), tmp_path / "leaks", 1
    )
    with Image.open(written[0]) as opened:
        assert opened.format == "PNG"


def test_leaks_of_16_bits_are_drawn_as_8(tmp_path: Path) -> None:
    file = Stored(striped(tmp_path / "deep.png", 40, 40, dtype=np.uint16), levels.Reading(0, 65535))
    written = pictures.leaks(fits(("a", "b", 20)), lambda _: (file, file), tmp_path / "leaks", 1)
    with Image.open(written[0]) as opened:
        greys = np.unique(np.asarray(opened.convert("L")))
    assert {0, 127} <= set(greys.tolist())  # half of the range is half of the range


def known(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["image_id", "fault", "severity"]).assign(parameters="$x_{$")


def test_the_sheet_of_faults_shows_the_worst_of_each_by_name(folder: Path, tmp_path: Path) -> None:
    rows = known(
        ("a/dim", "none", 0), ("b", "jpeg", 1), ("c", "jpeg", 4), ("d", "jpeg", 4), ("e", "fog", 2)
    )
    path = pictures.faults(rows, sides(folder), tmp_path / "faults.png")
    assert path == tmp_path / "faults.png"
    assert seen(path) == [200, 120]  # fog, the first of the worst jpegs; the clean one is left out


def test_the_order_of_the_truth_does_not_change_the_sheet(folder: Path, tmp_path: Path) -> None:
    rows = known(("b", "jpeg", 2), ("c", "jpeg", 2), ("d", "fog", 1))
    first = pictures.faults(rows, sides(folder), tmp_path / "1.png").read_bytes()
    second = pictures.faults(rows.iloc[::-1], sides(folder), tmp_path / "2.png").read_bytes()
    assert first == second
