"""Tables to a page of Markdown that says what was found, what was done, and how far to trust it."""

from collections.abc import Mapping

import pandas as pd

from clearset.config.schema import About, Dataset
from clearset.decide.published import explained, measured_by
from clearset.decide.rules import Judgement, summary
from clearset.proof.verdicts import part_of
from clearset.similar.duplicates import TRAINING, savings
from clearset.store.dossiers import Dossier
from clearset.store.markdown import escaped, markdown
from clearset.store.stages import Analysis, Catalogue, Comparison

# Each section: its title, what its table means, the table, and what to say when it has no row.
SECTIONS = [
    (
        "Rules",
        "An image is flagged below `min` or above `max`; a `quantile` sets that bound by quota, so "
        "some image is always flagged. The metric `blur` is fastdup's statistic and grows with "
        "sharpness; `mean` is in 8-bit grey levels.\n\n![Rules](figures/rules.png)",
        "rules",
        "",
    ),
    (
        "How far to trust a flag",
        "Faults were planted, so the truth is known. Each detector is judged among all images: "
        "those of other faults are negatives too. `default` are this dataset's own bounds, on all "
        "eyes; `calibrated` ones were chosen on half of the eyes and are scored on the other half, "
        "`held_out`. Near duplicates are judged as pairs of images, leaks by their inliers.\n\n"
        "![Detectors](figures/detection.png)",
        "trust",
        "",
    ),
    (
        "What is missed",
        "Faults and severities of which less than nine in ten are found by the detector meant for "
        "them, with the calibrated bounds on the eyes held out.",
        "missed",
        "None.",
    ),
    (
        "Planted faults",
        "Each fault, all severities together, against the clean images alone; the figure above and "
        "tables/severities.csv have them one by one.",
        "faults",
        "",
    ),
    (
        "Chosen bounds",
        "To adopt one, write it into the dataset's file in conf/dataset/ (`calibrated.yaml` of the "
        "stage filter has the lines). F1 of the eyes it was chosen on, then of those held out, and "
        "what the given bound scores there.\n\n![Bounds](figures/curves.png)",
        "calibration",
        "",
    ),
    (
        "Warnings",
        "Rules that flag every image they measure: look at the bound before the images.",
        "warnings",
        "",
    ),
    ("Flags", "One row a flag.", "flags", "No image is flagged."),
    ("Unreadable", "Images that no stage can use.", "unreadable", "None."),
    (
        "What was read as what",
        "Every file of the source; data/fetch/<dataset>/files.csv has them one by one, and "
        "inventory.csv of the release says where each lies there.",
        "roles",
        "",
    ),
    ("Notes on the source", "What was passed over, and how it was read.", "notes", ""),
    (
        "Outliers",
        "The published rule marks the least similar edges of each split's neighbour graph: a "
        "quota, so some image is always marked. `isolation_z` is the robust z of the similarity "
        "to the nearest image; below -3.5 is far out.",
        "marked",
        "None: every split has fewer than three images.",
    ),
    (
        "The published counts, and what is true",
        "",
        "published",
        "",
    ),
    (
        "Dropped duplicates",
        "Of each group of copies or near copies the best image stays: one with a mask or label "
        "first, then the sharpest. `similarity` is the one at which the image joins a better "
        "one's group. ",
        "curation",
        "",
    ),
    (
        "Components",
        "Images that chains of similarities at or above the bound join.",
        "components",
        "None.",
    ),
    (
        "Same subject in two splits",
        "Pairs of images of different splits whose keypoints one rigid fit joins: a model trained "
        "on one and tested on the other has seen the answer. The more inliers, the surer; pictures "
        "of the registered pairs are in the folder `leaks` beside the galleries.",
        "leaks",
        "None.",
    ),
    (
        "Label conflicts",
        "The same pixels with different masks; the Dice between the masks is the most that a "
        "model can honestly reach.",
        "conflicts",
        "None.",
    ),
    (
        "Repairs",
        "PSNR (dB) and SSIM are against the original: they tell how much changed, not whether it "
        "got better. `clipped` is the share of values cut at black or white. `accepted` says "
        "whether the repair may stand in the original's stead, decided without any mask; "
        "`refused_by` names the bounds that its evidence broke.",
        "outcomes",
        "No image was repaired.",
    ),
    (
        "Evidence",
        "What the decision rests on. `expected_gain` is in average precision of vessels: what the "
        "repair adds for vessels drawn into the image, and how much better its lines hang "
        "together.",
        "verdicts",
        "",
    ),
    (
        "Do repairs help vessels?",
        "How well vessels are found by a detector that needs no training, scored against the "
        "masks: `ap` is average precision, `dice` the overlap at a fixed threshold. `applied` is "
        "what the flags called for, other repairs were tried on every image with a mask. `update` "
        "says which repairs enter: `all`, or the `accepted` ones. Means over eyes, paired, with "
        "bootstrap 95 % intervals and Wilcoxon's p; groups are all images with a mask, the flagged "
        "ones, and planted faults by kind (`none`: clean). tables/gains.csv has the other scores. "
        "A change below 0.003 can not be told.\n\n![Gains](figures/gains.png)",
        "ap_gains",
        "",
    ),
    ("The same in Dice", "", "dice_gains", ""),
    (
        "Does the rule know?",
        "Of the repairs that changed average precision by more than 0.003: the share accepted, the "
        "share for which acceptance agrees with the masks, what accepting all or none would score, "
        "and the share of the accepted ones that did harm.",
        "knowing",
        "",
    ),
    (
        "Change of each metric",
        "Mean over the repaired images, with a bootstrap 95 % interval. Sharpening raises every "
        "measure of sharpness by construction, noise included: a higher value here is no evidence "
        "that a model does better.\n\n![Changes](figures/changes.png)",
        "changes",
        "",
    ),
]
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
    tables |= {"rules": rules} | excerpts(catalogue, dossier.analysis, result, rules)
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


def excerpts(
    catalogue: Catalogue, analysis: Analysis, result: Comparison, rules: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return the parts of tables that sections show, by the name that `SECTIONS` gives them."""
    images, outliers = catalogue.images, analysis.outliers
    severities, detection = result.severities, result.detection
    faults = severities[(severities["severity"] == 0) & (severities["part"] == "all")]
    gains, agreement = result.gains, result.agreement
    parts = {
        "roles": roles(catalogue.files),
        "unreadable": images.loc[images["error"] != "", ["image_id", "error"]],
        "trust": detection[(detection["part"] == "all") == (detection["bounds"] == "default")],
        "missed": missed(severities, rules),
        "faults": faults.drop(columns=["severity", "bounds", "part"]),
        "marked": outliers[outliers["published_outlier"] == 1].drop(columns="published_outlier"),
        "knowing": agreement[agreement["part"] == part_of(agreement)],
    }
    for score in ("ap", "dice"):
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
