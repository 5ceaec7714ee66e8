"""The same bytes whatever code a processor is given: dispatch settings, and one process.

Here for tiles of 16 bits; that the sample's committed bytes come out under these settings too says
the run in another folder (`test_pipeline`). What no setting reaches holds by construction only (see
docs/reproducible.md).
"""

import os
from pathlib import Path

import pytest

from stages import DISPATCHED, ONE, OTHER, SMALL, differing, project, stages

SINGLE = {  # what light is fitted by
    "GREY)).ravel()": "GREY)).ravel().astype(np.float32)",
    "np.ones(target.size)": "np.ones(target.size, np.float32)",
    "np.eye(len(terms))": "np.eye(len(terms), dtype=np.float32)",
    "terms = _terms(grid.shape)": "terms = _terms(grid.shape).astype(np.float32)",
}
PLAIN = {"CLEARSET_WORKERS": "2"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tiles = {"satellite_sample": SMALL["satellite_sample"]}
    return project(tmp_path_factory.mktemp("small"), tiles)


@pytest.fixture(scope="module")
def usual(small: Path) -> dict[str, str]:
    """The hashes of what the stages write with the code that this processor is given."""
    return stages(small, os.environ | PLAIN)


def test_other_code_and_one_process_in_place_of_two_give_the_same_bytes(
    small: Path, usual: dict[str, str]
) -> None:
    assert len(usual) > 150
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
