"""Tables to a page of Markdown that says what was found, what was done, and how far to trust it."""

from collections.abc import Mapping

import pandas as pd

from clearset.config.schema import About, Dataset
from clearset.decide.published import explained, measured_by
from clearset.decide.rules import Judgement, summary
from clearset.proof.verdicts import part_of
from clearset.report.own_rules import own_rules
from clearset.report.sections import SECTIONS
from clearset.similar.duplicates import TRAINING, savings
from clearset.store.dossiers import Dossier
from clearset.store.markdown import escaped, markdown
from clearset.store.stages import Comparison

OF_TRUTH = {"trust", "missed", "faults", "calibration"}  # sections for a dataset of known truth
ENOUGH = 0.9  # share of a fault's images found, from which it does not count as missed


def report(
    dataset: str,
    section: Dataset,
    dossier: Dossier,
    result: Comparison,
    judgement: Judgement,
) -> str:
    """Return a dataset's report from its tables."""
    catalogue, selection = dossier.catalogue, dossier.selection
    rules = summary(section.filter, judgement.bounds, selection.flags)
    tables = vars(catalogue) | vars(dossier.analysis) | vars(selection) | vars(result)
    tables |= {"rules": rules} | excerpts(dossier, result, rules)
    texts = {
        "published": explained(result.published, section.analyze),
        "curation": saved(catalogue.images, selection.curation),
    }
    parts = [facts(dataset, section.about, selection.decisions, dossier.engine)]
    for title, text, name, none in SECTIONS:
        if name in OF_TRUTH and result.detection.empty and result.severities.empty:
            continue
        if none or not tables[name].empty:
            table = markdown(tables[name]) if not tables[name].empty else none
            parts.append(f"## {title}\n\n{text}{texts.get(name, '')}\n\n{table}\n")
    return "\n".join(parts)


def excerpts(dossier: Dossier, result: Comparison, rules: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the parts of tables that sections show, by the name that `SECTIONS` gives them."""
    catalogue, selection = dossier.catalogue, dossier.selection
    images, outliers = catalogue.images, dossier.analysis.outliers
    severities, detection = result.severities, result.detection
    faults = severities[(severities["severity"] == 0) & (severities["part"] == "all")]
    gains, agreement = result.gains, result.agreement
    parts = {
        "own_rules": own_rules(selection.own_bounds, selection.recalls),
        "roles": roles(catalogue.files),
        "unreadable": images.loc[images["error"] != "", ["image_id", "error"]],
        "trust": detection[(detection["part"] == "all") == (detection["bounds"] == "default")],
        "missed": missed(severities, rules),
        "faults": faults.drop(columns=["severity", "bounds", "part"]),
        "marked": outliers[outliers["published_outlier"] == 1].drop(columns="published_outlier"),
        "knowing": agreement[agreement["part"] == part_of(agreement)],
    }
    for score in ("both", "ap", "sato", "dice"):
        rows = gains[(gains["score"] == score) & (gains["part"] == part_of(gains))]
        parts[f"{score}_gains"] = rows.drop(columns="score")
    return parts


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


def facts(dataset: str, about: About, decisions: pd.DataFrame, engine: Mapping[str, object]) -> str:
    """Return the head of a report: title, counts, engine, licence, citation."""
    fates = decisions["decision"].value_counts()
    counted = ", ".join(f"{fates.get(f, 0)} {f}" for f in ("keep", "review", "enhance", "drop"))
    lines = [f"# {escaped(about.title or dataset)}", f"{len(decisions)} images: {counted}."]
    lines += [measured_by(engine)]
    lines += [f"Licence of the images: {escaped(about.licence)}."] if about.licence else []
    lines += [f"Cite: {escaped(about.citation)}."] if about.citation else []
    if about.measured_on:
        page = f"[{escaped(about.measured_on)}](../{about.measured_on}/report.md)"
        lines += [f"How far to trust a flag is measured on {page}: these images, faults planted."]
    return "\n\n".join(lines) + "\n"
