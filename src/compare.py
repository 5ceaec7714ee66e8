"""Set the repaired images against their originals, and the flags against the known truth."""

from clearset.config.stage import run
from clearset.stages.compare import main

if __name__ == "__main__":
    run(main)
