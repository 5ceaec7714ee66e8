"""What training says about repairs, as a page of Markdown."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from clearset.config.schema_train import RAW, Model, Train
from clearset.plant.planting import CLEAN
from clearset.repair.steps import describe_step
from clearset.store.markdown import escaped, markdown
from clearset.store.stages import Lessons
from clearset.train.segmentation import MEAN, VESSEL
from clearset.train.summary import QUESTIONS, counted, raw_first

CLASSES = (VESSEL, MEAN)
NAMES = {"trained_on": "trained on", "augment": "augmented", "repair": "given"}
READING = """\
Dice of each class and of vessel (any class) against the background, which is never scored itself;
`mean` is the mean of the classes, artery and vein here. Each image is tested by models that have
not seen its eye. The eye is the unit: images of one eye and repetitions are averaged first, and
intervals (95 %) are a bootstrap over eyes. `seed sd` is how far the number moves with nothing but
the seed of the training, which the interval does not hold: so a change counts as told from 0 only
where the interval and, with the seed's part, 1.96 standard errors leave 0 out. `detectable` is the
smallest change that this design would show with 80 % power at 5 % (2.8 of these standard errors):
a smaller one, if there is any, stays unseen. What is not told from 0 is a result too: no effect
was found. Of twenty changes one is told by chance, and there are many here."""
MODELS = """\
The classifier sees grey levels as they are, the U-Net each image brought to mean 0 and spread 1,
as is usual: light that is wrong everywhere alike reaches it mended. Both are small and trained
briefly, to compare arms with each other, not to set a record."""
PUBLISHED = """\
For orientation, figures that others state for RAVIR, none of them measured here or on these folds:
0.81, the best of the test set's leaderboard, as public projects state it; 0.42 to 0.63, public
student projects; 0.636 (artery 0.605, vein 0.681), a public project's five folds, whose first
version drew its folds from crops of the same images and gave 0.956: a leak."""
RUNNING = """\
`make train` installs torch where it is missing and runs this. A GPU is used where torch sees one,
and else the CPU, a training a core (`CLEARSET_WORKERS` says how many at once). Without torch, set
`train.models` to `[classifier]`. The same seeds give the same scores on one machine; on another, or
on a GPU, sums round otherwise, and the last digits of the U-Net's scores differ."""


def report(dataset: str, settings: Train, lessons: Lessons) -> str:
    """Return the page of a dataset's training, from its tables."""
    means, changes = lessons.training_means, lessons.training_changes
    parts = [
        f"# Does the repair help a trained model? {escaped(dataset)}",
        f"{design(settings, int(means['eyes'].max()))} {MODELS}\n\n{READING}",
        "## Answers in short\n\n" + in_short(changes),
        "## Trained on, given\n\n" + markdown(pairings(means)),
        "## Against raw images throughout\n\nThe change against the model trained on raw images "
        "without augmentation and given raw images.\n\n![Changes](figures/changes.png)\n\n"
        + markdown(against(changes)),
        "## Faulted images\n\n" + chains(settings) + "\n\nModels trained on raw images. `repair` "
        "is the change when the faulted image is repaired, `augmentation` when the model was "
        "trained with augmentation instead, `beyond` the first less the second.\n\n"
        + markdown(faulted(means, changes)),
        "## What labels allow\n\n" + ceiling(lessons.training_ceiling) + f"\n\n{PUBLISHED}",
        f"## Run it\n\n{RUNNING}",
    ]
    return "\n\n".join(parts) + "\n"


def design(settings: Train, eyes: int) -> str:
    """Return in words what was trained and tested."""
    models = " and ".join(model.value for model in settings.models)
    return (
        f"Models ({models}) trained on {eyes} eyes in {settings.folds} folds of eyes, each "
        f"{settings.repeats} times from another seed."
    )


def in_short(changes: pd.DataFrame) -> str:
    """Return, for each question and model, how many changes are told from 0."""
    lines = []
    for question in QUESTIONS:
        for model in Model:
            selection = (changes["question"] == question) & (changes["model"] == model.value)
            for label in CLASSES:
                rows = changes[selection & (changes["class"] == label)]
                if len(rows):
                    lines.append((question, model.value, label, len(rows), counted(rows)))
    words = "\n".join(f"- `{question}`: {meaning}." for question, meaning in QUESTIONS.items())
    columns = ["question", "model", "class", "changes", "of these"]
    return f"{words}\n\n{markdown(pd.DataFrame(lines, columns=columns))}"


def pairings(means: pd.DataFrame) -> pd.DataFrame:
    """Return the Dice of every arm on raw and repaired images, one column a class."""
    clean = means[means["fault"] == CLEAN]
    keys = ["model", "trained_on", "augment", "repair"]
    texts = clean.assign(text=[spread(row.dice, row.low, row.high) for row in clean.itertuples()])
    classes = [*sorted(set(clean["class"]) - set(CLASSES)), *CLASSES[::-1]]
    table = texts.pivot(index=keys, columns="class", values="text")[classes]
    sd = clean[clean["class"] == VESSEL].set_index(keys)["seed_sd"]
    table["seed sd, vessel"] = [plain(sd[key]) for key in table.index]
    return raw_first(table.reset_index()).rename(columns=NAMES)


def against(changes: pd.DataFrame) -> pd.DataFrame:
    """Return the changes of question `pairing`, vessel and mean side by side."""
    paired = changes[changes["question"] == "pairing"]
    keys = ["model", "trained_on", "augment", "repair"]
    return raw_first(side_by_side(paired, keys)).rename(columns=NAMES)


def side_by_side(rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Return changes as text, with what could be detected and the seed's part, by class."""
    table = None
    for label in CLASSES:
        one = rows[rows["class"] == label]
        text = [signed(row) for row in one.itertuples()]
        columns = {
            f"{label}": text,
            f"{label}: detectable": [plain(value) for value in one["detectable"]],
            f"{label}: seed sd": [plain(value) for value in one["seed_sd"]],
        }
        part = one[list(keys)].assign(**columns)
        table = part if table is None else table.merge(part, on=list(keys))
    return pd.DataFrame(table)


def faulted(means: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    """Return for each model, class and fault what repair and augmentation change."""
    keys = ["model", "class", "fault"]
    raw = (means["trained_on"] == RAW) & (means["augment"] == 0) & (means["repair"] == RAW)
    baseline = means[raw & means["class"].isin(CLASSES)]
    clean = baseline[baseline["fault"] == CLEAN].set_index(["model", "class"])["dice"]
    table = baseline[baseline["fault"] != CLEAN][[*keys, "dice"]].rename(
        columns={"dice": "faulted"}
    )
    table["clean"] = [clean[tuple(pair)] for pair in table[["model", "class"]].to_numpy()]
    for name, question, augment in (
        ("repair", "repair", 0),
        ("augmentation", "augmentation", 1),
        ("beyond", "beyond_augmentation", 0),
    ):
        selection = (changes["question"] == question) & (changes["augment"] == augment)
        rows = changes[selection & (changes["trained_on"] == RAW)].set_index(keys)
        texts = {row.Index: signed(row) for row in rows.itertuples()}
        table[name] = [texts.get(tuple(key), "") for key in table[keys].to_numpy()]
    columns = [*keys, "clean", "faulted", "repair", "augmentation", "beyond"]
    return table[columns].round({"clean": 3, "faulted": 3})


def chains(settings: Train) -> str:
    """Return what each repair is, in words."""
    repairs = settings.repairs | settings.repairs_of_faults
    lines = [
        f"- {escaped(name)}: {' > '.join(describe_step(step) for step in steps) or 'no repair'}"
        for name, steps in repairs.items()
    ]
    head = f"Faults of severity {settings.severity}, and the chains that repair:"
    return head + "\n\n" + "\n".join(lines)


def ceiling(table: pd.DataFrame) -> str:
    """Return how far two annotations of the same pixels agree."""
    if table.empty:
        return "No image was annotated twice, so nothing says how right the labels are."
    return (
        "One annotation against another of the same pixels: no model can honestly be asked for "
        f"more.\n\n{markdown(table.round({'dice': 3, 'jaccard': 3}))}"
    )


def plain(value: float) -> str:
    """Return a number of three digits, or nothing where it is not known."""
    return "" if pd.isna(value) else f"{value:.3f}"


def spread(value: float, low: float, high: float) -> str:
    """Return a value with its interval: 0.512 [0.481, 0.540]."""
    return plain(value) + ("" if pd.isna(low) else f" [{low:.3f}, {high:.3f}]")


def signed(row: Any) -> str:
    """Return a row's change, its interval, and if it is told: +0.030 [+0.012, +0.047] told."""
    numbers = [round(getattr(row, name), 3) + 0.0 for name in ("change", "low", "high")]
    change, *ends = (f"{number:+.3f}" for number in numbers)
    spread = "" if pd.isna(numbers[1]) else f" [{', '.join(ends)}]"
    return change + spread + (" told" if row.told else "")
