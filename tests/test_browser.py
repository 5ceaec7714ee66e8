"""The page in a real browser: it says what the stages say, and what is decided on it is obeyed."""

import re
import shlex
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, expect

from browsing import PHONE, Sheet, chromium, opened
from clearset.generate.retina.synthesis import sample
from clearset.store import tables
from conftest import run, write_image

HOSTILE = "<img src=x onerror=alert(1)>"
PARTS = ["summary", "decide", "bounds", "groups", "table", "evidence", "provenance"]
SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def page(project: Path) -> str:
    return (project / "data/report/sample/index.html").as_uri()


@pytest.fixture
def sheet(browser: Browser, page: str) -> Iterator[Sheet]:
    with opened(browser, page) as one:
        yield one
        assert one.said == []


def test_it_opens_from_a_file_without_a_network_and_says_nothing(sheet: Sheet) -> None:
    for part in PARTS:
        sheet.at(part).wait_for_timeout(50)
    assert sheet.page.title().startswith("Generated retina-like images")
    assert len(sheet.asked) > 10
    assert {address.partition(":")[0] for address in sheet.asked} == {"file"}


def test_the_first_screen_counts_rules_that_ask_for_something(sheet: Sheet, project: Path) -> None:
    decisions = tables.read("decisions", project / "data/filter/sample")
    asked = int((decisions["decision"] != "keep").sum())
    lead = sheet.page.locator(".lead").inner_text()
    assert lead.startswith(f"{len(decisions)} images.")
    assert f"{asked} are doubtful" in lead
    flags = tables.read("flags", project / "data/filter/sample")
    asking = set(flags.loc[flags["action"] != "keep", "rule"])
    links = sheet.page.locator(".findings a").evaluate_all("all => all.map(a => a.hash)")
    assert {link.partition("rule=")[2] for link in links} == asking
    assert sheet.page.locator("#left").inner_text() == str(asked)


def test_a_moved_bound_gives_the_counts_of_the_stage_filter(sheet: Sheet, project: Path) -> None:
    table = pd.read_csv(project / "reports/sample/bounds.csv")
    view, seen = sheet.at("bounds"), 0
    for (rule, side), rows in table.groupby(["rule", "side"]):
        if str(rows["metric"].iloc[0]).startswith("surplus"):
            continue
        view.locator(f"[data-name={rule}]").click()
        for row in rows.iloc[:: max(1, len(rows) // 4)].itertuples():
            view.locator(f"#bound-{side}").fill(repr(float(row.bound)))
            view.locator(f"#bound-{side}").press("Enter")
            figures = view.locator("#figures")
            assert figures.get_attribute("data-flagged") == str(row.flagged), (rule, row.bound)
            for name in ("precision", "recall"):
                score = getattr(row, name)
                if not np.isnan(score):
                    assert share(figures.inner_text(), name) == pytest.approx(score, rel=1e-5)
                    seen += 1
    assert seen > 50


def loaded(picture: Locator) -> None:
    """Wait until a picture is there."""
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 0


def share(text: str, name: str) -> float:
    """Return a score from the counts that are shown beside it."""
    found = re.search(rf"{name}: (\d+) of (\d+)", text)
    assert found, text
    return int(found[1]) / int(found[2])


def test_a_slider_moves_the_bound_and_names_the_images_that_change_side(sheet: Sheet) -> None:
    view = sheet.at("bounds")
    view.locator("[data-name=blur]").click()
    before = int(view.locator("#figures").get_attribute("data-flagged") or "")
    assert view.locator("#adopt").count() == 0
    slider = view.locator("#slide-min")
    slider.focus()
    for _ in range(3):
        slider.press("ArrowRight")
    after = int(view.locator("#figures").get_attribute("data-flagged") or "")
    assert after > before
    assert view.locator("#rule .card").count() == after - before
    bound = view.locator("#bound-min").input_value()
    assert f"sample.filter.blur.min={bound} " in view.locator("#adopt").inner_text()


def test_before_and_after_lie_under_one_slider_down_to_single_pixels(sheet: Sheet) -> None:
    view = sheet.at("decide?rule=uneven")
    over, under = view.locator(".canvas img").nth(1), view.locator(".canvas img").nth(0)
    loaded(view.locator(".canvas img").first)
    assert under.get_attribute("src") != over.get_attribute("src")
    clips = set()
    for value in ("0", "30", "100"):
        view.locator("#wipe").fill(value)
        clips.add(over.evaluate("image => image.style.clipPath"))
    assert len(clips) == 3
    view.locator("[data-zoom='4']").click()
    assert under.evaluate("image => image.clientWidth / image.naturalWidth") == 4
    assert view.locator(".canvas.pixels").count() == 1


def test_a_mask_lies_over_its_image(sheet: Sheet, project: Path) -> None:
    images = tables.read("images", project / "data/fetch/sample")
    masked = set(images.loc[images["mask"] != "", "image_id"])
    view = sheet.at("decide")
    for name in view.locator("#queue .item b").all_inner_texts():
        view.locator(f"#queue .item:has-text('{name}')").first.click()
        if name in masked and view.locator("#veiled").count():
            view.locator("#veiled").check()
            veil = view.locator(".canvas img[alt=mask]")
            loaded(veil)
            assert veil.is_visible()
            return
    pytest.fail("no doubtful image with a mask was seen")


def test_keys_decide_and_undo(sheet: Sheet) -> None:
    view = sheet.at("decide")
    first, second = view.locator("#one h3").first.inner_text(), ""
    view.keyboard.press("j")
    second = view.locator("#one h3").first.inner_text()
    assert second != first
    view.keyboard.press("3")
    assert view.locator("[data-rule] [aria-pressed=true]").inner_text().startswith("drop")
    view.keyboard.press("u")
    assert view.locator("[data-rule] [aria-pressed=true]").count() == 0
    view.locator("#queue-text").fill("3")  # typed, not ruled
    assert view.locator("progress").get_attribute("value") == "0"


def test_the_table_sorts_and_filters(sheet: Sheet, project: Path) -> None:
    view = sheet.at("table")
    values = tables.read("metrics", project / "data/analyze/sample")["sharpness"]
    column = view.locator("#rows th button", has_text="sharpness")
    column.click()
    place = view.locator("#rows th").all_inner_texts().index("sharpness ▲")
    first = view.locator("#rows tbody tr").nth(1).locator("td").nth(place).inner_text()
    assert float(first) == pytest.approx(values.min(), rel=1e-5)
    view.locator("#rows th button", has_text="sharpness").click()
    first = view.locator("#rows tbody tr").nth(1).locator("td").nth(place).inner_text()
    assert float(first) == pytest.approx(values.max(), rel=1e-5)
    view.locator("#table-text").fill("defocus")
    assert view.locator("#rows tbody tr a").count() == 1


def test_decisions_are_saved_obeyed_by_release_and_read_back(
    browser: Browser, page: str, project: Path, tmp_path: Path
) -> None:
    with opened(browser, page) as sheet:
        view = sheet.at("decide")
        repaired = set(tables.read("repairs", project / "data/enhance/sample")["image_id"])
        wanted: dict[str, str] = {}
        for word in (3, 1, 2, 3, 2):
            while True:
                view.keyboard.press("j")
                image_id = view.locator("#one h3").first.inner_text()
                if word != 2 or image_id in repaired:
                    break
            view.keyboard.press(str(word))
            wanted[image_id] = ("kept", "repaired", "dropped")[word - 1]
        view.keyboard.press("n")
        view.keyboard.type('so, "quoted"')
        view.keyboard.press("Tab")
        with view.expect_download() as arriving:
            view.locator("#save").click()
        saved = tmp_path / "saved.csv"
        arriving.value.save_as(saved)
        assert arriving.value.suggested_filename == "sample.csv"
        assert sheet.said == []
    review = project / "conf/review/sample.csv"
    review.write_bytes(saved.read_bytes())
    done = run(project, "dvc", "repro", "release@sample")
    assert done.returncode == 0, done.stderr
    manifest = tables.read("manifest", project / "data/release/sample").set_index("image_id")
    assert len(wanted) == 5
    assert manifest.loc[list(wanted), "decision"].to_dict() == wanted
    assert manifest.loc[list(wanted)[-1], "reason"] == 'review file: so, "quoted"'
    with opened(browser, page) as sheet:
        view = sheet.at("decide")
        view.locator("#reader").set_input_files(review)
        expect(view.locator("progress")).to_have_js_property("value", 5)
        with view.expect_download() as arriving:
            view.locator("#save").click()
        assert Path(arriving.value.path()).read_bytes() == saved.read_bytes()


def test_all_copies_are_ruled_on_at_once_and_taken_back(sheet: Sheet, project: Path) -> None:
    view = sheet.at("groups")
    view.locator("button", has_text="keep the best, drop the others").first.click()
    images = tables.read("images", project / "data/fetch/sample")
    pixels = images.loc[images["error"] == "", "pixels_sha256"]
    in_groups = int(pixels.duplicated(keep=False).sum())
    ruled = view.evaluate("[...rulings.values()].map(one => one.decision)")
    assert len(ruled) == in_groups
    assert ruled.count("keep") == pixels[pixels.duplicated(keep=False)].nunique()
    view.evaluate("undo()")
    assert view.evaluate("rulings.size") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(browser: Browser, page: str, scheme: str) -> None:
    axe = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    with opened(browser, page, color_scheme=scheme, bypass_csp=True) as sheet:
        sheet.page.add_script_tag(content=axe)
        for part in PARTS:
            view = sheet.at(part)
            view.wait_for_timeout(100)
            # Of a long table the first rows stand for all.
            few = "axe.run({exclude: [['tbody tr:nth-child(n+4)']]})"
            found = view.evaluate(few)["violations"]
            assert [
                (one["id"], [node["html"] for node in one["nodes"]][:3])
                for one in found
                if one["impact"] in SERIOUS
            ] == [], part


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, page: str) -> None:
    with opened(browser, page, viewport=PHONE) as sheet:
        for part in PARTS:
            view = sheet.at(part)
            view.wait_for_timeout(100)
            assert view.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], part


def drawn(number: int) -> npt.NDArray[np.uint8]:
    return np.asarray(sample(number, count=24, size=96, seed=3).pixels, np.uint8)


@pytest.fixture(scope="module")
def odd(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one's own with names that would be markup, and a copy and a dark image."""
    source = tmp_path_factory.mktemp("odd")
    names = [HOSTILE, "</script><b>", "a'b\"&amp;", "#?%41 b", *map("eye{}".format, range(12))]
    for number, name in enumerate(names):
        write_image(source / f"{name.replace('/', '-')}.png", drawn(number))
    write_image(source / "copy.png", drawn(5))
    write_image(source / "\u202egnp.png", drawn(7))
    write_image(source / "night.png", drawn(20) // 8)
    write_image(source / "scan.tif", drawn(6)).rename(source / "scan.png")  # not what it is called
    done = run(project, "clearset", "folder", str(source), "odd", "--set", "odd.analyze.trials=0")
    assert done.returncode == 0, done.stdout + done.stderr
    return project / "data/report/odd"


def test_a_name_that_is_markup_does_nothing(browser: Browser, odd: Path) -> None:
    with opened(browser, (odd / "index.html").as_uri()) as sheet:
        view = sheet.at("table")
        assert f"all/{HOSTILE}" in view.locator("#rows a").all_inner_texts()
        view.locator("#rows a", has_text=HOSTILE).click()
        assert view.locator("#one h3").first.inner_text() == f"all/{HOSTILE}"
        loaded(view.locator(".canvas img").first)
        view.evaluate("openImage(places.get('all/\u202egnp'))")
        assert view.locator("#one h3").first.inner_text() == r"all/\u202egnp"
        view.evaluate("openImage(places.get('all/scan'))")
        loaded(view.locator(".canvas img").first)
        assert view.evaluate("images.before[places.get('all/scan')]").startswith("full/")
        for part in PARTS:
            sheet.at(part).wait_for_timeout(50)
        assert view.locator("#blind").is_hidden()
        assert view.evaluate("document.querySelectorAll('img[src=x]').length") == 0
        assert sheet.said == []


def test_the_command_beside_a_bound_adopts_it(browser: Browser, odd: Path, project: Path) -> None:
    with opened(browser, (odd / "index.html").as_uri()) as sheet:
        view = sheet.at("bounds")
        view.locator("[data-name=isolated]").click()
        view.locator("#slide-min").fill("6")
        count = int(view.locator("#figures").get_attribute("data-flagged") or "")
        command = shlex.split(view.locator("#adopt").inner_text())
    assert count > 0
    done = run(project, *command)
    assert done.returncode == 0, done.stdout + done.stderr
    flags = tables.read("flags", project / "data/filter/odd")
    assert int((flags["rule"] == "isolated").sum()) == count
