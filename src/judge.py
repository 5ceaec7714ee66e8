"""Judge what repairs do to trained models: tables, one figure, a page."""

from clearset.config import params
from clearset.config.stage import run
from clearset.report import pictures
from clearset.store import layout, tables
from clearset.train import page, plots, summary

READ = ("training_scores", "training_ceiling")


def main(dataset: str) -> str:
    """Write the tables, the figure and the page of a dataset's training below reports/."""
    section = params.load(dataset)
    settings, compare = section.train, section.compare
    if settings is None:
        return f"judge: {dataset} has no section `train`, so there is nothing to judge"
    found = {name: tables.read(name, layout.stage_folder("train", dataset)) for name in READ}
    scores, drawn = found["training_scores"], {"resamples": compare.resamples, "seed": compare.seed}
    found["training_means"] = summary.means(scores, **drawn)
    found["training_changes"] = summary.changes(scores, **drawn)
    figure = plots.changes_figure(found["training_changes"])
    target = layout.REPORTS / dataset / "training"
    with layout.replacing(target) as begun:
        begun.mkdir()
        for name in ("training_ceiling", "training_means", "training_changes"):
            tables.write(name, found[name], begun / "tables")
        pictures.save(figure, begun / "figures/changes.png")
        text = page.report(dataset, settings, found)
        (begun / "report.md").write_text(text, encoding="utf-8")
    changes = found["training_changes"]
    lines = [
        f"  {question}: {summary.counted(rows)}"
        for question, rows in changes[changes["class"] == "vessel"].groupby("question")
    ]
    return "\n".join([f"judge: {target}/report.md; changes of vessel Dice:", *lines])


if __name__ == "__main__":
    run(main)
