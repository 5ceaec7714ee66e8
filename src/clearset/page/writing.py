"""A dataset's page and its pictures, into data/ and, without a pixel, into reports/."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from clearset.config import params
from clearset.config.schema import Dataset
from clearset.decide.published import measured_by
from clearset.decide.rules import summary
from clearset.page import gathered, render, thumbs
from clearset.page.facts import Adoption
from clearset.page.sentences import Summary
from clearset.page.sentences import summary as sentences
from clearset.proof.verdicts import part_of
from clearset.report.own_rules import own_rules
from clearset.report.study import Study
from clearset.store import layout
from clearset.store.dossiers import Dossier

NAME = "index.html"
PICTURES = "pictures"


def write(study: Study, target: Path, reports: Path) -> Summary:
    """Write page and pictures into `target`, the page alone into `reports`; return its words.

    Both are one page; the one in `reports`, which may lie in git, has no picture of its own and
    shows those in `target` where they are there.
    """
    with layout.replacing(target / PICTURES) as incomplete:
        shots = thumbs.shoot(study, incomplete)
    facts = gathered.facts(study, shots, adoption(study.name))
    first = sentences(facts, study.dossier.selection.flags)
    tables, sources = evidence(study), provenance(study.section, study.dossier)
    away = f"{'../' * len(reports.parts)}{target.as_posix()}/"
    for folder, base in ((target, ""), (reports, away)):
        with layout.replacing(folder / NAME) as incomplete:
            text = render.render(facts, first, tables, sources, base)
            incomplete.write_text(text, encoding="utf-8")
    return first


def adoption(name: str) -> Adoption:
    """Return the commands by which a bound is made the default, and a dataset is released."""
    place = params.place(name)
    if place != params.PARAMS:
        run = f"clearset folder {name}"
        return Adoption(run, f"--set {name}.", "", run)
    if not Path("dvc.yaml").exists():  # no project: a call of `clearset.check`
        run = "clearset check SOURCE --folder FOLDER"
        return Adoption(run, "--set ", "", run)
    return Adoption(
        "dvc exp run --name bound",
        f"--set-param {name}.",
        f"report@{name} release@{name} && clearset adopt bound",
        f"dvc repro release@{name}",
    )


def evidence(study: Study) -> Mapping[str, pd.DataFrame]:
    """Return the tables that say how far to trust flags and repairs, by title."""
    selection, result = study.dossier.selection, study.result
    detection, gains = result.detection, result.gains
    own = own_rules(selection.own_bounds, selection.recalls)
    agreement = result.agreement
    tables = {
        "What each rule finds of faults planted into these images": own,
        "Detectors where the faults are known": detection[detection["part"] != "calibrate"],
        "Planted faults, level by level": result.severities,
        "Do repairs help vessels? Both detectors": gains[
            (gains["score"] == "both") & (gains["part"] == part_of(gains))
        ],
        "Does the rule that accepts repairs know?": agreement[
            agreement["part"] == part_of(agreement)
        ],
        "Change of each metric by repair": result.changes,
        "Rules and bounds": summary(study.section.filter, study.judgement.bounds, selection.flags),
        "What the published counts say": result.published,
    }
    return {title: table for title, table in tables.items() if not table.empty}


def lines(facts: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Yield names and values, those inside others by both their names."""
    for name, value in sorted(facts.items()):
        if isinstance(value, Mapping):
            yield from lines(value, f"{before}{name}.")
        else:
            yield f"{before}{name}: {value}"


def provenance(section: Dataset, dossier: Dossier) -> Mapping[str, str]:
    """Return where images and numbers come from."""
    about, images = section.about, dossier.catalogue.images
    facts = {
        "Images": f"{len(images)}, {images['bytes'].sum() / 1e6:.1f} MB",
        "Description": about.description,
        "Licence": about.licence,
        "Cite": about.citation,
        "May be passed on": "yes" if about.redistributable else "no: pixels stay in data/",
        "Measured by": measured_by(dossier.engine),
        "Engine": "\n".join(lines(dossier.engine)),
        "Remarks": "\n".join(dossier.catalogue.notes["note"]),
        "Warnings": "\n".join(
            f"{row.rule} {row.warning}" for row in dossier.selection.warnings.itertuples()
        ),
        "Settings": "params.yaml beside each stage's tables; dvc.lock has the hash of everything",
    }
    return {name: value for name, value in facts.items() if value}
