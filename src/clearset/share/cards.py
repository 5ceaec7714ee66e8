"""What people read first in a released folder: a Hugging Face dataset card and datasheet in one.

Its questions are those of Gebru et al., Datasheets for Datasets, doi:10.1145/3458723.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import yaml

from clearset.config.schema import Action, Dataset
from clearset.config.schema_fetch import Source
from clearset.repair.steps import describe_step
from clearset.share import rows
from clearset.share.manifest import DROPPED, KEPT, REPAIRED
from clearset.sources.places import ROWS
from clearset.store.errors import listed
from clearset.store.markdown import escaped, inert

SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
FATES = (KEPT, REPAIRED, DROPPED)


@dataclass(frozen=True)
class Released:
    """A released folder: the params it was made with, its manifest, and the source's files in it.

    `files` are paths below its root; a recipe has none.
    """

    name: str
    section: Dataset
    manifest: pd.DataFrame
    inventory: pd.DataFrame
    sha256: str  # of the manifest
    files: frozenset[str]
    own: Mapping[str, str]  # what its own files are called where the source has some of these

    @property
    def version(self) -> str:
        """The version by content: the same manifest, the same version, whatever a tag says."""
        return f"1.0.0+{self.sha256[:12]}"


def card(released: Released) -> str:
    """Return the text of README.md."""
    about = released.section.about
    parts = [
        f"# {escaped(about.title or released.name)}",
        escaped(about.description),
        _what_this_is(released),
        "## Motivation and source",
        _source(released),
        "## Composition",
        _composition(released.manifest),
        _carried(released.inventory),
        "## What was done",
        *_rules_and_repairs(released.section, released.manifest),
        "## Known issues",
        "\n".join(f"- {issue}" for issue in _issues(released)),
        "## Licence and citation",
        f"{escaped(about.licence or 'Not stated: ask before you share it')}. "
        f"{inert(about.licence_url)}",
        escaped(about.citation),
    ]
    front = yaml.safe_dump(_front(released), sort_keys=False, allow_unicode=True)
    return f"---\n{front}---\n\n" + "\n\n".join(part for part in parts if part.strip()) + "\n"


def _front(released: Released) -> dict[str, Any]:
    """Return what the Hub reads before the text."""
    about, manifest = released.section.about, released.manifest
    size = next((name for most, name in SIZES.items() if len(manifest) < most), "n>1M")
    licence = about.licence.lower().replace(" ", "-")
    is_creative_commons = licence.startswith(("cc-by", "cc0"))
    other = {"license_name": about.licence or "not stated", "license_link": about.licence_url}
    return {
        "license": licence if is_creative_commons else "other",
        **({} if is_creative_commons else {key: value for key, value in other.items() if value}),
        "pretty_name": about.title or released.name,
        "size_categories": [size],
        "task_categories": ["image-segmentation" if (manifest["mask"] != "").any() else "other"],
        "tags": ["image-quality", "data-cleaning", "croissant"],
        "configs": configs(released),
    }


def configs(released: Released) -> list[dict[str, Any]]:
    """Return what `datasets` loads: the images, or where there are none, the manifest."""
    found = rows.splits(released.manifest) if released.files else []
    if found:
        return rows.config(found, released.own)
    return [{"config_name": "manifest", "data_files": released.own["manifest.csv"]}]


def _what_this_is(released: Released) -> str:
    """Return which files there are, how to check them, and how to get the pictures of a recipe."""
    same = f"Version by content: `{released.version}`."
    own = released.own
    checked = (
        f"`{own['manifest.csv']}` has one row for each image of the source: what became of it, "
        f"why, and the sha256 before and after; `{own['inventory.csv']}` one for each file. "
        f"`{own['croissant.json']}` says the same to machines, `{own['params.yaml']}` how it was "
        f"made. `sha256sum -c {own['checksums.sha256']}`, or `clearset verify <this folder>` of "
        "Clearset, tells whether every byte is as released; the latter also takes the same pixels "
        f"in other bytes, by `{own['identities.sha256']}`, and says so. {same}"
    )
    if released.files:
        loaded = (
            "`datasets.load_dataset(<this folder>)` of Hugging Face, from version 4.0 on, gives "
            f"the images with their masks, split by split, by `{ROWS}*.parquet`."
        )
        return f"Cleaned with Clearset, laid out as its source. {loaded} {checked}"
    section = released.section
    why = "" if section.about.redistributable else ", since the licence lets none be passed on"
    command = (
        f"`dvc repro release@{released.name}` of Clearset, which makes the source too"
        if section.fetch.plant or section.fetch.source is Source.generated
        else "`clearset rebuild <this folder> <source> <target>` of Clearset"
    )
    return (
        f"**This is a recipe: it holds no picture**{why}. Who has the source makes the cleaned "
        "dataset from it to the very pixel, and is told whether every hash matches too: "
        f"{command}. {checked}"
    )


def _source(released: Released) -> str:
    fetch, about = released.section.fetch, released.section.about
    facts = [f"By {escaped(', '.join(about.creators)).rstrip('.')}." if about.creators else ""]
    facts += ["Generated by Clearset." if fetch.source is Source.generated else ""]
    where = fetch.homepage or fetch.url
    facts += [f"Source: {inert(where)} ." if where else ""]
    facts += [f"sha256 of its archive: `{inert(fetch.sha256)}`." if fetch.sha256 else ""]
    planted = "Faults of known kind were planted into it, to measure detectors by."
    facts += [planted if fetch.plant else ""]
    return " ".join(fact for fact in facts if fact) or "Not stated."


def _composition(manifest: pd.DataFrame) -> str:
    """Return a table of counts: each split, what became of its images, how many have masks."""
    lines = ["| split | images | kept | repaired | dropped | with a mask |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for split, part in [*manifest.groupby("split"), ("all splits", manifest)]:
        fates = [int((part["decision"] == fate).sum()) for fate in FATES]
        numbers = [len(part), *fates, int((part["mask"] != "").sum())]
        lines.append(f"| {escaped(str(split))} | " + " | ".join(map(str, numbers)) + " |")
    return "\n".join(lines)


def _carried(inventory: pd.DataFrame) -> str:
    """Return what went along as it was, by role, and what is not here."""
    files = inventory.drop_duplicates("file")
    here = files[(files["output"] != "") & (files["role"] != "image")]
    roles = sorted(here["role"].value_counts().items())
    counts = [f"{count} of role {role}" for role, count in roles]
    left = int((files["role"] == "left out").sum())
    parts = [f"Beside the images, byte for byte: {', '.join(counts)}." if counts else ""]
    parts += [f"{left} files of the source are left out, each with its reason." if left else ""]
    return " ".join(filter(None, parts))


def _rules_and_repairs(section: Dataset, manifest: pd.DataFrame) -> list[str]:
    """Return the rules with what they flagged, then the repairs and how they were judged."""
    flags = manifest["flags"].str.split().explode().value_counts()
    lines = ["| rule | flags an image when | asks to | images |", "| --- | --- | --- | --- |"]
    for name, rule in section.filter.items():
        bounds = [f"{rule.metric} < {rule.min:g}" if rule.min is not None else ""]
        bounds += [f"{rule.metric} > {rule.max:g}" if rule.max is not None else ""]
        bounds += [f"{rule.metric} beyond its quantile {rule.quantile}" if rule.quantile else ""]
        condition = " or ".join(bound for bound in bounds if bound)
        asks = "only count" if rule.action is Action.keep else rule.action.value
        lines.append(f"| {inert(name)} | {escaped(condition)} | {asks} | {flags.get(name, 0)} |")
    steps = [f"- {inert(step['rule'])}: `{inert(describe_step(step))}`" for step in section.enhance]
    repairs = "Repairs, in this order, of the images that these rules flagged:"
    bounds = [_bounded(name, bound) for name, bound in section.accept.items()]
    judged = f"A repair enters where its evidence holds: {', '.join(bounds)}." if bounds else ""
    enters = f"Repairs that enter the release: {section.release.update.value}. {judged}".strip()
    return ["\n".join(lines), *([repairs, "\n".join(steps), enters] if steps else [])]


def _bounded(name: str, bound: Any) -> str:
    low = f" at least {bound.min:g}" if bound.min is not None else ""
    high = f" at most {bound.max:g}" if bound.max is not None else ""
    return inert(f"{bound.metric}{low}{high} ({name})")


def _issues(released: Released) -> list[str]:
    """Return what a user should know: what stays flagged, refused repairs, and what is declared."""
    manifest, rules = released.manifest, released.section.filter
    present = manifest[manifest["decision"] != DROPPED]
    issues = [escaped(issue) for issue in released.section.about.known_issues]
    refused = int(present["reason"].str.startswith("repair refused").sum())
    if refused:
        issues.append(f"{refused} repairs were refused: these images are as in the source")
    lists = released.inventory[released.inventory["role"] == "companion"]
    issues += [f"`{escaped(r.file)}` {escaped(r.reason)}" for r in lists.itertuples() if r.reason]
    for name, rule in rules.items():
        if rule.action is not Action.review:
            continue
        carry = present.loc[
            present["flags"].map(lambda text, n=name: n in text.split()), "image_id"
        ]
        if len(carry):
            issues.append(
                f"{len(carry)} flagged `{inert(name)}` and left as they are: "
                f"{escaped(listed(carry))}"
            )
    return issues or ["None is known."]
