"""Three PBXs for one dialer, each with a trunk and an end point, and a campaign that works on all of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.engine.world import START, World, rule
from tools.fake_pbx import FakePbx
from wombat_ari.engine.board import Pbx
from wombat_ari.model.entities import Server
from wombat_ari.model.ids import MAX_SERIES, SERIES
from wombat_ari.pbx.ami_driver import AmiDriver
from wombat_ari.store import claims, entities
from wombat_ari.store.database import Database

NAMES = ("one", "two", "three")
LINES = 6
TALKS = "5551{:02}40{:05}"  #: rings, then talks for four seconds
RULES = tuple(rule(status, times=9, after=5) for status in ("RS_LOST", "RS_ERROR"))
PORT = 5038


def set_series_apart(one: Database, other: Database) -> None:
    """They have drawn by chance: once in 899 times the same."""
    series = claims.series(one, now=START)
    with other.transaction() as tx:
        tx.run("UPDATE id_block SET next_id = %s", ((series % MAX_SERIES + 1) * SERIES,))


class Several(World):
    """Three PBXs, on ports of their own, each with a trunk and an end point; a campaign works on all three."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.fakes = {name: FakePbx(self.clock) for name in NAMES}
        self.at = {PORT + place: fake for place, fake in enumerate(self.fakes.values(), 1)}
        self.servers: dict[str, Server] = {}
        self.trunks: dict[str, int] = {}
        self.ends: dict[str, int] = {}
        for port, name in zip(self.at, NAMES, strict=True):
            self.servers[name] = server = self.add_server(name, self.at[port], port=port)
            self.trunks[name] = self.add_trunk(f"to {name}", server=server, capacity=LINES).id or 0
            self.ends[name] = self.add_end_point("waits", server=server, channels=LINES, exten="101").id or 0
        self.numbers: list[str] = []

    def begin(self, count: int, *, on: tuple[str, ...] = NAMES) -> None:
        self.numbers = [TALKS.format(2 + n % 20, n) for n in range(count)]
        self.add_campaign(
            "c",
            self.numbers,
            trunk_ids=tuple(self.trunks[name] for name in on),
            end_point_ids=tuple(self.ends[name] for name in on),
            rules=RULES,
        )
        self.start()
        self.run("c")

    def change(self, name: str, **values: Any) -> None:
        """Configure a server otherwise, and let the dialer take it."""
        self.servers[name] = saved = replace(self.servers[name], **values)
        entities.save_server(self.database, saved, by="test", now=self.clock.seconds())
        self._now(self.dialer.obey.reload("c"))

    def pbx_of(self, name: str) -> Pbx:
        return self.dialer.board.pbxs[self.servers[name].id or 0]

    def shown(self, name: str) -> dict[str, Any]:
        return next(pbx for pbx in self.dialer.publish.snapshot()["pbxs"] if pbx["name"] == name)

    def said(self, name: str) -> list[str]:
        """What the system log says of a server, in order."""
        self.advance(1)
        rows = self.rows("SELECT action, object FROM system_log ORDER BY id")
        return [action for action, thing in rows if thing == f"server {name}"]

    def placed(self, *names: str) -> int:
        return sum(len(self.fakes[name].originates) for name in names)

    def rate(self, seconds: float, *names: str) -> float:
        """Calls a second placed on these from now on."""
        before = self.placed(*names)
        self.advance(seconds)
        return (self.placed(*names) - before) / seconds

    def check(self) -> None:
        """Every record is closed, answered at last; no attempt was dialled twice, no person is on two calls."""
        self.check_ledger()
        outcomes = self.outcomes()
        assert sorted(outcomes) == sorted(self.numbers)
        assert {each[-1] for each in outcomes.values()} == {"TERMINATED"}
        assert all(set(each[:-1]) <= {"RS_LOST", "RS_ERROR"} for each in outcomes.values())
        assert self.rows("SELECT COUNT(*) FROM attempt") == [(0,)]
        ids = self.dialled_ids()
        assert len(ids) == len(set(ids)), "an attempt was dialled twice"
        board = self.dialer.board
        assert [line.used for line in (*board.trunk_lines.values(), *board.end_point_lines.values()) if line.used] == []

    def _driver(self, server: Server) -> AmiDriver:
        fake = self.at.get(server.port) or self.pbx
        return AmiDriver(server, clock=self.clock, endpoint=fake.endpoint())
