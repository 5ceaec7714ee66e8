"""Set the repaired images against their originals, and the flags against the known truth."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from clearset.config import params, provenance
from clearset.config.bounds import with_bounds
from clearset.config.schema import Dataset, Engine, Rule
from clearset.decide import published, rules
from clearset.decide.measures import measures
from clearset.engines import again, analysis
from clearset.proof import comparison, outcomes, probes, verdicts
from clearset.proof.evidence import check_bounds
from clearset.proof.outcomes import Repairs
from clearset.repair.steps import check_steps
from clearset.store import columns, dossiers, layout, tables
from clearset.store.dossiers import Dossier
from clearset.store.stages import Comparison, Survey
from clearset.truth import evaluation, trust

LOCAL = {"images", "files", "neighbours", "links", "registrations", "unmeasured"}
LOCAL |= {"curves", "trials", "kin"}  # in data/ only
OF_TRUTH = {"truth", "detection", "severities", "crosstalk", "calibration"}  # where truth is known
MOST_ROWS = 1000  # of a table beside the report; a longer one is in data/ only


def main(dataset: str) -> str:
    """Write tables below data/ and, those of the record, below reports/; and metrics.json."""
    section = params.load(dataset)
    check(section)
    names = ("fetch", "analyze", "filter", "enhance")
    dossier = dossiers.of({name: layout.stage_folder(name, dataset) for name in names})
    section = with_bounds(section, dossier.selection.own_bounds)
    result = compared(section, dossier)
    with layout.replacing(layout.stage_folder("compare", dataset)) as incomplete:
        dossiers.write(result, incomplete)
        provenance.record("compare", dataset, incomplete)
    reports = layout.REPORTS / dataset
    write_record(dossier, result, reports / "tables")
    asking = rules.asking(section.filter)
    tables.write_metrics(headline(result, asking), dataset, reports / "metrics.json")
    return "\n".join(summary(section, dossier, result, asking))


def check(section: Dataset) -> None:
    """Raise `ClearsetError` for evidence or a trial that is not known."""
    check_bounds(section.accept)
    for trial, steps in section.compare.trials.items():
        check_steps(steps, f"compare.trials.{trial}")


def compared(section: Dataset, dossier: Dossier) -> Comparison:
    """Return every table of the stage."""
    catalogue, selection = dossier.catalogue, dossier.selection
    survey = dossier.survey
    judgement = rules.judge(section.filter, survey)
    rows = probes.examined(section, catalogue, dossier.cleaning.repairs, dossier.folders)
    vessels = verdicts.vessels(rows, catalogue, selection.decisions, section.accept)
    resampling = {"resamples": section.compare.resamples, "seed": section.compare.seed}
    accepted = verdicts.verdicts(rows, section.accept)
    repaired = Repairs(dossier.cleaning.repairs, accepted, verdicts.likeness(rows))
    return Comparison(
        **before_and_after(section, dossier, survey, judgement.bounds, repaired),
        **trust.trust(survey, judgement, selection.calibration),
        verdicts=accepted,
        vessels=vessels,
        gains=verdicts.gains(vessels, **resampling),
        agreement=verdicts.agreement(vessels),
        published=published.published(
            catalogue.images, dossier.analysis, selection.flags, section.analyze
        ),
    )


def before_and_after(
    section: Dataset,
    dossier: Dossier,
    survey: Survey,
    bounds: Mapping[str, Rule],
    repaired: Repairs,
) -> dict[str, pd.DataFrame]:
    """Return the tables `outcomes`, `comparison` and `changes`; of no repair, empty ones."""
    if repaired.repairs.empty:
        return {name: columns.empty(name) for name in ("outcomes", "comparison", "changes")}
    after = survey_again(section, dossier, survey)
    flags = dossier.selection.flags, rules.flag(measures(after), bounds)
    ids = repaired.repairs["image_id"].tolist()
    table = comparison.compare(survey.metrics, after.metrics, ids)
    callers = outcomes.callers(repaired.repairs, outcomes.answers(section))
    settings = section.compare
    return {
        "outcomes": outcomes.outcomes(repaired, *flags),
        "comparison": table,
        "changes": comparison.changes(
            table, callers, resamples=settings.resamples, seed=settings.seed
        ),
    }


def survey_again(section: Dataset, dossier: Dossier, survey: Survey) -> Survey:
    """Return the survey of the cleaned dataset: what the repairs change is measured again."""
    cleaned, repairs = dossier.cleaning.images, dossier.cleaning.repairs["image_id"].tolist()
    folders = dossier.folders["enhance"] / "images", dossier.folders["fetch"] / "carried"
    files = cleaned, folders, section.analyze, repairs
    if section.analyze.engine is Engine.native:
        before = analysis.descriptors(
            dossier.catalogue.images,
            dossier.folders["fetch"] / "images",
            section.analyze,
            layout.measurements(dossier.folders["analyze"]),
            masks=dossier.folders["fetch"] / "masks",
            carried=dossier.folders["fetch"] / "carried",
            classes=section.classes.values(),
            unmeasured=dossier.analysis.unmeasured["image_id"].tolist(),
        )
        changed = again.compared_again(*files, before)
    else:
        changed = again.measured_again(*files, dossier.analysis)
    unchanged = survey.metrics[~survey.metrics["image_id"].isin(repairs)]
    metrics = pd.concat([unchanged, changed.metrics], ignore_index=True)
    return replace(survey, **vars(changed) | {"images": cleaned, "metrics": metrics})


def write_record(dossier: Dossier, result: Comparison, target: Path) -> None:
    """Write the tables that belong to the record, without a copy of the large ones."""
    every: dict[str, pd.DataFrame] = {}
    for stage in (dossier.catalogue, dossier.analysis, dossier.selection, result):
        every |= vars(stage)
    away = LOCAL | (OF_TRUTH if dossier.catalogue.truth.empty else set())
    with layout.replacing(target) as incomplete:
        for name in sorted(set(every) - away):
            if len(every[name]) <= MOST_ROWS:
                tables.write(name, every[name], incomplete)
        tables.write_json(dict(dossier.engine), incomplete / "engine.json")


def headline(result: Comparison, asking: set[str]) -> dict[str, float]:
    """Return the few numbers by which experiments are compared."""
    counts = outcomes.headline(result.outcomes)
    few: dict[str, float] = {name: n for name, n in counts.items() if name != "flags_before"}
    few |= evaluation.headline(result.detection, asking)
    return few | verdicts.headline(result.gains)


def summary(
    section: Dataset, dossier: Dossier, result: Comparison, asking: set[str]
) -> Iterator[str]:
    """Yield what a person wants to read at the end of a run."""
    counts, repairs = (
        rules.counts(dossier.selection.decisions),
        outcomes.headline(result.outcomes),
    )
    yield (
        f"compare: {counts['images']} images, {counts['flagged']} flagged, {repairs['repaired']} "
        f"repaired (their flags: {repairs['flags_before']} before, {repairs['flags_after']} after)"
    )
    if not dossier.catalogue.truth.empty:
        yield from evaluation.summary(result.severities, result.detection, asking)
    answers = pd.DataFrame(outcomes.answers(section).items(), columns=["rule", "metric"])
    for row in result.changes.merge(answers).itertuples():
        enough = row.images >= comparison.FEWEST
        interval = f" [{row.low:+.6g}, {row.high:+.6g}]" if enough else ""
        yield (
            f"  {row.rule}: {row.metric} {row.before:.6g} -> {row.after:.6g}, "
            f"change {row.change:+.6g}{interval}, images {row.images}"
        )
