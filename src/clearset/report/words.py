"""Rules, fates and metrics in the words of a reader who programs nothing."""

from clearset.config.schema import Rule

# By the kind of fault that a rule finds: what is said of one image, and of several.
FAULTS = {
    "blur": ("is blurred", "are blurred"),
    "noise": ("is noisy", "are noisy"),
    "dark": ("is too dark", "are too dark"),
    "bright": ("is overexposed", "are overexposed"),
    "burnt": ("has a burnt-out colour", "have a burnt-out colour"),
    "reflection": ("has reflections", "have reflections"),
    "empty": ("has large gaps", "have large gaps"),
    "contrast": ("has little contrast", "have little contrast"),
    "uneven": ("is lit unevenly", "are lit unevenly"),
    "vignette": ("darkens towards its corners", "darken towards their corners"),
    "shadow": ("lies partly in shadow", "lie partly in shadow"),
    "compression": ("is marked by compression", "are marked by compression"),
    "foreign": ("looks like none of the others", "look like none of the others"),
    "duplicate": ("is an exact copy of another", "are exact copies of others"),
    "near_duplicate": ("is nearly the same as another", "are nearly the same as others"),
    "leak": (
        "shows a subject that is in another split too",
        "show a subject that is in another split too",
    ),
    "label_conflict": (
        "has a mask that contradicts another's",
        "have masks that contradict each other",
    ),
    "empty_mask": ("has an empty mask", "have empty masks"),
    "unknown_mask": (
        "has a mask with unknown values",
        "have masks with unknown values",
    ),
    "swapped_mask": (
        "has a mask that does not fit what it shows",
        "have masks that do not fit what they show",
    ),
    "mask_fault": ("has a mask that can not be used", "have masks that can not be used"),
    "unreadable": ("can not be read", "can not be read"),
}
# By metric, for rules on what no planted fault has.
METRICS = {
    "published_outlier": ("is among the least connected", "are among the least connected"),
    "isolation_z": ("is far from every other", "are far from every other"),
    "unmeasured": ("is of a kind that is not measured", "are of a kind that is not measured"),
    "odd_format": ("has another format than most", "have another format than most"),
    "odd_colours": ("differs from the others in colour", "differ from the others in colour"),
    "size_deviation": ("has an unusual size", "have an unusual size"),
    "aspect_deviation": ("has an unusual shape", "have an unusual shape"),
    "nodata_share": ("has large gaps", "have large gaps"),
    "vessel_visibility": ("shows hardly any vessels", "show hardly any vessels"),
    "surplus_similarity": (
        "is nearly the same as a better one",
        "are nearly the same as a better one",
    ),
    "surplus_copies": ("is an exact copy of one that stays", "are exact copies of one that stays"),
    "byte_copies": ("is the same file as another", "are the same file as another"),
    "pixel_copies": ("is an exact copy of another", "are exact copies of others"),
    "entropy": ("shows next to nothing", "show next to nothing"),
    "blur": FAULTS["blur"],
    "sharpness": FAULTS["blur"],
    "laplacian_variance": FAULTS["blur"],
    "noise_sigma": FAULTS["noise"],
    "highlights": FAULTS["dark"],
    "white_share": FAULTS["bright"],
    "burnt_share": FAULTS["burnt"],
    "local_contrast": FAULTS["contrast"],
    "uneven_light": FAULTS["uneven"],
    "vignetting": FAULTS["vignette"],
    "shadow_depth": FAULTS["shadow"],
    "blockiness": FAULTS["compression"],
    "kind_similarity": FAULTS["foreign"],
    "nearest_similarity": FAULTS["near_duplicate"],
    "leak_inliers": FAULTS["leak"],
    "label_dice": FAULTS["label_conflict"],
    "mask_share": FAULTS["empty_mask"],
    "mask_unknown": FAULTS["unknown_mask"],
    "mask_agreement": FAULTS["swapped_mask"],
    "mask_fault": FAULTS["mask_fault"],
    "unreadable": FAULTS["unreadable"],
}
BY_SIDE = {  # metrics whose low and high ends say two things
    ("mean", "min"): FAULTS["dark"],
    ("mean", "max"): FAULTS["bright"],
    ("stretched_mean", "min"): FAULTS["dark"],
    ("stretched_mean", "max"): FAULTS["bright"],
}
ACTIONS = {
    "keep": "only counts: it asks for nothing",
    "review": "asks you to look",
    "enhance": "asks for a repair",
    "drop": "asks to drop",
}
VERDICTS = {
    "accepted": "The repair is accepted: it enters the release.",
    "refused": "The repair is refused: the original stays.",
    "not_told": "Whether the repair helps is not told: the original stays.",
}


def said(rule: Rule, name: str) -> tuple[str, str]:
    """Return what a rule says of one image, and of several."""
    plain = f"flagged by {name}"
    side = "min" if rule.max is None else "max" if rule.min is None else ""
    return (
        FAULTS.get(rule.finds)
        or BY_SIDE.get((rule.metric, side))
        or METRICS.get(rule.metric)
        or (f"is {plain} ({condition(rule)})", f"are {plain} ({condition(rule)})")
    )


def condition(rule: Rule) -> str:
    """Return when a rule flags: `sharpness below -7.7`."""
    sides = (("below", rule.min), ("above", rule.max))
    return f"{rule.metric} " + " or ".join(f"{s} {b:.6g}" for s, b in sides if b is not None)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 image`, `3 images`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
