"""Lay the cleaned dataset out as its source, and say of every image what became of it and why."""

from clearset.config.stage import run
from clearset.stages.release import main

if __name__ == "__main__":
    run(main)
