"""How cost grows with the number of images, stage by stage, beside other tools on the same tiles.

`PYTHONPATH=src python benchmarks/growth.py --sizes 100 1000 --tools clearset fastdup` makes grey
PNG of 64 px a side, runs each tool on them in an environment of its own, writes what it cost into
growth.csv beside this file (a row of the same tool, stage and size is replaced, all others stay),
draws growth.png, and prints the tables of README.md. `--added 10000` runs Clearset on so many, adds
one, and runs it again. `--sizes` without a number draws and prints alone.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import yaml
from growth_cost import Cost, cost
from growth_table import figure, tables
from growth_tiles import made, write
from peers import CLEANVISION
from pipeline import BARE, ROOT

from clearset.engines import fastdup

STAGES = ["fetch", "analyze", "filter", "enhance", "compare", "report", "release"]
WHOLE, ADDED = "all stages", "one added: "
STAGE = "import sys; from clearset.stages import {0}; print({0}.main('tiles'))"
PHASH = """
import sys
from imagededup.methods import PHash
if __name__ == "__main__":
    hasher = PHash(verbose=False)
    hasher.find_duplicates(encoding_map=hasher.encode_images(image_dir=sys.argv[1]))
"""
PEERS = {"fastdup": BARE, "cleanvision": CLEANVISION, "imagededup": PHASH}
QUIET = {"SENTRY_OPT_OUT": "1", "FASTDUP_PRODUCTION": "1"}
KEY = ["tool", "stage", "n"]
TABLE, FIGURE = (Path(__file__).with_name(f"growth.{kind}") for kind in ("csv", "png"))
Row = tuple[str, str, int, Cost]


def interpreter(tool: str, peers: Path) -> Path:
    """Return the Python of a tool's environment below `peers`, made if need be."""
    if tool == "fastdup":
        return fastdup.interpreter()
    python = peers / tool / "bin/python"
    if not python.exists():
        uv = str(Path(sys.prefix) / "bin/uv")
        subprocess.run([uv, "venv", "--quiet", str(peers / tool)], check=True)
        command = [uv, "pip", "install", "--quiet", "--python", str(python), tool]
        subprocess.run(command, check=True, env=os.environ | {"UV_SYSTEM_CERTS": "true"})
    return python


def configured(home: Path, tiles: Path) -> None:
    """Write params.yaml of a folder of one's own, as `check` has it."""
    own = ROOT / "src/clearset/inspection/folder.yaml"
    section = yaml.safe_load(own.read_text())
    section["fetch"] |= {"source": "folder", "path": str(tiles)}
    home.mkdir(parents=True)
    (home / "params.yaml").write_text(yaml.safe_dump({"tiles": section}, sort_keys=False))


def staged(home: Path, count: int, limit: float, before: str = "") -> Iterator[Row]:
    """Yield what each stage costs in a process of its own, and all; as far as they succeed."""
    costs: list[Cost] = []
    for stage in STAGES:
        command = [sys.executable, "-P", "-c", STAGE.format(stage)]
        costs.append(cost(command, home, limit, PYTHONPATH=str(ROOT / "src")))
        yield "clearset", before + stage, count, costs[-1]
        if costs[-1].failure:
            break
    walls, cpus, memories, failures = zip(*costs, strict=True)
    whole = Cost(sum(walls), sum(cpus), max(memories), failures[-1])
    yield "clearset", before + WHOLE, count, whole


def added(home: Path, tiles: Path, count: int, limit: float) -> Iterator[Row]:
    """Yield what all stages cost once more, when one tile was added to those they have seen."""
    write(tiles, count)
    yield from staged(home, count, limit, ADDED)


def of_peer(tool: str, tiles: Path, scratch: Path, given: argparse.Namespace) -> Cost:
    """Return what another tool costs on a folder of tiles."""
    home = scratch / tool
    home.mkdir(parents=True)
    python = str(interpreter(tool, given.peers))
    command = [python, "-c", PEERS[tool], str(tiles), str(home / "work")]
    return cost(command, home, given.limit, HOME=str(home), **QUIET)


def rows(given: argparse.Namespace, scratch: Path) -> Iterator[Row]:
    """Yield what is asked for."""
    for count in sorted({*given.sizes, *given.added}):
        tiles, home = made(scratch / f"{count}" / "images", count), scratch / f"{count}" / "home"
        if count in given.sizes:
            for tool in (tool for tool in given.tools if tool in PEERS):
                yield tool, WHOLE, count, of_peer(tool, tiles, home.parent, given)
        if "clearset" in given.tools:
            configured(home, tiles)
            yield from staged(home, count, given.limit)
            if count in given.added:
                yield from added(home, tiles, count, given.limit)


def kept(row: Row) -> pd.DataFrame:
    """Write a row into the table, in the place of one of its key, and return all."""
    tool, stage, count, (wall, cpu, memory, failure) = row
    numbers = {"wall_s": wall, "cpu_s": cpu, "peak_mb": memory}
    new = {"tool": tool, "stage": stage, "n": count} | numbers | {"failure": failure}
    table = pd.DataFrame([new])
    if TABLE.exists():
        table = pd.concat([pd.read_csv(TABLE, keep_default_na=False), table])
    table = table.drop_duplicates(KEY, keep="last").round(3)
    table.to_csv(TABLE, index=False)
    return table


def arguments() -> argparse.Namespace:
    """Return what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=[100, 1000, 10_000, 50_000])
    parser.add_argument("--tools", nargs="*", default=["clearset", *PEERS])
    parser.add_argument("--added", type=int, nargs="*", default=[], help="one more to so many")
    parser.add_argument("--limit", type=float, default=3600, help="seconds of one command")
    parser.add_argument("--peers", type=Path, default=Path(tempfile.gettempdir()) / "peers")
    return parser.parse_args()


def main(given: argparse.Namespace) -> None:
    """Measure what is asked for; draw and print all that is known."""
    with tempfile.TemporaryDirectory(prefix="clearset-") as scratch:
        for row in rows(given, Path(scratch)):
            kept(row)
            print(*row, file=sys.stderr, flush=True)
    table = pd.read_csv(TABLE, keep_default_na=False)
    figure(table[table["stage"] == WHOLE], FIGURE)
    print(tables(table, WHOLE, ADDED))


if __name__ == "__main__":
    main(arguments())
