"""Which code this is: a digest of what decides a number, by which results of another are told."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path

LIBRARY = Path(__file__).parents[1]
# Those that files are decoded, and their pixels measured, by.
PACKAGES = (
    *("imagecodecs", "numpy", "opencv-python-headless", "pillow", "scikit-image", "scipy"),
    *("simplejpeg", "tifffile"),
)


@lru_cache
def digest(places: Sequence[str] = ("",)) -> str:
    """Return the sha256 of the library's files at `places`, and of the versions of its packages.

    A place is a room or a file of the library; by default all of it. The same on any machine.
    """
    content = hashlib.sha256()
    for place in places:
        path = LIBRARY / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            content.update(f"{file.relative_to(LIBRARY).as_posix()}\0".encode())
            content.update(file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    for name in PACKAGES:
        content.update(f"{name} {_version(name)}\0".encode())
    return content.hexdigest()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # such as OpenCV with its windows
        return "another"
