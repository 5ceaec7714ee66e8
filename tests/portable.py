"""The stages on a few small images, on what this machine can stand for: other processors, NumPy.

`make portable` prints a table: beside the code that this processor is given, all dispatch settings
off; a processor of 2008 without AVX and FMA, emulated (Debian's qemu-user); the oldest and the
newest NumPy that the other packages of requirements.lock take. Ends with status 1 where a file
differs. Some minutes; not part of `make test`.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages import ONE, OTHER, ROOT, differing, project, stages

RELATIVES = dict.fromkeys(("near_duplicates", "duplicates", "overlaps", "empty", "foreign"), 0)
RELATIVES |= dict.fromkeys(("conflicts", "masks", "broken"), 0) | {"leaks": 1}
FEW: dict[str, dict[str, Any]] = {
    "sample": {"count": 5, "size": 128, "plant": {"in_place": 3} | RELATIVES},
    "satellite_sample": {"count": 4, "size": 96, "plant": {"in_place": 3} | RELATIVES},
}
EMULATOR = "qemu-x86_64"
OLD_CPU = "Nehalem"
ORDER = {"oldest": "lowest-direct", "newest": "highest"}


def with_numpy(order: str) -> list[str]:
    """Return the Python of an environment with the locked packages and another NumPy."""
    home = Path(sys.prefix) / f"numpy-{order}"
    uv, python = str(Path(sys.prefix) / "bin/uv"), str(home / "bin/python")
    locked = re.sub(r" \\\n( +--hash=.*\n)+", "\n", (ROOT / "requirements.lock").read_text())
    locked = re.sub(r"^numpy==.*\n", "", locked, flags=re.MULTILINE)
    subprocess.run(
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)], check=True
    )
    (home / "wanted.txt").write_text(locked + "numpy>=2\n", encoding="utf-8")
    command = [uv, "pip", "install", "--quiet", "--python", python, "-r", str(home / "wanted.txt")]
    command += ["--resolution", ORDER[order]]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        subprocess.run(command, check=True, env=os.environ | {"UV_SYSTEM_CERTS": "true"})
    return [python]


def version(python: Sequence[str]) -> str:
    """Return the version of NumPy that a Python has."""
    command = [*python, "-c", "import numpy; print(numpy.__version__)"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def compared(folder: Path, rows: dict[str, tuple[list[str], dict[str, str]]]) -> bool:
    """Run the stages in each way, print a line for each, and return whether all are the same."""
    usual = stages(folder, os.environ | ONE)
    print(f"{'what':<42} {'files':>5} {'differ':>6} {'seconds':>7}", flush=True)
    same = True
    for name, (python, setting) in rows.items():
        start = time.perf_counter()
        found = stages(folder, os.environ | ONE | setting, python)
        files = differing(usual, found)
        same &= not files
        seconds = time.perf_counter() - start
        print(f"{name:<42} {len(found):>5} {len(files):>6} {seconds:>7.0f}", flush=True)
        for file in files[:10]:
            print(f"  {file}")
    return same


def main() -> int:
    """Print the table."""
    rows: dict[str, tuple[list[str], dict[str, str]]] = {}
    rows["all dispatch settings off"] = [sys.executable], OTHER
    for order in ORDER:
        python = with_numpy(order)
        rows[f"NumPy {version(python)}, the {order} that fits"] = python, {}
    if shutil.which(EMULATOR):
        emulated = [EMULATOR, "-cpu", OLD_CPU, sys.executable]
        rows[f"emulated {OLD_CPU}: no AVX, no FMA"] = emulated, {"CLEARSET_APART": "no"}
    else:
        print(f"left out: {EMULATOR} is not installed (apt-get install qemu-user)")
    with tempfile.TemporaryDirectory(prefix="clearset-") as name:
        return 0 if compared(project(Path(name), small=FEW), rows) else 1


if __name__ == "__main__":
    sys.exit(main())
