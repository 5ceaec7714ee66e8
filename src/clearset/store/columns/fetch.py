"""The tables of the stage fetch."""

from clearset.store.columns.table import FLOAT, INT, STR, Table

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
            "alpha": STR,  # number of the band, from 1, that says what is seen; empty: none does
            "shown": STR,  # numbers of the bands that are measured; empty: 1, or 1 to 3
            "orientation": STR,  # EXIF's, 2 to 8; empty: upright
            "seen": STR,  # the field of view: page, file PATH, or disc ROW COLUMN RADIUS; or empty
            "colours": INT,  # 1: the measured bands differ; 0: grey, in one band or in three
            "assumed": INT,  # 1: nobody declared a range, and the type's would be too wide
            "obstacle": STR,  # why it can not be repaired; empty: it can
            "bytes": INT,  # of the file
            "sha256": STR,  # of the file
            "pixels_sha256": STR,  # of the decoded pixels
            "error": STR,  # why it can not be measured; empty: it can
            "broken": INT,  # 1: it can not since its file is damaged, or no image
            "mask_error": STR,  # why its mask can not be used; empty: it can, or there is none
        },
        ("image_id",),
    ),
    # one row a file of the source, and a further one for each further image that shares it
    "files": Table(
        {
            "file": STR,  # where it lies in the source, below its root
            "role": STR,  # image, mask, field of view, annotation, label, companion, left out
            "kind": STR,  # of an annotation
            "image_id": STR,  # of the image that it is, or belongs to; empty: to the whole set
            "split": STR,
            "reason": STR,  # why it is left out, can not be used, or is not looked at
        },
        ("file", "image_id"),
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
}
