"""`clearset`, the program: a sub-command for each file of `commands`."""

import ast
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from clearset.store import defects
from clearset.store.cells import visible

FOLDER = Path(__file__).parent / "commands"
EXTRA = "in a clone of Clearset, make setup, or pip install --editable '.[pipeline]'"


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


@click.group(
    cls=Commands,
    no_args_is_help=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="clearset")
@click.pass_context
def program(context: click.Context) -> str:
    """Find the images that harm a model, repair them, prove the repair, and share the result.

    The stages themselves run with `dvc repro`, or `make repro`; these commands work around them.
    """
    return "" if context.invoked_subcommand else context.get_help()


def main() -> None:
    """Run the command line; an error ends with a line that begins with `error:`."""
    defects.prepare()
    sys.exit(outcome(sys.argv[1:]))


def outcome(arguments: list[str]) -> Any:
    """Return the exit status, or the line to end with, after running a command."""
    try:
        text = program.main(arguments, prog_name="clearset", standalone_mode=False)
        if isinstance(text, str):
            click.echo(visible(text))
            sys.stdout.flush()
    except click.UsageError as error:
        usage = error.ctx.get_usage() if error.ctx else ""
        where = error.ctx.command_path if error.ctx else "clearset"
        return visible(f"error: {error.format_message()}\n{usage}\nMore: {where} --help")
    except ModuleNotFoundError as error:
        package, why = error.name or "", "which is no part of the core"
        if package.partition(".")[0] not in ("clearset", ""):  # a module of ours is a defect
            return f"error: this takes the package {package}, {why}: {EXTRA}"
        return defects.line(error)
    except BrokenPipeError:
        defects.unread()
        return 0
    except (Exception, KeyboardInterrupt) as error:
        return "stopped" if isinstance(error, click.Abort) else defects.line(error)
    return 0 if isinstance(text, str) else text or 0


if __name__ == "__main__":
    main()
