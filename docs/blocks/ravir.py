"""The numbers of docs/ravir.md: the published study of RAVIR, and what it did not see."""

from functools import partial

import pandas as pd

from blocks import fixed, interval, markdown, row, rows, table, value

SIX = partial(row, "ravir/tables/changes", rule="all")  # the images that the rules repair
TRIALS = {
    "published": "the published sharpening",
    "mild": "unsharp mask of amount 1",
    "light": "light (gamma), then unsharp mask of amount 1",
    "denoised": "denoising",
    "clahe": "CLAHE",
}


def outlier() -> str:
    """The outlier among the test images at fastdup's defaults."""
    return _cases(rows("ravir/tables/outliers", published_outlier=1, split="test").image_id)


def blurred() -> str:
    """The test images below the published bound of fastdup's blur."""
    found = rows("ravir/tables/flags", rule="blur").image_id
    return _cases(found[found.str.startswith("test/")])


def _cases(found: "pd.Series[str]") -> str:
    first, *more = sorted(image.split("/")[1] for image in found)
    names = [first, *(image.removeprefix("IR_Case_") for image in more)]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _dice(kind: str) -> str:
    return fixed(value("ravir/tables/conflicts", "dice", **{"class": kind}), 3)


def artery_dice() -> str:
    """How far the two masks of one image agree on arteries."""
    return _dice("artery")


def vein_dice() -> str:
    """The same on veins."""
    return _dice("vein")


def leak() -> str:
    """How many places agree on the pair that is one eye."""
    return fixed(table("ravir/tables/leaks").inliers.max(), 0)


def no_leak() -> str:
    """The most on which any other pair agrees: bounds tried lie halfway between two values."""
    tried = rows("ravir/bounds", rule="leak", present=0)
    most = table("ravir/tables/leaks").inliers.max()
    return fixed(2 * tried.bound.max() - most, 0)


def repaired() -> str:
    """The six flagged images before and after their repair."""
    outcomes = table("ravir/tables/outcomes")
    blur, noise = SIX(metric="blur"), SIX(metric="noise_sigma")
    clipped, ssim = f"{outcomes.clipped.mean():.2%}".replace("%", " %"), fixed(outcomes.ssim.mean())
    flags = [
        str(outcomes[column].dropna().str.split().map(len).sum())
        for column in ("flags_before", "flags_after")
    ]
    head = ["repair", "blur statistic, mean", "noise, mean", "values clipped", "SSIM", "flags"]
    none = ["none", fixed(blur.before, 0), fixed(noise.before, 1), "", "", flags[0]]
    default = ["default", fixed(blur.after, 0), fixed(noise.after, 1), clipped, ssim, flags[1]]
    return markdown(head, [none, default])


SCORES = ("ap", "sato", "dice")


def trials() -> str:
    """Each repair tried on every image with a mask: what it does, and what is decided on it."""
    head = ["repair of every image", "average precision", "the same by a second detector", "Dice"]
    head += ["told by both", "accepted of it", "accepted in error"]
    body = []
    for repair, label in TRIALS.items():
        asked = {"repair": repair, "update": "all", "group": "all"}
        changes = [interval(row("ravir/tables/gains", score=s, **asked)) for s in SCORES]
        found = table("ravir/tables/agreement")
        found = found[(found["repair"] == repair) & (found["group"] == "all")]
        counts = ["0", "0", "0"]  # the detectors agree on no image
        for told in found.itertuples():
            accepted = round(told.accepted * told.images)
            wrong = round(told.harmful * accepted) if accepted else 0
            counts = [fixed(told.images, 0), str(accepted), str(wrong)]
        body.append([label, *changes, *counts])
    return markdown(head, body)


def precision_before() -> str:
    """Average precision of vessels without any repair."""
    return fixed(row("ravir/tables/gains", score="ap", **_untouched()).before, 3)


def dice_before() -> str:
    """Their Dice without any repair."""
    return fixed(row("ravir/tables/gains", score="dice", **_untouched()).before, 3)


def _untouched() -> dict[str, str]:
    return {"repair": "published", "update": "all", "group": "all"}


def better_eyes() -> str:
    """How many eyes the published sharpening makes better, of how many."""
    found = rows("ravir/tables/vessels", repair="published")
    eyes = found.groupby("eye")[["ap_before", "ap_after"]].mean()
    return f"{(eyes.ap_after > eyes.ap_before).sum()} of {len(eyes)}"


def flagged_change() -> str:
    """What the published sharpening does to the flagged images that have masks."""
    asked = {"repair": "published", "update": "all", "group": "flagged", "score": "ap"}
    return fixed(value("ravir/tables/gains", "change", **asked), 3)


def accepted_flagged() -> str:
    """Of the flagged images, how many repairs are accepted."""
    verdicts = table("ravir/tables/verdicts")
    return f"{verdicts.accepted.sum()} of {len(verdicts)}"
