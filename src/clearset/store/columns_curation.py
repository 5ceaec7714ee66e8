"""The tables of curation, what published reports count, and what fastdup gave on known images."""

from clearset.store.columns import FLOAT, INT, STR, Table

TABLES = {
    # the strongest chain of similarities that joins all images: at any bound the groups that its
    # links at or above it make are those that all pairs would make
    "links": Table(
        {"image_id": STR, "other_id": STR, "similarity": FLOAT}, ("image_id", "other_id")
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
    # what fastdup gave on an image, and the hash of the 8-bit pixels that it was shown
    "statistics": Table(
        {"image_id": STR, "pixels_sha256": STR}
        | dict.fromkeys(("blur", "mean", "min", "max", "stdv", "contrast", "unique"), STR),
        ("image_id",),  # numbers as it prints them: more digits than a table of numbers keeps
    ),
    # its descriptor of each image, in whole numbers of the length `exact.LENGTH`
    "descriptors": Table({"image_id": STR}, ("image_id",), others=INT),
    # what it made of them itself, in one call on the images of a split or on all: the edges of its
    # graph, those that its quota marks as outlying, and its groups
    "graph": Table(
        {"call": STR, "image_id": STR, "other_id": STR, "similarity": FLOAT},
        ("call", "image_id", "other_id"),
    ),
    "quota": Table(
        {"call": STR, "image_id": STR, "other_id": STR, "similarity": FLOAT},
        ("call", "image_id", "other_id"),
    ),
    "groups": Table({"call": STR, "group": INT, "image_id": STR}, ("call", "group", "image_id")),
}
