"""Which figures and pictures a dataset gets: curves in git, pixels only of what may be shared."""

from pathlib import Path

from clearset.config.schema import EVERY, Dataset
from clearset.decide.rules import Judgement
from clearset.proof import outcomes
from clearset.report import pictures, plots, proof_plots
from clearset.store import layout
from clearset.store.dossiers import Dossier
from clearset.store.stages import Comparison


def figures(
    section: Dataset, dossier: Dossier, result: Comparison, judgement: Judgement, target: Path
) -> None:
    """Write the figures: curves, and of a dataset that may be passed on, pixels too."""
    sides = _sides(dossier) if section.about.redistributable else None
    with layout.replacing(target) as incomplete:
        figure = plots.rules_figure(judgement.values, judgement.bounds)
        pictures.save(figure, incomplete / "rules.png")
        _of_repairs(_callers(section, dossier), result, sides, incomplete)
        if not dossier.catalogue.truth.empty:
            _of_detectors(dossier, result, sides, incomplete)


def galleries(
    section: Dataset, dossier: Dossier, result: Comparison, judgement: Judgement, target: Path
) -> None:
    """Write the pictures with pixels of single images, which stay in data/."""
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


def _of_repairs(
    callers: dict[str, str], result: Comparison, sides: pictures.Sides | None, target: Path
) -> None:
    if not result.gains.empty:
        pictures.save(proof_plots.gains_figure(result.gains), target / "gains.png")
    if result.outcomes.empty:
        return
    pictures.save(plots.changes_figure(result.comparison, callers), target / "changes.png")
    if sides:
        pictures.repaired(result.outcomes, sides, target / "repaired.png")


def _of_detectors(
    dossier: Dossier, result: Comparison, sides: pictures.Sides | None, target: Path
) -> None:
    figure = plots.detection_figure(result.severities, result.crosstalk)
    pictures.save(figure, target / "detection.png")
    selection, catalogue = dossier.selection, dossier.catalogue
    figure = plots.curves_figure(selection.curves, selection.calibration)
    pictures.save(figure, target / "curves.png")
    if sides and (catalogue.truth["severity"] > 0).any():
        images = catalogue.images
        readable = images.loc[images["error"] == "", "image_id"]
        truth = catalogue.truth[catalogue.truth["image_id"].isin(readable)]
        pictures.faults(truth, sides, target / "faults.png")
