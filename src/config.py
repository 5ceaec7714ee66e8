"""Compose conf/ into params.yaml, so that `dvc repro` runs what conf/ says."""

import os
import sys
from pathlib import Path

import yaml

from clearset.enhancements import check_steps
from clearset.errors import ClearsetError
from clearset.io import composition, layout, params

STAMP = Path("conf.stamp")


def main() -> str:
    """Write params.yaml from conf/ and check every section; inside `dvc exp run` only check it."""
    if not os.environ.get("DVC_EXP_NAME"):  # there DVC has just composed it, with its overrides
        text = composition.text(composition.composed())
        with layout.replacing(params.PARAMS) as begun:
            begun.write_text(text, encoding="utf-8")
    sections = yaml.safe_load(params.PARAMS.read_text(encoding="utf-8"))
    datasets = sorted(set(sections) - params.GROUPS)
    for name in datasets:
        check_steps(params.check(name, sections[name], str(params.PARAMS)).enhance)
    # The same text always: the stages after this one depend on their params, not on this run.
    STAMP.write_text("params.yaml is composed from conf/ by src/config.py\n", encoding="utf-8")
    return f"config: {params.PARAMS} composed from conf/ ({', '.join(datasets)})"


if __name__ == "__main__":
    try:
        print(main())
    except ClearsetError as error:
        sys.exit(f"error: {error}")
