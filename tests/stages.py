"""All stages on a few small images in one process: what is run where bytes are to be compared."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("fetch", "analyze", "filter", "enhance", "compare", "release", "report")
PLANTS = {"near_duplicates": 1, "duplicates": 1, "conflicts": 1, "leaks": 1, "overlaps": 0}
PLANTS |= {"masks": 1, "broken": 1, "foreign": 1}
FEW = {"near_duplicates": 1, "duplicates": 2, "leaks": 1, "overlaps": 1}
SMALL: dict[str, dict[str, Any]] = {  # every fault once, and a relative of each kind
    "sample": {"count": 18, "size": 128, "plant": {"in_place": 14} | PLANTS},
    "satellite_sample": {"count": 14, "size": 96, "plant": {"in_place": 10} | FEW},
}
# NumPy, OpenBLAS, the C library and OpenCV choose their code by the processor. Told to do without
# what this one has, they stand for another.
DISPATCHED = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
NUMPY = {"NPY_DISABLE_CPU_FEATURES": " ".join(DISPATCHED)}
BLAS = {"OPENBLAS_CORETYPE": "Nehalem", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
WIDE = "-AVX2,-FMA,-FMA4,-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-ERMS"
C_LIBRARY = {"GLIBC_TUNABLES": f"glibc.cpu.hwcaps={WIDE}"}
OPENCV = {"OPENCV_CPU_DISABLE": "AVX512_SKX,AVX2,FP16,AVX,SSE4_2", "OPENCV_IPP": "disabled"}
ONE = {"CLEARSET_WORKERS": "1"}
OTHER = NUMPY | BLAS | C_LIBRARY | OPENCV | ONE
DRIVER = """
import importlib, sys, yaml
sys.path.insert(0, "src")
for dataset in yaml.safe_load(open("params.yaml")):
    for stage in sys.argv[1:]:
        print(importlib.import_module(stage).main(dataset))
"""


def project(folder: Path, small: Mapping[str, Mapping[str, Any]] = SMALL) -> Path:
    """Make a folder in which the stages run on small datasets, with a copy of the code."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for name, size in small.items():
        fetch = params[name]["fetch"]
        fetch["plant"] |= size["plant"]
        fetch |= {key: size[key] for key in ("count", "size")}
        params[name]["compare"] |= {"resamples": 200, "trials": {}}
    skipped = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", folder / "src", ignore=skipped, dirs_exist_ok=True)
    text = yaml.safe_dump({name: params[name] for name in small})
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    return folder


def stages(
    folder: Path,
    environment: Mapping[str, str],
    python: Sequence[str] = (sys.executable,),
    last: str = STAGES[-1],
) -> dict[str, str]:
    """Run the stages anew and return the sha256 of every file that they wrote, by its path."""
    for name in ("data", "reports"):
        shutil.rmtree(folder / name, ignore_errors=True)
    done = subprocess.run(
        [*python, "-c", DRIVER, *STAGES[: STAGES.index(last) + 1]],
        cwd=folder,
        env=dict(environment),
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(python)} failed:\n{done.stdout}{done.stderr}")
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for name in ("data", "reports")
        for path in sorted((folder / name).rglob("*"))
        if path.is_file()
    }


def differing(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Return the files that are not the same in both, or only in one."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
