"""The tables of models trained on raw and on repaired images."""

from clearset.store.columns.table import FLOAT, INT, STR, Table
from clearset.store.tolerance import Tolerance

ARM = {"model": STR, "trained_on": STR, "augment": INT}  # trained_on: raw, or the name of a repair
VIEW = {"fault": STR, "repair": STR}  # planted, or none; then a repair's name, own, or raw
# Training is in single precision, whose sums differ between processors, and what differs is learnt
# from: another machine's model is, at worst, that of another seed (`seed_sd`, mostly below 0.025).
SEED = Tolerance(absolute=0.05)
CHANGES = ("before", "after", "change", "low", "high", "error", "seed_sd", "detectable")

TABLES = {
    # how right each model is on each view of each image that it has not seen
    "training_scores": Table(
        ARM
        | VIEW
        | {"fold": INT, "repeat": INT, "image_id": STR, "eye": STR}
        # class: vessel is any of them; the background is not scored
        | {"class": STR, "dice": FLOAT, "jaccard": FLOAT},
        (*ARM, *VIEW, "repeat", "image_id", "class"),
        tolerances=dict.fromkeys(("dice", "jaccard"), SEED),
    ),
    # how right one annotation is by another of the same pixels
    "training_ceiling": Table(
        {"image_id": STR, "other_id": STR, "class": STR, "dice": FLOAT, "jaccard": FLOAT},
        ("image_id", "other_id", "class"),
    ),
    # the mean over eyes, its 95 % interval, and how far it moves with the seed of the training
    "training_means": Table(
        ARM
        | VIEW
        | {"class": STR, "eyes": INT}  # class: mean is the classes' mean
        | dict.fromkeys(("dice", "low", "high", "jaccard", "seed_sd"), FLOAT),
        (*ARM, *VIEW, "class"),
        tolerances=dict.fromkeys(("dice", "low", "high", "jaccard", "seed_sd"), SEED),
    ),
    # paired differences of Dice: see `training_summary.QUESTIONS`
    "training_changes": Table(
        {"question": STR}
        | ARM
        | VIEW
        | {"class": STR, "eyes": INT}
        | dict.fromkeys(("before", "after", "change", "low", "high"), FLOAT)
        | {"error": FLOAT}  # standard error of the mean change, over eyes
        | {"seed_sd": FLOAT}  # standard deviation of the mean change, over repeats
        | {"detectable": FLOAT}  # the smallest change found with 80 % power at 5 %
        | {"told": INT},  # from 0: 1 above, -1 below, 0 not
        ("question", *ARM, *VIEW, "class"),
        tolerances=dict.fromkeys(CHANGES, SEED),
    ),
}
