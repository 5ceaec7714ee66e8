"""The numbers of docs/trust.md: detectors judged on faults planted into RAVIR's eyes."""

from functools import partial

import pandas as pd

from blocks import FAULTS, fixed, images, markdown, row, rows, table, value

LEVELS, LIKENESS = "../docs/levels", "../docs/likeness"  # by the benchmarks of these names
CAMERAS = ["RAVIR", "DRIVE", "generated retinas", "generated tiles"]
SPOILT = "RAVIR, a third of it bad"
PLACES = {"ravir": "RAVIR", "drive": "DRIVE", "satellite": "generated tiles"}
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
    """The largest bound tried above which every planted leak lies, by its best true pair."""
    tried = rows("ravir_faults/bounds", rule="leak", recall=1)
    return fixed(tried.bound.max(), 1)


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


def _of(camera: str, rule: str, fault: str) -> pd.DataFrame:
    levels = table(LEVELS)
    of_fault = (levels["rule"] == rule) & (levels["fault"] == fault)
    return levels[of_fault & (levels["camera"] == camera)].sort_values("step")


def _level(text: str) -> str:
    """Return a level without its unit, of `sigma in px: 1.5`."""
    return str(text).rpartition(": ")[2]


def _told(found: pd.DataFrame) -> str:
    if found.empty:
        return "-"
    told = found[found["told"] == 1]
    if told.empty:
        return "not told"
    return f"{_level(told['level'].iloc[0])} (F1 {told['f1'].min():.2f})"


def _faults(only: bool) -> list[tuple[str, str]]:
    """Return each rule with each fault it finds; `only` those that its bounds are chosen by."""
    levels = table(LEVELS)
    found = levels[levels["step"] > 0].drop_duplicates(["rule", "fault"])
    told = levels[levels["told"] == 1].drop_duplicates(["rule", "fault"])
    chosen = told if only else found
    return list(chosen[["rule", "fault"]].itertuples(index=False, name=None))


def told_levels() -> str:
    """From which level on each fault is found, on each camera, by bounds of its own."""
    body = []
    for rule, fault in _faults(only=True):
        unit = _of("RAVIR", rule, fault)["level"].astype(str).str.rpartition(": ")[0]
        words = f"{fault.replace('_', ' ')}, {unit.iloc[0]}" if len(unit) else fault
        body.append([rule, words, *(_told(_of(name, rule, fault)) for name in (*CAMERAS, SPOILT))])
    return markdown(["rule", "fault, unit", *CAMERAS, SPOILT], body)


def false_flags() -> str:
    """The share of clean images that each rule flags, of those that its bound was not chosen by."""
    levels = table(LEVELS)
    clean = levels[levels["fault"] == "none"].set_index(["rule", "camera"])["flagged"]
    names = (*CAMERAS, SPOILT)
    body = [
        [rule, *(fixed(clean[rule, camera]) for camera in names)]
        for rule in dict.fromkeys(clean.index.get_level_values(0))
    ]
    return markdown(["rule", *names], body)


def every_level() -> str:
    """The share found at each level of each fault and shape, on the two real cameras."""
    body = []
    for rule, fault in _faults(only=False):
        cells = []
        for camera in CAMERAS[:2]:
            found = _of(camera, rule, fault)
            each = [f"{_level(row.level)}: {row.flagged:.2f}" for row in found.itertuples()]
            cells.append(", ".join(each) or "-")
        likeness = _of("RAVIR", rule, fault)["ssim"]
        span = f"{likeness.max():.2f} to {likeness.min():.2f}" if len(likeness) else "-"
        body.append([rule, fault.replace("_", " "), *cells, span])
    return markdown(["rule", "fault", *CAMERAS[:2], "SSIM to the clean image, on RAVIR"], body)


def likeness() -> str:
    """Near duplicates and leaks on three cameras, by bounds that each set chose for itself."""
    found = table(LIKENESS)
    body = []
    for camera, name in PLACES.items():
        own = found[found["camera"] == camera]
        pairs = own[own["edit"] == "all"].iloc[0]
        leak = own[own["what"] == "leak"].iloc[0]
        body.append(
            [
                name,
                fixed(pairs["median"]),
                fixed(pairs.bound),
                fixed(pairs.f1),
                fixed(pairs.false_pairs, 0),
                fixed(leak.bound, 0),
                fixed(leak.recall),
                fixed(leak.false_pairs, 0),
            ]
        )
    head = ["images", "median of different images", "bound", "F1", "false pairs"]
    return markdown([*head, "inliers", "visits found", "false leaks"], body)
