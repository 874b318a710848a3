"""A whole dialer in one thread on a virtual clock: real store (SQLite), real engine, fake PBX behind the AMI driver.

An hour of calls takes a second. ``advance`` moves the clock in small steps, as life does.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import defer
from twisted.internet.task import Clock

from tools.fake_pbx import FakePbx, FakeQueue
from wombat_ari.bridge.desk import Desk
from wombat_ari.bridge.journal import Journal
from wombat_ari.bridge.pool import InlinePool
from wombat_ari.engine.board import LiveRun
from wombat_ari.engine.deliver import Send
from wombat_ari.engine.dialer import Dialer
from wombat_ari.engine.equip import AriFactory
from wombat_ari.model.entities import CallList, Campaign, CampaignList, EndPoint, RescheduleRule, Server, Trunk
from wombat_ari.model.secret import Secret
from wombat_ari.model.states import EndPointType, ListUse
from wombat_ari.pbx.ami_driver import AmiDriver
from wombat_ari.store import campaigns, entities, ledger, migrations
from wombat_ari.store.database import Database, open_database

START = 1_790_000_000.0  #: a Monday noon in September 2026, UTC


class World:
    """One PBX, one trunk, one end point to begin with; more are added by the methods. ``zone`` is the dialer's own,
    ``wall`` the machine's clock where it differs from ``clock``.
    """

    def __init__(self, folder: Path, *, database: Database | None = None, clock: Any = None, zone: str = "UTC") -> None:
        self.clock = clock or Clock()
        if clock is None:
            self.clock.rightNow = START
        self.zone = zone
        self.wall: Callable[[], float] | None = None
        self.make_ari: AriFactory = lambda server, set_variable: None
        self.send: Send | None = None  #: takes errands outside; None: none are done
        self.pbx = FakePbx(self.clock)
        self.pbxs: dict[int, FakePbx] = {}
        self.database = database or open_database(f"sqlite:///{folder / 'w.db'}", key_file=folder / "key")
        migrations.migrate(self.database, now=START)
        self.pool = FlakyPool()
        self.server = self.add_server("pbx", self.pbx)
        self.trunk = self.add_trunk("Trunk")
        self.end_point = self.add_end_point("Message")
        self.dialer: Dialer
        self.journal: Journal
        self.lists = 0

    # Configuration

    def add_server(self, name: str, pbx: FakePbx, **values: Any) -> Server:
        values = {"unit_length_ms": 50, "max_messages_per_unit": 5, **values}
        server = Server(None, name, login="wombat", password=Secret("dials"), **values)
        server = entities.save_server(self.database, server, by="test", now=START)
        self.pbxs[server.id or 0] = pbx
        return server

    def add_trunk(self, name: str, *, capacity: int = 10, server: Server | None = None) -> Trunk:
        server_id = (server or self.server).id or 0
        trunk = Trunk(None, server_id, name, "Local/${num}@simulated-network/n", capacity)
        return entities.save_trunk(self.database, trunk, by="test", now=START)

    def add_end_point(
        self, name: str, *, channels: int = 10, server: Server | None = None, exten: str = "100"
    ) -> EndPoint:
        server_id = (server or self.server).id or 0
        end_point = EndPoint(None, server_id, EndPointType.PHONE, name, exten, "simulated-endpoints", channels)
        return entities.save_end_point(self.database, end_point, by="test", now=START)

    def add_queue(
        self, name: str, *, channels: int = 50, wrap_up_s: int = 0, ivr_s: float = 0, **values: Any
    ) -> EndPoint:
        """A queue of the PBX, and an end point that leads there."""
        self.pbx.queues[name] = FakeQueue(self.pbx, name, wrap_up_s=wrap_up_s, ivr_s=ivr_s)
        values = {"wrap_up_s": wrap_up_s, **values}
        end_point = EndPoint(
            None, self.server.id or 0, EndPointType.QUEUE, name, name, "simulated-endpoints", channels, **values
        )
        return entities.save_end_point(self.database, end_point, by="test", now=START)

    def add_list(self, numbers: list[str], attributes: str = "{}") -> CampaignList:
        self.lists += 1
        name = f"list {self.lists}"
        saved = entities.save_list(self.database, CallList(None, name), by="test", now=START)
        assert saved.id is not None
        self.append(saved.id, numbers, attributes)
        return CampaignList(saved.id, name, ListUse.NORMAL, self.lists)

    def append(self, list_id: int, numbers: list[str], attributes: str = "{}") -> None:
        with self.database.transaction() as tx:
            tx.many(
                "INSERT INTO record (list_id, number, input_attributes, output_attributes) VALUES (%s, %s, %s, %s)",
                [(list_id, number, attributes, "{}") for number in numbers],
            )
            tx.run("UPDATE call_list SET records = records + %s WHERE id = %s", (len(numbers), list_id))

    def add_campaign(self, name: str, numbers: list[str] | CampaignList, **values: Any) -> Campaign:
        lists = (numbers if isinstance(numbers, CampaignList) else self.add_list(numbers),)
        defaults: dict[str, Any] = {
            "trunk_ids": (self.trunk.id,),
            "end_point_ids": (self.end_point.id,),
            "lists": lists,
            "answer_timeout_ms": 5000,
        }
        campaign = Campaign(None, name, **{**defaults, **values})
        return campaigns.save_campaign(self.database, campaign, by="test", now=START)

    # Life

    def start(self) -> None:
        """Start a dialer, as a new process would."""
        desk = Desk(self.pool, self.database)
        self.journal = Journal(self.clock, desk.write_journal)
        self.dialer = Dialer(
            self.clock, desk, self.journal, self._driver, version="test", zone=self.zone, wall=self.wall,
            send=self.send, make_ari=self.make_ari,
        )  # fmt: skip
        self._now(self.dialer.start())
        self.advance(1)

    def stop(self) -> None:
        stopping = defer.Deferred.fromCoroutine(self.dialer.stop())
        self.advance(2)
        assert stopping.called, "the dialer did not stop"

    def kill(self) -> None:
        """``kill -9``: nothing is written down, nothing is told; the PBX and its calls go on."""
        for call in list(self.clock.getDelayedCalls()):
            if not _belongs_to_pbx(call):
                call.cancel()
        for pbx in self.pbxs.values():
            pbx.cut()
        for live in self.dialer.board.pbxs.values():
            live.driver._link.stop()  # type: ignore[attr-defined]
        self.clock.advance(0)

    def run(self, campaign: str) -> LiveRun:
        """Start a run; UserError says why not."""
        return self._now(self.dialer.obey._supervise.start(campaign, "test"))

    def command(self, name: str, campaign: str) -> Any:
        return self._now(getattr(self.dialer.obey, f"{name}_run")(campaign, "test"))

    def advance(self, seconds: float, step: float = 0.05) -> None:
        for _ in range(round(seconds / step)):
            self.clock.advance(step)

    def advance_until(self, condition: Any, limit: float = 600.0) -> None:
        until = self.clock.seconds() + limit
        while not condition():
            assert self.clock.seconds() < until, f"not reached within {limit} s: {self.dialer.publish.snapshot()}"
            self.clock.advance(0.05)

    def finish(self, limit: float = 3600.0) -> None:
        """Until no run is live and everything is written down."""
        self.advance_until(lambda: not self.dialer.board.runs and not self.journal.waiting, limit)

    # What came of it

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.database.transaction(write=False) as tx:
            return [tuple(row) for row in tx.rows(sql)]

    def log(self, columns: str = "number, outcome, attempt") -> list[tuple[Any, ...]]:
        return self.rows(f"SELECT {columns} FROM call_log ORDER BY wombatid")

    def outcomes(self) -> dict[str, list[str]]:
        """number -> outcomes of its attempts, in order."""
        found: dict[str, list[str]] = {}
        for number, outcome, _ in self.log():
            found.setdefault(number, []).append(outcome)
        return found

    def check_ledger(self) -> None:
        for (run_id,) in self.rows("SELECT id FROM run"):
            ledger.check_ledger(self.database, run_id)

    def dialled_ids(self) -> list[str]:
        return [headers["channelid"] for pbx in self.pbxs.values() for headers in pbx.originates]

    def _driver(self, server: Server) -> AmiDriver:
        return AmiDriver(server, clock=self.clock, endpoint=self.pbxs[server.id or 0].endpoint())

    def _now(self, coroutine: Any) -> Any:
        """A coroutine that must be through within a second of the virtual clock."""
        waiting = defer.Deferred.fromCoroutine(coroutine)
        outcome: list[Any] = []
        waiting.addBoth(outcome.append)
        for _ in range(40):
            if outcome:
                break
            self.clock.advance(0.025)
        assert outcome, "it did not answer"
        if hasattr(outcome[0], "raiseException"):
            outcome[0].raiseException()
        return outcome[0]


class FlakyPool(InlinePool):
    """An inline pool whose database can be away: ``trouble`` is raised by every job."""

    trouble: Exception | None = None

    def write(self, job: Any, *args: Any, **kwargs: Any) -> Any:
        if self.trouble is not None:
            return defer.fail(self.trouble)
        return super().write(job, *args, **kwargs)

    read = write


def _belongs_to_pbx(call: Any) -> bool:
    owner = getattr(call.func, "__self__", None)
    return type(owner).__module__.startswith("tools.fake_pbx")


def rule(status: str, *, times: int = 1, after: int = 10, **values: Any) -> RescheduleRule:
    return RescheduleRule(status, max_attempts=times, retry_after_s=after, **values)
