"""What it costs to compare all images with each other, and what an index finds of a million.

`PYTHONPATH=src python benchmarks/neighbours.py [--before=COMMIT] [IMAGES]...` makes descriptors,
compares them, each set in a process of its own, and prints and writes benchmarks/neighbours.csv.
Up to 50,000 images each is compared with each, at 1,000 and 10,000 by the code of COMMIT too.
A million are compared by an index: on a sample, and on pairs planted at known similarities, what it
finds is counted. Takes half an hour, 6 GB of disk and 2 GB of memory on two cores.
"""

import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "benchmarks/neighbours.csv"
LENGTH, KIND = 897, 528  # numbers of a descriptor, and of a kind
CLUSTERS, CENTRE = 10, {LENGTH: 0.25, KIND: 0.6}  # kinds of images, and what those of one share
FALL = 0.35  # power with which a descriptor's numbers fall: a few hundred of them count
WHOLE = 2**22  # length of a descriptor
CHUNK = 10_000  # of them are made at once
PLANTED = (0.99, 0.95, 0.9, 0.8, 0.7)  # similarities of pairs
EACH = 200  # pairs of each
EXACT = 50_000  # images up to which each is compared with each
SETS = (1_000, 10_000, 50_000, 1_000_000)
BEFORE = (1_000, 10_000)  # compared by the code before, too
COLUMNS = ["images", "how", "what", "wall_s", "cpu_s", "memory_mb", "recall", "first"]
COLUMNS += [f"pairs_{similarity}" for similarity in PLANTED]


def unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return vectors of length 1."""
    return np.asarray(vectors / np.sqrt(np.square(vectors).sum(axis=1, keepdims=True)))


def pairs(images: int) -> dict[int, tuple[int, float]]:
    """Return for each image that another was made of, which one, and how similar."""
    count = min(EACH, images // 20)
    chosen = np.random.default_rng(1).permutation(images)[: 2 * count * len(PLANTED)].reshape(-1, 2)
    chosen.sort(axis=1)
    return {
        int(two): (int(one), PLANTED[number % len(PLANTED)])
        for number, (one, two) in enumerate(chosen)
    }


def made(file: Path, images: int, length: int) -> None:
    """Write descriptors: a centre of one of several kinds, and what is their own; some planted."""
    fall = (1 + np.arange(length)) ** -FALL
    share, planted = CENTRE[length], pairs(images)
    centres = unit(np.random.default_rng(0).standard_normal((CLUSTERS, length)) * fall)
    kept = np.lib.format.open_memmap(file, "w+", np.int32, (images, length))
    for start in range(0, images, CHUNK):
        rng = np.random.default_rng([2, start])
        size = min(CHUNK, images - start)
        own = unit(rng.standard_normal((size, length)) * fall)
        kinds = centres[rng.integers(0, CLUSTERS, size)]
        vectors = unit(np.sqrt(share) * kinds + np.sqrt(1 - share) * own)
        for two in range(start, start + size):
            if two in planted:
                one, similarity = planted[two]
                row = vectors[one - start] if one >= start else kept[one]
                source = unit(row[None] / 1.0)[0]
                aside = vectors[two - start] - (vectors[two - start] @ source) * source
                rest = np.sqrt(1 - similarity**2) * unit(aside[None])[0]
                vectors[two - start] = similarity * source + rest
        kept[start : start + size] = np.rint(vectors * WHOLE)
    kept.flush()


class Peak(threading.Thread):
    """The most memory that this process holds of its own: maps of files belong to the system."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.begun = self.most = own_memory()

    def run(self) -> None:
        """Look ten times a second."""
        while True:
            self.most = max(self.most, own_memory())
            time.sleep(0.1)


def own_memory() -> int:
    """Return the memory that is no map of a file, in kB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def measured(file: Path, images: int, *, index: bool) -> None:
    """Compare the descriptors of a file and print what it took, as JSON."""
    from clearset.similar import neighbours  # noqa: PLC0415

    vectors = np.load(file, mmap_mode="r")
    ids = [f"image_{number:07d}" for number in range(images)]
    options: dict[str, Any] = {"exact_images": EXACT} if index else {}
    peak, marks = Peak(), [clock()]
    peak.start()

    def watch(blocks: Iterator[Any]) -> Iterable[Any]:
        marks.append(clock())
        yield from blocks
        marks.append(clock())

    numbers: dict[str, Any] = {}
    if vectors.shape[1] == KIND:
        neighbours.kinship(vectors, **options)
    else:
        if index:
            options["watch"] = watch
        found = neighbours.compare(
            ids,
            ["train"] * images,
            vectors,
            count=10,
            graph_neighbours=2,
            bounds=[0.99, 0.98, 0.9],
            **options,
        )
        numbers = shares(found.nearest, images, ids)
        if index and found.search:
            numbers["search"] = asdict(found.search)
    marks.append(clock())
    numbers["marks"] = [(wall - marks[0][0], spent - marks[0][1]) for wall, spent in marks]
    numbers["memory_mb"] = (peak.most - peak.begun) / 1024
    numbers["threads"] = os.environ.get("OPENBLAS_NUM_THREADS", "all")
    print(json.dumps(numbers))


def clock() -> tuple[float, float]:
    """Return the time of the wall and of the processor."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), spent.ru_utime + spent.ru_stime


def shares(nearest: Any, images: int, ids: list[str]) -> dict[str, Any]:
    """Return the share of the planted pairs that are neighbours, by similarity."""
    planted = pairs(images)
    some = nearest[nearest["image_id"].isin([ids[two] for two in planted])]
    joined = set(zip(some["image_id"], some["neighbour_id"], strict=True))
    result = {}
    for similarity in PLANTED:
        of = [(ids[two], ids[one]) for two, (one, value) in planted.items() if value == similarity]
        result[f"pairs_{similarity}"] = sum(pair in joined for pair in of) / max(len(of), 1)
    return result


def alone(source: Path, file: Path, images: int, *, index: bool) -> dict[str, Any]:
    """Return what the code below `source` takes, in a process of its own."""
    command = [sys.executable, __file__, "--one", str(file), str(images), str(int(index))]
    paths = os.pathsep.join([str(source), *os.environ.get("PYTHONPATH", "").split(os.pathsep)[1:]])
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": paths}, check=True, capture_output=True, text=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def rows(folder: Path, images: int, sources: dict[str, Path]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table for so many images."""
    for length, what in ((LENGTH, "compare"), (KIND, "kinship")):
        file, index = folder / "vectors.npy", images > EXACT
        made(file, images, length)
        for how, source in sources.items():
            found = alone(source, file, images, index=index)
            search = found.pop("search", {})
            wall, cpu = found["marks"][-1]
            row = {"images": images, "how": how, "what": what, "wall_s": wall, "cpu_s": cpu}
            row |= {key: search.get(key, "") for key in ("recall", "first")} | found
            row = {key: f"{one:.3g}" if isinstance(one, float) else one for key, one in row.items()}
            print(row["images"], how, what, json.dumps(found), search, file=sys.stderr, flush=True)
            yield row
        file.unlink()


def main() -> None:
    """Measure what is asked for, print the table and write it, with what it had of other sets."""
    given = [int(one) for one in sys.argv[1:] if one.isdecimal()] or list(SETS)
    commits = [one.removeprefix("--before=") for one in sys.argv[1:] if one.startswith("--before=")]
    table = [row for row in written() if int(row["images"]) not in given]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for commit in commits:
            archive = subprocess.run(
                ["git", "archive", commit, "src"], cwd=ROOT, check=True, capture_output=True
            )
            subprocess.run(["tar", "-x"], cwd=folder, input=archive.stdout, check=True)
        for images in given:
            sources = {"by an index" if images > EXACT else "each with each": ROOT / "src"}
            if commits and images in BEFORE:
                sources["each with each, before"] = folder / "src"
            table += list(rows(folder, images, sources))
    table.sort(key=lambda row: int(row["images"]))
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    print("| " + " | ".join(COLUMNS) + " |\n|" + " --- |" * len(COLUMNS))
    for row in table:
        print("| " + " | ".join(str(row.get(column, "")) for column in COLUMNS), "|")


def written() -> list[dict[str, Any]]:
    """Return the rows of the table as it was written last."""
    if not TABLE.exists():
        return []
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [dict(row) for row in csv.DictReader(file)]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measured(Path(sys.argv[2]), int(sys.argv[3]), index=sys.argv[4] == "1")
    else:
        main()
