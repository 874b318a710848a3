"""The command ``wombat-ari``. Each command is a module of ``app/commands``, imported when it is used: help is quick.

What a command cannot do is one line on standard error and an exit status (docs/commands.md), never a traceback.
"""

import errno
import io
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from wombat_ari import __version__
from wombat_ari.app.config import Settings, load_settings
from wombat_ari.model.errors import UserError, WombatError

#: name -> (module:function, one line of help)
COMMANDS = {
    "init": ("init:init", "Make the database and the administrator."),
    "apply": ("apply:apply", "Take servers, trunks, end points, lists and campaigns from a plan file."),
    "import": ("lists:import_list", "Put numbers from a file into a list."),
    "export": ("lists:export_list", "Write the numbers of a list to a file or standard output."),
    "serve": ("serve:serve", "Run console and dialer, and watch over the dialer."),
    "dialer": ("serve:dialer", "Run the dialer alone."),
    "web": ("serve:web", "Run the console alone."),
    "campaigns": ("campaigns:campaigns", "List the campaigns, and what is missing before one can start."),
    "run": ("runs:run", "Start a campaign and watch it."),
    "pause": ("runs:pause", "Pause the run of a campaign."),
    "resume": ("runs:resume", "Resume a paused run."),
    "remove": ("runs:remove", "End a run for good."),
    "addcall": ("calls:addcall", "Add a call to the live run of a campaign, now or for later."),
    "run-lists": ("steering:run_lists", "Show, add, pause or order the lists of a live run."),
    "boost": ("steering:boost", "Change the boost of a live run."),
    "reload": ("steering:reload", "Take a campaign's changed fields into its live run."),
    "status": ("runs:status", "Show what the dialer is doing."),
    "flow": ("flow:flow", "List the flows (IVRs in Python), or go through one at the terminal."),
    "report": ("report:report", "Report on the runs of a campaign."),
    "outbox": ("outbox:outbox", "Show, replay or drop notifications and e-mails that wait."),
    "user": ("user:user", "Show, add and change users."),
    "token": ("token:token", "Show, make and revoke the tokens of programs."),
    "agi-scripts": ("agi_scripts:agi_scripts", "Install the AGI programs for a PBX that is this machine."),
    "check": ("check:check", "Find out what is wrong, and what to do about it (the doctor)."),
}

EXIT_FAILED, EXIT_MISTAKE, EXIT_INTERRUPTED = 1, 2, 130
CANNOT_WRITE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class _Commands(click.Group):
    """Lists the commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, function = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"wombat_ari.app.commands.{module}"), function)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f"did you mean {near[0]}?" if near else "see wombat-ari --help"
            raise UserError(f"there is no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """The reader of a pipe may have had enough (``| head``): that is no mistake of anybody."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _forget_output()
            return 0

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="wombat-ari %(version)s")
@click.option("-c", "--config", type=click.Path(path_type=Path), help="The configuration file (TOML).")
@click.pass_context
def cli(ctx: click.Context, config: Path | None) -> None:
    """Wombat ARI, an outbound dialer for Asterisk.

    First steps: init, apply a plan (servers, trunks, campaigns), serve, run a campaign, report.
    """
    ctx.obj = config


def settings_of(ctx: click.Context) -> Settings:
    """The settings, read when a command needs them (so that --help works with a broken file)."""
    return load_settings(ctx.find_root().obj)


def main() -> NoReturn:
    """The console script."""
    try:
        status = _status()
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _forget_output()
        status = 0
    except OSError as error:
        if error.errno not in CANNOT_WRITE:
            raise
        _forget_output()
        status = _told(f"cannot write {error.filename or 'the output'}: {error.strerror}", EXIT_FAILED)
    sys.exit(status)


def _status() -> int:
    try:
        _use_utf8()
        _refuse_what_is_no_text(sys.argv[1:])
        return int(cli.main(prog_name="wombat-ari", standalone_mode=False) or 0)
    except SystemExit as end:
        return int(end.code or 0)
    except WombatError as error:
        return _told(str(error), EXIT_MISTAKE)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "wombat-ari"
        return _told(f"{error.format_message().rstrip('.')}; see {where} --help", EXIT_MISTAKE)
    except (click.Abort, KeyboardInterrupt):
        return _told("interrupted", EXIT_INTERRUPTED)


def _told(text: str, status: int) -> int:
    click.echo(f"wombat-ari: {text}", err=True)
    return status


def _use_utf8() -> None:
    """What goes to a file or another program is UTF-8, whatever the locale; a screen shows ? for what it has not."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8")


def _refuse_what_is_no_text(arguments: list[str]) -> None:
    for argument in arguments:
        if any("\ud800" <= letter <= "\udfff" for letter in argument):
            shown = argument.encode("utf-8", "backslashreplace").decode()
            raise UserError(f"{shown}: no text in this locale; take one with UTF-8, as LC_ALL=C.UTF-8")


def _forget_output() -> None:
    """What is not written yet goes nowhere: Python would try again at its end, and say so."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
