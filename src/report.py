"""Draw what the stages have computed: report and page below reports/, pictures below data/."""

from clearset.config.stage import run
from clearset.stages.report import main

if __name__ == "__main__":
    run(main)
