"""Which figures and pictures a dataset gets: curves in git, pixels only of what may be shared."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from clearset.config.schema import EVERY, Dataset
from clearset.proof import outcomes
from clearset.report import papers, pictures, plots, proof_plots
from clearset.report.study import Study
from clearset.store import layout
from clearset.store.dossiers import Dossier
from clearset.store.parallel import mapped
from clearset.store.stages import Comparison

FIGURES = "figures"  # below a dataset's pictures in data/: PDF, too large for git
Drawer = Callable[[], Figure]


def draw(study: Study, target: Path, reports: Path) -> None:
    """Write the figures into `reports`, which git holds, and all other pictures into `target`.

    Pixels of single images are among the figures only of a dataset that may be passed on.
    """
    with layout.replacing(target) as incomplete, layout.replacing(reports) as incomplete_reports:
        for folder in (incomplete / FIGURES, incomplete_reports):
            folder.mkdir(parents=True)
        jobs = [
            (  # whole paths: a process at work may have begun in another folder
                drawer,
                incomplete_reports.absolute() / f"{name}.png",
                incomplete.absolute() / FIGURES / f"{name}.pdf",
            )
            for name, drawer in curves(study).items()
        ]
        mapped(_saved, jobs, "figures", few=len(jobs))
        if study.section.about.redistributable:
            _with_pixels(study.dossier, study.result, incomplete_reports)
        galleries(study, incomplete)


def _saved(job: tuple[Drawer, Path, Path]) -> None:
    """Draw a figure, and write it for screens and for papers."""
    drawer, screen, paper = job
    figure = pictures.laid_out(drawer())
    pictures.save(figure, screen)
    papers.save(figure, paper)


def curves(study: Study) -> dict[str, Drawer]:
    """Return what draws the figures of lines and dots, by name."""
    dossier, result, judgement = study.dossier, study.result, study.judgement
    found: dict[str, Drawer] = {
        "rules": partial(plots.rules_figure, judgement.values, judgement.bounds)
    }
    if not result.gains.empty:
        found["gains"] = partial(proof_plots.gains_figure, result.gains)
    if not result.outcomes.empty:
        callers = _callers(study.section, dossier)
        found["changes"] = partial(plots.changes_figure, result.comparison, callers)
    if not dossier.catalogue.truth.empty:
        found["detection"] = partial(plots.detection_figure, result.severities, result.crosstalk)
        selection = dossier.selection
        found["curves"] = partial(plots.curves_figure, selection.curves, selection.calibration)
    return found


def galleries(study: Study, target: Path) -> None:
    """Write the pictures with pixels of single images into a folder."""
    settings, dossier, result = study.section.compare, study.dossier, study.result
    sides = _sides(dossier)
    if (dossier.folders["fetch"] / "images").exists():  # else tables are all there is
        values = study.judgement.values
        pictures.galleries(values, dossier, target / "galleries", settings.gallery)
    pictures.pairs(result.outcomes, sides, target / "pairs", settings.pairs)
    fits = dossier.analysis.registrations.merge(result.leaks[["image_id", "other_id"]])
    pictures.leaks(fits, sides, target / "leaks", settings.gallery)


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
