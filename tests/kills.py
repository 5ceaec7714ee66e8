"""Runs that are killed, raced for, or given too small a disk: what they leave, and what comes next.

Each row of `make torture` that comes from here asks the same: after whatever happened, is every
result whole and of the params that are recorded with it, and does the next run give the bytes of
one that nobody disturbed?
"""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml

from clearset.generate.retina.synthesis import sample
from clearset.versions.pipeline import plain
from conftest import MINIATURE, clone, write_image

NAME = "kk"
BOUND = f"{NAME}.filter.dark.min"
BEGUN = 1.5  # seconds after which a process has an image
EACH = 3  # processes that are killed in a run: where none lives long enough, none can work
OTHER = 90  # a bound by which others are flagged
STAGES = ("fetch", "analyze", "filter", "enhance", "compare", "report", "release", "recipe")
MADE = ("fetch", "analyze", "filter", "enhance", "compare")  # that say what they were made under
Hashes = dict[str, str]


@dataclass
class Count:
    """How many attempts there were, how many went on, were refused, gave what is wrong or lost."""

    what: str
    tried: int = 0
    used: int = 0
    refused: int = 0
    unseen: int = 0
    wrong: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    tracebacks: int = 0


@dataclass(frozen=True)
class Project:
    """A clone with a source of its own, and what runs of it give when nobody disturbs them."""

    folder: Path
    source: Path
    usual: Hashes
    other: Hashes
    seconds: float

    def command(self, bound: float | None = None) -> list[str]:
        setting = [] if bound is None else ["--set", f"{BOUND}={bound}"]
        return [sys.executable, "-m", "clearset", "folder", str(self.source), NAME, *setting]


def environment(folder: Path) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PYTHONPATH": str(folder / "src"), "PATH": path}


def run(folder: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, check=False, capture_output=True, text=True, env=environment(folder)
    )


def reap() -> None:
    """Let processes end whose own parent was killed: until then DVC takes them for alive."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def start(folder: Path, command: list[str], log: Path) -> subprocess.Popen[bytes]:
    """Start a command as the leader of a group of its own, so that all of it can be killed."""
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(folder),
            start_new_session=True,
        )


def hashes(folder: Path, stage: str) -> Hashes:
    """Return the sha256 of every file that a stage made, by its path."""
    root = folder / "data" / stage / NAME
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def every(folder: Path) -> Hashes:
    return {place: digest for stage in STAGES for place, digest in hashes(folder, stage).items()}


def forgotten(folder: Path) -> None:
    """Remove every result, and DVC's memory of them."""
    for place in ("data", f"reports/{NAME}", f"folders/{NAME}", ".dvc/cache", ".dvc/tmp"):
        shutil.rmtree(folder / place, ignore_errors=True)


def uncached(folder: Path) -> None:
    """Remove DVC's memory of what was run before, so that a run runs again."""
    shutil.rmtree(folder / ".dvc/cache/runs", ignore_errors=True)
    (folder / f"folders/{NAME}/dvc.lock").unlink(missing_ok=True)


def project(folder: Path, images: int = 10) -> Project:
    """Make a clone and a source, and run it under two bounds."""
    source = folder / "S"
    for number in range(images):
        made = sample(number, count=images, size=96, seed=3)
        write_image(source / f"{number}.png", (made.pixels * (0.3 + 0.07 * number)).astype("uint8"))
    own = clone(folder / "clearset", edits=MINIATURE)
    results: list[Hashes] = []
    begin = time.monotonic()
    plain = Project(own, source, {}, {}, 0)
    for bound in (OTHER, None):
        forgotten(own)
        begin = time.monotonic()
        done = run(own, plain.command(bound))
        assert done.returncode == 0, done.stdout + done.stderr
        results.append(every(own))
    assert results[0] != results[1]
    return Project(own, source, results[1], results[0], time.monotonic() - begin)


def faults(one: Project) -> Iterator[str]:
    """Yield each folder of a stage that is there and is not whole, as neither bound gives it."""
    for stage in STAGES:
        now = hashes(one.folder, stage)
        places = [place for place in one.usual if place.startswith(f"data/{stage}/")]
        whole = [
            {p: of[p] for p in of if p.startswith(f"data/{stage}/")}
            for of in (one.usual, one.other)
        ]
        if now and places and now not in whole:
            yield f"data/{stage} is not whole"


def certified_wrongly(folder: Path) -> Iterator[str]:
    """Yield each stage that dvc.lock has under other params than its folder says."""
    lock = folder / f"folders/{NAME}/dvc.lock"
    try:
        content = yaml.safe_load(lock.read_text()) if lock.is_file() else None
    except yaml.YAMLError:
        content = None  # cut short by a kill: it certifies nothing
    stages = content["stages"] if isinstance(content, dict) else {}
    for stage in MADE:
        record = folder / "data" / stage / NAME / "params.yaml"
        entry = stages.get(f"{stage}@{NAME}")
        if entry is None or not record.is_file() or not current(folder, stage, entry):
            continue
        made = yaml.safe_load(record.read_text())[NAME]
        (told,) = entry["params"].values()
        for name, section in made.items():
            other = told[f"{NAME}.{name}"]
            if name == "fetch":
                other = {key: value for key, value in other.items() if key != "path"}
            if plain(other) != plain(section):
                yield f"{stage} is certified under other {name}"


def current(folder: Path, stage: str, entry: Any) -> bool:
    """Return whether a folder is the very one that dvc.lock has, by its size and files."""
    (out,) = [out for out in entry["outs"] if out["path"] == f"data/{stage}/{NAME}"]
    files = [path for path in (folder / out["path"]).rglob("*") if path.is_file()]
    return len(files) == out["nfiles"] and sum(f.stat().st_size for f in files) == out["size"]


def killed(one: Project, number: int, seed: int = 0) -> Count:
    """Kill runs at random moments, all of their processes at once."""
    count, moments = Count("runs killed whole"), random.Random(seed)  # noqa: S311 - no secret
    kept = one.folder / f"folders/{NAME}/params.yaml"
    log = one.folder.parent / "killed.log"
    for attempt in range(number):
        forgotten(one.folder) if attempt % 10 == 0 else uncached(one.folder)
        before = kept.read_bytes() if kept.is_file() else None
        process = start(one.folder, one.command(OTHER if attempt % 2 else None), log)
        time.sleep(moments.uniform(0.2, 0.8 * one.seconds))
        ended = process.poll() is not None
        if not ended:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0.2)
        reap()
        count.tried += 1
        count.used += ended
        count.refused += not ended
        count.tracebacks += b"Traceback" in log.read_bytes()
        if not ended and before != (kept.read_bytes() if kept.is_file() else None):
            count.wrong.append(f"kill {attempt}: params are not as before")
        count.wrong += [f"kill {attempt}: {fault}" for fault in faults(one)]
        count.wrong += [f"kill {attempt}: {fault}" for fault in certified_wrongly(one.folder)]
    kept.unlink(missing_ok=True)
    count.lost += after(one)
    return count


def after(one: Project) -> list[str]:
    """Return what the next run does not give as a run that nobody disturbed does."""
    done = run(one.folder, one.command())
    if done.returncode != 0:
        return [f"the next run fails: {(done.stdout + done.stderr)[-300:]}"]
    now = every(one.folder)
    return sorted(place for place in one.usual if now.get(place) != one.usual[place])


def workers_killed(one: Project, number: int, seed: int = 0) -> Count:
    """Kill single processes that read or measure images: the run goes on, to the same bytes."""
    count, moments = Count("processes killed in a run"), random.Random(seed)  # noqa: S311
    log = one.folder.parent / "workers.log"
    while count.tried < number:
        forgotten(one.folder)
        process = start(one.folder, one.command(), log)
        last = min(count.tried + EACH, number)
        while process.poll() is None and count.tried < last:
            time.sleep(moments.uniform(0.3, 2))
            count.tried += _one_killed(process.pid, moments)
        process.wait()
        output = log.read_bytes()
        count.tracebacks += b"Traceback" in output
        if process.returncode != 0:
            count.lost.append(output.decode(errors="replace")[-300:])
        now = every(one.folder)
        count.lost += [place for place in one.usual if now.get(place) != one.usual[place]]
    count.used = count.tried
    return count


def _one_killed(pid: int, moments: random.Random) -> bool:
    """Kill one of the processes that a stage has given images to; return whether there was one."""
    try:
        below = psutil.Process(pid).children(recursive=True)
        workers = [p for p in below if "forkserver" in " ".join(p.cmdline())]
        workers = [p for p in workers if "forkserver" in " ".join(p.parent().cmdline())]
        workers = [p for p in workers if time.time() - p.create_time() > BEGUN]
        if workers:
            moments.choice(workers).kill()
        return bool(workers)
    except psutil.Error:
        return False


def raced(one: Project, number: int, seed: int = 0) -> Count:
    """Start others at different moments of a run, under another bound: each is told no."""
    count = Count("runs beside a run"), random.Random(seed)  # noqa: S311
    result, moments = count
    log = one.folder.parent / "raced.log"
    for attempt in range(number):
        forgotten(one.folder)
        process = start(one.folder, one.command(), log)
        time.sleep((attempt + moments.random()) / number * one.seconds * 0.85)
        while process.poll() is None:
            other = run(one.folder, one.command(OTHER))
            if process.poll() is not None:  # it began when the first had ended, and ran
                forgotten(one.folder)
                break
            result.tried += 1
            busy = other.returncode == 1 and "busy: clearset folder" in other.stderr
            result.refused += busy
            result.wrong += [] if busy else [f"{attempt}: {other.stdout[-200:]}{other.stderr}"]
            result.tracebacks += "Traceback" in other.stderr
            if attempt % 2:
                break  # another one alone; else one after another as long as it runs
        process.wait()
        result.tracebacks += b"Traceback" in log.read_bytes()
        result.wrong += [f"{attempt}: {fault}" for fault in certified_wrongly(one.folder)]
        if process.returncode != 0:
            result.lost.append(log.read_text()[-300:])
        result.lost += after(one) if attempt % 5 == 4 else []
    return result


def edited(one: Project, number: int, seed: int = 0) -> Count:
    """Write the params that a run reads, at different moments: never certified as another's."""
    result, moments = Count("params edited in a run"), random.Random(seed)  # noqa: S311
    log, copy = one.folder.parent / "edited.log", one.folder / f"folders/{NAME}/run.yaml"
    for attempt in range(number):
        forgotten(one.folder)
        process = start(one.folder, one.command(), log)
        time.sleep((attempt + moments.random()) / number * one.seconds)
        _write_and_back(copy, moments.uniform(0.05, 3) if attempt % 2 else None)
        process.wait()
        output = log.read_text()
        result.tried += 1
        result.used += process.returncode == 0
        result.refused += process.returncode != 0
        result.tracebacks += "Traceback" in output
        if process.returncode != 0 and "other params" not in output and "changed" not in output:
            result.wrong.append(f"{attempt}: {output[-300:]}")
        result.wrong += [f"{attempt}: {fault}" for fault in certified_wrongly(one.folder)]
        result.lost += after(one) if attempt % 5 == 4 else []
    return result


def _write_and_back(path: Path, seconds: float | None) -> None:
    """Write another bound into params, as an editor does; after so many seconds the first one."""
    if not path.is_file():
        return
    before = path.read_text()
    content = yaml.safe_load(before)
    content[NAME]["filter"]["dark"]["min"] = OTHER
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    if seconds is not None:
        time.sleep(seconds)
        path.write_text(before)


@contextmanager
def small_disk(place: Path, megabytes: float) -> Iterator[bool]:
    """Give a folder a disk of its own of so many MB; yields whether this machine lets us."""
    place.mkdir(parents=True, exist_ok=True)
    size = f"size={int(megabytes * 1024)}k"
    command = ["mount", "-t", "tmpfs", "-o", size, "clearset-torture", str(place)]
    there = subprocess.run(command, check=False, capture_output=True).returncode == 0
    try:
        yield there
    finally:
        if there:
            subprocess.run(["umount", str(place)], check=False, capture_output=True)


def filled(one: Project, number: int) -> Count:
    """Run on disks that are too small by more and more; then on one that is large enough."""
    count = Count("disks too small")
    forgotten(one.folder)
    whole = sum(f.stat().st_size for f in one.source.iterdir()) / 2**20
    for attempt in range(number):
        with small_disk(one.folder / "data", whole * (0.2 + 5 * attempt / number)) as there:
            if not there:
                return count
            done = run(one.folder, one.command())
            output = done.stdout + done.stderr
            count.tried += 1
            count.used += done.returncode == 0
            count.refused += done.returncode != 0
            count.tracebacks += "Traceback" in output
            if done.returncode != 0 and "no space" not in output.lower():
                count.wrong.append(f"{attempt}: {output[-400:]}")
            count.wrong += [f"{attempt}: {fault}" for fault in certified_wrongly(one.folder)]
        forgotten(one.folder)
    count.lost += after(one)
    return count
