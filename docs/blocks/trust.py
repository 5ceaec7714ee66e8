"""The numbers of docs/trust.md: detectors judged on faults planted into RAVIR's eyes."""

from functools import partial

from blocks import FAULTS, fixed, images, markdown, row, rows, table, value

DETECTION, SEVERITIES = "ravir_faults/tables/detection", "ravir_faults/tables/severities"
HELD_OUT = {"bounds": "calibrated", "part": "held_out"}  # bounds chosen on the other half
CARRIED = {"bounds": "default", "part": "held_out"}  # bounds from generated images alone
RULES = FAULTS | {
    "near_duplicate": "near duplicates, as pairs",
    "duplicate": "exact duplicates",
    "leak": "one subject in train and test, as pairs",
    "label_conflict": "one image with two different masks",
    "foreign": "strangers",
    "empty_mask": "empty masks",
    "unknown_mask": "masks with unknown values",
    "swapped_mask": "another image's mask",
    "faulty_mask": "masks of another size",
    "unreadable": "files that can not be read",
}
_held_out = partial(row, DETECTION, **HELD_OUT)
_carried = partial(row, DETECTION, **CARRIED)
_blur_noise = partial(value, SEVERITIES, "auroc", fault="blur_noise", severity=0, **HELD_OUT)


def detectors() -> str:
    """Each rule on the eyes held out: bounds chosen on the other half, and carried over."""
    head = ["what", "planted", "precision", "recall", "F1", "AUROC", "F1, bounds carried over"]
    body = []
    for rule, label in RULES.items():
        own, carried = _held_out(rule=rule), _carried(rule=rule)
        scores = [fixed(own[column]) for column in ("precision", "recall", "f1", "auroc")]
        body.append([label, fixed(own.positives, 0), *scores, fixed(carried.f1)])
    return markdown(head, body)


def others() -> str:
    """What other tools measure, judged the same way."""
    measures = {
        "fastdup_blur": ("blur", "fastdup's blur"),
        "laplacian": ("blur", "variance of the Laplacian"),
        "fastdup_dark": ("dark", "fastdup's mean"),
        "fastdup_bright": ("bright", "fastdup's mean"),
    }
    head = ["to find", "measure", "F1", "AUROC", "its usual bound", "F1 at that bound"]
    body = []
    for rule, (finds, name) in measures.items():
        found, usual = _held_out(rule=rule), _carried(rule=rule)
        bound = usual["max"] if usual["min"] != usual["min"] else usual["min"]
        scores = [fixed(found.f1), fixed(found.auroc), fixed(bound, 0), fixed(usual.f1)]
        body.append([finds, name, *scores])
    return markdown(head, body)


def planted() -> str:
    """How many images the dataset with planted faults has."""
    return fixed(images("ravir_faults"), 0)


def ours_under_noise() -> str:
    """Return the AUROC of our blur on images blurred and noisy, against clean ones."""
    return fixed(_blur_noise(rule="blur"))


def fastdup_under_noise() -> str:
    """Return the same of fastdup's blur."""
    return fixed(_blur_noise(rule="fastdup_blur"))


def laplacian_under_noise() -> str:
    """Return the same of the variance of the Laplacian."""
    return fixed(_blur_noise(rule="laplacian"))


def _found(fault: str, rule: str) -> str:
    mildest = row(SEVERITIES, fault=fault, rule=rule, severity=1, **HELD_OUT)
    return f"{mildest.recall * mildest.images:.0f} of {mildest.images}"


def mildest_blur_noise() -> str:
    """Of the lightest blur under noise, how many are found."""
    return _found("blur_noise", "blur")


def mildest_vignette() -> str:
    """Of the mildest vignettes."""
    return _found("vignette", "vignette")


def mildest_shadow() -> str:
    """Of the mildest shadows."""
    return _found("shadow", "shadow")


def light_by_nature() -> str:
    """The most uneven light of a real RAVIR image, in exposure values."""
    return fixed(table("ravir/tables/metrics").uneven_light.max(), 1)


def planted_leak() -> str:
    """The fewest inliers of a planted leak with the image of its eye that it matches best."""
    pairs = table("ravir_faults/tables/leaks")
    leaked = pairs.melt("inliers", ["image_id", "other_id"], value_name="image")
    return fixed(leaked[leaked.image.str.endswith("-leak")].groupby("image").inliers.max().min(), 0)


def no_false_leak() -> str:
    """The least bound tried above which every image that is flagged shares an eye."""
    tried = rows("ravir_faults/bounds", rule="leak", precision=1)
    return fixed(tried.bound.min(), 1)


def leak_bound() -> str:
    """The bound of the rule."""
    return fixed(_carried(rule="leak")["max"], 0)


def chosen_leak_bound() -> str:
    """The bound that planted leaks alone would choose."""
    return fixed(_held_out(rule="leak")["max"], 0)
