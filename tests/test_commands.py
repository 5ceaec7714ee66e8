"""The program: each command is a file, says what it is for, stands in docs/, and ends one way."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from clearset.__main__ import outcome, program
from conftest import ROOT, run

CONTEXT = click.Context(program)
NAMES = program.list_commands(CONTEXT)
PAGE = (ROOT / "docs/commands.md").read_text()


def command(name: str) -> click.Command:
    found = program.get_command(CONTEXT, name)
    assert found is not None
    return found


def test_every_file_is_a_command_and_every_target_of_make_a_name_for_one() -> None:
    recipes = re.findall(r"[@;] ?clearset ([a-z]+)", (ROOT / "Makefile").read_text())
    assert {*recipes, "check"} == set(NAMES)  # which is for those without a clone


@pytest.mark.parametrize("name", NAMES)
def test_a_command_says_what_it_is_for(name: str) -> None:
    text = command(name).help or ""
    assert len(text.split()) > 12
    for parameter in command(name).params:
        if isinstance(parameter, click.Argument):
            assert parameter.human_readable_name in text, f"{parameter.name} is not explained"
        else:
            assert len(getattr(parameter, "help", "").split()) > 3


@pytest.mark.parametrize("name", NAMES)
def test_a_command_and_its_options_stand_in_the_documentation(name: str) -> None:
    assert f"## {name}\n" in PAGE
    part = PAGE.split(f"## {name}\n")[1].partition("\n## ")[0]
    for parameter in command(name).params:
        for option in parameter.opts if isinstance(parameter, click.Option) else ():
            assert f" {option} " in part
        if isinstance(parameter, click.Argument):
            assert parameter.human_readable_name in part


def test_the_page_names_no_command_that_is_not_there() -> None:
    assert set(re.findall(r"^## ([a-z]+)$", PAGE, re.MULTILINE)) == set(NAMES)


def test_help_and_completion_import_no_command() -> None:
    code = (
        "import sys; from clearset.__main__ import outcome; outcome(['--help'])\n"
        "heavy = {'numpy', 'pandas', 'yaml', 'dvc', 'omegaconf'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = run(ROOT, sys.executable, "-c", code, PYTHONPATH=str(ROOT / "src"))
    assert done.returncode == 0, done.stderr
    for name in NAMES:
        assert f"\n  {name} " in done.stdout
    line = {"COMP_WORDS": "clearset ver", "COMP_CWORD": "1"}
    done = run(ROOT, "clearset", _CLEARSET_COMPLETE="bash_complete", **line)
    assert done.stdout == "plain,verify\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify"], "error: Missing argument 'FOLDER'.\nUsage: clearset verify [OPTIONS] FOLDER"),
        (
            ["folder", "a", "b", "--sett", "c"],
            "error: No such option '--sett'. Did you",
        ),
        (["verfy", "x"], "error: No such command 'verfy'."),
        (["verify", "/nowhere"], "error: /nowhere/checksums.sha256 is missing, so "),
        (["rebuild", "/nowhere", "a", "b"], "error: /nowhere/checksums.sha256 is missing, so "),
    ],
)
def test_what_goes_wrong_ends_with_one_line_of_error(arguments: list[str], message: str) -> None:
    ending = outcome(arguments)
    assert str(ending).startswith(message)
    done = subprocess.run(
        [Path(sys.executable).parent / "clearset", *arguments],
        capture_output=True,
        check=False,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{ending}\n")


def test_a_command_without_its_packages_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("clearset.commands.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "omegaconf", None)
    monkeypatch.delitem(sys.modules, "clearset.config.composition", raising=False)
    assert str(outcome(["folder", "a", "b"])).startswith(
        "error: this takes the package omegaconf, which is no part of the core: in a clone"
    )


def test_a_module_of_our_own_that_is_missing_is_no_package_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "clearset.commands.verify", raising=False)
    monkeypatch.setitem(sys.modules, "clearset.images.identity", None)
    monkeypatch.delattr("clearset.images.identity", raising=False)
    said = str(outcome(["verify", "."]))
    assert "clearset.images.identity" in said
    assert "this is a defect of Clearset" in said


def test_every_command_can_be_read_without_being_run() -> None:
    for name in NAMES:
        text = (ROOT / f"src/clearset/commands/{name}.py").read_text()
        line = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
        assert line.endswith(".") and len(line) < 100


def test_no_argument_and_the_version_are_no_errors() -> None:
    done = run(ROOT, "clearset")
    assert (done.returncode, done.stdout.startswith("Usage: clearset")) == (0, True)
    assert run(ROOT, "clearset", "--version").stdout.startswith("clearset, version ")


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    done = run(ROOT, "bash", "-c", "clearset --help | true; clearset agree --line x | true")
    assert (done.returncode, done.stderr) == (0, "")


def test_elsewhere_a_command_of_the_pipeline_says_where_to_go(tmp_path: Path) -> None:
    for arguments in (["folder", ".", "mine"], ["sweep", "mine"], ["publish", "mine", "v1"]):
        done = run(tmp_path, "clearset", *arguments)
        assert done.returncode == 1
        assert done.stderr.startswith("error: ")
        assert "Traceback" not in done.stderr


def test_make_hands_values_with_spaces_on_whole(tmp_path: Path) -> None:
    program = tmp_path / "clearset"
    program.write_text('#!/bin/sh\nprintf "<%s>" "$@"\n')
    program.chmod(0o755)
    values = "'mine.about.title=My eyes' mine.filter.dark.min=40"
    words = ["folder", "SOURCE=/my images", "NAME=mine", f"SET={values}"]
    done = run(ROOT, "make", "--dry-run", "--silent", *words)
    recipe = done.stdout.splitlines()[-1]
    done = run(tmp_path, "sh", "-c", f'PATH="{tmp_path}:$PATH"; {recipe}')
    assert done.stdout == (
        "<folder></my images><mine><--set><mine.about.title=My eyes>"
        "<--set><mine.filter.dark.min=40>"
    )


def test_no_text_names_a_script_that_is_not_there() -> None:
    tracked = run(ROOT, "git", "ls-files", "src", "docs", "conf", "*.md", "Makefile").stdout
    for name in tracked.split():
        picture = name.endswith(".png")
        if (ROOT / name).is_file() and not picture and not name.startswith("CHANGELOG"):
            text = (ROOT / name).read_text(encoding="utf-8")
            for script in re.findall(r"\bsrc/\w+\.py\b", text):
                assert (ROOT / script).exists(), f"{name}: {script}"


@pytest.mark.parametrize("name", ["portable", "recordings"])
def test_scripts_of_tests_can_be_imported(name: str) -> None:
    importlib.import_module(name)
