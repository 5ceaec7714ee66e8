"""Draw what the stages have computed: report and page below reports/, pictures below data/."""

from clearset.config import params
from clearset.config.bounds import with_bounds
from clearset.decide import rules
from clearset.page import writing
from clearset.report import drawing, page
from clearset.report.order import arranged
from clearset.report.study import Study
from clearset.store import dossiers, layout
from clearset.store.stages import Comparison


def main(dataset: str) -> str:
    """Write figures, report.md and the page below reports/, the page with pictures below data/."""
    section = params.load(dataset)
    names = ("fetch", "analyze", "filter", "enhance", "compare")
    folders = {name: layout.stage_folder(name, dataset) for name in names}
    dossier = dossiers.of(folders)
    section = with_bounds(section, dossier.selection.own_bounds)
    result = arranged(dossiers.read(Comparison, folders["compare"]), section.filter)
    judgement = rules.judge(section.filter, dossier.survey)
    target, reports = layout.stage_folder("report", dataset), layout.REPORTS / dataset
    study = Study(dataset, section, dossier, result, judgement)
    drawing.draw(study, target, reports / "figures")
    first = writing.write(study, target, reports)
    with layout.replacing(reports / "report.md") as incomplete:
        incomplete.write_text(page.report(study, first.done), encoding="utf-8")
    return f"report: {reports}/report.md   page, to look and decide: {target}/{writing.NAME}"
