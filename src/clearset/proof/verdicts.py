"""What repairs did to vessels, against masks: paired gains with intervals, and who foresaw them.

The table `vessels` has a row for each image with a mask and each repair. Images of one eye are not
independent, so an eye counts once: the mean over its images. Two detectors score each (`DETECTED`),
and what both grant is the truth: on a second camera one of them alone often said the contrary.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.config.schema import Action
from clearset.config.schema_accept import Bounds, Verdict
from clearset.plant.planting import CLEAN, MASKS, PARTS
from clearset.proof import detected
from clearset.proof.comparison import FEWEST, interval
from clearset.proof.evidence import EVIDENCE, broken, verdict
from clearset.store.stages import Catalogue

SCORES = ("ap", "auroc", "f1", "dice", "sato")  # against the mask
DETECTED = ("ap", "sato")  # average precision by `vessels` and by `tubes`
BOTH = "both"  # what both of them grant
LIKENESS = ("psnr", "ssim")  # to the clean original, where a fault was planted
APPLIED = "applied"  # the repair that the stage enhance did, beside trials by their names
INDIFFERENT = 0.003  # of average precision: a smaller change is neither gain nor harm
EVERYONE, FLAGGED = "all", "flagged"
GAINS = ["repair", "update", "group", "part", "score", "images", "eyes"]
GAINS += ["before", "after", "change", "low", "high", "p"]
AGREEMENT = ["repair", "group", "part", "images", "decided", "accepted", "agrees", "always"]
AGREEMENT += ["never", "harmful"]


def verdicts(
    rows: pd.DataFrame, bounds: Mapping[str, Bounds], repair: str = APPLIED
) -> pd.DataFrame:
    """Return the table `verdicts` of one repair from what was examined."""
    own = rows[(rows["repair"] == repair) & (rows["repaired"] == 1)]
    refused = [broken(row, bounds) for row in own.to_dict("records")]
    said = [verdict(names, bounds).value for names in refused]
    names = sorted({bound.metric for bound in bounds.values()} | (EVIDENCE.keys() & set(own)))
    table = own.reindex(columns=["image_id", *names])
    return table.assign(
        accepted=[int(not bounds_broken) for bounds_broken in refused],
        verdict=said,
        refused_by=[" ".join(bounds_broken) for bounds_broken in refused],
    )


def likeness(rows: pd.DataFrame, repair: str = APPLIED) -> pd.DataFrame:
    """Return the columns image_id, psnr and ssim, to the original, of one repair."""
    own = rows[(rows["repair"] == repair) & (rows["repaired"] == 1)]
    return own.reindex(columns=["image_id", "psnr", "ssim"])


def vessels(
    rows: pd.DataFrame,
    catalogue: Catalogue,
    decisions: pd.DataFrame,
    bounds: Mapping[str, Bounds],
) -> pd.DataFrame:
    """Return the table `vessels` from what was examined and the dataset's own tables.

    An eye is the truth's where faults were planted, else all images with the same pixels.
    """
    table = rows.dropna(subset="ap_before") if "ap_before" in rows else rows[:0]
    images, truth = (table.set_index("image_id") for table in (catalogue.images, catalogue.truth))
    table = table[~table["image_id"].isin(truth.index[truth["fault"].isin(MASKS)])]  # wrong ones
    ids = table["image_id"]
    first = images.reset_index().groupby("pixels_sha256")["image_id"].transform("min")
    alone = pd.Series(first.to_numpy(), images.index)
    facts = truth.reindex(ids)
    calls = decisions.set_index("image_id")["decision"] == Action.enhance.value
    said = [verdict(broken(row, bounds), bounds).value for row in table.to_dict("records")]
    repaired = table["repaired"] == 1
    missing = {f"{s}_{side}": np.nan for s in (*SCORES, *LIKENESS) for side in ("before", "after")}
    return pd.DataFrame(missing, index=table.index).assign(
        **{name: table[name] for name in table},
        eye=facts["eye"].fillna(alone).to_numpy(),
        part=facts["part"].fillna("").to_numpy(),
        fault=facts["fault"].fillna("").to_numpy(),
        kinds=facts["kinds"].fillna("").to_numpy(),
        severity=facts["severity"].fillna(0).astype(int).to_numpy(),
        flagged=calls.reindex(ids).astype(int).to_numpy(),
        verdict=np.where(repaired, said, ""),
        accepted=((np.array(said, str) == Verdict.accepted.value) & repaired).astype(int),
    )


def granted(rows: pd.DataFrame) -> "pd.Series[float]":
    """Return the change of average precision that both detectors grant each row of `vessels`.

    See `detected.granted`.
    """
    first, second = (rows[f"{name}_after"] - rows[f"{name}_before"] for name in DETECTED)
    return pd.Series(detected.granted(first, second), rows.index)


def groups(vessels: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield (group, part, rows): all images, the flagged ones, and those of each planted kind.

    Parts are `all`, and `held_out` where the truth is known.
    """
    kinds = vessels["kinds"].str.split()
    names = sorted({kind for own in kinds for kind in own})
    masks = {EVERYONE: pd.Series(True, vessels.index), FLAGGED: vessels["flagged"] == 1}
    masks |= {kind: kinds.map(lambda own, kind=kind: kind in own) for kind in names}
    if names:
        masks[CLEAN] = vessels["fault"] == CLEAN
    held_out = vessels["part"] == PARTS[1]
    for group, mask in masks.items():
        if mask.any():
            yield group, "all", vessels[mask]
        if (mask & held_out).any():
            yield group, PARTS[1], vessels[mask & held_out]


def gains(vessels: pd.DataFrame, *, resamples: int, seed: int) -> pd.DataFrame:
    """Return the table `gains`: the mean change that each repair makes to each score.

    `update` says what enters: `all` repairs, or the `accepted` ones, so that a refused one changes
    nothing. The score `both` is `ap` with the change that both detectors grant. The 95 % interval
    is a bootstrap over eyes, `p` Wilcoxon's signed-rank test over eyes (1945,
    doi:10.2307/3001968); both empty for fewer than five eyes.
    """
    before = vessels["ap_before"]
    vessels = vessels.assign(both_before=before, both_after=before + granted(vessels))
    rows = []
    for repair, own in vessels.groupby("repair", sort=True):
        for group, part, members in groups(own):
            for score in (*SCORES, BOTH, *LIKENESS):
                for update in ("all", "accepted"):
                    gain = _gain(members, score, update, resamples, seed)
                    if gain:
                        rows.append((repair, update, group, part, score, *gain))
    return pd.DataFrame(rows, columns=GAINS)


def _gain(
    rows: pd.DataFrame, score: str, update: str, resamples: int, seed: int
) -> tuple[float, ...] | None:
    """Return images, eyes, before, after, change, low, high and p; None where nothing is known."""
    entered = rows["accepted"] == 1 if update == "accepted" else rows["repaired"] == 1
    before = rows[f"{score}_before"]
    after = rows[f"{score}_after"].where(entered, before)
    sides = pd.DataFrame({"before": before, "after": after, "change": after - before})
    finite = np.isfinite(sides).all(axis=1)
    if not finite.any():
        return None
    eyes = sides[finite].groupby(rows.loc[finite, "eye"]).mean()
    change = eyes["change"].to_numpy(float)
    low, high = interval(change, resamples=resamples, seed=seed)
    return (int(finite.sum()), len(eyes), *eyes.mean(), low, high, signed_rank(change))


def signed_rank(change: npt.NDArray[np.float64]) -> float:
    """Return the p of Wilcoxon's signed-rank test, two-sided; NaN for fewer than five changes.

    Changes of exactly 0 are left out; when all are, p is 1.
    """
    from scipy.stats import wilcoxon  # noqa: PLC0415

    if len(change) < FEWEST:
        return float("nan")
    moved = change[change != 0]
    return float(wilcoxon(moved).pvalue) if len(moved) else 1.0


def agreement(vessels: pd.DataFrame) -> pd.DataFrame:
    """Return the table `agreement`: how often the rule without masks decides as the masks would.

    Of the repaired images whose average precision changed by more than 0.003 in one direction, as
    both detectors have it: the share that was decided (accepted or refused), that was accepted, of
    the decided ones the share for which that is what the masks say, the shares for which accepting
    all or none would be, and the share of the accepted ones that were harmed.
    """
    repaired = vessels[vessels["repaired"] == 1]
    change = granted(repaired)
    decisive = repaired.assign(gained=change > 0)[change.abs() > INDIFFERENT]
    rows = []
    for repair, own in decisive.groupby("repair", sort=True):
        for group, part, members in groups(own):
            accepted, gained = members["accepted"] == 1, members["gained"]
            decided = members["verdict"] != Verdict.not_told.value
            shares: Sequence[float] = (
                decided.mean(),
                accepted.mean(),
                (accepted == gained)[decided].mean() if decided.any() else float("nan"),
                gained.mean(),
                1 - gained.mean(),
                (~gained[accepted]).mean() if accepted.any() else float("nan"),
            )
            rows.append((repair, group, part, len(members), *shares))
    return pd.DataFrame(rows, columns=AGREEMENT)


def headline(gains: pd.DataFrame) -> dict[str, float]:
    """Return the one number by which repairs are compared: what was applied, to all images.

    The change of the average precision, as both detectors grant it, if every repair enters. Of eyes
    held out where there are any; nothing where no image has a mask.
    """
    own = gains[(gains["repair"] == APPLIED) & (gains["score"] == BOTH)]
    own = own[(own["group"] == EVERYONE) & (own["update"] == "all")]
    return dict(zip(["ap_change"], own.loc[own["part"] == part_of(own), "change"], strict=False))


def part_of(table: pd.DataFrame) -> str:
    """Return the part to be shown of a table: the eyes held out, or all where there are none."""
    return PARTS[1] if (table["part"] == PARTS[1]).any() else "all"
