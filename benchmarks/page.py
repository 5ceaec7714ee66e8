"""What a dataset's page costs to make and to use, in a real browser without a network.

`PYTHONPATH=src python benchmarks/page.py [COUNT SIZE]...` (1000 768 and 10000 64 unless told
otherwise) generates folders of eyes, runs the stages on them as on a folder of one's own, and
prints the seconds of the stages before the page, and of the page alone, its size, and in Chromium
(CLEARSET_CHROMIUM, or the one on the path) the milliseconds to its first paint and of what people
do on it. `... --picture` renews docs/page.png, from the sample's page.
"""

import os
import shutil
import sys
import tempfile
import time
from contextlib import chdir
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from joblib.externals.loky import get_reusable_executor
from omegaconf import OmegaConf
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from clearset.config import composition, params
from clearset.config.bounds import with_bounds
from clearset.decide import rules
from clearset.generate.retina.synthesis import sample
from clearset.page import writing
from clearset.report.order import arranged
from clearset.report.study import Study
from clearset.stages import analyze, compare, enhance, fetch, filter
from clearset.store import dossiers, layout
from clearset.store.parallel import mapped
from clearset.store.stages import Comparison

ROOT = Path(__file__).resolve().parents[1]
NAME = "eyes"
SETS = [(1000, 768), (10000, 64)]  # images, and their side in px
HEAD = (
    "| images | px | stages before, s | page, s | page, MB | small pictures, MB | "
    "first paint, ms | decide | bounds | groups | table | bound moved | decided |"
)
STAGES = (fetch, analyze, filter, enhance, compare)
DIFFERENT = 500  # eyes; of more images the others are these again, each with a pixel of its own
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic"]
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
PART = """part => new Promise(done => { const begun = performance.now(); location.hash = part;
  const ended = () => done(performance.now() - begun);
  setTimeout(() => requestAnimationFrame(() => setTimeout(ended))) })"""
BOUND = """() => { const slider = document.querySelector('#rule input[type=range]'); let most = 0;
  for (let step = 1; step < 20; step += 1) { const begun = performance.now();
    slider.value = String(Math.floor(Number(slider.max) * step / 20));
    slider.dispatchEvent(new Event('input')); document.body.offsetHeight;
    most = Math.max(most, performance.now() - begun); } return most }"""
RULED = """() => { const begun = performance.now(); decide(queue[current], 'drop');
  document.body.offsetHeight; const spent = performance.now() - begun; undo(); return spent }"""


def drawn(folder: Path, count: int, size: int, number: int) -> None:
    """Write one eye."""
    pixels = sample(number % DIFFERENT, count=count, size=size, seed=7).pixels.copy()
    pixels[0, 0], pixels[0, 1] = number % 251, number // 251
    Image.fromarray(pixels).save(folder / f"eye_{number:05d}.png", compress_level=1)


def configured(source: Path) -> None:
    """Write the params of a folder of one's own."""
    with chdir(ROOT):
        own = OmegaConf.to_container(
            composition.composed([f"+dataset@{NAME}=folder"])[NAME], enum_to_str=True
        )
    section: Any = own
    section["fetch"]["path"] = str(source)
    params.PARAMS.write_text(yaml.safe_dump({NAME: section}), encoding="utf-8")


def study() -> Study:
    """Return what the stages have made."""
    names = ("fetch", "analyze", "filter", "enhance", "compare")
    folders = {name: layout.stage_folder(name, NAME) for name in names}
    dossier = dossiers.of(folders)
    section = with_bounds(params.load(NAME), dossier.selection.own_bounds)
    result = arranged(dossiers.read(Comparison, folders["compare"]), section.filter)
    return Study(NAME, section, dossier, result, rules.judge(section.filter, dossier.survey))


def made(count: int, size: int) -> tuple[float, float, Path]:
    """Return the seconds of the stages, those of the page, and where it lies; in this folder."""
    source = Path("source").resolve()
    source.mkdir()
    mapped(partial(drawn, source, count, size), range(count), "draw")
    configured(source)
    begun = time.perf_counter()
    for stage in STAGES:
        stage.main(NAME)
    ready = time.perf_counter()
    target = layout.stage_folder("report", NAME)
    writing.write(study(), target, layout.REPORTS / NAME)
    return ready - begun, time.perf_counter() - ready, target / writing.NAME


def used(page: Page, address: str) -> list[float]:
    """Return milliseconds: to the first paint, to each part, of a moved bound, of a decision."""
    page.goto(address)
    page.wait_for_timeout(500)
    spent = [page.evaluate(PAINT)]
    for part in ("decide", "bounds", "groups", "table"):
        spent.append(page.evaluate(PART, part))
        page.wait_for_timeout(300)
    page.evaluate(PART, "bounds")
    spent.append(page.evaluate(BOUND))
    page.evaluate(PART, "decide")
    spent.append(page.evaluate(RULED))
    return spent


def picture(page: Page) -> None:
    """Write what README shows: one of the sample's images, its repair, its mask."""
    page.goto(f"{(ROOT / 'data/report/sample/index.html').as_uri()}#decide?rule=shadow")
    page.wait_for_timeout(500)
    page.keyboard.press("j")
    page.keyboard.press("m")
    page.keyboard.press("2")
    page.wait_for_timeout(6000)  # until what was said is gone
    shot = Path(tempfile.gettempdir()) / "page.png"
    page.screenshot(path=shot)
    Image.open(shot).quantize(256).save(ROOT / "docs/page.png", optimize=True)


def main() -> None:
    """Print a table, or draw the picture."""
    words = [word for word in sys.argv[1:] if word != "--picture"]
    sets = list(zip(map(int, words[::2]), map(int, words[1::2]), strict=True)) or SETS
    program = os.environ.get("CLEARSET_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as starter:
        browser = starter.chromium.launch(executable_path=program, args=OPTIONS)
        page = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True).new_page()
        if "--picture" in sys.argv:
            picture(page)
            return
        print(HEAD)
        for count, size in sets:
            with tempfile.TemporaryDirectory() as folder, chdir(folder):
                before, own, path = made(count, size)
                get_reusable_executor().shutdown(wait=True)  # they would stay in this folder
                small = sum(p.stat().st_size for p in path.parent.rglob("thumbs/*")) / 1e6
                spent = used(page, path.resolve().as_uri())
                sizes = f"{path.stat().st_size / 1e6:.1f} | {small:.0f}"
                times = " | ".join(f"{one:.0f}" for one in spent)
                print(f"| {count} | {size} | {before:.0f} | {own:.1f} | {sizes} | {times} |")


if __name__ == "__main__":
    main()
