"""What an image is: its pixels with what its file declares of them, not its compressed bytes.

The bytes of a PNG hang on the build of zlib that wrote it; its pixels do not. So a file that is
written anew with another compression, in other strips or tiles, by another filter or in another
byte order is the same image; one with a single other pixel or another declaration is not.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from clearset.images import codec
from clearset.store import checksums, layout
from clearset.store.errors import UnreadableImage, listed
from clearset.store.parallel import mapped

SCHEME = "image 1"  # what an identity is taken of: a change of that is another number


@dataclass(frozen=True)
class Differences:
    """Files that are not what their lists say, and those that are so in all but their bytes."""

    wrong: list[checksums.Difference]
    same: list[str]  # paths below the folder: the same image in other bytes


def identity(path: Path) -> str:
    """Return the sha256 of an image's pixels as stored with what its file declares of them.

    Raises `UnreadableImage` for what has no identity but its bytes: no image that `images.decode`
    reads, or a lossy one, whose pixels hang on the decoder.
    """
    pixels = codec.decode(path, raw=True)
    try:
        declarations = codec.declarations(path)
        facts = {"scheme": SCHEME, "shape": pixels.shape, "type": pixels.dtype.name} | declarations
        text = json.dumps(_plain(facts), sort_keys=True, separators=(",", ":"))
    except UnreadableImage:
        raise
    except Exception as error:  # readers raise whatever a hostile file leads them to
        raise UnreadableImage(f"broken or unknown file: {type(error).__name__}") from None
    whole = hashlib.sha256(f"{text}\n".encode())
    whole.update(np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).data)
    return whole.hexdigest()


def identities(folder: Path, places: Sequence[str]) -> list[str]:
    """Return the identity of each place below a folder; empty where it has none but its bytes."""
    unique = sorted({place for place in places if place})
    values = mapped(_or_nothing, [folder / place for place in unique], "identity")
    by_place = dict(zip(unique, values, strict=True))
    return [by_place.get(place, "") for place in places]


def _or_nothing(path: Path) -> str:
    try:
        return identity(path)
    except UnreadableImage:
        return ""


def verify(folder: Path) -> Differences:
    """Return how a folder differs from its own lists; raises `ClearsetError` as `checksums.read`.

    A list of identities counts only if it is itself as the checksums say.
    """
    differences = checksums.verify(folder)
    path = layout.own(folder, checksums.IDENTITIES)
    untouched = path.is_file() and path.name not in {one.path for one in differences}
    return judged(folder, differences, checksums.read(path) if untouched else {})


def judged(
    folder: Path, differences: Sequence[checksums.Difference], expected: Mapping[str, str]
) -> Differences:
    """Return differences of bytes parted by whether they are differences of images, too."""
    changed = [d.path for d in differences if d.what == checksums.CHANGED and d.path in expected]
    current = dict(zip(changed, identities(folder, changed), strict=True))
    same = {path for path in changed if current[path] and current[path] == expected[path]}
    return Differences([d for d in differences if d.path not in same], sorted(same))


def remark(same: Sequence[str]) -> str:
    """Return a line on files that are the same image in other bytes; empty where there are none."""
    if not same:
        return ""
    files = f"{len(same)} file{'s' * (len(same) > 1)}"
    return f"  same pixels, other bytes: {files}, compressed anew ({listed(map(ascii, same))})\n"


def _plain(value: Any) -> Any:
    """Return a declared value as JSON has it: bytes in hex, real numbers to six digits."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(inner) for inner in value]
    if isinstance(value, Enum | np.generic):
        return _plain(value.value if isinstance(value, Enum) else value.item())
    if isinstance(value, bytes):
        return value.hex()
    return f"{value:.6g}" if isinstance(value, float) else value
