"""Campaigns that share lines, and what is looked at: what the PBX was told, whose calls live."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.engine.world import START, World
from wombat_ari.engine.board import LiveRun
from wombat_ari.store import campaigns

LINES = 5


def numbers(who: int, how: str = "10505", count: int = 400) -> list[str]:
    """``who`` is a digit by which the calls of a campaign are known at the PBX; ``how`` behaviour, ring and talk."""
    return [f"555{how}{who}{n:04}" for n in range(count)]


def who(dialled: str) -> int:
    """Whose call a dial string is: ``Local/55510505`` and the digit."""
    return int(dialled.removeprefix("Local/")[8])


def placed(world: World) -> Counter[int]:
    """By campaign's digit, what the PBXs were told."""
    pbxs = {id(pbx): pbx for pbx in world.pbxs.values()}
    return Counter(who(headers["channel"]) for pbx in pbxs.values() for headers in pbx.originates)


def live(world: World) -> Counter[int]:
    return Counter(who(flight.call.channel or f"Local/{flight.call.claim.number}") for flight in flights(world))


def flights(world: World) -> list[Any]:
    return [flight for flight in world.dialer.board.flights.values() if flight.call.holds_line]


def looks(world: World, seconds: float) -> Iterator[None]:
    """Every 50 ms, as often as the dialer looks by itself."""
    for _ in range(round(seconds / 0.05)):
        world.clock.advance(0.05)
        yield


def run_of(world: World, name: str) -> LiveRun:
    run = world.dialer.board.run_of(name)
    assert run is not None
    return run


class Shared:
    """Campaigns on the same lines. ``far()`` is by how much the numbers placed differ since the last ``begin()``."""

    def __init__(self, world: World, *names: str, how: str = "10505", **values: Any) -> None:
        self.world = world
        self.names = names
        self.before: Counter[int] = Counter()
        trunk, wait = world.add_trunk("shared", capacity=LINES), world.add_end_point("e", exten="101", channels=50)
        self.ways = {"trunk_ids": (trunk.id,), "end_point_ids": (wait.id,)}
        for digit, name in enumerate(names):
            world.add_campaign(name, numbers(digit, how), **{**self.ways, **values})

    def begin(self) -> None:
        self.before = placed(self.world)

    def far(self, *digits: int) -> int:
        now = placed(self.world)
        since = [now[digit] - self.before[digit] for digit in digits or range(len(self.names))]
        return max(since) - min(since)


def change(world: World, name: str, **values: Any) -> None:
    """The campaign is configured anew, and taken into use."""
    campaign = replace(campaigns.load_campaign(world.database, name), **values)
    campaigns.save_campaign(world.database, campaign, by="test", now=START)
    world._now(world.dialer.obey.reload(name))
