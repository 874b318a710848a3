"""A world of reverse dialling: agents of queue 999, whose phones the fake PBX plays, and a campaign that goes there."""

from pathlib import Path
from typing import Any

from tests.engine.world import World
from tools.fake_pbx import FakeQueue
from wombat_ari.model.entities import EndPoint
from wombat_ari.model.errors import UserError

TALKS = "5551050500"  #: rings half a second, talks half a second


def agent(serial: int, *, rings: int = 5, talks: int = 0) -> str:
    """An interface: tenths of a second until they answer (98: reject, 99: never), until they hang up (0: never)."""
    return f"Local/{serial:02}{rings:02}{talks:02}@simulated-agents/n"


class Floor(World):
    """``most`` is how many calls an agent ever had at once."""

    def __init__(self, folder: Path, **values: Any) -> None:
        super().__init__(folder)
        self.point: EndPoint = self.add_queue("999", reverse=True, **values)
        self.lines = self.add_trunk("many", capacity=50)
        self.most = 0

    @property
    def queue(self) -> FakeQueue:
        return self.pbx.queues["999"]

    def agents(self, *interfaces: str) -> None:
        for interface in interfaces:
            self.queue.log_on(interface)

    def begin(self, numbers: list[str], name: str = "c", **values: Any) -> None:
        """The campaign, and its run, with its first numbers in the hopper."""
        ways = {"trunk_ids": (self.lines.id,), "end_point_ids": (self.point.id,), "answer_timeout_ms": 5000}
        self.add_campaign(name, numbers, **{**ways, **values})
        if not hasattr(self, "dialer"):
            self.start()
        self.run(name)
        self.advance(0.1)

    def advance(self, seconds: float, step: float = 0.05) -> None:
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            self.look()

    def advance_until(self, condition: Any, limit: float = 600.0) -> None:
        def come_true() -> Any:
            self.look()
            return condition()

        super().advance_until(come_true, limit)

    def look(self) -> None:
        called = [call.interface for call in self.pbx.live.values() if hasattr(call, "interface")]
        self.most = max([self.most, *(called.count(each) for each in called)])

    def state(self, number: str) -> str:
        """Of a live call, empty if there is none."""
        shown = self.dialer.publish.snapshot()["calls"]
        return next((call["state"] for call in shown if call["number"] == number), "")

    def reserve(self, interface: str) -> tuple[int, str]:
        """The id and number that an agent gets."""
        got = self.dialer.obey.reserve(interface)
        return got["id"], got["number"]

    def refusal(self, name: str, *arguments: Any) -> str:
        """The code with which a command is refused."""
        try:
            getattr(self.dialer.obey, name)(*arguments)
        except UserError as refusal:
            return refusal.code
        raise AssertionError(f"{name} {arguments} was not refused")

    def check(self) -> None:
        """Everything was given back, every number is accounted for, nobody had two calls."""
        board = self.dialer.board
        lines = [*board.trunk_lines.values(), *board.end_point_lines.values()]
        assert all(line.used == 0 for line in lines)
        assert not board.flights
        assert not self.dialer._observe._given._calls
        assert self.most <= 1, "an agent had two calls at once"
        self.check_ledger()
        ids = self.dialled_ids()
        assert len(ids) == len(set(ids))
