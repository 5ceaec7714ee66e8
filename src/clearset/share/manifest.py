"""What enters a released dataset and why: what the stages found, and a person's word on it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import pandas as pd

from clearset.config.schema import Action, Update
from clearset.config.schema_accept import Verdict
from clearset.store.errors import ClearsetError, listed

KEPT, REPAIRED, DROPPED = "kept", "repaired", "dropped"
REVIEWS = {"keep": KEPT, "repair": REPAIRED, "drop": DROPPED}  # a review's word, its outcome
REVIEWED = "review file"
UNREAD = "kept as it is: "  # a reason: the image can not be read, and no rule drops it
INTERNAL = [
    "error",
    "obstacle",
    "source_mask",
    "source_label",
    "repaired_sha256",
    "verdict",
    "refused_by",
]
INTERNAL += [
    "dropping",
    "asking",
    "keeper_id",
]  # columns that a fate hangs on and a manifest does not have
RANGE = ["low", "high", "nodata"]  # of the table `images`; empty where nothing can be read
READING = [*RANGE, "alpha", "shown", "orientation", "seen"]
Fate = tuple[str, str]  # what becomes of an image, and why


@dataclass(frozen=True)
class Grounds:
    """The tables that an image's fate in the release hangs on."""

    images: pd.DataFrame
    files: pd.DataFrame
    flags: pd.DataFrame
    decisions: pd.DataFrame
    curation: pd.DataFrame
    repairs: pd.DataFrame
    verdicts: pd.DataFrame


@dataclass(frozen=True)
class Review:
    """A person's word on one image, which overrides every rule; `where` it is written."""

    decision: str  # of REVIEWS
    note: str
    where: str


def manifest(
    grounds: Grounds,
    reviews: Mapping[str, Review],
    update: Update,
    uncopied: Collection[str] = (),
) -> pd.DataFrame:
    """Return the table `manifest`, what only files tell left empty: every image, once.

    Left empty are identities, and hashes of masks and labels. `uncopied` are images of which there
    is no copy to release. Raises `ClearsetError` for a review without ground, and for a repair
    without a verdict.
    """
    table = _joined(grounds)
    refuse_unfounded(reviews, table, uncopied)
    fates = [
        _fate(image, update, reviews.get(image.image_id), image.image_id in uncopied)
        for image in table.itertuples()
    ]
    table["decision"], table["reason"] = zip(*fates, strict=True)
    present, repaired = table["decision"] != DROPPED, table["decision"] == REPAIRED
    hashes = table["repaired_sha256"].where(repaired, table["source_sha256"])
    table = table.assign(
        output=table["source"].where(present, ""),
        output_sha256=hashes.where(present, ""),
        output_identity="",
        mask=table["source_mask"].where(present, ""),
        mask_sha256="",
        mask_identity="",
        label=table["source_label"].where(present, ""),
        label_sha256="",
        steps=table["steps"].where(repaired, ""),
    )
    evidence = grounds.verdicts.drop(columns=["accepted", "verdict", "refused_by"])
    return table.drop(columns=INTERNAL).merge(evidence, on="image_id", how="left")


def refuse_unfounded(
    reviews: Mapping[str, Review], table: pd.DataFrame, uncopied: Collection[str]
) -> None:
    """Raise `ClearsetError` for a review of an image that is not there, or asks for what is not."""
    image_ids = table["image_id"].tolist()
    repaired = table.loc[table["repaired_sha256"] != "", "image_id"].tolist()
    for image_id, review in reviews.items():
        outcome = REVIEWS[review.decision]
        if image_id not in image_ids:
            close = listed(map(ascii, get_close_matches(image_id, image_ids) or image_ids))
            raise ClearsetError(
                f"{review.where}: no image is called {image_id!a}. Is it one of {close}? "
                "Write an image_id as data/fetch/<dataset>/images.csv has it"
            )
        if outcome == REPAIRED and image_id not in repaired:
            raise ClearsetError(
                f"{review.where}: {image_id} was not repaired (repaired: "
                f"{listed(repaired) or 'none'}). Say keep or drop, or let a rule with action "
                "enhance flag it"
            )
        if outcome == KEPT and image_id in uncopied:
            raise ClearsetError(
                f"{review.where}: {image_id} can not be kept, its path can not be written on every "
                "system. Say drop, or rename it in the source"
            )


def counts(table: pd.DataFrame) -> dict[str, int]:
    """Return how many images of a manifest were kept, repaired and dropped."""
    fates = table["decision"].value_counts()
    return {fate: int(fates.get(fate, 0)) for fate in (KEPT, REPAIRED, DROPPED)}


def unread(manifest: pd.DataFrame) -> pd.Series:
    """Return which images were kept though no one could read them: they have no range."""
    reviewed = manifest["reason"].str.startswith(REVIEWED)
    blank = manifest["low"].isna() & manifest["high"].isna()
    return manifest["reason"].str.startswith(UNREAD) | (reviewed & blank)


def _joined(grounds: Grounds) -> pd.DataFrame:
    """Return one row an image with everything that its fate hangs on; texts empty where nothing."""
    repairs, verdicts = grounds.repairs, grounds.verdicts
    if unjudged := sorted(set(repairs["image_id"]) - set(verdicts["image_id"])):
        raise ClearsetError(f"repairs without a verdict: {listed(unjudged)}. Run compare again")
    flags = grounds.flags.sort_values("rule")
    dropping, asking = (
        flags[flags["action"] == action.value].groupby("image_id")["rule"].agg(" ".join)
        for action in (Action.drop, Action.enhance)
    )
    columns = ["image_id", "split", "source", "source_sha256", "source_mask", "source_label"]
    columns += ["error", "mask_error", "obstacle", *READING]
    table = grounds.images.rename(columns={"sha256": "source_sha256"})[columns]
    for part in (
        grounds.decisions[["image_id", "decision"]],
        flags.groupby("image_id")["rule"].agg(" ".join).rename("flags"),
        dropping.rename("dropping"),
        asking.rename("asking"),
        grounds.curation[["image_id", "keeper_id"]],
        repairs.rename(columns={"sha256": "repaired_sha256"})[
            ["image_id", "steps", "repaired_sha256"]
        ],
        verdicts[["image_id", "verdict", "refused_by"]],
    ):
        table = table.merge(part, on="image_id", how="left", validate="1:1")
    text = table.columns.difference(RANGE)
    table[text] = table[text].fillna("")
    return table


def _fate(image: Any, update: Update, review: Review | None, uncopied: bool) -> Fate:
    """Return what becomes of an image, and why; a review comes first, `update` last."""
    if review is not None:
        why = f"{REVIEWED}: {review.note}" if review.note else REVIEWED
        return REVIEWS[review.decision], why
    if uncopied or image.decision == Action.drop.value:
        by = f"dropped by {image.dropping}" if image.dropping else "not to be copied"
        by = f"{by}: {image.keeper_id} stays in its stead" if image.keeper_id else by
        return DROPPED, f"{by}: {image.error}" if image.error else by
    if image.repaired_sha256:
        return _of_repair(image, update)
    if image.error:
        return KEPT, f"{UNREAD}{image.error}"
    return KEPT, _of_flags(image)


def _of_repair(image: Any, update: Update) -> Fate:
    if update is not Update.accepted:
        entering = REPAIRED if update is Update.all else KEPT
        return entering, f"update: {update.value}"
    if image.verdict == Verdict.accepted.value:
        return REPAIRED, "repair accepted"
    if image.verdict == Verdict.not_told.value:
        return KEPT, f"not told whether its repair helps, by {image.refused_by}: the original stays"
    return KEPT, f"repair refused by {image.refused_by}"


def _of_flags(image: Any) -> str:
    if image.decision == Action.review.value and image.asking and image.obstacle:
        return f"not repaired: {image.obstacle}"
    if image.decision == Action.review.value:
        return "flagged for review only"
    return "flagged by rules that only count" if image.flags else "no flag"
