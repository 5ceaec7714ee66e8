"""The tables of the stage filter."""

from clearset.store.columns.table import FLOAT, INT, STR, Table

TABLES = {
    # one row a flag
    "flags": Table(
        {"image_id": STR, "rule": STR, "value": FLOAT, "min": FLOAT, "max": FLOAT, "action": STR},
        ("image_id", "rule"),
    ),
    # every image's fate
    "decisions": Table(
        {"image_id": STR, "split": STR, "decision": STR, "rules": STR}, ("image_id",)
    ),
    # one row a rule, with the bounds it came to
    "rules": Table(
        {
            "rule": STR,
            "metric": STR,
            "min": FLOAT,
            "max": FLOAT,
            "quantile": FLOAT,  # that set the bound; empty: the bound was given
            "action": STR,
            "flagged": INT,
        },
        ("rule",),
    ),
    # what each bound of each rule would do, the other rules as they are: a plot of its own
    "bounds": Table(
        {"rule": STR, "side": STR, "bound": FLOAT, "metric": STR}  # side: min or max
        | {"present": INT}  # 1: the rule's own bound
        | {"flagged": INT}  # by this rule
        | dict.fromkeys(("kept", "repaired", "dropped"), INT)  # of all images
        | dict.fromkeys(("precision", "recall", "f1"), FLOAT),  # of the kind that the rule finds
        ("rule", "side", "bound"),
    ),
    # one row a rule that flags every image
    "warnings": Table({"rule": STR, "warning": STR}, ("rule",)),
    # images with the same pixels and different masks
    "conflicts": Table(
        {"image_id": STR, "other_id": STR, "class": STR, "dice": FLOAT},
        ("image_id", "other_id", "class"),
    ),
    # one row an image that is dropped as a duplicate
    "curation": Table(
        {
            "image_id": STR,
            "split": STR,
            "keeper_id": STR,  # the best of its group, which stays in its stead
            "keeper_split": STR,
            "rules": STR,  # that dropped it, separated by spaces
            "similarity": FLOAT,  # at which it joins a better image's group
            "bytes": INT,  # of its file
        },
        ("image_id",),
    ),
    # one row a detector: the bound chosen on the eyes of one part, and what it does on the others
    "calibration": Table(
        {"rule": STR, "metric": STR, "finds": STR, "side": STR}  # side: min or max
        | dict.fromkeys(("given", "bound"), FLOAT)  # the bound in conf/, the one chosen
        | dict.fromkeys(("fitted_f1", "precision", "recall", "f1", "given_f1"), FLOAT)
        | {"flagged": INT},  # of the held-out examples
        ("rule",),
    ),
    # what each bound of a detector would do, on the eyes that bounds are chosen on
    "curves": Table(
        {"rule": STR, "metric": STR} | dict.fromkeys(("bound", "precision", "recall", "f1"), FLOAT),
        ("rule", "bound"),
    ),
    # one row a rule that leaves its bound to the dataset: the one chosen by faults planted into it
    "own_bounds": Table(
        {"rule": STR, "metric": STR, "finds": STR, "side": STR}  # side: min or max
        | dict.fromkeys(("start", "bound", "low", "high"), FLOAT)  # given, chosen, an interval
        | dict.fromkeys(("typical", "flagged", "planted"), INT)  # images; typical ones it flags
        | dict.fromkeys(("recall", "precision"), FLOAT)  # among what was planted
        | {"reason": STR},  # why it is the one given; empty: it is not
        ("rule",),
    ),
    # what such a bound finds of each planted fault at each level
    "recalls": Table(
        {"rule": STR, "fault": STR, "step": INT, "parameters": STR, "images": INT, "recall": FLOAT}
        | {"told": INT},  # 1: from this level on nine of ten are found, and expected
        ("rule", "fault", "step"),
    ),
}
