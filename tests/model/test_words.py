"""The words of the dialer: frozen values, and enums whose text is what is stored, sent and shown."""

import dataclasses
import inspect
from enum import StrEnum
from types import ModuleType

import pytest

from wombat_ari.model import calls, effects, entities, errors, events, states
from wombat_ari.model.states import LIVE_RUN_STATES, CallState, Outcome, RunState

ENUMS = [word for word in vars(states).values() if isinstance(word, type) and issubclass(word, StrEnum)]


def words_of(module: ModuleType) -> list[type]:
    return [word for word in vars(module).values() if inspect.isclass(word) and word.__module__ == module.__name__]


@pytest.mark.parametrize("enum", [enum for enum in ENUMS if enum is not StrEnum], ids=lambda enum: enum.__name__)
def test_a_members_text_is_its_name(enum: type[StrEnum]) -> None:
    for member in enum:
        assert member == member.name == str(member)
        assert len(member) <= 20, "a column of the database holds it"


def test_the_states_and_outcomes_of_the_specification() -> None:
    shown = "SCHEDULED REQUESTED DIALLING CONNECTED RD_RESERVED RD_SCHEDULED RD_AGENTREQ RD_REQUESTED"
    assert set(CallState) == {"IN_HOPPER", *shown.split(), "CLOSING", "ENDED"}
    retried = "BUSY NOANSWER REJECTED NUMBER TIMEOUT ERROR LOST NOAGENT AGENTSKIP BLACKLIST AGENT FAX VOICEMAIL"
    assert set(Outcome) == {"TERMINATED", *(f"RS_{word}" for word in retried.split())}
    assert set(RunState) == set("RUNNABLE RUNNING WRONG_TIME PAUSED IDLE COMPLETED REMOVED".split())
    assert set(RunState) - LIVE_RUN_STATES == {RunState.COMPLETED, RunState.REMOVED}


@pytest.mark.parametrize(
    "word",
    [word for module in (calls, effects, entities, events) for word in words_of(module)],
    ids=lambda w: w.__name__,
)
def test_values_are_frozen_and_slotted(word: type) -> None:
    assert dataclasses.is_dataclass(word)
    assert "__slots__" in vars(word), "thousands of them live"
    frozen = word.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert frozen or word is calls.Evidence, "the one word that is filled as events come"
    assert inspect.getdoc(word)


def test_events_of_a_call_name_it_first() -> None:
    for word in words_of(events):
        if issubclass(word, events.CallEvent):
            assert next(iter(inspect.signature(word).parameters)) == "call"


def test_first_try_is_retry_zero() -> None:
    claim = calls.Claim(1, 1, 1, 1, "list", "5551001", 1)
    assert claim.retry == 0


class TestRetryAt:
    def result(self, retry_in_s: int) -> calls.CallResult:
        claim = calls.Claim(1, 1, 1, 1, "list", "5551001", 1)
        return calls.CallResult(
            claim=claim, outcome=Outcome.RS_BUSY, extended_status="", output_attributes={}, attempted_at=1000.0,
            ended_at=1010.0, wait_pre_ms=1, wait_after_ms=2, talk_ms=3, retry_in_s=retry_in_s, trunk_id=1,
            trunk_name="carrier", end_point_id=1, end_point_name="survey", server_id=1, agent="", channel="",
            unique_id="", cause=17, sip_code="", dial_status="BUSY",
        )  # fmt: skip

    def test_counted_from_the_end_of_the_call(self) -> None:
        assert self.result(300).retry_at == 1310.0

    def test_a_closed_record_has_none(self) -> None:
        assert self.result(0).retry_at is None


def test_errors_have_stable_codes_and_words_for_people() -> None:
    codes = {error.code for error in words_of(errors)}
    assert codes == {"error", "user", "pbx", "store"}
    special = errors.UserError("campaign spring is running already", code="campaign-live")
    assert (special.code, str(special)) == ("campaign-live", "campaign spring is running already")
    assert errors.UserError("other").code == "user", "a code given to one error is not given to all"
    assert errors.StoreError("away", transient=True).transient
    assert not errors.StoreError("broken").transient
