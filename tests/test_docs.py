"""README and docs/: numbers are those of the tables; every link, page and command exists."""

import re
from pathlib import Path

import pytest

import blocks
import renew
from blocks import Unsupported
from conftest import ROOT, run

README, DOCS = ROOT / "README.md", ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
TEXTS = [README, ROOT / "CONTRIBUTING.md", *PAGES]
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
NUMBERED = sorted(path.stem for path in (DOCS / "blocks").glob("[!_]*.py"))


# Bounds, tolerances, what others published, and what its page says was measured once: all other
# numbers are read.
BY_HAND = {
    "ravir.md": {"0.003", "0.39"},
    "repairs.md": {"0.003"},
    "reproducible.md": {"0.05"},
    "satellite.md": {"0.27", "0.81", "0.97"},
    "trust.md": {"0.05", "0.63", "0.95", "0.97", "0.98"},
}


def prose(path: Path) -> str:
    return FENCED.sub("", path.read_text())


def links(path: Path) -> list[str]:
    return [link for link in LINK.findall(prose(path)) if "://" not in link]


def anchors(path: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    found: list[str] = []
    for heading in re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        again = sum(one == plain or one.startswith(f"{plain}-again") for one in found)
        found.append(f"{plain}-again{again}" if again else plain)
    return {re.sub(r"-again(\d+)$", r"-\1", one) for one in found}


def commands(path: Path) -> set[str]:
    """The targets of make that a page names, in code only."""
    text = path.read_text()
    shown = [re.sub(r" #.*", "", block) for block in FENCED.findall(text)]
    shown += re.findall(r"`([^`\n]+)`", FENCED.sub("", text))
    return {target for code in shown for target in re.findall(r"\bmake ([a-z]+)", code)}


def test_the_pages_say_what_the_tables_give() -> None:
    done = run(ROOT, "python", "docs/renew.py", "--check")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", NUMBERED)
def test_every_module_of_numbers_is_a_page_and_gives_each_number(name: str) -> None:
    assert DOCS / f"{name}.md" in PAGES
    given = renew.known(name)
    assert given
    for number, text in given.items():
        assert text, number
        assert "nan" not in text.lower().split(), number
    assert set(re.findall(r"<!-- n(?:umbers)?: (\S+) -->", (DOCS / f"{name}.md").read_text())) == (
        set(given)
    )


def test_a_number_by_hand_is_found_and_put_right(tmp_path: Path) -> None:
    text = (DOCS / "satellite.md").read_text()
    right = renew.known("satellite")["stretched"]
    (tmp_path / "satellite.md").write_text(text.replace(f"-->{right}<", "-->0.99<"))
    wrong = renew.outdated(tmp_path)
    assert list(wrong) == [tmp_path / "satellite.md"]
    renew.write(wrong)
    assert (tmp_path / "satellite.md").read_text() == text
    assert not renew.outdated(tmp_path)
    assert not list(tmp_path.glob("*.new"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("n: stretched", "n: streched", "no number is called ['streched']"),
        ("<!-- n: stretched -->", "", "shows no ['stretched']"),
        ("On <!--", "<!-- n: stretched --><!-- /n --><!--", "more than once"),
        ("<!-- /numbers -->", "<!-- /number -->", "shows no ['detectors']"),
        ("n: stretched -->", "n: stretched -->0<!-- /n --><!-- /n --><!-- /n", "other half"),
    ],
)
def test_a_mark_that_stands_for_no_number_is_an_error(old: str, new: str, message: str) -> None:
    text = (DOCS / "satellite.md").read_text()
    assert old in text
    with pytest.raises(Unsupported, match=re.escape(message)):
        renew.filled("satellite", text.replace(old, new, 1))


def test_an_unknown_block_stops_before_any_page_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("<!-- numbers: nothing -->\n<!-- /numbers -->\n")
    with pytest.raises(Unsupported, match="no number is called"):
        renew.outdated(tmp_path)


def test_a_number_that_no_table_has_is_an_error() -> None:
    with pytest.raises(Unsupported, match="no row has"):
        blocks.value("ravir/tables/leaks", "inliers", image_id="nobody")
    with pytest.raises(Unsupported, match="is missing"):
        blocks.table("ravir/tables/nothing")
    with pytest.raises(Unsupported, match="rows have"):
        blocks.row("ravir/tables/conflicts", image_id="train/IR_Case_011")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_line_begins_with_a_mark_in_a_sentence(path: Path) -> None:
    # GitHub takes such a line for HTML, and ends the paragraph before it
    assert not re.search(r"^ *<!-- n:", path.read_text(), re.MULTILINE)


@pytest.mark.parametrize("path", [README, *PAGES], ids=lambda path: path.name)
def test_no_measured_number_is_written_by_hand(path: Path) -> None:
    text = renew.INLINE.sub("", renew.BLOCK.sub("", prose(path)))
    text = re.sub(r"`[^`\n]*`", "", text)
    assert set(re.findall(r"\b0\.\d\d+", text)) == BY_HAND.get(path.name, set())


def test_the_readme_is_a_screen_and_a_half() -> None:
    assert README.read_text().count("\n") <= 150


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in links(path):
        place, _, anchor = link.partition("#")
        target = (path.parent / place).resolve() if place else path
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_every_page_is_reached_from_the_readme() -> None:
    seen, waiting = set[Path](), [README]
    while waiting:
        path = waiting.pop()
        named = {(path.parent / link.partition("#")[0]).resolve() for link in links(path)}
        new = {page for page in named if page in PAGES} - seen
        seen |= new
        waiting += new
    assert seen == set(PAGES)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_make_target_that_a_page_names_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert commands(path) <= targets


def test_the_readme_begins_with_its_two_commands() -> None:
    assert {"repro", "test", "help", "agree"} <= commands(README)
