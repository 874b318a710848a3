"""What commands need that act on the database as somebody at the machine."""

import getpass
import time

import click

from wombat_ari.app.cli import settings_of
from wombat_ari.app.service.caller import Caller, machine_caller
from wombat_ari.store.database import Database


def opened(ctx: click.Context) -> tuple[Caller, Database]:
    """Who runs the command, and the database."""
    from wombat_ari.app.stage import open_stage

    return machine_caller(getpass.getuser(), at=time.time()), open_stage(settings_of(ctx))
