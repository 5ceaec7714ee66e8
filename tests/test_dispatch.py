"""The same bytes whatever code a processor is given: dispatch settings, and one process.

NumPy, OpenBLAS, the C library and OpenCV choose their code by the processor. Told to do without
what this one has, they stand for another; what no setting reaches holds by construction only (see
docs/reproducible.md).
"""

import os
from pathlib import Path

import numpy as np
import pytest

from stages import SMALL, differing, project, stages

DISPATCHED = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
NUMPY = {"NPY_DISABLE_CPU_FEATURES": " ".join(DISPATCHED)}
BLAS = {"OPENBLAS_CORETYPE": "Nehalem", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
WIDE = "-AVX2,-FMA,-FMA4,-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-ERMS"
C_LIBRARY = {"GLIBC_TUNABLES": f"glibc.cpu.hwcaps={WIDE}"}
OPENCV = {"OPENCV_CPU_DISABLE": "AVX512_SKX,AVX2,FP16,AVX,SSE4_2", "OPENCV_IPP": "disabled"}
ONE = {"CLEARSET_WORKERS": "1"}
OTHER = NUMPY | BLAS | C_LIBRARY | OPENCV | ONE
SINGLE = {  # what light is fitted by
    "GREY)).ravel()": "GREY)).ravel().astype(np.float32)",
    "np.ones(target.size)": "np.ones(target.size, np.float32)",
    "np.eye(len(terms))": "np.eye(len(terms), dtype=np.float32)",
    "terms = _terms(grid.shape)": "terms = _terms(grid.shape).astype(np.float32)",
}
PLAIN = {"CLEARSET_WORKERS": "2"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def usual(small: Path) -> dict[str, str]:
    """The hashes of what the stages write with the code that this processor is given."""
    return stages(small, os.environ | PLAIN)


def test_other_code_and_one_process_in_place_of_two_give_the_same_bytes(
    small: Path, usual: dict[str, str]
) -> None:
    assert len(usual) > 300
    assert differing(usual, stages(small, os.environ | OTHER)) == []


@pytest.mark.skipif(not DISPATCHED, reason="NumPy has no other code for this processor")
def test_a_metric_in_single_precision_is_told(tmp_path: Path) -> None:
    folder = project(tmp_path, {"sample": SMALL["sample"]})
    light = folder / "src/clearset/numeric/light.py"
    text = light.read_text()
    for double, single in SINGLE.items():
        assert text.count(double) == 1
        text = text.replace(double, single)
    light.write_text(text)
    usual = stages(folder, os.environ | ONE, last="analyze")
    other = stages(folder, os.environ | OTHER, last="analyze")
    assert "data/analyze/sample/metrics.csv" in differing(usual, other)
