"""A real Chromium for tests: without a network, every word on its console kept."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = os.environ.get("CLEARSET_CHROMIUM", "")  # where it must be there: CI says so
OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
PHONE = {"width": 390, "height": 800}
DESKTOP = {"width": 1280, "height": 900}


@dataclass
class Sheet:
    """A page in a window, and what it said and asked for meanwhile."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def at(self, part: str) -> Page:
        """Go to a part of the page."""
        self.page.evaluate("part => { location.hash = part; }", part)
        expect(self.page.locator(f"#part-{part.partition('?')[0]}")).to_be_visible()
        return self.page


def program() -> str:
    """Return Chromium's path; skips where there is none and nobody said that there is."""
    if CHROMIUM:
        assert Path(CHROMIUM).exists(), f"CLEARSET_CHROMIUM is {CHROMIUM}: no such file"
        return CHROMIUM
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium: install it, or say CLEARSET_CHROMIUM=/path")
    return path


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a browser that has started."""
    path = program()
    with sync_playwright() as starter:
        browser = starter.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, address: str, offline: bool = True, **window: Any) -> Iterator[Sheet]:
    """Yield a page in a window of its own; with nothing stored before."""
    context = browser.new_context(
        **({"viewport": DESKTOP} | window), offline=offline, accept_downloads=True
    )
    sheet = Sheet(context.new_page())
    sheet.page.on("console", lambda one: sheet.said.append(f"{one.text} {one.location}"))
    sheet.page.on("pageerror", lambda error: sheet.said.append(str(error)))
    sheet.page.on("dialog", lambda dialog: sheet.said.append(dialog.message))
    sheet.page.on("request", lambda request: sheet.asked.append(request.url))
    sheet.page.goto(address)
    yield sheet
    context.close()
