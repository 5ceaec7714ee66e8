"""The engine of the published studies, kept at arm's length.

fastdup is closed source, phones home, pins old packages and refuses to run some 120 days after a
build was made. So it lives in an environment of its own and runs as a subprocess with telemetry and
version check off, in a scratch folder and with a scratch HOME, on PNG files that we decoded
ourselves. Only its statistics and its descriptors are taken; what follows from them (neighbours,
outliers, components) is computed exactly, and equals fastdup's own tables (tested).
"""

import csv
import datetime
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pandas as pd

from clearset.sources.work_folder import STATISTICS
from clearset.store.errors import ClearsetError, listed

LENGTH = 576  # of its descriptor
MODEL = "UndisclosedFastdupModel.ort"
OPTIONS: dict[str, Any] = {
    "overwrite": True,
    "nnf_mode": "Flat",  # exact and repeatable, where the default is neither
    "nearest_neighbors_k": 2,
    "threshold": -1.0,
    "outlier_percentile": 0.05,
    "cc_threshold": 0.96,
    "distance": "cosine",
    "run_sentry": False,
}
QUIET = {  # no telemetry, no version check, one sort order, no threads that change an order
    "SENTRY_OPT_OUT": "1",
    "FASTDUP_PRODUCTION": "1",
    "LC_ALL": "C",
    "OMP_NUM_THREADS": "1",
}
LIFETIME = datetime.timedelta(days=120)  # after which a build refuses to run
BUILT = re.compile(rb"\x00([A-Z][a-z]{2} [ 0-3][0-9] 20[0-9]{2})\x00")
WAY_OUT = (
    "Way out: `make setup` installs the newest build; or use the open engine, which needs none: "
    "`dvc exp run -S analyze=native compare@ravir` for a try, `analyze: native` in "
    "conf/config.yaml for good, `analyze: {engine: native}` in a dataset's own file for that one"
)


def environment() -> Path:
    """Return fastdup's environment: `CLEARSET_FASTDUP`, or `fastdup/` in the running one."""
    return Path(os.environ.get("CLEARSET_FASTDUP", "") or Path(sys.prefix) / "fastdup")


def interpreter() -> Path:
    """Return the Python of fastdup's environment, which may not exist."""
    return environment() / "bin" / "python"


def expires() -> datetime.date | None:
    """Return the day on which the installed build stops working, if it tells when it was made."""
    for library in environment().glob("lib/python*/site-packages/fastdup/libfastdup_shared.so"):
        if match := BUILT.search(library.read_bytes()):
            build_time = datetime.datetime.strptime(match[1].decode(), "%b %d %Y")
            return build_time.date() + LIFETIME
    return None


def version() -> str:
    """Return the installed version, as its package metadata says."""
    folders = sorted(environment().glob("lib/python*/site-packages/fastdup-*.dist-info"))
    return (
        folders[-1].name.removeprefix("fastdup-").removesuffix(".dist-info")
        if folders
        else "unknown"
    )


def obstacle() -> ClearsetError | None:
    """Return why fastdup can not work here, as far as that is known without starting it."""
    if not interpreter().exists():
        return _error("is not installed", _reason_of_setup())
    day = expires()
    return _expired(day) if day and datetime.date.today() >= day else None


def run(
    files: Sequence[Path], scratch: Path, workers: int
) -> tuple[pd.DataFrame, npt.NDArray[np.float32]]:
    """Return fastdup's statistics and descriptors of PNG files in the folder `scratch`.

    Rows are in the order of `files`. Raises `ClearsetError`, with the reason and the way out, when
    fastdup is missing, expired, broken, killed, hangs, or leaves out a file.
    """
    if error := obstacle():
        raise error
    listing, work, log = scratch / "files.txt", scratch / "work", scratch / "log.txt"
    listing.write_text("".join(f"{f.relative_to(scratch).as_posix()}\n" for f in files), "utf-8")
    options = json.dumps(OPTIONS | {"num_threads": workers})
    try:
        with log.open("wb") as output:
            status = _start(
                [listing.name, work.name, options], scratch, output, 600 + 2 * len(files)
            )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _error("did not finish", str(error)) from None
    if status != 0:
        raise _failure(status, log.read_text("utf-8", "replace"))
    return _results(work, len(files))


def _start(arguments: list[str], scratch: Path, output: BinaryIO, seconds: int) -> int:
    """Run the worker in fastdup's environment, offline and with a HOME of its own."""
    worker = Path(__file__).with_name("fastdup_worker.py").resolve()
    # -I keeps this folder, which has a fastdup.py of its own, off the import path
    command = [str(interpreter().absolute()), "-I", str(worker), *arguments]
    home = scratch / "home"
    home.mkdir()
    variables = {key: os.environ[key] for key in ("PATH", "TMPDIR") if key in os.environ}
    process = subprocess.run(
        command,
        cwd=scratch,
        env=variables | QUIET | {"HOME": str(home.absolute())},
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        timeout=seconds,
    )
    return process.returncode


def _results(work: Path, count: int) -> tuple[pd.DataFrame, npt.NDArray[np.float32]]:
    """Read fastdup's work folder; the one place that knows its formats."""
    refused = _rows(work / "atrain_features.bad.csv")
    if refused:
        names = [f"{row['filename']} ({row['error_code']})" for row in refused]
        raise _error(f"refused {len(refused)} of {count} images", listed(names))
    rows = _rows(work / "atrain_stats.csv")
    try:
        descriptors = np.fromfile(work / "atrain_features.dat", np.float32).reshape(-1, LENGTH)
        if not len(rows) == len(descriptors) == count:
            raise _error(f"measured {len(rows)} of {count} images", "it does not say why")
        return pd.DataFrame(rows)[STATISTICS].astype(float), descriptors
    except (OSError, KeyError, ValueError) as error:
        raise _error("left results that can not be read", str(error)) from None


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        raise _error("left no results", f"{path.name} is missing")
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        return list(csv.DictReader(file))


def _failure(status: int, log: str) -> ClearsetError:
    """Return the error that explains a failed run."""
    if "version is deprecated" in log:
        return _expired(expires())
    if status < 0:
        return _error(
            "was killed", f"by {signal.Signals(-status).name}; it may have run out of memory"
        )
    if "ImportError" in log or "ModuleNotFoundError" in log:
        return _error("is installed but can not be imported", _last_line(log))
    return _error(f"failed with status {status}", _last_line(log))


def _last_line(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "it printed nothing"


def _reason_of_setup() -> str:
    """Return what `make setup` found, if it has run."""
    record = environment().with_suffix(".txt")
    return record.read_text("utf-8").strip() if record.exists() else f"no {interpreter()}"


def reason(error: Exception) -> str:
    """Return an error of fastdup's without the way out."""
    return str(error).removesuffix(f". {WAY_OUT}")


def _expired(day: datetime.date | None) -> ClearsetError:
    why = f"its build stopped working on {day or 'a set day'}"
    return _error(f"{version()} has expired", why)


def _error(what: str, why: str) -> ClearsetError:
    return ClearsetError(f"fastdup {what}: {why}. {WAY_OUT}")


def info() -> dict[str, Any]:
    """Return what identifies this engine in engine.json."""
    return {"name": "fastdup", "version": version(), "model": MODEL, "options": OPTIONS}
