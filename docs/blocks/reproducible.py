"""The numbers of docs/reproducible.md: how far a trained score moves with its seed."""

from blocks import table

TOLERANCE = 0.05  # of the columns of trained scores


def trained_scores() -> str:
    """How many mean scores of trained models there are."""
    return str(len(table("ravir/training/tables/training_means")))


def within_tolerance() -> str:
    """The share of them that moves less than the tolerance between seeds."""
    spread = table("ravir/training/tables/training_means").seed_sd
    return f"{(spread < TOLERANCE).mean():.0%}".replace("%", " %")
