"""The doctor of the console: findings as they come, each person's own; and the test of a connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.protocol import Factory

from tests.app.service.conftest import caller
from tests.pbx.stage import RealStage
from tests.pbx.test_tls import certificate
from tests.store.conftest import NOW
from tools.fake_pbx import FakePbx
from tools.fake_pbx.session import FakeSession
from tools.provision.asterisk import AsteriskInstance
from wombat_ari.app import doctor_link
from wombat_ari.app.config import load_settings
from wombat_ari.app.doctor_words import Finding, Grade, bad, good
from wombat_ari.app.service import connection
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.connection import examine_door, with_stored_secret
from wombat_ari.app.service.doctor import Doctor
from wombat_ari.model.entities import Server, Trunk
from wombat_ari.model.errors import UserError
from wombat_ari.model.secret import Secret
from wombat_ari.store import entities
from wombat_ari.store import syslog as syslog_store
from wombat_ari.store.database import Database

SETTINGS = load_settings(environ={})
ADMIN = caller("anna", "ADMIN")


class Steps:
    """What is begun runs when the test says so."""

    def __init__(self) -> None:
        self.work: Any = None

    def begin(self, work: Any) -> None:
        self.work = work(None)

    def run(self) -> None:
        """In a thread: where a browser is open a loop of its own runs here."""
        with ThreadPoolExecutor(1) as threads:
            threads.submit(asyncio.run, self.work).result()


async def two(settings: Any, db: Database, reactor: Any, *, load: Any) -> AsyncIterator[Finding]:
    yield good("one", "well")
    yield bad("two", "ill", "mend it")


async def names(settings: Any, db: Database, reactor: Any, *, load: Any) -> AsyncIterator[Finding]:
    plan = load(db)
    for each in (*plan.servers, *plan.trunks):
        yield good(getattr(each, "description", None) or each.name, "seen")


async def broken(settings: Any, db: Database, reactor: Any, *, load: Any) -> AsyncIterator[Finding]:
    yield good("one", "well")
    raise ValueError("oops")


def test_findings_are_seen_by_who_asked(database: Database) -> None:
    steps = Steps()
    doctor = Doctor(SETTINGS, database, begin=steps.begin, examine=two)
    assert doctor.last(ADMIN) is None
    doctor.start(ADMIN)
    found = doctor.last(ADMIN)
    assert found is not None
    assert (found.under_way, found.findings, found.began_at) == (True, (), NOW)
    steps.run()
    found = doctor.last(ADMIN)
    assert found is not None
    assert (found.under_way, found.trouble) == (False, "")
    assert [finding.about for finding in found.findings] == ["one", "two"]
    assert (found.count(Grade.GOOD), found.count(Grade.BAD)) == (1, 1)
    assert doctor.last(caller("bert", "ADMIN")) is None, "his own only"
    assert [line.action for line in syslog_store.read(database)] == ["doctor"]


def test_one_at_a_time_for_each_person(database: Database) -> None:
    steps = Steps()
    doctor = Doctor(SETTINGS, database, begin=steps.begin, examine=two)
    doctor.start(ADMIN)
    first = steps.work
    doctor.start(ADMIN)
    assert steps.work is first
    steps.run()
    doctor.start(ADMIN)
    assert steps.work is not first
    steps.work.close()


def test_what_breaks_off_says_so(database: Database) -> None:
    steps = Steps()
    doctor = Doctor(SETTINGS, database, begin=steps.begin, examine=broken)
    doctor.start(ADMIN)
    with pytest.raises(ValueError, match="oops"):
        steps.run()
    found = doctor.last(ADMIN)
    assert found is not None
    assert (found.under_way, len(found.findings)) == (False, 1)
    assert "mistake of ours" in found.trouble


def test_what_a_key_hides_is_not_named(database: Database) -> None:
    hidden = entities.save_server(database, Server(None, "hidden", security_key="VIP"), by="root", now=NOW)
    seen = entities.save_server(database, Server(None, "seen"), by="root", now=NOW)
    for server, name in ((hidden, "on-hidden"), (seen, "on-seen")):
        entities.save_trunk(database, Trunk(None, server.id or 0, name, "PJSIP/${num}@c"), by="root", now=NOW)
    entities.save_trunk(
        database, Trunk(None, seen.id or 0, "secret", "PJSIP/${num}@c", security_key="VIP"), by="root", now=NOW
    )
    steps = Steps()
    doctor = Doctor(SETTINGS, database, begin=steps.begin, examine=names)
    doctor.start(ADMIN)
    steps.run()
    found = doctor.last(ADMIN)
    assert found is not None
    told = {finding.about for finding in found.findings}
    assert "seen" in told
    assert not {"hidden", "secret"} & told


@pytest.mark.parametrize("who", [caller("eve", "CAMPAIGNS", "LIVE", "STATUS", "SYSLOG"), caller("eve")])
def test_it_needs_the_key(database: Database, who: Caller) -> None:
    doctor = Doctor(SETTINGS, database, begin=Steps().begin, examine=two)
    for ask in (doctor.start, doctor.last):
        with pytest.raises(UserError, match="ADMIN"):
            ask(who)
    with pytest.raises(UserError, match="ADMIN"):
        connection.test_connection(who, database, Server(None, "x", login="a", password=Secret("b")))


# The connection


@pytest.fixture
def stored(database: Database) -> Server:
    server = Server(None, "pbx", address="pbx.example", login="wombat", password=Secret("stored-one"))
    return entities.save_server(database, server, by="root", now=NOW)


def test_the_stored_secret_goes_to_its_own_place_only(database: Database, stored: Server) -> None:
    asked = replace(stored, password=Secret(""))
    assert with_stored_secret(ADMIN, database, asked).password.reveal() == "stored-one"
    typed = replace(asked, password=Secret("typed"), address="elsewhere.example")
    assert with_stored_secret(ADMIN, database, typed).password.reveal() == "typed"
    for change in ({"address": "evil.example"}, {"port": 5039}, {"login": "root"}, {"tls": True}):
        with pytest.raises(UserError, match="not sent there"):
            with_stored_secret(ADMIN, database, replace(asked, **change))
    with pytest.raises(UserError, match="there is no server"):
        with_stored_secret(ADMIN, database, replace(asked, id=999))


def test_the_secret_of_a_hidden_server_is_not_used(database: Database, stored: Server) -> None:
    entities.save_server(database, replace(stored, security_key="VIP"), by="root", now=NOW)
    with pytest.raises(UserError, match="there is no server"):
        with_stored_secret(ADMIN, database, replace(stored, password=Secret("")))


RIGHTS = """
[poor]
secret = poor
read = all
write = originate,reporting
"""


@pytest.fixture(scope="module")
def stage(asterisk: AsteriskInstance) -> RealStage:
    return RealStage(asterisk)


def door(stage: RealStage, **changes: Any) -> list[Finding]:
    pbx = stage.asterisk
    values = {"address": pbx.host, "port": pbx.ami_port, "login": pbx.ami_user, "password": Secret(pbx.ami_secret)}
    from twisted.internet.defer import Deferred

    server = Server(None, "x", **{**values, **changes})
    return stage.result(Deferred.fromCoroutine(examine_door(server, stage.reactor)))


def test_a_good_connection_is_said_to_be_good(stage: RealStage) -> None:
    found = door(stage)
    assert [finding.text for finding in found if finding.grade is not Grade.GOOD] == []
    assert found[0].text.startswith("Asterisk ")


@pytest.mark.parametrize(
    ("changes", "text", "advice"),
    [
        (
            {"password": Secret("wrong")},
            "refused the login wombat or its secret (Authentication failed)",
            "manager.conf",
        ),
        ({"login": "nobody"}, "refused the login nobody", "manager.conf"),
        ({"port": 1}, "connection refused", "enabled"),
        ({"tls": True}, "does not speak TLS", "tlsbindaddr"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    stage: RealStage, changes: dict[str, Any], text: str, advice: str
) -> None:
    (found,) = door(stage, **changes)
    assert found.grade is Grade.BAD
    assert text in found.text
    assert advice in found.advice
    assert "wrong" not in found.text.replace("wrong address", ""), "no secret is repeated"


@pytest.mark.parametrize(
    ("tls", "trusted", "grade", "text"),
    [
        (True, True, None, ""),
        (True, False, Grade.BAD, "is not trusted"),
        (False, True, Grade.BAD, "says nothing"),
    ],
)
def test_a_pbx_that_speaks_tls(
    stage: RealStage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tls: bool,
    trusted: bool,
    grade: Grade | None,
    text: str,
) -> None:
    from twisted.internet.ssl import DefaultOpenSSLContextFactory

    monkeypatch.setattr(doctor_link, "PATIENCE_S", 0.5)
    pem, key = certificate(tmp_path, "127.0.0.1")
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    pbx = FakePbx(stage.reactor)
    factory: Any = Factory.forProtocol(lambda: FakeSession(pbx))
    port = stage.reactor.listenSSL(0, factory, DefaultOpenSSLContextFactory(str(key), str(pem)), interface="127.0.0.1")
    found = door(stage, port=port.getHost().port, password=Secret("dials"), tls=tls)
    port.stopListening()
    if grade is None:
        assert "Asterisk" in found[0].text, found
        return
    assert (found[0].grade, text in found[0].text) == (grade, True), found
    assert "TLS" in found[0].advice


def test_a_port_that_says_nothing_is_not_waited_for_long(stage: RealStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_link, "PATIENCE_S", 0.5)
    (found,) = door(stage, port=stage.asterisk.http_port)
    assert "says nothing" in found.text
    assert "TLS" in found.advice


def test_missing_classes_are_named(new_asterisk: Any) -> None:
    pbx = new_asterisk(extra_conf={"manager.d/poor.conf": RIGHTS})
    found = door(RealStage(pbx), login="poor", password=Secret("poor"))
    (finding,) = [finding for finding in found if finding.grade is Grade.BAD]
    assert finding.text == "the login poor may not write call, system"
    assert finding.advice.startswith("add call,system to write = of [poor]")
