"""The run machine: one execution of a campaign (spec 02 "Run"). Pure: (state, event) -> (state, effects).

``TABLE`` is the truth of the code, the tests and the diagram in docs. An event that a state does not know changes
nothing and is reported by ``handle`` returning None.
"""

from dataclasses import dataclass
from enum import StrEnum

from wombat_ari.model.states import RunState

S = RunState


class RunEvent(StrEnum):
    """What happens to a run, in the past tense."""

    STARTED = "STARTED"
    TIME_OPENED = "TIME_OPENED"  #: the active period began
    TIME_CLOSED = "TIME_CLOSED"  #: it ended
    PAUSED = "PAUSED"  #: by hand or API
    RESUMED = "RESUMED"
    REMOVED = "REMOVED"
    RAN_OUT = "RAN_OUT"  #: no number, no open retry, no open call; the campaign completes
    RAN_IDLE = "RAN_IDLE"  #: the same; the campaign idles on termination
    NUMBERS_CAME = "NUMBERS_CAME"


class RunEffect(StrEnum):
    SAVE = "SAVE"  #: store the state, and say it in the system log
    RELEASE = "RELEASE"  #: what was given a line and is not written to the PBX yet goes back to the hopper
    DISMISS = "DISMISS"  #: give the hopper back: nothing new is placed any more
    CLOSE = "CLOSE"  #: forget the run; it stays in the reports


SAVE, RELEASE, DISMISS, CLOSE = (
    (RunEffect.SAVE,),
    (RunEffect.RELEASE, RunEffect.SAVE),
    (RunEffect.DISMISS, RunEffect.SAVE, RunEffect.CLOSE),
    (RunEffect.SAVE, RunEffect.CLOSE),
)

#: state -> event -> (next state, effects). Pausing is possible from every live state, as a supervisor expects; a
#: resumed run is RUNNING and finds by itself that it is the wrong time or has nothing to do.
TABLE: dict[RunState, dict[RunEvent, tuple[RunState, tuple[RunEffect, ...]]]] = {
    S.RUNNABLE: {RunEvent.STARTED: (S.RUNNING, SAVE)},
    S.RUNNING: {
        RunEvent.TIME_CLOSED: (S.WRONG_TIME, RELEASE),
        RunEvent.PAUSED: (S.PAUSED, RELEASE),
        RunEvent.RAN_IDLE: (S.IDLE, SAVE),
        RunEvent.RAN_OUT: (S.COMPLETED, CLOSE),
    },
    S.WRONG_TIME: {
        RunEvent.TIME_OPENED: (S.RUNNING, SAVE),
        RunEvent.PAUSED: (S.PAUSED, SAVE),
        RunEvent.REMOVED: (S.REMOVED, DISMISS),
    },
    S.PAUSED: {
        RunEvent.RESUMED: (S.RUNNING, SAVE),
        RunEvent.REMOVED: (S.REMOVED, DISMISS),
    },
    S.IDLE: {
        RunEvent.NUMBERS_CAME: (S.RUNNING, SAVE),
        RunEvent.PAUSED: (S.PAUSED, SAVE),
        RunEvent.REMOVED: (S.REMOVED, DISMISS),
    },
    S.COMPLETED: {},
    S.REMOVED: {},
}


@dataclass(slots=True)
class RunMachine:
    """The state of one run."""

    state: RunState = RunState.RUNNABLE

    def handle(self, event: RunEvent) -> tuple[RunEffect, ...] | None:
        """Move on, and answer what is to be done; None when this state does not know the event."""
        step = TABLE[self.state].get(event)
        if step is None:
            return None
        self.state, effects = step
        return effects

    def allows(self, event: RunEvent) -> bool:
        return event in TABLE[self.state]


@dataclass(frozen=True, slots=True)
class Work:
    """What a run still has to do."""

    in_hopper: int
    open_calls: int
    open_retries: int
    lists_exhausted: bool


def out_of_work(work: Work) -> bool:
    """Out of numbers and retries, and no call open."""
    return work.lists_exhausted and not (work.in_hopper or work.open_calls or work.open_retries)
