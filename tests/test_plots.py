"""Figures: they draw whatever the names, and show what the data says."""

import io

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from clearset.config.schema import Rule
from clearset.repair import preview
from clearset.report import plots

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
    preview.image(single, pixels(), name)
    plots.bounds(axes(), values(1, 2), name, Rule(name, max=1.5))
    figures = [
        single.get_figure(),
        preview.gallery([(pixels(), name)], name),
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
    drawing = preview.image(axes(), shown, "eye")
    assert drawing.images[0].get_clim() == (0, top)
    assert np.array_equal(np.asarray(drawing.images[0].get_array()), shown)


@pytest.mark.parametrize(("count", "size"), [(1, (1, 1)), (4, (1, 4)), (5, (2, 4)), (9, (3, 4))])
def test_a_gallery_has_every_picture_with_its_caption(count: int, size: tuple[int, int]) -> None:
    captions = [f"eye {i}" for i in range(count)]
    figure = preview.gallery([(pixels(), caption) for caption in captions], "all")
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
    look = plots.Look(plots.KEPT, "o", "-")
    drawing = plots.paired(given, rows, dict.fromkeys(rows["image_id"], look), "blur")
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


def told(line: Line2D) -> tuple[str, str]:
    """What tells a line in grey."""
    return str(line.get_marker()), str(line.get_linestyle())


@pytest.mark.parametrize("count", [2, 6, 28])
def test_kinds_of_repair_are_told_without_colour(count: int) -> None:
    figure = plots.changes_figure(compared("blur", images=count), kinds(count))
    assert len({told(line) for line in figure.axes[0].lines}) == count
    in_legend = [told(line) for line in figure.legends[0].get_lines()]
    drawn_as = {line: told(line) for line in figure.axes[0].lines}
    assert set(in_legend) == set(drawn_as.values())


def test_what_a_rule_flags_is_crossed() -> None:
    drawing = plots.bounds(axes(), values(3, 1, 2), "soft", Rule("blur", min=1.5, max=2.5))
    _, crossed = drawing.collections
    assert np.asarray(crossed.get_offsets()).tolist() == [[0, 1], [2, 3]]
    assert np.shape(crossed.get_paths()[0].vertices) == (4, 2)  # x


def test_precision_and_recall_are_told_without_colour() -> None:
    drawing = plots.curves_figure(*calibrated("soft")).axes[0]
    assert len({told(line) for line in drawing.lines}) == len(drawing.lines)


def test_figures_leave_their_data_alone() -> None:
    rows, numbers = compared("blur"), values(3, 1, 2)
    before = rows.copy(), numbers.copy()
    plots.changes_figure(rows, kinds(3))
    plots.bounds(axes(), numbers, "soft", Rule("blur", min=0.0))
    pd.testing.assert_frame_equal(rows, before[0])
    pd.testing.assert_series_equal(numbers, before[1])


def graded(*rows: tuple[str, int, str, float], part: str = "all") -> pd.DataFrame:
    """Return the table `severities` of (fault, severity, rule, recall)."""
    return pd.DataFrame(rows, columns=["fault", "severity", "rule", "recall"]).assign(part=part)


def talked(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    """Return the table `crosstalk` of (rule, finds, fault, flagged)."""
    return pd.DataFrame(rows, columns=["rule", "finds", "fault", "flagged"])


def written(drawing: Axes) -> list[str]:
    return [text.get_text() for text in drawing.texts]


def labels(drawing: Axes) -> tuple[list[str], list[str]]:
    """Return the names of the rows and of the columns."""
    rows, columns = drawing.get_yticklabels(), drawing.get_xticklabels()
    return [text.get_text() for text in rows], [text.get_text() for text in columns]


def shares(*rows: list[float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, dtype=float)
    return table.set_axis(list("abcdefgh")[: len(table)]).set_axis(
        list("zyxwvuts")[: table.shape[1]], axis=1
    )


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, [".00"]),
        (0.5, [".50"]),
        (0.126, [".13"]),
        (0.994, [".99"]),
        (0.996, ["1"]),
        (1.0, ["1"]),
        (float("nan"), []),
    ],
)
def test_a_share_is_written_with_two_decimals_and_nothing_where_there_is_none(
    share: float, text: list[str]
) -> None:
    assert written(plots.matrix(axes(), shares([share]), "shares", [])) == text


def test_a_matrix_names_its_rows_and_columns_in_order() -> None:
    given = axes()
    drawing = plots.matrix(given, shares([0.1, 0.2, 0.3], [0.4, 0.5, 0.6]), "shares", [])
    assert drawing is given
    assert labels(drawing) == (["a", "b"], ["z", "y", "x"])
    assert written(drawing) == [".10", ".20", ".30", ".40", ".50", ".60"]
    places = [text.get_position() for text in drawing.texts]
    assert places == [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1)]
    assert drawing.get_title() == "shares"


def test_only_the_ringed_cells_are_ringed() -> None:
    drawing = plots.matrix(axes(), shares([0.1, 0.2], [0.3, 0.4]), "shares", [(0, 1), (1, 0)])
    assert [patch.get_xy() for patch in drawing.patches if hasattr(patch, "get_xy")] == [
        (0.5, -0.5),
        (-0.5, 0.5),
    ]


def detected() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what two detectors and a further rule make of two faults and of clean images."""
    recalls = graded(
        ("jpeg", 0, "blocky", 0.75), ("jpeg", 1, "blocky", 0.5), ("jpeg", 5, "blocky", 1.0)
    )
    recalls = pd.concat([recalls, graded(("haze", 2, "pale", 0.25))])
    others = graded(("jpeg", 3, "blocky", 0.0), part="held_out")
    talk = [
        (rule, finds, fault, share)
        for rule, finds in (("blocky", "compression"), ("odd", ""), ("pale", "contrast"))
        for fault, share in (("haze", 0.2), ("jpeg", 0.7), ("none", 0.1))
    ]
    return pd.concat([recalls, others]), talked(*talk)


def test_the_detectors_figure_has_a_row_for_each_fault_and_a_column_for_each_severity() -> None:
    left, right = plots.detection_figure(*detected()).axes
    assert labels(left) == (["haze by pale", "jpeg by blocky"], ["1", "2", "5"])
    assert written(left) == [".25", ".50", "1"]
    assert labels(right) == (["haze", "jpeg", "none"], ["blocky", "odd", "pale"])
    assert written(right) == [".20"] * 3 + [".70"] * 3 + [".10"] * 3


def test_the_detectors_figure_rings_what_a_rule_is_meant_to_find() -> None:
    right = plots.detection_figure(*detected()).axes[1]
    ringed = [patch.get_xy() for patch in right.patches if hasattr(patch, "get_xy")]
    assert ringed == [(1.5, -0.5), (-0.5, 0.5)]  # haze by pale, jpeg by blocky


@pytest.mark.parametrize("name", NAMES)
def test_the_detectors_figure_draws_whatever_the_rules_are_called(name: str) -> None:
    figure = plots.detection_figure(
        graded(("jpeg", 1, name, 0.5)), talked((name, "compression", "jpeg", 0.5))
    )
    assert drawn(figure).startswith(PNG)
    assert labels(figure.axes[1])[1] == [name]


def test_the_detectors_figure_draws_without_any_detector_or_severity() -> None:
    talk = talked(("odd", "", "none", 0.5), ("odd", "", "flip", 0.5))
    for recalls in (graded(), graded(("flip", 0, "near", 1.0))):
        assert drawn(plots.detection_figure(recalls.astype({"fault": str}), talk)).startswith(PNG)


def calibrated(*rules: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables `curves` and `calibration`; bounds 1, 2 and 3, given 1 and chosen 2."""
    curves = [(rule, bound, bound / 3, 1 - bound / 3) for rule in rules for bound in (1, 2, 3)]
    rows = [(rule, "sharp", "min", 1.0, 2.0) for rule in rules]
    return (
        pd.DataFrame(curves, columns=["rule", "bound", "precision", "recall"]),
        pd.DataFrame(rows, columns=["rule", "metric", "side", "given", "bound"]),
    )


@pytest.mark.parametrize("count", [1, 4, 5])
def test_every_detector_has_a_panel_with_its_bound(count: int) -> None:
    names = [f"rule {i}" for i in range(count)]
    figure = plots.curves_figure(*calibrated(*reversed(names)))
    assert [each.get_title() for each in panels(figure)] == [f"{name}: min 2" for name in names]
    assert len(figure.axes) < count + 4  # no empty row
    assert drawn(figure).startswith(PNG)


def test_a_curve_shows_precision_recall_and_both_bounds() -> None:
    drawing = plots.curves_figure(*calibrated("soft")).axes[0]
    lines = {str(line.get_label()): line for line in drawing.lines}
    assert list(lines) == ["precision", "recall", "given", "chosen"]
    assert np.asarray(lines["precision"].get_xdata()).tolist() == [1, 2, 3]
    assert np.asarray(lines["precision"].get_ydata()).tolist() == [1 / 3, 2 / 3, 1]
    assert np.asarray(lines["recall"].get_ydata()).tolist() == [1 - 1 / 3, 1 - 2 / 3, 0]
    assert [np.ravel(lines[name].get_xdata())[0] for name in ("given", "chosen")] == [1, 2]


@pytest.mark.parametrize("name", NAMES)
def test_curves_draw_whatever_the_names(name: str) -> None:
    curves, table = calibrated(name)
    assert drawn(plots.curves_figure(curves, table.assign(metric=name))).startswith(PNG)


def test_curves_of_no_detector_draw() -> None:
    figure = plots.curves_figure(*calibrated())
    assert panels(figure) == []
    assert drawn(figure).startswith(PNG)
