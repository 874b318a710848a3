"""From what real PBXs said to the events of a call."""

import pytest

from tests.wire.recordings import events, of_call, recorded
from wombat_ari.model.events import (
    Accepted,
    Answered,
    AttributeAppended,
    AttributeCleared,
    AttributeSet,
    CalleeEnded,
    CallEvent,
    ChannelCreated,
    DialEnded,
    EndPointSeen,
    HungUp,
    LegDialled,
    LegHungUp,
    OriginateFailed,
    OriginateSucceeded,
    Refused,
    StatusSet,
)
from wombat_ari.wire.ami import Message
from wombat_ari.wire.ami_events import TABLE, events_of

OURS = "wbt-0000000000000007"


def message(text: str) -> Message:
    kind, _, name = text.partition("\n")[0].partition(": ")
    return Message(kind, name, text.replace("\n", "\r\n"))


def told(text: str) -> list[CallEvent]:
    return list(events_of(message(text)))


def test_an_answered_call_in_the_order_of_its_bytes() -> None:
    channel = "Local/5551001@dialout-00002ef2;1"
    assert of_call("o_answer_callee_hangs") == [
        Accepted(1),
        ChannelCreated(1, channel),
        ChannelCreated(1, channel),  # DialBegin
        OriginateSucceeded(1, channel),
        Answered(1),
        DialEnded(1, "ANSWER"),
        EndPointSeen(1),
        StatusSet(1, "1"),
        HungUp(1, 16),
    ]


@pytest.mark.parametrize(
    ("recording", "folder", "reason", "status", "cause"),
    [
        ("o_busy17", "ami", 0, "BUSY", 17),
        ("o_busy17", "ami16", 0, "BUSY", 17),
        ("o_busy_app", "ami", 5, "BUSY", 0),
        ("o_congestion34", "ami", 0, "CONGESTION", 34),
        ("o_congestion_app", "ami", 8, "CONGESTION", 0),
        ("o_invalid_cause1", "ami", 0, "NOANSWER", 1),
        ("o_noanswer_ringing", "ami", 3, None, 19),
        ("o_noanswer_ringing", "ami16", 3, None, 0),
        ("o_noanswer_silent", "ami", 3, None, 19),
        ("o_no_exten", "ami", 0, None, 0),
        ("o_ami_hangup_ringing", "ami", 0, "NOANSWER", 0),
        ("o_local_dialtimeout_falloff", "ami", 0, "NOANSWER", 0),
    ],
)
def test_a_failed_call(recording: str, folder: str, reason: int, status: str | None, cause: int) -> None:
    seen = of_call(recording, folder=folder)
    assert [event for event in seen if isinstance(event, OriginateFailed)] == [OriginateFailed(1, reason)]
    assert [event for event in seen if isinstance(event, HungUp)] == [HungUp(1, cause)]
    ended = [event.status for event in seen if isinstance(event, DialEnded) and not event.leg]
    assert ended == ([status] if status else [])
    assert not [event for event in seen if isinstance(event, (Answered, OriginateSucceeded))]


@pytest.mark.parametrize(
    ("recording", "folder", "cause", "sip_code", "status"),
    [
        ("sip_localB_486", "ami", 17, "486", "BUSY"),
        ("sip_localB_603", "ami", 21, "603", "NOANSWER"),
        ("sip_localA_404", "ami", 1, "404", "NOANSWER"),
        ("sip_localA_486", "ami", 17, "486", "BUSY"),
        ("sip_localA_486", "ami16", 17, "", "BUSY"),
        ("sip_localB_180", "ami", 19, "480", "CANCEL"),
        ("sip_localB_200", "ami", 16, "", "ANSWER"),
    ],
)
def test_the_trunks_own_channel(recording: str, folder: str, cause: int, sip_code: str, status: str) -> None:
    seen = of_call(recording, folder=folder)
    assert [event for event in seen if isinstance(event, LegHungUp)] == [LegHungUp(1, cause, sip_code)]
    assert [event.status for event in seen if isinstance(event, DialEnded) and event.leg] == [status]
    assert len([event for event in seen if isinstance(event, HungUp)]) == 1


def test_a_direct_channel_has_no_leg() -> None:
    seen = of_call("sip_direct_486")
    assert [event for event in seen if isinstance(event, HungUp)] == [HungUp(1, 17, "486")]
    assert not [event for event in seen if isinstance(event, LegHungUp)]


@pytest.mark.parametrize(
    ("recording", "status", "cause", "sip_code"),
    [
        ("rev_answer_callee_hangs", "ANSWER", 16, ""),
        ("rev_404", "NOANSWER", 1, "404"),
        ("rev_agent_hangs_while_ringing", "CANCEL", 16, ""),
    ],
)
def test_reverse_the_callee_is_the_leg_that_our_channel_dials(
    recording: str, status: str, cause: int, sip_code: str
) -> None:
    wanted = (LegDialled, DialEnded, LegHungUp)
    seen = [event for event in of_call(recording, ids=f"rv-{recording}") if isinstance(event, wanted)]
    own, dialled, *rest = seen
    assert own == DialEnded(1, "ANSWER"), "the agent's"
    assert isinstance(dialled, LegDialled)
    assert rest == [DialEnded(1, status, leg=True, dialled_by_us=True), LegHungUp(1, cause, sip_code)]


def test_a_leg_that_another_channel_dials_is_not_the_callee() -> None:
    ended = [event for event in of_call("sip_localB_486") if isinstance(event, DialEnded) and event.leg]
    assert ended == [DialEnded(1, "BUSY", leg=True, dialled_by_us=False)]


def test_what_the_context_for_reverse_dialling_tells() -> None:
    said = f"Event: UserEvent\nUniqueid: {OURS}\nUserEvent: CALLEEENDED\nUniqueid: {OURS}\n"
    assert told(f"{said}DIALSTATUS: BUSY\nCAUSE: 17\nTALK: 0")[1:] == [CalleeEnded(7, "BUSY", 17, 0)]
    assert told(f"{said}DIALSTATUS: ANSWER\nCAUSE: 16\nTALK: 1503")[1:] == [CalleeEnded(7, "ANSWER", 16, 1503)]
    assert told(f"{said}DIALSTATUS: \nCAUSE: 0\nTALK: -5")[1:] == [CalleeEnded(7, "", 0, 0)]


def test_no_channel_could_be_made() -> None:
    assert of_call("o_no_tech") == [Accepted(1), OriginateFailed(1, 0)]


def test_the_failed_extensions_pseudo_channel_is_not_ours() -> None:
    assert b"OutgoingSpoolFailed" in recorded("o_failed_ext")
    seen = of_call("o_failed_ext")
    assert EndPointSeen(1) not in seen
    assert [event for event in seen if isinstance(event, (HungUp, LegHungUp))] == [HungUp(1, 17)]


def test_the_callee_of_a_reverse_call_is_a_leg() -> None:
    seen = of_call("rev_busy", ids="rv-[a-z0-9_]+")
    assert [event.status for event in seen if isinstance(event, DialEnded) and event.leg] == ["BUSY"]
    assert LegHungUp(1, 17, "486") in seen


def test_other_peoples_calls_tell_nothing() -> None:
    raw = recorded("o_answer_callee_hangs", ids="no-such-id")
    assert events(raw) == []


@pytest.mark.parametrize(
    "unique_id",
    ["wbt-42", "wbt-00000000000000421", "wbt-000000000000004x", "wbo-0000000000000042", "xwbt-0000000000000042", ""],
)
def test_an_id_of_another_form_is_not_ours(unique_id: str) -> None:
    assert told(f"Event: Newchannel\nChannel: A\nUniqueid: {unique_id}\nLinkedid: {unique_id}") == []
    assert told(f"Event: Newchannel\nChannel: A\nUniqueid: {unique_id}") == []


def test_an_id_at_the_very_end_is_ours() -> None:
    assert told(f"Event: Newchannel\nChannel: A\nUniqueid: {OURS}") == [ChannelCreated(7, "A")]


@pytest.mark.parametrize("state", ["0", "4", "5", "60", "16"])
def test_only_up_is_answered(state: str) -> None:
    assert told(f"Event: Newstate\nChannelState: {state}\nUniqueid: {OURS}\n") == []


def test_answers_to_an_originate() -> None:
    assert told(f"Response: Success\nActionID: {OURS}\nMessage: Originate successfully queued") == [Accepted(7)]
    refused = told(f"Response: Error\nActionID: {OURS}\nMessage: Extension does not exist.")
    assert refused == [Refused(7, "Extension does not exist.")]
    assert told("Response: Success\nActionID: w7\nMessage: Channel Hungup") == []


def test_an_answer_is_matched_by_its_action_id() -> None:
    """A second Originate of a ChannelId that lives fails under the first one's Uniqueid."""
    text = f"Event: OriginateResponse\nActionID: other\nResponse: Failure\nReason: 0\nUniqueid: {OURS}"
    assert told(text) == []


def test_odd_numbers_do_not_break() -> None:
    assert told(f"Event: Hangup\nUniqueid: {OURS}\nCause: x\n") == [HungUp(7, 0)]
    assert told(f"Event: Hangup\nUniqueid: {OURS}\n") == [HungUp(7, 0)]


def test_unknown_events_tell_nothing() -> None:
    assert told(f"Event: SoftHangupRequest\nUniqueid: {OURS}\nCause: 16") == []
    assert told(f"Goodbye: Success\nActionID: {OURS}") == []


# UserEvent


def user_event(name: str, *pairs: str, ours: str = OURS, linked: str = OURS) -> list[CallEvent]:
    lines = ["Event: UserEvent", "Privilege: user,all", "Channel: A", f"Uniqueid: {ours}", f"Linkedid: {linked}"]
    seen = told("\n".join([*lines, f"UserEvent: {name}", *pairs]))
    if seen:
        assert seen[0] == EndPointSeen(7)
    return seen[1:]


@pytest.mark.parametrize("name", ["CALLSTATUS", "callstatus", "CallStatus"])
def test_status(name: str) -> None:
    assert user_event(name, f"Uniqueid: {OURS}", "V: 12") == [StatusSet(7, "12")]


def test_status_forms() -> None:
    assert user_event("CALLSTATUS", "v: A B ") == [StatusSet(7, "A B")]
    assert user_event("CALLSTATUS", "V: 1", "V: 2") == [StatusSet(7, "1")]
    assert user_event("CALLSTATUS", "P0: 5") == [StatusSet(7, "5")]
    assert user_event("CALLSTATUS", "V: ") == [StatusSet(7, "")]
    assert user_event("CALLSTATUS") == []


def test_attributes() -> None:
    assert user_event("ATTRIBUTE", f"Uniqueid: {OURS}", "NAME: J. Doe", "AGE: 7") == [
        *(AttributeSet(7, "NAME", "J. Doe"), AttributeSet(7, "AGE", "7")),
    ]
    assert user_event("ATTRIBUTE", "NAME: ", "T: 10:30") == [AttributeSet(7, "NAME", ""), AttributeSet(7, "T", "10:30")]


@pytest.mark.parametrize("name", ["ATTRAPPEND", "AttributeAppend"])
def test_append(name: str) -> None:
    assert user_event(name, "NOTE: more") == [AttributeAppended(7, "NOTE", "more")]


def test_clear() -> None:
    assert user_event("ATTRCLEAR", "NOTE: ", "P0: AGE") == [AttributeCleared(7, "NOTE"), AttributeCleared(7, "AGE")]


def test_numbered_parameters() -> None:
    assert user_event("ATTRIBUTE", "P0: NAME", "P1: J. Doe") == [AttributeSet(7, "NAME", "J. Doe")]
    assert user_event("ATTRIBUTE", "P0: A=1", "P1: B=2=3") == [AttributeSet(7, "A", "1"), AttributeSet(7, "B", "2=3")]
    assert user_event("ATTRAPPEND", "P0: A=1") == [AttributeAppended(7, "A", "1")]


def test_any_user_event_is_a_sign_of_the_end_point() -> None:
    assert told(f"Event: UserEvent\nUniqueid: {OURS}\nUserEvent: HELLO\nX: y") == [EndPointSeen(7)]


def test_the_users_uniqueid_comes_first_then_the_channel_then_what_it_belongs_to() -> None:
    other = "1795391274.16"
    assert user_event("CALLSTATUS", f"Uniqueid: {OURS}", "V: 1", ours=other, linked=other) == [StatusSet(7, "1")]
    assert user_event("CALLSTATUS", f"Uniqueid: {other}", "V: 1", ours=other) == [StatusSet(7, "1")]
    assert user_event("CALLSTATUS", "V: 1", linked=other) == [StatusSet(7, "1")]
    assert user_event("CALLSTATUS", f"Uniqueid: {other}", "V: 1", ours=other, linked=other) == []
    assert user_event("CALLSTATUS", f"Uniqueid: {OURS}", "Uniqueid: wbt-0000000000000099", "V: 1") == [
        StatusSet(7, "1")
    ]


def test_what_a_real_pbx_sent() -> None:
    seen = events(recorded("userevent_special", ids="ue[0-9]+"))
    first = [event for event in seen if event.call == 1]
    assert StatusSet(1, "1") in first
    assert any(isinstance(event, AttributeSet) and event.name == "X" and event.value == "lead" for event in first)
    assert any(isinstance(event, AttributeSet) and event.name == "Y" and event.value == "" for event in first)


def test_every_function_survives_a_bare_event() -> None:
    for name in TABLE:
        kind = "Response" if name in ("Success", "Error") else "Event"
        assert told(f"{kind}: {name}") == []
