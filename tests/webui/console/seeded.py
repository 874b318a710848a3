"""A whole system in which everything has a name that one can look for, and the address of every page of it.

``Seeded`` fills the database behind an ``Engine``: configuration, people, a run that is over, one that goes on with a
live call, what could not be told outside, a failed job. ``paths`` has an example of every address of the console.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from peewee import CharField, TextField
from werkzeug.routing import Rule

from tests.store.conftest import NOW
from tests.webui.console.engine import RINGS, TALKS, Engine
from tools.fake_pbx import FakePbx
from tools.fake_pbx.queues import FakeQueue
from wombat_ari.app.service import jobs
from wombat_ari.model.admin import User, UserClass
from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.model.entities import (
    CallList,
    Campaign,
    CampaignList,
    DispositionRule,
    EndPoint,
    OpeningHours,
    OpeningRule,
    Record,
    RescheduleRule,
    Server,
    Trunk,
)
from wombat_ari.model.errands import Errand, ErrandKind
from wombat_ari.model.errors import UserError
from wombat_ari.model.secret import Secret
from wombat_ari.model.states import DispositionVerb, EndPointType, ListUse
from wombat_ari.model.tokens import Scope
from wombat_ari.store import campaigns, entities, lists, opening_hours, outbox, syslog, tables, tokens, users
from wombat_ari.store.database import Database

BUSY = "5552010%03d"
#: columns of text that is ours or was checked: states and words, what is no text for people, digests and secrets, JSON
OURS = {
    "schema_version": {"name"}, "asterisk_server": {"password", "ari_password", "address"}, "end_point": {"type"},
    "record": {"number", "input_attributes", "output_attributes"},
    "campaign": {"status", "days", "zone", "logging", "logging_attributes", "notify_secret", "email_events",
    "email_addresses"}, "campaign_list": {"list_use"}, "reschedule_rule": {"mode", "status"},
    "user": {"login", "password_hash", "time_zone"}, "audit": {"entity", "old_values", "new_values"},
    "run": {"state"}, "attempt": {"number", "state", "input_attributes", "output_attributes"},
    "call_log": {"number", "outcome", "input_attributes", "output_attributes"},
    "opening_hours": {"zone"}, "opening_rule": {"from_date", "to_date", "days", "from_time", "to_time"},
    "disposition_rule": {"status", "verb", "attributes"}, "outbox": {"kind", "state", "payload"},
    "api_token": {"token_hash", "scopes"}, "web_session": {"token_hash", "stamp"}, "dialer_lease": {"name"},
    "id_block": {"name"}, "idempotency_key": {"login", "idempotency_key", "request_hash", "answer"},
}  # fmt: skip
Named = Callable[[str], str]


@dataclass
class Seeded:
    """``named("trunk")`` is what the trunk is called, and whatever else of it may hold any text. All that can carry
    the security ``key`` does; ``by`` has made it."""

    engine: Engine
    named: Named
    key: str = ""
    by: str = "maker"
    serial: int = 1  #: of numbers, so that two worlds in one database do not share them
    ids: dict[str, int] = field(default_factory=dict)
    job: str = ""

    @property
    def database(self) -> Database:
        return self.engine.world.database

    @property
    def at(self) -> float:
        return float(self.engine.world.clock.seconds())

    def configure(self) -> Seeded:
        """Before the engine starts."""
        self._lines()
        self._agents()
        self._lists()
        self._campaigns()
        return self

    def live(self) -> Seeded:
        """Once it runs: a run that is over, one that goes on with a call that was answered."""
        world = self.engine.world
        world.run(self.named("campaign over"))
        world.advance_until(lambda: world.dialer.board.run_of(self.named("campaign over")) is None)
        live = world.run(self.named("campaign"))
        world.advance_until(lambda: self._calls())
        over = self._one("SELECT MAX(id) FROM run WHERE campaign_id = %s", self.ids["campaign over"])
        attempt = self._one("SELECT MIN(wombatid) FROM call_log WHERE run_id = %s", over)
        call = self._calls()[0]["id"]
        self.ids |= {"run": live.id, "run over": over, "attempt": attempt, "call": call}
        with self.database.transaction() as tx:
            words = (self.named("status"), self.named("agent"), self.named("message"), self.named("trunk"))
            tx.run(
                "UPDATE call_log SET extended_status = %s, agent = %s, message = %s, sip_code = '', trunk_name = %s "
                "WHERE wombatid = %s",
                (words[0][:80], words[1][:80], words[2][:200], words[3], attempt),
            )
        return self

    def plant(self, text: str) -> Seeded:
        """Into all that is stored as text and does not hold it yet, also where forms refuse it: what is in a database
        may have come there another way. What is new in the schema is found by itself."""
        with self.database.transaction() as tx:
            for table, column in texts_of_others():
                known = f"{column.column_name} NOT LIKE '%%<%%'"
                longest = getattr(column, "max_length", None) or 1000
                words = ((SHAPES.get(column.column_name, "%s") % text)[: max(3, longest - 5)],)
                tx.run(f"UPDATE {table} SET {column.column_name} = %s || rowid WHERE {known}", words)
        return self

    def people(self) -> Seeded:
        """What has no security key: users, classes, tokens, logs, jobs."""
        saved = users.save_class(
            self.database, UserClass(None, self.named("class"), self.named("class text"), ("USER", "LIVE")),
            by=self.by, now=NOW,
        )  # fmt: skip
        user = User(
            None, "somebody", self.named("user"), email="a@b.example", class_id=saved.id, own_keys=("A" * 80,),
            comment=self.named("remark"), token=self.named("phone"),
        )  # fmt: skip
        user = users.save_user(self.database, user, by=self.by, now=NOW)
        token, _ = tokens.make_token(
            self.database, user.id or 0, name=self.named("token"), scopes=[Scope.READ], by=self.by, now=NOW
        )
        self.ids |= {"class": saved.id or 0, "user": user.id or 0, "token": token.id}
        words = (self.named("log"), self.named("log"), self.named("log text"), self.named("log"))
        syslog.write(self.database, [SystemLogEntry(NOW, *words)])
        payload: dict[str, object] = {"url": "https://crm.example/x", "fields": {"number": "1"}}
        errand = Errand(ErrandKind.NOTIFY, self.named("receiver"), payload, NOW, NOW, campaign_id=self.ids["campaign"])
        with self.database.transaction() as tx:
            outbox.add(tx, [errand])
            tx.run("UPDATE outbox SET error = %s, state = 'PARKED'", (self.named("trouble"),))
        with suppress(UserError):
            jobs.of(self.database).do(self._fail, kind="numbers", title=self.named("job"), owner="admin")
        self.job = jobs.of(self.database).all()[0].id
        return self

    def _fail(self, progress: jobs.Progress) -> None:
        progress(1, total=3, message=self.named("message"))
        raise UserError(self.named("job error"))

    def _agents(self) -> None:
        """Of the queue; paused, so that none is called."""
        world, name = self.engine.world, self.named("queue")
        queue = world.pbx.queues[name] = FakeQueue(world.pbx, name)
        queue.log_on(f"PJSIP/{self.named('phone')}", paused=True)

    def _lines(self) -> None:
        by: dict[str, Any] = {"by": self.by, "now": NOW}
        server = Server(
            None, self.named("server"), login="wombat", password=Secret("dials"), security_key=self.key,
            max_messages_per_unit=5,
        )  # fmt: skip
        server = entities.save_server(self.database, server, **by)
        refused = Server(
            None, self.named("server away"), self.named("address").replace(" ", ""), login=self.named("login"),
            password=Secret("wrong"), security_key=self.key,
        )  # fmt: skip
        refused = entities.save_server(self.database, refused, **by)
        world = self.engine.world
        world.pbxs |= {server.id or 0: world.pbx, refused.id or 0: FakePbx(world.clock)}
        place = server.id or 0
        trunk = Trunk(None, place, self.named("trunk"), "Local/${num}@simulated-network/n", 5, self.key)
        point = EndPoint(
            None, place, EndPointType.PHONE, self.named("end point"), "101", "simulated-endpoints", 5,
            description=self.named("end point text"), security_key=self.key,
        )  # fmt: skip
        queue = EndPoint(
            None, place, EndPointType.QUEUE, self.named("queue"), "998", "simulated-endpoints", 5,
            description=self.named("queue text"), security_key=self.key,
        )  # fmt: skip
        done = EndPoint(
            None, place, EndPointType.PHONE, self.named("end point 2"), "100", "simulated-endpoints", 5,
            security_key=self.key,
        )  # fmt: skip
        self.ids |= {
            "server": place,
            "server away": refused.id or 0,
            "trunk": entities.save_trunk(self.database, trunk, **by).id or 0,
            "end point": entities.save_end_point(self.database, point, **by).id or 0,
            "queue": entities.save_end_point(self.database, queue, **by).id or 0,
            "end point 2": entities.save_end_point(self.database, done, **by).id or 0,
        }

    def _lists(self) -> None:
        by: dict[str, Any] = {"by": self.by, "now": NOW}
        numbers = {
            "list": [TALKS % self.serial, RINGS % self.serial],
            "list over": [BUSY % (self.serial * 10 + n) for n in range(3)] + [f"5551010300{self.serial}"],
            "list black": [f"99{self.serial}"],
        }
        for name, some in numbers.items():
            saved = entities.save_list(self.database, CallList(None, self.named(name), security_key=self.key), **by)
            self.ids[name] = saved.id or 0
            for number in some:
                attributes = {"NAME": self.named("attribute"), "LONG": self.named("x") * 3}
                record = Record(None, saved.id or 0, number, attributes, {"SAID": self.named("output")})
                self.ids[f"record of {name}"] = lists.save_record(self.database, record, **by).id or 0
        hours = OpeningHours(
            None, self.named("hours"), self.named("hours text"), True, security_key=self.key,
            rules=(OpeningRule(open=True, comment=self.named("hours rule")),),
        )  # fmt: skip
        self.ids["hours"] = opening_hours.save_opening_hours(self.database, hours, **by).id or 0

    def _campaigns(self) -> None:
        rules = (RescheduleRule("RS_BUSY", "", 1, 2), RescheduleRule("TERMINATED", self.named("status")[:80], 1, 9))
        dispositions = (
            DispositionRule(
                "RS_NUMBER", self.named("status")[:80], verb=DispositionVerb.HTTP_POST,
                destination="https://crm.example/a", text=self.named("disposition"), extra="A:b",
            ),
        )  # fmt: skip
        common: dict[str, Any] = {
            "trunk_ids": (self.ids["trunk"],), "opening_hours_ids": (self.ids["hours"],), "rules": rules,
            "dispositions": dispositions, "security_key": self.key, "dial_clid": self.named("clid"),
            "dial_account": self.named("account"), "email_addresses": "a@b.example", "answer_timeout_ms": 60_000,
            "logging_alias": self.named("alias"),
        }  # fmt: skip
        black = CampaignList(self.ids["list black"], self.named("list black"), ListUse.BLACK, 2)
        for name, on, points in (
            ("campaign", "list", ("end point", "queue")),
            ("campaign over", "list over", ("end point 2",)),
        ):
            campaign = Campaign(
                None, self.named(name), end_point_ids=tuple(self.ids[point] for point in points),
                lists=(CampaignList(self.ids[on], self.named(on), ListUse.NORMAL, 1), black), **common,
            )  # fmt: skip
            saved = campaigns.save_campaign(self.database, campaign, by=self.by, now=NOW)
            self.ids[name] = saved.id or 0

    def _calls(self) -> list[dict[str, Any]]:
        mine, calls = self.named("campaign"), self.engine.snapshot()["calls"]
        return [call for call in calls if call["campaign"] == mine and call["state"] == "CONNECTED"]

    def _one(self, sql: str, *params: Any) -> int:
        with self.database.transaction(write=False) as tx:
            return int(tx.value(sql, params) or 0)


#: what a text must look like to be read at all, around whatever else it holds
SHAPES = {
    "dial_string": "Local/%s", "destination": "https://a.example/%s", "http_notify_url": "https://a.example/?%s",
    "ari_url": "http://a.example/%s", "variables": "NAME:%s", "extra": "NAME:%s",
}  # fmt: skip


def texts_of_others() -> Iterator[tuple[str, Any]]:
    """Tables with their columns of text that may be whatever people and PBXs have said."""
    for table in tables.ALL:
        name = table._meta.table_name
        for column in table._meta.sorted_fields:
            is_text = isinstance(column, CharField | TextField)
            if is_text and column.column_name not in OURS.get(name, ()):
                yield name, column


#: first part of an address and the word in it -> which thing of a ``Seeded`` it is, or a text
WORDS: dict[tuple[str, str], str] = {
    ("servers", "which"): "server", ("trunks", "which"): "trunk", ("end-points", "which"): "end point",
    ("lists", "which"): "list", ("records", "record_id"): "record of list", ("campaigns", "which"): "campaign",
    ("opening-hours", "which"): "hours", ("users", "which"): "user", ("classes", "which"): "class",
    ("tokens", "token_id"): "token", ("live", "run_id"): "run", ("live", "campaign_id"): "campaign",
    ("live", "wombatid"): "call", ("reports", "wombatid"): "attempt", ("preview", "wombatid"): "call",
    ("campaigns", "part"): "/lists", ("campaigns", "doing"): "/up", ("opening-hours", "doing"): "/up",
    ("live", "act"): "/pause", ("setup", "step"): "/campaign", ("jobs", "job_id"): "/JOB",
    ("lists", "token"): "/UPLOAD",
}  # fmt: skip
#: queries with which a page is looked at besides none; ``{run}`` is an id of a ``Seeded``
QUERIES: dict[str, tuple[str, ...]] = {
    "live": ("", "?run={run}", "?run={run over}", "?call={call}", "?campaign={campaign over}"),
    "live_part": ("", "?run={run}", "?call={call}", "?campaign={campaign over}"),
    "dynamic_lists": ("", "?run={run}"), "dynamic_lists_part": ("?run={run}",),
    "report": ("?run={run over}",), "attempts": ("?run={run over}", "?run={run over}&agent=<b>%22'"),
    "numbers": ("?run={run over}",), "report_export": ("?run={run over}&run={run}",),
    "reports": ("?from=2025-01-01",), "ami_debug": ("", "?server={server}"), "ami_debug_part": ("?server={server}",),
    "preview": ("", "?call={call}&agent=SIP/1"), "preview_part": ("?call={call}",),
    "status": ("?still=1",), "campaigns": ("?q=~",), "lists": ("?q=~",), "tokens": ("?login=<b>",),
    "lists_export": ("", "?format=csv"), "servers_one": ("",),
}  # fmt: skip


def rules_of(app: Flask, method: str) -> list[Rule]:
    """Of the console, those that take the method."""
    every = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("console.")]
    return [rule for rule in every if method in (rule.methods or ())]


def path_of(rule: Rule, seeded: Seeded, upload: str = "x") -> str:
    """An address of it. A KeyError names what ``WORDS`` lacks."""

    def word(match: re.Match[str]) -> str:
        known = WORDS[rule.rule.split("/")[1], match[1]]
        texts = {"/JOB": seeded.job, "/UPLOAD": upload}
        return texts.get(known, known[1:]) if known.startswith("/") else str(seeded.ids[known])

    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", word, rule.rule)


def looks_of(rule: Rule, seeded: Seeded, upload: str = "x") -> list[str]:
    """The address with all its queries."""
    own = QUERIES.get(rule.endpoint.removeprefix("console."), ("",))
    return [path_of(rule, seeded, upload) + query.format(**seeded.ids) for query in own]
