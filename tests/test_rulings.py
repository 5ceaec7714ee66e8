"""Decisions in a real browser are neither lost nor made up, whatever else happens meanwhile."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browsing import Sheet, chromium, opened
from clearset.commands.view import site
from clearset.share import reviews
from clearset.share.manifest import Review
from test_view import running

PAGE = "data/report/sample/index.html"
REVIEW = Path("conf/review/sample.csv")
HEAD = "image_id,decision,note\n"
SAVED = f"saved in {REVIEW}"
NOTES = ["=cmd|' /C calc'!A0", '"', "a,b", " edges ", "\u202eback", "\U0001f600", "x" * 10_000]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def address(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The sample's page, served; nobody has decided anything, and a release only says so."""
    monkeypatch.chdir(project)
    REVIEW.unlink(missing_ok=True)
    with running(replace(site("sample"), release=lambda: "released")) as server:
        yield f"{server.address}#decide"
    REVIEW.unlink(missing_ok=True)


@pytest.fixture
def sheet(browser: Browser, address: str) -> Iterator[Sheet]:
    with opened(browser, address, offline=False) as one:
        one.page.locator("#release").wait_for()
        yield one


def kept(view: Page) -> dict[str, tuple[str, str]]:
    """Return the decisions and notes in the review file, once it is saved."""
    expect(view.locator("#saved")).to_have_text(SAVED)
    return {key: (one.decision, one.note) for key, one in reviews.read(REVIEW).items()}


def named(view: Page) -> str:
    """Return the image that is shown."""
    return view.locator("#one h3").first.inner_text()


def test_a_note_decides_nothing_and_goes_with_the_decision(sheet: Sheet) -> None:
    view, image_id = sheet.page, named(sheet.page)
    view.locator(".noted").fill("first")
    view.locator(".noted").press("Tab")
    assert view.evaluate("rulings.size") == 0
    expect(view.locator("#toast")).to_contain_text("say keep, repair or drop")
    view.locator(".noted").fill("blood, not a vessel")
    view.locator("[data-rule] .drop").click()  # with the cursor still in the note
    assert kept(view) == {image_id: ("drop", "blood, not a vessel")}
    view.locator(".noted").fill("changed")
    view.locator("[data-rule] .keep").click()
    assert kept(view) == {image_id: ("keep", "changed")}
    view.locator(".back").click()
    assert kept(view) == {}
    assert view.locator(".noted").input_value() == ""


def test_any_note_comes_back_as_it_was_written(sheet: Sheet) -> None:
    view, wanted = sheet.page, {}
    for note in NOTES:
        view.keyboard.press("j")
        view.locator(".noted").fill(note)
        view.locator("[data-rule] .drop").click()
        wanted[named(view)] = ("drop", note)
    assert kept(view) == wanted
    view.reload()
    view.locator("#release").wait_for()
    assert view.evaluate("[...rulings.values()].map(one => one.note)") == [
        wanted[image_id][1] for image_id in sorted(wanted)
    ]
    assert sheet.said == []


def test_a_file_that_is_read_is_saved_and_undone_as_a_whole(sheet: Sheet, tmp_path: Path) -> None:
    view, image_id = sheet.page, named(sheet.page)
    view.keyboard.press("3")
    other = tmp_path / "other.csv"
    other.write_text(f"{HEAD}gone,drop,\n{image_id},keep,mine\n", "utf-8")
    view.locator("#reader").set_input_files(other)
    view.locator("button", has_text="leave out 1 decision").wait_for()
    assert kept(view) == {image_id: ("keep", "mine"), "gone": ("drop", "")}
    view.locator("button", has_text="leave out 1 decision").click()
    assert kept(view) == {image_id: ("keep", "mine")}
    view.evaluate("undo()")
    view.evaluate("undo()")
    assert kept(view) == {image_id: ("drop", "")}
    for text, why in (("a,drop,so, what\n", "4 cells"), (f"{image_id},drop,\n" * 2, "twice")):
        other.write_text(HEAD + text, "utf-8")
        view.locator("#reader").set_input_files(other)
        expect(view.locator("#toast")).to_contain_text(why)
    assert kept(view) == {image_id: ("drop", "")}


def test_another_window_loses_no_decision_unseen(sheet: Sheet, address: str) -> None:
    view, first = sheet.page, named(sheet.page)
    with view.context.expect_page() as opening:
        view.evaluate("address => { open(address); }", address)
    other = opening.value
    other.locator("#release").wait_for()
    view.keyboard.press("3")
    assert list(kept(view)) == [first]
    other.evaluate("dispatchEvent(new Event('focus'))")  # come back to: it reads what was saved
    expect(other.locator("progress")).to_have_js_property("value", 1)
    REVIEW.write_text(f"{HEAD}{first},keep,elsewhere\n", "utf-8")
    other.keyboard.press("j")
    other.keyboard.press("1")
    expect(other.locator("#saved")).to_contain_text("NOT saved")
    other.locator("#release").click()
    expect(other.locator("#keys pre")).to_contain_text("Not released")
    assert reviews.read(REVIEW)[first] == Review("keep", "elsewhere", f"{REVIEW}, line 2")


def test_what_is_pressed_keeps_the_focus(sheet: Sheet) -> None:
    view = sheet.page
    for place in ("[data-rule] .drop", "[data-rule] .keep", "#saving button:has-text('undo')"):
        view.locator(place).focus()
        view.keyboard.press("Enter")
        expect(view.locator(place)).to_be_focused()


def test_groups_say_how_they_are_ruled_on(sheet: Sheet) -> None:
    view = sheet.at("groups")
    view.locator(".group button", has_text="keep the best").first.click()
    first, *others = sorted(view.locator(".group").first.locator("[data-ruled]").all_inner_texts())
    assert ({first, *others[:-1]}, others[-1]) == ({"you: drop"}, "you: keep")


def test_another_server_is_taken_for_none_of_this(browser: Browser, project: Path) -> None:
    handler = partial(SimpleHTTPRequestHandler, directory=str(project))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = f"http://127.0.0.1:{server.server_port}/{PAGE}#decide"
        with opened(browser, place, offline=False) as sheet:
            sheet.page.locator("#save").wait_for()
            sheet.page.wait_for_timeout(300)
            assert sheet.page.locator("#toast").inner_text() == ""
            assert sheet.page.locator("#keys[open]").count() == 0
        server.shutdown()


def test_a_review_file_that_is_none_is_said_and_left(browser: Browser, address: str) -> None:
    REVIEW.write_text(f"{HEAD}a,maybe,\n", "utf-8")
    with opened(browser, address, offline=False) as sheet:
        expect(sheet.page.locator("#keys pre")).to_contain_text("'maybe' for a is none of")
        sheet.page.locator("#keys button").click()
        sheet.page.keyboard.press("3")
        sheet.page.wait_for_timeout(300)
    assert REVIEW.read_text("utf-8") == f"{HEAD}a,maybe,\n"


def test_two_windows_on_one_file_share_their_decisions(browser: Browser, project: Path) -> None:
    place = (project / PAGE).as_uri()
    with opened(browser, f"{place}#decide") as sheet:
        view = sheet.page
        view.keyboard.press("3")
        other = view.context.new_page()
        other.goto(f"{place}#decide?rule=none_of_this_name")
        other.keyboard.press("j")
        other.keyboard.press("1")
        for each in (view, other):
            expect(each.locator("progress")).to_have_js_property("value", 2)
        view.evaluate("undo()")  # what the other window did
        for each in (view, other):
            expect(each.locator("progress")).to_have_js_property("value", 1)
