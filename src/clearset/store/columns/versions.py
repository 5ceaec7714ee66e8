"""The tables that set versions of a dataset side by side: sweeps, and changed fates."""

from clearset.store.columns.table import FLOAT, INT, STR, Table

TABLES = {
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
    # one row an image whose fate differs between two versions of a dataset
    "fates": Table(
        dict.fromkeys(("image_id", "split"), STR)
        | dict.fromkeys(("before", "after"), STR)  # kept, repaired, dropped, or absent
        | {"why": STR}
        | dict.fromkeys(("reason_before", "reason_after", "steps_before", "steps_after"), STR),
        ("image_id",),
    ),
}
