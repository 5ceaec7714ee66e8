"""Set the repaired images against their originals, and report the whole dataset."""

from pathlib import Path
from typing import Any

import pandas as pd

from clearset.config import params
from clearset.config.schema import EVERY, Action, Dataset, Engine, Rule
from clearset.config.stage import run
from clearset.decide import published, rules
from clearset.engines import analysis
from clearset.proof import comparison, probes, verdicts
from clearset.proof.evidence import check_bounds
from clearset.repair.steps import check_steps
from clearset.report import drawing, page
from clearset.store import layout, tables
from clearset.truth import calibration, evaluation

Tables = dict[str, pd.DataFrame]
READ = {
    "fetch": ["images", "truth", "notes"],
    "analyze": [
        "metrics",
        "masks",
        "neighbours",
        "links",
        "outliers",
        "components",
        "pairs",
        "registrations",
    ],
    "filter": ["flags", "decisions", "conflicts", "curation", "calibration", "curves"],
    "enhance": ["repairs"],
}
LOCAL = {
    "images",
    "neighbours",
    "links",
    "repairs",
    "rules",
    "registrations",
    "curves",
    "likeness",
}  # in data/ only
JUDGED = ["truth", "detection", "severities", "crosstalk", "calibration"]
MOST_ROWS = 1000  # of a table beside the report; a longer one is in data/ only


def main(dataset: str) -> str:
    """Write tables, figures, metrics.json and report.md below reports/, pictures below data/."""
    section = params.load(dataset)
    folders = {stage: layout.stage_folder(stage, dataset) for stage in (*READ, "compare")}
    found = {name: tables.read(name, folders[stage]) for stage in READ for name in READ[stage]}
    made = rules.judge(section.filter, found)
    found["rules"] = rules.summary(section.filter, made.bounds, found["flags"])
    found["published"] = published.published(found, section.analyze)
    found |= proven(section, found, folders)
    found |= assessed(section, found, folders, made.bounds)
    found |= judged(found, made.values, made.bounds)
    reports = layout.REPORTS / dataset
    engine = tables.read_json(folders["analyze"] / "engine.json")
    write_tables(found, engine, reports / "tables")
    sides = drawing.sides(found["images"], folders)
    called = {i: " + ".join(sorted(by)) or EVERY for i, by in answered(section, found).items()}
    shared = sides if section.about.redistributable else None
    drawing.figures(found, made, called, shared, reports / "figures")
    drawing.local(section, found, made, sides, folders)
    counts = comparison.headline(found["outcomes"])
    few: dict[str, float] = {name: n for name, n in counts.items() if name != "flags_before"}
    few |= evaluation.headline(found["detection"], asking(found["rules"]))
    few |= verdicts.headline(found["gains"])
    tables.write_metrics(few, dataset, reports / "metrics.json")
    with layout.replacing(reports / "report.md") as begun:
        begun.write_text(page.report(dataset, section, found, engine), encoding="utf-8")
    shown = f"report: {reports}/report.md   pictures: {folders['compare']}"
    return "\n".join([*summary(found, counts, enhancing(section)), f"  {shown}"])


def enhancing(section: Dataset) -> dict[str, str]:
    """Return the rules that the repairs answer, each with its metric."""
    asked = {step["rule"] for step in section.enhance}
    return {name: rule.metric for name, rule in section.filter.items() if name in asked}


def asking(rules: pd.DataFrame) -> set[str]:
    """Return the rules of the table `rules` that ask for something."""
    return set(rules.loc[rules["action"] != Action.keep.value, "rule"])


def answered(section: Dataset, found: Tables) -> dict[str, set[str]]:
    """Return, by image_id, the rules that called for an image's repair."""
    wanted = set(enhancing(section))
    return {row.image_id: wanted & set(row.rules.split()) for row in found["repairs"].itertuples()}


def assessed(
    section: Dataset, found: Tables, folders: dict[str, Path], bounds: dict[str, Any]
) -> Tables:
    """Return what the repairs did: tables `outcomes`, `comparison` and `changes`."""
    repairs = found["repairs"]
    if repairs.empty:
        return {name: tables.empty(name) for name in ("outcomes", "comparison", "changes")}
    cleaned = tables.read("images", folders["enhance"])
    again = analyzed_again(section, found, cleaned, folders)
    unchanged = found["metrics"][~found["metrics"]["image_id"].isin(repairs["image_id"])]
    after = found | {
        "images": cleaned,
        "metrics": pd.concat([unchanged, again.metrics], ignore_index=True),
        "neighbours": again.neighbours,
        "links": again.links,
        "outliers": again.outliers,
    }
    flags_after = rules.flag(rules.measures(after), bounds)
    outcomes = repairs[["image_id", "steps", "clipped"]].assign(
        flags_before=[rules.names(found["flags"], i) for i in repairs["image_id"]],
        flags_after=[rules.names(flags_after, i) for i in repairs["image_id"]],
    )
    outcomes = outcomes.merge(found["likeness"]).merge(
        found["verdicts"][["image_id", "accepted", "refused_by"]]
    )
    table = comparison.compare(found["metrics"], again.metrics, repairs["image_id"].tolist())
    settings = section.compare
    called = answered(section, found)
    changes = comparison.changes(table, called, resamples=settings.resamples, seed=settings.seed)
    return {"outcomes": outcomes, "comparison": table, "changes": changes}


def analyzed_again(
    section: Dataset, found: Tables, cleaned: pd.DataFrame, folders: dict[str, Path]
) -> analysis.Repaired:
    """Return what of the analysis the repairs change; the other images keep what they have."""
    repaired, folder = found["repairs"]["image_id"].tolist(), folders["enhance"] / "images"
    if section.analyze.engine is not Engine.native:
        return analysis.measured_again(cleaned, folder, section.analyze, repaired, found)
    descriptors = tables.read_array("descriptors", folders["analyze"])
    before = found["metrics"]["image_id"].tolist(), descriptors
    return analysis.again(cleaned, folder, section.analyze, repaired, before)


def judged(found: Tables, values: pd.DataFrame, bounds: dict[str, Rule]) -> Tables:
    """Return how far flags can be trusted: `leaks`, and where the truth is known the detectors."""
    finders = [rule for rule in bounds.values() if rule.metric == "leak_inliers"]
    pairs = found["registrations"]
    flagged = [rules.outside(pairs["inliers"], rule) for rule in finders]
    leaks = pairs[flagged[0]] if flagged else pairs[:0]
    result = {"leaks": leaks[["image_id", "other_id", "similarity", "inliers"]]}
    if found["truth"].empty:
        return result | {name: tables.empty(name) for name in JUDGED[1:4]}
    sets = {"default": bounds, "calibrated": calibration.adopted(bounds, found["calibration"])}
    return result | {
        "detection": evaluation.detection(values, found, sets),
        "severities": evaluation.severities(values, found, sets),
        "crosstalk": evaluation.crosstalk(values, found["truth"], bounds),
    }


def proven(section: Dataset, found: Tables, folders: dict[str, Path]) -> Tables:
    """Return what the repairs did to vessels, and which of them the evidence lets pass."""
    check_bounds(section.accept)
    for trial, steps in section.compare.trials.items():
        check_steps(steps, f"compare.trials.{trial}")
    rows = probes.examined(section, found, folders)
    seen = verdicts.vessels(rows, found, section.accept)
    settings = section.compare
    applied = rows[(rows["repair"] == verdicts.APPLIED) & (rows["repaired"] == 1)]
    return {
        "vessels": seen,
        "gains": verdicts.gains(seen, resamples=settings.resamples, seed=settings.seed),
        "agreement": verdicts.agreement(seen),
        "verdicts": verdicts.verdicts(rows, section.accept),
        "likeness": applied.reindex(columns=["image_id", "psnr", "ssim"]),
    }


def write_tables(found: Tables, engine: dict[str, Any], target: Path) -> None:
    """Write the tables that belong to the record, without a copy of the large ones."""
    with layout.replacing(target) as begun:
        unknown = set(JUDGED) if found["truth"].empty else set()
        for name in sorted(set(found) - LOCAL - unknown):
            if len(found[name]) <= MOST_ROWS:
                tables.write(name, found[name], begun)
        tables.write_json(engine, begun / "engine.json")


def summary(found: Tables, numbers: dict[str, int], answers: dict[str, str]) -> list[str]:
    """Return what a person wants to read at the end of a run."""
    counts = rules.counts(found["decisions"])
    lines = [
        f"compare: {counts['images']} images, {counts['flagged']} flagged, {numbers['repaired']} "
        f"repaired (their flags: {numbers['flags_before']} before, {numbers['flags_after']} after)"
    ]
    if not found["truth"].empty:
        lines += evaluation.summary(found["severities"], found["detection"], asking(found["rules"]))
    own = found["changes"].merge(pd.DataFrame(answers.items(), columns=["rule", "metric"]))
    for row in own.itertuples():
        known = row.images >= comparison.FEWEST
        interval = f" [{row.low:+.6g}, {row.high:+.6g}]" if known else ""
        lines.append(
            f"  {row.rule}: {row.metric} {row.before:.6g} -> {row.after:.6g}, "
            f"change {row.change:+.6g}{interval}, images {row.images}"
        )
    return lines


if __name__ == "__main__":
    run(main)
