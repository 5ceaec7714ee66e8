"""Runs fastdup on a list of files. Started by engines/fastdup.py in fastdup's own environment.

It imports nothing of Clearset: that environment has old packages. Arguments: the list of files,
fastdup's work folder, and fastdup's options as JSON.
"""

import json
import logging
import sys
from pathlib import Path


def main() -> None:
    """Import, run, and end with fastdup's own status."""
    import fastdup  # noqa: PLC0415

    logging.getLogger("fastdup").setLevel(logging.ERROR)
    files = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    runner = fastdup.create(work_dir=sys.argv[2], input_dir=files)
    sys.exit(runner.run(**json.loads(sys.argv[3])))


if __name__ == "__main__":
    main()
