"""The numbers of docs/repairs.md: repairs of faults planted into RAVIR's eyes with masks."""

from functools import partial

import pandas as pd

from blocks import FAULTS, Value, fixed, interval, markdown, row, rows, signed, table

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
_gain = partial(row, GAINS, part="held_out", score="ap")
_agreed = partial(row, AGREEMENT, part="held_out")
VESSEL: dict[str, Value] = {"class": "vessel"}


def gains() -> str:
    """What repairs do to how well vessels are found, fault by fault."""
    head = ["fault", "before", "every repair", "accepted repairs", "the published sharpening"]
    body = []
    for group, label in GROUPS.items():
        own = _gain(repair="applied", update="all", group=group)
        accepted = _gain(repair="applied", update="accepted", group=group)
        published = _gain(repair="published", update="all", group=group)
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
    head = ["of", "repairs", "accepted", "decided as the masks would", "accepting all would agree"]
    body = []
    for label, (repair, group) in asked.items():
        found = _agreed(repair=repair, group=group)
        shares = [fixed(found[column], 3) for column in ("accepted", "agrees", "always")]
        body.append([label, fixed(found.images, 0), *shares])
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
