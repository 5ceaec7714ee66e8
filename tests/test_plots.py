"""Figures: they draw whatever the names, and show what the data says."""

import io

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from clearset import plots
from clearset.schema import Rule

PNG = b"\x89PNG"
# Dollar signs make matplotlib read mathematics; all but the first are no mathematics at all.
NAMES = ["eye_001", "a$b", "$x_{$", "$\\frac{$", "cost $5 and $6^$", "first\nsecond", "<b>&|`"]


def drawn(figure: Figure) -> bytes:
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=40)
    return target.getvalue()


def axes() -> Axes:
    return Figure().subplots()


def pixels(*shape: int, dtype: npt.DTypeLike = np.uint8) -> npt.NDArray[np.generic]:
    return np.random.default_rng(0).integers(0, 200, shape or (20, 30)).astype(dtype)


def values(*numbers: float) -> pd.Series:
    return pd.Series(numbers, index=list("abcdefgh"[: len(numbers)]), dtype=float)


def compared(*metrics: str, images: int = 3) -> pd.DataFrame:
    """Return the table `comparison`; image number i goes from i to i + 1."""
    rows = [(f"eye_{i}", name, float(i), i + 1.0, 1.0) for name in metrics for i in range(images)]
    return pd.DataFrame(rows, columns=["image_id", "metric", "before", "after", "change"])


def kinds(count: int) -> dict[str, str]:
    return {f"eye_{i}": f"rule {i}" for i in range(count)}


def panels(figure: Figure) -> list[Axes]:
    """Return the axes that show something."""
    return [each for each in figure.axes if each.get_title()]


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_draws_whatever_the_names(name: str) -> None:
    single, several = axes(), pd.DataFrame({name: values(1, 2, 3)})
    plots.image(single, pixels(), name)
    plots.bounds(axes(), values(1, 2), name, Rule(name, max=1.5))
    figures = [
        single.get_figure(),
        plots.gallery([(pixels(), name)], name),
        plots.pair(pixels(), pixels(), name),
        plots.rules_figure(several, {name: Rule(name, min=2.0)}),
        plots.changes_figure(compared(name), {f"eye_{i}": name for i in range(3)}),
    ]
    for figure in figures:
        assert isinstance(figure, Figure)
        assert drawn(figure).startswith(PNG)


@pytest.mark.parametrize(
    ("shown", "top"),
    [(pixels(), 255), (pixels(dtype=np.uint16), 65535), (pixels(dtype=np.float32), 1)],
    ids=["8 bits", "16 bits", "unit"],
)
def test_an_image_is_shown_without_a_stretch(shown: npt.NDArray[np.generic], top: int) -> None:
    drawing = plots.image(axes(), shown, "eye")
    assert drawing.images[0].get_clim() == (0, top)
    assert np.array_equal(np.asarray(drawing.images[0].get_array()), shown)


@pytest.mark.parametrize("shape", [(10, 10), (20, 30), (20, 30, 3), (20, 30, 4)], ids=str)
def test_a_pair_draws_grey_colour_and_tiny_images(shape: tuple[int, ...]) -> None:
    figure = plots.pair(pixels(*shape), pixels(*shape), "eye")
    assert drawn(figure).startswith(PNG)
    assert [len(each.images) for each in figure.axes] == [1, 1, 1, 1]


def test_a_pair_shows_the_same_detail_of_both_sides() -> None:
    before, after, first, second = plots.pair(pixels(60, 80), pixels(60, 80) + 1, "eye").axes
    assert [each.get_title().split(",")[0] for each in (before, after)] == ["before", "after"]
    details = [np.asarray(each.images[0].get_array(), int) for each in (first, second)]
    assert np.array_equal(details[0] + 1, details[1])
    assert details[0].size < 60 * 80 / 10


@pytest.mark.parametrize(("count", "size"), [(1, (1, 1)), (4, (1, 4)), (5, (2, 4)), (9, (3, 4))])
def test_a_gallery_has_every_picture_with_its_caption(count: int, size: tuple[int, int]) -> None:
    captions = [f"eye {i}" for i in range(count)]
    figure = plots.gallery([(pixels(), caption) for caption in captions], "all")
    assert [each.get_title() for each in panels(figure)] == captions
    grid = figure.axes[0].get_gridspec()
    assert grid is not None
    assert grid.get_geometry() == size
    assert not any(each.axison for each in figure.axes)


def dashed(drawing: Axes) -> list[float]:
    """Return where the dashed lines lie."""
    return [float(np.ravel(line.get_ydata())[0]) for line in drawing.lines]


@pytest.mark.parametrize(
    ("rule", "lines", "flagged"),
    [
        (Rule("blur", min=2.0), [2.0], 1),
        (Rule("blur", max=1.5), [1.5], 2),
        (Rule("blur", max=2.0), [2.0], 1),
        (Rule("blur", min=2.0, max=2.5), [2.0, 2.5], 2),
    ],
)
def test_bounds_are_dashed_and_what_lies_outside_is_coloured(
    rule: Rule, lines: list[float], flagged: int
) -> None:
    given = axes()
    drawing = plots.bounds(given, values(3, 1, 2, float("nan")), "soft", rule)
    assert drawing is given
    assert dashed(drawing) == lines
    assert {line.get_linestyle() for line in drawing.lines} == {"--"}
    colours = [to_hex(colour) for colour in np.atleast_2d(drawing.collections[0].get_facecolor())]
    assert colours.count(plots.FLAGGED) == flagged
    assert drawing.get_title() == f"soft: {flagged} of 3 flagged"


def test_bounds_show_each_measured_image_in_order() -> None:
    drawing = plots.bounds(axes(), values(3, 1, float("nan"), 2), "soft", Rule("blur", min=0.0))
    points = np.asarray(drawing.collections[0].get_offsets())
    assert points.tolist() == [[0, 1], [1, 2], [2, 3]]


def test_bounds_without_any_value_draw() -> None:
    drawing = plots.bounds(axes(), values(float("nan")), "soft", Rule("blur", min=0.0))
    assert drawing.get_title() == "soft: 0 of 0 flagged"
    figure = drawing.get_figure()
    assert isinstance(figure, Figure)
    assert drawn(figure).startswith(PNG)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_every_rule_has_a_panel(count: int) -> None:
    rules = {f"rule {i}": Rule("blur", min=float(i)) for i in range(count)}
    figure = plots.rules_figure(pd.DataFrame({"blur": values(1, 2, 3)}), rules)
    assert [each.get_title().split(":")[0] for each in panels(figure)] == list(rules)
    assert len(figure.axes) < count + 3  # no empty row
    assert drawn(figure).startswith(PNG)


def test_a_metric_of_two_values_has_no_panel_beside_others() -> None:
    measured = pd.DataFrame({"blur": values(1, 2, 3), "unreadable": values(0, 1, 0)})
    soft, broken = Rule("blur", min=2.0), Rule("unreadable", max=0.0)
    both = plots.rules_figure(measured, {"soft": soft, "broken": broken})
    alone = plots.rules_figure(measured, {"broken": broken})
    assert [each.get_title() for each in panels(both)] == ["soft: 1 of 3 flagged"]
    assert [each.get_title() for each in panels(alone)] == ["broken: 1 of 3 flagged"]


def test_every_image_has_a_line_from_before_to_after() -> None:
    given, rows = axes(), compared("blur", images=4)
    drawing = plots.paired(given, rows, dict.fromkeys(rows["image_id"], plots.KEPT), "blur")
    assert drawing is given
    assert [[*np.asarray(line.get_ydata())] for line in drawing.lines] == [
        [i, i + 1.0] for i in range(4)
    ]


@pytest.mark.parametrize("count", [1, 4, 5])
def test_every_metric_has_a_panel_with_its_means(count: int) -> None:
    names = [f"metric {i}" for i in range(count)]
    figure = plots.changes_figure(compared(*names), kinds(3))
    titles = [each.get_title().split("\n") for each in panels(figure)]
    assert titles == [[name, f"mean 1 {plots.ARROW} 2"] for name in names]
    assert len(figure.axes) < count + 4  # no empty row
    assert drawn(figure).startswith(PNG)


@pytest.mark.parametrize("count", [1, 2, 20])
def test_the_legend_names_every_kind_of_repair(count: int) -> None:
    figure = plots.changes_figure(compared("blur", images=count), kinds(count))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == sorted(
        kinds(count).values()
    )


def test_images_of_one_kind_share_a_colour() -> None:
    called = {"eye_0": "soft", "eye_1": "dark", "eye_2": "soft"}
    lines = plots.changes_figure(compared("blur"), called).axes[0].lines
    first, second, third = (line.get_color() for line in lines)
    assert first == third != second


def test_figures_leave_their_data_alone() -> None:
    rows, numbers = compared("blur"), values(3, 1, 2)
    before = rows.copy(), numbers.copy()
    plots.changes_figure(rows, kinds(3))
    plots.bounds(axes(), numbers, "soft", Rule("blur", min=0.0))
    pd.testing.assert_frame_equal(rows, before[0])
    pd.testing.assert_series_equal(numbers, before[1])
