"""Flag the images that a rule finds outside its bounds, and decide what becomes of each."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from clearset.config import params, provenance
from clearset.config.bounds import with_bounds
from clearset.config.schema import Dataset, Rule
from clearset.decide import rules
from clearset.decide.measures import measures
from clearset.images import masks
from clearset.images.levels import Pixels
from clearset.similar import duplicates
from clearset.store import columns, dossiers, layout, stages, tables
from clearset.store.stages import Analysis, Catalogue, Selection, Survey
from clearset.truth import bounds, calibration, kin, own

ADOPT = "calibrated.yaml"


def main(dataset: str) -> str:
    """Write flags, every image's fate, the counts, and what every other bound would do."""
    section = params.load(dataset)
    fetched, analyzed = (layout.stage_folder(stage, dataset) for stage in ("fetch", "analyze"))
    survey = read(fetched, analyzed, section)
    bounds_chosen, recalls = chosen(section, survey, analyzed)
    section = with_bounds(section, bounds_chosen)
    judgement = rules.judge(section.filter, survey)
    summary = rules.summary(section.filter, judgement.bounds, judgement.flags)
    better, selection = select(section, survey, judgement)
    selection = replace(selection, own_bounds=bounds_chosen, recalls=recalls)
    target, reports = layout.stage_folder("filter", dataset), layout.REPORTS / dataset
    with layout.replacing(target) as incomplete:
        dossiers.write(selection, incomplete)
        provenance.record("filter", dataset, incomplete)
        if better:
            text = calibration.to_adopt(better)
            (incomplete / ADOPT).write_text(text, encoding="utf-8")
    tables.write("rules", summary, reports)
    tables.write("bounds", bounds.swept(judgement, survey), reports)
    counts = rules.counts(selection.decisions)
    counts |= duplicates.savings(survey.images, selection.curation)
    few = {name: counts[name] for name in ("flagged", "dropped")}
    tables.write_metrics(few, dataset, reports / "counts.json")
    warned = [f"  {row.rule} {row.warning}" for row in selection.warnings.itertuples()]
    return "\n".join([*message(counts, summary, target, bool(better)), *warned])


def read(fetched: Path, analyzed: Path, section: Dataset) -> Survey:
    """Return what rules are judged by."""
    catalogue = dossiers.read(Catalogue, fetched)
    masks = partial(read_mask, fetched / "masks")
    conflicts = duplicates.conflicts(catalogue.images, section.classes, masks)
    return stages.survey(catalogue, dossiers.read(Analysis, analyzed), conflicts)


def chosen(section: Dataset, survey: Survey, analyzed: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables `own_bounds` and `recalls`: what the dataset's own images lead to."""
    trials, pairs = (tables.read(name, analyzed) for name in ("trials", "kin"))
    single = own.own_bounds(section.filter, measures(survey), trials, section.calibrate)
    paired = kin.own_bounds(section.filter, pairs, survey, section.analyze, section.calibrate)
    first, second = (
        pd.concat(parts, ignore_index=True) for parts in zip(single, paired, strict=True)
    )
    return first, second


def select(
    section: Dataset, survey: Survey, judgement: rules.Judgement
) -> tuple[dict[str, Rule], Selection]:
    """Return the detectors with bounds chosen on known truth, and the tables of the stage."""
    given, flags, values = judgement.bounds, judgement.flags, judgement.values
    better, table, curves = calibration.calibrate(given, values, survey, section.calibrate)
    dropping = rules.dropping(given, flags)
    return better, Selection(
        flags=flags,
        decisions=rules.decide(survey.images, flags),
        conflicts=survey.conflicts,
        curation=duplicates.curation(survey.images, dropping, judgement.surplus),
        calibration=table,
        curves=curves,
        warnings=rules.warnings(values, given, flags),
        own_bounds=columns.empty("own_bounds"),
        recalls=columns.empty("recalls"),
    )


def message(
    counts: dict[str, int], summary: pd.DataFrame, target: Path, better: bool
) -> Iterator[str]:
    """Yield what was done, for a person."""
    flagged = [f"{row.rule} {row.flagged}" for row in summary.itertuples() if row.flagged]
    yield (
        f"filter: {counts['flagged']} of {counts['images']} images flagged "
        f"({', '.join(flagged) or 'by no rule'}), decisions in {target}"
    )
    if dropped := counts["duplicates_dropped"]:
        share = counts["duplicates_dropped_bytes"] / max(counts["bytes"], 1)
        yield (
            f"  {dropped} duplicates dropped, {counts['duplicates_dropped_train']} of them for "
            f"training: {counts['duplicates_dropped_bytes'] / 1e6:.1f} MB, {share:.1%} of the "
            f"dataset; each with what stays in its stead in {target}/curation.csv"
        )
    if better:
        yield f"  bounds chosen on known truth, to adopt if you like: {target}/{ADOPT}"


def read_mask(folder: Path, path: str) -> Pixels:
    """Return a mask's values."""
    return masks.decode(folder / path)
