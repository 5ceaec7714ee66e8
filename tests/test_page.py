"""The page's data and text: all that the tables say, nothing that runs, pictures that are there."""

import base64
import hashlib
import json
import math
import re
from dataclasses import asdict, fields
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clearset.config.schema import Action, Rule
from clearset.page import facts as declared
from clearset.page import render
from clearset.page.facts import Adoption, Facts, Images, Relations, RuleFacts, plain
from clearset.page.sentences import Summary, summary
from clearset.page.thumbs import ranked
from clearset.plant.planting import known_kinds
from clearset.report.words import FAULTS, condition, counted, said

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a'b\"c&amp;",
    "é\u2028\u202e",
]
OF_IMAGE = [field.name for field in fields(Images)]


class Scripts(HTMLParser):
    """The scripts and styles of a page, and how many elements of each kind it has."""

    def __init__(self) -> None:
        super().__init__()
        self.content: list[tuple[str, dict[str, str | None], str]] = []
        self.counts: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag in ("script", "style"):
            self.content.append((tag, dict(attrs), ""))
        self.inline = [name for name, _ in attrs if name.startswith("on") or name == "style"]
        assert not self.inline, tag

    def handle_data(self, data: str) -> None:
        if self.content and not self.content[-1][2]:
            tag, attributes, _ = self.content[-1]
            self.content[-1] = (tag, attributes, data)


def known(*names: str) -> Facts:
    """What a page knows of images that have these names, and nothing else."""
    count = len(names)
    text = dict.fromkeys(OF_IMAGE, [""] * count)
    whole = dict.fromkeys(
        ("rank", "width", "height", "bits", "bytes", "keepable", "thumb"), [0] * count
    )
    content: dict[str, Any] = text | whole
    content |= {"id": list(names), "copies": [-1] * count, "decision": ["review"] * count}
    images = Images(**content)
    rule = RuleFacts(
        "soft",
        "blur",
        "is blurred",
        "are blurred",
        "review",
        1.0,
        None,
        names[0],
        "filter.soft.",
        [],
    )
    return Facts(
        version=1,
        name="eyes",
        title=names[0],
        review="conf/review/eyes.csv",
        adoption=Adoption("run", "--set eyes.", "", "release"),
        releases=True,
        images=images,
        metrics={"blur": [0.5] * count},
        rules=[rule],
        relations=Relations([], [], [], [[] for _ in names]),
        classes={},
    )


def flags(*names: str) -> pd.DataFrame:
    return pd.DataFrame({"image_id": list(names), "rule": "soft"})


def written(*names: str) -> str:
    page = known(*names)
    tables = {"Evidence": pd.DataFrame({names[0]: [names[0]]})}
    return render.render(page, summary(page, flags(*names)), tables, {"Cite": names[0]}, "")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_wherever_it_stands(name: str) -> None:
    usual, hostile = Scripts(), Scripts()
    usual.feed(written("harmless"))
    hostile.feed(written(name))
    assert hostile.counts == usual.counts
    ((_, _, document),) = [one for one in hostile.content if one[1].get("id") == "facts"]
    assert json.loads(document)["images"]["id"] == [name]


def test_the_policy_lets_the_pages_own_script_and_style_run_and_nothing_else() -> None:
    text = written("a")
    page = Scripts()
    page.feed(text)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    policy = policy.replace("&#39;", "'")
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["default-src"] == "'none'"
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy
    for tag, attributes, content in page.content:
        if attributes.get("type") != "application/json":
            digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
            assert parts[f"{tag}-src"] == f"'sha256-{digest}'"


def test_the_script_sets_text_and_never_markup() -> None:
    script = "".join(render.text(name) for name in render.SCRIPTS)
    for way in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
    ):
        assert way not in script
    assert set(re.findall(r"https?://[^\s\"'`]+", script)) == {"http://www.w3.org/2000/svg"}


def test_a_fact_that_is_declared_is_a_fact_that_is_written() -> None:
    page = known("a", "b")
    content = json.loads(render.document(asdict(page)))
    assert list(content) == [field.name for field in fields(Facts)]
    assert list(content["images"]) == OF_IMAGE
    assert {len(column) for column in content["images"].values()} == {2}
    script = "".join(render.text(name) for name in render.SCRIPTS)
    for name in OF_IMAGE:
        assert f"images.{name}" in script, f"{name} is written and never shown"
    assert declared.VERSION == 1


@pytest.mark.parametrize(
    ("number", "written"),
    [(0.1, 0.1), (float("nan"), None), (math.inf, 1.7976931348623157e308), (np.int64(3), 3.0)],
)
def test_numbers_are_what_json_has(number: float, written: float | None) -> None:
    assert plain(number) == written
    json.dumps(plain(number), allow_nan=False)


def test_a_value_of_masks_has_one_colour_in_all_of_them() -> None:
    for classes, wanted in (((), [0, 3, 9, 255]), ((9, 3), [0, 2, 1, 255])):
        values = np.array([0, 3, 9, 255], np.uint8)
        assert ranked(values, classes).tolist() == wanted
        assert ranked(values[1:2], classes).tolist() == wanted[1:2]


def test_every_kind_of_fault_has_words() -> None:
    assert set(FAULTS) >= known_kinds()


def test_a_rule_of_ones_own_is_said_by_its_condition() -> None:
    rule = Rule("stdv", min=1.0, max=7.5)
    assert said(rule, "mine")[0] == "is flagged by mine (stdv below 1 or above 7.5)"
    assert condition(rule) == "stdv below 1 or above 7.5"
    assert said(Rule("mean", min=70.0), "mine")[0] == "is too dark"
    assert said(Rule("mean", max=180.0), "mine")[0] == "is overexposed"
    assert counted(1, "image") == "1 image"
    assert counted(1200, "image") == "1,200 images"


def test_the_first_screen_does_not_count_what_asks_for_nothing() -> None:
    page = known("a", "b")
    quiet = RuleFacts(
        "only", "blur", "is", "are", Action.keep.value, 1.0, None, "", "filter.only.", []
    )
    page.rules.append(quiet)
    page.images.decision[1] = "keep"
    table = pd.concat([flags("a"), flags("a", "b").assign(rule="only")])
    first: Summary = summary(page, table)
    assert first.asked == 1
    assert [one.rule for one in first.findings] == ["soft"]
    assert [one.rule for one in first.counting] == ["only"]
    assert first.head == "2 images. Nothing is said against 1; 1 is doubtful."
