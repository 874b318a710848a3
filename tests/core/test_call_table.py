"""The call machine's table: what it says is known, leads where it says, and nothing else changes anything."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from tests.core.story import (
    ACCEPTED,
    ANSWERED,
    CREATED,
    END_POINT,
    GONE,
    HANG_UP,
    LINK_BROKE,
    PBX_STOPPED,
    RECORDED,
    RELEASED,
    SCHEDULED,
    SENT,
    START,
    SUCCEEDED,
    TIME_UP,
    WOMBATID,
    Story,
    callee_end,
    dial_end,
    failed,
    hung_up,
    leg_end,
    leg_hung_up,
    live,
    new_call,
    refused,
    status,
    trace,
)
from wombat_ari.core.call import HISTORY, Call
from wombat_ari.core.call_table import TABLE
from wombat_ari.model import events as ev
from wombat_ari.model.states import CallState

S = CallState

#: Each kind of event, in the forms that make a difference.
EVENTS: list[ev.CallEvent] = [
    SCHEDULED,
    RECORDED,
    RELEASED,
    SENT,
    ev.NotSent(WOMBATID, "a line break"),
    ev.NotSent(WOMBATID, "the link is down", again=True),
    HANG_UP,
    TIME_UP,
    ACCEPTED,
    refused(),
    CREATED,
    ANSWERED,
    SUCCEEDED,
    failed(0),
    failed(3),
    failed(5),
    dial_end("BUSY"),
    leg_end("NOANSWER"),
    leg_hung_up(1, "404"),
    hung_up(0),
    hung_up(17),
    ev.AgentConnected(WOMBATID, "Agent/101"),
    ev.AgentHungUp(WOMBATID),
    END_POINT,
    status("1"),
    ev.AttributeSet(WOMBATID, "A", "1"),
    ev.AttributeAppended(WOMBATID, "A", "1"),
    ev.AttributeCleared(WOMBATID, "A"),
    LINK_BROKE,
    PBX_STOPPED,
    live(up=True),
    live(up=False),
    GONE,
    trace(answered=True, cause=16, ended_ms=900, talk_ms=100),
    ev.Reserved(WOMBATID),
    ev.DialAsked(WOMBATID),
    ev.Skipped(WOMBATID, "LATER"),
    ev.LegDialled(WOMBATID, "PJSIP/carrier-00000001"),
    callee_end("ANSWER"),
    callee_end("BUSY"),
    live(up=True, bridged=True),
    ev.CalleeEnded(WOMBATID, "BUSY", 17, 0),
    ev.CalleeEnded(WOMBATID, "ANSWER", 16, 500),
]


def _stories() -> list[Story]:
    """Calls in every state, with the differences in what was seen that a step may look at."""
    released = Story(sent=False).at(0, SCHEDULED, RELEASED)
    taken_up = Story(sent=False)
    taken_up.call.take_up(S.REQUESTED, (START, START, None))
    return [
        Story(sent=False),
        released,
        Story(sent=False).at(0, SCHEDULED),
        Story(sent=False).at(0, SCHEDULED, RECORDED),
        Story(),
        taken_up,
        Story().at(1, LINK_BROKE),
        Story().at(1, HANG_UP),
        Story().at(10, CREATED),
        Story().at(10, CREATED, leg_end("NOANSWER"), LINK_BROKE),
        Story().at(10, CREATED, SUCCEEDED),
        Story(closure_s=0.5).at(10, CREATED, SUCCEEDED),
        Story().at(10, SUCCEEDED, HANG_UP),
        Story().at(10, failed(0)),
        Story().at(10, CREATED, failed(8)),
        Story().at(10, CREATED, failed(8), LINK_BROKE),
        Story().at(10, CREATED, leg_end("NOANSWER"), failed(8), hung_up(0)),
        Story().at(10, CREATED, hung_up(17)),
        Story().at(10, CREATED, hung_up(0)),
        Story().at(10, CREATED, SUCCEEDED).at(900, hung_up(0)),
        Story().at(10, CREATED, SUCCEEDED).at(900, hung_up(16)),
        Story(sent=False, agent="PJSIP/1").at(0, ev.Reserved(WOMBATID)),
        Story(sent=False, agent="PJSIP/1"),
        Story(sent=False, agent="PJSIP/1").at(0, SCHEDULED),
        Story(agent="PJSIP/1"),
        Story(agent="PJSIP/1").at(1, HANG_UP),
        Story(agent="PJSIP/1").at(10, CREATED, SUCCEEDED),
        Story(agent="PJSIP/1").at(10, CREATED, SUCCEEDED).at(20, callee_end("BUSY"), leg_hung_up(17)),
        Story(agent="PJSIP/1").at(10, CREATED, SUCCEEDED).at(20, callee_end("ANSWER")),
    ]


def test_the_table_names_every_state_and_only_call_events() -> None:
    assert set(TABLE) == set(S)
    kinds = {kind for cells in TABLE.values() for kind in cells}
    words = {word for word in vars(ev).values() if isinstance(word, type) and issubclass(word, ev.CallEvent)}
    assert kinds == words - {ev.CallEvent}, "an event that no state knows is of no use"
    assert kinds == {type(event) for event in EVENTS}


def test_every_cell_leads_exactly_where_it_says() -> None:
    """So the diagram in the docs has no arrow that no call takes, and none is missing."""
    led: dict[tuple[S, str], set[S]] = {}
    for story in _stories():
        for event in EVENTS:
            call = copy.deepcopy(story.call)
            before = call.state
            late = max(START + 1, call.deadline or 0)
            if call.handle(event, late) is not None:
                led.setdefault((before, type(event).__name__), set()).add(call.state)
    said = {(state, kind.__name__): set(step.to) for state, cells in TABLE.items() for kind, step in cells.items()}
    differing = {cell: (led.get(cell), said.get(cell)) for cell in led | said if led.get(cell) != said.get(cell)}
    assert not differing, "(what a call did, what the table says)"


@pytest.mark.parametrize("story", _stories(), ids=lambda story: story.call.state)
def test_an_event_that_the_state_does_not_know_changes_nothing(story: Story) -> None:
    for event in EVENTS:
        call = copy.deepcopy(story.call)
        if type(event) in TABLE[call.state]:
            continue
        before = contents(call)
        assert call.handle(event, START + 1) is None
        assert contents(call) == before
        assert call.history[-1] == type(event).__name__, "but it is remembered, for the log"


def contents(call: Call) -> dict[str, Any]:
    """All that a call holds, except its history."""
    held = {name: getattr(call, name) for name in Call.__slots__ if name != "history"}
    return {**held, "evidence": replace(call.evidence), "output_attributes": dict(call.output_attributes)}


def test_every_state_that_has_steps_can_be_reached_and_left() -> None:
    reached = {S.IN_HOPPER}
    for _ in S:
        reached |= {state for at in reached for step in TABLE[at].values() for state in step.to}
    assert reached == set(S)
    for state in reached - {S.ENDED}:
        assert any(step.to - {state} for step in TABLE[state].values())
    assert all(step.to == {S.ENDED} for step in TABLE[S.ENDED].values()), "what has ended stays so"


def test_history_is_bounded_and_keeps_the_beginning() -> None:
    call = new_call()
    for event in [SCHEDULED, SENT, *[END_POINT] * 1000]:
        call.handle(event, START)
    assert len(call.history) == HISTORY
    assert call.history[:2] == ("Scheduled", "Sent")


def test_a_call_knows_its_own_names() -> None:
    call = new_call()
    assert (call.wombatid, call.unique_id, call.attempt) == (4711, "wbt-0000000000004711", 1)
