"""The tables of what repairs did to vessels, declared as in `columns`."""

from clearset.store.columns import FLOAT, INT, STR, Table

SIDES = ("before", "after")
SCORES = ("ap", "auroc", "f1", "dice", "psnr", "ssim")  # the last two: to the clean original

TABLES = {
    # one row a repair of an image with a mask; SCORES before and after are empty where not known
    "vessels": Table(
        {
            "image_id": STR,
            "repair": STR,  # applied: what the stage enhance did; else a trial's name
            "eye": STR,  # the subject that it shows
            "part": STR,  # of a planted dataset
            "fault": STR,  # planted into it
            "severity": INT,
            "kinds": STR,
            "flagged": INT,  # 1: a rule called for a repair
            "repaired": INT,  # 0: left as it was
            "accepted": INT,  # 1: repaired, and the evidence lies within all bounds
        }
        | {f"{score}_{side}": FLOAT for score in SCORES for side in SIDES},
        ("repair", "image_id"),
        others=FLOAT,
    ),
    # the mean change of a score over eyes, paired, with its 95 % interval
    "gains": Table(
        {
            "repair": STR,
            "update": STR,  # which repairs enter: all, or the accepted ones
            "group": STR,  # all, flagged, none (no fault), or a kind of planted fault
            "part": STR,  # all, or held_out
            "score": STR,
            "images": INT,
            "eyes": INT,
        }
        | dict.fromkeys(("before", "after", "change", "low", "high"), FLOAT)
        | {"p": FLOAT},  # Wilcoxon's
        ("repair", "update", "group", "part", "score"),
    ),
    # the metrics of each setting of a sweep, side by side
    "settings": Table({"setting": STR}, ("setting",), others=FLOAT),
    # what each setting of a sweep does to each fault (all: every image) and severity (0: all)
    "sweep": Table(
        {"setting": STR, "part": STR, "fault": STR, "severity": INT, "images": INT}
        | dict.fromkeys(("ap_before", "ap_change", "dice_change"), FLOAT)
        | dict.fromkeys(("psnr_change", "ssim_change"), FLOAT),  # to the clean original
        ("setting", "part", "fault", "severity"),
    ),
    # the setting that each kind of fault calls for, chosen on the one part, scored on the other
    "best": Table(
        {"kind": STR, "best": STR, "calibrate": FLOAT, "held_out": FLOAT, "runner_up": STR},
        ("kind",),
    ),
    # how often the rule without masks decides as the masks would
    "agreement": Table(
        {"repair": STR, "group": STR, "part": STR}
        | {"images": INT}  # repaired, and average precision changed by more than 0.003
        | dict.fromkeys(("accepted", "agrees", "always", "never", "harmful"), FLOAT),
        ("repair", "group", "part"),
    ),
}
