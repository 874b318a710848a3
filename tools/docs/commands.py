"""The commands and their options, from the command line itself."""

import inspect
from collections.abc import Iterator

import click

from tools.docs.page import table
from wombat_ari.app.cli import cli


def commands() -> str:
    """A heading, the help and a table of options for each command, in the order of ``wombat-ari --help``."""
    whole = click.Context(cli, info_name="wombat-ari")
    return "\n\n".join(part for context in _each(cli, whole) for part in _told(context))


def _each(group: click.Group, above: click.Context) -> Iterator[click.Context]:
    for name in group.list_commands(above):
        command = group.get_command(above, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=above)
        if isinstance(command, click.Group):
            yield from _each(command, context)
        else:
            yield context


def _told(context: click.Context) -> Iterator[str]:
    command = context.command
    arguments = [one.make_metavar(context) for one in command.params if isinstance(one, click.Argument)]
    yield " ".join([f"### {context.command_path}", *arguments])
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        yield " ".join(paragraph.split())
    rows = [one.get_help_record(context) for one in command.params if isinstance(one, click.Option)]
    shown = [(f"`{names}`", text.replace("|", "\\|")) for names, text in filter(None, rows)]
    if shown:
        yield table(("option", ""), *shown)
