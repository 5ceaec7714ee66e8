"""The tables of what fastdup gave on known images."""

from clearset.store.columns.table import FLOAT, INT, STR, Table

TABLES = {
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
