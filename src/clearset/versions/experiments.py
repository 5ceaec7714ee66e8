"""Experiments side by side: what DVC has of a dataset's, and what differs between them."""

import csv
import io

from clearset.versions import pipeline

NAMES = ("Experiment", "rev", "Created")


def table(dataset: str) -> str:
    """Return, as CSV, every experiment of a dataset: its metrics, and the params that differ."""
    return compared(pipeline.dvc("exp", "show", "--csv"), dataset)


def compared(shown: str, dataset: str) -> str:
    """Return those columns of what `dvc exp show --csv` printed that tell experiments apart.

    Of the dataset's metrics all, of its params those that are not the same in every row.
    """
    rows = list(csv.DictReader(io.StringIO(shown)))
    columns = list(rows[0]) if rows else []
    kept = [name for name in NAMES if name in columns]
    for name in columns:
        part = name.rpartition(":")[2]  # a file of params may stand before
        if part.startswith(f"{dataset}."):
            is_metric = part.count(".") == 1
            if is_metric or len({row[name] for row in rows}) > 1:
                kept.append(name)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(kept)
    writer.writerows([row[name] or "" for name in kept] for row in rows)
    return text.getvalue()
