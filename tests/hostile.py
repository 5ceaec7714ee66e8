"""Hostile names, archives, tables, releases and links: each is used, or refused in a sentence."""

import csv
import io
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from clearset import load_release
from clearset.config import params
from clearset.config.schema_fetch import Fetch, Links
from clearset.engines import analysis
from clearset.share import delivery, manifest, releases
from clearset.sources import archives, intake, work_folder
from clearset.sources.entries import entries
from clearset.stages import fetch
from clearset.store.errors import ClearsetError
from conftest import ROOT, tables_of
from kills import Count
from mutants import MUTATIONS
from test_whole import FILES

Random = np.random.Generator
Attempt = Callable[[Path, int, int], Count]
PNG = FILES["png"]
NAMES = [
    "a",
    "A",
    "=1+1",
    "-x",
    "@sum",
    "+1",
    "\tx",
    "a\nb",
    "a\x1b[31m",
    "a\u202eb",
    "é",
    "e\u0301",
]
NAMES += [" ", ".a", "..a", "a.", "CON", "nul.png", "a|b", "`b`", "<script>alert(1)</script>"]
NAMES += ["~x", "%s%n", "$(id)", "a;b", 'a"b', "a'b", "a,b", "x" * 120, "é" * 100, "\udcff\udc80"]
NAMES += ["\U0001f642", "a\\b"]
PLACES = ["../out", "/etc/passwd", "C:/x", "C:\\x", "a/../../b", "", ".", "..", "a//b", "\0x"]
PLACES += ["a\0b", "x" * 300, "a/" * 600 + "b", "A", "a", "a/b", "\u202eb", "e\u0301", "é", " "]
PLACES += ["nul", "a:b"]
CELLS = ["=cmd|'/c calc'!A0", "-1", "1e300", "nan", "inf", "-inf", "1e400", str(10**40), "", "\0"]
CELLS += ["\r", "x" * 5000, "0x10", "../../x", "/etc/passwd", '"', "a\nb", "True", "2", "0"]
CELLS += ["<img src=x onerror=alert(1)>"]
GOALS = ["/etc/passwd", "..", ".", "nowhere", "good.png", "/dev/zero"]  # of links


def everything(folder: Path) -> Iterator[Count]:
    """Yield what became of each kind of attempt."""
    yield named(folder / "names", 30)
    yield packed(folder / "archives", 300)
    yield tabled(folder / "tables", 200)
    yield released(folder / "releases", 200)


def tried(count: Count, attempt: Callable[[], Any], what: str) -> None:
    """Count one attempt: it does, is refused in a sentence, or shows a traceback."""
    count.tried += 1
    try:
        attempt()
    except ClearsetError as error:
        count.refused += 1
        if not str(error).strip() or any(ord(c) < 32 and c != "\n" for c in str(error)):
            count.wrong.append(f"{what}: the reason can not be printed: {error!a}")
    except Exception as error:
        count.tracebacks += 1
        count.wrong.append(f"{what}: {type(error).__name__}: {error!a}")
    else:
        count.used += 1


def named(folder: Path, number: int, seed: int = 0) -> Count:
    """Fetch trees of hostile names and links; every file has a row, none leads out."""
    count, random = Count("trees of hostile names and links"), np.random.default_rng(seed)
    for attempt in range(number):
        source, target = folder / f"{attempt}/S", folder / f"{attempt}/T"
        _tree(random, source)
        expected = {intake.written(str(entry.place)) for entry in entries(source, Links.inside)}

        def attempt_fetch(source: Path = source, target: Path = target) -> None:
            target.mkdir()
            catalogue, _ = fetch.of_files(source, target, Fetch(links=Links.inside))
            rows = set(catalogue.files["file"])
            count.lost.extend(sorted(expected - rows))  # noqa: B023 - called at once
            count.wrong.extend(p for p in map(str, target.rglob("*")) if Path(p).is_symlink())

        tried(count, attempt_fetch, f"tree {attempt}")
    return count


def _tree(random: Random, source: Path) -> None:
    source.mkdir(parents=True)
    (source / "good.png").write_bytes(PNG)
    for place in random.choice(len(NAMES), 8, replace=False):
        name = NAMES[int(place)]
        try:
            if random.random() < 0.3:
                (source / name).mkdir()
                (source / name / f"{name}.png").write_bytes(PNG)
            elif random.random() < 0.3:
                goal = str(
                    random.choice(["/etc/passwd", "..", ".", "nowhere", "good.png", "/dev/zero"])
                )
                (source / f"{name}.png").symlink_to(goal)
            else:
                (source / f"{name}.png").write_bytes(PNG)
        except OSError:
            continue  # this system does not hold such a name
    os.mkfifo(source / "pipe.png")


def packed(folder: Path, number: int, seed: int = 0) -> Count:
    """Unpack hostile and damaged archives: whole and inside, or not at all."""
    count, random = Count("hostile archives"), np.random.default_rng(seed)
    folder.mkdir(parents=True)
    for attempt in range(number):
        kind = str(random.choice(["zip", "tar", "tar.gz"]))
        archive, target = folder / f"{attempt}.{kind}", folder / f"in/{attempt}"
        content = _archive(random, kind)
        if random.random() < 0.5:
            content = MUTATIONS[int(random.integers(len(MUTATIONS)))](random, content)
        archive.write_bytes(content)
        before = set(folder.parent.iterdir())
        tried(count, lambda a=archive, t=target: archives.unpack(a, t), archive.name)  # type: ignore[misc]
        outside = [p for p in target.rglob("*") if not p.resolve().is_relative_to(target.resolve())]
        count.wrong += [f"{archive.name}: {place} lies outside" for place in outside]
        count.wrong += [f"{archive.name}: {p}" for p in set(folder.parent.iterdir()) - before]
        count.lost += [str(place) for place in folder.glob("in/.*.incomplete")]
    return count


def _archive(random: Random, kind: str) -> bytes:
    """Return an archive of a few good members and, mostly, a hostile one."""
    names = ["one.png", "two/three.png"]
    names += [str(random.choice(PLACES))] if random.random() < 0.7 else []
    stream = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as zipped:
            for name in names:
                member = zipfile.ZipInfo(name or "x")
                member.filename = name
                if random.random() < 0.2:
                    member.external_attr = 0o120777 << 16
                zipped.writestr(member, PNG)
        return stream.getvalue()
    with tarfile.open(fileobj=stream, mode="w:gz" if kind == "tar.gz" else "w") as tarred:
        for name in names:
            own = tarfile.TarInfo(name)
            own.size, own.linkname = len(PNG), "/etc/passwd"
            types = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
            own.type = types[int(random.integers(4))] if random.random() < 0.2 else tarfile.REGTYPE
            tarred.addfile(own, io.BytesIO(PNG))
    return stream.getvalue()


def _rows(text: str, random: Random) -> str:
    """Return a table with a few hostile cells in it, and now and then a row too short."""
    rows = list(csv.reader(io.StringIO(text)))
    for _ in range(int(random.integers(1, 4))):
        row = rows[int(random.integers(0, len(rows)))]
        if row:
            row[int(random.integers(0, len(row)))] = str(random.choice(CELLS))
    if random.random() < 0.2:
        rows[-1] = rows[-1][:1]
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()


WORK = {
    "atrain_features.dat.csv": "index,filename\n0,/x/a.png\n1,/x/b.png\n2,/x/c.png\n",
    "atrain_stats.csv": "index,img_w,img_h,unique,blur,mean,min,max,stdv,file_size,contrast\n"
    + "".join(f"{n},64,64,200,{n}50.5,{n}1.5,0,255,30.5,1000,1\n" for n in range(3)),
    "similarity.csv": "from,to,distance\n0,1,0.95\n1,0,0.95\n2,1,0.4\n",
    "outliers.csv": "outlier,nearest,distance\n2,1,0.4\n",
    "connected_components.csv": "__id,component_id,sum,count\n0,0,1,2\n1,0,1,2\n2,1,0,1\n",
}


def tabled(folder: Path, number: int, seed: int = 0) -> Count:
    """Read fastdup work folders with hostile cells."""
    count, random = Count("hostile work folders"), np.random.default_rng(seed)
    os.chdir(ROOT)
    settings = params.load("sample").analyze
    for attempt in range(number):
        place = folder / str(attempt)
        place.mkdir(parents=True)
        for name, text in WORK.items():
            (place / name).write_text(_rows(text, random), encoding="utf-8", errors="replace")
        if random.random() < 0.2:
            (place / "similarity.csv").write_bytes(random.bytes(300))

        def read(place: Path = place) -> None:
            analysis.of_work_folder(work_folder.read(place), settings)

        tried(count, read, f"work folder {attempt}")
    return count


def released(folder: Path, number: int, seed: int = 0) -> Count:
    """Load releases whose tables and files were tampered with."""
    count, random = Count("releases tampered with"), np.random.default_rng(seed)
    good = _release(folder)
    for attempt in range(number):
        place = folder / str(attempt)
        shutil.copytree(good, place)
        file = place / str(random.choice(["manifest.csv", "params.yaml", "0.png"]))
        if file.suffix == ".csv" and random.random() < 0.7:
            file.write_text(_rows(file.read_text(), random), encoding="utf-8", errors="replace")
        elif random.random() < 0.3:
            file.unlink()
            file.symlink_to("/etc/passwd")
        else:
            mutation = MUTATIONS[int(random.integers(len(MUTATIONS)))]
            file.write_bytes(mutation(random, file.read_bytes()))
        tried(count, lambda p=place: [one["image"].sum() for one in load_release(p)], str(attempt))  # type: ignore[misc]
    return count


def _release(folder: Path) -> Path:
    """Return a small released folder."""
    source, work, target = folder / "source", folder / "work", folder / "good"
    source.mkdir(parents=True)
    for number in range(3):
        (source / f"{number}.png").write_bytes(FILES["png"])
    catalogue, _ = fetch.of_files(source, work, Fetch())
    images = catalogue.images
    decisions = images[["image_id", "split"]].assign(decision="keep", rules="")
    grounds = tables_of(manifest.Grounds, images=images, files=catalogue.files, decisions=decisions)
    os.chdir(ROOT)
    section = params.load("sample")
    plan = manifest.manifest(grounds, {}, section.release.update, [])
    table = delivery.deliver(plan, images, {"fetch": work}, target)
    inventory = delivery.carry(grounds.files, table, work / "carried", target)
    record = releases.Record("sample", section, table, inventory)
    releases.write(record, target, folder / "recipe")
    assert len(load_release(target)) == 3
    return target
