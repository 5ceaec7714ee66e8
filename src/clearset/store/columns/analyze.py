"""The tables of the stage analyze."""

from clearset.store.columns.table import FLOAT, INT, STR, Table

TABLES = {
    # one row a readable image: fastdup's statistics, then the registry's metrics
    "metrics": Table({"image_id": STR}, ("image_id",), others=FLOAT),
    # one row a mask: see `masks.measure_mask`
    "masks": Table(
        {"image_id": STR, "mask_share": FLOAT, "mask_unknown": FLOAT, "mask_agreement": FLOAT},
        ("image_id",),
    ),
    # readable images whose metrics are empty, since measuring them was ended
    "unmeasured": Table({"image_id": STR, "reason": STR}, ("image_id",)),
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
            "kind_similarity": FLOAT,  # to the image that is most of its kind; low: a stranger
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
    # the strongest chain of similarities that joins all images: at any bound the groups that its
    # links at or above it make are those that all pairs would make
    "links": Table(
        {"image_id": STR, "other_id": STR, "similarity": FLOAT}, ("image_id", "other_id")
    ),
    # one row a fault planted into a copy of one of the dataset's own images, with its metrics
    "trials": Table(
        {"image_id": STR, "fault": STR, "step": INT}  # its level, counted from the mildest
        | {"kinds": STR, "parameters": STR},  # that rules find; the level in words
        ("image_id", "fault", "step"),
        others=FLOAT,
    ),
    # how alike some of the images are to light edits of themselves, and to others
    "kin": Table(
        {"image_id": STR, "other_id": STR}
        | {"kind": STR, "edit": STR}  # planted, beside, different
        | {"value": FLOAT, "positive": INT},  # similarity; 1: of one image
        ("image_id", "kind", "edit", "other_id"),
    ),
}
