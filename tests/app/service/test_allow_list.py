"""What is to be added so that the PBXs' dialplans may call the API."""

from __future__ import annotations

import tomllib

import pytest

from tests.store.conftest import NOW
from wombat_ari.app.config import load_settings
from wombat_ari.app.service.allow_list import suggested_open_to
from wombat_ari.app.service.caller import machine_caller, trusted_caller
from wombat_ari.model.entities import Server
from wombat_ari.model.errors import UserError
from wombat_ari.model.secret import Secret
from wombat_ari.store import entities
from wombat_ari.store.database import Database

CALLER = machine_caller("ada", at=NOW)


def add(db: Database, *addresses: str, enabled: bool = True) -> None:
    for address in addresses:
        server = Server(None, address, address=address, password=Secret("x"), enabled=enabled)
        entities.save_server(db, server, by="test", now=NOW)


def test_nothing_is_missing_where_the_pbx_is_this_machine(database: Database) -> None:
    add(database, "127.0.0.1", "localhost")
    add(database, "192.0.2.99", enabled=False)
    found = suggested_open_to(CALLER, database, load_settings(environ={}))
    assert (found.missing, found.unknown, found.line, found.variable) == ((), (), "", "")


def test_the_line_holds_what_was_there_and_what_is_missing(database: Database) -> None:
    add(database, "192.0.2.7", "10.1.2.3", "2001:db8::7", "no-such-host.invalid")
    now = load_settings(environ={"WOMBAT_ARI_API_OPEN_TO": "127.0.0.1,10.0.0.0/8"})
    found = suggested_open_to(CALLER, database, now)
    assert set(found.missing) == {"192.0.2.7", "2001:db8::7"}
    assert found.unknown == ("no-such-host.invalid",)
    wanted = ["127.0.0.1", "10.0.0.0/8", *found.missing]
    assert tomllib.loads(found.line) == {"open_to": wanted}
    name, _, value = found.variable.partition("=")
    then = load_settings(environ={name: value})
    assert then["api.open_to"] == wanted
    assert suggested_open_to(CALLER, database, then).missing == ()


def test_who_may_not_see_pbxs_is_not_told_of_them(database: Database) -> None:
    with pytest.raises(UserError, match="log-on"):
        suggested_open_to(trusted_caller("127.0.0.1", at=NOW), database, load_settings(environ={}))
