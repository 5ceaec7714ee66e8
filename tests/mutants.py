"""Good image files damaged in many ways, and what a run makes of each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from test_whole import FILES

Random = np.random.Generator
Mutation = Callable[[Random, bytes], bytes]
PROVEN = ("png", "tif adobe_deflate")  # formats whose pixels have a checksum
FITTING = ("jpeg", "tif jpeg", "tif shared")  # whose values may fit together again by chance
CHANCE = 0.03  # of them at most, of those with bytes missing
MISSING = ("cut", "hole", "ended")  # mutations that take bytes away
END = {"jpeg": b"\xff\xd9", "png": b"\0\0\0\0IEND\xaeB`\x82", "gif": b"\0;"}


def cut(random: Random, content: bytes) -> bytes:
    """Return a file as an interrupted download leaves it."""
    return content[: int(random.integers(0, len(content)))]


def hole(random: Random, content: bytes) -> bytes:
    """Return a file out of whose midst bytes are gone."""
    start = int(random.integers(len(content) // 10, len(content)))
    return content[:start] + content[start + int(random.integers(16, len(content) // 2)) :]


def ended(random: Random, content: bytes) -> bytes:
    """Return a file cut short and given its format's own end."""
    kind = next((name for name in END if content[:4] in HEADS[name]), "")
    return cut(random, content) + END.get(kind, b"")


def zeroed(random: Random, content: bytes) -> bytes:
    """Return a file with a part never written."""
    start = int(random.integers(0, len(content)))
    stop = min(start + int(random.integers(16, 4096)), len(content))
    return content[:start] + bytes(stop - start) + content[stop:]


def flipped(random: Random, content: bytes) -> bytes:
    """Return a file with some bytes changed anywhere."""
    changed = bytearray(content)
    for place in random.integers(0, len(content), int(random.integers(1, 20))):
        changed[place] = int(random.integers(0, 256))
    return bytes(changed)


def header(random: Random, content: bytes) -> bytes:
    """Return a file whose first bytes say something else."""
    changed = bytearray(content)
    for place in random.integers(0, min(64, len(content)), int(random.integers(1, 6))):
        changed[place] = int(random.choice([0, 1, 127, 255, int(random.integers(0, 256))]))
    return bytes(changed)


def repeated(random: Random, content: bytes) -> bytes:
    """Return a file with a part of it twice."""
    start, stop = sorted(int(place) for place in random.integers(0, len(content), 2))
    return content[:stop] + content[start:]


MUTATIONS: tuple[Mutation, ...] = (cut, hole, ended, zeroed, flipped, header, repeated)
HEADS = {"jpeg": {b"\xff\xd8\xff\xe0"}, "png": {b"\x89PNG"}, "gif": {b"GIF8"}}


@dataclass(frozen=True)
class Outcome:
    """What became of damaged files: how many, and how many were read, refused, read wrongly, lost.

    `unseen` are read with other pixels, where the file has all its bytes and its format no
    checksum: nobody can tell.
    """

    tried: int
    used: int
    refused: int
    unseen: int
    wrong: list[str]
    lost: list[str]


def suffix(name: str) -> str:
    return "." + {"jpeg": "jpg"}.get(name.split(maxsplit=1)[0], name.split(maxsplit=1)[0])


def write_good(folder: Path) -> Path:
    """Write a good file of every format."""
    folder.mkdir(parents=True)
    for name, content in FILES.items():
        (folder / f"{name.replace(' ', '_')}{suffix(name)}").write_bytes(content)
    return folder


def write(folder: Path, count: int, seed: int) -> Path:
    """Write good files of every format, and `count` damaged ones beside them."""
    write_good(folder / "good")
    random = np.random.default_rng(seed)
    (folder / "bad").mkdir()
    for number, (name, mutation) in zip(range(count), endless(), strict=False):
        place = f"{number:04d}_{mutation.__name__}_{name.replace(' ', '_')}{suffix(name)}"
        (folder / "bad" / place).write_bytes(mutation(random, FILES[name]))
    return folder


def endless() -> Iterator[tuple[str, Mutation]]:
    """Yield every format with every mutation, again and again."""
    while True:
        for mutation in MUTATIONS:
            for name in FILES:
                yield name, mutation


def outcome(source: Path, images: pd.DataFrame, files: pd.DataFrame) -> Outcome:
    """Return what became of the damaged files that `write` wrote, by the tables of fetch."""
    present = set(files["file"])
    bad = sorted((source / "bad").iterdir())
    own = images[images["source"].str.startswith("bad/")].set_index("source")
    good = images[images["source"].str.startswith("good/")].set_index("source")["pixels_sha256"]
    true = {Path(place).stem: pixels for place, pixels in good.items()}
    other = [row for row in own.itertuples() if not row.error and differs(row, true)]
    wrong = [row.Index for row in other if certain(Path(row.Index).stem)]
    fitting = [row.Index for row in other if fits_together(Path(row.Index).stem)]
    cut_jpegs = sum(fits_together(file.stem) for file in bad)
    wrong += fitting if len(fitting) > max(CHANCE * cut_jpegs, 1) else []
    return Outcome(
        tried=len(bad),
        used=int((own["error"] == "").sum()),
        refused=int((own["error"] != "").sum()),
        unseen=len(other) - len(wrong),
        wrong=wrong,
        lost=[file.name for file in bad if f"bad/{file.name}" not in present],
    )


def differs(row: object, true: dict[str, str]) -> bool:
    """Return whether a file that was read has other pixels than the good one it is made of."""
    name = Path(str(row.Index)).stem.split("_", 2)[2]  # type: ignore[attr-defined]
    return bool(row.pixels_sha256 != true[name])  # type: ignore[attr-defined]


def certain(stem: str) -> bool:
    """Return whether it can be known that a damaged file's pixels are not all there."""
    _, kind, name = stem.split("_", 2)
    proven = name.replace("_", " ").startswith(PROVEN)
    return proven or (kind in MISSING and not fits_together(stem))


def fits_together(stem: str) -> bool:
    """Return whether bytes are missing of a kind of file whose rest may make sense by chance."""
    _, kind, name = stem.split("_", 2)
    return kind in MISSING and name.replace("_", " ").startswith(FITTING)


def alike(fetched: pd.DataFrame, alone: pd.DataFrame) -> bool:
    """Return whether good images are measured among bad ones as when they are alone."""
    among = fetched[fetched["image_id"].isin(alone["image_id"])].reset_index(drop=True)
    return bool(among.equals(alone[among.columns]))
