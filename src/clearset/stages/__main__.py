"""All stages of a dataset in one process: `python -m clearset.stages DATASET`, beside its params.

Where there is no project, nothing but these stages knows the folder: they run in order, each on
what the one before has just written, all under the params that were read at the start.
"""

import sys

from clearset.config import params
from clearset.stages import analyze, compare, enhance, fetch, filter, release, report
from clearset.store import defects, locks

STAGES = (fetch, analyze, filter, enhance, compare, report, release)  # in the order of the map


def run(dataset: str) -> int:
    """Run all stages; return the status to end with.

    What each did, or the one line on what was wrong, goes to standard output: whoever started this
    reads it there. Bars go to standard error.
    """
    try:
        with params.frozen(dataset):
            for stage in STAGES:
                defects.say(f"{stage.main(dataset)}\n")
    except (Exception, KeyboardInterrupt) as error:
        defects.say(f"{defects.line(error)}\n")
        return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m clearset.stages DATASET")
    locks.end_with_parent()
    defects.prepare()
    sys.exit(run(sys.argv[1]))
