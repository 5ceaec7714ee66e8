"""Bring a dataset's files in, list them, and say what was read as what."""

from clearset.config.stage import run
from clearset.stages.fetch import main

if __name__ == "__main__":
    run(main)
