"""The AMI debugger's service: rights, filters, what several people share."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.service.conftest import caller
from tests.store.conftest import NOW
from wombat_ari.app.service.ami_debug import ANSWERS, EVENTS, KEPT, KEPT_TEXT, OURS, SHOWN, AmiDebug, list_watchable
from wombat_ari.model.entities import Server
from wombat_ari.model.errors import UserError
from wombat_ari.store import entities
from wombat_ari.store import syslog as syslog_store
from wombat_ari.store.database import Database

WHO = caller("dora", "DEBUG_AMI")


class Dialer:
    """Answers as the control client does."""

    def __init__(self) -> None:
        self.on = False
        self.said: list[list[Any]] = []

    def say(self, *texts: str, ours: bool = False) -> None:
        self.said += [[len(self.said) + 1 + place, NOW, ours, text] for place, text in enumerate(texts)]

    def overhear(self, server: int, *, after: int = 0, begin: bool = False) -> dict[str, Any]:
        self.on = self.on or begin
        found = [each for each in self.said if each[0] > after][:300] if self.on else []
        return {"on": self.on, "last": found[-1][0] if found else after, "messages": found}


@pytest.fixture
def server(database: Database) -> int:
    return entities.save_server(database, Server(None, "pbx"), by="root", now=NOW).id or 0


def test_off_until_it_is_begun(database: Database, server: int) -> None:
    dialer, debug = Dialer(), AmiDebug()
    dialer.say("Event: A")
    look = debug.look(WHO, database, dialer, server_id=server)  # type: ignore[arg-type]
    assert (look.on, look.messages) == (False, ())
    assert not dialer.on
    debug.begin(WHO, database, dialer, server)  # type: ignore[arg-type]
    look = debug.look(WHO, database, dialer, server_id=server)  # type: ignore[arg-type]
    assert (look.on, [said.text for said in look.messages]) == (True, ["Event: A"])
    (line,) = syslog_store.read(database)
    assert (line.user, line.action, line.object) == ("dora", "AMI debugger", "pbx")


def test_the_newest_first_filtered_by_text_and_kind(database: Database, server: int) -> None:
    dialer, debug = Dialer(), AmiDebug()
    debug.begin(WHO, database, dialer, server)  # type: ignore[arg-type]
    dialer.say("Action: Originate\nChannel: PJSIP/Ann", ours=True)
    dialer.say("Response: Success", "Event: Hangup\nChannel: PJSIP/ann")

    def titles(**wanted: Any) -> list[str]:
        look = debug.look(WHO, database, dialer, server_id=server, **wanted)  # type: ignore[arg-type]
        assert look.kept == 3
        return [said.title for said in look.messages]

    assert titles() == ["Event: Hangup", "Response: Success", "Action: Originate"]
    assert titles(wanted="ANN") == ["Event: Hangup", "Action: Originate"]
    assert titles(kinds=frozenset({OURS})) == ["Action: Originate"]
    assert titles(kinds=frozenset({ANSWERS, EVENTS}), wanted="hangup") == ["Event: Hangup"]
    assert titles(wanted="nothing") == []


def test_much_is_bounded(database: Database, server: int) -> None:
    dialer, debug = Dialer(), AmiDebug()
    debug.begin(WHO, database, dialer, server)  # type: ignore[arg-type]
    dialer.say(*(f"Event: {number}" for number in range(KEPT + 500)))
    for _ in range(4):
        look = debug.look(WHO, database, dialer, server_id=server)  # type: ignore[arg-type]
    assert (look.kept, look.found, len(look.messages)) == (KEPT, KEPT, SHOWN)
    assert look.messages[0].text == f"Event: {KEPT + 499}"
    dialer.say(*("x" * 8_000 for _ in range(300)))
    look = debug.look(WHO, database, dialer, server_id=server)  # type: ignore[arg-type]
    assert look.kept == KEPT_TEXT // 8_000


def test_it_is_ended_by_the_dialer(database: Database, server: int) -> None:
    dialer, debug = Dialer(), AmiDebug()
    debug.begin(WHO, database, dialer, server)  # type: ignore[arg-type]
    dialer.say("Event: A")
    debug.look(WHO, database, dialer, server_id=server)  # type: ignore[arg-type]
    dialer.on = False
    assert not debug.look(WHO, database, dialer, server_id=server).on  # type: ignore[arg-type]


def test_it_needs_its_key_and_the_servers(database: Database, server: int) -> None:
    hidden = entities.save_server(database, Server(None, "hidden", security_key="VIP"), by="root", now=NOW).id or 0
    dialer, debug = Dialer(), AmiDebug()
    admin = caller("anna", "ADMIN", "LIVE", "SYSLOG", "STATUS")
    for ask in (
        lambda: debug.begin(admin, database, dialer, server),  # type: ignore[arg-type]
        lambda: debug.look(admin, database, dialer, server_id=server),  # type: ignore[arg-type]
        lambda: list_watchable(admin, database),
    ):
        with pytest.raises(UserError, match="DEBUG_AMI"):
            ask()
    with pytest.raises(UserError, match="there is no server"):
        debug.begin(WHO, database, dialer, hidden)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="there is no server"):
        debug.look(WHO, database, dialer, server_id=hidden)  # type: ignore[arg-type]
    assert [each.description for each in list_watchable(WHO, database)] == ["pbx"]
    assert not dialer.on
