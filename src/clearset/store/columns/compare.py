"""The tables of the stage compare."""

from clearset.store.columns.table import FLOAT, INT, SCORES, STR, Table

SIDES = ("before", "after")
# Against the mask (`sato` is average precision by another detector), then to the clean original.
VESSEL_SCORES = ("ap", "auroc", "f1", "dice", "sato", "psnr", "ssim")

TABLES = {
    # one row a repaired image: what it did to it
    "outcomes": Table(
        {
            "image_id": STR,
            "steps": STR,
            "psnr": FLOAT,  # dB, against the original
            "ssim": FLOAT,
            "clipped": FLOAT,
            "flags_before": STR,
            "flags_after": STR,
            "accepted": INT,
            "verdict": STR,
            "refused_by": STR,
        },
        ("image_id",),
    ),
    # each metric of each repaired image
    "comparison": Table(
        {"image_id": STR, "metric": STR, "before": FLOAT, "after": FLOAT, "change": FLOAT},
        ("image_id", "metric"),
    ),
    # the paired change of each metric over repaired images, with its 95 % interval
    "changes": Table(
        {
            "rule": STR,  # that flagged the images; all: every repaired image
            "metric": STR,
            "images": INT,
            "before": FLOAT,
            "after": FLOAT,
            "change": FLOAT,
            "low": FLOAT,
            "high": FLOAT,
        },
        ("rule", "metric"),
    ),
    # one row a repaired image: what the rule without masks says, and (further columns) on what
    # evidence
    "verdicts": Table(
        {
            "image_id": STR,
            "accepted": INT,  # 1: the repair may stand in the original's stead
            "verdict": STR,  # accepted, refused, or not_told: the original stays
            "refused_by": STR,  # the bounds that it broke, separated by spaces
        },
        ("image_id",),
        others=FLOAT,
    ),
    # one row a repair of an image with a mask; scores before and after are empty where not known
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
            "verdict": STR,  # as of `verdicts`; empty: not repaired
            "accepted": INT,  # 1: repaired, and the evidence lies within all bounds
        }
        | {f"{score}_{side}": FLOAT for score in VESSEL_SCORES for side in SIDES},
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
    # how often the rule without masks decides as the masks would
    "agreement": Table(
        {"repair": STR, "group": STR, "part": STR}
        | {"images": INT}  # repaired, and changed by more than 0.003 as both detectors have it
        | dict.fromkeys(("decided", "accepted", "agrees", "always", "never", "harmful"), FLOAT),
        ("repair", "group", "part"),
    ),
    # pairs of one subject in two splits, as a rule on `leak_inliers` finds them
    "leaks": Table(
        {"image_id": STR, "other_id": STR, "similarity": FLOAT, "inliers": INT},
        ("image_id", "other_id"),
    ),
    # what a published fastdup report counts, and what is true; empty where there is no such count
    "published": Table(
        {
            "finding": STR,
            "bound": FLOAT,
            "edges": FLOAT,  # directed, of the graph of each image's most similar
            "published_percentage": FLOAT,  # of all edges, one from each image to itself included
            "edge_percentage": FLOAT,  # of the others, as newer versions print it
            "pairs": FLOAT,  # unordered
            "groups": FLOAT,  # that chains of such pairs make
            "images": INT,  # affected
            "image_percentage": FLOAT,  # of all images
        },
        ("finding",),
    ),
    # one row a detector, set of bounds and part: all faults of other kinds are negatives
    "detection": Table(
        {"rule": STR, "metric": STR, "finds": STR, "bounds": STR, "part": STR}
        | {"min": FLOAT, "max": FLOAT, "positives": INT, "negatives": INT}
        | SCORES,
        ("rule", "bounds", "part"),
    ),
    # the same for each fault and severity (0: all), against clean images alone
    "severities": Table(
        {"fault": STR, "severity": INT, "rule": STR, "bounds": STR, "part": STR, "images": INT}
        | SCORES,
        ("fault", "severity", "rule", "bounds", "part"),
    ),
    # the share of each fault's images that each rule flags
    "crosstalk": Table(
        {"rule": STR, "finds": STR, "fault": STR, "images": INT, "flagged": FLOAT},
        ("rule", "fault"),
    ),
}
