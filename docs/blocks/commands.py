"""What docs/commands.md shows: each command as its own help has it."""

import click

from clearset.__main__ import program


def commands() -> str:
    """Return a section for each command."""
    settings = program.context_settings
    context = click.Context(program, info_name="clearset", terminal_width=100, **settings)
    return "\n\n".join(_section(context, name) for name in program.list_commands(context))


def _section(parent: click.Context, name: str) -> str:
    command = program.get_command(parent, name)
    assert command is not None  # noqa: S101 - its own list names it
    with click.Context(command, info_name=name, parent=parent, terminal_width=100) as context:
        return f"## {name}\n\n```text\n{command.get_help(context)}\n```"
