"""The command ``wombat-ari``. Each command is a module of ``app/commands``, imported when it is used: help is quick."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from wombat_ari import __version__
from wombat_ari.app.config import Settings, load_settings
from wombat_ari.model.errors import WombatError

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

EXIT_MISTAKE = 2


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


def main() -> Any:
    """The console script. A user's mistake is one line on standard error and exit status 2."""
    try:
        return cli.main(standalone_mode=True)
    except WombatError as error:
        click.echo(f"wombat-ari: {error}", err=True)
        sys.exit(EXIT_MISTAKE)
    except BrokenPipeError:
        sys.exit(0)  # the reader of a pipe has had enough
