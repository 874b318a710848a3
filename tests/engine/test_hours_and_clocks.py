"""Active periods in the engine: the dialer's real clock, moved by freezegun through nights in which clocks jump.

What is expected is written down in UTC, by hand: nothing here asks the code under test what the time is.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from twisted.internet.task import Clock

from tests.engine.world import World, rule
from wombat_ari.app.clock import LifeClock
from wombat_ari.engine import supervise
from wombat_ari.model.entities import ActivePeriod

ROME, NEW_YORK, SYDNEY, SANTIAGO = "Europe/Rome", "America/New_York", "Australia/Sydney", "America/Santiago"
STEP_S = 60.0


class FrozenClock(LifeClock):
    """The dialer's own clock over ``time`` as freezegun has it; timers of Twisted's ``Clock`` move with it."""

    def __init__(self, frozen: Any) -> None:
        self.timers = Clock()
        self.frozen = frozen
        super().__init__(self.timers)

    def advance(self, seconds: float) -> None:
        self.frozen.tick(seconds)
        self.timers.advance(seconds)

    def getDelayedCalls(self) -> Any:
        return self.timers.getDelayedCalls()


def utc(text: str) -> float:
    """``03-28 21:00:00`` of 2026."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC).timestamp()


def clock_at(frozen: Any, moment: str) -> FrozenClock:
    frozen.move_to(datetime.fromtimestamp(utc(moment), UTC))
    return FrozenClock(frozen)


def hours(text: str, days: str = "1234567", zone: str = "") -> ActivePeriod:
    begin, end = (
        sum(int(part) * unit for part, unit in zip(time.split(":"), (3600, 60, 1), strict=False))
        for time in text.split("-")
    )
    return ActivePeriod(begin, end, days, zone)


class Night:
    """A world whose real clock stands at ``begin``, and a campaign: one call a second could be placed."""

    def __init__(self, folder: Path, frozen: Any, begin: str, period: ActivePeriod, *, zone: str = "UTC") -> None:
        self.clock = clock_at(frozen, begin)
        self.world = World(folder, clock=self.clock, zone=zone)
        self.world.wall = self.clock.wall
        trunk = self.world.add_trunk("one", capacity=1)
        numbers = [f"555210{n:05}" for n in range(6000)]
        self.world.add_campaign("c", numbers, active_period=period, trunk_ids=(trunk.id,))
        self.world.start()
        self.run = self.world.run("c")
        self.opened: list[tuple[float, float]] = []  #: (first and last moment at which it was RUNNING)

    def watch(self, until: str) -> None:
        """Note when it is RUNNING, up to a moment."""
        while self.clock.seconds() < utc(until):
            self.clock.advance(STEP_S - self.clock.seconds() % STEP_S)
            self.clock.advance(0.06)  # a tick of the dialer
            if self.run.machine.state != "RUNNING":
                continue
            now = int(self.clock.seconds())
            if self.opened and now - self.opened[-1][1] <= STEP_S:
                self.opened[-1] = self.opened[-1][0], now
            else:
                self.opened.append((now, now))

    def spans(self) -> list[str]:
        return [f"{_clock(begin)}-{_clock(end)}" for begin, end in self.opened]

    def dialled_at(self) -> list[float]:
        return [at for (at,) in self.world.rows("SELECT attempted_at FROM call_log ORDER BY wombatid")]


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%m-%d %H:%M:%S}"


@pytest.fixture(scope="module")
def frozen() -> Iterator[Any]:
    """Python's clocks, stopped; started once, as it takes half a second."""
    with freeze_time("2026-01-01") as frozen:
        yield frozen


@pytest.fixture
def nights(tmp_path: Path, frozen: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    # When it opens again is only shown; to ask for it takes long with freezegun's slow dates.
    monkeypatch.setattr(supervise, "OPENING_EACH_S", float("inf"))
    return partial(Night, tmp_path, frozen)


#: zone, period by its wall clock, days, from, until, and when it is open; all but the period in UTC.
STORIES = {
    # Rome, 29 March: 02:00 becomes 03:00 at 01:00 UTC.
    "the night gets an hour shorter": (
        ROME,
        "01:30-03:30",
        "1",
        "03-29 00:00",
        "03-29 03:00",
        ["03-29 00:30:00-03-29 01:30:00"],
    ),
    "a period in the hour that is skipped": (ROME, "02:00-02:59", "1", "03-29 00:00", "03-29 03:00", []),
    "a begin in the hour that is skipped": (
        ROME,
        "02:30-04:00",
        "1",
        "03-29 00:00",
        "03-29 03:00",
        ["03-29 01:00:00-03-29 02:00:00"],
    ),
    "an end in the hour that is skipped": (
        ROME,
        "23:30-02:30",
        "7",
        "03-28 22:00",
        "03-29 02:00",
        ["03-28 22:30:00-03-29 00:59:00"],
    ),
    # Rome, 25 October: 03:00 becomes 02:00 at 01:00 UTC.
    "the night gets an hour longer": (
        ROME,
        "01:30-03:30",
        "1",
        "10-24 23:00",
        "10-25 03:30",
        ["10-24 23:30:00-10-25 02:30:00"],
    ),
    "a period in the hour that comes twice": (
        ROME,
        "02:00-02:30",
        "1",
        "10-24 23:30",
        "10-25 02:30",
        ["10-25 00:00:00-10-25 00:30:00", "10-25 01:00:00-10-25 01:30:00"],
    ),
    "an end in the hour that comes twice": (
        ROME,
        "23:30-02:30",
        "7",
        "10-24 21:00",
        "10-25 02:30",
        ["10-24 21:30:00-10-25 00:30:00", "10-25 01:00:00-10-25 01:30:00"],
    ),
    # New York, 8 March: 02:00 becomes 03:00 at 07:00 UTC; 1 November: 02:00 becomes 01:00 at 06:00 UTC.
    "New York in spring": (
        NEW_YORK,
        "01:30-03:30",
        "1",
        "03-08 06:00",
        "03-08 08:30",
        ["03-08 06:30:00-03-08 07:30:00"],
    ),
    "New York in autumn": (
        NEW_YORK,
        "00:30-01:30",
        "1",
        "11-01 04:00",
        "11-01 07:30",
        ["11-01 04:30:00-11-01 05:30:00", "11-01 06:00:00-11-01 06:30:00"],
    ),
    # Sydney, 5 April: 03:00 becomes 02:00 at 16:00 UTC the day before; 4 October: 02:00 becomes 03:00 at 16:00 UTC.
    "Sydney in autumn": (
        SYDNEY,
        "23:00-02:30",
        "7",
        "04-04 11:30",
        "04-04 17:30",
        ["04-04 12:00:00-04-04 15:30:00", "04-04 16:00:00-04-04 16:30:00"],
    ),
    "Sydney in spring": (SYDNEY, "01:30-03:30", "1", "10-03 15:00", "10-03 17:30", ["10-03 15:30:00-10-03 16:30:00"]),
    # Santiago, 4 April: 24:00 becomes 23:00 at 03:00 UTC of the 5th; 5 September: 24:00 becomes 01:00 at 04:00 UTC.
    "the last hour of Saturday comes twice": (
        SANTIAGO,
        "23:15-00:15",
        "7",
        "04-05 02:00",
        "04-05 05:00",
        ["04-05 02:15:00-04-05 02:59:00", "04-05 03:15:00-04-05 04:15:00"],
    ),
    "Sunday begins at one": (
        SANTIAGO,
        "23:30-01:30",
        "7",
        "09-06 03:00",
        "09-06 05:30",
        ["09-06 03:30:00-09-06 04:30:00"],
    ),
}


@pytest.mark.parametrize(
    ("story", "own"),
    [*((story, True) for story in STORIES), *((story, False) for story in list(STORIES)[::4])],
    ids=lambda value: {True: "the campaign's zone", False: "the dialer's zone"}.get(value, value),
)
def test_nights_in_which_clocks_jump(nights: Any, story: str, own: bool) -> None:
    zone, period, days, begin, until, spans = STORIES[story]
    night = nights(begin, hours(period, days, zone if own else ""), zone="Asia/Kathmandu" if own else zone)
    night.watch(until)
    assert night.spans() == spans
    inside = [(utc(span[:14]), utc(span[15:])) for span in spans]
    dialled = night.dialled_at()
    for at in dialled:
        assert any(first <= at < last + STEP_S for first, last in inside), f"somebody was called at {_clock(at)}"
    for first, last in inside:
        here = [at for at in dialled if first <= at <= last]
        assert here[0] - first < 2 * STEP_S, "it begins with the period"
        assert last - here[-1] < 4 * STEP_S, "it ends with the period"


def test_to_the_second(nights: Any) -> None:
    """Both ends belong to it; a call is not placed in the second after, nor a second late at the begin."""
    night = nights("06-03 06:59:50", hours("09:00:00-09:00:30", zone=ROME))
    night.world.advance(90)
    night.world.advance_until(lambda: not night.world.dialer.board.flights and not night.world.journal.waiting)
    dialled = night.dialled_at()
    assert utc("06-03 07:00:00") <= dialled[0] < utc("06-03 07:00:00") + 0.2
    assert utc("06-03 07:00:29") < dialled[-1] < utc("06-03 07:00:31")
    assert night.run.machine.state == "WRONG_TIME"


def test_days_over_midnight(nights: Any) -> None:
    """Friday 22:00 to 02:00 in New York is that of Friday; on Saturday evening there is none."""
    night = nights("06-05 23:00", hours("22:00-02:00", "6", NEW_YORK))
    assert night.run.machine.state == "WRONG_TIME"
    for moment, state in (
        ("06-06 01:59:55", "WRONG_TIME"), ("06-06 02:00:00", "RUNNING"), ("06-06 05:00:00", "RUNNING"),
        ("06-06 06:00:00", "RUNNING"), ("06-06 06:00:01", "WRONG_TIME"), ("06-07 03:00:00", "WRONG_TIME"),
    ):  # fmt: skip
        night.clock.frozen.move_to(datetime.fromtimestamp(utc(moment), UTC))
        night.clock.timers.advance(0.1)
        assert night.run.machine.state == state, moment


def test_a_machine_that_slept_places_nothing_before_it_has_looked_at_the_clock(nights: Any) -> None:
    """Suspended in the middle of the day, woken at night."""
    night = nights("06-03 10:00", hours("09:00-18:00", zone=ROME))
    night.world.advance(30)
    dialled = len(night.world.pbx.originates)
    assert dialled > 10
    night.clock.frozen.move_to(datetime.fromtimestamp(utc("06-03 21:00"), UTC))
    night.watch("06-03 21:05")
    assert (night.run.machine.state, len(night.world.pbx.originates) - dialled) == ("WRONG_TIME", 0)


def test_a_clock_that_is_put_back_closes_again(nights: Any) -> None:
    """The dialer's own clock never goes back; people's do: it was an hour fast, and somebody is called at eight."""
    night = nights("06-03 06:58", hours("09:00-18:00", zone=ROME))
    night.watch("06-03 07:01")
    assert night.run.machine.state == "RUNNING"
    night.world.dialer._supervise._wall = lambda: night.clock.wall() - 3600
    night.watch("06-03 07:02")
    dialled = len(night.world.pbx.originates)
    night.watch("06-03 07:59")
    assert (night.run.machine.state, len(night.world.pbx.originates) - dialled) == ("WRONG_TIME", 0)
    night.watch("06-03 08:01")
    assert night.run.machine.state == "RUNNING"


def test_retries_fall_due_in_the_active_period_only(tmp_path: Path, frozen: Any) -> None:
    """Ten in the last second: they wait for the next day, and are made once when it opens, attempt by attempt."""
    clock = clock_at(frozen, "10-24 15:59:50")
    world = World(tmp_path, clock=clock)
    numbers = [f"555203{n:05}" for n in range(10)]
    again = (rule("RS_BUSY", times=1, after=60),)
    world.add_campaign("c", numbers, active_period=hours("09:00-18:00", zone=ROME), rules=again)
    world.start()
    run = world.run("c")
    world.advance(30)
    assert (run.machine.state, run.tally.open_retries) == ("WRONG_TIME", 10), "a run with open retries goes on"
    while clock.seconds() < utc("10-25 07:59:55"):  # an hour later by UTC: clocks were put back that night
        clock.advance(30 if clock.seconds() < utc("10-25 07:58") else 1)
    assert len(world.pbx.originates) == 10
    world.advance(8)
    attempts = world.log("number, attempt, attempted_at")
    assert [attempt for _, attempt, _ in attempts].count(2) == 10
    assert {int(at - utc("10-25 08:00:00")) for _, attempt, at in attempts if attempt == 2} <= {0, 1}
    world.finish()
    world.check_ledger()


def test_numbers_that_come_at_night_wake_an_idle_run_and_nobody_else(tmp_path: Path, frozen: Any) -> None:
    clock = clock_at(frozen, "06-03 15:59:30")
    world = World(tmp_path, clock=clock)
    numbers = world.add_list(["55520100001"])
    world.add_campaign("c", numbers, active_period=hours("09:00-18:00", zone=ROME), idles_on_termination=True)
    world.start()
    run = world.run("c")
    world.advance_until(lambda: run.machine.state == "IDLE", 20)
    world.advance(60)
    world.append(numbers.list_id, ["55520100002"])
    world.advance(30)
    assert (run.machine.state, len(world.pbx.originates)) == ("WRONG_TIME", 1)


@pytest.mark.parametrize("command", ["resume", "start"])
def test_nothing_is_placed_between_a_command_and_the_look_at_the_clock(
    tmp_path: Path, frozen: Any, command: str
) -> None:
    """Resumed at night with numbers in the hopper: what it answers is what it is."""
    world = World(tmp_path, clock=clock_at(frozen, "06-03 15:59:50"))
    period = hours("09:00-18:00", zone=ROME)
    world.add_campaign("c", [f"555210{n:05}" for n in range(200)], active_period=period)
    world.start()
    if command == "start":
        world.advance(20)
        world.run("c")
    else:
        world.run("c")
        world.advance(5)
        world.command("pause", "c")
        world.advance(10)
    before = len(world.pbx.originates)
    if command == "resume":
        assert world.dialer.board.run_of("c").hopper, "it has something to dial"  # type: ignore[union-attr]
        assert world.command("resume", "c")["state"] == "WRONG_TIME"
    world.advance(10)
    assert len(world.pbx.originates) == before
