"""The numbers of docs/satellite.md: detectors judged on generated 16-bit tiles."""

import re
from functools import partial

from blocks import FAULTS, REPORTS, Unsupported, fixed, images, markdown, row, rows, table

DEFAULT = partial(row, "satellite_sample/tables/detection", bounds="default")
SEVERITIES = "satellite_sample/tables/severities"
RULES = {
    **{rule: FAULTS[rule] for rule in ("dark", "bright", "blur", "noise", "contrast")},
    "empty": "mostly without data",
    "copies": "exact duplicates",
    "near_copies": "near duplicates, as pairs",
    "leak": "one scene in two splits: revisits, overlapping crops",
}
RELATIVES = {
    "flip": "flips",
    "re_exposure": "other exposures",
    "recompression": "recompressions",
    "crop": "crops",
    "rotation": "turns",
    "shift": "shifts",
}


def detectors() -> str:
    """Each rule at its default bound, on all tiles and on the half not used to choose it."""
    head = ["what", "planted", "precision", "recall", "F1", "F1, half held out"]
    body = []
    for rule, label in RULES.items():
        found = DEFAULT(rule=rule, part="all")
        scores = [fixed(found[column]) for column in ("precision", "recall", "f1")]
        held_out = fixed(DEFAULT(rule=rule, part="held_out").f1)
        body.append([label, fixed(found.positives, 0), *scores, held_out])
    return markdown(head, body)


def tiles() -> str:
    """How many tiles there are."""
    return fixed(images("satellite_sample"), 0)


def stretched() -> str:
    """The best F1 of fastdup's mean of the file for dark tiles, at any bound."""
    return fixed(rows("satellite_sample/bounds", rule="fastdup_dark").f1.max())


def relatives() -> str:
    """Of each kind of near duplicate, how many are found at the default bound."""
    found = []
    for fault, label in RELATIVES.items():
        kind = row(SEVERITIES, fault=fault, rule="near_copies", bounds="default", severity=0)
        found.append(f"{label} {kind.recall * kind.images:.0f} of {kind.images}")
    return ", ".join(found)


def brightened() -> str:
    """Of the dark tiles, how many are no longer flagged as dark after their repair."""
    outcomes = table("satellite_sample/tables/outcomes")
    before, after = (
        outcomes[column].map(lambda rules: "dark" in str(rules).split())
        for column in ("flags_before", "flags_after")
    )
    return f"{(before & ~after).sum()} of {before.sum()}"


def saved() -> str:
    """What dropped duplicates save, as the report says: only it knows the size of all files."""
    text = (REPORTS / "satellite_sample/report.md").read_text(encoding="utf-8")
    if found := re.search(r"They save (\d+ of \d+ training images).*? and (.*? MB)\.", text):
        return f"{found[1]}, {found[2]}"
    raise Unsupported("satellite_sample/report.md does not say what dropped duplicates save")
