"""Measure every image, compare it with every other, and measure faults planted into some."""

from clearset.config.stage import run
from clearset.stages.analyze import main

if __name__ == "__main__":
    run(main)
