"""The audit: licences that ask for more, and look-ups that fail, do not pass in silence."""

from pathlib import Path

import pytest

import audit
from conftest import ROOT


@pytest.mark.parametrize(
    "expression",
    [
        "MIT",
        "MIT License",
        "Apache-2.0",
        "BSD License",
        "Apache Software License",
        "Apache-2.0 AND MIT",
        "PSF-2.0",
        "Apache-2.0 OR GPL-2.0-or-later",
        "MPL-2.0 AND (Apache-2.0 OR MIT)",
    ],
)
def test_a_licence_that_asks_for_little_is_permitted(expression: str) -> None:
    assert audit.permitted(expression)


@pytest.mark.parametrize(
    "expression", ["", "GPL-3.0-only", "AGPL-3.0", "MIT AND GPL-2.0", "MIT-evil", "Proprietary"]
)
def test_a_licence_that_asks_for_more_or_says_nothing_is_not(expression: str) -> None:
    assert not audit.permitted(expression)


def test_every_package_of_the_lock_is_permitted_or_has_a_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    assert len(audit.packages()) > 100
    assert audit.licences() == []


def test_a_look_up_that_fails_is_no_pass(tmp_path: Path) -> None:
    (line,) = audit.judged([{"name": "a", "skip_reason": "not found"}])
    assert "could be looked up: this takes PyPI itself" in line
    assert audit.judged([]) != []
    (line,) = audit.vulnerabilities(str(tmp_path / "none"))
    assert "pip-audit does not run" in line


def test_a_vulnerability_is_named_with_what_mends_it() -> None:
    vulnerable = {"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}
    sound = {"name": "b", "version": "1", "vulns": []}
    assert audit.judged([vulnerable, sound]) == ["a 1: CVE-1, mended in 2"]
    assert audit.judged([sound]) == []
