"""The table of the stage release, and what its columns say to those who have it alone."""

from clearset.store.columns.table import FLOAT, STR, Table

# Columns that manifests written before there were such do not have.
LATER = ("output_identity", "mask_identity", "alpha", "shown", "orientation", "seen", "mask_error")

TABLES = {
    # every image of the source: what became of it in the released dataset, and (further columns)
    # the evidence on its repair; paths as `cells` makes them
    "manifest": Table(
        {
            "image_id": STR,
            "split": STR,
            "source": STR,  # below the source's root
            "source_sha256": STR,
            "output": STR,  # below the release's root, which is laid out as the source; empty: none
            "output_sha256": STR,
            "output_identity": STR,  # see `identity`; empty: it has none but its bytes
            "mask": STR,  # below the release's root; empty: none
            "mask_sha256": STR,
            "mask_identity": STR,
            "label": STR,  # below the release's root; empty: none
            "label_sha256": STR,
            "flags": STR,  # the rules that flagged it, separated by spaces
            "decision": STR,  # kept, repaired or dropped
            "reason": STR,  # why; after `review file: ` a person's own note
            "steps": STR,  # method and parameters of its repair; empty: not repaired
            "low": FLOAT,  # the stored value that is measured as 0, as in `images`
            "high": FLOAT,
            "nodata": FLOAT,
            **dict.fromkeys(LATER[2:6], STR),
            "mask_error": STR,  # why its mask can not be used; empty: it can, or there is none
        },
        ("image_id",),
        others=FLOAT,
        later=LATER,
    ),
    # every file of the source, and where it lies in the released dataset; one that belongs to
    # several images has a row for each
    "inventory": Table(
        {
            "file": STR,  # below the source's root
            "role": STR,  # image, mask, field of view, annotation, label, companion, left out
            "kind": STR,  # of an annotation
            "image_id": STR,  # that it is or belongs to; empty: it is of the whole set
            "output": STR,  # below the release's root; empty: it is not there
            "sha256": STR,  # of what is there
            "reason": STR,  # why it is not there, is not used, or what it still names
        },
        ("file", "image_id"),
    ),
}

# What each column of `manifest` says, for those who have the released folder alone.
MEANING = {
    "image_id": "path below images/ without suffix, the key",
    "split": "train, test, ...; all where there are none",
    "source": "where the image lies in the source, below its root",
    "source_sha256": "of the source's file",
    "output": "where it lies in the released folder, below its root; empty: dropped",
    "output_sha256": "of the released file",
    "output_identity": "sha256 of its pixels and what it declares; empty: only its bytes tell",
    "mask": "its mask, below the root; empty: none",
    "mask_sha256": "of the mask's file",
    "mask_identity": "sha256 of its pixels and what it declares; empty: only its bytes tell",
    "label": "another file that belongs to it, below the root; empty: none",
    "label_sha256": "of that file",
    "flags": "the rules that flagged it, separated by spaces",
    "decision": "kept, repaired or dropped",
    "reason": "why",
    "steps": "method and parameters of its repair; empty: not repaired",
    "low": "the stored value that is measured as 0",
    "high": "the stored value that is measured as 1",
    "nodata": "the stored value of pixels without data; empty: none",
    "alpha": "number of the band, from 1, that is 0 where nothing is seen; empty: none is",
    "shown": "numbers of the bands that are measured; empty: 1, or 1 to 3",
    "orientation": "EXIF's, by which it is measured; empty: as stored",
    "seen": "its field of view: page, file PATH, or disc ROW COLUMN RADIUS (px); or empty",
    "mask_error": "why its mask can not be used; empty: it can, or there is none",
}
EVIDENCE = "evidence on its repair, which was accepted or refused by it"  # the further columns
