"""Make an experiment the default: its values into conf/, its results into place.

`python src/adopt.py NAME`: params.yaml and conf/ never part, and nothing runs again.
"""

import subprocess
import sys

import yaml

from clearset.errors import ClearsetError, listed
from clearset.io import adoption, params, publishing, revisions


def main(name: str) -> str:
    """Write the experiment's values into conf/, apply its results; returns the next step."""
    if dirty := publishing.git("status", "--porcelain").splitlines():
        raise ClearsetError(
            f"the working tree is not clean: {listed(line[3:] for line in dirty)}. Commit or "
            "restore these first (git restore . and dvc checkout), so that nothing of yours is lost"
        )
    wanted = yaml.safe_load(revisions.content(params.PARAMS, name))
    changed = adoption.adopt(wanted)
    kept = {path: path.read_bytes() for path in changed}
    try:
        for path in changed:  # DVC applies an experiment to a clean tree only
            publishing.git("checkout", "--", str(path))
        call("dvc", "exp", "apply", name)
    except ClearsetError:
        publishing.git("reset", "--hard", "--quiet", "HEAD")
        raise
    for path, content in kept.items():
        path.write_bytes(content)
    call("dvc", "repro", "--force", "--single-item", "config")
    files = listed(changed) if changed else "no file: conf/ says so already"
    return (
        f"adopt: {name} is the default now, its values in {files}, its results in place. Look at "
        "git diff, then commit; to go back: git restore . and dvc checkout"
    )


def call(*command: str) -> None:
    """Run a command quietly; raises `ClearsetError` with what it says."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise ClearsetError(f"{' '.join(command[:3])}: {' '.join(done.stderr.split())}")


if __name__ == "__main__":
    try:
        if len(sys.argv) != 2:
            sys.exit("usage: python src/adopt.py NAME")
        print(main(sys.argv[1]))
    except (ClearsetError, OSError) as error:
        sys.exit(f"error: {error}")
