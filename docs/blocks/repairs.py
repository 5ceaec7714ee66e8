"""The numbers of docs/repairs.md: repairs of faults planted into RAVIR's eyes with masks."""

from functools import partial

import pandas as pd

from blocks import FAULTS, Value, fixed, interval, markdown, row, rows, signed, table

CAMERAS, DEFAULTS = "../docs/cameras", "../docs/cameras_repairs"  # by benchmarks/cameras.py
OTHERS = "../docs/cameras_others"  # by the same, of eyes that nothing was chosen on
ADDRESS = {
    "RAVIR": "RAVIR, infrared",
    "DRIVE": "DRIVE's training half, colour on black",
    "generated": "generated, infrared-like",
}
DECISIONS = {
    "the rule": (CAMERAS, "rule"),
    "accept all": (CAMERAS, "always"),
    "the rule as adopted, on other eyes": (OTHERS, "rule"),
}
LIT = ("gamma 0.7", "rescale", "rescale, gamma 0.7", "rescale, gamma 0.7, unsharp 1")
TRIED = {
    "none": ("gamma 0.7", "unsharp 1", "published", "clahe 0.02", "denoise", "background"),
    "under_exposure": LIT,
    "gaussian_blur": ("cored", "unsharp 1"),
    "sensor_noise": ("denoise", "denoise, unsharp 1"),
    "uneven_light": ("gamma 0.5, unsharp 1", "background"),
}
GAINS, AGREEMENT = "ravir_repairs/tables/gains", "ravir_repairs/tables/agreement"
CHANGES, MEANS = "ravir/training/tables/training_changes", "ravir/training/tables/training_means"
GROUPS = {
    **FAULTS,
    "blur": "blur (five kinds)",
    "bright": "bright (nothing is done)",
    "compression": "JPEG blocks (nothing is done)",
    "none": "no fault",
    "all": "**all images**",
}
TRAINED_ON = {"raw": "raw images", "published": "sharpened images"}
PLANTED = {
    "gaussian_blur": "blur",
    "sensor_noise": "noise",
    "under_exposure": "dark",
    "low_contrast": "low contrast",
    "uneven_light": "light from one side",
}
MODELS = {"classifier": "pixel classifier", "unet": "U-Net"}
_gain = partial(row, GAINS, part="held_out")
_agreed = partial(row, AGREEMENT, part="held_out")
VESSEL: dict[str, Value] = {"class": "vessel"}


def gains() -> str:
    """What repairs do to how well vessels are found, fault by fault, as both detectors grant."""
    head = ["fault", "before", "every repair", "accepted repairs", "the published sharpening"]
    body = []
    for group, label in GROUPS.items():
        own = _gain(score="both", repair="applied", update="all", group=group)
        accepted = _gain(score="both", repair="applied", update="accepted", group=group)
        published = _gain(score="both", repair="published", update="all", group=group)
        changes = [interval(found) for found in (own, accepted, published)]
        body.append([label, fixed(own.before, 3), *changes])
    return markdown(head, body)


def decisions() -> str:
    """How often the decision without masks is the one that masks would make."""
    asked = {
        "our repairs, all": ("applied", "all"),
        "our repairs of blur": ("applied", "blur"),
        "our repairs of noise": ("applied", "noise"),
        "the published sharpening, on every image": ("published", "all"),
    }
    head = ["of", "repairs", "decided", "accepted", "as the masks would", "accepting all would be"]
    body = []
    for label, (repair, group) in asked.items():
        found = _agreed(repair=repair, group=group)
        columns = ("decided", "accepted", "agrees", "always")
        body.append([label, fixed(found.images, 0), *(fixed(found[c], 3) for c in columns)])
    return markdown(head, body)


def cameras() -> str:
    """How the rule does on each camera, with margins that were chosen on the two others."""
    head = ["camera, held out", "eyes", "decision", "repairs that changed", "decided", "agrees"]
    head += ["accepted, of all", "harmful", "by one at least", "first detector", "second detector"]
    body = []
    for camera, address in ADDRESS.items():
        for label, (source, decision) in DECISIONS.items():
            own = row(source, camera=camera, decision=decision)
            shares = [fixed(own.coverage), fixed(own.agreement)]
            entered = [f"{own.accepted:.0f} of {own.repairs:.0f}", f"{own.harmful:.0f}"]
            entered += [f"{own.harmful_by_one:.0f}"]
            changes = [
                interval(own.rename(lambda name, score=score: name.removeprefix(f"{score}_")))
                for score in ("ap", "sato")
            ]
            counts = fixed(own.eyes, 0), label, fixed(own.told, 0)
            body.append([address, *counts, *shares, *entered, *changes])
    return markdown(head, body)


def defaults() -> str:
    """What single repairs do on each camera by each detector, all of them entering."""
    head = ["fault", "repair", *(camera for camera in ADDRESS)]
    body = []
    for fault, repairs in TRIED.items():
        for repair in repairs:
            cells = []
            for camera in ADDRESS:
                own = row(DEFAULTS, fault=fault, repair=repair, camera=camera)
                said = f"{own.accepted:.0f}/{own.refused:.0f}/{own.not_told:.0f}"
                cells.append(f"{signed(own.ap)}, {signed(own.sato)} ({said})")
            body.append([fault.replace("_", " "), repair, *cells])
    return markdown(head, body)


def settings() -> str:
    """Every setting of the sweep on every image, on eyes held out."""
    found = rows("ravir_repairs/sweep/sweep", part="held_out", fault="all", severity=0)
    ranked = found.sort_values("ap_change", ascending=False)
    body = [[f"`{one.setting}`", signed(one.ap_change)] for one in ranked.itertuples()]
    return markdown(["setting, for every image alike", "change"], body)


def best_setting() -> str:
    """Return the setting that is best for all images on the eyes that settings are chosen on."""
    return f"`{row('ravir_repairs/sweep/best', kind='all').best}`"


def sharpened() -> str:
    """Vessel Dice of models trained on raw or sharpened images, given either."""
    head = ["model", "trained on", "given raw images", "given sharpened images"]
    body = []
    for model, name in MODELS.items():
        for trained, label in TRAINED_ON.items():
            arm = partial(row, MEANS, model=model, trained_on=trained, augment=0, fault="none")
            cells = [fixed(arm(repair=given, **VESSEL).dice, 3) for given in TRAINED_ON]
            body.append([name, label, *cells])
    return markdown(head, body)


def trained() -> str:
    """What repair and augmentation do for models trained on raw images, given faulted ones."""
    head = ["model", "fault", "faulted", "repaired", "augmented training", "repair beyond that"]
    questions = {"repair": 0, "augmentation": 1, "beyond_augmentation": 0}
    body = []
    for model, name in MODELS.items():
        for fault, label in PLANTED.items():
            arm = partial(row, CHANGES, model=model, trained_on="raw", fault=fault, **VESSEL)
            found = [arm(question=asked, augment=arms) for asked, arms in questions.items()]
            body.append([name, label, fixed(found[0].before, 3), *map(_told, found)])
    return markdown(head, body)


def _told(change: "pd.Series[float]") -> str:
    text = signed(change.change)
    return f"**{text}**" if change.told else text


def eyes() -> str:
    """How many eyes the models are tested on."""
    return str(table(CHANGES).eyes.max())
