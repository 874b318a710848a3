"""``wombat-ari check``: the doctor in the terminal."""

import json
import sys
from dataclasses import asdict
from typing import Any

import click

from wombat_ari.app.cli import settings_of
from wombat_ari.app.commands.reacting import react

MARK = {"good": "ok     ", "warning": "WARNING", "bad": "BAD    "}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Ask database, dialer and every PBX, and say what is wrong and what to do. Exit status 1 when something is bad."""
    from wombat_ari.app.doctor import Finding, Grade, examine
    from wombat_ari.app.stage import open_stage

    settings = settings_of(ctx)
    database = open_stage(settings)
    found: list[Finding] = []

    async def work(reactor: Any) -> None:
        async for finding in examine(settings, database, reactor):
            found.append(finding)
            if not as_json:
                click.echo(f"{MARK[finding.grade]} {finding.about}: {finding.text}")
                if finding.advice:
                    click.echo(f"        -> {finding.advice}")

    react(work)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    sys.exit(any(finding.grade == Grade.BAD for finding in found))
