"""Preview on a virtual clock: an agent is given a number, has it dialled or skips it; nobody else has it meanwhile."""

import random
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.engine.floor import TALKS, Floor, agent
from tests.engine.world import START, rule
from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.model.entities import ActivePeriod
from wombat_ari.model.errors import UserError
from wombat_ari.store import syslog

ANN, BOB, EVE = agent(1), agent(2), agent(3)
NUMBERS = [f"55510505{serial:02}" for serial in range(6)]


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    floor = Floor(tmp_path, manual_preview=True)
    floor.agents(ANN, BOB)
    return floor


def test_nothing_is_dialled_by_itself(floor: Floor) -> None:
    floor.begin(NUMBERS)
    floor.advance(30)
    assert floor.pbx.originates == []
    (shown,) = floor.dialer.publish.snapshot()["runs"]
    assert shown["why_not"] == "preview: its agents ask for their numbers"


def test_reserved_then_dialled(floor: Floor) -> None:
    floor.begin(NUMBERS[:1])
    got, number = floor.reserve(ANN)
    shown = floor.dialer.publish.snapshot()["calls"][0]
    assert (shown["state"], shown["agent"], shown["number"]) == ("RD_RESERVED", f"Agent {ANN}", number)
    floor.advance(60)
    floor.dialer.obey.dial_reserved(got)
    floor.finish()
    assert floor.log("number, outcome, agent") == [(NUMBERS[0], "TERMINATED", f"Agent {ANN}")]
    assert [headers["channel"] for headers in floor.pbx.originates] == [ANN]
    floor.check()


def test_asking_again_gives_the_same_and_nobody_else_gets_it(floor: Floor) -> None:
    floor.begin(NUMBERS)
    ann, bob = floor.reserve(ANN), floor.reserve(BOB)
    assert ann != bob
    assert [floor.reserve(ANN), floor.reserve(BOB)] == [ann, bob]
    assert floor.refusal("reserve", EVE) == "AGENT_NOT_AVAILABLE"


def test_the_system_log_is_told_by_whom_and_once_for_a_number(floor: Floor) -> None:
    floor.begin(NUMBERS)
    obey = floor.dialer.obey
    asked = SystemLogEntry(floor.clock.seconds(), "ada", "number reserved", "", "from ::1")
    got, number = obey.reserve(ANN, asked)["id"], floor.reserve(ANN)[1]
    obey.reserve(ANN, asked)
    obey.dial_reserved(got, replace(asked, action="dialled"))
    other = obey.reserve(BOB)
    obey.skip_reserved(other["id"], "LATER", replace(asked, action="skipped"))
    floor.advance(2)
    found = [(one.action, one.object, one.detail) for one in syslog.read(floor.database, user="ada")]
    assert sorted(found) == [
        ("dialled", "c", f"call {got} to {number}; from ::1"),
        ("number reserved", "c", f"call {got} to {number} for {ANN}; from ::1"),
        ("skipped", "c", f"call {other['id']} to {other['number']} as LATER; from ::1"),
    ]


def test_input_attributes_come_along(floor: Floor) -> None:
    floor.begin(floor.add_list(["5551"], '{"NAME": "Zoë", "A": "1, 2"}'))  # type: ignore[arg-type]
    assert floor.dialer.obey.reserve(ANN)["attributes"] == {"NAME": "Zoë", "A": "1, 2"}


def test_who_may_not_reserve(floor: Floor) -> None:
    floor.begin(NUMBERS)
    floor.queue.pause(ANN)
    floor.queue.private_call(BOB)
    floor.advance(0.1)
    for nobody in (ANN, BOB, EVE, "", "Agent 01"):
        assert floor.refusal("reserve", nobody) == "AGENT_NOT_AVAILABLE"
    floor.queue.pause(ANN, paused=False)
    floor.advance(0.1)
    got, _ = floor.reserve(ANN)
    floor.dialer.obey.dial_reserved(got)
    floor.advance_until(lambda: floor.dialer.board.flights[got].call.state == "CONNECTED")
    assert floor.refusal("reserve", ANN) == "AGENT_NOT_AVAILABLE"


def test_no_number_to_reserve(floor: Floor) -> None:
    floor.start()
    assert floor.refusal("reserve", ANN) == "AGENT_CANNOT_RESERVE"
    floor.begin(NUMBERS[:1])
    floor.reserve(ANN)
    assert floor.refusal("reserve", BOB) == "AGENT_CANNOT_RESERVE"
    elsewhere = floor.add_queue("998", reverse=True, manual_preview=True)
    floor.begin(NUMBERS[1:], "other", end_point_ids=(elsewhere.id,))
    assert floor.refusal("reserve", BOB) == "AGENT_CANNOT_RESERVE", "that campaign is for other agents"


def test_priorities_then_equals_in_turn_then_retries_first(floor: Floor) -> None:
    floor.begin(["5552000001"] + ["4"] * 5, "low", priority=20, rules=(rule("RS_BUSY", after=5),))
    floor.dialer.obey.dial_reserved(floor.reserve(ANN)[0])
    floor.advance(10)
    assert floor.log() == [("5552000001", "RS_BUSY", 1)]
    floor.begin(["1", "1"], "a", priority=1)
    floor.begin(["2", "2"], "b", priority=1)
    given = []
    for _ in range(6):
        got, number = floor.reserve(ANN)
        given.append(number)
        floor.dialer.obey.skip_reserved(got, "")
        floor.advance(0.1)
    assert sorted(given[:2]) == sorted(given[2:4]) == ["1", "2"]
    assert given[4:] == ["5552000001", "4"], "the retry that is due before new numbers"


@pytest.mark.parametrize(("code", "again"), [("", False), ("NOT_NOW", True), ("NEVER", False)])
def test_skipped_with_a_status_it_goes_by_the_rules(floor: Floor, code: str, again: bool) -> None:
    floor.begin(NUMBERS[:1], rules=(rule("RS_AGENTSKIP", after=60, extended_status="NOT_NOW"),))
    got, number = floor.reserve(ANN)
    floor.dialer.obey.skip_reserved(got, code)
    floor.advance(1)
    columns = "outcome, extended_status, agent, retry_in_s, wait_pre_ms, talk_ms"
    assert floor.log(columns) == [("RS_AGENTSKIP", code, f"Agent {ANN}", 60 if again else 0, 0, 0)]
    if again:
        assert floor.refusal("reserve", ANN) == "AGENT_CANNOT_RESERVE"
        floor.advance(61)
        second, same = floor.reserve(ANN)
        assert (second > got, same) == (True, number)
        floor.dialer.obey.dial_reserved(second)
    floor.finish()
    assert floor.log("attempt, outcome")[1:] == ([(2, "TERMINATED")] if again else [])
    floor.check()


def test_undecided_for_ten_minutes_it_returns_to_the_pool(floor: Floor) -> None:
    floor.begin(NUMBERS)
    got, number = floor.reserve(ANN)
    floor.advance(598, step=0.5)
    assert floor.reserve(ANN) == (got, number)
    assert floor.reserve(BOB) != (got, number)
    floor.advance(4, step=0.5)
    assert floor.refusal("dial_reserved", got) == "ID_NOT_FOUND"
    floor.dialer.obey.skip_reserved(floor.reserve(BOB)[0], "")
    assert floor.reserve(BOB) == (got, number), "it is the next one"
    assert floor.reserve(ANN) != (got, number), "who held it before does not hold it with somebody else"
    floor.dialer.obey.dial_reserved(got)
    floor.advance(2)
    assert [headers["channel"] for headers in floor.pbx.originates] == [BOB]


def test_ids_that_cannot_be_dialled_or_skipped(floor: Floor) -> None:
    floor.begin(NUMBERS)
    got, _ = floor.reserve(ANN)
    for name, more in (("dial_reserved", ()), ("skip_reserved", ("X",))):
        assert floor.refusal(name, 4711, *more) == "ID_NOT_FOUND"
    floor.dialer.obey.dial_reserved(got)
    for name, more in (("dial_reserved", ()), ("skip_reserved", ("X",))):
        assert floor.refusal(name, got, *more) == "ID_FOUND_WRONG_STATE", "asked twice"
    floor.advance_until(lambda: bool(floor.log()))
    assert floor.refusal("dial_reserved", got) == "ID_NOT_FOUND"
    assert len(floor.pbx.originates) == 1


def test_not_dialled_while_the_agent_or_every_line_is_busy(floor: Floor) -> None:
    narrow = floor.add_trunk("one line", capacity=1)
    floor.begin(NUMBERS, trunk_ids=(narrow.id,))
    ann, bob = floor.reserve(ANN)[0], floor.reserve(BOB)[0]
    floor.queue.private_call(ANN)
    floor.advance(0.1)
    assert floor.refusal("dial_reserved", ann) == "AGENT_NOT_AVAILABLE"
    floor.dialer.obey.dial_reserved(bob)
    floor.queue.private_call(ANN, begins=False)
    floor.advance(0.1)
    assert floor.refusal("dial_reserved", ann) == "AGENT_NOT_AVAILABLE"
    floor.advance_until(lambda: bool(floor.log()))
    floor.dialer.obey.dial_reserved(ann)
    floor.advance_until(lambda: len(floor.log()) == 2)


def test_who_asks_needs_no_rest(tmp_path: Path) -> None:
    floor = Floor(tmp_path, manual_preview=True, wrap_up_s=30)
    floor.agents(ANN)
    floor.begin([TALKS, TALKS])
    for calls in (1, 2):
        floor.dialer.obey.dial_reserved(floor.reserve(ANN)[0])
        floor.advance_until(lambda calls=calls: len(floor.log()) == calls, 5)


def test_a_paused_run_keeps_its_reservations_and_dials_none(floor: Floor) -> None:
    floor.begin(NUMBERS)
    got, number = floor.reserve(ANN)
    floor.command("pause", "c")
    assert floor.reserve(ANN) == (got, number)
    assert floor.refusal("reserve", BOB) == "AGENT_CANNOT_RESERVE"
    assert floor.refusal("dial_reserved", got) == "ID_FOUND_WRONG_STATE"
    floor.command("resume", "c")
    floor.dialer.obey.dial_reserved(got)
    floor.advance_until(lambda: bool(floor.log()))
    assert floor.log() == [(number, "TERMINATED", 1)]


def test_a_removed_run_takes_its_reservations_along(floor: Floor) -> None:
    floor.begin(NUMBERS)
    got, _ = floor.reserve(ANN)
    floor.command("pause", "c")
    floor.command("remove", "c")
    floor.advance(1)
    assert floor.refusal("dial_reserved", got) == "ID_NOT_FOUND"
    assert floor.refusal("reserve", ANN) == "AGENT_CANNOT_RESERVE"
    assert floor.dialer.publish.snapshot()["calls"] == []
    floor.check()
    assert floor.rows("SELECT taken, closed, dropped FROM run") == [(6, 6, 6)]


def test_outside_its_hours_a_run_gives_no_number(floor: Floor) -> None:
    noon = datetime.fromtimestamp(START, UTC)
    now_s = noon.hour * 3600 + noon.minute * 60 + noon.second
    floor.begin(NUMBERS, active_period=ActivePeriod(0, now_s + 120, "1234567", "UTC"))
    got, _ = floor.reserve(ANN)
    floor.advance(122)
    assert floor.refusal("reserve", BOB) == "AGENT_CANNOT_RESERVE"
    assert floor.refusal("dial_reserved", got) == "ID_FOUND_WRONG_STATE"
    floor.dialer.obey.skip_reserved(got, "")


def test_hang_up_of_a_reserved_call_gives_it_back(floor: Floor) -> None:
    floor.begin(NUMBERS)
    got, number = floor.reserve(ANN)
    floor.dialer.obey.hang_up(got)
    assert floor.reserve(BOB) == (got, number)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_reservations_do_not_outlive_the_dialer_but_the_numbers_do(floor: Floor, how: str) -> None:
    floor.begin(NUMBERS)
    held = [floor.reserve(ANN), floor.reserve(BOB)]
    getattr(floor, how)()
    floor.check_ledger()
    floor.start()
    floor.advance(1)
    assert floor.refusal("dial_reserved", held[0][0]) == "ID_NOT_FOUND"
    given = []
    for _ in NUMBERS:
        got, number = floor.reserve(ANN)
        given.append(number)
        floor.dialer.obey.dial_reserved(got)
        floor.advance_until(lambda: len(floor.log()) == len(given))
    assert sorted(given) == NUMBERS
    floor.finish()
    floor.check()


def test_killed_after_dial_was_asked(floor: Floor) -> None:
    """What was made durable may have been dialled: it is not given to anybody again."""
    floor.begin(NUMBERS[:1])
    got, number = floor.reserve(ANN)
    floor.dialer.obey.dial_reserved(got)
    floor.advance(0.05)
    floor.kill()
    floor.start()
    assert floor.refusal("reserve", BOB) == "AGENT_CANNOT_RESERVE"
    floor.finish()
    assert floor.outcomes() == {number: ["TERMINATED"]}
    floor.check()


def test_a_dialer_that_stops_gives_no_number(floor: Floor) -> None:
    floor.begin(NUMBERS)
    got, _ = floor.reserve(ANN)
    floor.stop()
    assert floor.refusal("reserve", BOB) == "AGENT_CANNOT_RESERVE"
    assert floor.refusal("dial_reserved", got) == "AGENT_NOT_AVAILABLE"
    assert floor.pbx.originates == []


@pytest.mark.parametrize("seed", range(3))
def test_many_agents_in_any_order_never_hold_the_same_number(floor: Floor, seed: int) -> None:
    chance = random.Random(seed)
    everybody = [agent(serial, rings=chance.choice([0, 5, 98])) for serial in range(10, 18)]
    floor.agents(*everybody)
    numbers = [f"5551{chance.randint(0, 20):02}{chance.randint(1, 40):02}{serial:03}" for serial in range(60)]
    floor.begin(numbers, rules=(rule("RS_NOAGENT", times=3, after=5), rule("RS_AGENTSKIP", times=1, after=5)))
    while floor.dialer.board.runs:
        for who in chance.sample(everybody, 3):
            _decide(floor, chance, who)
        held = [id(flight) for flight in floor.dialer.obey._preview._held.values()]
        reserved = [call["id"] for call in floor.dialer.publish.snapshot()["calls"] if call["state"] == "RD_RESERVED"]
        assert len(set(reserved)) == len(reserved) <= len(set(held))
        floor.advance(chance.choice([0.1, 1.0]))
        if chance.random() < 0.02:
            floor.kill()
            floor.start()
    floor.finish()
    assert set(floor.outcomes()) == set(numbers)
    floor.check()


def _decide(floor: Floor, chance: random.Random, who: str) -> None:
    with suppress(UserError):  # busy, or nothing there
        got, _ = floor.reserve(who)
        what = chance.choice(["dial", "dial", "dial", "skip", "wait"])
        if what == "dial":
            floor.dialer.obey.dial_reserved(got)
        elif what == "skip":
            floor.dialer.obey.skip_reserved(got, chance.choice(["", "X"]))
