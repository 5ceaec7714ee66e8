"""Every table, declared once: columns, their types, the key it is sorted by, their tolerances."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from clearset.store.tolerance import EXACT, LAST_DIGIT, Tolerance

STR, INT, FLOAT = "str", "int64", "float64"
BY_TYPE = {STR: EXACT, INT: EXACT, FLOAT: LAST_DIGIT}  # tolerance, where a table says no other
SCORES = dict.fromkeys(("precision", "recall", "f1", "auroc"), FLOAT)  # each 0 to 1


@dataclass(frozen=True)
class Table:
    """A table's columns and their types, what it is sorted by, and the type of further columns.

    `tolerances` are of columns whose values hang on more than arithmetic (see `tolerance`).
    `later` are columns of text that tables written before there were such do not have.
    """

    columns: dict[str, str]
    key: tuple[str, ...]
    others: str | None = None  # None: no further columns
    unique: bool = True  # each key once; else rows of one key keep their order
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict)
    later: tuple[str, ...] = ()

    def tolerance(self, column: str) -> Tolerance:
        """Return how far a value of a column may lie from what was recorded on another machine."""
        kind = self.columns.get(column, self.others or STR)
        return self.tolerances.get(column, BY_TYPE[kind])


TABLES = {
    # one row an image of the dataset, readable or not
    "images": Table(
        {
            "image_id": STR,  # path below images/ without suffix
            "split": STR,
            "path": STR,  # below images/
            "mask": STR,  # below masks/; empty: none
            "source": STR,  # where it lies in the source, below its root
            "source_mask": STR,  # where its mask lies there; empty: none
            "label": STR,  # a file of another kind that belongs to it, below labels/; empty: none
            "source_label": STR,
            "width": INT,
            "height": INT,
            "channels": INT,
            "bit_depth": INT,
            "low": FLOAT,  # the stored value that is measured as 0; empty: it can not be read
            "high": FLOAT,  # as 1
            "nodata": FLOAT,  # the stored value of pixels without data; empty: none
            "bytes": INT,  # of the file
            "sha256": STR,  # of the file
            "pixels_sha256": STR,  # of the decoded pixels
            "error": STR,  # why it can not be read; empty: it can
        },
        ("image_id",),
    ),
    # what a reader of the report should know about the source
    "notes": Table({"note": STR}, ("note",)),
    # one row an image of a planted dataset: what is known of it; no row where nothing is
    "truth": Table(
        {
            "image_id": STR,
            "eye": STR,  # the subject it shows, the same for all its images
            "source": STR,  # the clean image that it was made from
            "part": STR,  # calibrate or held_out, by eye
            "fault": STR,  # none: clean
            "kinds": STR,  # that detectors are to find, separated by spaces
            "severity": INT,  # 1 to 5; 0: a fault without levels, or none
            "parameters": STR,
        },
        ("image_id",),
    ),
    # one row a readable image: fastdup's statistics, then the registry's metrics
    "metrics": Table({"image_id": STR}, ("image_id",), others=FLOAT),
    # one row a mask: see `masks.measure_mask`
    "masks": Table(
        {"image_id": STR, "mask_share": FLOAT, "mask_unknown": FLOAT, "mask_agreement": FLOAT},
        ("image_id",),
    ),
    # pairs of different splits that a fit of keypoints joins; the more inliers, the surer
    "registrations": Table(
        {"image_id": STR, "other_id": STR, "similarity": FLOAT, "inliers": INT, "mirrored": INT}
        | dict.fromkeys(("xx", "xy", "x0", "yx", "yy", "y0"), FLOAT),  # x' = xx x + xy y + x0, ...
        ("image_id", "other_id"),
    ),
    # the most similar images of each image, most similar first
    "neighbours": Table(
        {"image_id": STR, "neighbour_id": STR, "similarity": FLOAT}, ("image_id",), unique=False
    ),
    # one row an image: how far it lies from the rest of its split
    "outliers": Table(
        {
            "image_id": STR,
            "split": STR,
            "nearest_id": STR,
            "nearest_similarity": FLOAT,
            "isolation_z": FLOAT,  # robust z of nearest_similarity; low: isolated
            "published_outlier": INT,  # 1: an end of the graph's least similar edges
            "published_edges": INT,  # how many of these start from it
            "edge_similarity": FLOAT,  # the least similar of its edges
        },
        ("image_id",),
    ),
    # images connected by similarities at or above a bound
    "components": Table(
        {"component_id": INT, "image_id": STR, "images": INT, "min_similarity": FLOAT},
        ("component_id", "image_id"),
    ),
    # pairs at or above a similarity: as they are, and as fastdup's report counts
    "pairs": Table(
        {
            "similarity": FLOAT,
            "pairs": INT,  # unordered
            "images": INT,  # that are in such a pair
            "edges": INT,  # directed, of the graph of each image's most similar
            "edge_percentage": FLOAT,  # of that graph's edges
        },
        ("similarity",),
    ),
    # images with the same pixels and different masks
    "conflicts": Table(
        {"image_id": STR, "other_id": STR, "class": STR, "dice": FLOAT},
        ("image_id", "other_id", "class"),
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
    # one row a flag
    "flags": Table(
        {"image_id": STR, "rule": STR, "value": FLOAT, "min": FLOAT, "max": FLOAT, "action": STR},
        ("image_id", "rule"),
    ),
    # every image's fate
    "decisions": Table(
        {"image_id": STR, "split": STR, "decision": STR, "rules": STR}, ("image_id",)
    ),
    # one row a repaired image: what was done
    "repairs": Table(
        {
            "image_id": STR,
            "rules": STR,
            "steps": STR,
            "clipped": FLOAT,  # share of values that left the range and were cut
            "sha256": STR,
        },
        ("image_id",),
    ),
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
            "refused_by": STR,
        },
        ("image_id",),
    ),
    # one row a repaired image: what the rule without masks says, and (further columns) on what
    # evidence
    "verdicts": Table(
        {
            "image_id": STR,
            "accepted": INT,  # 1: the repair may stand in the original's stead
            "refused_by": STR,  # the bounds that it broke, separated by spaces
        },
        ("image_id",),
        others=FLOAT,
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
    # pairs of one subject in two splits, as a rule on `leak_inliers` finds them
    "leaks": Table(
        {"image_id": STR, "other_id": STR, "similarity": FLOAT, "inliers": INT},
        ("image_id", "other_id"),
    ),
}
