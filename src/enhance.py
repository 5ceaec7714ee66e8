"""Repair the images whose flags call for it; copy the others, leave out the dropped ones."""

from clearset.config.stage import run
from clearset.stages.enhance import main

if __name__ == "__main__":
    run(main)
