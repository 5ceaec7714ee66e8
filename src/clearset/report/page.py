"""Tables to a page of Markdown that says what was found, what was done, and how far to trust it."""

from collections.abc import Mapping, Sequence

import pandas as pd

from clearset.config.schema import About, Action, Rule
from clearset.config.schema_accept import Verdict
from clearset.decide.published import explained, measured_by
from clearset.decide.rules import summary
from clearset.proof.verdicts import part_of
from clearset.report.own_rules import own_rules
from clearset.report.sections import REST, SECTIONS
from clearset.report.study import Study
from clearset.report.words import condition, said
from clearset.similar.duplicates import TRAINING, savings
from clearset.store.dossiers import Dossier
from clearset.store.markdown import LONGEST, escaped, markdown
from clearset.store.stages import Comparison

OF_TRUTH = {"trust", "missed"}  # sections for a dataset of known truth
ENOUGH = 0.9  # share of a fault's images found, from which it does not count as missed
MOST = 15  # rows of a table in a report, but that of the rules
WHOLE = ("all", "flagged")  # groups of images of which a report tells


def report(study: Study, done: Sequence[str] = ()) -> str:
    """Return a dataset's report from its tables, to be read in a minute.

    `done` are sentences on what was repaired and what a release would hold.
    """
    dossier, result, section = study.dossier, study.result, study.section
    catalogue, selection, bounds = dossier.catalogue, dossier.selection, study.judgement.bounds
    rules = summary(section.filter, bounds, selection.flags)
    tables = vars(catalogue) | vars(dossier.analysis) | vars(selection) | vars(result)
    tables |= excerpts(dossier, result, rules, bounds)
    texts = {
        "published": explained(result.published, section.analyze),
        "curation": saved(catalogue.images, selection.curation),
    }
    parts = [facts(study.name, section.about, selection.decisions, dossier.engine, done)]
    for title, text, name, none in SECTIONS:
        if name in OF_TRUTH and result.detection.empty and result.severities.empty:
            continue
        if none or not tables[name].empty:
            most = LONGEST if name == "findings" else MOST
            table = markdown(tables[name], most) if not tables[name].empty else none
            parts.append(f"## {title}\n\n{text}{texts.get(name, '')}\n\n{table}\n")
    return "\n".join([*parts, REST.format(name=escaped(study.name))])


def excerpts(
    dossier: Dossier, result: Comparison, rules: pd.DataFrame, bounds: Mapping[str, Rule]
) -> dict[str, pd.DataFrame]:
    """Return the parts of tables that sections show, by the name that `SECTIONS` gives them."""
    catalogue, selection = dossier.catalogue, dossier.selection
    images, detection = catalogue.images, result.detection
    gains, agreement = result.gains, result.agreement
    knowing = agreement[agreement["part"] == part_of(agreement)]
    both = gains[(gains["score"] == "both") & (gains["part"] == part_of(gains))]
    return {
        "own_rules": own_rules(selection.own_bounds, selection.recalls),
        "findings": findings(rules, bounds, detection),
        "roles": roles(catalogue.files),
        "unreadable": images.loc[images["error"] != "", ["image_id", "error"]],
        "trust": trusted(detection, rules),
        "missed": missed(result.severities, rules),
        "repairs": repairs(result.outcomes),
        "both_gains": both[both["group"].isin(WHOLE)].drop(columns=["score", "part"]),
        "knowing": knowing[knowing["group"].isin(WHOLE)].drop(columns="part"),
    }


def findings(
    rules: pd.DataFrame, bounds: Mapping[str, Rule], detection: pd.DataFrame
) -> pd.DataFrame:
    """Return the rules that ask for something and flag some image, in words, with their scores."""
    known = detection[(detection["part"] == "all") & (detection["bounds"] == "default")]
    asking = rules[(rules["action"] != Action.keep.value) & (rules["flagged"] > 0)]
    table = asking.merge(known[["rule", "precision", "recall"]], on="rule", how="left")
    table["flags an image that"] = [said(bounds[name], name)[0] for name in table["rule"]]
    table["when"] = [condition(bounds[name]) for name in table["rule"]]
    columns = ["rule", "flags an image that", "when", "action", "flagged", "precision", "recall"]
    return table.sort_values(["flagged", "rule"], ascending=[False, True])[columns]


def trusted(detection: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """Return the detectors with a consequence, scored on what nothing was chosen on."""
    consequential = rules.loc[rules["action"] != Action.keep.value, "rule"]
    held_out = (detection["bounds"] == "calibrated") & detection["rule"].isin(consequential)
    columns = ["rule", "finds", "positives", "negatives", "precision", "recall", "f1", "auroc"]
    return detection.loc[held_out & (detection["positives"] > 0), columns]


def repairs(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return how many repairs of each kind were accepted, refused, or neither."""
    said_of = outcomes.groupby(["steps", "verdict"])["image_id"].count().unstack(fill_value=0)
    table = said_of.reindex(columns=[verdict.value for verdict in Verdict], fill_value=0)
    table.insert(0, "images", table.sum(axis=1))
    return table.reset_index()


def roles(files: pd.DataFrame) -> pd.DataFrame:
    """Return how many files play which role, and why where they are not used."""
    single = files.drop_duplicates("file")
    counts = single.groupby(["role", "kind", "reason"])["file"].count().rename("files")
    return counts.reset_index()[["role", "kind", "files", "reason"]]


def saved(images: pd.DataFrame, dropped: pd.DataFrame) -> str:
    """Return a sentence on the images and bytes that the dropped duplicates save."""
    spared = savings(images, dropped)
    training = int(images["split"].isin(TRAINING).sum())
    share = spared["duplicates_dropped_train"] / max(training, 1)
    return (
        f"They save {spared['duplicates_dropped_train']} of {training} training images "
        f"({share:.1%}) and {spared['duplicates_dropped_bytes'] / 1e6:.1f} of "
        f"{spared['bytes'] / 1e6:.1f} MB."
    )


def missed(severities: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """Return the faults and severities that the rules with a consequence do not find well."""
    consequential = rules.loc[rules["action"] != "keep", "rule"]
    single = severities[(severities["severity"] > 0) & (severities["bounds"] == "calibrated")]
    weak = single[(single["recall"] < ENOUGH) & single["rule"].isin(consequential)]
    return weak[["fault", "severity", "rule", "images", "recall", "auroc"]]


def facts(
    dataset: str,
    about: About,
    decisions: pd.DataFrame,
    engine: Mapping[str, object],
    done: Sequence[str] = (),
) -> str:
    """Return the head of a report: title, counts, engine, licence, citation."""
    fates = decisions["decision"].value_counts()
    counted = ", ".join(f"{fates.get(f, 0)} {f}" for f in ("keep", "review", "enhance", "drop"))
    lines = [f"# {escaped(about.title or dataset)}", f"{len(decisions)} images: {counted}."]
    lines += [*done, measured_by(engine)]
    lines += [f"Licence of the images: {escaped(about.licence)}."] if about.licence else []
    lines += [f"Cite: {escaped(about.citation)}."] if about.citation else []
    if about.measured_on:
        page = f"[{escaped(about.measured_on)}](../{about.measured_on}/report.md)"
        lines += [f"How far to trust a flag is measured on {page}: these images, faults planted."]
    return "\n\n".join(lines) + "\n"
