"""Compose conf/ into params.yaml, so that `dvc repro` runs what conf/ says."""

import os
import sys
from pathlib import Path

import yaml

from clearset.config import composition, params
from clearset.config.schema import Dataset
from clearset.repair.steps import check_steps
from clearset.store import defects, documents, layout, locks

STAMP = Path("conf.stamp")
FOLDER = Path("src/clearset/inspection/folder.yaml")  # for `clearset.check`, where no conf/ is
HEADING = "# Composed from conf/dataset/folder.yaml by src/config.py: what `check` begins with.\n"


def main() -> str:
    """Write params.yaml from conf/ and check every section; inside `dvc exp run` only check it."""
    if not os.environ.get("DVC_EXP_NAME"):  # there DVC has just composed it, with its overrides
        write(params.PARAMS, composition.text(composition.composed()))
        write(FOLDER, of_folder())
    sections = documents.mapping(params.PARAMS)
    datasets = sorted(set(sections) - params.GROUPS)
    for name in datasets:
        check_values(name, params.check(name, sections[name], str(params.PARAMS)))
    # The same text always: the stages after this one depend on their params, not on this run.
    STAMP.write_text("params.yaml is composed from conf/ by src/config.py\n", encoding="utf-8")
    return f"config: {params.PARAMS} composed from conf/ ({', '.join(datasets)})"


def of_folder() -> str:
    """Return the text of the settings that the wheel carries for a folder of images."""
    section = composition.section("images", "folder")
    return HEADING + yaml.safe_dump(section, sort_keys=False, allow_unicode=True)


def write(path: Path, text: str) -> None:
    """Write params.yaml, or another file, unless it has the text; not while a stage reads it."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    with locks.unread(path, "composing conf/"), layout.replacing(path) as incomplete:
        incomplete.write_text(text, encoding="utf-8")


def check_values(name: str, section: Dataset) -> None:
    """Raise `ClearsetError` for a step or a bound on evidence that could not be used."""
    from clearset.proof.evidence import check_bounds  # noqa: PLC0415 - `--check` does without

    check_steps(section.enhance, f"{name}.enhance")
    for trial, steps in section.compare.trials.items():
        check_steps(steps, f"{name}.compare.trials.{trial}")
    check_bounds(section.accept, f"{name}.accept")


def check() -> str:
    """Return a warning when params.yaml is not what conf/ composes to, as after an experiment."""
    if params.PARAMS.read_text(encoding="utf-8") == composition.text(composition.composed()):
        return ""
    return (
        f"note: {params.PARAMS} is not what conf/ composes to, so these results are of an "
        "experiment or of an edit by hand. Back to conf/: dvc repro --force --single-item config, "
        "then the same again. To keep the values, write them into conf/\n"
    )


if __name__ == "__main__":
    with defects.told():
        defects.say(check() if sys.argv[1:] == ["--check"] else f"{main()}\n")
