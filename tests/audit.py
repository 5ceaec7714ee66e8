"""`make audit`: known vulnerabilities and licences of every package of requirements.lock.

pip-audit runs in an environment of its own, whose program is the one argument. What can not be
looked up is no pass: without an index that tells of vulnerabilities, the audit fails.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

LOCK = Path("requirements.lock")
LONGEST = 600  # seconds for all look-ups
PERMITTED = re.compile(  # each asks for no more than its text and its authors' names
    r"(Apache[- ]2\.0|Apache( Software)? License( 2\.0)?|0?BSD(-[23]-Clause| License)?"
    r"|3-Clause BSD License"
    r"|MIT(-0|-CMU| License)?"
    r"|(PSF|Python Software Foundation)(-2\.0| License)|ISC( License.*)?|Zlib|CC0-1\.0|HPND"
    r"|Zope Public License|MPL-2\.0|Mozilla Public License 2\.0 \(MPL 2\.0\)|The Unlicense.*)"
)
REASONS = {  # packages whose licence asks for more, or is not said, and why they are here
    "axe-playwright-python": "MIT by its repository, axe-core in it MPL 2.0; for tests alone",
    "asyncssh": "EPL 2.0 at choice, used as it is: DVC reaches remotes over ssh with it",
    "grandalf": "GPLv2 or EPL 1.0 at choice: DVC draws graphs with it, and it is not passed on",
    "mlcroissant": "Apache-2.0 by its repository; its wheel does not say so",
    "pebble": "LGPL, used as it is: processes that can end without taking others with them",
    "pygit2": "GPLv2 with an exception for whatever links it: DVC reads git with it",
}


def packages() -> dict[str, str]:
    """Return the version of each package of the lock, by name."""
    pins = re.findall(r"^([a-z0-9][^=\s\[]*)(?:\[.*\])?==([^\s;\\]+)", LOCK.read_text(), re.M)
    return dict(pins)


def licence(name: str) -> str:
    """Return what an installed package says of its licence; nothing if it says nothing."""
    own: Any = metadata.metadata(name)
    classes = [c for c in own.get_all("Classifier") or [] if c.startswith("License ::")]
    named = [c.rpartition(" :: ")[2] for c in classes if not c.endswith("OSI Approved")]
    texts = own.get("License-Expression"), " OR ".join(named), own.get("License")
    return next((text.splitlines()[0] for text in texts if text), "")


def permitted(expression: str) -> bool:
    """Whether what an expression asks for is permitted: all that AND joins, one that OR does."""
    parts = [part.strip() for part in expression.split(" AND ")]
    choices = [part[1:-1] if part.startswith("(") else part for part in parts]
    return all(any(map(PERMITTED.fullmatch, many.split(" OR "))) for many in choices)


def licences() -> list[str]:
    """Return a line for each package whose licence is not permitted and has no reason."""
    lines = []
    for name in packages():
        try:
            said = licence(name)
        except metadata.PackageNotFoundError:
            continue  # of another system
        if not permitted(said) and name not in REASONS:
            lines.append(f"{name}: licence {said[:80]!a} is neither permitted nor has a reason")
    return lines


def vulnerabilities(program: str) -> list[str]:
    """Return a line for each known vulnerability, or for why none could be looked up."""
    options = ["--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off"]
    command = [program, *options, "--requirement", str(LOCK)]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=LONGEST, text=True)
        answers = json.loads(done.stdout)["dependencies"]
    except (OSError, subprocess.SubprocessError, ValueError, LookupError) as error:
        return [f"no vulnerability could be looked up: pip-audit does not run ({error!s:.200})"]
    return judged(answers)


def judged(answers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what pip-audit's answers amount to."""
    unknown = [answer["name"] for answer in answers if "skip_reason" in answer]
    if unknown or not answers:
        return [
            f"no vulnerability of {len(unknown)} packages could be looked up: this takes PyPI "
            "itself (its JSON), which this network or mirror does not reach. Run it where it does"
        ]
    lines = []
    for answer in answers:
        for one in answer["vulns"]:
            mended = ", ".join(one["fix_versions"]) or "no version yet"
            lines.append(f"{answer['name']} {answer['version']}: {one['id']}, mended in {mended}")
    return lines


def main() -> None:
    """Print what is wrong, and end with 1 if anything is."""
    lines = [*licences(), *vulnerabilities(sys.argv[1])]
    if lines:
        sys.exit("\n".join(f"error: {line}" for line in lines))
    print(f"audit: {len(packages())} packages, no known vulnerability, no licence in the way")


if __name__ == "__main__":
    main()
