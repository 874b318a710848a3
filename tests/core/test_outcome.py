"""What an attempt's evidence means: each line of the table, and which line goes before which."""

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wombat_ari.core.outcome import BY_CAUSE, BY_DIAL_STATUS, BY_REASON, RULES, decide, telling
from wombat_ari.model.calls import Evidence
from wombat_ari.model.states import Outcome

O = Outcome  # noqa: E741 - the tables below are easier to read with one letter

CAUSES = {
    O.RS_BUSY: (17,),
    O.RS_NOANSWER: (18, 19),
    O.RS_NUMBER: (1, 2, 3, 22, 28, 66),  # 66 is Asterisk's for a technology it does not have: no channel
    O.RS_REJECTED: (21, 27, 34, 38, 41, 42, 44, 47, 127),
}
BY_CAUSES = [(cause, outcome) for outcome, causes in CAUSES.items() for cause in causes]


def ended(**seen: Any) -> Evidence:
    """An attempt that failed after its channel was seen."""
    return Evidence(**{"channel_seen": True, "reason": 0, "cause": 0, **seen})


@pytest.mark.parametrize(("cause", "outcome"), BY_CAUSES)
def test_by_cause_of_our_channel_or_of_the_trunks(cause: int, outcome: Outcome) -> None:
    assert decide(ended(cause=cause)) == outcome
    assert decide(ended(leg_cause=cause)) == outcome
    for status in ("", "BUSY", "NOANSWER", "CONGESTION", "ANSWER"):
        assert decide(ended(cause=cause, dial_status=status, reason=8)) == outcome, "a cause goes before the rest"


@pytest.mark.parametrize("cause", [4, 20, 31, 88, 102, 255])
def test_any_other_cause_is_a_refusal_by_the_network(cause: int) -> None:
    assert decide(ended(cause=cause, dial_status="BUSY", reason=5)) == O.RS_REJECTED


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("BUSY", O.RS_BUSY),
        ("NOANSWER", O.RS_NOANSWER),
        ("CONGESTION", O.RS_REJECTED),
        ("CHANUNAVAIL", O.RS_REJECTED),
        ("CANCEL", O.RS_REJECTED),
        ("", O.RS_REJECTED),
    ],
)
def test_by_dial_status_when_no_cause_tells(status: str, outcome: Outcome) -> None:
    for cause in (0, 16, None):
        for leg_cause in (0, 16, None):
            assert decide(ended(cause=cause, leg_cause=leg_cause, dial_status=status)) == outcome


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [(5, O.RS_BUSY), (3, O.RS_NOANSWER), (8, O.RS_REJECTED), (0, O.RS_REJECTED), (1, O.RS_REJECTED)],
)
def test_by_reason_when_nothing_else_tells(reason: int, outcome: Outcome) -> None:
    for cause in (0, 16, None):
        assert decide(ended(cause=cause, reason=reason)) == outcome


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [
        ({"forced": True, "answered": True}, O.RS_TIMEOUT),
        ({"answered": True}, O.TERMINATED),
        ({"answered": True, "cause": 17}, O.TERMINATED),
        ({"answered": True, "hung_up_by_us": True}, O.TERMINATED),
        ({"answered": True, "overload": True}, O.RS_ERROR),
        ({"refused": True, "message": "Extension does not exist."}, O.RS_ERROR),
        ({"never_taken": True}, O.RS_ERROR),
        ({"lost": True}, O.RS_LOST),
        ({"lost": True, "answered": True}, O.RS_LOST),
        ({"hung_up_by_us": True, "cause": 17, "dial_status": "BUSY"}, O.RS_REJECTED),
        ({"channel_seen": False, "cause": None}, O.RS_NUMBER),
        ({"channel_seen": False, "cause": None, "reason": 8}, O.RS_NUMBER),
        ({"channel_seen": False, "cause": None, "reason": None}, O.RS_REJECTED),
    ],
)
def test_what_we_know_better_than_the_network(seen: dict[str, Any], outcome: Outcome) -> None:
    assert decide(ended(**seen)) == outcome


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        ({"forced": True}, {"lost": True}),
        ({"forced": True}, {"answered": True}),
        ({"forced": True}, {"overload": True, "answered": True}),
        ({"refused": True}, {"lost": True}),
        ({"never_taken": True}, {"hung_up_by_us": True}),
        ({"lost": True}, {"answered": True}),
        ({"overload": True}, {"answered": True}),
        ({"answered": True}, {"hung_up_by_us": True}),
        ({"answered": True}, {"cause": 17}),
        ({"hung_up_by_us": True}, {"leg_cause": 17}),
        ({"leg_cause": 1}, {"cause": 17}),
        ({"cause": 17}, {"dial_status": "NOANSWER"}),
        ({"dial_status": "NOANSWER"}, {"reason": 5}),
        ({"reason": 3}, {}),
    ],
    ids=lambda seen: " ".join(seen) or "nothing",
)
def test_precedence(stronger: dict[str, Any], weaker: dict[str, Any]) -> None:
    assert decide(ended(**weaker, **stronger)) == decide(ended(**stronger))
    assert decide(ended(**weaker)) != decide(ended(**stronger))


def test_the_trunks_cause_is_ours_when_it_tells_nothing() -> None:
    assert decide(ended(cause=17, leg_cause=16)) == O.RS_BUSY
    assert decide(ended(cause=17, leg_cause=0)) == O.RS_BUSY


def test_causes_that_tell_nothing() -> None:
    assert [telling(cause) for cause in (None, 0, 16, 17, 19)] == [None, None, None, 17, 19]
    assert not {0, 16} & set(BY_CAUSE)


def test_the_tables_are_those_of_the_specification() -> None:
    assert {(cause, outcome) for cause, outcome in BY_CAUSE.items()} == set(BY_CAUSES)
    assert set(BY_DIAL_STATUS) == {"BUSY", "NOANSWER", "CONGESTION", "CHANUNAVAIL"}
    assert set(BY_REASON) == {3, 5, 8}


evidences = st.builds(
    Evidence,
    **{field.name: st.booleans() for field in fields(Evidence) if field.type is bool},
    reason=st.sampled_from([None, 0, 1, 3, 4, 5, 8]),
    cause=st.one_of(st.none(), st.integers(0, 127)),
    leg_cause=st.one_of(st.none(), st.integers(0, 127)),
    dial_status=st.sampled_from(["", "ANSWER", "BUSY", "NOANSWER", "CONGESTION", "CHANUNAVAIL", "CANCEL", "odd"]),
)


@settings(max_examples=300, deadline=None)
@given(evidences)
def test_every_evidence_has_one_outcome_by_the_first_rule_that_fits(evidence: Evidence) -> None:
    by_rule = [rule(evidence) for _, rule in RULES]
    assert decide(evidence) == next(outcome for outcome in by_rule if outcome is not None)
    assert by_rule[-1] is not None, "the last rule always fits"
    if evidence.answered and not (evidence.refused or evidence.never_taken or evidence.skipped):
        assert decide(evidence) in (O.TERMINATED, O.RS_TIMEOUT, O.RS_LOST, O.RS_ERROR)
