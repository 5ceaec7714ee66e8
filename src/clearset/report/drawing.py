"""Which figures and pictures a dataset gets: curves in git, pixels only of what may be shared."""

from pathlib import Path

from matplotlib.figure import Figure

from clearset.config.schema import EVERY, Dataset
from clearset.decide.rules import Judgement
from clearset.proof import outcomes
from clearset.report import papers, pictures, plots, proof_plots
from clearset.store import layout
from clearset.store.dossiers import Dossier
from clearset.store.stages import Comparison

FIGURES = "figures"  # below a dataset's pictures in data/: PDF and SVG, too large for git


def figures(
    section: Dataset, dossier: Dossier, result: Comparison, judgement: Judgement, target: Path
) -> None:
    """Write the figures: curves, and of a dataset that may be passed on, pixels too."""
    with layout.replacing(target) as incomplete:
        for name, figure in curves(section, dossier, result, judgement).items():
            pictures.save(figure, incomplete / f"{name}.png")
        if section.about.redistributable:
            _with_pixels(dossier, result, incomplete)


def curves(
    section: Dataset, dossier: Dossier, result: Comparison, judgement: Judgement
) -> dict[str, Figure]:
    """Return the figures of lines and dots, by name."""
    found = {"rules": plots.rules_figure(judgement.values, judgement.bounds)}
    if not result.gains.empty:
        found["gains"] = proof_plots.gains_figure(result.gains)
    if not result.outcomes.empty:
        callers = _callers(section, dossier)
        found["changes"] = plots.changes_figure(result.comparison, callers)
    if not dossier.catalogue.truth.empty:
        found["detection"] = plots.detection_figure(result.severities, result.crosstalk)
        selection = dossier.selection
        found["curves"] = plots.curves_figure(selection.curves, selection.calibration)
    return found


def galleries(
    section: Dataset, dossier: Dossier, result: Comparison, judgement: Judgement, target: Path
) -> None:
    """Write the pictures with pixels of single images, and figures for papers, kept in data/."""
    settings, sides = section.compare, _sides(dossier)
    with layout.replacing(target) as incomplete:
        incomplete.mkdir()
        if (dossier.folders["fetch"] / "images").exists():  # else tables are all there is
            pictures.galleries(
                judgement.values, dossier, incomplete / "galleries", settings.gallery
            )
        pictures.pairs(result.outcomes, sides, incomplete / "pairs", settings.pairs)
        fits = dossier.analysis.registrations.merge(result.leaks[["image_id", "other_id"]])
        pictures.leaks(fits, sides, incomplete / "leaks", settings.gallery)
        for name, figure in curves(section, dossier, result, judgement).items():
            papers.save(figure, incomplete / FIGURES / name)


def _sides(dossier: Dossier) -> pictures.Sides:
    """Return what gives an image's file before and after."""
    images, carried = dossier.catalogue.images, dossier.folders["fetch"] / "carried"
    before, after = (
        pictures.files(images, dossier.folders[stage] / "images", carried)
        for stage in ("fetch", "enhance")
    )
    return lambda image_id: (before[image_id], after[image_id])


def _callers(section: Dataset, dossier: Dossier) -> dict[str, str]:
    """Return, by image_id, the rules that called for its repair, in words."""
    callers = outcomes.callers(dossier.cleaning.repairs, outcomes.answers(section))
    return {image_id: " + ".join(sorted(rules)) or EVERY for image_id, rules in callers.items()}


def _with_pixels(dossier: Dossier, result: Comparison, target: Path) -> None:
    """Write the figures that show images: repaired ones, and one of each planted fault."""
    sides, catalogue = _sides(dossier), dossier.catalogue
    if not result.outcomes.empty:
        pictures.repaired(result.outcomes, sides, target / "repaired.png")
    if (catalogue.truth["severity"] > 0).any():
        images = catalogue.images
        readable = images.loc[images["error"] == "", "image_id"]
        truth = catalogue.truth[catalogue.truth["image_id"].isin(readable)]
        pictures.faults(truth, sides, target / "faults.png")
