"""Hash a released folder again: `python src/verify.py FOLDER` names every file that differs."""

from pathlib import Path

from clearset.errors import ClearsetError, listed
from clearset.io import archives, checksums, tool


def main(folder: str) -> str:
    """Return that every file is as released; raises `ClearsetError` naming those that are not."""
    found = checksums.verify(Path(folder))
    if found:
        told = "".join(f"\n  {one.what}: {one.path!a}" for one in found)
        kinds = listed(sorted({one.what for one in found}))
        raise ClearsetError(
            f"{folder}: {len(found)} files are not as released ({kinds}):{told}\n"
            "Get these again from where the release came from"
        )
    path = Path(folder) / checksums.CHECKSUMS
    return (
        f"verify: each of {len(checksums.read(path))} files in {folder} is as released\n"
        f"  content {archives.sha256(path)}: the same as CHANGELOG.md names for its tag?"
    )


if __name__ == "__main__":
    tool.run(main, "FOLDER")
