"""Flag the images that a rule finds outside its bounds, and decide what becomes of each."""

from clearset.config.stage import run
from clearset.stages.filter import main

if __name__ == "__main__":
    run(main)
