"""`clearset`, the program: a sub-command for each file of `commands`."""

import ast
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from clearset.store.errors import ClearsetError

FOLDER = Path(__file__).parent / "commands"
EXTRA = "pipeline"  # the extra of pyproject.toml that commands need beyond the core


class Commands(click.Group):
    """The files of `commands`: named and described without running any, imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or nothing where there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"clearset.commands.{cmd_name}").command
        command.name = cmd_name
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command with the first line of its file."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary(name)) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands that begin like a word, with their descriptions."""
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        return [CompletionItem(name, help=summary(name)) for name in names]


def summary(name: str) -> str:
    """Return the first line of a command's file, which says what it does."""
    text = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def program() -> None:
    """Find the images that harm a model, repair them, prove the repair, and share the result.

    The stages themselves run with `dvc repro`, or `make repro`; these commands work around them.
    """


def main() -> None:
    """Run the command line; an error ends with one line that begins with `error:`."""
    sys.exit(outcome(sys.argv[1:]))


def outcome(arguments: list[str]) -> Any:
    """Return the exit status, or the line to end with, after running a command."""
    try:
        text = program.main(arguments, prog_name="clearset", standalone_mode=False)
    except click.UsageError as error:
        usage = error.ctx.get_usage() if error.ctx else ""
        where = error.ctx.command_path if error.ctx else "clearset"
        return f"error: {error.format_message()}\n{usage}\nMore: {where} --help"
    except ModuleNotFoundError as error:
        needed = f"this takes the package {error.name}, which is no part of the core"
        return f"error: {needed}: pip install 'clearset[{EXTRA}]'"
    except (ClearsetError, OSError) as error:
        return f"error: {error}"
    except (KeyboardInterrupt, click.Abort):
        return "stopped"
    if isinstance(text, str):
        click.echo(text)
        return 0
    return text or 0


if __name__ == "__main__":
    main()
