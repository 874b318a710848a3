"""What this system is: version and build, since when, what may be used and is, what it is made of."""

from __future__ import annotations

import time
from dataclasses import dataclass

from wombat_ari import __version__
from wombat_ari.app.made_of import Package, build, licence_text, news, packages
from wombat_ari.app.service.asks import Asks
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.rights import Right, demand
from wombat_ari.model.errors import UserError
from wombat_ari.store import entities
from wombat_ari.store.database import Database

_BORN = time.time()

__all__ = ["About", "about", "latest_news"]


@dataclass(frozen=True, slots=True)
class About:
    """``up_since``: of the dialer, None when it does not run; ``lines``: of all trunks; nothing but them is a limit."""

    version: str
    build: str
    up_since: float | None
    console_since: float
    channels: int | None  #: in use now, None when no dialer answers
    lines: int
    database: str
    packages: tuple[Package, ...]
    licence: str


def about(caller: Caller, db: Database, ask: Asks) -> About:
    demand(caller, Right.SEE_ABOUT)
    try:
        picture = ask.snapshot(calls=False)
        up_since, channels = picture["up_since"], picture["channels_in_use"]
    except UserError:
        up_since = channels = None
    return About(
        version=__version__,
        build=build(),
        up_since=up_since,
        console_since=_BORN,
        channels=channels,
        lines=sum(trunk.capacity for trunk in entities.list_trunks(db)),
        database={"sqlite": "SQLite (embedded)", "mysql": "MariaDB or MySQL"}[db.kind],
        packages=packages(),
        licence=licence_text(),
    )


def latest_news() -> tuple[str, tuple[str, ...]]:
    """Heading and what changed in the latest version, for everybody; empty when the file is not installed."""
    return news()[0] if news() else ("", ())
