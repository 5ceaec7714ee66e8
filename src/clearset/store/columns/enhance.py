"""The table of the stage enhance."""

from clearset.store.columns.table import FLOAT, STR, Table

TABLES = {
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
}
