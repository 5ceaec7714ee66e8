"""Judge what repairs do to trained models: tables, one figure, a page."""

from clearset.config import params
from clearset.config.stage import run
from clearset.report import pictures
from clearset.store import dossiers, layout
from clearset.store.stages import Lessons, Training
from clearset.train import page, plots, summary


def main(dataset: str) -> str:
    """Write the tables, the figure and the page of a dataset's training below reports/."""
    section = params.load(dataset)
    settings = section.train
    if settings is None:
        return f"judge: {dataset} has no section `train`, so there is nothing to judge"
    training = dossiers.read(Training, layout.stage_folder("train", dataset))
    scores = training.training_scores
    resampling = {"resamples": section.compare.resamples, "seed": section.compare.seed}
    lessons = Lessons(
        training_ceiling=training.training_ceiling,
        training_means=summary.means(scores, **resampling),
        training_changes=summary.changes(scores, **resampling),
    )
    target = layout.REPORTS / dataset / "training"
    with layout.replacing(target) as incomplete:
        dossiers.write(lessons, incomplete / "tables")
        figure = plots.changes_figure(lessons.training_changes)
        pictures.save(figure, incomplete / "figures/changes.png")
        text = page.report(dataset, settings, lessons)
        (incomplete / "report.md").write_text(text, encoding="utf-8")
    changes = lessons.training_changes
    lines = [
        f"  {question}: {summary.counted(rows)}"
        for question, rows in changes[changes["class"] == "vessel"].groupby("question")
    ]
    return "\n".join([f"judge: {target}/report.md; changes of vessel Dice:", *lines])


if __name__ == "__main__":
    run(main)
