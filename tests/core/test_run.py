"""The run machine: each cell of its table, and when a run is out of work."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wombat_ari.core.run import TABLE, RunEffect, RunEvent, RunMachine, Work, out_of_work
from wombat_ari.model.states import LIVE_RUN_STATES, RunState

S, E = RunState, RunEvent

#: Every cell: what happened in which state, the next state. What is missing is not known there.
CELLS = {
    (S.RUNNABLE, E.STARTED): S.RUNNING,
    (S.RUNNING, E.TIME_CLOSED): S.WRONG_TIME,
    (S.RUNNING, E.PAUSED): S.PAUSED,
    (S.RUNNING, E.RAN_IDLE): S.IDLE,
    (S.RUNNING, E.RAN_OUT): S.COMPLETED,
    (S.WRONG_TIME, E.TIME_OPENED): S.RUNNING,
    (S.WRONG_TIME, E.PAUSED): S.PAUSED,
    (S.WRONG_TIME, E.REMOVED): S.REMOVED,
    (S.PAUSED, E.RESUMED): S.RUNNING,
    (S.PAUSED, E.REMOVED): S.REMOVED,
    (S.IDLE, E.NUMBERS_CAME): S.RUNNING,
    (S.IDLE, E.PAUSED): S.PAUSED,
    (S.IDLE, E.REMOVED): S.REMOVED,
}
FINAL = {S.COMPLETED, S.REMOVED}


@pytest.mark.parametrize("state", list(RunState))
@pytest.mark.parametrize("event", list(RunEvent))
def test_each_cell(state: RunState, event: RunEvent) -> None:
    machine = RunMachine(state)
    wanted = CELLS.get((state, event))
    assert machine.allows(event) == (wanted is not None)
    effects = machine.handle(event)
    if wanted is None:
        assert (effects, machine.state) == (None, state)
    else:
        assert machine.state == wanted
        assert effects is not None
        assert RunEffect.SAVE in effects, "every change of state is stored"


def test_the_table_has_every_state() -> None:
    assert set(TABLE) == set(RunState)


def test_effects_of_the_ends() -> None:
    assert RunMachine(S.RUNNING).handle(E.RAN_OUT) == (RunEffect.SAVE, RunEffect.CLOSE)
    for state in (S.PAUSED, S.IDLE, S.WRONG_TIME):
        removed = RunMachine(state).handle(E.REMOVED)
        assert removed == (RunEffect.DISMISS, RunEffect.SAVE, RunEffect.CLOSE), "first the hopper is given back"
    for event in (E.PAUSED, E.TIME_CLOSED):
        stopped = RunMachine(S.RUNNING).handle(event)
        assert stopped == (RunEffect.RELEASE, RunEffect.SAVE), "what is not written yet is not; calls in progress go on"


@given(st.lists(st.sampled_from(list(RunEvent)), max_size=40))
def test_the_ends_are_final_and_everything_else_is_live(events: list[RunEvent]) -> None:
    machine = RunMachine()
    closed = 0
    for event in events:
        was = machine.state
        effects = machine.handle(event) or ()
        closed += RunEffect.CLOSE in effects
        assert was not in FINAL or effects == ()
    assert (machine.state in FINAL) == (closed == 1)
    assert (machine.state in LIVE_RUN_STATES) == (machine.state not in FINAL)


@pytest.mark.parametrize("state", sorted(LIVE_RUN_STATES))
def test_every_live_run_can_be_ended_by_hand(state: RunState) -> None:
    machine = RunMachine(state)
    for event in (E.STARTED, E.PAUSED, E.REMOVED):
        machine.handle(event)
    assert machine.state == S.REMOVED


@pytest.mark.parametrize(
    ("work", "out"),
    [
        (Work(0, 0, 0, lists_exhausted=True), True),
        (Work(0, 0, 0, lists_exhausted=False), False),
        (Work(1, 0, 0, lists_exhausted=True), False),
        (Work(0, 1, 0, lists_exhausted=True), False),
        (Work(0, 0, 1, lists_exhausted=True), False),
    ],
    ids=["nothing left", "numbers left", "in the hopper", "a call open", "a retry open"],
)
def test_out_of_work(work: Work, out: bool) -> None:
    assert out_of_work(work) is out
